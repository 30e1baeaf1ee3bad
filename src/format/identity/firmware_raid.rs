//! Members of arrays that firmware and host adapters make: DDF, Intel Matrix Storage and others.
//!
//! All keep their metadata at the end of the disk, so that a member of a mirror looks like the
//! file system on it. They are told apart so that nobody mounts one. All but DDF are looked for on
//! whole disks only. Promise FastTrak has thirteen places to look at and is not recognised.
//! Sources: SNIA Common RAID DDF 2.0, 4.2; mdadm `super-intel.c`; libblkid for the others.

use super::checksum::crc32_from;
use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, dotted, ensure, label, named};
use super::{Range, Signature, Usage};
use alloc::string::String;

const DDF_MAGIC: &[u8] = b"\xde\x11\xde\x11";
/// Sectors from the end where the anchor lies; the second place is Adaptec's.
const DDF_PLACES: [u64; 2] = [1, 257];

/// The structure that begins `sectors` before the end of a whole disk.
fn at_end<'a>(look: &Look<'a>, sectors: u64, len: usize) -> Option<Fields<'a>> {
    ensure(!look.is_partition())?;
    look.fields(from_end(look.size(), sectors)?, len)
}

fn from_end(size: u64, sectors: u64) -> Option<u64> {
    Some((size >> 9).checked_sub(sectors)? << 9)
}

/// What a first look should bring beyond the last sectors.
pub(super) fn first_look(size: u64) -> Option<Range> {
    let at = from_end(size, 257).filter(|_| size >= DDF.min_size)?;
    Some(Range { at, len: 512 })
}

fn text(raw: &[u8]) -> Option<String> {
    label(raw)?.as_str().map(String::from)
}

fn read_ddf(look: &Look) -> Option<Signature> {
    let anchors = DDF_PLACES.map(|n| look.fields(from_end(look.size(), n)?, 512));
    let header = anchors.into_iter().flatten().find(|header| {
        let sum = |h: &Fields<'_>| {
            // The field itself counts as all ones.
            let pieces = [h.bytes(0, 4)?, &[0xff; 4], h.bytes(8, 504)?];
            Some(crc32_from(0, &pieces))
        };
        header.is(0, DDF_MAGIC) && sum(header) == header.be32(4)
    })?;
    let primary = header.be64(96)?;
    if primary != 0 {
        look.magic(primary.checked_mul(512)?, DDF_MAGIC)?;
    }
    let version = text(header.bytes(32, 8)?);
    named(version, text(header.bytes(8, 24)?), None, 0)
}

fn read_intel(look: &Look) -> Option<Signature> {
    ensure(!look.is_partition())?;
    let sector = u64::from(look.sector());
    let at = look.size().checked_div(sector)?.checked_sub(2)?;
    let sb = look.fields(at.checked_mul(sector)?, 48)?;
    ensure(sb.is(0, b"Intel Raid ISM Cfg Sig. "))?;
    named(text(sb.bytes(24, 8)?), None, None, 0)
}

fn read_lsi(look: &Look) -> Option<Signature> {
    ensure(at_end(look, 1, 6)?.is(0, b"$XIDE$"))?;
    named(None, None, None, 0)
}

fn read_via(look: &Look) -> Option<Signature> {
    let sb = at_end(look, 1, 51)?;
    let version = sb.u8(2)?;
    ensure(sb.is(0, b"\x55\xaa") && version <= 2)?;
    let sum = sb
        .bytes(0, 50)?
        .iter()
        .fold(0u8, |sum, b| sum.wrapping_add(*b));
    ensure(sum == sb.u8(50)?)?;
    named(decimal(version.into()), None, None, 0)
}

fn sum16(bytes: &[u8]) -> u16 {
    let word = |w: &[u8]| w.try_into().map_or(0, u16::from_le_bytes);
    bytes.chunks_exact(2).map(word).fold(0, u16::wrapping_add)
}

fn read_silicon(look: &Look) -> Option<Signature> {
    let sb = at_end(look, 1, 512)?;
    ensure(sb.le32(0x60)? == 0x2f00_0000 && sb.u8(0x116)? < 8)?;
    ensure(sum16(sb.bytes(0, 0x140)?) == 0)?;
    let version = dotted(sb.le16(0x10a)?.into(), sb.le16(0x108)?.into());
    named(version, None, None, 0)
}

fn read_nvidia(look: &Look) -> Option<Signature> {
    let sb = at_end(look, 2, 120)?;
    ensure(sb.is(0, b"NVIDIA  ") && sb.le32(8)? == 30)?;
    let word = |w: &[u8]| w.try_into().map_or(0, u32::from_le_bytes);
    let words = sb.0.chunks_exact(4).map(word);
    ensure(words.fold(0, u32::wrapping_add) == 0)?;
    named(decimal(sb.le16(16)?.into()), None, None, 0)
}

fn read_highpoint_45x(look: &Look) -> Option<Signature> {
    let magic = at_end(look, 11, 4)?.le32(0)?;
    ensure(matches!(magic, 0x5a78_16f3 | 0x5a78_16fd))?;
    named(None, None, None, 0)
}

fn read_highpoint_37x(look: &Look) -> Option<Signature> {
    ensure(!look.is_partition())?;
    let magic = look.fields(4640, 4)?.le32(0)?;
    ensure(matches!(magic, 0x5a78_16f0 | 0x5a78_16fd))?;
    named(None, None, None, 0)
}

fn read_adaptec(look: &Look) -> Option<Signature> {
    let sb = at_end(look, 1, 512)?;
    ensure(sb.is(0, b"\x37\xfc\x4d\x1e") && sb.is(256, b"DPTM"))?;
    named(decimal(sb.u8(63)?.into()), None, None, 0)
}

fn read_jmicron(look: &Look) -> Option<Signature> {
    let sb = at_end(look, 1, 128)?;
    ensure(sb.is(0, b"JM") && sum16(sb.0) <= 1 && sb.u8(0x30)? <= 5)?;
    named(dotted(sb.u8(3)?.into(), sb.u8(2)?.into()), None, None, 0)
}

/// The record of a member.
const fn member(name: &'static str, read: fn(&Look) -> Option<Signature>) -> Format {
    Format {
        name,
        usage: Usage::Raid,
        min_size: 0x10000,
        read,
        ..FILESYSTEM
    }
}

pub(super) const DDF: Format = Format {
    min_size: 0x30000,
    ..member("ddf_raid_member", read_ddf)
};
pub(super) const INTEL: Format = member("isw_raid_member", read_intel);
pub(super) const LSI: Format = member("lsi_mega_raid_member", read_lsi);
pub(super) const VIA: Format = member("via_raid_member", read_via);
pub(super) const SILICON: Format = member("silicon_medley_raid_member", read_silicon);
pub(super) const NVIDIA: Format = member("nvidia_raid_member", read_nvidia);
pub(super) const HIGHPOINT_45X: Format = member("hpt45x_raid_member", read_highpoint_45x);
pub(super) const HIGHPOINT_37X: Format = Format {
    min_size: 0,
    ..member("hpt37x_raid_member", read_highpoint_37x)
};
pub(super) const ADAPTEC: Format = member("adaptec_raid_member", read_adaptec);
pub(super) const JMICRON: Format = member("jmicron_raid_member", read_jmicron);
