//! Another architecture: Debian's arm64 kernel on a board with a device tree.
//!
//! The spine only; what does not depend on the machine is proven on x86_64.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::copies::Copies;
use crate::lab::disks::{BTRFS, BTRFS_GPT, BUSYBOX, Disk, EXT4, SYMLINK, XFS};
use crate::lab::guest::Machine;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::partitions::PARTLABEL;
use crate::lab::{build, disks, images, shelf};
use landfall::host::accel::runs_a_guest;
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::process::Command;

fn boot(disk: &Disk, bus: Bus, asked: &str) -> Outcome {
    let machine = Machine::arm64().disk(disk, bus);
    machine.cmdline(&format!("root={asked} ro")).boot()
}

fn check(disk: &Disk, bus: Bus, asked: &str, device: &str) -> Outcome {
    let outcome = boot(disk, bus, asked);
    let fstype = format!("{:?}", disk.kind).to_ascii_lowercase();
    outcome.assert_root(device, &fstype, "ro");
    outcome.assert_module(&fstype);
    let loads = outcome.loads();
    assert!(loads.failed.is_empty(), "{loads:?}");
    outcome
}

#[test]
fn boot_aarch64_ext4_by_uuid_on_virtio_leaves_nothing_behind() {
    let outcome = check(
        &EXT4,
        Bus::Virtio,
        &format!("UUID={}", EXT4.uuid),
        "/dev/vda",
    );
    let left = outcome.list("old_rootfs");
    let files: Vec<_> = left.iter().filter(|entry| !entry.ends_with(" 0")).collect();
    assert!(files.is_empty() && left.len() <= 1, "{left:?}");
    assert_eq!(outcome.list("processes"), ["1 0 init"]);
    assert_eq!(outcome.list("fds").len(), 3);
    assert!(outcome.fact("trace").contains("boot "));
}

/// The slots are nodes of the device tree, and nothing but their modaliases leads to the driver.
#[test]
fn boot_aarch64_xfs_by_label_on_virtio_mmio() {
    let outcome = check(&XFS, Bus::Mmio, "LABEL=quay", "/dev/vda");
    outcome.assert_module("virtio_mmio");
    let trace = outcome.fact("trace");
    let asked = |line: &str| line.contains(" of:N") && line.contains("Cvirtio,mmio");
    assert!(trace.lines().any(asked), "{trace}");
}

#[test]
fn boot_aarch64_btrfs_by_partlabel_on_nvme() {
    let asked = format!("\"PARTLABEL={PARTLABEL}\"");
    check(&BTRFS_GPT, Bus::Nvme, &asked, "/dev/nvme0n1p2");
}

#[test]
fn boot_aarch64_btrfs_by_uuid_on_virtio_scsi() {
    let asked = format!("UUID={}", BTRFS.uuid);
    check(&BTRFS, Bus::Scsi, &asked, "/dev/sda");
}

#[test]
fn boot_aarch64_ext4_by_uuid_on_usb() {
    let asked = format!("UUID={}", EXT4.uuid);
    check(&EXT4, Bus::Usb, &asked, "/dev/sda");
}

#[test]
fn boot_aarch64_busybox_init() {
    let outcome = boot(&BUSYBOX, Bus::Virtio, "LABEL=busybox");
    outcome.assert_reached();
    assert_eq!(outcome.list("argv"), ["init       "]);
}

#[test]
fn boot_aarch64_follows_an_absolute_symlink_to_init() {
    let outcome = check(&SYMLINK, Bus::Virtio, "LABEL=symlink", "/dev/vda");
    assert_eq!(outcome.list("argv"), ["/sbin/init"]);
}

#[test]
fn boot_aarch64_unpacks_modules() {
    let machine = Machine::arm64();
    let image = by_hand::image(
        &machine.kernel,
        &Image {
            name: "zst",
            packer: &["zstd", "-q", "--rm", "-19"],
            ..VIRTIO_EXT4
        },
    );
    let outcome = machine
        .image(image)
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    assert!(outcome.loads().failed.is_empty());
}

#[test]
fn boot_aarch64_without_root_ends_with_the_page() {
    let mut copies = Copies::new();
    let outcome = Machine::arm64()
        .file(&copies.disk(&EXT4), Bus::Virtio)
        .file(&copies.disk(&XFS), Bus::Mmio)
        .cmdline("root=LABEL=nowhere ro rd.timeout=5")
        .boot();
    copies.assert_unchanged();
    outcome.assert_gave_up(&["root=LABEL=nowhere", "within 5 s", EXT4.uuid, XFS.uuid]);
}

/// Neither the machine nor the console has to be named.
#[test]
fn boot_tool_chooses_the_machine_by_the_kernel() {
    let kernel = kernel(Flavour::Arm64);
    let disk = disks::file(&EXT4.arch(Arch::Aarch64));
    let image = images::image(&kernel);
    let mut command = Command::new(build::landfall());
    command.arg("boot").arg("--kernel").arg(&kernel.vmlinuz);
    command.arg("--initrd").arg(image);
    command
        .arg("--disk")
        .arg(format!("{},bus=mmio,scratch", disk.display()));
    command.args(["--append", "root=LABEL=harbour ro"]);
    let _seat = shelf::seat();
    let output = command.output().expect("the host tool runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the real init was reached"), "{said}");
}

/// What is asked of KVM can be answered: emulation does.
#[test]
fn boot_probe_of_the_accelerator_ends() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        assert!(runs_a_guest(arch, "tcg").expect("QEMU"), "{arch}");
        assert!(!runs_a_guest(arch, "no-such").expect("QEMU"), "{arch}");
    }
}
