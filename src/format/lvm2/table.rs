//! From a logical volume to the device-mapper devices that make it up, lowest first.
//!
//! Names, UUIDs and tables are those that lvm sets up from the same metadata. Where lvm would
//! write (a merge, a pool that was not told of a change), nothing is set up: the error says why.
//!
//! Source: lvm2 `lib/activate/dev_manager.c` (layers, UUID suffixes), `libdm/libdm-deptree.c`
//! (order of parameters), the kernel's `Documentation/admin-guide/device-mapper`.

use super::group::{Group, Logical};
use super::name::{self, Id};
use super::presence::Presence;
use super::segment::{Area, Kind, Segment};
use super::targets;
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A volume that lies on itself would never end; lvm's own stacks are eight deep.
const MAX_DEPTH: u32 = 16;
/// More devices than the largest array with integrity below and snapshots above needs.
const MAX_DEVICES: usize = 2048;

/// One piece of a target's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    Text(String),
    /// The device of the physical volume with this UUID.
    Physical(Id),
    /// A device of this stack, by its device-mapper name.
    Device(String),
    /// `key:device` in one.
    Keyed(&'static str, String),
}

/// One line of a table. `start` and `length` in sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub start: u64,
    pub length: u64,
    /// The target's name: `linear`, `raid`, …
    pub kind: &'static str,
    pub words: Vec<Word>,
}

/// A device to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub name: String,
    pub uuid: String,
    pub read_only: bool,
    /// The number that the device is to have.
    pub minor: Option<u32>,
    pub targets: Vec<Target>,
}

/// The devices that make up a volume, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    pub mappings: Vec<Mapping>,
    /// Physical volumes that it has to do without: arrays in it are degraded.
    pub missing: Vec<Id>,
}

impl Stack {
    /// The physical volumes that it lies on.
    pub fn physical(&self) -> Vec<Id> {
        let words = self.mappings.iter().flat_map(|m| &m.targets);
        let mut found = Vec::new();
        for word in words.flat_map(|t| &t.words) {
            if let Word::Physical(id) = word
                && !found.contains(id)
            {
                found.push(*id);
            }
        }
        found
    }
}

/// The devices that make up `volume` of `group`, and none that it does not need. `present`: which
/// physical volumes are there.
///
/// # Errors
/// One sentence: what stands in the way, on which volume.
pub fn stack(group: &Group, volume: &str, present: &dyn Fn(&Id) -> bool) -> Result<Stack, String> {
    let mut builder = Builder {
        group,
        presence: Presence::new(group, present),
        made: Vec::new(),
        missing: Vec::new(),
        depth: 0,
        redundant: false,
    };
    let lv = builder.logical(volume)?;
    builder.top(lv)?;
    Ok(Stack {
        mappings: builder.made,
        missing: builder.missing,
    })
}

pub(super) struct Builder<'a> {
    pub group: &'a Group,
    pub presence: Presence<'a>,
    made: Vec<Mapping>,
    missing: Vec<Id>,
    depth: u32,
    /// Below an array that can do without what is missing.
    pub redundant: bool,
}

