//! Images from the real tools, one row each: name, size in KiB, how it is made.

use super::oracle::{Workshop, compare};

type Row = (&'static str, u64, &'static str);

/// Makes each image, compares our answer with blkid's, and checks that it is of `kind`.
fn check(name: &str, kind: &str, rows: &[Row]) {
    let workshop = Workshop::new(name);
    for (name, kib, script) in rows {
        let path = workshop.make(name, *kib, script);
        let finding = compare(&path);
        let found = finding.signature.map(|s| s.kind);
        let found = found.unwrap_or_else(|| finding.ambivalent.join("+"));
        assert_eq!(found, kind, "{name}");
        std::fs::remove_file(&path).expect("remove image");
    }
}

#[test]
fn ext_file_systems() {
    check(
        "ext2",
        "ext2",
        &[
            ("plain", 8192, "mke2fs -q -t ext2 $F"),
            (
                "label",
                8192,
                "mke2fs -q -t ext2 -b 1024 -L 'with blanks' $F",
            ),
            ("old", 8192, "mke2fs -q -t ext2 -r 0 -O none $F"),
            ("big-block", 65536, "mke2fs -q -t ext2 -b 4096 -U clear $F"),
        ],
    );
    check(
        "ext3",
        "ext3",
        &[
            ("plain", 16384, "mke2fs -q -t ext3 $F"),
            (
                "label",
                65536,
                "mke2fs -q -t ext3 -b 4096 -L sixteen-letters- $F",
            ),
            (
                "dirty",
                16384,
                "mke2fs -q -t ext3 $F; debugfs -wR 'feature needs_recovery' $F",
            ),
        ],
    );
    check(
        "ext4",
        "ext4",
        &[
            ("plain", 16384, "mke2fs -q -t ext4 $F"),
            ("label", 16384, "mke2fs -q -t ext4 -L rööt $F"),
            (
                "no-checksum",
                16384,
                "mke2fs -q -t ext4 -O ^metadata_csum $F",
            ),
            ("no-journal", 16384, "mke2fs -q -t ext4 -O ^has_journal $F"),
            (
                "small-blocks",
                16384,
                "mke2fs -q -t ext4 -b 1024 -O 64bit $F",
            ),
            ("large-blocks", 1 << 20, "mke2fs -q -F -t ext4 -b 65536 $F"),
            (
                "clusters",
                65536,
                "mke2fs -q -F -t ext4 -O bigalloc,inline_data $F",
            ),
            (
                "named",
                16384,
                "mke2fs -q -t ext4 -U 01234567-89ab-cdef-0123-456789abcdef $F",
            ),
            (
                "folded",
                16384,
                "mke2fs -q -t ext4 -O encrypt,casefold,verity,project $F",
            ),
            (
                "boot-code",
                16384,
                "mke2fs -q -t ext4 $F; echo 'label: dos' | sfdisk -q -w never $F",
            ),
        ],
    );
    check(
        "jbd",
        "jbd",
        &[
            ("plain", 16384, "mke2fs -q -O journal_dev $F"),
            (
                "label",
                16384,
                "mke2fs -q -O journal_dev -b 4096 -L journal $F",
            ),
        ],
    );
}

#[test]
fn xfs_file_systems() {
    check(
        "xfs",
        "xfs",
        &[
            ("plain", 310 << 10, "mkfs.xfs -q $F"),
            ("label", 310 << 10, "mkfs.xfs -q -L twelve-bytes $F"),
            (
                "version-4",
                310 << 10,
                "mkfs.xfs -q -m crc=0 -L old $F 2>/dev/null",
            ),
            ("sectors", 310 << 10, "mkfs.xfs -q -s size=4096 $F"),
            (
                "blocks",
                310 << 10,
                "mkfs.xfs -q -b size=1024 -i size=512 $F",
            ),
            (
                "large",
                400 << 10,
                "mkfs.xfs -q -b size=16384 -i size=1024 -n size=16384 $F",
            ),
            (
                "features",
                310 << 10,
                "mkfs.xfs -q -m bigtime=0,reflink=0,inobtcount=0 $F",
            ),
            (
                "named",
                310 << 10,
                "mkfs.xfs -q -m uuid=01234567-89ab-cdef-0123-456789abcdef $F",
            ),
        ],
    );
}

#[test]
fn btrfs_file_systems() {
    check(
        "btrfs",
        "btrfs",
        &[
            ("plain", 128 << 10, "mkfs.btrfs -q $F"),
            (
                "label",
                128 << 10,
                "mkfs.btrfs -q -L 'a label with blanks' $F",
            ),
            ("xxhash", 128 << 10, "mkfs.btrfs -q --csum xxhash $F"),
            ("sha256", 128 << 10, "mkfs.btrfs -q --csum sha256 $F"),
            ("blake2", 128 << 10, "mkfs.btrfs -q --csum blake2 $F"),
            ("mixed", 32 << 10, "mkfs.btrfs -q -M $F"),
            (
                "first-of-two",
                128 << 10,
                "truncate -s 128M two; mkfs.btrfs -q -f $F two",
            ),
            (
                "second-of-two",
                128 << 10,
                "truncate -s 128M two; mkfs.btrfs -q -f two $F",
            ),
        ],
    );
}

