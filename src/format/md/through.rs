//! Looking through an array: its size, and where its bytes lie, without starting it.
//!
//! Linear, 0, 1 and 10 keep data as they are; so do the levels with parity, but theirs is not
//! looked through: only an array that runs knows what a crash left. Offsets are those of the
//! kernel's `drivers/md/raid0.c` (map_sector), `md-linear.c`, `raid10.c` (__raid10_find_phys).

use super::array::Verdict;
use super::level::{Level, raid10_copies};
use super::superblock::{Role, Superblock};
use crate::format::through::{Piece, Pieces, chunks};
use alloc::vec::Vec;

const SECTOR: u64 = 512;
/// raid0 over members of unequal sizes: of two layouts this is the older.
const RAID0_ORIGINAL: u32 = 1;
const RAID0_ALTERNATE: u32 = 2;
/// raid10: copies lie in the next row, not in the second half of each member.
const FAR_OFFSET: u32 = 1 << 16;
/// raid10: far copies stay within sets of members.
const FAR_SETS: u32 = 0b11 << 17;

/// An array that was judged. Members are named by their place in what was judged.
pub struct Array<'a> {
    speaker: &'a Superblock,
    slots: Vec<Option<(usize, &'a Superblock)>>,
}

impl<'a> Array<'a> {
    /// `None`: nobody speaks for it.
    pub fn new(members: &[&'a Superblock], verdict: &Verdict) -> Option<Self> {
        let speaker = *members.get(verdict.speaker?)?;
        let mut slots = alloc::vec![None; speaker.slots as usize];
        for &at in &verdict.add {
            let sb = *members.get(at)?;
            if let (Role::Active(slot), true) = (sb.role, sb.in_sync())
                && let Some(place) = slots.get_mut(slot as usize)
            {
                *place = Some((at, sb));
            }
        }
        Some(Self { speaker, slots })
    }

    /// Sectors that the running array has. `None`: a member that counts is missing, or nonsense.
    pub fn sectors(&self) -> Option<u64> {
        let sb = self.speaker;
        let members = u64::from(sb.slots);
        let whole = |size: u64| size.checked_sub(size.checked_rem(sb.chunk)?);
        let parity = |drop: u64| whole(sb.size)?.checked_mul(members.checked_sub(drop)?);
        match sb.level {
            Level::Raid1 => Some(sb.size),
            Level::Raid4 | Level::Raid5 => parity(1),
            Level::Raid6 => parity(2),
            Level::Raid10 => {
                let (near, far) = raid10_copies(sb.layout);
                let rows = sb.size.checked_div(sb.chunk)?.checked_div(far.into())?;
                let chunks = rows.checked_mul(members)?.checked_div(near.into())?;
                chunks.checked_mul(sb.chunk)
            }
            Level::Linear | Level::Raid0 => {
                let mut sizes = self.slots.iter().map(|slot| self.used(*slot));
                sizes.try_fold(0u64, |sum, size| sum.checked_add(size?))
            }
            Level::Other(_) => None,
        }
    }

    /// Sectors that are used of a member where each may have its own size.
    fn used(&self, slot: Option<(usize, &Superblock)>) -> Option<u64> {
        let (_, sb) = slot?;
        match sb.data_size.checked_rem(self.speaker.chunk) {
            Some(rest) => sb.data_size.checked_sub(rest),
            // Linear arrays need no chunks.
            None => Some(sb.data_size),
        }
    }

    /// Where `length` bytes at `offset` of the array lie. `None`: outside, not to be looked
    /// through, or on a member that is missing.
    pub fn pieces(&self, offset: u64, length: u64) -> Option<Vec<Piece<usize>>> {
        let sb = self.speaker;
        let end = offset.checked_add(length)?;
        let inside = end <= self.sectors()?.checked_mul(SECTOR)?;
        (inside && sb.reshape.is_none()).then_some(())?;
        let mut found = Pieces::new();
        match sb.level {
            Level::Linear => self.linear(offset, length, &mut found)?,
            Level::Raid0 => self.raid0(offset, length, &mut found)?,
            Level::Raid1 => {
                let mut there = (0..self.slots.len()).filter(|&slot| self.has(slot));
                self.push(&mut found, there.next()?, offset, length)?;
            }
            Level::Raid10 => self.raid10(offset, length, &mut found)?,
            _ => return None,
        }
        Some(found.finish())
    }

    fn has(&self, slot: usize) -> bool {
        matches!(self.slots.get(slot), Some(Some(_)))
    }

    fn push(&self, found: &mut Pieces<usize>, slot: usize, at: u64, length: u64) -> Option<()> {
        let (member, sb) = (*self.slots.get(slot)?)?;
        let start = sb.data_offset.checked_mul(SECTOR)?;
        found.push(member, start.checked_add(at)?, length)
    }

    fn linear(&self, offset: u64, length: u64, found: &mut Pieces<usize>) -> Option<()> {
        let (mut at, mut left) = (offset, length);
        for slot in 0..self.slots.len() {
            let size = self.used(*self.slots.get(slot)?)?.checked_mul(SECTOR)?;
            if at >= size {
                at = at.checked_sub(size)?;
                continue;
            }
            let part = left.min(size.checked_sub(at)?);
            if part > 0 {
                self.push(found, slot, at, part)?;
            }
            left = left.checked_sub(part)?;
            at = 0;
        }
        (left == 0).then_some(())
    }

    /// Members of unequal sizes make zones: in each, those take part that have room left.
    fn raid0(&self, offset: u64, length: u64, found: &mut Pieces<usize>) -> Option<()> {
        let chunk = self.speaker.chunk.checked_mul(SECTOR)?;
        let zones = self.zones()?;
        let known = [RAID0_ORIGINAL, RAID0_ALTERNATE].contains(&self.speaker.layout);
        (zones.len() < 2 || known).then_some(())?;
        chunks(offset, length, chunk, &mut |number, inside, part| {
            let (zone, before) = zone_of(&zones, number)?;
            let count = zone.members;
            let in_zone = number.checked_sub(before)?;
            // The original layout counts from the start of the array, and not of the zone.
            let turn = match self.speaker.layout {
                RAID0_ORIGINAL => number,
                _ => in_zone,
            };
            let slot = self.member_of(zone, turn.checked_rem(count)?)?;
            let row = zone.start.checked_add(in_zone.checked_div(count)?)?;
            let at = row.checked_mul(chunk)?.checked_add(inside)?;
            self.push(found, slot, at, part)
        })
    }

    fn zones(&self) -> Option<Vec<Zone>> {
        let mut sizes = Vec::new();
        for slot in &self.slots {
            sizes.push(self.used(*slot)?.checked_div(self.speaker.chunk)?);
        }
        let mut zones = Vec::new();
        let mut start = 0;
        // Each round uses up the smallest member that has room left.
        while let Some(end) = sizes.iter().copied().filter(|&size| size > start).min() {
            zones.push(Zone {
                start,
                rows: end.checked_sub(start)?,
                members: sizes.iter().filter(|&&size| size > start).count() as u64,
            });
            start = end;
        }
        Some(zones)
    }

    /// The slot whose turn it is among those that reach into the zone.
    fn member_of(&self, zone: &Zone, turn: u64) -> Option<usize> {
        let reaches = |slot: &usize| {
            let used = self.slots.get(*slot).and_then(|&slot| self.used(slot));
            let rows = used.and_then(|used| used.checked_div(self.speaker.chunk));
            rows.is_some_and(|rows| rows > zone.start)
        };
        let mut slots = (0..self.slots.len()).filter(reaches);
        slots.nth(usize::try_from(turn).ok()?)
    }

    fn raid10(&self, offset: u64, length: u64, found: &mut Pieces<usize>) -> Option<()> {
        let chunk = self.speaker.chunk.checked_mul(SECTOR)?;
        chunks(offset, length, chunk, &mut |number, inside, part| {
            let (slot, row) = self.raid10_copy(number)?;
            let at = row.checked_mul(chunk)?.checked_add(inside)?;
            self.push(found, slot, at, part)
        })
    }

    /// Slot and row of the first copy of a chunk whose member is there.
    fn raid10_copy(&self, number: u64) -> Option<(usize, u64)> {
        let sb = self.speaker;
        let members = u64::from(sb.slots);
        let (near, far) = raid10_copies(sb.layout);
        let (near, far) = (u64::from(near), u64::from(far));
        let rows = sb.size.checked_div(sb.chunk)?;
        let stride = match sb.layout & FAR_OFFSET {
            0 => self.raid10_stride(rows, near, far)?,
            _ => 1,
        };
        let first = number.checked_mul(near)?;
        for copy in 0..near {
            let place = first.checked_add(copy)?;
            let mut row = place.checked_div(members)?;
            if sb.layout & FAR_OFFSET != 0 {
                row = row.checked_mul(far)?;
            }
            // With sets, which member has a far copy is another matter: the first is enough.
            let looks = if sb.layout & FAR_SETS == 0 { far } else { 1 };
            for look in 0..looks {
                let slot = place.checked_add(look.checked_mul(near)?)?;
                let slot = slot.checked_rem(members)? as usize;
                let row = row.checked_add(look.checked_mul(stride)?)?;
                if self.has(slot) {
                    return Some((slot, row));
                }
            }
        }
        None
    }

    /// Rows from a copy to the next far one.
    fn raid10_stride(&self, rows: u64, near: u64, far: u64) -> Option<u64> {
        let members = u64::from(self.speaker.slots);
        let each = rows.checked_div(far)?;
        let chunks = each.checked_mul(members)?.checked_div(near)?;
        let copies = chunks.checked_mul(near)?.checked_mul(far)?;
        let rounded = copies.checked_add(members.checked_sub(1)?)?;
        rounded.checked_div(members)?.checked_div(far)
    }
}

/// Chunks at the same height of several members.
struct Zone {
    /// First row, and how many.
    start: u64,
    rows: u64,
    members: u64,
}

/// The zone of a chunk, and how many chunks are in those before.
fn zone_of(zones: &[Zone], number: u64) -> Option<(&Zone, u64)> {
    let mut before = 0u64;
    for zone in zones {
        let next = before.checked_add(zone.rows.checked_mul(zone.members)?)?;
        if number < next {
            return Some((zone, before));
        }
        before = next;
    }
    None
}
