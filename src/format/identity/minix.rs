//! Minix, versions 1 to 3, in either byte order. It has neither UUID nor label.
//!
//! The magic is two bytes and lies where ext and EROFS have counters, so these are ruled out.
//! Source: Linux 6.12 `include/uapi/linux/minix_fs.h`.

use super::fields::{FILESYSTEM, Fields, Format, Look, ensure};
use super::{Signature, readonly};

/// VALID_FS, ERROR_FS.
const STATES: u16 = 3;
/// Bits in a block of a bitmap.
const BITMAP: u64 = 1024 * 8;

#[inline(never)]
fn short(sb: Fields<'_>, big: bool, at: usize) -> u16 {
    let value = if big { sb.be16(at) } else { sb.le16(at) };
    value.unwrap_or(0)
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(1024, 64)?;
    ensure(!sb.is(0x38, b"\x53\xef") && readonly::erofs_magic(look).is_none())?;
    let version = |big| {
        let magics = (short(sb, big, 16), short(sb, big, 24));
        match magics {
            (0x137f | 0x138f, _) => Some((1, big)),
            (0x2468 | 0x2478, _) => Some((2, big)),
            (_, 0x4d5a) => Some((3, big)),
            _ => None,
        }
    };
    let (version, big) = version(false).or_else(|| version(true))?;
    let short = |at| short(sb, big, at);
    let long = |at: usize| {
        let (a, b) = (short(at), short(at.saturating_add(2)));
        let (high, low) = if big { (a, b) } else { (b, a) };
        u64::from(high) << 16 | u64::from(low)
    };
    let zones = if version == 1 {
        short(2).into()
    } else {
        long(20)
    };
    let (inodes, maps, block) = if version == 3 {
        (long(0), 6, short(28))
    } else {
        ensure(short(18) & !STATES == 0)?;
        (short(0).into(), 4, 1024)
    };
    // Blocks of the map of inodes, of that of zones, the first zone, the size of a zone.
    let field = |n: usize| u64::from(short(n.saturating_add(maps)));
    let bits = |blocks: u64| blocks.saturating_mul(BITMAP);
    ensure(field(6) == 0 && inodes != 0 && inodes != u64::from(u32::MAX))?;
    ensure(bits(field(0)) > inodes)?;
    ensure(bits(field(2)) > zones.checked_sub(field(4))?)?;
    out.set_number(version);
    out.block_size = block.into();
    Some(())
}

pub(super) const MINIX: Format = Format {
    name: "minix",
    read,
    ..FILESYSTEM
};
