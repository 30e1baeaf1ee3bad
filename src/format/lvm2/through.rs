//! Looking through a logical volume: which bytes of which physical volume its bytes are.
//!
//! Linear, striped, mirrored and raid volumes keep data as they are, and so does integrity whose
//! tags lie elsewhere. What a cache holds back or a thin pool scatters is not looked through: such
//! volumes are identified once they run. So are those with parity that lack an image. An image that
//! is being filled is left out; one that missed writes is known only to the kernel, and still tells
//! the same identity.

use super::group::{Group, Logical};
use super::name::Id;
use super::presence::Presence;
use super::segment::{Area, Kind, Raid, Segment};
use crate::base::list::Listed;
use crate::format::parity::{self, Shape};
use crate::format::through::{Leg, Row, Through, turns};
use alloc::string::String;
use alloc::vec::Vec;

const SECTOR: u64 = 512;
/// lvm's own stacks are eight deep.
const MAX_DEPTH: u32 = 16;

/// Bytes in the volume.
pub fn size(group: &Group, lv: &Logical) -> Option<u64> {
    let last = lv.segments.last()?;
    let extents = last.start.checked_add(last.count)?;
    extents.checked_mul(group.extent)?.checked_mul(SECTOR)
}

/// Where the bytes of `volume` lie, by UUID of the physical volume. What cannot be looked through,
/// or lies on a physical volume that is not `present`, is a gap. `None`: all of it is.
pub fn through(group: &Group, volume: &str, present: &dyn Fn(&Id) -> bool) -> Option<Through<Id>> {
    let mut view = View {
        group,
        presence: Presence::new(group, present),
        depth: 0,
        layers: Vec::new(),
        through: Through::default(),
    };
    view.volume(volume)?;
    Some(view.through)
}

struct View<'a> {
    group: &'a Group,
    presence: Presence<'a>,
    depth: u32,
    /// Volumes that were entered, and what layer each became. What has none cannot be looked
    /// through, or lies on itself.
    layers: Vec<(&'a str, Option<usize>)>,
    through: Through<Id>,
}

impl<'a> View<'a> {
    /// The layer of a volume.
    fn volume(&mut self, name: &str) -> Option<usize> {
        if let Some((_, layer)) = self.layers.iter().find(|(known, _)| *known == name) {
            return *layer;
        }
        let lv = self.group.logical(name)?;
        (self.depth < MAX_DEPTH).then_some(())?;
        self.depth = self.depth.saturating_add(1);
        let entered = self.layers.len();
        self.layers.push((&lv.name, None));
        let mut rows = Vec::new();
        for segment in &lv.segments {
            rows.extend(self.segment(segment));
        }
        self.depth = self.depth.saturating_sub(1);
        (!rows.is_empty()).then_some(())?;
        let layer = self.through.add(rows)?;
        self.layers.get_mut(entered)?.1 = Some(layer);
        Some(layer)
    }

    fn segment(&mut self, segment: &'a Segment) -> Option<Row<Id>> {
        let start = self.bytes(segment.start)?;
        let length = self.bytes(segment.count)?;
        let (leg, offset) = match &segment.kind {
            Kind::Striped { stripe, areas } if areas.len() > 1 => {
                let chunk = stripe.checked_mul(SECTOR)?;
                let slots = areas.iter().map(|area| self.area(area));
                let slots = slots.all_some()?;
                return Some(Row {
                    start,
                    length,
                    chunk,
                    stride: chunk,
                    slots,
                });
            }
            Kind::Striped { areas, .. } => self.area(areas.first()?)?,
            Kind::Mirror { areas, .. } => {
                let there = areas.iter().find(|area| self.presence.area(area));
                self.area(there?)?
            }
            // Tags are on a volume of their own.
            Kind::Integrity(guarded) if guarded.metadata.is_some() => {
                (Leg::Layer(self.volume(&guarded.origin)?), 0)
            }
            Kind::Raid(raid) if !raid.reshaping => return self.raid(raid, start, length),
            _ => return None,
        };
        Some(Row::linear(start, length, leg, offset))
    }

