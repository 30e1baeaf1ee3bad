//! Damaged and hostile images: no panic, bounded reads, and what is broken is not believed.

use super::arrays::{crc32, md_1, md_090, pv_label};
use super::built::{self, WINDOWS_7};
use super::disk::{Disk, Seeded};
use super::oracle::{Workshop, compare};
use landfall::act::probe_device::probe_file;
use landfall::format::identity::Finding;

const MUTANTS: u64 = 10_000;

/// The mutant of a disk that belongs to a seed: up to six places bent.
fn mutant(disk: &Disk, dice: &mut Seeded) -> Disk {
    let hot = disk.hot();
    let mut mutant = disk.clone();
    for _ in 0..=dice.below(6) {
        let page = hot[dice.below(hot.len() as u64) as usize];
        // Superblocks are at the head of their pages: bend there more often.
        let span = [4096, 512, 128][dice.below(3) as usize];
        let at = page + dice.below(span);
        match dice.below(4) {
            0 => mutant.write(at, &[mutant.read(at, 1)[0] ^ (1 << dice.below(8))]),
            1 => mutant.write(at, &[dice.next() as u8]),
            2 => mutant.write(at & !3, &EDGES[dice.below(5) as usize].to_le_bytes()),
            _ => mutant.write(at & !3, &EDGES[dice.below(5) as usize].to_be_bytes()),
        }
    }
    mutant
}

/// Identifies `MUTANTS` bent copies of a disk. `repair` may mend checksums, so that what lies
/// behind them is reached. Every promise is asserted by `Disk::identify`.
fn bend(name: &str, disk: &Disk, repair: fn(&mut Disk)) {
    let mut survivors = 0;
    for seed in 0..MUTANTS {
        let mut dice = Seeded(seed);
        let mut mutant = mutant(disk, &mut dice);
        if dice.below(16) == 0 {
            mutant.size = dice.below(disk.size + 1);
        }
        repair(&mut mutant);
        let finding = mutant.identify();
        let count = finding.table.as_ref().map_or(0, |t| t.partitions.len());
        assert!(count <= 256, "{name} seed {seed}: {count} partitions");
        survivors += u32::from(finding != Finding::default());
    }
    assert!(survivors > 0, "{name}: nothing was ever recognised");
}

const EDGES: [u32; 5] = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];

fn nothing(_: &mut Disk) {}

fn bend_image(name: &str, kib: u64, script: &str, repair: fn(&mut Disk)) {
    let workshop = Workshop::new(&format!("bent-{name}"));
    let path = workshop.make(name, kib, script);
    let disk = Disk::of_file(&path, 512);
    assert_eq!(
        Ok(disk.identify()),
        probe_file(path.to_str().expect("a path")),
        "{name}"
    );
    bend(name, &disk, repair);
}

#[test]
fn bent_ext() {
    bend_image(
        "ext4",
        16384,
        "mke2fs -q -t ext4 -O ^metadata_csum -L x $F",
        nothing,
    );
}

#[test]
fn bent_xfs() {
    bend_image(
        "xfs",
        310 << 10,
        "mkfs.xfs -q -m crc=0 $F 2>/dev/null",
        nothing,
    );
}

#[test]
fn bent_btrfs() {
    bend_image(
        "btrfs",
        32 << 10,
        "mkfs.btrfs -q -M --csum xxhash -L x $F",
        nothing,
    );
}

#[test]
fn bent_fat() {
    bend_image("fat12", 4096, "mkfs.fat -F 12 -n BENT $F", nothing);
    bend_image("fat16", 32768, "mkfs.fat -F 16 $F", nothing);
    bend_image("fat32", 65536, "mkfs.fat -F 32 -s 1 -n BENT $F", nothing);
}

#[test]
fn bent_swap() {
    bend_image("swap", 8192, "mkswap -q -L bent $F", nothing);
}

