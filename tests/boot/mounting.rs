//! Mount options as people write them, and what the kernel makes of them.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::copies::Copies;
use crate::lab::disks::{self, BTRFS, Disk, EXT4, VFAT_ROOT, XFS};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

fn boot(disk: &Disk, words: &str) -> Outcome {
    let machine = Machine::cloud().disk(disk, Bus::Virtio);
    machine
        .cmdline(&format!("root=LABEL={} {words}", disk.label))
        .boot()
}

/// Options of the mount and of the file system on it: proc(5), mountinfo.
fn options(outcome: &Outcome) -> Vec<&str> {
    let mounts = outcome.fact("mountinfo").lines();
    let mut roots = mounts.filter(|line| line.split(' ').nth(4) == Some("/"));
    let line = roots.next_back().unwrap_or_default();
    let of_mount = line.split(' ').nth(5).unwrap_or_default();
    let of_system = line.rsplit(' ').next().unwrap_or_default();
    of_mount.split(',').chain(of_system.split(',')).collect()
}

#[track_caller]
fn assert_options(outcome: &Outcome, wanted: &[&str]) {
    let options = options(outcome);
    for word in wanted {
        assert!(options.contains(word), "{word}: {options:?}");
    }
}

/// For the mount, for the superblock, for ext4, and for tools that are not here.
#[test]
fn boot_with_the_vocabulary_of_mount() {
    let flags = "defaults,nosuid,noatime,sync,dirsync,data=journal,commit=17,errors=remount-ro,\
                 _netdev,nofail,auto,user,comment=harbour,x-systemd.device-timeout=9,X-odd";
    let outcome = boot(&EXT4, &format!("ro rootflags={flags}"));
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let kept = [
        "nosuid",
        "noatime",
        "sync",
        "dirsync",
        "data=journal",
        "commit=17",
    ];
    assert_options(&outcome, &kept);
    assert_options(&outcome, &["errors=remount-ro"]);
}

#[test]
fn boot_tries_the_types_that_were_asked_for_in_order() {
    let outcome = boot(&EXT4, "rootfstype=xfs,ext4");
    outcome.assert_root("/dev/vda", "ext4", "ro");
    // It was really tried.
    outcome.assert_module("xfs");
}

#[test]
fn boot_btrfs_by_subvolume() {
    let outcome = boot(&BTRFS, "ro rootflags=subvolid=5,ssd");
    outcome.assert_root("/dev/vda", "btrfs", "ro");
    assert_options(&outcome, &["subvolid=5", "ssd"]);
}

/// At once, though the word for it is that of a device that has left.
#[test]
fn boot_names_a_subvolume_that_is_not_there() {
    let outcome = boot(&BTRFS, "ro rootflags=subvol=@nowhere rootwait");
    outcome.assert_gave_up(&[
        "vda is root, but mounting it failed",
        "a subvolume that rootflags= names is not on it",
        "@nowhere",
    ]);
}

#[test]
fn boot_shows_what_xfs_says_of_a_bad_option() {
    let outcome = boot(&XFS, "ro rootflags=logbsize=7,noatime rootwait");
    outcome.assert_gave_up(&["vda is root, but mounting it failed", "kernel: ", "logbuf"]);
}

/// The kernel would replay it even at a read-only mount: this is how one says no.
#[test]
fn boot_without_replaying_a_journal() {
    let mut copies = Copies::new();
    let outcome = Machine::cloud()
        .file(&copies.file(&disks::unclean(&EXT4)), Bus::Virtio)
        .cmdline("root=LABEL=harbour ro rootflags=noload")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    copies.assert_unchanged();
}

/// Character sets are modules that the kernel asks for while it mounts.
#[test]
fn boot_from_fat_with_the_character_sets_that_were_asked() {
    let image = Image {
        name: "vfat",
        modules: &[
            "virtio_pci",
            "virtio_blk",
            "vfat",
            "nls_cp850",
            "nls_iso8859-15",
        ],
        ..VIRTIO_EXT4
    };
    let machine = Machine::generic();
    let image = by_hand::image(&machine.kernel, &image);
    let outcome = machine
        .image(image)
        .disk(&VFAT_ROOT, Bus::Virtio)
        .cmdline("root=UUID=5EED-F00E ro rootflags=codepage=850,iocharset=iso8859-15,flush")
        .boot();
    outcome.assert_root("/dev/vda", "vfat", "ro");
    outcome.assert_module("nls_cp850");
    outcome.assert_module("nls_iso8859_15");
    assert_options(&outcome, &["codepage=850", "iocharset=iso8859-15", "flush"]);
}
