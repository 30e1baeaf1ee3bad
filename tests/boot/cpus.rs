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
}
