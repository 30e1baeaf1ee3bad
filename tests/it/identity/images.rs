//! Images from the real tools, one line each: name, size in KiB, and how it is made.

use super::oracle::{Workshop, compare};

/// Makes each image, compares our answer with blkid's, and checks that it is of `kind` (several
/// signatures: joined by `+`; none: nothing).
pub fn check(workshop: &str, kind: &str, images: &str) {
    let workshop = Workshop::new(workshop);
    for line in images
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("name, size, script");
        let (name, kib, script) = (word(), word().parse().expect("KiB"), word());
        let path = workshop.make(name, kib, script);
        let finding = compare(&path);
        let found = finding.signature.map(|s| s.kind);
        let found = found.unwrap_or_else(|| finding.ambivalent.join("+"));
        assert_eq!(found, kind, "{line}");
        std::fs::remove_file(&path).expect("remove image");
    }
}

#[test]
fn ext2_file_systems() {
    let images = "
        plain 8192 mke2fs -q -t ext2 $F
        label 8192 mke2fs -q -t ext2 -b 1024 -L 'with blanks' $F
        old 8192 mke2fs -q -t ext2 -r 0 -O none $F
        big-block 65536 mke2fs -q -t ext2 -b 4096 -U clear $F
    ";
    check("ext2", "ext2", images);
}

#[test]
fn ext3_file_systems() {
    let images = "
        plain 16384 mke2fs -q -t ext3 $F
        label 65536 mke2fs -q -t ext3 -b 4096 -L sixteen-letters- $F
        dirty 16384 mke2fs -q -t ext3 $F; debugfs -wR 'feature needs_recovery' $F
    ";
    check("ext3", "ext3", images);
}

#[test]
fn ext4_file_systems() {
    let images = "
        plain 16384 mke2fs -q -t ext4 $F
        label 16384 mke2fs -q -t ext4 -L rööt $F
        no-checksum 16384 mke2fs -q -t ext4 -O ^metadata_csum $F
        no-journal 16384 mke2fs -q -t ext4 -O ^has_journal $F
        small-blocks 16384 mke2fs -q -t ext4 -b 1024 -O 64bit $F
        large-blocks 1048576 mke2fs -q -F -t ext4 -b 65536 $F
        clusters 65536 mke2fs -q -F -t ext4 -O bigalloc,inline_data $F
        named 16384 mke2fs -q -t ext4 -U 01234567-89ab-cdef-0123-456789abcdef $F
        folded 16384 mke2fs -q -t ext4 -O encrypt,casefold,verity,project $F
        boot-code 16384 mke2fs -q -t ext4 $F; echo 'label: dos' | sfdisk -q -w never $F
    ";
    check("ext4", "ext4", images);
    let journals = "
        plain 16384 mke2fs -q -O journal_dev $F
        label 16384 mke2fs -q -O journal_dev -b 4096 -L journal $F
    ";
    check("jbd", "jbd", journals);
}

#[test]
fn xfs_file_systems() {
    let images = "
        plain 317440 mkfs.xfs -q $F
        label 317440 mkfs.xfs -q -L twelve-bytes $F
        version-4 317440 mkfs.xfs -q -m crc=0 -L old $F 2>/dev/null
        sectors 317440 mkfs.xfs -q -s size=4096 $F
        blocks 317440 mkfs.xfs -q -b size=1024 -i size=512 $F
        large 409600 mkfs.xfs -q -b size=16384 -i size=1024 -n size=16384 $F
        features 317440 mkfs.xfs -q -m bigtime=0,reflink=0,inobtcount=0 $F
        named 317440 mkfs.xfs -q -m uuid=01234567-89ab-cdef-0123-456789abcdef $F
    ";
    check("xfs", "xfs", images);
}

#[test]
fn btrfs_file_systems() {
    let images = "
        plain 131072 mkfs.btrfs -q $F
        label 131072 mkfs.btrfs -q -L 'a label with blanks' $F
        xxhash 131072 mkfs.btrfs -q --csum xxhash $F
        sha256 131072 mkfs.btrfs -q --csum sha256 $F
        blake2 131072 mkfs.btrfs -q --csum blake2 $F
        mixed 32768 mkfs.btrfs -q -M $F
        first-of-two 131072 truncate -s 128M two; mkfs.btrfs -q -f $F two
        second-of-two 131072 truncate -s 128M two; mkfs.btrfs -q -f two $F
    ";
    check("btrfs", "btrfs", images);
}

