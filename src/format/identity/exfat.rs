//! exFAT: serial number and the label in the root directory.
//!
//! The checksum over the boot region stands for all that the region says.
//! Source: Microsoft exFAT file system specification, revision 1.00, sections 3.1, 3.4, 7.3.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure, serial_number};

/// Sectors that the boot checksum covers; the next one is filled with it.
const CHECKED: usize = 11;
/// Bytes that change in use and are left out: VolumeFlags, PercentInUse.
const NOT_CHECKED: [usize; 3] = [106, 107, 112];
/// The label is one of the first entries. Reads are bounded: this many bytes of a cluster, this
/// many clusters.
const MAX_DIRECTORY: u32 = 64 * 1024;
const MAX_CLUSTERS: usize = 32;
const LABEL_ENTRY: u8 = 0x83;

/// The boot sector, and two to this power bytes are in a sector and in a cluster.
fn boot_sector<'a>(look: &Look<'a>) -> Option<(Fields<'a>, u8, u8)> {
    let bs = look.fields(0, 512)?;
    ensure(bs.is(0, b"\xeb\x76\x90EXFAT   ") && bs.is(510, b"\x55\xaa"))?;
    let sector_log = bs.u8(108)?;
    let cluster_log = sector_log.checked_add(bs.u8(109)?)?;
    ensure((9..=12).contains(&sector_log) && cluster_log <= 25)?;

    let sector = 1usize << sector_log;
    let region = look.fields(0, sector.saturating_mul(12))?;
    let (bytes, sums) = region.0.split_at_checked(sector.saturating_mul(CHECKED))?;
    let mut sum = 0u32;
    for (i, &byte) in bytes.iter().enumerate() {
        if !NOT_CHECKED.contains(&i) {
            sum = sum.rotate_right(1).wrapping_add(byte.into());
        }
    }
    ensure(sums.chunks_exact(4).all(|s| s == sum.to_le_bytes()))?;
    Some((bs, sector_log, cluster_log))
}

/// Is the first sector the boot sector of an exFAT, and so not a partition table?
pub(super) fn is_exfat(look: &Look) -> bool {
    boot_sector(look).is_some()
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let (bs, sector_log, cluster_log) = boot_sector(look)?;
    out.set_dotted(bs.u8(105)?.into(), bs.u8(104)?.into());
    out.set_id(serial_number(bs.bytes(100, 4)?));
    out.block_size = 1 << sector_log;
    label(look, bs, sector_log, cluster_log, out);
    Some(())
}

/// Follows the root directory's chain of clusters to the label.
fn label(
    look: &Look,
    bs: Fields<'_>,
    sector_log: u8,
    cluster_log: u8,
    out: &mut Signature,
) -> Option<()> {
    let sectors = |n: u32| u64::from(n) << sector_log;
    let len = (1u32 << cluster_log).min(MAX_DIRECTORY) as usize;
    let mut cluster = bs.le32(96)?;
    for _ in 0..MAX_CLUSTERS {
        let in_heap = u64::from(cluster.checked_sub(2)?) << cluster_log;
        let at = in_heap.saturating_add(sectors(bs.le32(88)?));
        for entry in look.fields(at, len)?.0.chunks_exact(32).map(Fields) {
            let kind = entry.u8(0)?;
            if kind == LABEL_ENTRY {
                let letters = usize::from(entry.u8(1)?.min(11));
                out.set_unicode(entry.bytes(2, letters << 1)?, Units::Utf16Le);
            }
            ensure(kind != 0 && kind != LABEL_ENTRY)?;
        }
        let link = sectors(bs.le32(80)?).saturating_add(u64::from(cluster) << 2);
        cluster = look.fields(link, 4)?.le32(0)?;
    }
    None
}

pub(super) const EXFAT: Format = Format {
    name: "exfat",
    read,
    ..FILESYSTEM
};