    fn raid(&mut self, raid: &'a Raid, start: u64, length: u64) -> Option<Row<Id>> {
        let images = self.images(raid);
        let copies = match raid.level.as_str() {
            "raid0" | "raid0_meta" => 1,
            "raid10" | "raid10_near" => raid.copies(),
            "raid1" => {
                let first = images.iter().flatten().next()?;
                let layer = self.volume(first)?;
                return Some(Row::linear(start, length, Leg::Layer(layer), 0));
            }
            level => return self.parity(level, raid, &images, (start, length)),
        };
        let chunk = raid.stripe.checked_mul(SECTOR)?;
        let (chunks, rows) = turns(images.len() as u64, copies)?;
        Row::turning((start, length), chunk, (chunks, rows), &mut |number| {
            let (image, row) = first_copy(&images, number, copies)?;
            let layer = self.volume(image)?;
            Some((Leg::Layer(layer), row.checked_mul(chunk)?))
        })
    }

    /// With parity: none where a chunk would have to be computed.
    fn parity(
        &mut self,
        level: &str,
        raid: &Raid,
        images: &[Option<&'a String>],
        span: (u64, u64),
    ) -> Option<Row<Id>> {
        let chunk = raid.stripe.checked_mul(SECTOR)?;
        let shape = shape(level, images.len() as u64)?;
        let turn = (shape.chunks()?, shape.rows());
        Row::turning(span, chunk, turn, &mut |number| {
            let (image, row) = shape.place(number)?;
            let image = (*images.get(usize::try_from(image).ok()?)?)?;
            let layer = self.volume(image)?;
            Some((Leg::Layer(layer), row.checked_mul(chunk)?))
        })
    }

    /// The data of each image that is there and whole.
    fn images(&self, raid: &'a Raid) -> Vec<Option<&'a String>> {
        let there = self.presence.images(raid);
        let images = there.iter().zip(&raid.members);
        let whole = |data: &String| self.group.logical(data).is_some_and(|lv| !lv.rebuild);
        images
            .map(|(there, (_, data))| (*there && whole(data)).then_some(data))
            .listed()
    }

    fn area(&mut self, area: &Area) -> Option<(Leg<Id>, u64)> {
        let at = self.bytes(area.extent)?;
        let Some(pv) = self.group.physical(&area.on) else {
            return Some((Leg::Layer(self.volume(&area.on)?), at));
        };
        let start = pv.start.checked_mul(SECTOR)?.checked_add(at)?;
        let there = self.presence.has(&pv.id);
        there.then_some((Leg::Device(pv.id), start))
    }

    fn bytes(&self, extents: u64) -> Option<u64> {
        extents.checked_mul(self.group.extent)?.checked_mul(SECTOR)
    }
}

/// The raid types of dm-raid with parity, by the kernel's `drivers/md/dm-raid.c` (raid_types).
fn shape(level: &str, members: u64) -> Option<Shape> {
    let (parities, layout) = match level {
        "raid4" | "raid5_0" => (1, parity::PARITY_0),
        "raid5" | "raid5_ls" => (1, parity::LEFT_SYMMETRIC),
        "raid5_la" => (1, parity::LEFT_ASYMMETRIC),
        "raid5_rs" => (1, parity::RIGHT_SYMMETRIC),
        "raid5_ra" => (1, parity::RIGHT_ASYMMETRIC),
        "raid5_n" => (1, parity::PARITY_N),
        "raid6" | "raid6_zr" => (2, parity::ROTATING_ZERO_RESTART),
        "raid6_nr" => (2, parity::ROTATING_N_RESTART),
        "raid6_nc" => (2, parity::ROTATING_N_CONTINUE),
        "raid6_la_6" => (2, parity::SECOND_LAST | parity::LEFT_ASYMMETRIC),
        "raid6_ra_6" => (2, parity::SECOND_LAST | parity::RIGHT_ASYMMETRIC),
        "raid6_ls_6" => (2, parity::SECOND_LAST | parity::LEFT_SYMMETRIC),
        "raid6_rs_6" => (2, parity::SECOND_LAST | parity::RIGHT_SYMMETRIC),
        "raid6_0_6" => (2, parity::SECOND_LAST | parity::PARITY_0),
        "raid6_n_6" => (2, parity::SECOND_LAST | parity::PARITY_N),
        _ => return None,
    };
    Some(Shape {
        members,
        parities,
        layout,
    })
}

/// The image and the row of the first copy of a chunk whose image is there.
fn first_copy<'a>(
    images: &[Option<&'a String>],
    number: u64,
    copies: u64,
) -> Option<(&'a String, u64)> {
    let count = images.len() as u64;
    let first = number.checked_mul(copies)?;
    (0..copies).find_map(|copy| {
        let place = first.checked_add(copy)?;
        let image = usize::try_from(place.checked_rem(count)?).ok()?;
        Some(((*images.get(image)?)?, place.checked_div(count)?))
    })
}
