//! JFS: identity only.
//!
//! Source: Linux 6.12 `fs/jfs/jfs_superblock.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Format, Look, ensure, named};

fn read(look: &Look) -> Option<Signature> {
    let sb = look.fields(32 * 1024, 184)?;
    ensure(sb.is(0, b"JFS1"))?;
    let (block, sector) = (sb.le16(20)?, sb.le16(28)?);
    ensure(1u32.checked_shl(block.into()) == sb.le32(16))?;
    ensure(1u32.checked_shl(sector.into()) == sb.le32(24))?;
    ensure(block.checked_sub(sector) == sb.le16(22))?;
    named(None, sb.uuid(136), sb.label(152, 16), sb.le32(16)?)
}

pub(super) const JFS: Format = Format {
    name: "jfs",
    min_size: 16 << 20,
    read,
    ..FILESYSTEM
};