#[test]
fn fat_file_systems() {
    check(
        "vfat",
        "vfat",
        &[
            ("floppy", 1440, "mkfs.fat -F 12 -n FLOPPY $F"),
            ("fat12", 4096, "mkfs.fat -F 12 $F"),
            ("fat12-label", 4096, "mkfs.fat -F 12 -n LABEL12 $F"),
            ("fat16", 32768, "mkfs.fat -F 16 $F"),
            (
                "fat16-label",
                32768,
                "mkfs.fat -F 16 -n 'LA BEL 16' -i DEADBEEF $F",
            ),
            (
                "fat16-sectors",
                65536,
                "mkfs.fat -F 16 -S 4096 -n SECTORS $F",
            ),
            (
                "fat16-directory",
                32768,
                "mkfs.fat -F 16 -r 2048 -n ENTRIES $F",
            ),
            ("fat32", 65536, "mkfs.fat -F 32 $F"),
            (
                "fat32-label",
                65536,
                "mkfs.fat -F 32 -n LABEL32 -i 00010002 $F",
            ),
            ("fat32-clusters", 65536, "mkfs.fat -F 32 -s 1 -n SMALL $F"),
            (
                "fat32-reserved",
                65536,
                "mkfs.fat -F 32 -R 64 -f 1 -n ONEFAT $F",
            ),
            (
                "fat32-sectors",
                1 << 19,
                "mkfs.fat -F 32 -S 2048 -n SECTORS $F",
            ),
            ("no-serial", 4096, "mkfs.fat -i 00000000 $F"),
            ("with-table", 65536, "mkfs.fat -F 32 -n TABLE --mbr=y $F"),
            (
                "renamed",
                65536,
                "mkfs.fat -F 32 -n FIRST $F; fatlabel $F SECOND",
            ),
            (
                "unnamed",
                65536,
                "mkfs.fat -F 32 -n FIRST $F; fatlabel -r $F",
            ),
        ],
    );
}

#[test]
fn swap_spaces() {
    let suspended = |magic| format!("printf '{magic}' | dd of=$F bs=1 seek=4086 conv=notrunc");
    check(
        "swap",
        "swap",
        &[
            ("plain", 1024, "mkswap -q $F"),
            ("label", 8192, "mkswap -q -L swapped $F"),
            ("page-8k", 8192, "mkswap -q -p 8192 -L pages $F 2>/dev/null"),
            ("page-16k", 8192, "mkswap -q -p 16384 $F 2>/dev/null"),
            ("page-32k", 8192, "mkswap -q -p 32768 $F 2>/dev/null"),
            ("page-64k", 8192, "mkswap -q -p 65536 $F 2>/dev/null"),
            (
                "named",
                8192,
                "mkswap -q -U 01234567-89ab-cdef-0123-456789abcdef $F",
            ),
            ("first-version", 8192, &*suspended("SWAP-SPACE").leak()),
        ],
    );
    let sleeping = |magic| &*format!("mkswap -q -L zzz $F; {}", suspended(magic)).leak();
    check(
        "swsuspend",
        "swsuspend",
        &[
            ("s1suspend", 8192, sleeping("S1SUSPEND\\0")),
            ("s2suspend", 8192, sleeping("S2SUSPEND\\0")),
            ("ulsuspend", 8192, sleeping("ULSUSPEND\\0")),
            ("linhib", 8192, sleeping("LINHIB0001")),
        ],
    );
}

#[test]
fn luks_containers() {
    macro_rules! format {
        ($options:literal) => {
            concat!(
                "echo -n secret | cryptsetup luksFormat -q --key-file - ",
                $options,
                " $F"
            )
        };
    }
    check(
        "luks",
        "crypto_LUKS",
        &[
            (
                "luks1",
                16384,
                format!("--type luks1 --pbkdf-force-iterations 1000"),
            ),
            (
                "luks1-named",
                16384,
                format!(
                    "--type luks1 --pbkdf-force-iterations 1000 --uuid 01234567-89ab-cdef-0123-456789abcdef"
                ),
            ),
            (
                "luks2",
                32768,
                format!("--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000"),
            ),
            (
                "luks2-label",
                32768,
                format!(
                    "--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --label 'my disk' --subsystem sub"
                ),
            ),
            (
                "luks2-sectors",
                32768,
                format!(
                    "--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --sector-size 4096 --luks2-metadata-size 64k"
                ),
            ),
        ],
    );
}

/// Two signatures on one device: the superblock of one is copied into the image of the other.
#[test]
fn several_signatures() {
    const EXT: &str = "truncate -s 16M e; mke2fs -q -t ext4 e; \
        dd if=e of=$F bs=1024 skip=1 seek=1 count=1 conv=notrunc 2>/dev/null";
    let with_ext = |make: &str| &*format!("{make} >/dev/null; {EXT}").leak();
    check(
        "xfs-ext",
        "xfs+ext4",
        &[("xfs", 310 << 10, with_ext("mkfs.xfs -q $F"))],
    );
    check(
        "btrfs-ext",
        "ext4+btrfs",
        &[("btrfs", 128 << 10, with_ext("mkfs.btrfs -q $F"))],
    );
    check(
        "fat-ext",
        "vfat+ext4",
        &[("fat", 16384, with_ext("mkfs.fat -R 32 $F"))],
    );
    check(
        "fat-floppy",
        "vfat",
        &[("tiny", 1440, with_ext("mkfs.fat -R 32 $F"))],
    );
    let luks =
        "echo -n x | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 $F -";
    check(
        "luks-ext",
        "crypto_LUKS",
        &[("luks", 16384, with_ext(luks))],
    );
}

#[test]
fn nothing_at_all() {
    check(
        "nothing",
        "",
        &[
            ("empty", 0, "true"),
            ("sector", 1, "true"),
            ("zeros", 4096, "true"),
            ("noise", 4096, "yes noise | head -c 4M >$F"),
            (
                "protective-only",
                4096,
                "sgdisk -o $F >/dev/null; dd if=/dev/zero of=$F bs=512 seek=1 count=8191 conv=notrunc 2>/dev/null",
            ),
        ],
    );
}
