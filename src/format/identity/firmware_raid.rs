//! Members of arrays that firmware makes: DDF and Intel Matrix Storage.
//!
//! Both keep their metadata at the end of the disk, so that a member of a mirror looks like the
//! file system on it. What older host adapters wrote is not recognised: no kernel of today
//! assembles it. Sources: SNIA Common RAID DDF 2.0, 4.2; mdadm `super-intel.c`.

use super::checksum::{NOWHERE, crc32_from};
use super::fields::{FILESYSTEM, Format, Look, ensure};
use super::{Range, Signature, Usage};

const DDF_MAGIC: &[u8] = b"\xde\x11\xde\x11";
/// Sectors from the end where the anchor lies; the second place is Adaptec's.
const DDF_PLACES: [u64; 2] = [1, 257];
const DDF_MIN_SIZE: u32 = 192 * 1024;
const INTEL_MIN_SIZE: u32 = 64 * 1024;

fn from_end(size: u64, sectors: u64) -> Option<u64> {
    Some((size >> 9).checked_sub(sectors)? << 9)
}

/// What a first look should bring beyond the last sectors.
pub(super) fn first_look(size: u64) -> Option<Range> {
    let at = from_end(size, 257).filter(|_| size >= DDF_MIN_SIZE.into())?;
    Some(Range { at, len: 512 })
}

fn read_ddf(look: &Look, out: &mut Signature) -> Option<()> {
    for place in DDF_PLACES {
        let header = look.fields(from_end(look.size(), place)?, 512)?;
        // The field of the checksum counts as all ones.
        let mut covered = header.0.to_vec();
        covered.get_mut(4..8)?.fill(0xff);
        if !header.is(0, DDF_MAGIC) || crc32_from(0, &covered, NOWHERE) != header.be32(4)? {
            continue;
        }
        let primary = header.be64(96)?;
        ensure(primary == 0 || look.magic(primary.checked_mul(512)?, DDF_MAGIC).is_some())?;
        out.version = header.text(32, 8);
        // Often not text, and then none to us.
        out.set_id(header.text(8, 24));
        return Some(());
    }
    None
}

fn read_intel(look: &Look, out: &mut Signature) -> Option<()> {
    ensure(!look.is_partition())?;
    let sector = u64::from(look.sector());
    let at = look.size().checked_div(sector)?.checked_sub(2)?;
    let sb = look.fields(at.checked_mul(sector)?, 48)?;
    ensure(sb.is(0, b"Intel Raid ISM Cfg Sig. "))?;
    out.version = sb.text(24, 8);
    Some(())
}

pub(super) const DDF: Format = Format {
    name: "ddf_raid_member",
    usage: Usage::Raid,
    min_size: DDF_MIN_SIZE,
    read: read_ddf,
    ..FILESYSTEM
};

pub(super) const INTEL: Format = Format {
    name: "isw_raid_member",
    min_size: INTEL_MIN_SIZE,
    read: read_intel,
    ..DDF
};
