//! Roots in files on file systems, and stacks above and below such files.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "loops",
    rows: ROWS,
};

/// Of the partition in a file.
pub const PARTUUID: &str = "5eedf00d-0000-4000-8000-0000000000a1";

/// `shelf DEVICE` makes an ext4 for files there, below /mnt.
macro_rules! with_shelf {
    ($recipe:literal) => {
        concat!(
            "shelf() { mke2fs -q -t ext4 -b 4096 -U ${ROOT%d1}e1 -L shelf $1; mount $1 /mnt; }\n",
            $recipe
        )
    };
}

const ROWS: &[Row] = &[
    // Its last sector is not whole.
    row(
        "loop-file",
        &[32],
        with_shelf!("shelf $1; mkdir /mnt/disks; root /mnt/disks/root.img; printf tail >> /mnt/disks/root.img"),
    )
    .words("root=LABEL=shelf loop=/disks/root.img")
    .boots("loop:/run/landfall/host/disks/root.img"),
    row(
        "loop-in-lv",
        &[40],
        with_shelf!("vg vg $1; lv -n data -l 32 vg; shelf /dev/vg/data; root /mnt/real.img
         ln -s /real.img /mnt/root.img"),
    )
    .words("root=/dev/vg/data loop=/root.img")
    .boots("loop:/run/landfall/host/real.img")
    .beside(&["vg-data"]),
    row(
        "loop-partition",
        &[32],
        with_shelf!("shelf $1; truncate -s 16M /mnt/disk.img; table /mnt/disk.img
         sfdisk -q --no-reread --part-uuid /mnt/disk.img 1 5eedf00d-0000-4000-8000-0000000000a1
         root_behind_table /mnt/disk.img"),
    )
    .words("root=PARTUUID=5eedf00d-0000-4000-8000-0000000000a1 loop=LABEL=shelf:/disk.img")
    .boots("loop:/run/landfall/host/disk.img/1"),
    // The same file system on a disk beside: what is in the file is meant.
    row(
        "loop-before-its-clone",
        &[32, 12],
        with_shelf!("shelf $1; root /mnt/root.img; root $2"),
    )
    .words("root=UUID={root} loop=LABEL=shelf:/root.img")
    .boots("loop:/run/landfall/host/root.img"),
    row(
        "loop-with-a-place-for-its-host",
        &[32],
        with_shelf!("shelf $1; root /mnt/root.img; mkdir -p /inside; mount -o loop /mnt/root.img /inside
         mkdir /inside/host; umount /inside"),
    )
    .words("root=LABEL=shelf loop=root.img")
    .boots("loop:/host/root.img"),
    row(
        "luks-in-loop",
        &[32],
        with_shelf!("shelf $1; truncate -s 20M /mnt/safe.img; device=$(losetup -f --show /mnt/safe.img)
         luks 1 $device; root /dev/mapper/c1; cryptsetup close c1; losetup -d $device"),
    )
    .words("root=LABEL=shelf loop=/safe.img {key}")
    .boots("luks-{luks1}(loop:/run/landfall/host/safe.img)"),
    row(
        "loop-in-luks",
        &[40],
        with_shelf!("luks 1 $1; shelf /dev/mapper/c1; root /mnt/root.img"),
    )
    .words("root=UUID={luks1} loop=/root.img {key}")
    .boots("loop:/run/landfall/host/root.img")
    .beside(&["luks-{luks1}"]),
    row(
        "lvm-in-loop",
        &[32],
        with_shelf!("shelf $1; truncate -s 20M /mnt/pv.img; device=$(losetup -f --show /mnt/pv.img)
         only $1 $device; vg vg $device; lv -n root -l 12 vg; root /dev/vg/root
         vgchange -q -an vg; losetup -d $device"),
    )
    .words("root=/dev/vg/root loop=LABEL=shelf:/pv.img")
    .boots("vg-root(loop:/run/landfall/host/pv.img)"),
];
