//! XFS: identity only.
//!
//! Source: XFS Algorithms & Data Structures, 3rd edition, "Superblocks"; the plausibility checks
//! are those of the kernel's `xfs_validate_sb_common` that need the superblock alone.

use super::checksum::crc32c;
use super::fields::{Fields, Format, Look, ensure};
use super::{Signature, Usage};
use core::ops::RangeInclusive;

const VERSION_5: u16 = 5;
/// Fewest blocks in the last allocation group.
const MIN_AG_BLOCKS: u64 = 64;
/// Bytes in an extent of the real-time section.
const RT_EXTENT: RangeInclusive<u64> = 4096..=1 << 30;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 512)?;
    ensure(sb.is(0, b"XFSB"))?;
    let block = u64::from(sb.power(sb.be32(4)?, 120, 9..=16)?);
    let sector = sb.power(u32::from(sb.be16(102)?), 121, 9..=15)?;
    sb.power(u32::from(sb.be16(104)?), 122, 8..=11)?;
    ensure(sb.u8(120)?.checked_sub(sb.u8(122)?) == Some(sb.u8(123)?))?;

    ensure(RT_EXTENT.contains(&u64::from(sb.be32(80)?).saturating_mul(block)))?;
    ensure(sb.u8(127)? <= 100)?;
    let (ag_blocks, ag_count) = (u64::from(sb.be32(84)?), u64::from(sb.be32(88)?));
    let most = ag_blocks.saturating_mul(ag_count);
    let least = most.saturating_sub(ag_blocks).saturating_add(MIN_AG_BLOCKS);
    ensure(ag_count > 0 && (least..=most).contains(&sb.be64(8)?))?;

    if sb.be16(100)? & 0xf == VERSION_5 {
        let whole = look.fields(0, sector as usize)?;
        ensure(!crc32c(whole.0, 224) == sb.le32(224)?)?;
    }
    out.set_uuid(sb, 32);
    out.set_label(sb, 108, 12);
    out.block_size = sector;
    Some(())
}

impl Fields<'_> {
    /// `size`, if it is two to the power that the byte at `log_at` names, and that in `allowed`.
    fn power(self, size: u32, log_at: usize, allowed: RangeInclusive<u8>) -> Option<u32> {
        let log = self.u8(log_at)?;
        ensure(allowed.contains(&log) && size == 1 << log)?;
        Some(size)
    }
}

pub(super) const XFS: Format = Format {
    name: "xfs",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read,
};
