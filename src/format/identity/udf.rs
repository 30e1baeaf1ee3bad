//! UDF: label of the logical volume, and the identity that libblkid makes of the volume set's.
//!
//! Only the first session, and of its volume descriptor sequence only the main one.
//! Sources: ECMA-167, parts 2 and 3; OSTA UDF 2.60, chapter 2.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure, hex, named, unicode, utf8};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const STRUCTURES: u64 = 32 * 1024;
const STRUCTURE_BYTES: u32 = 2048;
const MAX_STRUCTURES: u64 = 64;
/// What may come before the one that tells UDF.
const OTHER_STRUCTURES: [&[u8]; 5] = [b"BEA01", b"BOOT2", b"CD001", b"CDW02", b"TEA01"];
/// Blocks where an anchor lies.
const ANCHORS: [u64; 2] = [256, 512];
/// A volume descriptor sequence has 16 blocks, at least by the standard.
const MAX_SEQUENCE: u32 = 32;
const DESCRIPTOR: usize = 512;

/// Identifiers of tags.
const PRIMARY: u16 = 1;
const ANCHOR: u16 = 2;
const LOGICAL: u16 = 6;
const TERMINATING: u16 = 8;
const INTEGRITY: u16 = 9;

fn read(look: &Look) -> Option<Signature> {
    let (block, anchor) = anchor(look)?;
    let blocks = anchor.le32(16)?.checked_div(block)?.min(MAX_SEQUENCE);
    let first = anchor.le32(20)?;
    let at = |number: u32| u64::from(number).saturating_mul(block.into());
    let len = blocks.saturating_mul(block) as usize;
    let sequence = look.fields(at(first), len)?.0.chunks_exact(block as usize);

    let (mut uuid, mut label, mut logical) = (None, None, None);
    for (number, descriptor) in (first..).zip(sequence.map(Fields)) {
        let tag = descriptor.le16(0)?;
        if tag == 0 || tag == TERMINATING || descriptor.le32(12)? != number {
            break;
        }
        if tag == PRIMARY && uuid.is_none() && is_osta(descriptor, 200) {
            uuid = dstring(descriptor, 72).and_then(|(raw, units)| identity(&utf8(raw, units)));
        }
        if tag == LOGICAL {
            if descriptor.is(217, b"*OSTA UDF Compliant\0") {
                logical.get_or_insert(descriptor);
            }
            if label.is_none() && is_osta(descriptor, 20) {
                label = dstring(descriptor, 84);
            }
        }
    }
    let logical = logical?;
    let revision = logical
        .le16(240)?
        .max(integrity(look, logical, block).unwrap_or(0));
    named(
        (revision != 0).then(|| format!("{:x}.{:02x}", revision >> 8, revision & 0xff)),
        uuid,
        label.and_then(|(raw, units)| unicode(raw, units)),
        block,
    )
}

/// The size of a block, and the anchor that tells it by where it lies.
fn anchor<'a>(look: &Look<'a>) -> Option<(u32, Fields<'a>)> {
    let head = look.fields(STRUCTURES, 6)?;
    let known = |id: &&[u8]| head.is(1, id);
    ensure(OTHER_STRUCTURES.iter().any(known) || is_nsr(head))?;
    // The device's own block first, then what an image of another device may have.
    let sizes = [look.sector(), 512, 1024, 2048, 4096];
    let mut candidates = Vec::with_capacity(10);
    for (i, size) in sizes.into_iter().enumerate() {
        if (i == 0 || size != look.sector()) && recognised(look, size)? {
            for n in ANCHORS {
                let found = look.fields(u64::from(size).saturating_mul(n), DESCRIPTOR);
                candidates.push((size, n, found));
            }
        }
    }
    // All were asked for at once; a device that ends before one of them is none.
    for (size, n, found) in candidates {
        let found = found?;
        if found.le16(0)? == ANCHOR && u64::from(found.le32(12)?) == n {
            return Some((size, found));
        }
    }
    None
}

fn is_nsr(structure: Fields<'_>) -> bool {
    structure.is(1, b"NSR02") || structure.is(1, b"NSR03")
}

