//! One LUKS volume: where its header and its key are, and the ways to ask for it.

use super::{Given, Group, Row, row};

pub const GROUP: Group = Group {
    name: "luks-asked",
    rows: ROWS,
};

const ONE: &[u64] = &[16];
const VOLUME: &str = "luks-{luks1}(disk1)";
const PLAIN: &str = "luks 1 $1; root /dev/mapper/c1";

const fn opens(name: &'static str, disks: &'static [u64], recipe: &'static str) -> Row {
    row(name, disks, recipe).boots(VOLUME)
}

const ROWS: &[Row] = &[
    opens(
        "luks2-header-in-the-image",
        &[16, 1],
        "luks_with 1 $1 --header $2 --type luks2 $small $quick
         cryptsetup open --key-file /tmp/pass --header $2 $1 c1; root /dev/mapper/c1",
    )
    .words(
        "root=UUID={root} rd.luks.uuid={luks1} {key} rd.luks.data={luks1}={disk1} \
         rd.luks.options={luks1}=header=/etc/luks.header",
    )
    .given(&[Given::AsFile(2, "/etc/luks.header")]),
    opens(
        "luks2-header-on-a-disk",
        &[16, 1],
        "luks_with 1 $1 --header $2 --type luks2 $small $quick
         cryptsetup open --key-file /tmp/pass --header $2 $1 c1; root /dev/mapper/c1",
    )
    .words(
        "root=UUID={root} rd.luks.uuid={luks1} {key} rd.luks.data={luks1}={disk1} \
         rd.luks.options={luks1}=header={disk2}",
    ),
    opens(
        "luks2-key-on-a-stick",
        &[16, 8],
        "luks 1 $1; root /dev/mapper/c1
         mke2fs -q -t ext4 -L stick $2; mount $2 /mnt; mkdir /mnt/keys
         cp /tmp/pass /mnt/keys/root",
    )
    .words("root=UUID={root} rd.luks.uuid={luks1} rd.luks.key=/keys/root:LABEL=stick"),
    opens("luks2-typed", ONE, PLAIN)
        .words("root=UUID={root} rd.luks.uuid={luks1}")
        .given(&[Given::Typed("assphrase", "correct horse")]),
    opens("luks2-by-name", ONE, PLAIN)
        .words("root=/dev/mapper/harbour rd.luks.name={luks1}=harbour {key}")
        .boots("harbour(disk1)"),
    opens("luks2-by-cryptdevice", ONE, PLAIN)
        .words(
            "root=/dev/mapper/harbour cryptdevice=UUID={luks1}:harbour \
             cryptkey=rootfs:/etc/stack.key",
        )
        .boots("harbour(disk1)"),
    opens("luks2-root-names-the-container", ONE, PLAIN).words("root=UUID={luks1} {key}"),
    opens("luks2-by-crypttab", ONE, PLAIN)
        .words("root=/dev/mapper/harbour")
        .given(&[Given::Text(
            "/etc/crypttab",
            "harbour UUID={luks1} /etc/stack.key luks,x-initrd.attach\n",
        )])
        .boots("harbour(disk1)"),
    opens(
        "luks2-beside-another",
        &[16, 16],
        "luks 1 $1; luks 2 $2; root /dev/mapper/c2",
    )
    .words("root=UUID={root} rd.luks.uuid={luks2} {key}")
    .boots("luks-{luks2}(disk2)"),
];
