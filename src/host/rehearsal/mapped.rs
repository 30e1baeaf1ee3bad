//! Devices that the device mapper would make: looked through where a table keeps data as they are,
//! checked as it would be by dm-verity.

use super::{DEVICE_MAPPER_MAJOR, Rehearsal};
use crate::format::dm_init::{Mapping, Target};
use crate::format::identity::Range;
use crate::format::integrity;
use crate::format::lens::Lens;
use crate::format::through::{Leg, Row, Through};
use crate::host::checked::Checked;
use crate::host::devices::Place;
use crate::plan::event::Block;
use crate::plan::event::Event;

/// dm sectors, in bytes.
const SECTOR: u64 = 512;

impl Rehearsal<'_> {
    /// The next minor number of the device mapper.
    pub(super) fn next_minor(&self) -> u32 {
        let known = self.made.len().saturating_add(self.devices.added());
        u32::try_from(known).unwrap_or(0)
    }

    pub(super) fn map(&mut self, mapping: &Mapping) {
        let own = format!("mapper/{}", mapping.name);
        let minor = self.next_minor();
        let name = format!("dm-{minor}");
        match self.checked(mapping) {
            Some(checked) => self.devices.add(name, own, Box::new(checked)),
            None => {
                if !self.lenses.contains_key(&own)
                    && let Some(lens) = self.lens_of(mapping).or_else(|| self.guarded(mapping))
                {
                    self.lenses.insert(own.clone(), lens);
                }
                self.made.insert(name, own);
            }
        }
        let sectors = mapping.targets.iter().map(end).max().unwrap_or(0);
        self.announce_mapped(minor, sectors, &mapping.name);
    }

    /// The kernel tells of a mapped device.
    pub(super) fn announce_mapped(&mut self, minor: u32, sectors: u64, mapped: &str) {
        let block = Block {
            name: format!("dm-{minor}"),
            major: DEVICE_MAPPER_MAJOR,
            minor,
            sectors,
            part_of: None,
            sequence: 0,
            mapped: Some(mapped.to_owned()),
        };
        self.queue.push_back(Event::Block(block.into()));
    }

    /// A volume of dm-verity.
    fn checked(&self, mapping: &Mapping) -> Option<Checked> {
        let [target] = mapping.targets.as_slice() else {
            return None;
        };
        let place = |number: &str| {
            let name = self.numbered(number)?;
            let lens = self.known_lens(&name);
            Some(Place { name, lens })
        };
        match target.kind.as_str() {
            "verity" => Checked::from_table(&target.arguments, &place),
            _ => None,
        }
    }

    /// The device with this number, as `MAJOR:MINOR`.
    fn numbered(&self, number: &str) -> Option<String> {
        let minor = number.strip_prefix(&format!("{DEVICE_MAPPER_MAJOR}:"));
        match (self.devices.stage.name_of(number), minor) {
            (Some(name), _) => Some(name),
            (None, Some(minor)) => Some(format!("dm-{minor}")),
            (None, None) => {
                let minor = number.strip_prefix(&format!("{}:", super::MD_MAJOR))?;
                Some(format!("md{minor}"))
            }
        }
    }

    /// Tables that keep data as they are can be looked through.
    fn lens_of(&self, mapping: &Mapping) -> Option<Lens> {
        let mut through = Through::default();
        let (mut rows, mut last) = (Vec::new(), 0);
        for target in &mapping.targets {
            let words: Vec<&str> = target.arguments.split(' ').collect();
            let (number, offset) = match (target.kind.as_str(), words.as_slice()) {
                ("linear", [number, offset]) => (*number, offset.parse::<u64>().ok()?),
                _ => return None,
            };
            last = end(target).saturating_mul(SECTOR);
            let [start, length, offset] =
                [target.start, target.sectors, offset].map(|n| n.saturating_mul(SECTOR));
            let on = Leg::Device(self.numbered(number)?);
            rows.push(Row::linear(start, length, on, offset));
        }
        through.add(rows)?;
        let through = through.over(&|name: &String| self.lower(name))?;
        Lens::new(last, 512, through)
    }

    /// A volume of dm-integrity with all it needs on one device. Nothing is checked against tags.
    fn guarded(&self, mapping: &Mapping) -> Option<Lens> {
        let [target] = mapping.targets.as_slice() else {
            return None;
        };
        let words: Vec<&str> = target.arguments.split(' ').collect();
        let ("integrity", [number, "0", _, "J", _, options @ ..]) =
            (target.kind.as_str(), words.as_slice())
        else {
            return None;
        };
        let value = |key| options.iter().find_map(|word| word.strip_prefix(key));
        if value("meta_device:").is_some() {
            return None;
        }
        let below = self.numbered(number)?;
        let (at, len) = (0, integrity::SUPERBLOCK);
        let lens = self.known_lens(&below);
        let superblock = self.devices.read(&below, lens.as_ref(), Range { at, len });
        let mut through = Through::default();
        through.add(vec![integrity::data(&superblock.ok()?)?])?;
        let through = through.over(&|(): &()| self.lower(&below))?;
        let sector = value("block_size:").and_then(|bytes| bytes.parse().ok());
        Lens::new(
            end(target).saturating_mul(SECTOR),
            sector.unwrap_or(512),
            through,
        )
    }
}

/// The sector behind its last.
fn end(target: &Target) -> u64 {
    target.start.saturating_add(target.sectors)
}
