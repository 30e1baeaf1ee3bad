//! F2FS: identity only, from the first superblock.
//!
//! Source: Linux 6.12 `include/linux/f2fs_fs.h` (struct f2fs_super_block).

use super::Signature;
use super::checksum::crc32_from;
use super::fields::{FILESYSTEM, Format, Look, Units, dotted, ensure, named, unicode};

const SUPERBLOCK: u64 = 1024;
const MAGIC: &[u8] = b"\x10\x20\xf5\xf2";
/// The checksum starts from the magic.
const INITIAL_CRC: u32 = 0xf2f5_2010;
/// The superblock's share of its block: a checksum lies inside.
const LEN: usize = 4096;
const MAX_LOG_BLOCK_SIZE: u32 = 16;

fn read(look: &Look) -> Option<Signature> {
    look.magic(SUPERBLOCK, MAGIC)?;
    let sb = look.fields(SUPERBLOCK, 0x47c)?;
    let version = (sb.le16(4)?, sb.le16(6)?);
    if version == (1, 0) {
        // Its layout was another one.
        return named(None, None, None, 0);
    }
    let sum_at = sb.le32(0x20)? as usize;
    if sum_at != 0 {
        let whole = look.fields(SUPERBLOCK, LEN)?;
        ensure(sum_at.is_multiple_of(4))?;
        let sum = crc32_from(INITIAL_CRC, &[whole.bytes(0, sum_at)?]);
        ensure(sum == whole.le32(sum_at)?)?;
    }
    let log = Some(sb.le32(0x10)?).filter(|&log| log <= MAX_LOG_BLOCK_SIZE);
    named(
        dotted(version.0.into(), version.1.into()),
        sb.uuid(0x6c),
        unicode(sb.bytes(0x7c, 1024)?, Units::Utf16Le),
        log.map_or(0, |log| 1 << log),
    )
}

pub(super) const F2FS: Format = Format {
    name: "f2fs",
    read,
    ..FILESYSTEM
};
