//! Several devices that answer: the one on the disk that was booted from, the first by its place,
//! or none.

use crate::lab::disks::{EXT4, EXT4_GPT, EXT4_TYPED};
use crate::lab::esp;
use crate::lab::guest::Machine;
use landfall::host::qemu::Bus;
use std::collections::BTreeMap;

/// What tells that this was a clone: its warning.
const TAKEN: &str = "is taken, which";

/// Which device udev would call so, as the trace tells.
fn called(trace: &str, link: &str) -> String {
    let mut disks = BTreeMap::new();
    for line in trace.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [_, ">", "links", ticket, disk] => {
                disks.insert(ticket.to_string(), disk.to_string());
            }
            [_, "<", "linked", ticket, links @ ..] if links.contains(&link) => {
                return disks[*ticket].clone();
            }
            _ => {}
        }
    }
    panic!("nothing is called {link}")
}

/// While the file system's driver is loaded the second disk is found, too. Whatever the kernel
/// called them: root is the one in the lower slot.
#[test]
fn boot_takes_the_clone_that_comes_first_by_its_place() {
    let outcome = Machine::generic()
        .device(&EXT4, "virtio-blk-pci,addr=0x15")
        .device(&EXT4, "virtio-blk-pci,addr=0x11")
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_reached();
    let trace = outcome.fact("trace");
    let said = trace.lines().find(|line| line.contains(TAKEN));
    let said = said.unwrap_or_else(|| outcome.fail("the clones are not named"));
    outcome.check(said.contains("vda") && said.contains("vdb"), said);
    let first = called(trace, "by-path/pci-0000:00:11.0");
    outcome.assert_root(&format!("/dev/{first}"), "ext4", "ro");
}

#[test]
fn boot_refuses_clones_across_buses_where_that_was_asked() {
    let outcome = Machine::generic()
        .disk(&EXT4, Bus::Virtio)
        .disk(&EXT4_GPT, Bus::Ahci)
        .disk(&EXT4, Bus::Usb)
        .cmdline("root=LABEL=harbour rw landfall.clones=refuse")
        .boot();
    outcome.assert_gave_up(&[
        "sdb and vda all answer root=LABEL=harbour",
        "landfall.clones=refuse",
    ]);
}

#[test]
fn boot_where_clones_are_refused_and_there_is_none() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .disk(&EXT4_GPT, Bus::Nvme)
        .cmdline("root=LABEL=harbour ro landfall.clones=refuse")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
}

/// The firmware boots systemd-boot from the second disk; both have a root partition.
#[test]
fn boot_by_efi_takes_the_root_on_the_disk_that_was_booted_from() {
    let machine = Machine::cloud();
    let disk = esp::disk(&machine.kernel, machine.words_of_kernel(), &EXT4);
    let outcome = machine
        .disk(&EXT4_TYPED, Bus::Virtio)
        .booted_by_efi(&disk, Bus::Nvme)
        .boot();
    outcome.assert_root("/dev/nvme0n1p2", "ext4", "ro");
    let mounts = outcome.fact("mountinfo");
    outcome.check(!mounts.contains("efivarfs"), "efivarfs stayed mounted");
}

/// The same with a clone of root on a disk that comes first by place.
#[test]
fn boot_by_efi_takes_the_clone_on_the_disk_that_was_booted_from() {
    let machine = Machine::generic();
    let words = format!("{} root=LABEL=harbour", machine.words_of_kernel());
    let disk = esp::disk(&machine.kernel, &words, &EXT4);
    let outcome = machine
        .device(&EXT4, "nvme,serial=clone,addr=0x2")
        .booted_by_efi(&disk, Bus::Nvme)
        .boot();
    outcome.assert_reached();
    let root = outcome.mount("/");
    outcome.check(root.contains("p2 ext4 ro"), &root);
    let trace = outcome.fact("trace");
    let why = "is taken, which is on the disk that the machine was booted from";
    outcome.check(trace.contains(why), "the reason is not said");
}
