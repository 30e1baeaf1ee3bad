//! Logical volumes of every kind that the kernel maps, but for RAID.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "lvm-kinds",
    rows: ROWS,
};

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
        "lvm-mirror-with-a-log",
        &[16, 16, 4],
        "vg vg $1 $2 $3; lv --type mirror --mirrorlog disk -m 1 -n root -l 12 vg $1 $2 $3
         root /dev/vg/root",
    )
    .boots("vg-root(vg-root_mimage_0(disk1),vg-root_mimage_1(disk2),vg-root_mlog(disk3))")
    .writes("the kernel notes in the log of a mirror that it is in use"),
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
        "lvm-cache-on-one-volume",
        &[16, 24],
        "vg vg $1 $2; lv -n root -l 12 vg $1; root /dev/vg/root; lv -n fast -l 16 vg $2
         lvconvert -y -q --type cache --cachevol fast vg/root",
    )
    .boots(
        "vg-root(vg-fast_cvol-cdata(vg-fast_cvol(disk2)),\
         vg-fast_cvol-cmeta(vg-fast_cvol(disk2)),vg-root_corig(disk1))",
    )
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
