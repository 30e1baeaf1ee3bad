//! Logical volumes of every kind that the kernel maps.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "lvm-kinds",
    rows: ROWS,
};

const META: &str = "the kernel writes the superblocks of RAID volumes when they are mapped";

const ROWS: &[Row] = &[
    row(
        "lvm-linear",
        &[16],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(disk1)"),
    row(
        "lvm-over-two",
        &[10, 10],
        "vg vg $1 $2; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(disk1,disk2)"),
    row(
        "lvm-striped",
        &[10, 10],
        "vg vg $1 $2; lv -n root -l 12 -i 2 -I 64 vg; root /dev/vg/root",
    )
    .boots("vg-root(disk1,disk2)"),
    row(
        "lvm-mirror",
        &[16, 16],
        "vg vg $1 $2; lv --type mirror --mirrorlog core -m 1 -n root -l 12 vg
         root /dev/vg/root",
    )
    .boots("vg-root(vg-root_mimage_0(disk1),vg-root_mimage_1(disk2))"),
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
        "lvm-raid5",
        &[10, 10, 10],
        "vg vg $1 $2 $3; lv --type raid5 -i 2 -n root -l 12 vg; root /dev/vg/root
         in_step vg-root",
    )
    .boots(
        "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(disk2),vg-root_rimage_2(disk3),\
         vg-root_rmeta_0(disk1),vg-root_rmeta_1(disk2),vg-root_rmeta_2(disk3))",
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
    row(
        "lvm-thin",
        &[32],
        "vg vg $1; lvcreate -y -q --type thin-pool -n pool -l 16 vg
         lvcreate -y -q -V 12m --thinpool pool -n root vg; root /dev/vg/root",
    )
    .boots("vg-root(vg-pool-tpool(vg-pool_tdata(disk1),vg-pool_tmeta(disk1)))"),
    row(
        "lvm-snapshot",
        &[24],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root
         lvcreate -y -q -s -n before -l 4 vg/root",
    )
    .words("root=/dev/vg/before")
    .boots("vg-before(vg-before-cow(disk1),vg-root-real(disk1))"),
    row(
        "lvm-cache",
        &[16, 32],
        "vg vg $1 $2; lv -n root -l 12 vg $1; root /dev/vg/root
         lvcreate -y -q --type cache-pool -n fast -l 12 vg $2
         lvconvert -y -q --type cache --cachepool fast vg/root",
    )
    .boots("vg-root(vg-fast_cpool_cdata(disk2),vg-fast_cpool_cmeta(disk2),vg-root_corig(disk1))")
    .writes("the kernel notes in the metadata of a cache that it is in use"),
    row(
        "lvm-writecache",
        &[16, 16],
        "vg vg $1 $2; lv -n root -l 12 vg $1; root /dev/vg/root
         lv -n fast -l 12 vg $2; lvchange -q -an vg/fast
         lvconvert -y -q --type writecache --cachevol fast vg/root",
    )
    .boots("vg-root(vg-fast_cvol(disk2),vg-root_wcorig(disk1))"),
];
