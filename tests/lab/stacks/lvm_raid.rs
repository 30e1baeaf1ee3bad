//! Logical volumes of every RAID level.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "lvm-raid",
    rows: ROWS,
};

const META: &str = "the kernel writes the superblocks of RAID volumes when they are mapped";

/// Parity beside data, wherever the level puts it.
const ON_THREE: &str = "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2),\
                        vg-root_rimage_2(disk3),vg-root_rmeta_0(disk1),vg-root_rmeta_1(disk2),\
                        vg-root_rmeta_2(disk3))";

const ROWS: &[Row] = &[
    row(
        "lvm-raid0",
        &[10, 10],
        "vg vg $1 $2; lv --type raid0 -i 2 -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2))"),
    row(
        "lvm-raid1",
        &[16, 16],
        "vg vg $1 $2; lv --type raid1 --nosync -m 1 -n root -l 12 vg; root /dev/vg/root",
    )
    .boots(
        "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2),\
         vg-root_rmeta_0(disk1),vg-root_rmeta_1(disk2))",
    )
    .writes(META),
    row(
        "lvm-raid4",
        &[10, 10, 10],
        "vg vg $1 $2 $3; lv --type raid4 -i 2 -n root -l 12 vg; root /dev/vg/root
         in_step vg-root",
    )
    .boots(ON_THREE)
    .writes(META),
    row(
        "lvm-raid5",
        &[10, 10, 10],
        "vg vg $1 $2 $3; lv --type raid5 -i 2 -n root -l 12 vg; root /dev/vg/root
         in_step vg-root",
    )
    .boots(ON_THREE)
    .writes(META),
    row(
        "lvm-raid6",
        &[6, 6, 6, 6, 6],
        "vg vg $1 $2 $3 $4 $5; lv --type raid6 -i 3 -n root -l 12 vg; root /dev/vg/root
         in_step vg-root",
    )
    .boots(
        "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2),vg-root_rimage_2(disk3),\
         vg-root_rimage_3(disk4),vg-root_rimage_4(disk5),vg-root_rmeta_0(disk1),\
         vg-root_rmeta_1(disk2),vg-root_rmeta_2(disk3),vg-root_rmeta_3(disk4),\
         vg-root_rmeta_4(disk5))",
    )
    .writes(META),
    row(
        "lvm-raid10",
        &[10, 10, 10, 10],
        "vg vg $1 $2 $3 $4; lv --type raid10 --nosync -i 2 -m 1 -n root -l 12 vg
         root /dev/vg/root",
    )
    .boots(
        "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2),vg-root_rimage_2(disk3),\
         vg-root_rimage_3(disk4),vg-root_rmeta_0(disk1),vg-root_rmeta_1(disk2),\
         vg-root_rmeta_2(disk3),vg-root_rmeta_3(disk4))",
    )
    .writes(META),
    // In one step, the kernel sometimes waits forever for the resynchronisation that it interrupts.
    row(
        "lvm-raid1-with-integrity",
        &[24, 24],
        "vg vg $1 $2; lv --type raid1 --nosync -m 1 -n root -l 12 vg
         lvconvert -y -q --raidintegrity y vg/root; root /dev/vg/root; in_step vg-root",
    )
    .boots(
        "vg-root(vg-root_rimage_0(vg-root_rimage_0_imeta(disk1),vg-root_rimage_0_iorig(disk1)),\
         vg-root_rimage_1(vg-root_rimage_1_imeta(disk2),vg-root_rimage_1_iorig(disk2)),\
         vg-root_rmeta_0(disk1),vg-root_rmeta_1(disk2))",
    )
    .writes(META),
];
