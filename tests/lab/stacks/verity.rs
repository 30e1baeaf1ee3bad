//! dm-verity and dm-integrity: what is whole, what can be corrected, and what is not root.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "verity",
    rows: ROWS,
};

const FORMAT: &str = "root $1; verity $1 $2";
const WORDS: &str = "root=/dev/mapper/root roothash={roothash} \
                     systemd.verity_root_data={disk1} systemd.verity_root_hash={disk2}";

const ROWS: &[Row] = &[
    row("verity", &[12, 2], FORMAT)
        .words(WORDS)
        .boots("root(disk1,disk2)"),
    row(
        "verity-another-root-hash",
        &[12, 2],
        "root $1; verity $1 $2; flip $2 4100",
    )
    .words(WORDS)
    .refuses(&["verity"]),
    row(
        "verity-flipped-block",
        &[12, 2],
        "root $1; verity $1 $2; flip $1 1100",
    )
    .words(WORDS)
    .refuses(&["verity"]),
    row(
        "verity-corrected",
        &[12, 2, 2],
        "root $1; verity $1 $2 --fec-device=$3 --fec-roots=2; flip $1 1100",
    )
    .words(
        "root=/dev/mapper/root roothash={roothash} systemd.verity_root_data={disk1} \
         systemd.verity_root_hash={disk2} systemd.verity_root_options=fec-device={disk3}",
    )
    .boots("root(disk1,disk2,disk3)"),
    row(
        "verity-on-lvm",
        &[20],
        "vg vg $1; lv -n data -l 12 vg; lv -n hash -l 1 vg; root /dev/vg/data
         verity /dev/vg/data /dev/vg/hash",
    )
    .words(
        "root=/dev/mapper/root roothash={roothash} systemd.verity_root_data=/dev/vg/data \
         systemd.verity_root_hash=/dev/vg/hash",
    )
    .boots("root(vg-data(disk1),vg-hash(disk1))"),
    row(
        "verity-by-discovery",
        &[20, 12, 2],
        "root $2; verity $2 $3; discoverable $1 $2 $3",
    )
    .words("roothash={roothash}")
    .given(&[Given::Without(2), Given::Without(3)])
    .boots("root(disk1/1,disk1/2)"),
    row(
        "integrity",
        &[20],
        "integritysetup format -q --integrity crc32c $1; integritysetup open $1 safe
         root /dev/mapper/safe",
    )
    .given(&[Given::Text("/etc/integritytab", "safe {disk1} -\n")])
    .boots("safe(disk1)"),
];
