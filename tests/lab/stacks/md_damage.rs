//! Arrays with parity that were stopped at a bad time, and those with other metadata than md's own.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "md-damage",
    rows: ROWS,
};

const SIX: &[u64] = &[8, 8, 8, 8, 8, 8];
/// Power fails while the array on the last three disks is written to; the first three are what it
/// leaves.
const POWER_FAILS: &str = "md 0 -l5 -n3 -c64 $c $4 $5 $6
     echo 0 > /sys/block/md0/md/safe_mode_delay; root /dev/md0; sync; copies $4 $1 $5 $2 $6 $3";

const ROWS: &[Row] = &[
    row("md-dirty", SIX, POWER_FAILS)
        .given(&[Given::Without(4), Given::Without(5), Given::Without(6)])
        .boots("raid5(disk1,disk2,disk3)"),
    row("md-dirty-and-degraded", SIX, POWER_FAILS)
        .words("root=UUID={root} landfall.degraded=1")
        .given(&[
            Given::Without(3),
            Given::Without(4),
            Given::Without(5),
            Given::Without(6),
        ])
        .refuses(&["2 of 3 members are there, and a write was under way when it stopped"]),
    row(
        "md-parity-log",
        &[8, 8, 8],
        "md 0 -l5 -n3 -c64 $c --consistency-policy=ppl $1 $2 $3; root /dev/md0",
    )
    .boots("raid5(disk1,disk2,disk3)")
    .writes("the kernel empties the log of partial parity when the array starts"),
    row(
        "md-reshape-under-way",
        &[10, 10, 10, 10],
        "md 0 -l5 -n3 -c64 $c $1 $2 $3; root /dev/md0; mdadm --quiet /dev/md0 --add $4
         echo 1 > /sys/block/md0/md/sync_speed_max; echo 1 > /sys/block/md0/md/sync_speed_min
         mdadm --quiet --grow /dev/md0 -n4; sleep 1
         echo frozen > /sys/block/md0/md/sync_action",
    )
    .boots("raid5(disk1,disk2,disk3,disk4)"),
    // Of firmware.
    row(
        "md-imsm",
        &[40, 40],
        "export IMSM_NO_PLATFORM=1 IMSM_DEVNAME_AS_SERIAL=1
         md 127 -e imsm -n2 $1 $2
         md 0 -l1 -n2 --size=16384 $c /dev/md127; root /dev/md0",
    )
    .refuses(&["isw_raid_member"]),
    row(
        "md-ddf",
        &[64, 64],
        "md 127 -e ddf -n2 $1 $2; md 0 -l1 -n2 --size=16384 $c /dev/md127; root /dev/md0",
    )
    .refuses(&["ddf_raid_member"]),
];
