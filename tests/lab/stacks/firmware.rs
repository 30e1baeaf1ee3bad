//! Arrays of firmware: containers of other metadata than md's own.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "firmware",
    rows: ROWS,
};

const ROWS: &[Row] = &[
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
