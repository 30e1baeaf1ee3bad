//! Architectures on which landfall builds and reaches the real init, and nothing more is promised:
//! riscv64, and armv7 as the one with 32 bits.

use crate::lab::build;
use crate::lab::disks::EXT4;
use crate::lab::elf::{EM_ARM, EM_RISCV, faults};
use crate::lab::guest::Machine;
use crate::lab::kernels::Flavour;
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;

/// No larger than elsewhere, and nothing but a kernel is needed.
fn check(arch: Arch, machine: u64) {
    let init = std::fs::read(build::init_for(arch)).expect("a program");
    println!("{arch}: {} bytes", init.len());
    assert_eq!(faults(&init, machine), [""; 0], "{arch}");
}

#[test]
fn init_is_static_and_small_on_riscv64() {
    check(Arch::Riscv64, EM_RISCV);
}

#[test]
fn init_is_static_and_small_on_armv7() {
    check(Arch::Armv7, EM_ARM);
}

/// Root by its UUID, with nothing left behind.
fn boot(flavour: Flavour) {
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
}

#[test]
fn boot_riscv64_ext4_by_uuid_on_virtio() {
    boot(Flavour::Riscv64);
}

#[test]
fn boot_armv7_ext4_by_uuid_on_virtio() {
    boot(Flavour::Armmp);
}
