//! ext2, ext3, ext4 and an external ext journal: identity only.
//!
//! Which of the three it is, is a matter of features, as libblkid decides it: ext4 has a feature
//! that ext3 does not know, ext3 has a journal. The flag `TEST_FILESYS` changes nothing here: the
//! file system `ext4dev` that it once named left the kernel with 2.6.29.
//! Source: Documentation/filesystems/ext4/super.rst (Linux 6.6).

use super::checksum::{NOWHERE, crc32c};
use super::fields::{Fields, Format, Look, ensure};
use super::{Signature, Usage};

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

fn superblock<'a>(look: &Look<'a>) -> Option<Fields<'a>> {
    let sb = look.fields(1024, 1024)?;
    ensure(sb.le16(0x38)? == MAGIC && sb.le32(0x18)? <= MAX_LOG_BLOCK_SIZE)?;
    if sb.le32(0x64)? & RO_COMPAT_METADATA_CSUM != 0 {
        ensure(crc32c(sb.bytes(0, 0x3fc)?, NOWHERE) == sb.le32(0x3fc)?)?;
    }
    Some(sb)
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = superblock(look)?;
    let (compat, incompat, ro_compat) = (sb.le32(0x5c)?, sb.le32(0x60)?, sb.le32(0x64)?);
    ensure(incompat & INCOMPAT_JOURNAL_DEV == 0)?;
    let kind = if incompat & !INCOMPAT_EXT3 != 0 || ro_compat & !RO_COMPAT_EXT3 != 0 {
        "ext4"
    } else if compat & COMPAT_HAS_JOURNAL != 0 {
        "ext3"
    } else {
        // A journal to replay where there is none is something that ext2 does not know.
        ensure(incompat & !INCOMPAT_EXT2 == 0)?;
        "ext2"
    };
    out.kind.push_str(kind);
    report(sb, out)
}

fn read_journal(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = superblock(look)?;
    ensure(sb.le32(0x60)? & INCOMPAT_JOURNAL_DEV != 0)?;
    report(sb, out)
}

fn report(sb: Fields<'_>, out: &mut Signature) -> Option<()> {
    out.set_dotted(sb.le32(0x4c)?, sb.le16(0x3e)?.into());
    out.set_uuid(sb, 0x68);
    out.set_label(sb, 0x78, 16);
    out.block_size = 1024 << sb.le32(0x18)?;
    Some(())
}

pub(super) const EXT: Format = Format {
    name: "ext4",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read,
};

pub(super) const JBD: Format = Format {
    name: "jbd",
    usage: Usage::Other,
    read: read_journal,
    ..EXT
};
