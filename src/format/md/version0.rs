//! Superblocks of version 0.90: 1024 words in the byte order of the machine that wrote them.

use super::level::Level;
use super::superblock::{Features, Id, MAGIC, Reshape, Role, SIZE, Superblock, Version, sum};
use crate::base::bytes::{le32, le64, slice};
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Devices in the table.
const DEVICES: u32 = 27;
/// Words: where the table begins, of how many an entry consists, where the device's own copy lies.
const TABLE: usize = 128;
const ENTRY: usize = 32;
const OWN: usize = 992;
const SUM: usize = 38;

const FAULTY: u32 = 1;
const ACTIVE: u32 = 1 << 1;
const SYNC: u32 = 1 << 2;
const WRITE_MOSTLY: u32 = 1 << 9;

const CLEAN: u32 = 1;
const BITMAP: u32 = 1 << 8;
/// The bitmap of this version always lies 4 KiB behind the superblock.
const BITMAP_SECTORS: i32 = 8;

pub(super) fn read(bytes: &[u8], place: u64) -> Option<Result<Superblock, String>> {
    let own_order = le32(bytes, 0)? == MAGIC;
    if !own_order {
        let foreign = le32(bytes, 0)? == MAGIC.swap_bytes() && le32(bytes, 4)? == 0;
        let why = "its superblock is in the byte order of another kind of machine: \
                   mdadm --assemble --update=byteorder rewrites it";
        return foreign.then(|| Err(String::from(why)));
    }
    (le32(bytes, 4)? == 0).then_some(())?;
    let whole = slice(bytes, 0, SIZE)?;
    let total = sum(whole, SUM);
    // Folded once by whoever makes arrays, twice by some old kernels.
    let folded = (total as u32).wrapping_add((total >> 32) as u32);
    if Some(folded) != le32(bytes, SUM.checked_mul(4)?) {
        return Some(Err(String::from(
            "the checksum of its superblock does not hold",
        )));
    }
    fields(whole, place).map(Ok)
}

fn word(bytes: &[u8], number: usize) -> Option<u32> {
    le32(bytes, number.checked_mul(4)?)
}

fn fields(bytes: &[u8], place: u64) -> Option<Superblock> {
    let word = |number| word(bytes, number);
    let minor = word(2)?;
    let mut array = [0; 16];
    for (to, number) in array.chunks_exact_mut(4).zip([5, 13, 14, 15]) {
        if number == 5 || minor >= 90 {
            to.copy_from_slice(&word(number)?.to_be_bytes());
        }
    }
    let reshape = (minor > 90).then(|| reshape(bytes)).flatten();
    let shrinking = reshape.map_or(0, |r| r.delta.min(0).unsigned_abs());
    let slots = word(10)?.saturating_add(shrinking).min(DEVICES);
    let state = word(33)?;
    let size = u64::from(word(8)?).saturating_mul(2);
    let own = word(OWN.checked_add(4)?)?;
    Some(Superblock {
        version: Version::V0,
        array: Id(array),
        device: None,
        name: Text::from(format!("{}", word(11)?)),
        created: word(6)?.into(),
        updated: word(32)?.into(),
        level: Level::from_number(word(7)? as i32),
        layout: word(64)?,
        chunk: u64::from(word(65)?) >> 9,
        slots,
        size,
        data_offset: 0,
        // Linear and 0 use whatever lies before the superblock.
        data_size: place >> 9,
        role: role(own, word(OWN.checked_add(3)?)?),
        recovered: None,
        write_mostly: own & WRITE_MOSTLY != 0,
        events: u64::from(word(40)?) << 32 | u64::from(word(39)?),
        clean: state & CLEAN != 0,
        features: Features {
            bitmap: (state & BITMAP != 0).then_some(BITMAP_SECTORS),
            ..Features::default()
        },
        reshape,
        working: working(bytes, slots)?,
    })
}

fn reshape(bytes: &[u8]) -> Option<Reshape> {
    let position = le64(bytes, 44 * 4)?;
    let delta = word(bytes, 47)? as i32;
    (position != u64::MAX).then_some(Reshape {
        position,
        level: Level::from_number(word(bytes, 46)? as i32),
        delta,
        layout: word(bytes, 48)?,
        chunk: u64::from(word(bytes, 49)?) >> 9,
        backwards: delta < 0,
        offset: None,
    })
}

fn role(state: u32, slot: u32) -> Role {
    if state & FAULTY != 0 {
        Role::Faulty
    } else if state & ACTIVE != 0 && state & SYNC != 0 {
        Role::Active(slot)
    } else {
        Role::Spare
    }
}

fn working(bytes: &[u8], slots: u32) -> Option<Vec<bool>> {
    let mut working = alloc::vec![false; slots as usize];
    for number in 0..DEVICES as usize {
        let at = TABLE.checked_add(number.checked_mul(ENTRY)?)?;
        let slot = word(bytes, at.checked_add(3)?)?;
        let state = word(bytes, at.checked_add(4)?)?;
        let works = state & (ACTIVE | SYNC | FAULTY) == ACTIVE | SYNC;
        if let Some(entry) = working.get_mut(slot as usize)
            && works
        {
            *entry = true;
        }
    }
    Some(working)
}
