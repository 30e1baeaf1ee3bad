//! Superblocks of versions 1.0, 1.1 and 1.2: little-endian, with a table of roles behind.

use super::level::Level;
use super::superblock::{
    Features, Id, Reshape, Role, SIZE, Superblock, Version, is_version_1, sum,
};
use crate::base::bytes::{array, le16, le32, le64, slice, u8, until_nul};
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The table of roles begins here.
const FIXED: usize = 256;
/// As many roles as fit behind the fixed part; the kernel takes no more.
const MAX_DEVICES: u32 = ((SIZE - FIXED) / 2) as u32;

const BITMAP: u32 = 1;
const RECOVERY_OFFSET: u32 = 2;
const RESHAPE: u32 = 4;
const BAD_BLOCKS: u32 = 8;
const REPLACEMENT: u32 = 16;
const BACKWARDS: u32 = 32;
const NEW_OFFSET: u32 = 64;
const CLUSTERED: u32 = 256;
const JOURNAL: u32 = 512;
const PARTIAL_PARITY: u32 = 1024 | 2048;
const RAID0_LAYOUT: u32 = 4096;
/// What a kernel of today knows; with anything else it refuses.
const KNOWN: u32 = 0x1fff;

const FAULTY: u16 = 0xfffe;
const IS_JOURNAL: u16 = 0xfffd;
/// Roles below are slots.
const SLOTS: u16 = 0xff00;

pub(super) fn read(
    version: Version,
    bytes: &[u8],
    place: u64,
    size: u64,
) -> Option<Result<Superblock, String>> {
    is_version_1(bytes, place)?.then_some(())?;
    let checked = check(bytes).and_then(|()| {
        let cut = || String::from("its superblock is cut short");
        let found = fields(version, bytes).ok_or_else(cut)?;
        fits(&found, version, size).map(|()| found)
    });
    Some(checked)
}

fn check(bytes: &[u8]) -> Result<(), String> {
    let word = |at| le32(bytes, at).unwrap_or(0);
    let devices = word(220);
    if devices > MAX_DEVICES {
        return Err(format!("its superblock speaks of {devices} devices"));
    }
    let length = FIXED.saturating_add((devices as usize).saturating_mul(2));
    let covered = slice(bytes, 0, length).ok_or("its superblock is cut short")?;
    let total = sum(covered, 216 / 4);
    let folded = (total as u32).wrapping_add((total >> 32) as u32);
    if folded != word(216) {
        return Err(String::from("the checksum of its superblock does not hold"));
    }
    let unknown = word(8) & !KNOWN;
    if unknown != 0 {
        return Err(format!(
            "its superblock has features {unknown:#x}, which are unknown"
        ));
    }
    Ok(())
}

/// Data that the superblock speaks of must lie on the device.
fn fits(sb: &Superblock, version: Version, size: u64) -> Result<(), String> {
    let sectors = size >> 9;
    let end = sb.data_offset.checked_add(sb.data_size);
    let used = sb.data_offset.checked_add(match sb.role {
        Role::Journal => 0,
        _ => sb.size,
    });
    let fits = |end: Option<u64>| end.is_some_and(|end| end <= sectors);
    if version == Version::V1_0 || (fits(end) && fits(used)) {
        return Ok(());
    }
    Err(format!(
        "it has {sectors} sectors, and its superblock speaks of more"
    ))
}

fn fields(version: Version, bytes: &[u8]) -> Option<Superblock> {
    let map = le32(bytes, 8)?;
    let has = |bit: u32| map & bit != 0;
    let reshape = has(RESHAPE).then(|| reshape(bytes, map)).flatten();
    let shrinking = reshape.map_or(0, |r| r.delta.min(0).unsigned_abs());
    let slots = le32(bytes, 92)?.saturating_add(shrinking).min(MAX_DEVICES);
    Some(Superblock {
        version,
        array: Id(array(bytes, 16)?),
        device: Some(Id(array(bytes, 168)?)),
        name: Text::from(until_nul(slice(bytes, 32, 32)?)),
        created: seconds(le64(bytes, 64)?),
        updated: seconds(le64(bytes, 192)?),
        level: Level::from_number(le32(bytes, 72)? as i32),
        layout: le32(bytes, 76)?,
        chunk: le32(bytes, 88)?.into(),
        slots,
        size: le64(bytes, 80)?,
        data_offset: le64(bytes, 128)?,
        data_size: le64(bytes, 136)?,
        role: role(bytes, has(REPLACEMENT))?,
        recovered: has(RECOVERY_OFFSET).then_some(le64(bytes, 152)?),
        write_mostly: u8(bytes, 184)? & 1 != 0,
        events: le64(bytes, 200)?,
        clean: le64(bytes, 208)? == u64::MAX,
        features: features(bytes, map)?,
        reshape,
        working: working(bytes, slots)?,
    })
}

/// The low 40 bits; microseconds are above.
const fn seconds(time: u64) -> u64 {
    time & 0xff_ffff_ffff
}

fn features(bytes: &[u8], map: u32) -> Option<Features> {
    let has = |bit: u32| map & bit != 0;
    let parity = (le16(bytes, 96)? as i16, le16(bytes, 98)?);
    Some(Features {
        bitmap: has(BITMAP).then_some(le32(bytes, 96)? as i32),
        journal: has(JOURNAL),
        partial_parity: has(PARTIAL_PARITY).then_some(parity),
        bad_blocks: has(BAD_BLOCKS),
        clustered: has(CLUSTERED),
        raid0_layout: has(RAID0_LAYOUT),
    })
}

fn reshape(bytes: &[u8], map: u32) -> Option<Reshape> {
    let offset = le32(bytes, 124)? as i32;
    Some(Reshape {
        level: Level::from_number(le32(bytes, 100)? as i32),
        position: le64(bytes, 104)?,
        delta: le32(bytes, 112)? as i32,
        layout: le32(bytes, 116)?,
        chunk: le32(bytes, 120)?.into(),
        backwards: map & BACKWARDS != 0,
        offset: (map & NEW_OFFSET != 0 && offset != 0).then_some(offset),
    })
}

fn role(bytes: &[u8], replacement: bool) -> Option<Role> {
    let number = le32(bytes, 160)?;
    if number >= le32(bytes, 220)? {
        return Some(Role::Spare);
    }
    let at = FIXED.checked_add((number as usize).checked_mul(2)?)?;
    Some(match le16(bytes, at)? {
        IS_JOURNAL => Role::Journal,
        FAULTY => Role::Faulty,
        slot if slot < SLOTS && replacement => Role::Replacement(slot.into()),
        slot if slot < SLOTS => Role::Active(slot.into()),
        _ => Role::Spare,
    })
}

/// By slot: has a device, whichever, this role?
fn working(bytes: &[u8], slots: u32) -> Option<Vec<bool>> {
    let mut working = alloc::vec![false; slots as usize];
    let length = (le32(bytes, 220)? as usize).checked_mul(2)?;
    for role in slice(bytes, FIXED, length)?.chunks_exact(2) {
        let slot = le16(role, 0)?;
        if let Some(works) = working.get_mut(usize::from(slot)) {
            *works = true;
        }
    }
    Some(working)
}
