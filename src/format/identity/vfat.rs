//! FAT12, FAT16, FAT32: serial number and the label of the root directory.
//!
//! FAT has no magic that can be relied on, so the plausibility of the parameter block decides.
//! The copy of the label in the boot sector is stale on many media and is not reported.
//! Source: Microsoft FAT specification 1.03, and what libblkid accepts beyond it.

use super::fields::{Fields, Format, Look, ensure, label, serial_number};
use super::{Signature, Usage};
use crate::base::bytes;
use crate::base::text::Text;

/// (offset, magic): any one of them makes the sector worth a look.
const MAGICS: [(usize, &[u8]); 9] = [
    (0x52, b"MSWIN"),
    (0x52, b"FAT32   "),
    (0x36, b"MSDOS"),
    (0x36, b"FAT16   "),
    (0x36, b"FAT12   "),
    (0x36, b"FAT     "),
    (0x00, b"\xeb"),
    (0x00, b"\xe9"),
    (0x1fe, b"\x55\xaa"),
];
/// What another file system (or BitLocker) writes into a boot sector that looks like FAT's.
const NOT_FAT: [(usize, &[u8]); 3] = [(0x36, b"JFS     "), (0x36, b"HPFS    "), (3, b"-FVE-FS-")];
const FAT12_MAX: u64 = 0xff4;
const FAT16_MAX: u64 = 0xfff4;
const FAT32_MAX: u64 = 0x0fff_fff6;

/// The label is written when the file system is made and is one of the first entries. Reads are
/// bounded: this many bytes of one directory extent, this many clusters of a FAT32 directory.
const MAX_DIRECTORY: u64 = 64 * 1024;
const MAX_CLUSTERS: usize = 32;

/// Where things are. Sectors are the file system's own.
struct Shape {
    sector_bytes: u64,
    cluster_sectors: u64,
    /// First sector of the first FAT.
    fat: u64,
    /// First sector after the FATs: the root directory of FAT12/16, the data of FAT32.
    after_fats: u64,
    root_entries: u64,
    clusters: u64,
    /// Sectors of one FAT, if this is FAT32.
    fat32: Option<u64>,
}

/// Does the first sector describe a FAT that can be? Also asked where a partition table with the
/// same magic is looked for.
fn shape(bs: Fields<'_>) -> Option<Shape> {
    let magic = MAGICS.iter().find(|(at, magic)| bs.is(*at, magic));
    ensure(magic?.1.len() > 2 || bs.is(0x1fe, b"\x55\xaa"))?;
    ensure(!NOT_FAT.iter().any(|(at, magic)| bs.is(*at, magic)))?;

    let (fats, media) = (u64::from(bs.u8(0x10)?), bs.u8(0x15)?);
    let reserved = u64::from(bs.le16(0x0e)?);
    ensure(fats != 0 && reserved != 0 && (media >= 0xf8 || media == 0xf0))?;
    let cluster_sectors = u64::from(bs.u8(0x0d)?);
    let sector_bytes = u64::from(bs.le16(0x0b)?);
    ensure(cluster_sectors.is_power_of_two())?;
    ensure(sector_bytes.is_power_of_two() && (512..=4096).contains(&sector_bytes))?;

    let short = |at, long| match bs.le16(at)? {
        0 => bs.le32(long).map(u64::from),
        n => Some(u64::from(n)),
    };
    let (sectors, fat_sectors) = (short(0x13, 0x20)?, short(0x16, 0x24)?);
    let fat32 = (bs.le16(0x16)? == 0 && fat_sectors != 0).then_some(fat_sectors);
    let root_entries = u64::from(bs.le16(0x11)?);
    let after_fats = reserved.saturating_add(fat_sectors.saturating_mul(fats));
    let root_sectors = root_entries.saturating_mul(32).div_ceil(sector_bytes);
    let data = sectors.checked_sub(after_fats.saturating_add(root_sectors));
    let clusters = data? >> cluster_sectors.trailing_zeros();
    ensure(
        clusters
            <= if fat32.is_some() {
                FAT32_MAX
            } else {
                FAT16_MAX
            },
    )?;
    Some(Shape {
        sector_bytes,
        cluster_sectors,
        fat: reserved,
        after_fats,
        root_entries,
        clusters,
        fat32,
    })
}

