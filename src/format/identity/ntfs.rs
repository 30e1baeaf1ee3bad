//! NTFS: serial number, and the label in the fourth record of the master file table.
//!
//! The label's attribute is always resident; the update sequence is not applied, since no label
//! reaches the end of a sector. Source: Linux 6.12 `fs/ntfs3/ntfs.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure, hex};
use alloc::string::String;
use core::ops::RangeInclusive;

/// $Volume in the master file table.
const VOLUME_RECORD: u32 = 3;
const ATTR_NAME: u32 = 0x60;
const ATTR_END: u32 = u32::MAX;
const MAX_CLUSTER: u32 = 2 << 20;
/// Records have 1 or 4 KiB. A larger one is none.
const MAX_RECORD: u32 = 64 * 1024;

/// The boot sector, bytes in a sector, and the record that has the label.
fn volume<'a>(look: &Look<'a>) -> Option<(Fields<'a>, u32, Fields<'a>)> {
    let bs = look.fields(0, 512)?;
    ensure(bs.is(3, b"NTFS    "))?;
    let sector = u32::from(bs.le16(11)?);
    ensure(sector.is_power_of_two() && (256..=4096).contains(&sector))?;
    let per_cluster = units(bs.u8(13)?, 1, 240..=249)?;
    let cluster = sector.checked_mul(per_cluster)?;
    ensure(cluster <= MAX_CLUSTER)?;
    // What FAT has there: reserved sectors, FATs, root entries, sectors, sectors of a FAT.
    ensure(bs.is(14, &[0; 7]) && bs.is(22, &[0; 2]) && bs.is(32, &[0; 4]))?;

    let record = units(bs.u8(64)?, cluster, 0xe1..=0xf7)?;
    ensure(record <= MAX_RECORD)?;
    let clusters = bs.le64(40)?.checked_div(per_cluster.into())?;
    ensure(bs.le64(48)?.max(bs.le64(56)?) <= clusters)?;
    let table = bs.le64(48)?.checked_mul(cluster.into())?;
    look.magic(table, b"FILE")?;
    let skip = record.saturating_mul(VOLUME_RECORD);
    let record = look.fields(table.checked_add(skip.into())?, record as usize)?;
    ensure(record.is(0, b"FILE"))?;
    Some((bs, sector, record))
}

/// A size: a number of `unit`, or, in the range `powers`, a negative power of two.
fn units(n: u8, unit: u32, powers: RangeInclusive<u8>) -> Option<u32> {
    if powers.contains(&n) {
        return 1u32.checked_shl(n.wrapping_neg().into());
    }
    ensure(n.is_power_of_two())?;
    unit.checked_mul(n.into())
}

/// Is the first sector the boot sector of an NTFS, and so not a partition table?
pub(super) fn is_ntfs(look: &Look) -> bool {
    volume(look).is_some()
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let (bs, sector, record) = volume(look)?;
    let serial = bs.bytes(72, 8)?;
    if serial != [0; 8] {
        let mut uuid = String::with_capacity(16);
        serial.iter().rev().for_each(|&b| hex(&mut uuid, b, b'A'));
        out.set_id(Some(uuid));
    }
    out.block_size = sector;
    label(record, out);
    Some(())
}

/// Follows the attributes of the record to the name.
fn label(record: Fields<'_>, out: &mut Signature) -> Option<()> {
    let mut at = usize::from(record.le16(20)?);
    loop {
        ensure(at <= record.le32(28)? as usize)?;
        let attribute = Fields(record.0.get(at..)?);
        let (kind, len) = (attribute.le32(0)?, attribute.le32(4)? as usize);
        ensure(len != 0 && kind != ATTR_END)?;
        if kind == ATTR_NAME {
            let (len, at) = (attribute.le32(16)?, attribute.le16(20)?);
            out.set_unicode(attribute.bytes(at.into(), len as usize)?, Units::Utf16Le);
            return None;
        }
        at = at.checked_add(len)?;
    }
}

pub(super) const NTFS: Format = Format {
    name: "ntfs",
    read,
    ..FILESYSTEM
};
