//! ext2, ext3, ext4 and an external ext journal: identity only.
//!
//! Which of the three it is, is a matter of features, as libblkid decides it: ext4 has a feature
//! that ext3 does not know, ext3 has a journal. The flag `TEST_FILESYS` changes nothing here: the
//! file system `ext4dev` that it once named left the kernel with 2.6.29.
//! Source: Documentation/filesystems/ext4/super.rst (Linux 6.6).

use super::checksum::crc32c;
use super::fields::{Fields, Format, Read, ensure};
use super::{Signature, Usage, View};
use alloc::format;

const MAGIC: u16 = 0xef53;
/// Blocks have at most 64 KiB: 1024 << 6.
const MAX_LOG_BLOCK_SIZE: u32 = 6;

const COMPAT_HAS_JOURNAL: u32 = 0x4;
const INCOMPAT_JOURNAL_DEV: u32 = 0x8;
/// FILETYPE, META_BG.
const INCOMPAT_EXT2: u32 = 0x2 | 0x10;
/// The same and RECOVER.
const INCOMPAT_EXT3: u32 = INCOMPAT_EXT2 | 0x4;
/// SPARSE_SUPER, LARGE_FILE, BTREE_DIR: ext2 and ext3 alike.
const RO_COMPAT_EXT3: u32 = 0x1 | 0x2 | 0x4;
const RO_COMPAT_METADATA_CSUM: u32 = 0x400;

fn read(view: &View) -> Read<Signature> {
    let sb = Fields::of(view, 1024, 1024)?;
    ensure(sb.le16(0x38)? == MAGIC)?;
    let log_block_size = sb.le32(0x18)?;
    ensure(log_block_size <= MAX_LOG_BLOCK_SIZE)?;
    let (compat, incompat, ro_compat) = (sb.le32(0x5c)?, sb.le32(0x60)?, sb.le32(0x64)?);
    if ro_compat & RO_COMPAT_METADATA_CSUM != 0 {
        ensure(crc32c(&[sb.bytes(0, 0x3fc)?]) == sb.le32(0x3fc)?)?;
    }

    let journal = compat & COMPAT_HAS_JOURNAL != 0;
    let beyond_ext3 = incompat & !INCOMPAT_EXT3 != 0 || ro_compat & !RO_COMPAT_EXT3 != 0;
    let (kind, usage) = if incompat & INCOMPAT_JOURNAL_DEV != 0 {
        ("jbd", Usage::Other)
    } else if beyond_ext3 {
        ("ext4", Usage::Filesystem)
    } else if journal {
        ("ext3", Usage::Filesystem)
    } else {
        // A journal to replay where there is none is something that ext2 does not know.
        ensure(incompat & !INCOMPAT_EXT2 == 0)?;
        ("ext2", Usage::Filesystem)
    };
    Ok(Signature {
        kind: kind.into(),
        usage,
        version: Some(format!("{}.{}", sb.le32(0x4c)?, sb.le16(0x3e)?)),
        uuid: sb.uuid(0x68)?,
        label: sb.label(0x78, 16)?,
        block_size: 1024 << log_block_size,
        ..EXT.signature()
    })
}

pub(super) const EXT: Format = Format {
    name: "ext4",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read,
};
