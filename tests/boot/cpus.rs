//! Two CPUs, and disks on every bus: modules really load beside each other.

use crate::lab::disks::{BTRFS, EXT4, EXT4_GPT, SWAP, VFAT, XFS};
use crate::lab::guest::Machine;
use landfall::host::qemu::Bus;

#[test]
fn boot_loads_modules_in_parallel() {
    let outcome = Machine::generic()
        .cpus(2)
        .disk(&SWAP, Bus::Virtio)
        .disk(&XFS, Bus::Scsi)
        .disk(&BTRFS, Bus::Nvme)
        .disk(&EXT4_GPT, Bus::Ahci)
        .disk(&VFAT, Bus::Usb)
        .disk(&EXT4, Bus::Virtio)
        .cmdline(&format!("root=UUID={} ro", EXT4.uuid))
        .boot();
    outcome.assert_root("/dev/vdb", "ext4", "ro");
    let loads = outcome.loads();
    assert!(loads.failed.is_empty(), "{loads:?}");
    assert!(loads.most_at_once >= 2, "{loads:?}");
    let trace = outcome.fact("trace");
    let beside = chains_beside_each_other(trace);
    assert!(
        beside,
        "no driver's modules load beside another's:\n{trace}"
    );
}

/// Was a module of one device's chain begun while one of another's was under way? The chains
/// share nothing but what their buses share.
fn chains_beside_each_other(trace: &str) -> bool {
    const CHAINS: [&[&str]; 3] = [
        &[
            "virtio",
            "virtio_ring",
            "virtio_pci",
            "virtio_blk",
            "virtio_scsi",
        ],
        &["nvme", "nvme_core"],
        &["ahci", "libahci", "libata"],
    ];
    let chain = |module: &str| CHAINS.iter().position(|c| c.contains(&module));
    let mut open: Vec<(&str, usize)> = Vec::new();
    for line in trace.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [_, ">", "load", ticket, module] => {
                let Some(own) = chain(module) else { continue };
                if open.iter().any(|(_, other)| *other != own) {
                    return true;
                }
                open.push((ticket, own));
            }
            [_, "<", "loaded", ticket] => open.retain(|(t, _)| *t != ticket),
            _ => {}
        }
    }
    false
}