/// Does the volume recognition sequence tell of UDF, if blocks have `block` bytes?
fn recognised(look: &Look, block: u32) -> Option<bool> {
    let step = u64::from(block.max(STRUCTURE_BYTES));
    for n in 0..MAX_STRUCTURES {
        let structure = look.fields(STRUCTURES.saturating_add(n.saturating_mul(step)), 7)?;
        if is_nsr(structure) {
            return Some(true);
        }
        if !OTHER_STRUCTURES.iter().any(|id| structure.is(1, id)) {
            break;
        }
    }
    Some(false)
}

/// The revision that reading or writing takes, by the logical volume integrity descriptor.
fn integrity(look: &Look, logical: Fields<'_>, block: u32) -> Option<u16> {
    let (maps, len, number) = (logical.le32(268)?, logical.le32(432)?, logical.le32(436)?);
    ensure(maps != 0 && len as usize >= DESCRIPTOR && number != 0)?;
    let at = u64::from(number).saturating_mul(block.into());
    let descriptor = look.fields(at, DESCRIPTOR)?;
    ensure(descriptor.le16(0)? == INTEGRITY && descriptor.le32(12)? == number)?;
    ensure(descriptor.le32(76)? >= 46)?;
    // After the free space and the size of each partition.
    let skip = u64::from(descriptor.le32(72)?).saturating_mul(8);
    let usage = look.fields(at.saturating_add(80).saturating_add(skip), 46)?;
    Some(usage.le16(40)?.max(usage.le16(42)?))
}

fn is_osta(descriptor: Fields<'_>, charset: usize) -> bool {
    descriptor.is(charset, b"\0OSTA Compressed Unicode\0")
}

/// A string of 128 bytes: kind of characters, characters, length.
fn dstring<'a>(descriptor: Fields<'a>, at: usize) -> Option<(&'a [u8], Units)> {
    let field = Fields(descriptor.bytes(at, 128)?);
    let units = match field.u8(0)? {
        8 => Units::Latin1,
        16 => Units::Utf16Be,
        _ => return None,
    };
    let len = usize::from(field.u8(127)?.saturating_sub(1)).min(126);
    Some((field.bytes(1, len)?, units))
}

/// Sixteen hexadecimal digits. The first sixteen bytes of the volume set should be that; where
/// the first eight are not, their values are, and where the next eight are not, those of four.
fn identity(set: &[u8]) -> Option<String> {
    ensure(set.len() >= 8)?;
    let whole = |end: &usize| set.get(*end).is_none_or(|b| b & 0xc0 != 0x80);
    let end = (0..=set.len().min(16)).rev().find(whole)?;
    ensure(end >= 8)?;
    let (first, second) = set.get(..end)?.split_at(8);
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    let mut text = String::with_capacity(16);
    let letters = |text: &mut String, part: &[u8]| {
        text.extend(part.iter().map(|b| char::from(b.to_ascii_lowercase())));
    };
    if !digits(first) {
        first.iter().for_each(|&b| hex(&mut text, b, b'a'));
        return Some(text);
    }
    letters(&mut text, first);
    if second.len() == 8 && digits(second) {
        letters(&mut text, second);
    } else {
        let values = second.iter().copied().chain([0; 4]).take(4);
        values.for_each(|b| hex(&mut text, b, b'a'));
    }
    Some(text)
}

pub(super) const UDF: Format = Format {
    name: "udf",
    tolerant: true,
    read,
    ..FILESYSTEM
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_sets_are_named_as_libblkid_names_them() {
        let check = |set: &str, expected: Option<&str>| {
            assert_eq!(identity(set.as_bytes()).as_deref(), expected, "{set}");
        };
        check("0123456789ABCDEF and more", Some("0123456789abcdef"));
        check("01234567LinuxUDF", Some("012345674c696e75"));
        check("01234567", Some("0123456700000000"));
        check("LinuxUDF01234567", Some("4c696e7578554446"));
        check("0123456", None);
        check("0123456789ABCDEü", Some("0123456738394142"));
    }
}
