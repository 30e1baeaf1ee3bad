//! BitLocker: the volume's identifier and its description.
//!
//! That of Windows Vista tells nothing here. Source: libbde, "BitLocker Drive Encryption (BDE)
//! format specification", chapters 3 to 5.

use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure};
use super::{Signature, Usage};

/// Windows 7, To Go, Vista; and where the place of the metadata is told.
const KINDS: [(&[u8], usize); 3] = [
    (b"\xeb\x58\x90-FVE-FS-", 176),
    (b"\xeb\x58\x90MSWIN4.1", 440),
    (b"\xeb\x52\x90-FVE-FS-", 0),
];
/// What comes before the entries: the header of the block, that of the metadata.
const HEADERS: usize = 64 + 48;
/// The metadata have some KiB. An entry past this is not seen.
const MAX_METADATA: usize = 64 * 1024;
/// Type of the entry, type of its value: the description, a string.
const DESCRIPTION: &[u8] = &[7, 0, 2, 0];

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let bs = look.fields(0, 512)?;
    let &(_, place) = KINDS.iter().find(|(magic, _)| bs.is(0, magic))?;
    if place == 0 {
        return Some(());
    }
    let offset = bs.le64(place)?;
    ensure(offset != 0 && offset.is_multiple_of(64))?;
    let head = look.fields(offset, HEADERS)?;
    ensure(head.is(0, b"-FVE-FS-"))?;
    let len = (head.le32(64)? as usize).saturating_add(64);
    let metadata = look.fields(offset, len.min(MAX_METADATA))?;
    out.set_number(head.le16(10)?.into());
    out.set_id(head.guid(80));
    description(metadata, out);
    Some(())
}

/// Follows the entries to the description.
fn description(metadata: Fields<'_>, out: &mut Signature) -> Option<()> {
    let mut at = HEADERS;
    loop {
        let entry = Fields(metadata.0.get(at..)?);
        let len = usize::from(entry.le16(0)?);
        let text = len.checked_sub(8)?;
        if entry.is(2, DESCRIPTION) {
            out.set_unicode(entry.bytes(8, text)?, Units::Utf16Le);
            return None;
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
