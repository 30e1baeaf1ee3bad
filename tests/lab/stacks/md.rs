//! Whole arrays without parity: versions of metadata, levels, layouts, bitmaps, spares, names.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "md",
    rows: ROWS,
};

const MIRROR: &[u64] = &[14, 14];
const HALVES: &[u64] = &[8, 8];
const BOTH: &str = "raid1(disk1,disk2)";

const ROWS: &[Row] = &[
    row(
        "md-0.90",
        MIRROR,
        "md 0 -l1 -n2 -e0.90 $c $1 $2; root /dev/md0",
    )
    .boots(BOTH),
    row(
        "md-1.0",
        MIRROR,
        "md 0 -l1 -n2 -e1.0 $c $1 $2; root /dev/md0",
    )
    .boots(BOTH),
    row(
        "md-1.1",
        MIRROR,
        "md 0 -l1 -n2 -e1.1 $c $1 $2; root /dev/md0",
    )
    .boots(BOTH),
    row(
        "md-1.2-bitmap",
        MIRROR,
        "md 0 -l1 -n2 -e1.2 --bitmap=internal $c $1 $2; root /dev/md0",
    )
    .boots(BOTH),
    row(
        "md-linear",
        HALVES,
        "md 0 -l linear -n2 $1 $2; root /dev/md0",
    )
    .boots("linear(disk1,disk2)"),
    row("md-raid0", HALVES, "md 0 -l0 -n2 -c64 $1 $2; root /dev/md0").boots("raid0(disk1,disk2)"),
    row(
        "md-raid10-near",
        MIRROR,
        "md 0 -l10 -n2 -pn2 -c64 $c $1 $2; root /dev/md0",
    )
    .boots("raid10(disk1,disk2)"),
    row(
        "md-raid10-far",
        MIRROR,
        "md 0 -l10 -n2 -pf2 -c64 $c $1 $2; root /dev/md0",
    )
    .boots("raid10(disk1,disk2)"),
    row(
        "md-raid10-offset",
        &[10, 10, 10],
        "md 0 -l10 -n3 -po2 -c64 $c $1 $2 $3; root /dev/md0",
    )
    .boots("raid10(disk1,disk2,disk3)"),
    row(
        "md-spare",
        &[14, 14, 14],
        "md 0 -l1 -n2 -x1 $c $1 $2 $3; root /dev/md0",
    )
    .boots("raid1(disk1,disk2,disk3)"),
    row(
        "md-by-name",
        MIRROR,
        "md 0 --name=root -l1 -n2 $c $1 $2; root /dev/md0",
    )
    .words("root=/dev/md/root")
    .boots(BOTH),
];
