//! Arrays with parity, and journals of it.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "md-parity",
    rows: ROWS,
};

const THREE: &[u64] = &[8, 8, 8];
const ALL: &str = "raid5(disk1,disk2,disk3)";
const SOON: &str = "root=UUID={root} landfall.degraded=1";
const RAID5: &str = "md 0 -l5 -n3 -c64 $c $1 $2 $3; root /dev/md0";

const ROWS: &[Row] = &[
    row(
        "md-raid4",
        THREE,
        "md 0 -l4 -n3 -c64 $c $1 $2 $3; root /dev/md0",
    )
    .boots("raid4(disk1,disk2,disk3)"),
    row("md-raid5", THREE, RAID5).boots(ALL),
    row(
        "md-raid6",
        &[8, 8, 8, 8],
        "md 0 -l6 -n4 -c64 $c $1 $2 $3 $4; root /dev/md0",
    )
    .boots("raid6(disk1,disk2,disk3,disk4)"),
    row(
        "md-journal",
        &[8, 8, 8, 32],
        "md 0 -l5 -n3 -c64 --write-journal $4 $1 $2 $3; root /dev/md0",
    )
    .boots("raid5(disk1,disk2,disk3,disk4)")
    .writes("the kernel begins a new page of the journal when the array starts"),
    row("md-degraded-raid5", THREE, RAID5)
        .words(SOON)
        .given(&[Given::Without(1)])
        .boots("raid5-1(disk2,disk3)"),
    row("md-raid5-without-two", THREE, RAID5)
        .words(SOON)
        .given(&[Given::Without(1), Given::Without(3)])
        .refuses(&["raid5"]),
];
