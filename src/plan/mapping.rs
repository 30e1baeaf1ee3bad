//! Mapped devices that the command line spells out: `dm-mod.create=`.
//!
//! They are made in the order of the words, one at a time, since the kernel counts minor numbers
//! up (`root=/dev/dm-0`). One is made as soon as every device that its table names is there. Root
//! is not mounted while one is being made or could be; one whose devices are missing delays
//! nothing but itself and what follows. What a table names is not root, whatever shines through.

use super::action::{Action, Level};
use super::device::{Device, Devices};
use super::give_up::Cause;
use super::root;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::dm_init::{Mapping, Target};
use crate::format::wish::{Source, Wish};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How far we are.
#[derive(Default)]
pub struct Mappings {
    /// So many were made.
    made: usize,
    under_way: bool,
    /// Why the next one could not be made.
    pub failed: Option<Fault>,
}

/// The drivers of all mappings: the device mapper, and targets that are modules of their own.
pub fn drivers(wish: &Wish) -> Vec<String> {
    let mut drivers = Vec::new();
    let mut add = |alias: String| {
        if !drivers.contains(&alias) {
            drivers.push(alias);
        }
    };
    for mapping in &wish.mappings {
        add("dm-mod".into());
        let kinds = mapping.targets.iter().map(|t| t.kind.as_str());
        kinds.filter_map(driver).for_each(&mut add);
    }
    drivers
}

/// The module that has a kind of target. `None`: it is part of dm-mod itself.
pub fn driver(kind: &str) -> Option<String> {
    let own = !matches!(kind, "linear" | "striped" | "error");
    own.then(|| format!("dm-{kind}"))
}

/// Every device that a table names, or that is to be there before tables are used.
pub fn sources(wish: &Wish) -> Vec<Source> {
    let mut all = Vec::new();
    for mapping in &wish.mappings {
        all.append(&mut devices_of(mapping));
    }
    all.extend_from_slice(&wish.map_after);
    for volume in &wish.verity {
        all.extend(volume.devices().cloned());
    }
    all.extend(wish.integrity.iter().map(|v| v.device.clone()));
    all
}

/// The devices that a mapping's table names.
fn devices_of(mapping: &Mapping) -> Vec<Source> {
    mapping.targets.iter().flat_map(Target::devices).listed()
}

/// The mapping that `device` is a piece of. `None`: it cannot be told yet.
pub fn piece_of<'w>(
    wish: &'w Wish,
    devices: &Devices,
    device: &Device,
) -> Option<Option<&'w Mapping>> {
    for mapping in &wish.mappings {
        for source in devices_of(mapping) {
            if root::identity_matches(Some(&source), devices, device)? {
                return Some(Some(mapping));
            }
        }
    }
    Some(None)
}

fn named<'d>(devices: &'d Devices, source: &Source) -> Option<&'d Device> {
    root::first_named(devices, source, &|_| true)
}

/// The same mapping with device numbers instead of names, if all devices are there.
fn with_numbers(mapping: &Mapping, devices: &Devices) -> Option<Mapping> {
    let number = |source: &Source| {
        let block = &named(devices, source)?.block;
        Some((block.major, block.minor))
    };
    let mut ready = mapping.clone();
    for target in &mut ready.targets {
        target.arguments = target.with_numbers(&number)?;
    }
    Some(ready)
}

impl Plan {
    /// Makes the next mapping, if it can be.
    pub(super) fn map(&mut self, now: Millis) {
        let Some(mapping) = self.next_mapping() else {
            return;
        };
        let settled = |alias: &String| self.modules.driver_settled(alias);
        if self.mappings.under_way || !drivers(&self.wish).iter().all(settled) {
            return;
        }
        if self.is_start_held(now, &mapping.targets) {
            return;
        }
        self.mappings.under_way = true;
        let ticket = self.tickets.issue(Job::Map);
        let part = false;
        self.out.push(Action::Map {
            ticket,
            mapping: mapping.into(),
            part,
        });
    }

    /// The next one, whose devices are all there.
    fn next_mapping(&self) -> Option<Mapping> {
        let next = self.wish.mappings.get(self.mappings.made)?;
        let there = |source: &Source| named(&self.devices, source).is_some();
        let may = self.mappings.failed.is_none() && self.wish.map_after.iter().all(there);
        may.then(|| with_numbers(next, &self.devices))?
    }

    /// Is one being made, or about to be?
    pub(super) fn is_mapping(&self) -> bool {
        self.mappings.under_way || self.next_mapping().is_some()
    }

    pub(super) fn map_ended(&mut self, now: Millis, fault: Option<Fault>) {
        self.mappings.under_way = false;
        let name = self.wish.mappings.get(self.mappings.made);
        let name = name.map(|m| m.name.clone()).unwrap_or_default();
        let Some(fault) = fault else {
            self.mappings.made = self.mappings.made.saturating_add(1);
            return;
        };
        let fault = Fault::new(fault.errno, format!("mapping {name}: {fault}"));
        self.say(Level::Error, fault.text.clone());
        self.mappings.failed = Some(fault.clone());
        // No other device can be what was asked for.
        let mapped = |name: &str| name.starts_with("dm-") || name.starts_with("mapper/");
        let asked = matches!(&self.wish.root, Some(Source::Name(name)) if mapped(name));
        if asked && self.stage == Stage::Searching {
            self.give_up(now, Cause::Mapping(fault));
        }
    }

    /// For the page: what each mapping that was not made waits for.
    pub(super) fn unmapped(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(fault) = &self.mappings.failed {
            lines.push(fault.text.clone());
        }
        for mapping in self.wish.mappings.iter().skip(self.mappings.made) {
            let mut missing = String::new();
            let mut sources = devices_of(mapping);
            sources.extend_from_slice(&self.wish.map_after);
            for source in sources {
                if named(&self.devices, &source).is_none() {
                    missing.push_str(if missing.is_empty() { "" } else { " and " });
                    missing.push_str(&source.as_typed());
                }
            }
            if !missing.is_empty() {
                lines.push(format!("mapping {} waits for {missing}", mapping.name));
            }
        }
        lines
    }
}
