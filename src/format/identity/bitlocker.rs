//! BitLocker: the volume's identifier and its description.
//!
//! That of Windows Vista tells nothing here. Source: libbde, "BitLocker Drive Encryption (BDE)
//! format specification", chapters 3 to 5.

use super::fields::{FILESYSTEM, Fields, Format, Look, Units, decimal, ensure, named, unicode};
use super::{Signature, Usage};
use crate::base::text::Text;

const BLOCK_HEADER: usize = 64;
const HEADER: usize = 48;
/// The metadata have some KiB. A description past this is not seen.
const MAX_METADATA: usize = 64 * 1024;
/// Type of the entry, type of its value.
const DESCRIPTION: (u16, u16) = (7, 2);

fn read(look: &Look) -> Option<Signature> {
    let bs = look.fields(0, 512)?;
    let offset = if bs.is(0, b"\xeb\x58\x90-FVE-FS-") {
        bs.le64(176)?
    } else if bs.is(0, b"\xeb\x58\x90MSWIN4.1") {
        bs.le64(440)?
    } else {
        ensure(bs.is(0, b"\xeb\x52\x90-FVE-FS-"))?;
        return named(None, None, None, 0);
    };
    ensure(offset != 0 && offset.is_multiple_of(64))?;
    let head = look.fields(offset, BLOCK_HEADER.saturating_add(HEADER))?;
    ensure(head.is(0, b"-FVE-FS-"))?;
    let len = (head.le32(BLOCK_HEADER)? as usize).checked_add(BLOCK_HEADER)?;
    ensure(offset.checked_add(len as u64)? <= look.size())?;
    let metadata = look.fields(offset, len.min(MAX_METADATA))?;
    named(
        decimal(head.le16(10)?.into()),
        head.guid(80),
        description(Fields(metadata.0.get(BLOCK_HEADER..)?)),
        0,
    )
}

/// Follows the entries to the description.
fn description(metadata: Fields<'_>) -> Option<Text> {
    let mut at = HEADER;
    loop {
        let entry = Fields(metadata.0.get(at..)?);
        let len = usize::from(entry.le16(0)?);
        ensure(len >= 8)?;
        if (entry.le16(2)?, entry.le16(4)?) == DESCRIPTION {
            return unicode(entry.bytes(8, len.saturating_sub(8))?, Units::Utf16Le);
        }
        at = at.checked_add(len)?;
    }
}

pub(super) const BITLOCKER: Format = Format {
    name: "BitLocker",
    usage: Usage::Crypto,
    read,
    ..FILESYSTEM
};
