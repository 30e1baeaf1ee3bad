//! Minix, versions 1 to 3, in either byte order. It has neither UUID nor label.
//!
//! The magic is two bytes and lies where ext and EROFS have counters, so these are ruled out.
//! Source: Linux 6.12 `include/uapi/linux/minix_fs.h`.

use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, ensure, named};
use super::{Signature, readonly};

const MAGICS: [(u16, u8); 4] = [(0x137f, 1), (0x138f, 1), (0x2468, 2), (0x2478, 2)];
const MAGIC_3: u16 = 0x4d5a;
/// VALID_FS, ERROR_FS.
const STATES: u16 = 3;
/// Bits in a block of a bitmap.
const BITMAP: u64 = 1024 * 8;

fn read(look: &Look) -> Option<Signature> {
    let sb = look.fields(1024, 32)?;
    ensure(look.magic(1024 + 0x38, b"\x53\xef").is_none())?;
    ensure(readonly::erofs_magic(look).is_none())?;
    superblock(sb, false).or_else(|| superblock(sb, true))
}

fn superblock(sb: Fields<'_>, big: bool) -> Option<Signature> {
    let short = |at| if big { sb.be16(at) } else { sb.le16(at) };
    let long = |at| if big { sb.be32(at) } else { sb.le32(at) };
    let magic = short(16)?;
    let old = MAGICS.iter().find(|(known, _)| *known == magic);
    let (version, inodes, maps, zones) = match old {
        Some((_, version)) => {
            ensure(short(18)? & !STATES == 0)?;
            let zones = if *version == 1 {
                short(2)?.into()
            } else {
                long(20)?
            };
            (*version, short(0)?.into(), 4, zones)
        }
        None => {
            ensure(short(24)? == MAGIC_3)?;
            (3, long(0)?, 6, long(20)?)
        }
    };
    let (inodes, zones) = (u64::from(inodes), u64::from(zones));
    let field = |n: usize| short(n.saturating_add(maps)).map(u64::from);
    let (first_zone, log_zone_size) = (field(4)?, field(6)?);
    let bits = |blocks: u64| blocks.saturating_mul(BITMAP);
    ensure(log_zone_size == 0 && inodes != 0 && inodes != u64::from(u32::MAX))?;
    ensure(bits(field(0)?) > inodes)?;
    ensure(bits(field(2)?) > zones.checked_sub(first_zone)?)?;
    let block = if version == 3 { short(28)? } else { 1024 };
    named(decimal(version.into()), None, None, block.into())
}

pub(super) const MINIX: Format = Format {
    name: "minix",
    read,
    ..FILESYSTEM
};
