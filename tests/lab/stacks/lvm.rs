//! Volume groups: names, metadata, parts that are missing, and groups that are not ours.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "lvm",
    rows: ROWS,
};

const TWO: &str = "vg vg $1 $2; lv -n root -l 12 vg; root /dev/vg/root";
const RAID1: &str = "vg vg $1 $2; lv --type raid1 --nosync -m 1 -n root -l 12 vg
                     root /dev/vg/root";
const DASHES: &str = "vg my-vg $1; lv -n ro-ot_1 -l 12 my-vg; root /dev/my-vg/ro-ot_1";

const ROWS: &[Row] = &[
    row("lvm-names-with-dashes", &[16], DASHES)
        .words("root=/dev/my-vg/ro-ot_1")
        .boots("my--vg-ro--ot_1(disk1)"),
    row("lvm-by-mapper-name", &[16], DASHES)
        .words("root=/dev/mapper/my--vg-ro--ot_1 rd.lvm.lv=my-vg/ro-ot_1")
        .boots("my--vg-ro--ot_1(disk1)"),
    row(
        "lvm-only-what-root-needs",
        &[16, 16],
        "vg vg $1; lv -n root -l 12 vg; lv -n other -l 2 vg; root /dev/vg/root
         vg more $2; lv -n other -l 2 more",
    )
    .boots("vg-root(disk1)"),
    row(
        "lvm-on-a-partition",
        &[20],
        "partition $1; vg vg ${1}1; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(disk1/1)"),
    row("lvm-missing-pv", &[10, 10], TWO)
        .given(&[Given::Without(2)])
        .refuses(&["vg", "missing"]),
    row("lvm-raid1-missing-pv", &[16, 16], RAID1)
        .words("root=UUID={root} landfall.degraded=1")
        .given(&[Given::Without(2)])
        .boots(
            "vg-root(vg-root_rimage_0(disk1),vg-root_rimage_1(vg-root_rimage_1-missing_0_0),\
             vg-root_rmeta_0(disk1),vg-root_rmeta_1(vg-root_rmeta_1-missing_0_0))",
        )
        .writes("the kernel writes the superblocks of RAID volumes when they are mapped"),
    row("lvm-raid1-missing-pv-never", &[16, 16], RAID1)
        .words("root=UUID={root} landfall.degraded=never")
        .given(&[Given::Without(2)])
        .refuses(&["vg", "degraded"]),
    row(
        "lvm-duplicate-pv",
        &[16, 16],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root; down
         dd if=$1 of=$2 bs=1M status=none",
    )
    .refuses(&["of volume group vg is there on two devices"]),
    row(
        "lvm-exported",
        &[16],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root; vgchange -q -an vg; vgexport -q vg",
    )
    .refuses(&["volume group vg is exported"]),
    row(
        "lvm-of-another-system",
        &[16],
        "vg vg $1; lv -n root -l 12 vg; root /dev/vg/root; vgchange -q -an vg
         vgchange -q -y --systemid quay vg",
    )
    .refuses(&["volume group vg belongs to the system", "quay"]),
    row(
        "lvm-first-metadata-area-damaged",
        &[20],
        "pvcreate -q --metadatacopies 2 $1; vgcreate -q -s 1m vg $1
         lv -n root -l 12 vg; root /dev/vg/root; down
         dd if=/dev/zero of=$1 bs=4096 seek=1 count=1 conv=notrunc status=none",
    )
    .boots("vg-root(disk1)"),
    row(
        "lvm-metadata-on-the-second-only",
        &[10, 10],
        "pvcreate -q --metadatacopies 0 $1; pvcreate -q $2; vgcreate -q -s 1m vg $1 $2
         lv -n root -l 12 vg; root /dev/vg/root",
    )
    .boots("vg-root(disk1,disk2)"),
    row(
        "lvm-two-groups-of-one-name",
        &[16, 16],
        "only $1; vg vg $1; lv -n root -l 12 vg; root /dev/vg/root; down
         only $2; vg vg $2; lv -n root -l 12 vg; root /dev/vg/root
         tune2fs -f -U 5eedf00d-0000-4000-8000-0000000000d2 /dev/vg/root > /dev/null",
    )
    .refuses(&["two volume groups are called vg"]),
    row(
        "lvm-a-name-that-two-groups-have",
        &[16, 16],
        "only $1; vg vg $1; lv -n root -l 12 vg; root /dev/vg/root; down
         only $2; vg vg $2; lv -n root -l 12 vg; root /dev/vg/root",
    )
    .words("root=/dev/vg/root")
    .refuses(&["two volume groups are called vg"]),
];
