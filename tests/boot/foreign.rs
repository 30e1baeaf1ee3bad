//! Architectures on which landfall builds and reaches the real init, and nothing more is promised:
//! riscv64, and armv7 as the one with 32 bits.

use crate::lab::build;
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::kernels::Flavour;
use landfall::host::qemu::Bus;

/// As on x86_64.
const SIZE_MAX: u64 = 480 * 1024;

/// Root by its UUID, by an `/init` that is no larger than elsewhere, with nothing left behind.
fn check(flavour: Flavour) {
    let outcome = Machine::new(flavour)
        .disk(&EXT4, Bus::Virtio)
        .cmdline(&format!("root=UUID={} ro", EXT4.uuid))
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    outcome.assert_module("virtio_blk");
    // 32-bit CPUs name none of their instructions: a provider that needs some may say ENODEV.
    let no_device = |line: &String| line.contains(" errno=19 ");
    let loads = outcome.loads();
    assert!(loads.failed.iter().all(no_device), "{loads:?}");
    let left = outcome.list("old_rootfs");
    let files: Vec<_> = left.iter().filter(|entry| !entry.ends_with(" 0")).collect();
    assert!(files.is_empty() && left.len() <= 1, "{left:?}");
    assert_eq!(outcome.list("processes"), ["1 0 init"]);
    assert_eq!(outcome.list("fds").len(), 3);
    let init = build::init_for(flavour.arch());
    let bytes = std::fs::metadata(init).expect("a program").len();
    assert!(bytes <= SIZE_MAX, "{bytes} bytes");
}

#[test]
#[ignore = "rustup has no standard library for it: the lab builds one (see tests/README.md)"]
fn boot_riscv64_ext4_by_uuid_on_virtio() {
    check(Flavour::Riscv64);
}

#[test]
#[ignore = "rustup has no standard library for it: the lab builds one (see tests/README.md)"]
fn boot_armv7_ext4_by_uuid_on_virtio() {
    check(Flavour::Armmp);
}
