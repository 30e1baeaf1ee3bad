//! Two layers, one in the other.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "nested",
    rows: ROWS,
};

const KEY: &str = "root=UUID={root} rd.luks.uuid={luks1} {key}";
const KEYS: &str = "root=UUID={root} rd.luks.uuid={luks1} rd.luks.uuid={luks2} {key}";

const ROWS: &[Row] = &[
    row(
        "luks-on-lvm",
        &[20],
        "vg vg $1; lv -n safe -l 16 vg; luks 1 /dev/vg/safe; root /dev/mapper/c1",
    )
    .words(KEY)
    .boots("luks-{luks1}(vg-safe(disk1))"),
    row(
        "lvm-on-luks",
        &[20],
        "luks 1 $1; vg vg /dev/mapper/c1; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .words(KEY)
    .boots("vg-root(luks-{luks1}(disk1))"),
    row(
        "luks-on-md",
        &[20, 20],
        "md 0 -l1 -n2 $c $1 $2; luks 1 /dev/md0; root /dev/mapper/c1",
    )
    .words(KEY)
    .boots("luks-{luks1}(raid1(disk1,disk2))"),
    row(
        "md-on-luks",
        &[20, 20],
        "luks 1 $1; luks 2 $2; md 0 -l1 -n2 $c /dev/mapper/c1 /dev/mapper/c2; root /dev/md0",
    )
    .words(KEYS)
    .boots("raid1(luks-{luks1}(disk1),luks-{luks2}(disk2))"),
    row(
        "lvm-on-md",
        &[20, 20],
        "md 0 -l1 -n2 $c $1 $2; vg vg /dev/md0; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(raid1(disk1,disk2))"),
    row(
        "lvm-on-raid5",
        &[10, 10, 10],
        "md 0 -l5 -n3 -c64 $c $1 $2 $3; vg vg /dev/md0; lv -n root -l 12 vg
         root /dev/vg/root",
    )
    .boots("vg-root(raid5(disk1,disk2,disk3))"),
    row(
        "md-on-lvm",
        &[40],
        "vg vg $1; lv -n a -l 16 vg; lv -n b -l 16 vg
         md 0 -l1 -n2 $c /dev/vg/a /dev/vg/b; root /dev/md0",
    )
    .boots("raid1(vg-a(disk1),vg-b(disk1))"),
    row(
        "md-on-partitions",
        &[20, 20],
        "partition $1; partition $2; md 0 -l1 -n2 $c ${1}1 ${2}1; root /dev/md0",
    )
    .boots("raid1(disk1/1,disk2/1)"),
    row(
        "table-in-md",
        &[20, 20],
        "md 0 -l1 -n2 -e1.0 $c $1 $2; table /dev/md0; root_behind_table /dev/md0",
    )
    .boots("raid1(disk1,disk2)/1"),
    row(
        "table-in-lv",
        &[24],
        "vg vg $1; lv -n disk -l 16 vg; table /dev/vg/disk; root_behind_table /dev/vg/disk",
    )
    .boots("vg-disk1(vg-disk(disk1))"),
    row(
        "luks-on-luks",
        &[20],
        "luks 1 $1; luks 2 /dev/mapper/c1; root /dev/mapper/c2",
    )
    .words(KEYS)
    .boots("luks-{luks2}(luks-{luks1}(disk1))"),
    row(
        "lvm-on-md-degraded",
        &[20, 20],
        "md 0 -l1 -n2 $c $1 $2; vg vg /dev/md0; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .words("root=UUID={root} landfall.degraded=1")
    .given(&[Given::Without(1)])
    .boots("vg-root(raid1-1(disk2))"),
];
