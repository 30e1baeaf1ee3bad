//! NILFS2: identity, from one of its two superblocks.
//!
//! Source: Linux 6.12 `include/uapi/linux/nilfs2_ondisk.h`.

use super::Signature;
use super::checksum::crc32_from;
use super::fields::{FILESYSTEM, Fields, Format, Look, ensure};

const MAGIC: u16 = 0x3434;
const MAX_LOG_BLOCK_SIZE: u32 = 6;

fn superblock<'a>(look: &Look<'a>, at: u64) -> Option<Fields<'a>> {
    let sb = look.fields(at, 1024)?;
    ensure(sb.le16(6)? == MAGIC)?;
    let covered = sb.bytes(0, sb.le16(8)?.into())?;
    ensure(crc32_from(sb.le32(12)?, covered, 16) == sb.le32(16)?)?;
    Some(sb)
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let first = superblock(look, 1024);
    let at = (look.size() >> 9).checked_sub(8)? << 9;
    // The second one of the last partition lies where one of the disk would.
    let second = superblock(look, at).filter(|sb| sb.le64(32) == Some(look.size()));
    let sb = match (first, second) {
        // Where they differ, libblkid takes the second one if it is of an earlier checkpoint.
        (Some(first), Some(second)) if first.le64(56) > second.le64(56) => second,
        (first, second) => first.or(second)?,
    };
    let log = sb.le32(20)?;
    if log <= MAX_LOG_BLOCK_SIZE {
        out.block_size = 1024 << log;
    }
    out.set_number(sb.le32(0)?.into());
    out.set_uuid(sb, 152);
    out.set_label(sb, 168, 80);
    Some(())
}

pub(super) const NILFS2: Format = Format {
    name: "nilfs2",
    min_size: 1 << 20,
    read,
    ..FILESYSTEM
};