#[test]
fn bent_luks() {
    let script = "echo -n x | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
        --pbkdf-force-iterations 1000 --label bent $F -";
    bend_image("luks", 32768, script, nothing);
}

#[test]
fn bent_dos() {
    let script = "printf 'label: dos\n,8M\n,,E\n,1M\n,1M\n,1M\n,1M\n,1M\n' | sfdisk -q $F";
    bend_image("dos", 65536, script, |disk| disk.write(510, b"\x55\xaa"));
}

#[test]
fn bent_gpt() {
    let script = "printf 'label: gpt\ntable-length: 8\nsize=8M,name=one\n,8M\n' | sfdisk -q $F";
    bend_image("gpt", 65536, script, nothing);
    bend_image("gpt-repaired", 65536, script, repair_gpt);
}

#[test]
fn bent_images_of_others() {
    let check = |name: &str, kib: u64, script: &str| {
        let script = format!("mkdir d; echo x >d/x; {{ {script}; }} >/dev/null");
        bend_image(name, kib, &script, nothing);
    };
    check("f2fs", 65536, "mkfs.f2fs -q -l bent $F");
    check("ntfs", 8192, "mkntfs -F -Q -q -L bent $F");
    check(
        "iso9660",
        0,
        "genisoimage -quiet -J -V 'A Bent Image' -o $F d",
    );
    check("udf", 8192, "mkudffs --label=bent $F");
    check("udf-bridge", 0, "genisoimage -quiet -udf -V bent -o $F d");
    check("udf-blocks", 65536, "mkudffs -b 4096 $F");
    check("squashfs", 0, "mksquashfs d $F -noappend -quiet");
    check("erofs", 0, "mkfs.erofs -E nosbcrc $F d");
    check("jfs", 16384, "mkfs.jfs -q -L bent $F");
    check("reiserfs", 65536, "mkreiserfs -q -f -f -l bent $F");
    check("minix", 4096, "mkfs.minix $F");
    check("bcache", 8192, "make-bcache -B $F");
    check(
        "verity",
        1024,
        "truncate -s 1M data; veritysetup format data $F",
    );
}

/// A checksum that most of them have makes most mutants worthless: those that are left must be as
/// harmless as the others.
#[test]
fn bent_images_with_checksums() {
    let check = |name: &str, kib: u64, script: &str| {
        let script = format!("mkdir d; echo x >d/x; {{ {script}; }} >/dev/null");
        bend_image(name, kib, &script, nothing);
    };
    check("exfat", 8192, "mkfs.exfat -L bent $F");
    check("cramfs", 0, "mkfs.cramfs -n bent d $F");
    check("nilfs2", 4096, "mkfs.nilfs2 -q -b 1024 -B 16 -L bent $F");
    check("ubifs", 0, "mkfs.ubifs -m 2048 -e 126976 -c 200 -r d -o $F");
}

#[test]
fn bent_superblocks_of_others() {
    let size = 64 << 20;
    let (magic, place) = WINDOWS_7;
    bend(
        "zfs",
        &built::disk(size, &built::zfs("tank", 0, 42)),
        nothing,
    );
    bend("ddf", &built::disk(size, &[built::ddf(size, 257)]), nothing);
    bend(
        "bitlocker",
        &built::disk(size, &built::bitlocker(magic, place)),
        nothing,
    );
    bend(
        "bcachefs",
        &built::disk(size, &[built::bcachefs()]),
        nothing,
    );
}

/// Makes the checksum of the primary header right again.
fn repair_gpt(disk: &mut Disk) {
    let mut header = disk.read(512, 92);
    header[12..20].copy_from_slice(&[92, 0, 0, 0, 0, 0, 0, 0]);
    let crc = !crc32(u32::MAX, &header);
    header[16..20].copy_from_slice(&crc.to_le_bytes());
    disk.write(512, &header);
}

