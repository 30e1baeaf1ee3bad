//! Members of arrays and volume groups, built by hand: making them needs kernel drivers.
//! Layouts: kernel `include/uapi/linux/raid/md_p.h`, lvm2 `lib/format_text/layout.h`.

use super::disk::Disk;
use super::oracle::{Workshop, compare, run, tool};
use landfall::act::probe_device::probe;
use landfall::format::identity::Finding;

#[path = "../../lab/md.rs"]
mod md;
use md::MD_MAGIC;
pub use md::md_1;

/// A superblock of version 0.90, checksum included, for a device of `size` bytes, and where it
/// goes. `word` writes words in the byte order of the machine that made it.
pub fn md_090(size: u64, minor: u32, word: fn(u32) -> [u8; 4]) -> (u64, Vec<u8>) {
    let at = (size & !0xffff) - 0x10000;
    let kib = (at / 1024) as u32;
    let mut words = vec![0u32; 1024];
    words[..12].copy_from_slice(&[MD_MAGIC, 0, minor, 3, 0, 0x0123_4567, 1, 1, kib, 2, 2, 7]);
    words[13..16].copy_from_slice(&[0x89ab_cdef, 0xfedc_ba98, 0x7654_3210]);
    words[38] = md::folded_sum(&words);
    (at, words.into_iter().flat_map(word).collect())
}

/// The label of a physical volume in sector `sector`.
pub fn pv_label(sector: u64) -> Vec<u8> {
    let mut label = vec![0; 512];
    label[..8].copy_from_slice(b"LABELONE");
    label[8..16].copy_from_slice(&sector.to_le_bytes());
    label[20..24].copy_from_slice(&32u32.to_le_bytes());
    label[24..32].copy_from_slice(b"LVM2 001");
    label[32..64].copy_from_slice(b"abcdefghijklmnopqrstuvwxyz012345");
    let crc = crc32(0xf597_a6cf, &label[20..]);
    label[16..20].copy_from_slice(&crc.to_le_bytes());
    label
}

