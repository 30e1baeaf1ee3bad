//! Boots that must fail: in time, with the page that names the cause, and without a trace on
//! any disk.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::copies::Copies;
use crate::lab::disks::{BTRFS, Disk, EMPTY, EXT4, EXT4_GPT, SWAP, VFAT, XFS};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

/// Boots with disks that the guest may really write to; they must be the same afterwards.
fn fails(plugged: &[(Disk, Bus)], cmdline: &str) -> Outcome {
    let mut copies = Copies::new();
    let mut machine = Machine::generic().cmdline(cmdline);
    for (disk, bus) in plugged {
        machine = machine.file(&copies.disk(disk), *bus);
    }
    let outcome = machine.boot();
    copies.assert_unchanged();
    outcome
}

#[test]
fn boot_wrong_uuid_ends_at_the_deadline_with_the_page() {
    let wrong = "5eedf00d-0000-4000-8000-0000000000ff";
    let outcome = fails(
        &[
            (EXT4, Bus::Virtio),
            (XFS, Bus::Scsi),
            (BTRFS, Bus::Nvme),
            (EXT4_GPT, Bus::Ahci),
            (VFAT, Bus::Usb),
            (SWAP, Bus::Virtio),
        ],
        &format!("root=UUID={wrong} ro rd.timeout=5"),
    );
    outcome.assert_gave_up(&[
        "asked:",
        &format!("root=UUID={wrong}"),
        "within 5 s",
        "seen:",
        "nearest:",
        "next:",
    ]);
    // Every device is on the page, with what it is.
    for parts in [
        ["vda", "ext4", EXT4.uuid],
        ["sda", "xfs", XFS.uuid],
        ["nvme0n1", "btrfs", BTRFS.uuid],
        ["2", "ext4", EXT4_GPT.uuid],
        ["", "vfat", VFAT.uuid],
        ["vdb", "swap", SWAP.uuid],
    ] {
        let listed = |line: &String| {
            let line = line.to_ascii_lowercase();
            parts
                .iter()
                .all(|part| line.contains(&part.to_ascii_lowercase()))
        };
        outcome.check(
            outcome.lines.iter().any(listed),
            &format!("not on the page: {parts:?}"),
        );
    }
}

#[test]
fn boot_without_any_disk_gives_up() {
    let outcome = fails(&[], "root=LABEL=harbour ro rd.timeout=3");
    outcome.assert_gave_up(&["root=LABEL=harbour", "no block device at all"]);
}

#[test]
fn boot_without_root_gives_up() {
    let outcome = fails(&[(EXT4, Bus::Virtio)], "ro rd.timeout=3");
    outcome.assert_gave_up(&["no root="]);
}

#[test]
fn boot_of_a_root_without_init_gives_up() {
    let outcome = fails(&[(EMPTY, Bus::Virtio)], "root=LABEL=empty ro rd.timeout=20");
    outcome.assert_gave_up(&["holds no init to run"]);
}

#[test]
fn boot_of_a_swap_area_gives_up() {
    let outcome = fails(&[(SWAP, Bus::Virtio)], "root=LABEL=ballast ro rd.timeout=3");
    outcome.assert_gave_up(&["swap"]);
}

/// Options that the file system refuses: the kernel's own words are on the page.
#[test]
fn boot_with_refused_mount_options_gives_up() {
    let outcome = fails(
        &[(EXT4, Bus::Virtio)],
        "root=LABEL=harbour ro rootflags=thiscannotbe rd.timeout=20",
    );
    outcome.assert_gave_up(&[
        "vda is root, but mounting it failed",
        "kernel: ",
        "thiscannotbe",
    ]);
}

/// A kernel that refuses what every boot needs (here: a descriptor to hear signals by) leaves
/// PID 1 nothing to do but to end as the command line says. It never just exits.
#[test]
fn boot_where_init_cannot_work_ends_as_asked() {
    let machine = Machine::generic();
    let shell = Image {
        name: "shell-first",
        shell: true,
        ..VIRTIO_EXT4
    };
    let image = by_hand::image(&machine.kernel, &shell);
    let outcome = machine
        .image(image)
        .cmdline("rdinit=/bin/sh root=LABEL=harbour ro -- -c \"ulimit -n 6; exec /init\"")
        .boot();
    let said = |part: &str| outcome.lines.iter().any(|line| line.contains(part));
    outcome.check(
        said("landfall: internal error"),
        "that it cannot work is not said",
    );
    outcome.check(said("taking signals"), "what was refused is not said");
    outcome.check(!said("Attempted to kill init"), "PID 1 ended");
    outcome.check(outcome.ended, "panic=-1 was not obeyed");
}