/// Is the first sector the boot sector of a FAT, and so not a partition table?
pub(super) fn is_fat(sector: Fields<'_>) -> bool {
    shape(sector).is_some()
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let bs = look.fields(0, 512)?;
    let shape = shape(bs)?;
    if shape.fat32.is_some() {
        info_sector(look, bs, shape.sector_bytes)?;
        out.set_version("FAT32");
        out.set_id(serial_number(bs.bytes(0x43, 4)?));
        out.label = label_fat32(look, bs, &shape);
    } else {
        match shape.clusters {
            0..FAT12_MAX => out.set_version("FAT12"),
            FAT12_MAX..FAT16_MAX => out.set_version("FAT16"),
            _ => {}
        }
        if matches!(bs.u8(0x26)?, 0x28 | 0x29) {
            out.set_id(serial_number(bs.bytes(0x27, 4)?));
        }
        out.label = label_fat16(look, &shape);
    }
    out.block_size = u32::try_from(shape.sector_bytes).unwrap_or(0);
    Some(())
}

/// The information sector of a FAT32 has two magics; some makers leave them zero.
fn info_sector(look: &Look, bs: Fields<'_>, sector_bytes: u64) -> Option<()> {
    let number = u64::from(bs.le16(0x30)?);
    if number == 0 {
        return Some(());
    }
    let info = look.fields(number.saturating_mul(sector_bytes), 512)?;
    let zero = [0; 4];
    ensure(info.is(0, b"RRaA") || info.is(0, b"RRdA") || info.is(0, &zero))?;
    ensure(info.is(484, b"rrAa") || info.is(484, &zero))
}

/// FAT12 and FAT16 have their root directory after the tables.
fn label_fat16(look: &Look, shape: &Shape) -> Option<Text> {
    let at = shape.after_fats.saturating_mul(shape.sector_bytes);
    match directory(look, at, shape.root_entries.saturating_mul(32))? {
        Entries::Named(label) => label,
        Entries::More => None,
    }
}

/// Follows the root directory's chain of clusters to the label.
fn label_fat32(look: &Look, bs: Fields<'_>, shape: &Shape) -> Option<Text> {
    let fat = shape.fat.saturating_mul(shape.sector_bytes);
    let fat_bytes = shape.fat32?.saturating_mul(shape.sector_bytes);
    let mut next = u64::from(bs.le32(0x2c)?);
    for _ in 0..MAX_CLUSTERS {
        let in_fat = next.saturating_mul(4);
        ensure(in_fat < fat_bytes)?;
        let sector = next.checked_sub(2)?.saturating_mul(shape.cluster_sectors);
        let at = sector.saturating_add(shape.after_fats);
        let at = at.saturating_mul(shape.sector_bytes);
        let len = shape.cluster_sectors.saturating_mul(shape.sector_bytes);
        if let Entries::Named(label) = directory(look, at, len)? {
            return label;
        }
        let link = look.fields(fat.saturating_add(in_fat), 4)?;
        next = u64::from(link.le32(0)? & 0x0fff_ffff);
    }
    None
}

/// What a piece of a directory says.
enum Entries {
    /// The label is here, or the directory ends here without one.
    Named(Option<Text>),
    /// The directory goes on.
    More,
}

/// Looks for the label in `len` bytes of directory.
fn directory(look: &Look, at: u64, len: u64) -> Option<Entries> {
    let len = usize::try_from(len.min(MAX_DIRECTORY)).ok()?;
    for entry in look.fields(at, len)?.0.chunks_exact(32).map(Fields) {
        let (first, attributes) = (entry.u8(0)?, entry.u8(11)?);
        if first == 0 {
            return Some(Entries::Named(None));
        }
        let long_name = attributes & 0x3f == 0x0f;
        let empty = entry.le16(20)? == 0 && entry.le16(26)? == 0;
        let volume_not_directory = attributes & 0x18 == 0x08;
        if first != 0xe5 && empty && volume_not_directory && !long_name {
            let mut name: [u8; 11] = bytes::array(entry.0, 0)?;
            if let (0x05, Some(kanji)) = (first, name.first_mut()) {
                *kanji = 0xe5;
            }
            return Some(Entries::Named(label(&name)));
        }
    }
    Some(Entries::More)
}

pub(super) const VFAT: Format = Format {
    name: "vfat",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read,
};