/// CRC-32, bit by bit, not inverted at the end.
pub fn crc32(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| {
            (c >> 1) ^ if c & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// Puts pieces on an ext4 file system of a little less than `kib` KiB and compares.
fn on_ext4(workshop: &Workshop, name: &str, kib: u64, pieces: &[(u64, Vec<u8>)]) -> Finding {
    let script = format!("mke2fs -q -t ext4 $F {}", kib - 256);
    let path = workshop.make(name, kib, &script);
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(&path);
    for (at, bytes) in pieces {
        let file = file.as_ref().expect("open image");
        file.write_all_at(bytes, *at).expect("write superblock");
    }
    compare(&path)
}

fn kind(finding: &Finding) -> &str {
    finding.signature.as_ref().map_or("", |s| &s.kind)
}

#[test]
fn members_of_arrays_are_not_what_shines_through() {
    let workshop = Workshop::new("md");
    for kib in [8192, 8192 + 36, 8192 + 63] {
        let size = kib * 1024;
        let end = (size & !0xfff) - 0x2000;
        let cases = [
            ("0.90", md_090(size, 90, u32::to_le_bytes)),
            ("0.90-big-endian", md_090(size, 90, u32::to_be_bytes)),
            ("0.91", md_090(size, 91, u32::to_le_bytes)),
            ("0.36", md_090(size, 36, u32::to_le_bytes)),
            ("1.0", (end, md_1(end, "host:0"))),
            ("1.1", (0, md_1(0, "host:root array"))),
            ("1.2", (4096, md_1(4096, ""))),
        ];
        for (name, superblock) in cases {
            let finding = on_ext4(&workshop, name, kib, &[superblock]);
            assert_eq!(kind(&finding), "linux_raid_member", "{name} {kib}");
            // mdadm agrees that this is what it writes. (It does not read the other byte order.)
            let examined = run(tool("mdadm").arg("--examine").arg(workshop.file(name)));
            let said = String::from_utf8_lossy(&examined.stdout);
            assert!(
                said.contains("- correct") || name == "0.90-big-endian",
                "{said}"
            );
        }
    }
}

#[test]
fn superblocks_of_arrays_that_do_not_belong_here() {
    let workshop = Workshop::new("md-not");
    let size = 8192 * 1024;
    let (end, too_small) = ((size & !0xfff) - 0x2000, 1024);
    let cases = [
        ("moved", 8192, (end, md_1(4096, "elsewhere"))),
        ("too-large", 8192, {
            let (at, mut sb) = md_090(size, 90, u32::to_le_bytes);
            sb[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
            (at, sb)
        }),
        ("floppy", too_small, (4096, md_1(4096, "tiny"))),
    ];
    for (name, kib, superblock) in cases {
        let finding = on_ext4(&workshop, name, kib, &[superblock]);
        assert_ne!(kind(&finding), "linux_raid_member", "{name}");
    }
}

/// A member that is the last partition has its superblock where one of the disk would be.
#[test]
fn a_superblock_of_the_last_partition_is_not_the_disks() {
    let workshop = Workshop::new("md-partition");
    let kib = 65536;
    let script = "printf 'label: dos\n1M,8M\n,,fd\n' | sfdisk -q $F";
    let path = workshop.make("disk", kib, script);
    let (at, mut sb) = md_090(kib * 1024, 90, u32::to_le_bytes);
    let used = (at - (9 << 20)) / 1024;
    sb[32..36].copy_from_slice(&(used as u32).to_le_bytes());
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(&path);
    file.expect("open").write_all_at(&sb, at).expect("write");
    let finding = compare(&path);
    assert_eq!((kind(&finding), finding.table.is_some()), ("", true));
}

#[test]
fn physical_volumes() {
    let workshop = Workshop::new("pv");
    for sector in 0..4 {
        let mut disk = Disk::new(16 << 20);
        disk.write(sector * 512, &pv_label(sector));
        let path = workshop.file("pv");
        disk.save(&path);
        assert_eq!(kind(&compare(&path)), "LVM2_member", "{sector}");
        // A label that was moved, and one that was bent.
        disk.write(sector * 512 + 8, &[9]);
        disk.save(&path);
        assert_eq!(kind(&compare(&path)), "", "{sector}");
        disk.write(sector * 512, &pv_label(sector));
        disk.write(sector * 512 + 40, b"?");
        disk.save(&path);
        assert_eq!(kind(&compare(&path)), "", "{sector}");
    }
    let finding = on_ext4(&workshop, "stale", 16384, &[(512, pv_label(1))]);
    assert_eq!(kind(&finding), "LVM2_member");
}

/// pvcreate wipes the head: a table found there is newer than the volume.
#[test]
fn a_partition_table_over_a_physical_volume_wins() {
    let workshop = Workshop::new("pv-table");
    let table = |script: &str, kind_expected: &str, table: bool| {
        let script = format!("printf 'label: dos\n{script}' | sfdisk -q $F");
        let path = workshop.make("table", 65536, &script);
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::options().write(true).open(&path);
        let file = file.expect("open");
        file.write_all_at(&pv_label(1), 512).expect("write");
        let finding = compare(&path);
        assert_eq!(
            (kind(&finding), finding.table.is_some()),
            (kind_expected, table)
        );
    };
    table(",8M\n", "", true);
    // A boot loader without partitions is no table.
    table("", "LVM2_member", false);
}

/// Needs root, loop devices and lvm2; says so and stops where it has none.
#[test]
fn loop_devices_are_identified_like_their_images() {
    let workshop = Workshop::new("loop");
    let path = workshop.make("pv", 16384, "true");
    let setup = run(tool("losetup").args(["-f", "--show"]).arg(&path));
    let device = String::from_utf8_lossy(&setup.stdout).trim().to_owned();
    let Some(name) = device.strip_prefix("/dev/") else {
        eprintln!("skipped: no loop devices here");
        return;
    };
    let made = run(tool("pvcreate").args(["-qq", "-ff", "-y", &device]));
    let finding = probe(name, None);
    run(tool("losetup").args(["-d", &device]));
    assert!(made.status.success(), "{made:?}");
    assert_eq!(finding, Ok(compare(&path)));
    assert_eq!(finding.as_ref().map(kind), Ok("LVM2_member"));
}