/// Bent images are judged as blkid judges them, as far as its versions agree: formats whose
/// checks have not changed since util-linux 2.38. (Of UDF we ask more, as the kernel does.)
#[test]
fn bent_images_are_judged_like_blkid_does() {
    const EACH: u64 = 40;
    let gpt = "printf 'label: gpt\ntable-length: 8\nsize=8M,name=one\n,8M\n' | sfdisk -q $F";
    let verity = "truncate -s 1M data; veritysetup format data $F >/dev/null";
    let tree = "mkdir -p d; head -c 3000 /bin/sh >d/file;";
    let (squash, rom) = (
        format!("{tree} mksquashfs d $F -noappend -quiet; rm -r d"),
        format!("{tree} genromfs -d d -f $F; rm -r d"),
    );
    let iso = format!("{tree} genisoimage -quiet -J -V BENT -o $F d; rm -r d");
    let luks = "echo -n x | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
        --pbkdf-force-iterations 1000 --label bent $F -";
    let workshop = Workshop::new("judged");
    for (name, kib, script) in [
        ("luks", 20480, luks),
        ("squashfs", 0, &*squash),
        ("romfs", 0, &*rom),
        ("iso9660", 0, &*iso),
        ("f2fs", 65536, "mkfs.f2fs -q -l bent $F"),
        ("nilfs2", 4096, "mkfs.nilfs2 -q -b 1024 -B 16 -L bent $F"),
        ("bcache", 8192, "make-bcache -B $F >/dev/null"),
        ("ext2", 16384, "mke2fs -q -t ext2 -L x $F"),
        ("xfs", 310 << 10, "mkfs.xfs -q -m crc=0 $F 2>/dev/null"),
        ("fat12", 4096, "mkfs.fat -F 12 -n BENT $F"),
        ("fat16", 32768, "mkfs.fat -F 16 -n BENT $F"),
        ("swap", 8192, "mkswap -q -L bent $F"),
        ("gpt", 65536, gpt),
        ("ntfs", 8192, "mkntfs -F -Q -q -L bent $F"),
        ("jfs", 16384, "mkfs.jfs -q -L bent $F >/dev/null"),
        ("reiserfs", 65536, "mkreiserfs -q -f -f -l bent $F"),
        ("minix", 4096, "mkfs.minix $F >/dev/null"),
        ("verity", 1024, verity),
    ] {
        let disk = Disk::of_file(&workshop.make(name, kib, script), 512);
        for seed in 0..EACH {
            let mut mutant = mutant(&disk, &mut Seeded(seed));
            if name == "gpt" {
                repair_gpt(&mut mutant);
            }
            let path = workshop.file(&format!("{name}-{seed}"));
            mutant.save(&path);
            compare(&path);
            std::fs::remove_file(&path).expect("remove image");
        }
    }
}

#[test]
fn bent_members() {
    let size = 8 << 20;
    for (name, (at, bytes)) in [
        ("md 0.90", md_090(size, 90, u32::to_le_bytes)),
        ("md 1.0", (size - 0x2000, md_1(size - 0x2000, "name"))),
        ("md 1.2", (4096, md_1(4096, "name"))),
        ("pv", (512, pv_label(1))),
    ] {
        let mut disk = Disk::new(size);
        disk.write(at, &bytes);
        bend(name, &disk, nothing);
    }
}

/// What a checksum protects is not believed once it is wrong, whatever an older blkid says.
#[test]
fn wrong_checksums_are_not_believed() {
    let workshop = Workshop::new("checksums");
    let check = |name: &str, kib: u64, script: &str, at: u64| {
        let mut disk = Disk::of_file(&workshop.make(name, kib, script), 512);
        assert_ne!(disk.identify(), Finding::default(), "{name}");
        disk.write(at, &[!disk.read(at, 1)[0]]);
        assert_eq!(disk.identify(), Finding::default(), "{name}");
    };
    check("ext4", 16384, "mke2fs -q -t ext4 $F", 1024 + 0x3fc);
    check("ext4-uuid", 16384, "mke2fs -q -t ext4 $F", 1024 + 0x68);
    check("xfs", 310 << 10, "mkfs.xfs -q $F", 224);
    check("xfs-uuid", 310 << 10, "mkfs.xfs -q $F", 32);
    check("btrfs", 32 << 10, "mkfs.btrfs -q -M $F", 65536);
    check("btrfs-uuid", 32 << 10, "mkfs.btrfs -q -M $F", 65536 + 32);
}

