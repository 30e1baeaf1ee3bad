//! Every way to ask for a root, every file system, every bus: all values, not the full product.

use crate::lab::disks::{self, BTRFS, BTRFS_GPT, EXT4, EXT4_GPT, EXT4_MBR, XFS, XFS_LOGICAL};
use crate::lab::guest::Machine;
use crate::lab::partitions::{PARTLABEL, partuuid};
use landfall::host::qemu::Bus;

/// Boots the generic kernel, where bus and file system are modules.
fn check(disk: &disks::Disk, bus: Bus, asked: &str, device: &str) {
    let outcome = Machine::generic()
        .disk(disk, bus)
        .cmdline(&format!("root={asked} ro"))
        .boot();
    let fstype = format!("{:?}", disk.kind).to_ascii_lowercase();
    outcome.assert_root(device, &fstype, "ro");
    outcome.assert_module(&fstype);
    let writable = outcome.list("writable_root");
    assert!(writable[0].contains("Read-only"), "{writable:?}");
}

#[test]
fn boot_ext4_by_uuid_on_virtio() {
    check(
        &EXT4,
        Bus::Virtio,
        &format!("UUID={}", EXT4.uuid),
        "/dev/vda",
    );
}

#[test]
fn boot_xfs_by_label_on_virtio_scsi() {
    check(&XFS, Bus::Scsi, "LABEL=quay", "/dev/sda");
}

#[test]
fn boot_btrfs_by_uuid_on_nvme() {
    check(
        &BTRFS,
        Bus::Nvme,
        &format!("UUID={}", BTRFS.uuid),
        "/dev/nvme0n1",
    );
}

#[test]
fn boot_ext4_by_partuuid_of_gpt_on_ahci() {
    let asked = format!("PARTUUID={}", partuuid(EXT4_GPT.table).unwrap());
    check(&EXT4_GPT, Bus::Ahci, &asked, "/dev/sda2");
}

#[test]
fn boot_ext4_by_partuuid_of_mbr_on_usb() {
    let asked = format!("PARTUUID={}", partuuid(EXT4_MBR.table).unwrap());
    check(&EXT4_MBR, Bus::Usb, &asked, "/dev/sda2");
}

#[test]
fn boot_btrfs_by_partlabel_on_nvme() {
    // With a blank in it, so the value is quoted.
    let asked = format!("\"PARTLABEL={PARTLABEL}\"");
    check(&BTRFS_GPT, Bus::Nvme, &asked, "/dev/nvme0n1p2");
}

#[test]
fn boot_xfs_by_partuuid_of_a_logical_partition_on_virtio() {
    let asked = format!("PARTUUID={}", partuuid(XFS_LOGICAL.table).unwrap());
    check(&XFS_LOGICAL, Bus::Virtio, &asked, "/dev/vda5");
}

#[test]
fn boot_ext4_by_path_on_virtio_scsi() {
    check(&EXT4, Bus::Scsi, "/dev/sda", "/dev/sda");
}

#[test]
fn boot_xfs_by_link_of_udev_on_ahci() {
    check(
        &XFS,
        Bus::Ahci,
        &format!("/dev/disk/by-uuid/{}", XFS.uuid),
        "/dev/sda",
    );
}

#[test]
fn boot_ext4_by_label_among_other_disks() {
    let outcome = Machine::generic()
        .disk(&disks::VFAT, Bus::Virtio)
        .disk(&disks::SWAP, Bus::Virtio)
        .disk(&EXT4_GPT, Bus::Virtio)
        // On a bus of its own: disks of one bus may be numbered in any order.
        .disk(&EXT4, Bus::Scsi)
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_root("/dev/sda", "ext4", "ro");
}

#[test]
fn boot_writable_where_rw_was_asked() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .cmdline(&format!("root=UUID={} rw", EXT4.uuid))
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);
}

#[test]
fn boot_with_the_mount_options_that_were_asked() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro rootfstype=ext4 rootflags=noatime,data=writeback,defaults")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let mountinfo = outcome.fact("mountinfo");
    let root = mountinfo
        .lines()
        .rfind(|line| line.contains(" / / "))
        .unwrap_or_default();
    assert!(
        root.contains("noatime") && root.contains("data=writeback"),
        "{root}"
    );
}
