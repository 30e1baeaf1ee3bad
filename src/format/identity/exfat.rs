//! exFAT: serial number and the label in the root directory.
//!
//! Source: Microsoft exFAT file system specification, revision 1.00, sections 3.1, 3.4, 7.3.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units};
use super::fields::{dotted, ensure, named, serial_number, unicode};
use crate::base::text::Text;

/// Sectors that the boot checksum covers; the next one is filled with it.
const CHECKED: u32 = 11;
/// Bytes that change in use and are left out: VolumeFlags, PercentInUse.
const NOT_CHECKED: [usize; 3] = [106, 107, 112];
/// The label is one of the first entries. Reads are bounded: this many bytes of a cluster, this
/// many clusters.
const MAX_DIRECTORY: u32 = 64 * 1024;
const MAX_CLUSTERS: usize = 32;
const LABEL_ENTRY: u8 = 0x83;

/// The boot sector, if all that it says can be.
fn boot_sector<'a>(look: &Look<'a>) -> Option<Fields<'a>> {
    let bs = look.fields(0, 512)?;
    ensure(bs.is(0, b"\xeb\x76\x90EXFAT   ") && bs.is(510, b"\x55\xaa"))?;
    ensure(bs.bytes(11, 53)?.iter().all(|&b| b == 0))?;
    let (sector_log, cluster_log, fats) = (bs.u8(108)?, bs.u8(109)?, bs.u8(110)?);
    ensure((9..=12).contains(&sector_log) && (1..=2).contains(&fats))?;
    ensure(cluster_log <= 25u8.checked_sub(sector_log)?)?;
    let (fat, heap) = (bs.le32(80)?, bs.le32(88)?);
    let fat_end = fat.checked_add(bs.le32(84)?.checked_mul(fats.into())?)?;
    ensure(fat >= 24 && (fat_end..=1 << 31).contains(&heap))?;
    ensure((2..=bs.le32(92)?.saturating_add(1)).contains(&bs.le32(96)?))?;

    let sector = 1usize << sector_log;
    let region = look.fields(0, sector.saturating_mul(12))?;
    let checked = sector.saturating_mul(CHECKED as usize);
    let (bytes, sums) = region.0.split_at_checked(checked)?;
    let counted = bytes.iter().enumerate();
    let sum = counted
        .filter(|(i, _)| !NOT_CHECKED.contains(i))
        .fold(0u32, |sum, (_, &b)| {
            sum.rotate_right(1).wrapping_add(b.into())
        });
    ensure(sums.chunks_exact(4).all(|s| s == sum.to_le_bytes()))?;
    Some(bs)
}

/// Is the first sector the boot sector of an exFAT, and so not a partition table?
pub(super) fn is_exfat(look: &Look) -> bool {
    boot_sector(look).is_some()
}

fn read(look: &Look) -> Option<Signature> {
    let bs = boot_sector(look)?;
    named(
        dotted(bs.u8(105)?.into(), bs.u8(104)?.into()),
        serial_number(bs.bytes(100, 4)?),
        label(look, bs),
        1 << bs.u8(108)?,
    )
}

/// Follows the root directory's chain of clusters to the label.
fn label(look: &Look, bs: Fields<'_>) -> Option<Text> {
    let (sector_log, cluster_log) = (bs.u8(108)?, bs.u8(109)?);
    let cluster_bytes = 1u32 << cluster_log.saturating_add(sector_log);
    let bytes = |sectors: u64| sectors << sector_log;
    let mut cluster = bs.le32(96)?;
    for _ in 0..MAX_CLUSTERS {
        let in_heap = u64::from(cluster.checked_sub(2)?) << cluster_log;
        let at = bytes(in_heap.saturating_add(bs.le32(88)?.into()));
        let directory = look.fields(at, cluster_bytes.min(MAX_DIRECTORY) as usize)?;
        for entry in directory.0.chunks_exact(32).map(Fields) {
            match entry.u8(0)? {
                0 => return None,
                LABEL_ENTRY => {
                    let len = usize::from(entry.u8(1)?.min(11)).saturating_mul(2);
                    return unicode(entry.bytes(2, len)?, Units::Utf16Le);
                }
                _ => {}
            }
        }
        let link = bytes(bs.le32(80)?.into()).saturating_add(u64::from(cluster) << 2);
        cluster = look.fields(link, 4)?.le32(0)?;
    }
    None
}

pub(super) const EXFAT: Format = Format {
    name: "exfat",
    read,
    ..FILESYSTEM
};
