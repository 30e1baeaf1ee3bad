//! NILFS2: identity, from the newer of its two superblocks.
//!
//! Source: Linux 6.12 `include/uapi/linux/nilfs2_ondisk.h`.

use super::Signature;
use super::checksum::crc32_from;
use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, ensure, named};

const LEN: usize = 1024;
const MAGIC: u16 = 0x3434;
const MAX_LOG_BLOCK_SIZE: u32 = 6;

fn superblock<'a>(look: &Look<'a>, at: u64) -> Option<Fields<'a>> {
    let sb = look.fields(at, LEN)?;
    ensure(sb.le16(6)? == MAGIC)?;
    // The checksum lies at byte 16 and counts as zero.
    let rest = usize::from(sb.le16(8)?).checked_sub(20)?;
    let pieces = [sb.bytes(0, 16)?, &[0; 4], sb.bytes(20, rest)?];
    ensure(crc32_from(sb.le32(12)?, &pieces) == sb.le32(16)?)?;
    Some(sb)
}

fn read(look: &Look) -> Option<Signature> {
    let first = superblock(look, 1024);
    let at = (look.size() >> 9).checked_sub(8)? << 9;
    // The second one of the last partition lies where one of the disk would.
    let second = superblock(look, at).filter(|sb| sb.le64(32) == Some(look.size()));
    let last_checkpoint = |sb: &Fields<'_>| sb.le64(56);
    let sb = match (first, second) {
        // libblkid prefers the second one if its checkpoint is the older one, and so do we.
        (Some(a), Some(b)) if last_checkpoint(&a) > last_checkpoint(&b) => b,
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => return None,
    };
    let log = Some(sb.le32(20)?).filter(|&log| log <= MAX_LOG_BLOCK_SIZE);
    named(
        decimal(sb.le32(0)?.into()),
        sb.uuid(152),
        sb.label(168, 80),
        log.map_or(0, |log| 1024 << log),
    )
}

pub(super) const NILFS2: Format = Format {
    name: "nilfs2",
    min_size: 1 << 20,
    read,
    ..FILESYSTEM
};
