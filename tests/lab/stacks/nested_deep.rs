//! Three layers, one in the other: volumes, arrays, encryption and partition tables in any order.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "nested-deep",
    rows: ROWS,
};

const KEY: &str = "root=UUID={root} rd.luks.uuid={luks1} {key}";
const KEYS: &str = "root=UUID={root} rd.luks.uuid={luks1} rd.luks.uuid={luks2} {key}";
const ON_MD: &str = "md 0 -l1 -n2 $c $1 $2; vg vg /dev/md0; lv -n safe -l 16 vg
                     luks 1 /dev/vg/safe; root /dev/mapper/c1";

const ROWS: &[Row] = &[
    row("luks-on-lvm-on-md", &[24, 24], ON_MD)
        .words(KEY)
        .boots("luks-{luks1}(vg-safe(raid1(disk1,disk2)))"),
    row("luks-on-lvm-on-md-degraded", &[24, 24], ON_MD)
        .words("root=UUID={root} rd.luks.uuid={luks1} {key} landfall.degraded=1")
        .given(&[Given::Without(2)])
        .boots("luks-{luks1}(vg-safe(raid1-1(disk1)))"),
    row(
        "lvm-on-luks-on-md",
        &[24, 24],
        "md 0 -l1 -n2 $c $1 $2; luks 1 /dev/md0; vg vg /dev/mapper/c1; lv -n root -l 12 vg
         root /dev/vg/root",
    )
    .words(KEY)
    .boots("vg-root(luks-{luks1}(raid1(disk1,disk2)))"),
    row(
        "lvm-on-luks-on-partition",
        &[24],
        "partition $1; luks 1 ${1}1; vg vg /dev/mapper/c1; lv -n root -l 12 vg
         root /dev/vg/root",
    )
    .words(KEY)
    .boots("vg-root(luks-{luks1}(disk1/1))"),
    row(
        "lvm-on-md-on-luks",
        &[20, 20],
        "luks 1 $1; luks 2 $2; md 0 -l1 -n2 $c /dev/mapper/c1 /dev/mapper/c2
         vg vg /dev/md0; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .words(KEYS)
    .boots("vg-root(raid1(luks-{luks1}(disk1),luks-{luks2}(disk2)))"),
    row(
        "md-on-lvm-on-luks",
        &[40],
        "luks 1 $1; vg vg /dev/mapper/c1; lv -n a -l 16 vg; lv -n b -l 16 vg
         md 0 -l1 -n2 $c /dev/vg/a /dev/vg/b; root /dev/md0",
    )
    .words(KEY)
    .boots("raid1(vg-a(luks-{luks1}(disk1)),vg-b(luks-{luks1}(disk1)))"),
    row(
        "md-on-luks-on-lvm",
        &[48],
        "vg vg $1; lv -n a -l 20 vg; lv -n b -l 20 vg; luks 1 /dev/vg/a; luks 2 /dev/vg/b
         md 0 -l1 -n2 $c /dev/mapper/c1 /dev/mapper/c2; root /dev/md0",
    )
    .words(KEYS)
    .boots("raid1(luks-{luks1}(vg-a(disk1)),luks-{luks2}(vg-b(disk1)))"),
    row(
        "luks-on-md-on-lvm",
        &[48],
        "vg vg $1; lv -n a -l 20 vg; lv -n b -l 20 vg; md 0 -l1 -n2 $c /dev/vg/a /dev/vg/b
         luks 1 /dev/md0; root /dev/mapper/c1",
    )
    .words(KEY)
    .boots("luks-{luks1}(raid1(vg-a(disk1),vg-b(disk1)))"),
    row(
        "table-in-lv-on-md",
        &[24, 24],
        "md 0 -l1 -n2 $c $1 $2; vg vg /dev/md0; lv -n disk -l 16 vg
         table /dev/vg/disk; root_behind_table /dev/vg/disk",
    )
    .boots("vg-disk1(vg-disk(raid1(disk1,disk2)))"),
    row(
        "raid5-on-three-luks",
        &[10, 10, 10],
        "luks 1 $1; luks 2 $2; luks 3 $3
         md 0 -l5 -n3 -c64 $c /dev/mapper/c1 /dev/mapper/c2 /dev/mapper/c3; root /dev/md0",
    )
    .words("root=UUID={root} rd.luks.uuid={luks1} rd.luks.uuid={luks2} rd.luks.uuid={luks3} {key}")
    .boots("raid5(luks-{luks1}(disk1),luks-{luks2}(disk2),luks-{luks3}(disk3))"),
];
