//! Looking through an array: its size, and where its bytes lie, without starting it.
//!
//! All levels keep data as they are. With parity, what a missing member held would have to be
//! computed: then only the array that runs can tell. Offsets are those of the kernel's
//! `drivers/md/raid0.c` (map_sector), `md-linear.c`, `raid10.c` (__raid10_find_phys).

use super::array::Verdict;
use super::level::{Level, raid10_copies};
use super::superblock::{Role, Superblock};
use crate::base::list::Listed;
use crate::format::parity::{self, Shape};
use crate::format::through::{Leg, Row, Through, turns};
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

    /// Where the array's bytes lie, by member. `None`: not to be looked through, or a member that
    /// counts is missing.
    pub fn through(&self) -> Option<Through<usize>> {
        let sb = self.speaker;
        sb.reshape.is_none().then_some(())?;
        let length = self.sectors()?.checked_mul(SECTOR)?;
        let rows = match sb.level {
            Level::Linear => self.linear()?,
            Level::Raid0 => self.raid0()?,
            Level::Raid1 => {
                let (leg, start) = (0..self.slots.len()).find_map(|slot| self.leg(slot, 0))?;
                alloc::vec![Row::linear(0, length, leg, start)]
            }
            Level::Raid10 => alloc::vec![self.raid10(length)?],
            Level::Raid4 => alloc::vec![self.parity(length, 1, parity::PARITY_N)?],
            Level::Raid5 => alloc::vec![self.parity(length, 1, sb.layout)?],
            Level::Raid6 => alloc::vec![self.parity(length, 2, sb.layout)?],
            Level::Other(_) => return None,
        };
        let mut through = Through::default();
        through.add(rows)?;
        Some(through)
    }

    fn has(&self, slot: usize) -> bool {
        matches!(self.slots.get(slot), Some(Some(_)))
    }

    /// The byte `at` of a member's data.
    fn leg(&self, slot: usize, at: u64) -> Option<(Leg<usize>, u64)> {
        let (member, sb) = (*self.slots.get(slot)?)?;
        let start = sb.data_offset.checked_mul(SECTOR)?;
        Some((Leg::Device(member), start.checked_add(at)?))
    }

    fn linear(&self) -> Option<Vec<Row<usize>>> {
        let mut rows = Vec::new();
        let mut start = 0u64;
        for slot in 0..self.slots.len() {
            let size = self.used(*self.slots.get(slot)?)?.checked_mul(SECTOR)?;
            let (leg, offset) = self.leg(slot, 0)?;
            rows.push(Row::linear(start, size, leg, offset));
            start = start.checked_add(size)?;
        }
        Some(rows)
    }

    /// Members of unequal sizes make zones: in each, those take part that have room left.
    fn raid0(&self) -> Option<Vec<Row<usize>>> {
        let chunk = self.speaker.chunk.checked_mul(SECTOR)?;
        let zones = self.zones()?;
        let layout = self.speaker.layout;
        let known = [RAID0_ORIGINAL, RAID0_ALTERNATE].contains(&layout);
        (zones.len() < 2 || known).then_some(())?;
        let mut rows = Vec::new();
        // Chunks in the zones before.
        let mut before = 0u64;
        for zone in &zones {
            // The original layout counts from the start of the array, and not of the zone.
            let shift = if layout == RAID0_ORIGINAL { before } else { 0 };
            let at = zone.start.checked_mul(chunk)?;
            let slot = |turn: u64| {
                let turn = turn.checked_add(shift)?.checked_rem(zone.members)?;
                self.leg(self.member_of(zone, turn)?, at)
            };
            let chunks = zone.rows.checked_mul(zone.members)?;
            rows.push(Row {
                start: before.checked_mul(chunk)?,
                length: chunks.checked_mul(chunk)?,
                chunk,
                stride: chunk,
                slots: (0..zone.members).map(slot).all_some()?,
            });
            before = before.checked_add(chunks)?;
        }
        Some(rows)
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

    /// Data are where they are, whatever parity says; a chunk that would have to be computed is not
    /// looked through, and so is none of the array.
    fn parity(&self, length: u64, parities: u64, layout: u32) -> Option<Row<usize>> {
        let chunk = self.speaker.chunk.checked_mul(SECTOR)?;
        let shape = Shape {
            members: self.speaker.slots.into(),
            parities,
            layout,
        };
        let turn = (shape.chunks()?, shape.rows());
        Row::turning((0, length), chunk, turn, &mut |number| {
            let (slot, row) = shape.place(number)?;
            self.leg(usize::try_from(slot).ok()?, row.checked_mul(chunk)?)
        })
    }

    fn raid10(&self, length: u64) -> Option<Row<usize>> {
        let sb = self.speaker;
        let chunk = sb.chunk.checked_mul(SECTOR)?;
        let (near, far) = raid10_copies(sb.layout);
        let (chunks, rows) = turns(sb.slots.into(), near.into())?;
        let rows = match sb.layout & FAR_OFFSET {
            0 => rows,
            _ => rows.checked_mul(far.into())?,
        };
        Row::turning((0, length), chunk, (chunks, rows), &mut |number| {
            let (slot, row) = self.raid10_copy(number)?;
            self.leg(slot, row.checked_mul(chunk)?)
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
