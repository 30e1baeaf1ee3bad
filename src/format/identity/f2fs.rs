//! F2FS: identity only, from the first superblock.
//!
//! Source: Linux 6.12 `include/linux/f2fs_fs.h` (struct f2fs_super_block).

use super::Signature;
use super::checksum::{NOWHERE, crc32_from};
use super::fields::{FILESYSTEM, Format, Look, Units, ensure};

const SUPERBLOCK: u64 = 1024;
const MAGIC: &[u8] = b"\x10\x20\xf5\xf2";
/// The checksum starts from the magic.
const INITIAL_CRC: u32 = 0xf2f5_2010;
/// The block that the superblock has for itself: a checksum lies inside.
const LEN: usize = 4096;
const MAX_LOG_BLOCK_SIZE: u32 = 16;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    look.magic(SUPERBLOCK, MAGIC)?;
    let sb = look.fields(SUPERBLOCK, LEN)?;
    let (major, minor) = (sb.le16(4)?, sb.le16(6)?);
    if (major, minor) == (1, 0) {
        // Its layout was another one.
        return Some(());
    }
    let sum_at = sb.le32(0x20)? as usize;
    if sum_at != 0 {
        let sum = crc32_from(INITIAL_CRC, sb.bytes(0, sum_at)?, NOWHERE);
        ensure(sum == sb.le32(sum_at)?)?;
    }
    let log = sb.le32(0x10)?;
    if log <= MAX_LOG_BLOCK_SIZE {
        out.block_size = 1 << log;
    }
    out.set_dotted(major.into(), minor.into());
    out.set_uuid(sb, 0x6c);
    out.set_unicode(sb.bytes(0x7c, 1024)?, Units::Utf16Le);
    Some(())
}

pub(super) const F2FS: Format = Format {
    name: "f2fs",
    read,
    ..FILESYSTEM
};
