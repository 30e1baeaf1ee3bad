//! Mirrors that lack a half, halves that went on alone, and what only looks like two halves.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "md-alone",
    rows: ROWS,
};

const MIRROR: &[u64] = &[14, 14];
const RAID1: &str = "md 0 -l1 -n2 $c $1 $2; root /dev/md0";
const SOON: &str = "root=UUID={root} landfall.degraded=1";
const ASK: &str = "root=UUID={root} landfall.degraded=ask";
const NEVER: &str = "root=UUID={root} landfall.degraded=never";

const TWO_PATHS: &[Given] = &[Given::TwoPaths(1)];

const ROWS: &[Row] = &[
    row("md-degraded-raid1", MIRROR, RAID1)
        .words(SOON)
        .given(&[Given::Without(2)])
        .boots("raid1-1(disk1)"),
    row("md-degraded-never", MIRROR, RAID1)
        .words(NEVER)
        .given(&[Given::Without(2)])
        .refuses(&["degraded"]),
    row("md-degraded-yes", MIRROR, RAID1)
        .words(ASK)
        .given(&[Given::Without(2), Given::Typed("Start without?", "yes")])
        .boots("raid1-1(disk1)"),
    row("md-degraded-no", MIRROR, RAID1)
        .words(ASK)
        .given(&[Given::Without(2), Given::Typed("Start without?", "no")])
        .refuses(&["nobody said that it starts without"]),
    row(
        "md-raid0-without-one",
        &[8, 8],
        "md 0 -l0 -n2 -c64 $1 $2; root /dev/md0",
    )
    .words(SOON)
    .given(&[Given::Without(2)])
    .refuses(&["raid0"]),
    row(
        "md-stale-member",
        MIRROR,
        "md 0 -l1 -n2 $c $1 $2; down; mdadm -A --run --quiet /dev/md0 $1
         root /dev/md0",
    )
    .words(SOON)
    .boots("raid1-1(disk1)"),
    row(
        "md-two-halves-went-on-alone",
        MIRROR,
        "md 0 -l1 -n2 $c $1 $2; root /dev/md0; down
         for half in $2 $1; do
           mdadm -A --run --quiet /dev/md0 $half; root /dev/md0; down
         done",
    )
    .words(SOON)
    .boots("raid1-1(disk1)"),
    // Whoever refuses clones waits until every device is there, for some seconds.
    row("two-paths", &[12], "root $1")
        .words("root=UUID={root} landfall.clones=refuse rd.timeout=30")
        .given(TWO_PATHS)
        .refuses(&[
            "are one disk on two paths (wwn-",
            "multipath is not set up here",
        ]),
    row("two-paths-of-a-half", MIRROR, RAID1)
        .words(SOON)
        .given(TWO_PATHS)
        .refuses(&["are one disk on two paths"]),
    row("two-paths-of-luks", &[14], "luks 1 $1; root /dev/mapper/c1")
        .words("root=UUID={root} rd.luks.uuid={luks1} {key}")
        .given(TWO_PATHS)
        .refuses(&["are one disk on two paths"]),
    row(
        "two-paths-of-lvm",
        &[16],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .given(TWO_PATHS)
    .refuses(&["volume group vg: ", "are one disk on two paths"]),
];