/// The head of a member is what is in the array: a damaged superblock does not uncover it.
#[test]
fn a_damaged_member_stays_a_member() {
    let size = 8 << 20;
    let mut disk = Disk::new(size);
    disk.write(1024 + 0x38, b"\x53\xef");
    disk.write(size - 0x2000, &md_1(size - 0x2000, "name"));
    disk.write(size - 0x2000 + 216, &[0; 4]);
    let kind = disk.identify().signature.map(|s| s.kind);
    assert_eq!(kind.as_deref(), Some("linux_raid_member"));
}

/// Every length that an image can be cut to, near the places where something lies.
#[test]
fn truncated_images_are_read_within_their_bounds() {
    let workshop = Workshop::new("truncated");
    for (name, kib, script) in [
        ("fat", 65536, "mkfs.fat -F 32 -n CUT $F"),
        ("swap", 8192, "mkswap -q $F"),
        ("gpt", 65536, "printf 'label: gpt\n,8M\n' | sfdisk -q $F"),
        (
            "dos",
            65536,
            "printf 'label: dos\n,8M\n,,E\n,1M\n,1M\n' | sfdisk -q $F",
        ),
        ("btrfs", 32768, "mkfs.btrfs -q -M $F"),
    ] {
        let disk = Disk::of_file(&workshop.make(name, kib, script), 512);
        for page in disk.hot().into_iter().chain([1024, 2048, 65536, 69632]) {
            for cut in [-512, -1, 0, 1, 64, 511, 512, 513, 4095] {
                let mut short = disk.clone();
                short.size = page.saturating_add_signed(cut).min(disk.size);
                short.identify();
            }
        }
    }
}

/// A chain of extended boot records that bites its own tail ends.
#[test]
fn chains_in_circles_end() {
    let record = |data: u32, link: u32| {
        let mut sector = [0; 512];
        sector[450] = 0x83;
        sector[454..458].copy_from_slice(&1u32.to_le_bytes());
        sector[458..462].copy_from_slice(&data.to_le_bytes());
        sector[466] = 0x05;
        sector[470..474].copy_from_slice(&link.to_le_bytes());
        sector[474..478].copy_from_slice(&100u32.to_le_bytes());
        sector[510..].copy_from_slice(b"\x55\xaa");
        sector
    };
    let count = |records: &[(u64, [u8; 512])]| {
        let mut disk = Disk::new(1 << 30);
        let mut mbr = record(0, 1000);
        mbr[474..478].copy_from_slice(&1_000_000u32.to_le_bytes());
        disk.write(0, &mbr);
        for (sector, bytes) in records {
            disk.write(sector * 512, bytes);
        }
        let table = disk.identify().table.expect("a table");
        assert!(table.partitions.iter().all(|p| p.number <= 256));
        table.partitions.len() - 1
    };
    assert_eq!(count(&[(1000, record(5, 0))]), 1);
    assert_eq!(count(&[(1000, record(5, 100)), (1100, record(5, 0))]), 2);
    let endless: Vec<_> = (0u32..2000)
        .map(|i| (1000 + 10 * u64::from(i), record(5, 10 * (i + 1))))
        .collect();
    assert_eq!(count(&endless), 252);
    let barren: Vec<_> = (0u32..2000)
        .map(|i| (1000 + 10 * u64::from(i), record(0, 10 * (i + 1))))
        .collect();
    assert_eq!(count(&barren), 0);
}
