//! Names that udev makes: the same ones without udev, and a boot by each kind of them.

use crate::lab::disks::{DEBIAN, EXT4, EXT4_GPT};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;
use std::collections::{BTreeMap, BTreeSet};

/// Run by systemd when udev has named everything.
const REPORT: &str = "udevadm settle; cd /dev/disk; ls -l by-id by-path > /dev/ttyS1; \
                      cat /run/landfall/trace > /dev/ttyS1; sleep 2";

/// Disks on every bus that QEMU has, with serial numbers and world wide names of all shapes.
fn many_disks() -> Machine {
    let scsi = "scsi-hd,bus=two.0";
    Machine::generic()
        .words(&["-device", "virtio-scsi-pci,id=one,addr=0x10"])
        .words(&["-device", "virtio-scsi-pci,id=two,addr=0x11"])
        .words(&["-device", "ich9-ahci,id=sata,addr=0x12"])
        .words(&["-device", "qemu-xhci,id=hub,addr=0x13"])
        .words(&["-device", "sdhci-pci,addr=0x14"])
        .words(&["-device", "usb-hub,bus=hub.0,port=3"])
        .device(&DEBIAN, "virtio-blk-pci,serial=the root 0,addr=0x15")
        .device(&EXT4_GPT, "virtio-blk-pci,addr=0x16")
        .device(&EXT4_GPT, "nvme,serial=SN 1 x,addr=0x17")
        .device(
            &EXT4_GPT,
            "ide-hd,bus=sata.0,serial=S-1,wwn=0x5000c500a1b2c3d4",
        )
        .device(&EXT4, "ide-hd,bus=sata.3,model=A  disk; of mine")
        .device(&EXT4_GPT, "scsi-hd,bus=one.0,scsi-id=3,lun=2,serial=abc 7")
        .device(&EXT4, &format!("{scsi},scsi-id=1,wwn=0x5000c500a1b2c3d5"))
        .device(
            &EXT4,
            &format!("{scsi},scsi-id=2,device_id=odd*name,vendor=ME,product=Disk"),
        )
        .device(
            &EXT4_GPT,
            "usb-storage,bus=hub.0,port=1,serial=U1,removable=on",
        )
        .device(&EXT4, "usb-storage,bus=hub.0,port=3.2")
        .device(&EXT4, "sd-card")
}

/// What landfall said: each disk's names, partitions with their own.
fn ours(report: &str) -> BTreeMap<String, BTreeSet<String>> {
    let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
    let (mut asked, mut names) = (BTreeMap::new(), BTreeMap::new());
    for line in report.lines().map(words) {
        match line
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            [_, ">", "links", ticket, disk] => {
                asked.insert(ticket.to_string(), disk.to_string());
            }
            [_, "<", "linked", ticket, links @ ..] => {
                let disk = asked[*ticket].clone();
                let links = links.iter().map(ToString::to_string);
                names.insert(disk, links.collect::<BTreeSet<_>>());
            }
            _ => {}
        }
    }
    names
}

/// What udev said, partitions left out, in the same shape.
fn of_udev(report: &str) -> (BTreeMap<String, BTreeSet<String>>, usize) {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut folder, mut partitions) = ("", 0);
    for line in report.lines() {
        if let Some(name @ ("by-id" | "by-path")) = line.strip_suffix(':') {
            folder = name;
        }
        let Some((head, target)) = line.split_once(" -> ") else {
            continue;
        };
        let link = head.rsplit(' ').next().expect("a name");
        if link.contains("-part") {
            partitions += 1;
            continue;
        }
        let disk = target.rsplit('/').next().expect("a device");
        names
            .entry(disk.into())
            .or_default()
            .insert(format!("{folder}/{link}"));
    }
    (names, partitions)
}

#[test]
fn boot_knows_the_names_that_udev_makes() {
    let outcome = many_disks()
        // Where clones are refused, all disks are there before one is taken.
        .cmdline("root=/dev/disk/by-id/virtio-the_root_0 ro landfall.clones=refuse")
        .cmdline(&format!("systemd.run=\"/bin/sh -c '{REPORT}'\""))
        .memory(1024)
        .patience(900)
        .boot();
    println!("{}", outcome.report);
    let (theirs, partitions) = of_udev(&outcome.report);
    let mut ours = ours(&outcome.report);
    for names in ours.values_mut() {
        // Newer than this guest's udev.
        names.retain(|name| !name.contains("-usbv"));
    }
    ours.retain(|_, names| !names.is_empty());
    outcome.check(
        theirs.len() >= 10 && partitions >= 10,
        "udev named too little",
    );
    for (disk, names) in &theirs {
        let own = ours.get(disk).cloned().unwrap_or_default();
        assert_eq!(&own, names, "{disk}");
    }
    assert_eq!(ours, theirs);
}

fn check(machine: Machine, asked: &str, device: &str) -> Outcome {
    let outcome = machine.cmdline(&format!("root={asked} ro")).boot();
    outcome.assert_root(device, "ext4", "ro");
    outcome
}

#[test]
fn boot_by_the_serial_number_of_a_disk() {
    let machine = Machine::cloud()
        .disk(&EXT4_GPT, Bus::Nvme)
        .device(&EXT4_GPT, "nvme,serial=mine");
    check(
        machine,
        "ID=nvme-QEMU_NVMe_Ctrl_mine-part2",
        "/dev/nvme1n1p2",
    );
}

#[test]
fn boot_by_the_slot_of_a_disk() {
    let machine = Machine::cloud()
        .device(&EXT4, "virtio-blk-pci,addr=0x15")
        .device(&EXT4, "virtio-blk-pci,addr=0x11");
    let asked = "/dev/disk/by-path/pci-0000:00:15.0";
    let outcome = check(machine, asked, "/dev/vdb");
    let said = |line: &String| line.contains("by-path") && line.contains("answer");
    outcome.check(!outcome.lines.iter().any(said), "no clone is named");
}

#[test]
fn boot_by_a_name_that_no_disk_has_says_the_nearest() {
    let outcome = Machine::cloud()
        .device(&EXT4, "virtio-blk-pci,serial=harbour-1")
        .cmdline("root=/dev/disk/by-id/virtio-harbour-2 rd.timeout=3")
        .boot();
    outcome.assert_gave_up(&["by-id/virtio-harbour-1", "one character differs"]);
}
