//! JFS: identity only.
//!
//! Source: Linux 6.12 `fs/jfs/jfs_superblock.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Format, Look, ensure};

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(32 * 1024, 184)?;
    ensure(sb.is(0, b"JFS1"))?;
    let (block, sector) = (sb.le16(20)?, sb.le16(28)?);
    ensure(1u32.checked_shl(block.into()) == sb.le32(16))?;
    ensure(1u32.checked_shl(sector.into()) == sb.le32(24))?;
    ensure(block.checked_sub(sector) == sb.le16(22))?;
    out.set_uuid(sb, 136);
    out.set_label(sb, 152, 16);
    out.block_size = sb.le32(16)?;
    Some(())
}

pub(super) const JFS: Format = Format {
    name: "jfs",
    min_size: 16 << 20,
    read,
    ..FILESYSTEM
};
