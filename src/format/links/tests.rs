//! Trees of sysfs, cut down to what names are made of. Real machines, and udev's own answers, are
//! in the boots.

use super::*;
use alloc::collections::BTreeMap;
use alloc::string::ToString;

/// One line for each device: its path, its subsystem, its type or `-`, attributes.
struct Tree(BTreeMap<String, Vec<u8>>, BTreeMap<String, String>);

impl Tree {
    fn new(lines: &[&str]) -> Self {
        let mut tree = Self(BTreeMap::new(), BTreeMap::new());
        for line in lines {
            let mut words = line.split('|').map(str::trim);
            let mut next = || words.next().unwrap();
            let (path, subsystem, kind) = (next(), next(), next());
            let uevent = alloc::format!("DEVTYPE={kind}\n").into_bytes();
            tree.0.insert(alloc::format!("{path}/uevent"), uevent);
            let link = alloc::format!("../../bus/{subsystem}");
            tree.1.insert(alloc::format!("{path}/subsystem"), link);
            for word in words {
                let (name, value) = word.split_once('=').unwrap();
                let value = [value, "\n"].concat().into_bytes();
                tree.0.insert(alloc::format!("{path}/{name}"), value);
            }
        }
        tree
    }
}

impl Sysfs for Tree {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).cloned()
    }

    fn link(&self, path: &str) -> Option<String> {
        self.1.get(path).cloned()
    }

    fn list(&self, path: &str) -> Vec<String> {
        let below = |p: &String| {
            let rest = p.strip_prefix(path)?.strip_prefix('/')?;
            Some(rest.split('/').next()?.to_string())
        };
        self.0.keys().filter_map(below).collect()
    }
}

fn check(lines: &[&str], expected: &[&str]) {
    let disk = lines.last().unwrap().split('|').next().unwrap().trim();
    assert_eq!(of_disk(&Tree::new(lines), disk), expected, "{disk}");
}

#[test]
fn virtio_disks_are_named_by_serial_number_and_slot() {
    let pci = "/devices/pci0000:00/0000:00:04.0";
    let line = |path: &str, rest: &str| alloc::format!("{pci}{path} | {rest}");
    check(
        &[
            &line("", "pci | -"),
            &line("/virtio1", "virtio | -"),
            &line("/virtio1/block/vda", "block | disk | serial=my disk/1"),
        ],
        &[
            "by-id/virtio-my_disk/1",
            "by-path/pci-0000:00:04.0",
            "by-path/virtio-pci-0000:00:04.0",
        ],
    );
    check(
        &[
            "/devices/platform/a000000.virtio_mmio | platform | -",
            "/devices/platform/a000000.virtio_mmio/virtio0 | virtio | -",
            "/devices/platform/a000000.virtio_mmio/virtio0/block/vda | block | disk",
        ],
        &["by-path/platform-a000000.virtio_mmio"],
    );
}

#[test]
fn nvme_disks_are_named_three_ways() {
    check(
        &[
            "/devices/pci0000:00/0000:00:1d.0 | pci | -",
            "/devices/pci0000:00/0000:00:1d.0/0000:3c:00.0 | pci | -",
            "/devices/pci0000:00/0000:00:1d.0/0000:3c:00.0/nvme/nvme0 | nvme | - | model=An SSD, 1  TB   | serial=S1",
            "/devices/pci0000:00/0000:00:1d.0/0000:3c:00.0/nvme/nvme0/nvme0n1 | block | disk | wwid=eui.0025 | nsid=1",
        ],
        &[
            "by-id/nvme-eui.0025",
            "by-id/nvme-An_SSD__1__TB_S1",
            "by-id/nvme-An_SSD__1__TB_S1_1",
            "by-path/pci-0000:3c:00.0-nvme-1",
        ],
    );
}

