//! Superblocks built by hand, where no tool makes them on a plain file: compared with blkid as far
//! as its version knows them.

use super::arrays::crc32;
use super::disk::Disk;
use super::oracle::{Workshop, compare};
use landfall::format::identity::{Finding, Range, Signature, Step, View, identify};

const MIB: u64 = 1 << 20;

/// A disk of `size` bytes with `pieces` on it.
pub fn disk(size: u64, pieces: &[(u64, Vec<u8>)]) -> Disk {
    let mut disk = Disk::new(size);
    for (at, bytes) in pieces {
        disk.write(*at, bytes);
    }
    disk
}

/// Bytes of a structure: `len` zeros, with `fields` put in.
fn structure(len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// The name and value of a list in a ZFS label, in XDR.
fn zfs_pair(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    let padded = name.len().next_multiple_of(4);
    let size = 12 + padded + 8 + value.len().next_multiple_of(4);
    let mut pair = Vec::new();
    for word in [size as u32, size as u32, name.len() as u32] {
        pair.extend(word.to_be_bytes());
    }
    pair.extend(name.bytes().chain([0; 4]).take(padded));
    pair.extend(kind.to_be_bytes());
    pair.extend(1u32.to_be_bytes());
    pair.extend(value);
    pair.resize(size, 0);
    pair
}

/// The first label of a ZFS pool, with four uberblocks. `state`: 0 is active, 3 is a spare.
pub fn zfs(name: &str, state: u64, guid: u64) -> Vec<(u64, Vec<u8>)> {
    let number = |n: u64| n.to_be_bytes().to_vec();
    let text = [&(name.len() as u32).to_be_bytes(), name.as_bytes()].concat();
    // The list of the device: two words and what is in it.
    let mut tree = zfs_pair("vdev_tree", 19, &[0; 8]);
    tree.extend(zfs_pair("guid", 8, &number(99)));
    tree.extend(zfs_pair("ashift", 8, &number(12)));
    tree.extend([0; 8]);
    let list = [
        vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        zfs_pair("version", 8, &number(5000)),
        zfs_pair("name", 9, &text),
        zfs_pair("state", 8, &number(state)),
        zfs_pair("txg", 8, &number(if state == 3 { 0 } else { 4 })),
        zfs_pair("pool_guid", 8, &number(1_234_567_890_123_456_789)),
        tree,
        zfs_pair("guid", 8, &number(guid)),
        vec![0; 8],
    ];
    let uberblock = structure(
        1024,
        &[(0, &0x00ba_b10c_u64.to_le_bytes()), (8, &[0x88, 0x13])],
    );
    vec![(16 << 10, list.concat()), (128 << 10, uberblock.repeat(4))]
}

/// The anchor of a DDF member, its checksum right, and the place that it is for.
pub fn ddf(size: u64, sectors_from_end: u64) -> (u64, Vec<u8>) {
    let mut header = structure(
        512,
        &[
            (0, b"\xde\x11\xde\x11"),
            (4, &[0xff; 4]),
            (8, b"LSI     0123456789abcdef"),
            (32, b"01.02.00"),
        ],
    );
    let sum = crc32(0, &header);
    header[4..8].copy_from_slice(&sum.to_be_bytes());
    (size - sectors_from_end * 512, header)
}

/// A BitLocker volume whose metadata lie at 1 MiB.
pub fn bitlocker(magic: &[u8], place: usize) -> Vec<(u64, Vec<u8>)> {
    let text: Vec<u8> = "PC größe"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let entry = structure(8, &[(0, &[8 + text.len() as u8]), (2, &[7]), (4, &[2])]);
    let other = structure(12, &[(0, &[12]), (2, &[3])]);
    let entries = [other, entry, text].concat();
    let size = 48 + entries.len() as u32;
    let head = structure(
        112,
        &[
            (0, b"-FVE-FS-"),
            (10, &[2]),
            (64, &size.to_le_bytes()),
            (80, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ],
    );
    let boot = structure(
        512,
        &[(0, magic), (place, &MIB.to_le_bytes()), (510, b"\x55\xaa")],
    );
    vec![(0, boot), (MIB, [head, entries].concat())]
}

pub const WINDOWS_7: (&[u8], usize) = (b"\xeb\x58\x90-FVE-FS-", 176);
const TO_GO: (&[u8], usize) = (b"\xeb\x58\x90MSWIN4.1", 440);

/// A bcachefs superblock without fields and without checksum.
pub fn bcachefs() -> (u64, Vec<u8>) {
    let fields: [(usize, &[u8]); 6] = [
        (16, &[0x19, 4]),
        (
            24,
            b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
        ),
        (56, b"file system uuid"),
        (72, b"a label"),
        (104, &[8]),
        (120, &[8, 0, 0, 1]),
    ];
    (4096, structure(752, &fields))
}

fn signature(finding: Finding) -> Signature {
    finding.signature.expect("a signature")
}

#[test]
fn members_that_firmware_makes() {
    let workshop = Workshop::new("firmware");
    let size = 8 * MIB;
    let intel = b"Intel Raid ISM Cfg Sig. 1.2.02\0\0".to_vec();
    let ext = (1024 + 0x38, b"\x53\xef".to_vec());
    let check = |name: &str, kind: &str, pieces: &[(u64, Vec<u8>)]| {
        let path = workshop.file(name);
        disk(size, pieces).save(&path);
        assert_eq!(signature(compare(&path)).kind, kind, "{name}");
    };
    check(
        "intel",
        "isw_raid_member",
        &[(size - 1024, intel.clone()), ext.clone()],
    );
    check("ddf", "ddf_raid_member", &[ddf(size, 1), ext.clone()]);
    check(
        "ddf-adaptec",
        "ddf_raid_member",
        &[ddf(size, 257), ext.clone()],
    );
    let mut moved = ddf(size, 1);
    moved.1[96..104].copy_from_slice(&4096u64.to_be_bytes());
    check("ddf-without-header", "ext2", &[moved, ext.clone()]);
    check("intel-elsewhere", "ext2", &[(size - 512, intel), ext]);
}

/// What firmware keeps is kept at the end of the disk: a partition that reaches there is its own.
#[test]
fn a_partition_at_the_end_is_no_member_of_the_disks_array() {
    let disk = disk(
        8 * MIB,
        &[(
            8 * MIB - 1024,
            b"Intel Raid ISM Cfg Sig. 1.2.02\0\0".to_vec(),
        )],
    );
    let found = |partition: bool| {
        let mut view = View::new(disk.size, 512);
        view.partition = partition;
        answer(view, &|range| Some(disk.read(range.at, range.len)))
    };
    assert_eq!(signature(found(false)).kind, "isw_raid_member");
    assert_eq!(found(true), Finding::default());
}

/// Answers every question; `None` is what cannot be read.
fn answer(mut view: View, read: &dyn Fn(Range) -> Option<Vec<u8>>) -> Finding {
    loop {
        match identify(&view) {
            Step::Done(finding) => return finding,
            Step::Read(ranges) => ranges.into_iter().for_each(|range| match read(range) {
                Some(bytes) => view.add(range.at, bytes),
                None => view.lose(range),
            }),
        }
    }
}

#[test]
fn pools_of_zfs() {
    let workshop = Workshop::new("zfs");
    let check = |name: &str, pieces: &[(u64, Vec<u8>)]| {
        let path = workshop.file(name);
        disk(65 * MIB, pieces).save(&path);
        compare(&path)
    };
    let found = signature(check("member", &zfs("tank", 0, 42)));
    assert_eq!((&*found.kind, found.block_size), ("zfs_member", 4096));
    assert_eq!(found.uuid.as_deref(), Some("1234567890123456789"));
    assert_eq!(found.uuid_sub.as_deref(), Some("42"));
    signature(check("spare", &zfs("a spare", 3, 7)));
    let mut both = zfs("tank", 0, 42);
    both.push((1024 + 0x38, b"\x53\xef".to_vec()));
    assert_eq!(check("with-ext", &both).ambivalent, ["ext2", "zfs_member"]);
    // Too small for a pool.
    let small = disk(63 * MIB, &zfs("tank", 0, 42));
    assert_eq!(small.identify(), Finding::default());
    // Of no pool.
    let loose = disk(65 * MIB, &zfs("tank", 8, 42));
    assert_eq!(loose.identify(), Finding::default());
}

#[test]
fn integrity_volumes() {
    let workshop = Workshop::new("integrity");
    for version in [1, 5] {
        let path = workshop.file("integrity");
        let sb = structure(512, &[(0, b"integrt\0"), (8, &[version, 15, 4])]);
        disk(MIB, &[(0, sb)]).save(&path);
        let found = signature(compare(&path));
        assert_eq!(found.kind, "DM_integrity");
        assert_eq!(found.version, Some(version.to_string()));
    }
}

#[test]
fn bitlocker_volumes() {
    let workshop = Workshop::new("bitlocker");
    let path = workshop.file("bitlocker");
    for (magic, place) in [WINDOWS_7, TO_GO] {
        disk(8 * MIB, &bitlocker(magic, place)).save(&path);
        let found = signature(compare(&path));
        assert_eq!(
            found.uuid.as_deref(),
            Some("03020100-0504-0706-0809-0a0b0c0d0e0f")
        );
        let label = found.label.as_ref().and_then(|l| l.as_str());
        assert_eq!(label, Some("PC größe"));
    }
    disk(8 * MIB, &[(0, b"\xeb\x52\x90-FVE-FS-".to_vec())]).save(&path);
    assert_eq!(signature(compare(&path)).kind, "BitLocker");
}

/// Older versions of blkid do not know it.
#[test]
fn bcachefs_file_systems() {
    let found = signature(disk(8 * MIB, &[bcachefs()]).identify());
    assert_eq!((&*found.kind, found.block_size), ("bcachefs", 4096));
    assert_eq!(found.version.as_deref(), Some("1.25"));
    assert_eq!(
        found.uuid.as_deref(),
        Some("66696c65-2073-7973-7465-6d2075756964")
    );
    let (at, mut sb) = bcachefs();
    // CRC-32C, which is wrong.
    sb[144] = 1 << 2;
    assert_eq!(disk(8 * MIB, &[(at, sb)]).identify(), Finding::default());
}

/// Whatever has bytes that look like a boot sector of its own is not a partition table.
#[test]
fn boot_sectors_are_not_partition_tables() {
    let workshop = Workshop::new("boot-sectors");
    for (name, script) in [
        ("exfat", "mkfs.exfat -L x $F >/dev/null"),
        ("ntfs", "mkntfs -F -Q -q -L x $F"),
    ] {
        let finding = compare(&workshop.make(name, 8192, script));
        assert_eq!(finding.table, None, "{name}");
    }
}

/// A drive that locks itself shows its LUKS2 header and fails every other read.
#[test]
fn a_locked_drive_is_a_luks_container() {
    let fields: [(usize, &[u8]); 4] = [
        (0, b"LUKS\xba\xbe\0\x02"),
        (24, b"opal"),
        (168, b"01234567-89ab-cdef-0123-456789abcdef"),
        (208, b"HW-OPAL"),
    ];
    let header = disk(MIB, &[(0, structure(512, &fields))]);
    let readable = |range: Range| (range.end() <= MIB).then(|| header.read(range.at, range.len));
    let found = signature(answer(View::new(64 * MIB, 512), &readable));
    assert_eq!(found.kind, "crypto_LUKS");
    assert_eq!(
        found.uuid.as_deref(),
        Some("01234567-89ab-cdef-0123-456789abcdef")
    );
}
