//! File systems and containers that are seldom a root, from the real tools: name, size in KiB,
//! and how it is made.

use super::images::check;

/// A directory with a file of 3000 bytes, for those that make an image of one.
fn with_tree(images: &str) -> String {
    images.replace("TREE", "mkdir -p d; head -c 3000 /bin/sh >d/file;")
}

#[test]
fn f2fs_file_systems() {
    let images = "
        plain 65536 mkfs.f2fs -q $F
        label 65536 mkfs.f2fs -q -l 'größe 1' $F
        checksum 65536 mkfs.f2fs -q -O extra_attr,sb_checksum -l sum $F
    ";
    check("f2fs", "f2fs", images);
}

#[test]
fn exfat_file_systems() {
    let images = "
        plain 8192 mkfs.exfat $F
        label 8192 mkfs.exfat -L 'Größe 1' $F
        long 8192 mkfs.exfat -L elevenchars $F
        clusters 65536 mkfs.exfat -c 4096 -L small $F
        large-clusters 65536 mkfs.exfat -c 1M -L large $F
        unnamed 8192 mkfs.exfat -L first $F; exfatlabel $F ''
    ";
    check("exfat", "exfat", images);
}

#[test]
fn ntfs_file_systems() {
    let images = "
        plain 8192 mkntfs -F -Q -q $F
        label 8192 mkntfs -F -Q -q -L 'Größe 😀' $F
        sectors 65536 mkntfs -F -Q -q -s 4096 -c 65536 -L sectors $F
        small-clusters 8192 mkntfs -F -Q -q -c 512 -L clusters $F
        huge-clusters 65536 mkntfs -F -Q -q -c 2097152 -L clusters $F
        uuid 8192 mkntfs -F -Q -q -U -L x $F
    ";
    check("ntfs", "ntfs", images);
}

#[test]
fn iso_9660_images() {
    let images = "
        plain 0 TREE genisoimage -quiet -V PLAIN -o $F d
        blanks 0 TREE genisoimage -quiet -V 'TWO WORDS' -o $F d
        joliet 0 TREE genisoimage -quiet -J -V 'More Than Sixteen Letters' -o $F d
        odd 0 TREE genisoimage -quiet -J -V 'Größe' -input-charset utf-8 -o $F d
        xorriso 0 TREE xorriso -as mkisofs -quiet -V XORRISO -o $F d 2>/dev/null
        xorriso-joliet 0 TREE xorriso -as mkisofs -quiet -J -V Wide_label -o $F d 2>/dev/null
        date 0 TREE xorriso -as mkisofs --modification-date=2020010203040506 -o $F d 2>/dev/null
        padded 0 TREE genisoimage -quiet -pad -R -V PADDED -o $F d; truncate -s 8M $F
    ";
    check("iso9660", "iso9660", &with_tree(images));
    // Both are tolerant: libblkid takes the first one.
    let bridge = "bridge 0 TREE genisoimage -quiet -udf -J -V Bridge -o $F d";
    check("udf-bridge", "udf", &with_tree(bridge));
    // A table and an image in one, as installers come.
    let hybrid = "hybrid 0 TREE genisoimage -quiet -V HYBRID -o $F d; truncate -s 8M $F; \
        printf 'label: dos\\nstart=64,size=4096,type=0\\n' | sfdisk -q -w never $F";
    check("iso-hybrid", "iso9660", &with_tree(hybrid));
}

#[test]
fn udf_file_systems() {
    let images = "
        plain 8192 mkudffs $F
        label 8192 mkudffs --label='Größe' $F
        wide 8192 mkudffs --utf8 --label='größe ☃' $F
        named 8192 mkudffs -b 512 --uuid=0123456789abcdef -l plain $F
        blocks-1k 8192 mkudffs -b 1024 -l one $F
        blocks-2k 16384 mkudffs -b 2048 -l two $F
        blocks-4k 65536 mkudffs -b 4096 -l four $F
        cd 65536 mkudffs --media-type=cdrw --udfrev=1.50 $F
        dvd 65536 mkudffs --media-type=dvdram -l dvd $F
        set 8192 mkudffs --vsid=nothexadecimal -l x $F
        half 8192 mkudffs --fullvsid=01234567nothexadecimal -l x $F
    ";
    let images = images.replace("$F\n", "$F >/dev/null\n");
    check("udf", "udf", &images);
}

#[test]
fn images_made_once() {
    let check = |kind: &str, images: &str| check(kind, kind, &with_tree(images));
    check(
        "squashfs",
        "
        plain 0 TREE mksquashfs d $F -noappend -quiet
        zstd 0 TREE mksquashfs d $F -noappend -quiet -comp zstd -b 4096
        ",
    );
    check(
        "erofs",
        "
        plain 0 TREE mkfs.erofs $F d >/dev/null
        no-checksum 0 TREE mkfs.erofs -E nosbcrc $F d >/dev/null
        named 0 TREE mkfs.erofs -U 01234567-89ab-cdef-0123-456789abcdef $F d >/dev/null
        ",
    );
    check(
        "cramfs",
        "
        plain 0 TREE mkfs.cramfs d $F
        label 0 TREE mkfs.cramfs -n 'a name' d $F
        big-endian 0 TREE mkfs.cramfs -N big -n big d $F
        ",
    );
    check(
        "romfs",
        "
        plain 0 TREE genromfs -d d -f $F
        label 0 TREE genromfs -d d -f $F -V 'a name'
        ",
    );
}

