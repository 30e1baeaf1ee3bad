//! Member of a Linux software RAID array, all metadata versions: identity only.
//!
//! Versions 0.90 and 1.0 lie at the end: the head of such a disk is the head of the array and may
//! look like a plain file system. The checksum is therefore not looked at: a member whose
//! superblock is damaged must not be taken for the file system on it.
//! Source: kernel `include/uapi/linux/raid/md_p.h` (6.6), md(4).

use super::fields::{Fields, Format, Look, ensure};
use super::{Range, Signature, Table, Usage, table};
use alloc::format;

const MAGIC: u32 = 0xa92b_4efc;
/// Version 0.90 reserves 64 KiB at the end, aligned to as much.
const RESERVED: u64 = 64 * 1024;

/// Where each version keeps its superblock on a device of `size` bytes.
fn superblock_090(size: u64) -> Option<u64> {
    (size & !(RESERVED.saturating_sub(1))).checked_sub(RESERVED)
}

fn superblock_10(size: u64) -> Option<u64> {
    (size & !0xfff).checked_sub(0x2000)
}

/// What a first look at the end of the device should bring.
pub(super) fn tail(size: u64) -> [Option<Range>; 2] {
    let range = |at: u64, len: u64| Range {
        at,
        len: usize::try_from(len).unwrap_or(0),
    };
    [
        superblock_090(size).map(|at| range(at, 512)),
        // Up to the end of the device: the backup header of a GPT lies in the last sector.
        superblock_10(size).map(|at| range(at, size.saturating_sub(at))),
    ]
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let versions = [
        (superblock_10(look.size()), "1.0"),
        (Some(0), "1.1"),
        (Some(4096), "1.2"),
    ];
    let mut newer = versions.into_iter();
    read_090(look, out).or_else(|| newer.find_map(|(at, version)| read_1(look, out, at?, version)))
}

fn read_1(look: &Look, out: &mut Signature, at: u64, version: &str) -> Option<()> {
    let sb = look.fields(at, 256)?;
    ensure(sb.le32(0)? == MAGIC && sb.le32(4)? == 1)?;
    // super_offset, in sectors: tells a superblock from a copy of one.
    ensure(sb.le64(144)? == at >> 9)?;
    out.set_version(version);
    out.set_uuid(sb, 16);
    out.uuid_sub = sb.uuid(168);
    out.set_label(sb, 32, 32);
    Some(())
}

/// Version 0.90 is written in the byte order of the machine that made the array.
fn read_090(look: &Look, out: &mut Signature) -> Option<()> {
    let at = superblock_090(look.size())?;
    let sb = look.fields(at, 64)?;
    let little = sb.le32(0)? == MAGIC;
    let word = |n: usize| {
        let at = n.saturating_mul(4);
        if little { sb.le32(at) } else { sb.be32(at) }
    };
    ensure(word(0)? == MAGIC)?;
    // Kibibytes of each member that the array uses: they end before the superblock.
    let size = u64::from(word(8)?).saturating_mul(1024);
    let start = at.checked_sub(size)?;
    if let Some(found) = table::read(look) {
        ensure(!covered(&found.table, start, at, look.size()))?;
    }

    let mut uuid = [0; 16];
    for (bytes, n) in uuid.chunks_exact_mut(4).zip([5, 13, 14, 15]) {
        // Before minor version 90 there was only the first word.
        if n == 5 || word(2)? >= 90 {
            bytes.copy_from_slice(&word(n)?.to_be_bytes());
        }
    }
    out.version = Some(format!("{}.{}.{}", word(1)?, word(2)?, word(3)?));
    out.set_uuid(Fields(&uuid), 0);
    Some(())
}

/// The superblock of a member that is the last partition lies where one of the whole disk would:
/// it is the partition's if a partition covers the whole member.
fn covered(table: &Table, start: u64, superblock: u64, size: u64) -> bool {
    let (start, end) = (start >> 9, superblock.saturating_add(RESERVED) >> 9);
    let end_of = |p: &super::Partition| p.start.saturating_add(p.sectors);
    let fits = table.partitions.iter().all(|p| end_of(p) <= size >> 9);
    let covers = |p: &super::Partition| p.start <= start && end <= end_of(p);
    fits && table.partitions.iter().any(covers)
}

pub(super) const MD: Format = Format {
    name: "linux_raid_member",
    usage: Usage::Raid,
    tolerant: false,
    min_size: 0,
    read,
};
