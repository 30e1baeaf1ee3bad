//! NTFS: serial number, and the label in the fourth record of the master file table.
//!
//! The label's attribute is always resident; the update sequence is not applied, since no label
//! reaches the end of a sector. Source: Linux 6.12 `fs/ntfs3/ntfs.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units};
use super::fields::{ensure, hex, named, unicode};
use crate::base::text::Text;
use alloc::string::String;

/// $Volume in the master file table.
const VOLUME_RECORD: u64 = 3;
const ATTR_NAME: u32 = 0x60;
const ATTR_END: u32 = u32::MAX;
const MAX_CLUSTER: u32 = 2 << 20;
/// Records have 1 or 4 KiB. Of a larger one no more than this is read.
const MAX_RECORD: u64 = 64 * 1024;

/// The boot sector, bytes in a sector, and the record that has the label.
fn volume<'a>(look: &Look<'a>) -> Option<(Fields<'a>, u32, Fields<'a>)> {
    let bs = look.fields(0, 512)?;
    ensure(bs.is(3, b"NTFS    "))?;
    let sector = u32::from(bs.le16(11)?);
    ensure((256..=4096).contains(&sector) && sector.is_power_of_two())?;
    let per_cluster = match bs.u8(13)? {
        n @ 240..=249 => 1 << 0u8.wrapping_sub(n),
        n => u32::from(n),
    };
    ensure(per_cluster.is_power_of_two())?;
    let cluster = sector.checked_mul(per_cluster)?;
    ensure(cluster <= MAX_CLUSTER)?;
    // What FAT has there: reserved sectors, FATs, root entries, sectors, sectors of a FAT.
    ensure(bs.bytes(14, 7)? == [0; 7] && bs.le16(22)? == 0 && bs.le32(32)? == 0)?;

    let record = match bs.u8(64)? {
        n @ 0xe1..=0xf7 => 1 << 0u8.wrapping_sub(n),
        n => {
            ensure(n.is_power_of_two() && n <= 64)?;
            u64::from(cluster).saturating_mul(n.into())
        }
    };
    let clusters = bs.le64(40)?.checked_div(per_cluster.into())?;
    ensure(bs.le64(48)? <= clusters && bs.le64(56)? <= clusters)?;
    let table = bs.le64(48)?.checked_mul(cluster.into())?;
    look.magic(table, b"FILE")?;
    let at = table.checked_add(record.saturating_mul(VOLUME_RECORD))?;
    // It has to be there as a whole.
    ensure(at.checked_add(record)? <= look.size())?;
    let found = look.fields(at, usize::try_from(record.min(MAX_RECORD)).ok()?)?;
    ensure(found.is(0, b"FILE"))?;
    Some((bs, sector, found))
}

/// Is the first sector the boot sector of an NTFS, and so not a partition table?
pub(super) fn is_ntfs(look: &Look) -> bool {
    volume(look).is_some()
}

fn read(look: &Look) -> Option<Signature> {
    let (bs, sector, record) = volume(look)?;
    let serial = bs.bytes(72, 8)?;
    let mut uuid = String::new();
    serial.iter().rev().for_each(|&b| hex(&mut uuid, b, b'A'));
    let uuid = Some(uuid).filter(|_| serial != [0; 8]);
    named(None, uuid, label(record), sector)
}

/// Follows the attributes of the record to the name.
fn label(record: Fields<'_>) -> Option<Text> {
    let mut at = usize::from(record.le16(20)?);
    while at <= record.le32(28)? as usize {
        let (kind, len) = (record.le32(at)?, record.le32(at.checked_add(4)?)? as usize);
        ensure(len != 0 && kind != ATTR_END)?;
        if kind == ATTR_NAME {
            let attribute = Fields(record.0.get(at..)?);
            let (len, at) = (attribute.le32(16)?, attribute.le16(20)?);
            return unicode(attribute.bytes(at.into(), len as usize)?, Units::Utf16Le);
        }
        at = at.checked_add(len)?;
    }
    None
}

pub(super) const NTFS: Format = Format {
    name: "ntfs",
    read,
    ..FILESYSTEM
};
