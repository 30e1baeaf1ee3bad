//! UDF: label of the logical volume, and the identity that libblkid makes of the volume set's.
//!
//! Only the first session, and of its volume descriptor sequence only the main one.
//! Sources: ECMA-167, parts 2 and 3; OSTA UDF 2.60, chapter 2.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure, hex, utf8};
use alloc::string::String;

const STRUCTURES: u64 = 32 * 1024;
const STRUCTURE_BYTES: u32 = 2048;
const MAX_STRUCTURES: u32 = 64;
/// What may come before the one that tells UDF.
const OTHER_STRUCTURES: [&[u8]; 5] = [b"BEA01", b"BOOT2", b"CD001", b"CDW02", b"TEA01"];
/// Blocks where an anchor lies.
const ANCHORS: [u32; 2] = [256, 512];
/// A volume descriptor sequence has 16 blocks, at least by the standard.
const MAX_SEQUENCE: u32 = 32;
const DESCRIPTOR: usize = 512;

/// Identifiers of tags.
const PRIMARY: u16 = 1;
const ANCHOR: u16 = 2;
const LOGICAL: u16 = 6;
const TERMINATING: u16 = 8;
const INTEGRITY: u16 = 9;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let (block, anchor) = anchor(look)?;
    let blocks = anchor.le32(16)?.checked_div(block)?.min(MAX_SEQUENCE);
    let first = anchor.le32(20)?;
    let at = u64::from(first).saturating_mul(block.into());
    let sequence = look.fields(at, blocks.saturating_mul(block) as usize)?;

    let mut revision = None;
    for (number, descriptor) in (first..).zip(sequence.0.chunks_exact(block as usize)) {
        let descriptor = Fields(descriptor);
        let tag = descriptor.le16(0)?;
        if tag == 0 || tag == TERMINATING || descriptor.le32(12)? != number {
            break;
        }
        if tag == PRIMARY && out.uuid.is_none() {
            let set = dstring(descriptor, 72, 200);
            out.set_id(set.and_then(|(raw, units)| identity(&utf8(raw, units))));
        }
        if tag == LOGICAL && revision.is_none() {
            ensure(descriptor.is(217, b"*OSTA UDF Compliant\0"))?;
            let written = descriptor.le16(240)?;
            revision = Some(integrity(look, descriptor, block).unwrap_or(0).max(written));
            if let Some((raw, units)) = dstring(descriptor, 84, 20) {
                out.set_unicode(raw, units);
            }
        }
    }
    // A number in decimal, in hexadecimal digits: 0x0201 is 2.01.
    let [major, minor] = revision?.to_be_bytes();
    let mut version = String::with_capacity(5);
    hex(&mut version, major, b'a');
    version.push('.');
    hex(&mut version, minor, b'a');
    out.set_version(version.strip_prefix('0').unwrap_or(&version));
    out.block_size = block;
    Some(())
}

/// The size of a block, and the anchor that tells it by where it lies.
fn anchor<'a>(look: &Look<'a>) -> Option<(u32, Fields<'a>)> {
    // The device's own block first, then what an image of another device may have.
    let sizes = [look.sector(), 512, 1024, 2048, 4096];
    let mut found = None;
    for size in sizes {
        if recognised(look, size)? {
            // All are asked for at once.
            for n in ANCHORS {
                let anchor = look.fields(u64::from(size).saturating_mul(n.into()), DESCRIPTOR);
                let here = |a: &Fields<'a>| a.le16(0) == Some(ANCHOR) && a.le32(12) == Some(n);
                found = found.or(anchor.filter(here).map(|anchor| (size, anchor)));
            }
        }
    }
    found
}

/// Does the volume recognition sequence tell of UDF, if blocks have `block` bytes?
fn recognised(look: &Look, block: u32) -> Option<bool> {
    let mut at = STRUCTURES;
    for _ in 0..MAX_STRUCTURES {
        let id = look.fields(at, 7)?.bytes(1, 5)?;
        if id == b"NSR02" || id == b"NSR03" {
            return Some(true);
        }
        if !OTHER_STRUCTURES.contains(&id) {
            break;
        }
        at = at.saturating_add(block.max(STRUCTURE_BYTES).into());
    }
    Some(false)
}

/// The revision that reading or writing takes, by the logical volume integrity descriptor.
fn integrity(look: &Look, logical: Fields<'_>, block: u32) -> Option<u16> {
    let number = logical.le32(436)?;
    ensure(number != 0)?;
    let descriptor = look.fields(u64::from(number).saturating_mul(block.into()), DESCRIPTOR)?;
    ensure(descriptor.le16(0)? == INTEGRITY && descriptor.le32(12)? == number)?;
    // After the free space and the size of each partition.
    let skip = (descriptor.le32(72)? as usize).checked_mul(8)?;
    let usage = Fields(descriptor.0.get(skip.checked_add(80)?..)?);
    Some(usage.le16(40)?.max(usage.le16(42)?))
}

/// A string of 128 bytes (kind of characters, characters, length), if the set of characters that
/// `charset` describes is UDF's.
#[inline(never)]
fn dstring<'a>(sb: Fields<'a>, at: usize, charset: usize) -> Option<(&'a [u8], Units)> {
    ensure(sb.is(charset, b"\0OSTA Compressed Unicode\0"))?;
    let field = Fields(sb.bytes(at, 128)?);
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
    // How many are taken as they are; after them, up to where values are.
    let digits = set.iter().take(16).take_while(|b| b.is_ascii_hexdigit());
    let (taken, all) = match digits.count() {
        16 => (16, 16),
        8..16 => (8, 12),
        _ => (0, 8),
    };
    let mut text = String::with_capacity(16);
    for i in 0..all {
        let byte = set.get(i).copied().unwrap_or(0);
        if i < taken {
            text.push(char::from(byte.to_ascii_lowercase()));
        } else {
            hex(&mut text, byte, b'a');
        }
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