#[test]
fn hosts_are_counted_from_the_first_of_their_controller() {
    let at = "/devices/pci0000:00/0000:00:03.0";
    let host = alloc::format!("{at}/virtio0/host6");
    let unit = alloc::format!("{host}/target6:0:1/6:0:1:300");
    check(
        &[
            &alloc::format!("{at} | pci | -"),
            &alloc::format!("{at}/virtio0 | virtio | -"),
            &alloc::format!("{at}/virtio0/host5 | scsi | scsi_host"),
            &alloc::format!("{host} | scsi | scsi_host"),
            &alloc::format!("{host}/target6:0:1 | scsi | scsi_target"),
            &alloc::format!("{unit} | scsi | scsi_device | vendor=QEMU | model=DISK"),
            &alloc::format!("{unit}/block/sda | block | disk"),
        ],
        &["by-path/pci-0000:00:03.0-scsi-1:0:1:300"],
    );
}

#[test]
fn sas_disks_are_named_by_phy_and_expander() {
    let at = "/devices/pci0000:00/0000:02:00.0/host0/port-0:0/expander-0:0/port-0:0:4";
    let end = alloc::format!("{at}/end_device-0:0:4");
    let expander = "/devices/pci0000:00/0000:02:00.0/host0/port-0:0/expander-0:0";
    let unit = alloc::format!("{end}/target0:0:4/0:0:4:256");
    check(
        &[
            "/devices/pci0000:00/0000:02:00.0 | pci | -",
            "/devices/pci0000:00/0000:02:00.0/host0 | scsi | scsi_host",
            &alloc::format!("{expander} | - | - | sas_device/expander-0:0/sas_address=0x5001"),
            &alloc::format!("{at} | - | - | sas_port/port-0:0:4/num_phys=1"),
            &alloc::format!("{end} | - | - | sas_device/end_device-0:0:4/phy_identifier=4"),
            &alloc::format!("{end}/target0:0:4 | scsi | scsi_target"),
            &alloc::format!("{unit} | scsi | scsi_device"),
            &alloc::format!("{unit}/block/sda | block | disk"),
        ],
        &["by-path/pci-0000:02:00.0-sas-exp0x5001-phy4-lun-0x0100000000000000"],
    );
}

#[test]
fn memory_cards_and_their_boot_partitions_are_named_apart() {
    let at = "/devices/platform/fe340000.mmc";
    let card = alloc::format!("{at}/mmc_host/mmc0/mmc0:0001");
    let above = [
        alloc::format!("{at} | platform | -"),
        alloc::format!("{at}/mmc_host/mmc0 | mmc_host | -"),
        alloc::format!("{card} | mmc | - | name=DG4016 | serial=0x45a63a2d"),
    ];
    let check = |disk: &str, expected: &[&str]| {
        let disk = alloc::format!("{card}/block/{disk} | block | disk");
        let mut lines: Vec<&str> = above.iter().map(String::as_str).collect();
        lines.push(&disk);
        check(&lines, expected);
    };
    let both = [
        "by-id/mmc-DG4016_0x45a63a2d",
        "by-path/platform-fe340000.mmc",
    ];
    check("mmcblk0", &both);
    check("mmcblk0boot1", &["by-path/platform-fe340000.mmc-boot1"]);
}

#[test]
fn what_hangs_on_no_bus_has_no_path() {
    check(&["/devices/virtual/block/loop0 | block | disk"], &[]);
    check(
        &["/devices/virtual/block/dm-0 | block | disk | dm/name=vg-root | dm/uuid=LVM-x"],
        &["by-id/dm-name-vg-root", "by-id/dm-uuid-LVM-x"],
    );
    check(
        &[
            "/devices/pci0/0000:00:01.0 | pci | -",
            "/devices/pci0/0000:00:01.0/x | block | disk",
        ],
        &[],
    );
}

#[test]
fn odd_bytes_become_what_udev_makes_of_them() {
    for (text, expected) in [
        (&b"  a \t b  "[..], "a_b"),
        (b"a\0b", "a"),
        (b"\xff\xc3\xa9*", "_\u{e9}_"),
        (b"a/b", "a/b"),
        (b"x#+-.:=@_y", "x#+-.:=@_y"),
    ] {
        assert_eq!(in_link(text), expected, "{text:?}");
    }
    assert_eq!(in_serial(b"a/b"), "a_b");
    assert_eq!(of_partition("by-id/x", 2), "by-id/x-part2");
}