#[test]
fn old_file_systems() {
    check(
        "jfs",
        "jfs",
        "
        plain 16384 mkfs.jfs -q $F >/dev/null
        label 16384 mkfs.jfs -q -L label $F >/dev/null
        ",
    );
    check(
        "nilfs2",
        "nilfs2",
        "
        plain 4096 mkfs.nilfs2 -q -b 1024 -B 16 $F
        label 262144 mkfs.nilfs2 -q -L 'a label' $F
        second 4096 mkfs.nilfs2 -q -b 1024 -B 16 -L x $F; \
            dd if=/dev/zero of=$F bs=1k seek=1 count=1 conv=notrunc 2>/dev/null
        "
        .replace("\\\n", "")
        .as_str(),
    );
    check(
        "reiserfs",
        "reiserfs",
        "
        plain 65536 mkreiserfs -q -f -f $F
        label 65536 mkreiserfs -q -f -f -l label $F
        old 65536 mkreiserfs -q -f -f --format 3.5 $F
        ",
    );
    check(
        "minix",
        "minix",
        "
        v1 4096 mkfs.minix -1 $F >/dev/null
        v1-short 4096 mkfs.minix -1 -n 14 $F >/dev/null
        v2 4096 mkfs.minix -2 $F >/dev/null
        v3 4096 mkfs.minix -3 $F >/dev/null
        ",
    );
}

#[test]
fn flash() {
    let make = "TREE mkfs.ubifs -m 2048 -e 126976 -c 200 -r d";
    check(
        "ubifs",
        "ubifs",
        &with_tree(&format!("plain 0 {make} -o $F")),
    );
    let ini =
        "[v]\\nmode=ubi\\nimage=u\\nvol_id=0\\nvol_type=dynamic\\nvol_name=v\\nvol_size=4MiB\\n";
    let ubi = |name: &str, number: u32| {
        let pack = format!("ubinize -Q {number} -m 2048 -p 128KiB -o $F ini");
        with_tree(&format!(
            "{name} 0 {make} -o u; printf '{ini}' >ini; {pack}"
        ))
    };
    check("ubi", "ubi", &ubi("numbered", 77));
    check("ubi-zero", "ubi", &ubi("zero", 0));
}

#[test]
fn caches_and_hashes() {
    check(
        "bcache",
        "bcache",
        "
        backing 8192 make-bcache -B $F >/dev/null
        cache 65536 make-bcache -C $F >/dev/null
        ",
    );
    let verity = "plain 1024 truncate -s 1M data; veritysetup format data $F >/dev/null";
    check("verity", "DM_verity_hash", verity);
}

/// Two signatures on one device: the superblock of one is copied into the image of the other.
#[test]
fn several_signatures() {
    let copied = |name: &str, kind: &str, kib: u64, make: &str| {
        check(&format!("several-{name}"), kind, &format!("x {kib} {make}"));
    };
    let ext = "truncate -s 16M e; mke2fs -q -t ext4 -b 1024 e; \
        dd if=e of=$F bs=1024 skip=1 seek=1 count=1 conv=notrunc 2>/dev/null";
    let jfs = "mkfs.jfs -q $F >/dev/null";
    copied("jfs", "ext4+jfs", 16384, &format!("{jfs}; {ext}"));
    let udf = "mkudffs $F >/dev/null";
    copied("udf", "ext4+udf", 8192, &format!("{udf}; {ext}"));
    let iso = "mkdir d; genisoimage -quiet -V X -o $F d; truncate -s 8M $F";
    copied("iso", "ext4+iso9660", 0, &format!("{iso}; {ext}"));
    let ntfs = "mkntfs -F -Q -q $F";
    copied("ntfs", "ext4+ntfs", 8192, &format!("{ntfs}; {ext}"));
    let reiser = "mkreiserfs -q -f -f $F";
    copied(
        "reiser",
        "ext4+reiserfs",
        65536,
        &format!("{reiser}; {ext}"),
    );
    let bcache = "make-bcache -B $F >/dev/null";
    copied("bcache", "bcache+ext4", 8192, &format!("{bcache}; {ext}"));
    // The end of its UUID is where ext says how large blocks are.
    let swap = "mkswap -q -U 01234567-89ab-cdef-0123-456700000000 $F";
    // The superblock of one would cover the header of the other: its magic alone is enough.
    let magic = "printf '\\123\\357' | dd of=$F bs=1 seek=1080 conv=notrunc 2>/dev/null";
    copied("swap", "swap+ext2", 8192, &format!("{swap}; {magic}"));
    let asleep = "printf 'S1SUSPEND\\0' | dd of=$F bs=1 seek=4086 conv=notrunc 2>/dev/null";
    let asleep = format!("{swap}; {asleep}; {magic}");
    copied("asleep", "swsuspend+ext2", 8192, &asleep);
    for (name, make) in [
        ("squashfs", "mkdir d; mksquashfs d $F -noappend -quiet"),
        ("romfs", "mkdir d; genromfs -d d -f $F"),
    ] {
        let make = format!("{make}; truncate -s 8M $F; {ext}");
        copied(name, &format!("ext4+{name}"), 0, &make);
    }
    // Not exFAT: a copied superblock breaks its checksum, which older libblkids do not look at.
    let verity = "truncate -s 1M data; veritysetup format data $F >/dev/null";
    copied(
        "verity",
        "DM_verity_hash",
        8192,
        &format!("{verity}; {ext}"),
    );
    // A container after something that is neither: still in doubt.
    let luks = "printf 'LUKS\\272\\276\\0\\001' | dd of=$F conv=notrunc 2>/dev/null";
    copied(
        "cache",
        "bcache+crypto_LUKS",
        8192,
        &format!("{bcache}; {luks}"),
    );
    // A floppy: the first one.
    copied(
        "floppy",
        "ext4",
        1024,
        &format!("mkfs.minix $F >/dev/null; {ext}"),
    );
}