#[test]
fn fat_file_systems() {
    let images = "
        floppy 1440 mkfs.fat -F 12 -n FLOPPY $F
        fat12 4096 mkfs.fat -F 12 $F
        fat12-label 4096 mkfs.fat -F 12 -n LABEL12 $F
        fat16 32768 mkfs.fat -F 16 $F
        fat16-label 32768 mkfs.fat -F 16 -n 'LA BEL 16' -i DEADBEEF $F
        fat16-sectors 65536 mkfs.fat -F 16 -S 4096 -n SECTORS $F
        fat16-directory 32768 mkfs.fat -F 16 -r 2048 -n ENTRIES $F
        fat32 65536 mkfs.fat -F 32 $F
        fat32-label 65536 mkfs.fat -F 32 -n LABEL32 -i 00010002 $F
        fat32-clusters 65536 mkfs.fat -F 32 -s 1 -n SMALL $F
        fat32-reserved 65536 mkfs.fat -F 32 -R 64 -f 1 -n ONEFAT $F
        fat32-sectors 524288 mkfs.fat -F 32 -S 2048 -n SECTORS $F
        no-serial 4096 mkfs.fat -i 00000000 $F
        with-table 65536 mkfs.fat -F 32 -n TABLE --mbr=y $F
        renamed 65536 mkfs.fat -F 32 -n FIRST $F; fatlabel $F SECOND
        unnamed 65536 mkfs.fat -F 32 -n FIRST $F; fatlabel -r $F
    ";
    check("vfat", "vfat", images);
}

#[test]
fn swap_spaces() {
    let images = "
        plain 1024 mkswap -q $F
        label 8192 mkswap -q -L swapped $F
        page-8k 8192 mkswap -q -p 8192 -L pages $F 2>/dev/null
        page-16k 8192 mkswap -q -p 16384 $F 2>/dev/null
        page-32k 8192 mkswap -q -p 32768 $F 2>/dev/null
        page-64k 8192 mkswap -q -p 65536 $F 2>/dev/null
        named 8192 mkswap -q -U 01234567-89ab-cdef-0123-456789abcdef $F
        first-version 8192 printf SWAP-SPACE | dd of=$F bs=1 seek=4086 conv=notrunc
    ";
    check("swap", "swap", images);
    let sleeping = "
        s1 8192 mkswap -q -L z $F; printf 'S1SUSPEND\\0' | dd of=$F bs=1 seek=4086 conv=notrunc
        s2 8192 mkswap -q -L z $F; printf 'S2SUSPEND\\0' | dd of=$F bs=1 seek=4086 conv=notrunc
        ul 8192 mkswap -q -L z $F; printf 'ULSUSPEND\\0' | dd of=$F bs=1 seek=4086 conv=notrunc
        linhib 8192 mkswap -q -L z $F; printf LINHIB0001 | dd of=$F bs=1 seek=4086 conv=notrunc
    ";
    check("swsuspend", "swsuspend", sleeping);
}

#[test]
fn luks_containers() {
    let format = |options: &str| {
        let format = "cryptsetup luksFormat -q --pbkdf-force-iterations 1000";
        format!("x 32768 echo -n secret | {format} --key-file - {options} $F")
    };
    for (n, options) in [
        "--type luks1",
        "--type luks1 --uuid 01234567-89ab-cdef-0123-456789abcdef",
        "--type luks2 --pbkdf pbkdf2",
        "--type luks2 --pbkdf pbkdf2 --label 'my disk' --subsystem sub",
        "--type luks2 --pbkdf pbkdf2 --sector-size 4096 --luks2-metadata-size 64k",
    ]
    .into_iter()
    .enumerate()
    {
        check(&format!("luks-{n}"), "crypto_LUKS", &format(options));
    }
    // A header without the data that it is for, and the other way round.
    let detached = |rest: &str| {
        let format = "cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
            --pbkdf-force-iterations 1000 --label apart";
        format!("echo -n secret | {format} --key-file - {rest}")
    };
    let header = detached("--header $F data");
    let header = format!("x 20480 truncate -s 16M data; {header}");
    check("luks-header", "crypto_LUKS", &header);
    let data = detached("--header head $F");
    let data = format!("x 16384 truncate -s 16M head; {data}");
    check("luks-without-header", "", &data);
}

/// Two signatures on one device: the superblock of one is copied into the image of the other.
#[test]
fn several_signatures() {
    let with_ext = |kind: &str, kib: u32, make: &str| {
        let ext = "truncate -s 16M e; mke2fs -q -t ext4 e; \
            dd if=e of=$F bs=1024 skip=1 seek=1 count=1 conv=notrunc 2>/dev/null";
        let image = format!("x {kib} {make} >/dev/null; {ext}");
        check(&format!("{kind}-with-ext-{kib}"), kind, &image);
    };
    with_ext("xfs+ext4", 317_440, "mkfs.xfs -q $F");
    with_ext("ext4+btrfs", 131_072, "mkfs.btrfs -q $F");
    with_ext("vfat+ext4", 16384, "mkfs.fat -R 32 $F");
    with_ext("vfat", 1440, "mkfs.fat -R 32 $F");
    let luks = "echo -n x | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000";
    with_ext("crypto_LUKS", 16384, &format!("{luks} $F -"));
}

#[test]
fn nothing_at_all() {
    let images = "
        empty 0 true
        sector 1 true
        zeros 4096 true
        noise 4096 yes noise | head -c 4M >$F
    ";
    check("nothing", "", images);
    // A protective MBR that protects nothing.
    let bare = "bare 4096 sgdisk -o $F >/dev/null; dd if=$F of=mbr bs=512 count=1; \
        truncate -s 0 $F; truncate -s 4M $F; dd if=mbr of=$F conv=notrunc";
    check("protective", "", bare);
}
