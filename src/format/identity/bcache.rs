//! bcache and its descendant bcachefs: identity of the set or file system, and of the device.
//!
//! Of the checksums of bcachefs, xxhash is not verified: its code is worth less than it costs.
//! The copies of its superblock are looked at only where the device shows nothing else.
//! Sources: Linux 6.12 `drivers/md/bcache/bcache_ondisk.h`, `fs/bcachefs/bcachefs_format.h`.

use super::checksum::crc32c;
use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, dotted, ensure, named};
use super::{Signature, Usage};
use alloc::string::String;

const SUPERBLOCK: u64 = 4096;
const BCACHE_MAGIC: &[u8] = b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
const BCACHEFS_MAGIC: &[u8] = b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
/// Most journal buckets that a superblock of bcache lists.
const MAX_KEYS: u16 = 256;
/// Where the fields of variable length begin in a superblock of bcachefs.
const FIELDS: usize = 752;
/// A superblock of bcachefs has at most 512 << 16 bytes. No more than this is looked at; the
/// checksum of a larger one is not.
const MAX_READ: usize = 64 * 1024;
const MAX_SIZE_BITS: u8 = 16;
const CSUM_CRC32C: u8 = 1;
const CSUM_CRC64: u8 = 2;
const FIELD_MEMBERS_V1: u32 = 1;
const FIELD_MEMBERS_V2: u32 = 11;
const MEMBER_V1: usize = 56;

fn read_bcache(look: &Look) -> Option<Signature> {
    look.magic(SUPERBLOCK.saturating_add(24), BCACHE_MAGIC)?;
    let sb = look.fields(SUPERBLOCK, 2258)?;
    let keys = sb.le16(206)?;
    ensure(keys <= MAX_KEYS && sb.le64(8)? == SUPERBLOCK >> 9)?;
    let covered = usize::from(keys).saturating_mul(8).saturating_add(200);
    ensure(crc64(sb.bytes(8, covered)?) == sb.le64(0)?)?;
    let block = u32::from(sb.le16(192)?).saturating_mul(512);
    named(decimal(sb.le64(16)?), sb.uuid(40), sb.label(72, 32), block)
}

/// CRC-64 as ECMA-182 has it, with all ones at start and end.
fn crc64(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x42f0_e1eb_a9ea_3693;
    let bit = |c: u64, _| (c << 1) ^ (POLYNOMIAL & (c >> 63).wrapping_neg());
    let byte = |c: u64, b: &u8| (0..8).fold(c ^ (u64::from(*b) << 56), bit);
    !bytes.iter().fold(u64::MAX, byte)
}

fn read_bcachefs(look: &Look) -> Option<Signature> {
    // It had the magic of bcache until version 0.26.
    let old = superblock(look, SUPERBLOCK, BCACHE_MAGIC);
    old.or_else(|| superblock(look, SUPERBLOCK, BCACHEFS_MAGIC))
}

/// The first copy that is there counts.
fn read_copies(look: &Look) -> Option<Signature> {
    let copies = [Some(2 << 20), look.size().checked_sub(1 << 20)];
    let found = copies.map(|at| superblock(look, at?, BCACHEFS_MAGIC));
    found.into_iter().flatten().next()
}

fn superblock(look: &Look, at: u64, magic: &[u8]) -> Option<Signature> {
    look.magic(at.checked_add(24)?, magic)?;
    let head = look.fields(at, FIELDS)?;
    let (device, devices) = (head.u8(122)?, head.u8(123)?);
    ensure(head.le64(104)? == at >> 9 && device < devices)?;
    let size = (head.le32(124)? as usize)
        .checked_mul(8)?
        .checked_add(FIELDS)?;
    let size_bits = head.u8(257)?;
    ensure(size_bits <= MAX_SIZE_BITS && size <= 512 << size_bits)?;
    let sb = look.fields(at, size.min(MAX_READ))?;
    let covered = sb.0.get(16..)?;
    match head.u8(144)? >> 2 {
        _ if size > MAX_READ => {}
        CSUM_CRC32C => ensure(!crc32c(&[covered]) == sb.le32(0)?)?,
        CSUM_CRC64 => ensure(crc64(covered) == sb.le64(0)?)?,
        _ => {}
    }
    let version = u32::from(head.le16(16)?);
    let block = u32::from(head.le16(120)?).saturating_mul(512);
    let version = dotted(version >> 10, version & 0x3ff);
    let mut found = named(version, head.uuid(56), head.label(72, 32), block)?;
    found.uuid_sub = member(sb, device.into(), devices.into());
    Some(found)
}

/// The device's own UUID, in the list of members.
fn member(sb: Fields<'_>, device: usize, devices: usize) -> Option<String> {
    let (mut at, mut found) = (FIELDS, None);
    while let (Some(words), Some(kind)) = (sb.le32(at), sb.le32(at.checked_add(4)?)) {
        let Some(field) = sb.bytes(at, (words as usize).checked_mul(8)?).map(Fields) else {
            break;
        };
        let (list, each) = match kind {
            FIELD_MEMBERS_V1 => (8, MEMBER_V1),
            FIELD_MEMBERS_V2 => (16, field.le16(8).unwrap_or(0).into()),
            _ => (0, 0),
        };
        let expected = each.saturating_mul(devices).saturating_add(list);
        if each >= 16 && field.0.len() == expected {
            let uuid = field.uuid(each.saturating_mul(device).saturating_add(list));
            found = uuid.or(found);
        }
        if kind == 0 || words == 0 {
            break;
        }
        at = at.saturating_add(field.0.len());
    }
    found
}

pub(super) const BCACHE: Format = Format {
    name: "bcache",
    usage: Usage::Other,
    min_size: 8192,
    read: read_bcache,
    ..FILESYSTEM
};

pub(super) const BCACHEFS: Format = Format {
    name: "bcachefs",
    min_size: 128 * 1024,
    read: read_bcachefs,
    ..FILESYSTEM
};

pub(super) const BCACHEFS_COPIES: Format = Format {
    read: read_copies,
    ..BCACHEFS
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(crc64(b"123456789"), 0x62ec_59e3_f1a4_f00a);
    }
}