impl<'a> Builder<'a> {
    pub fn logical(&self, volume: &str) -> Result<&'a Logical, String> {
        let name = &self.group.name;
        self.group
            .logical(volume)
            .ok_or_else(|| format!("{name} has no volume {volume}"))
    }

    /// A volume that somebody uses, with what others tie to it: its snapshots.
    fn top(&mut self, lv: &'a Logical) -> Result<String, String> {
        let group = self.group;
        let ties = |lv: &'a Logical| match lv.segments.as_slice() {
            [
                Segment {
                    kind:
                        Kind::Snapshot {
                            origin,
                            cow,
                            chunk,
                            merging,
                        },
                    ..
                },
            ] => Some((origin.as_str(), cow.as_str(), *chunk, *merging)),
            _ => None,
        };
        let all: Vec<_> = group.logical.iter().filter_map(ties).listed();
        let is_cow = |&&(_, cow, ..): &&(&str, &str, u64, bool)| cow == lv.name;
        if let Some((origin, ..)) = all.iter().find(is_cow) {
            // A snapshot is its origin's business: both, or the origin would change below it.
            self.top(self.logical(origin)?)?;
            return Ok(name::device(&group.name, &lv.name, ""));
        }
        let own: Vec<_> = all
            .iter()
            .filter(|(origin, ..)| *origin == lv.name)
            .listed();
        let lends = self.is_external_origin(lv);
        if own.is_empty() && !lends {
            return self.plain(lv, "");
        }
        let real = self.plain(lv, "real")?;
        let length = self.sectors(lv)?;
        if own.is_empty() {
            return self.layer(
                lv,
                length,
                "linear",
                &[Word::Device(real), targets::number(0)],
            );
        }
        for &&(_, cow, chunk, merging) in &own {
            let snapshot = self.logical(cow)?;
            if merging {
                return Err(format!(
                    "snapshot {cow} is being merged into {}, which would write",
                    lv.name
                ));
            }
            let store = self.plain(snapshot, "cow")?;
            let words = alloc::vec![
                Word::Device(real.clone()),
                Word::Device(store),
                Word::Text(String::from("P")),
                targets::number(chunk),
            ];
            let target = Target {
                start: 0,
                length,
                kind: "snapshot",
                words,
            };
            self.add(snapshot, "", alloc::vec![target])?;
        }
        self.layer(lv, length, "snapshot-origin", &[Word::Device(real)])
    }

    /// Does a thin volume read from `lv` what it was not yet given itself?
    fn is_external_origin(&self, lv: &Logical) -> bool {
        let mut segments = self.group.logical.iter().flat_map(|lv| &lv.segments);
        segments.any(|segment| match &segment.kind {
            Kind::Thin(thin) => thin.external_origin.as_ref() == Some(&lv.name),
            _ => false,
        })
    }

    /// The device that `lv` is known by, over its layers.
    fn layer(
        &mut self,
        lv: &Logical,
        length: u64,
        kind: &'static str,
        words: &[Word],
    ) -> Result<String, String> {
        let target = Target {
            start: 0,
            length,
            kind,
            words: words.to_vec(),
        };
        self.add(lv, "", alloc::vec![target])
    }

    /// The volume by itself. Its device's name.
    pub fn plain(&mut self, lv: &'a Logical, layer: &str) -> Result<String, String> {
        let device = name::device(&self.group.name, &lv.name, layer);
        if self.made.iter().any(|m| m.name == device) {
            return Ok(device);
        }
        if self.depth >= MAX_DEPTH || self.made.len() >= MAX_DEVICES {
            return Err(format!("volume {} lies on itself, or on too much", lv.name));
        }
        self.depth = self.depth.saturating_add(1);
        let mut table = Vec::new();
        for (number, segment) in lv.segments.iter().enumerate() {
            let start = self.to_sectors(segment.start)?;
            let length = self.to_sectors(segment.count)?;
            let (kind, words) = targets::of(self, lv, (number, segment))?;
            table.push(Target {
                start,
                length,
                kind,
                words,
            });
        }
        self.depth = self.depth.saturating_sub(1);
        self.add(lv, layer, table)
    }

    /// A device on top of `lv`, or `lv` itself.
    pub fn add(
        &mut self,
        lv: &Logical,
        layer: &str,
        targets: Vec<Target>,
    ) -> Result<String, String> {
        let is_pool = matches!(lv.segments.first(), Some(s) if matches!(s.kind, Kind::ThinPool(_)));
        let suffix = match layer {
            // Nobody is to write to a pool past its volumes.
            "" if is_pool => "pool",
            "" => self.suffix(lv),
            layer => layer,
        };
        let mapping = Mapping {
            name: name::device(&self.group.name, &lv.name, layer),
            uuid: name::uuid(&self.group.id, &lv.id, suffix),
            read_only: !lv.writable || suffix == "pool",
            // Hidden devices and layers take any number.
            minor: lv.minor.filter(|_| suffix.is_empty()),
            targets,
        };
        let device = mapping.name.clone();
        if !self.made.iter().any(|m| m.name == device) {
            self.made.push(mapping);
        }
        Ok(device)
    }

    /// A device that no volume has the name of: part of a cache volume.
    pub fn add_part(&mut self, mapping: Mapping) -> String {
        let device = mapping.name.clone();
        if !self.made.iter().any(|m| m.name == device) {
            self.made.push(mapping);
        }
        device
    }

    /// What lvm hangs behind the UUID of a hidden volume, by what it serves.
    fn suffix(&self, lv: &Logical) -> &'static str {
        let serves = |kind: &Kind| match kind {
            Kind::ThinPool(p) if p.data == lv.name => Some("tdata"),
            Kind::ThinPool(p) if p.metadata == lv.name => Some("tmeta"),
            Kind::CachePool { data, .. } if *data == lv.name => Some("cdata"),
            Kind::CachePool { metadata, .. } if *metadata == lv.name => Some("cmeta"),
            Kind::Cache { origin, .. } if *origin == lv.name => Some("real"),
            Kind::Cache {
                pool,
                on_volume: Some(_),
                ..
            } if *pool == lv.name => Some("cvol"),
            Kind::WriteCache { fast, .. } if *fast == lv.name => Some("cvol"),
            Kind::WriteCache { origin, .. } if *origin == lv.name => Some("real"),
            _ => None,
        };
        let mut segments = self.group.logical.iter().flat_map(|lv| &lv.segments);
        segments.find_map(|s| serves(&s.kind)).unwrap_or("")
    }

    /// Device and first sector of an area. `number`: of segment and area.
    pub fn area(
        &mut self,
        lv: &Logical,
        area: &Area,
        number: (usize, usize),
    ) -> Result<(Word, u64), String> {
        let offset = self.to_sectors(area.extent)?;
        let Some(pv) = self.group.physical(&area.on) else {
            let below = self.logical(&area.on)?;
            return Ok((Word::Device(self.plain(below, "")?), offset));
        };
        let there = self.presence.has(&pv.id);
        if !self.redundant && (!there || pv.missing) {
            let how = if there {
                "was missing for a while (vgextend --restoremissing takes it back)"
            } else {
                "is missing"
            };
            let name = &lv.name;
            return Err(format!(
                "physical volume {} {how}, and volume {name} lies on it",
                pv.id
            ));
        }
        if !there {
            return Ok((self.nothing(lv, &pv.id, number)?, 0));
        }
        let sector = offset
            .checked_add(pv.start)
            .ok_or("an extent lies beyond all disks")?;
        Ok((Word::Physical(pv.id), sector))
    }

    /// A device on which all reads and writes fail, in place of a physical volume.
    fn nothing(
        &mut self,
        lv: &Logical,
        missing: &Id,
        (number, area): (usize, usize),
    ) -> Result<Word, String> {
        if !self.missing.contains(missing) {
            self.missing.push(*missing);
        }
        let segment = lv.segments.get(number);
        let layer = format!("missing_{number}_{area}");
        let mapping = Mapping {
            name: name::device(&self.group.name, &lv.name, &layer),
            uuid: name::uuid(&self.group.id, &lv.id, &layer),
            read_only: false,
            minor: None,
            targets: alloc::vec![Target {
                start: 0,
                length: self.to_sectors(segment.map_or(0, |s| s.count))?,
                kind: "error",
                words: Vec::new(),
            }],
        };
        Ok(Word::Device(self.add_part(mapping)))
    }

    pub fn sectors(&self, lv: &Logical) -> Result<u64, String> {
        let last = lv.segments.last();
        let extents = last.and_then(|s| s.start.checked_add(s.count)).unwrap_or(0);
        self.to_sectors(extents)
    }

    pub fn to_sectors(&self, extents: u64) -> Result<u64, String> {
        let sectors = extents.checked_mul(self.group.extent);
        sectors.ok_or_else(|| String::from("an extent lies beyond all disks"))
    }
}
