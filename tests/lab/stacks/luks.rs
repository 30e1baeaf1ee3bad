//! One LUKS volume: key derivations, ciphers, and damage.

use super::{Group, Row, row};

pub const GROUP: Group = Group {
    name: "luks",
    rows: ROWS,
};

const ONE: &[u64] = &[16];
const BY_UUID: &str = "root=UUID={root} rd.luks.uuid={luks1} {key}";
const VOLUME: &str = "luks-{luks1}(disk1)";
const PLAIN: &str = "luks 1 $1; root /dev/mapper/c1";

/// Boots from a volume that the image's key file opens.
const fn opens(name: &'static str, disks: &'static [u64], recipe: &'static str) -> Row {
    row(name, disks, recipe).words(BY_UUID).boots(VOLUME)
}

const ROWS: &[Row] = &[
    opens(
        "luks1",
        ONE,
        "luks_with 1 $1 --type luks1 --pbkdf-force-iterations 1000; open_luks 1 $1
         root /dev/mapper/c1",
    ),
    opens(
        "luks1-sha1-essiv",
        ONE,
        "luks_with 1 $1 --type luks1 --pbkdf-force-iterations 1000 --hash sha1 \
                   --cipher aes-cbc-essiv:sha256 --key-size 256
         open_luks 1 $1; root /dev/mapper/c1",
    ),
    opens("luks2-pbkdf2", ONE, PLAIN),
    opens(
        "luks2-argon2id",
        ONE,
        "luks_with 1 $1 --type luks2 $small --pbkdf argon2id --pbkdf-force-iterations 4 \
                   --pbkdf-memory 4096 --pbkdf-parallel 2
         open_luks 1 $1; root /dev/mapper/c1",
    ),
    opens(
        "luks2-argon2i",
        ONE,
        "luks_with 1 $1 --type luks2 $small --pbkdf argon2i --pbkdf-force-iterations 4 \
                   --pbkdf-memory 4096 --pbkdf-parallel 1
         open_luks 1 $1; root /dev/mapper/c1",
    ),
    opens(
        "luks2-sectors-of-4096",
        ONE,
        "luks 1 $1 --sector-size 4096; root /dev/mapper/c1",
    ),
    opens(
        "luks2-essiv",
        ONE,
        "luks 1 $1 --cipher aes-cbc-essiv:sha256 --key-size 256; root /dev/mapper/c1",
    ),
    opens(
        "luks2-integrity",
        &[32],
        "luks 1 $1 --integrity hmac-sha256; root /dev/mapper/c1",
    )
    .boots("luks-{luks1}(luks-{luks1}_dif(disk1))"),
    opens(
        "luks2-discards",
        ONE,
        "luks_with 1 $1 --type luks2 $small $quick
         cryptsetup open --key-file /tmp/pass --allow-discards --persistent $1 c1
         root /dev/mapper/c1",
    ),
    opens(
        "luks2-first-header-damaged",
        ONE,
        "luks 1 $1; root /dev/mapper/c1; down
         echo damaged | dd of=$1 bs=1 seek=5000 conv=notrunc status=none",
    ),
    row(
        "luks2-both-headers-damaged",
        ONE,
        "luks 1 $1; root /dev/mapper/c1; down
         for at in 5000 21000; do
           echo damaged | dd of=$1 bs=1 seek=$at conv=notrunc status=none
         done",
    )
    .words(BY_UUID)
    .refuses(&["LUKS", "damaged"]),
    row(
        "luks2-under-reencryption",
        &[24],
        "luks 1 $1; root /dev/mapper/c1; down
         cryptsetup reencrypt -q --init-only --key-file /tmp/pass --resilience checksum \
                    $quick $1",
    )
    .words(BY_UUID)
    .refuses(&["online-reencrypt"]),
    row(
        "luks2-another-key",
        ONE,
        "luks 1 $1; root /dev/mapper/c1; down
         printf 'wrong horse' > /tmp/other
         cryptsetup luksChangeKey -q $quick --key-file /tmp/pass $1 /tmp/other",
    )
    .words("root=UUID={root} rd.luks.uuid={luks1} {key} rd.luks.options=headless")
    .refuses(&["key"]),
];
