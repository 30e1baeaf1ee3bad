//! btrfs over several devices.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "btrfs",
    rows: ROWS,
};

const BY_UUID: &str = "root=UUID={btrfs}";
const RAID1: &str = "btrfs_root -d raid1 -m raid1 $1 $2";
const TWO: &[u64] = &[128, 128];

const ROWS: &[Row] = &[
    row("btrfs-raid1", TWO, RAID1)
        .words(BY_UUID)
        .boots("btrfs(disk1,disk2)"),
    row("btrfs-raid0", TWO, "btrfs_root -d raid0 -m raid0 $1 $2")
        .words(BY_UUID)
        .boots("btrfs(disk1,disk2)"),
    row("btrfs-missing-one", TWO, RAID1)
        .words("root=UUID={btrfs} landfall.degraded=never")
        .given(&[Given::Without(2)])
        .refuses(&["btrfs"]),
    row("btrfs-degraded", TWO, RAID1)
        .words("root=UUID={btrfs} rootflags=degraded landfall.degraded=1")
        .given(&[Given::Without(2)])
        .boots("btrfs(disk1)"),
    row(
        "btrfs-on-two-luks",
        TWO,
        "luks 1 $1; luks 2 $2; btrfs_root -d raid1 -m raid1 \
         /dev/mapper/c1 /dev/mapper/c2",
    )
    .words("root=UUID={btrfs} rd.luks.uuid={luks1} rd.luks.uuid={luks2} {key}")
    .boots("btrfs(luks-{luks1}(disk1),luks-{luks2}(disk2))"),
    row(
        "btrfs-on-two-lv",
        &[260],
        "vg vg $1; lv -n a -l 126 vg; lv -n b -l 126 vg
         btrfs_root -d raid1 -m raid1 /dev/vg/a /dev/vg/b",
    )
    .words(BY_UUID)
    .boots("btrfs(vg-a(disk1),vg-b(disk1))"),
];
