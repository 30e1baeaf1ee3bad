//! Arrays with parity, and journals of it.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "md-parity",
    rows: ROWS,
};

const THREE: &[u64] = &[8, 8, 8];
const ALL: &str = "raid5(vda,vdb,vdc)";
const SOON: &str = "root=UUID={root} landfall.degraded=1";
const RAID5: &str = "md 0 -l5 -n3 -c64 $c $1 $2 $3; root /dev/md0";

const ROWS: &[Row] = &[
    row(
        "md-raid4",
        THREE,
        "md 0 -l4 -n3 -c64 $c $1 $2 $3; root /dev/md0",
    )
    .boots("raid4(vda,vdb,vdc)"),
    row("md-raid5", THREE, RAID5).boots(ALL),
    row(
        "md-raid6",
        &[8, 8, 8, 8],
        "md 0 -l6 -n4 -c64 $c $1 $2 $3 $4; root /dev/md0",
    )
    .boots("raid6(vda,vdb,vdc,vdd)"),
    row(
        "md-journal",
        &[8, 8, 8, 32],
        "md 0 -l5 -n3 -c64 --write-journal $4 $1 $2 $3; root /dev/md0",
    )
    .boots("raid5(vda,vdb,vdc,vdd)"),
    row("md-degraded-raid5", THREE, RAID5)
        .words(SOON)
        .given(&[Given::Without(1)])
        .boots("raid5-1(vda,vdb)"),
    row("md-raid5-without-two", THREE, RAID5)
        .words(SOON)
        .given(&[Given::Without(1), Given::Without(3)])
        .refuses(&["raid5"]),
];
