//! Looking through a logical volume: which bytes of which physical volume its bytes are.
//!
//! Linear, striped, mirrored and raid 0, 1, 10 volumes keep data as they are. What a cache holds
//! back, a thin pool scatters or integrity guards is not looked through: such volumes are
//! identified once they run. So are those with parity. An image that is being filled is left out;
//! one that missed writes is known only to the kernel, and still tells the same identity.

use super::group::{Group, Logical};
use super::name::Id;
use super::presence::Presence;
use super::segment::{Area, Kind, Raid, Segment};
use crate::format::through::{Piece, Pieces, chunks};
use alloc::vec::Vec;

const SECTOR: u64 = 512;
/// As in `presence`: a volume that lies on itself would never end.
const MAX_DEPTH: u32 = 16;

/// Bytes in the volume.
pub fn size(group: &Group, lv: &Logical) -> Option<u64> {
    let last = lv.segments.last()?;
    let extents = last.start.checked_add(last.count)?;
    extents.checked_mul(group.extent)?.checked_mul(SECTOR)
}

/// Where `length` bytes at `offset` of `volume` lie, by UUID of the physical volume and byte on it.
/// `None`: outside, not to be looked through, or on a physical volume that is not `present`.
pub fn pieces(
    group: &Group,
    volume: &str,
    (offset, length): (u64, u64),
    present: &dyn Fn(&Id) -> bool,
) -> Option<Vec<Piece<Id>>> {
    let mut view = View {
        group,
        presence: Presence::new(group, present),
        depth: 0,
        found: Pieces::new(),
    };
    view.volume(volume, (offset, length))?;
    Some(view.found.finish())
}

/// Offset and length in bytes.
type Stretch = (u64, u64);

/// Puts a part of a stripe where it lies.
type Place<'p, View> = dyn FnMut(&mut View, u64, (u64, u64), u64) -> Option<()> + 'p;

struct View<'a> {
    group: &'a Group,
    presence: Presence<'a>,
    depth: u32,
    found: Pieces<Id>,
}

impl<'a> View<'a> {
    fn volume(&mut self, name: &str, (offset, length): Stretch) -> Option<()> {
        let lv = self.group.logical(name)?;
        (self.depth < MAX_DEPTH).then_some(())?;
        self.depth = self.depth.saturating_add(1);
        let end = offset.checked_add(length)?;
        let mut at = offset;
        for segment in &lv.segments {
            let start = self.bytes(segment.start)?;
            let size = self.bytes(segment.count)?;
            let until = end.min(start.checked_add(size)?);
            if at >= start && at < until {
                let stretch = (at.checked_sub(start)?, until.checked_sub(at)?);
                self.segment(segment, stretch)?;
                at = until;
            }
        }
        self.depth = self.depth.saturating_sub(1);
        (at == end).then_some(())
    }

    fn segment(&mut self, segment: &'a Segment, stretch: Stretch) -> Option<()> {
        match &segment.kind {
            Kind::Striped { stripe, areas } if areas.len() > 1 => {
                let count = areas.len() as u64;
                self.rows(*stripe, stretch, &mut |view, number, inside, part| {
                    let area = areas.get(number.checked_rem(count)? as usize)?;
                    let row = number.checked_div(count)?;
                    view.area(
                        area,
                        (row.checked_mul(inside.0)?.checked_add(inside.1)?, part),
                    )
                })
            }
            Kind::Striped { areas, .. } => self.area(areas.first()?, stretch),
            Kind::Mirror { areas, .. } => {
                let there = areas.iter().find(|area| self.presence.area(area));
                self.area(there?, stretch)
            }
            Kind::Raid(raid) if !raid.reshaping => self.raid(raid, stretch),
            _ => None,
        }
    }

    fn raid(&mut self, raid: &'a Raid, stretch: Stretch) -> Option<()> {
        let there = self.presence.images(raid);
        let images: Vec<Option<&'a str>> = there
            .iter()
            .zip(&raid.members)
            .map(|(there, (_, data))| {
                let whole = self.group.logical(data).is_some_and(|lv| !lv.rebuild);
                (*there && whole).then_some(data.as_str())
            })
            .collect();
        let copies = match raid.level.as_str() {
            "raid0" | "raid0_meta" => 1,
            "raid10" | "raid10_near" => raid.copies(),
            "raid1" => {
                let first = images.iter().flatten().next();
                return self.volume(first?, stretch);
            }
            _ => return None,
        };
        let count = images.len() as u64;
        self.rows(raid.stripe, stretch, &mut |view, number, inside, part| {
            let first = number.checked_mul(copies)?;
            let row = first.checked_div(count)?;
            let mut slots = (0..copies).map(|copy| first.checked_add(copy)?.checked_rem(count));
            let image = |slot: Option<u64>| *images.get(usize::try_from(slot?).ok()?)?;
            let image = slots.find_map(image)?;
            view.volume(
                image,
                (row.checked_mul(inside.0)?.checked_add(inside.1)?, part),
            )
        })
    }

    fn area(&mut self, area: &Area, (offset, length): Stretch) -> Option<()> {
        let at = self.bytes(area.extent)?.checked_add(offset)?;
        let Some(pv) = self.group.physical(&area.on) else {
            return self.volume(&area.on, (at, length));
        };
        let start = pv.start.checked_mul(SECTOR)?;
        let there = self.presence.has(&pv.id);
        there.then(|| self.found.push(pv.id, start.checked_add(at)?, length))?
    }

    fn bytes(&self, extents: u64) -> Option<u64> {
        extents.checked_mul(self.group.extent)?.checked_mul(SECTOR)
    }

    /// Cuts a stretch into stripes of so many sectors. Each is handed over with its number, the
    /// bytes of a stripe, where in it the part begins, and the length of the part.
    fn rows(
        &mut self,
        stripe: u64,
        (offset, length): Stretch,
        place: &mut Place<'_, Self>,
    ) -> Option<()> {
        let stripe = stripe.checked_mul(SECTOR)?;
        chunks(offset, length, stripe, &mut |number, inside, part| {
            place(self, number, (stripe, inside), part)
        })
    }
}
