//! bcache and its descendant bcachefs: identity only.
//!
//! The two shared a magic; the place of the field that says where the superblock lies tells them
//! apart. Of the checksums of bcachefs only CRC-32C is verified, as for btrfs; the copies of its
//! superblock are not looked for, and its members' UUIDs are not read.
//! Sources: Linux 6.12 `drivers/md/bcache/bcache_ondisk.h`, `fs/bcachefs/bcachefs_format.h`.

use super::checksum::{NOWHERE, crc32c};
use super::fields::{FILESYSTEM, Format, Look, ensure};
use super::{Signature, Usage};

const SUPERBLOCK: u64 = 4096;
/// Where either says that it lies, in sectors.
const PLACE: u64 = SUPERBLOCK >> 9;
const MAGIC: &[u8] = b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
/// That of bcachefs since version 0.26.
const NEW_MAGIC: &[u8] = b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
/// Bytes of a bcachefs superblock before its fields of variable length.
const FIXED: usize = 752;
/// A superblock of bcachefs has some KiB. A larger one is believed without its checksum.
const MAX_CHECKED: usize = 64 * 1024;
const CSUM_CRC32C: u8 = 1;

fn read_bcache(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(SUPERBLOCK, 208)?;
    ensure(sb.is(24, MAGIC) && sb.le64(8)? == PLACE)?;
    out.set_number(sb.le64(16)?);
    out.set_uuid(sb, 40);
    out.set_label(sb, 72, 32);
    out.block_size = u32::from(sb.le16(192)?) << 9;
    Some(())
}

fn read_bcachefs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(SUPERBLOCK, FIXED)?;
    ensure((sb.is(24, MAGIC) || sb.is(24, NEW_MAGIC)) && sb.le64(104)? == PLACE)?;
    ensure(sb.u8(122)? < sb.u8(123)?)?;
    let len = (sb.le32(124)? as usize)
        .checked_mul(8)?
        .checked_add(FIXED)?;
    if sb.u8(144)? >> 2 == CSUM_CRC32C && len <= MAX_CHECKED {
        let whole = look.fields(SUPERBLOCK, len)?;
        ensure(!crc32c(whole.0.get(16..)?, NOWHERE) == sb.le32(0)?)?;
    }
    let version = u32::from(sb.le16(16)?);
    out.set_dotted(version >> 10, version & 0x3ff);
    out.set_uuid(sb, 56);
    out.set_label(sb, 72, 32);
    out.block_size = u32::from(sb.le16(120)?) << 9;
    Some(())
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
