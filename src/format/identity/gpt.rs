//! GUID partition table: the primary one, or the backup where the primary is damaged.
//!
//! A table counts only with a protective MBR and both checksums right. Nothing is repaired.
//! Source: UEFI 2.10, chapter 5.3.

use super::checksum::{NOWHERE, crc32};
use super::fields::{Fields, Look, Units, ensure, label, utf8};
use super::table::{MAX_PARTITIONS, Placed};
use super::{Partition, Table, dos};
use alloc::vec::Vec;

const ENTRY: usize = 128;
/// The usual table has 128 entries, 16 KiB. All must be read to check them; more than this many
/// is not a table that anybody made.
const MAX_ENTRIES: u32 = 4096;

pub(super) fn read(look: &Look) -> Option<Placed> {
    dos::protective(look)?;
    let sectors = look.size().checked_div(u64::from(look.sector()))?;
    let last = sectors.checked_sub(1)?;
    read_at(look, 1, last).or_else(|| read_at(look, last, last))
}

fn read_at(look: &Look, lba: u64, last: u64) -> Option<Placed> {
    let sector = u64::from(look.sector());
    let at = lba.saturating_mul(sector);
    let block = look.fields(at, look.sector() as usize)?;
    ensure(block.is(0, b"EFI PART"))?;
    let header = Fields(block.bytes(0, block.le32(12)? as usize)?);
    ensure(!crc32(header.0, 16) == header.le32(16)?)?;
    ensure(header.le64(24)? == lba)?;

    let usable = header.le64(40)?..=header.le64(48)?;
    ensure(!usable.is_empty() && *usable.end() <= last)?;
    ensure(!(*usable.start() < lba && lba < *usable.end()))?;
    let count = header.le32(80)?;
    ensure((1..=MAX_ENTRIES).contains(&count) && header.le32(84)? as usize == ENTRY)?;
    let entries_at = header.le64(72)?.checked_mul(sector)?;
    let entries = look.fields(entries_at, ENTRY.saturating_mul(count as usize))?;
    ensure(!crc32(entries.0, NOWHERE) == header.le32(88)?)?;

    let mut partitions = Vec::new();
    for (number, entry) in (1..=MAX_PARTITIONS).zip(entries.0.chunks_exact(ENTRY)) {
        partitions.extend(partition(number, Fields(entry), &usable, sector));
    }
    let table = Table {
        kind: "gpt".into(),
        uuid: header.guid(56),
        partitions,
    };
    Some(Placed { table, at })
}

/// `None`: an unused entry, or one outside of what the header calls usable.
fn partition(
    number: u32,
    entry: Fields<'_>,
    usable: &core::ops::RangeInclusive<u64>,
    sector: u64,
) -> Option<Partition> {
    let (first, last) = (entry.le64(32)?, entry.le64(40)?);
    let kind = entry.guid(0)?;
    ensure(usable.contains(&first) && usable.contains(&last))?;
    let length = last.checked_sub(first)?;
    let in_512 = |sectors: u64| sectors.saturating_mul(sector >> 9);
    Some(Partition {
        number,
        uuid: entry.guid(16).unwrap_or_default(),
        label: label(&utf8(entry.bytes(56, 72)?, Units::Utf16Le)),
        kind,
        start: in_512(first),
        sectors: in_512(length.saturating_add(1)),
        flags: entry.le64(48)?,
    })
}
