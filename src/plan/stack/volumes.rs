//! Logical volumes: which are complete, what is seen through them, what they are made of.

use super::super::event::Block;
use super::super::give_up::PATHS;
use super::members::Said;
use super::{Plan, Planned, SECTOR, What};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Joined;
use crate::format::lvm2::group::{Group, Logical};
use crate::format::lvm2::name::{self, Id};
use crate::format::lvm2::segment::Kind;
use crate::format::lvm2::survey::{self, Found, Known};
use crate::format::lvm2::{table, through};
use crate::format::through::Lower;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Plan {
    pub(super) fn plan_volumes(&mut self, now: Millis) {
        let mut names: Vec<String> = Vec::new();
        let mut found: Vec<Found> = Vec::new();
        for (device, member) in self.stack.members.iter() {
            match &member.said {
                Said::Volume(told) => {
                    names.push(device.clone());
                    found.push(told.clone());
                }
                Said::Array(_) | Said::Damaged(_) => {}
            }
        }
        for (device, told) in names.iter().zip(&found) {
            let sentence = |why: &String| format!("{device}: {why}");
            self.stack.problems.extend(told.faults.iter().map(sentence));
        }
        let groups = survey::survey(&found.iter().listed());
        self.stack.physical.clear();
        for known in &groups {
            for (id, at) in &known.devices {
                if let Some(device) = names.get(*at) {
                    self.stack.physical.push((*id, device.clone()));
                }
            }
        }
        for known in &groups {
            match self.paths_of_group(known, &names) {
                None => continue,
                Some(Some(why)) => self.stack.problems.push(why),
                Some(None) => match refusal(known, &groups, &names) {
                    Some(why) => self.stack.problems.push(why),
                    None => self.plan_group(now, known),
                },
            }
        }
    }

    /// Is a physical volume there twice because its disk is, on two paths? The outer `None`: that
    /// is not known yet.
    fn paths_of_group(&mut self, known: &Known, names: &[String]) -> Option<Option<String>> {
        let device = |at: usize| names.get(at).cloned();
        for (id, second) in &known.duplicates {
            let first = known.device(id).and_then(device);
            if let Some((first, second)) = first.zip(device(*second))
                && let Some(text) = self.paths(&[first, second])?
            {
                let name = &known.group.name;
                return Some(Some(format!("volume group {name}: {text}: {PATHS}")));
            }
        }
        Some(None)
    }

    fn plan_group(&mut self, now: Millis, known: &Known) {
        let named = |lv: &&Logical| {
            let device = name::device(&known.group.name, &lv.name, "");
            let alias = format!("{}/{}", known.group.name, lv.name);
            let planned = format!("mapper/{device}");
            matches!(&self.wish.root, Some(Source::Name(n)) if *n == planned || *n == alias)
        };
        let visible = known
            .group
            .logical
            .iter()
            .filter(|lv| is_visible(&known.group, lv) && holds_data(lv));
        let asked = visible.filter(|lv| !lv.skipped || named(lv));
        for lv in asked.listed() {
            self.plan_volume(now, known, lv);
        }
    }

    fn plan_volume(&mut self, now: Millis, known: &Known, lv: &Logical) {
        let (group, volume) = (&known.group, &lv.name);
        let present = |id: &Id| known.device(id).is_some();
        let full = format!("{}/{volume}", group.name);
        let stack = match table::stack(group, volume, &present) {
            Ok(stack) => stack,
            Err(why) => return self.stack.problems.push(format!("volume {full}: {why}")),
        };
        if !stack.missing.is_empty() {
            let lost: Vec<String> = stack.missing.iter().map(Id::to_string).listed();
            let lost = lost.joined(", ");
            let text =
                format!("volume {full} lacks physical volume {lost}, which it can do without");
            if !self.may_start_degraded(now, &full, &text) {
                return;
            }
        }
        // A snapshot is as large as what it is of; its own blocks are only what differs.
        let origin = origin_of(group, volume);
        let Some(bytes) = through::size(group, origin.unwrap_or(lv)) else {
            return;
        };
        let mapped = name::device(&group.name, volume, "");
        let block = Block {
            name: format!("mapper/{mapped}"),
            major: 0,
            minor: 0,
            sectors: bytes / SECTOR,
            part_of: None,
            sequence: 0,
            mapped: None,
        };
        let seen = through::through(group, volume, &present);
        let seen = seen.filter(|_| origin.is_none()).and_then(|t| {
            t.over(&|id: &Id| {
                self.stack
                    .device_of(id)
                    .map(|name| Lower::Device(name.clone()))
            })
        });
        let planned = Planned {
            name: block.name.clone(),
            what: What::Volume { stack },
        };
        let links = [
            format!("disk/by-id/dm-name-{mapped}"),
            format!("disk/by-id/dm-uuid-{}", name::uuid(&group.id, &lv.id, "")),
        ];
        let mut aliases = alloc::vec![full];
        aliases.extend(links);
        self.plan_device(block, aliases, seen);
        self.stack.planned.push(planned);
    }
}

/// A snapshot is as visible as what it is of.
fn is_visible(group: &Group, lv: &Logical) -> bool {
    lv.visible || origin_of(group, &lv.name).is_some_and(|origin| origin.visible)
}

/// What this volume is a snapshot of, if it is one.
fn origin_of<'a>(group: &'a Group, volume: &str) -> Option<&'a Logical> {
    let mut segments = group.logical.iter().flat_map(|lv| &lv.segments);
    segments.find_map(|segment| match &segment.kind {
        Kind::Snapshot { origin, cow, .. } if cow == volume => group.logical(origin),
        _ => None,
    })
}

/// Not a pool that others take their blocks from, nor what only ties two volumes together.
fn holds_data(lv: &Logical) -> bool {
    let part = |kind: &Kind| {
        let pool = matches!(kind, Kind::ThinPool(_) | Kind::CachePool { .. });
        pool || matches!(kind, Kind::Snapshot { .. })
    };
    !lv.segments.iter().any(|segment| part(&segment.kind))
}

/// Why no volume of the group is activated.
fn refusal(known: &Known, groups: &[Known], names: &[String]) -> Option<String> {
    if let Some(why) = known.refusal("") {
        let device = |at: &usize| names.get(*at).map_or("?", String::as_str);
        let twins = known.duplicates.iter().map(|(id, other)| {
            let first = known.device(id);
            let first = first.as_ref().map_or("?", device);
            format!(" ({first} and {})", device(other))
        });
        return Some(twins.fold(why, |mut text, twin| {
            text.push_str(&twin);
            text
        }));
    }
    let name = &known.group.name;
    let same = |k: &&Known| k.group.name == *name && k.refusal("").is_none();
    (groups.iter().filter(same).count() > 1).then(|| {
        format!(
            "two volume groups are called {name} (one is {}): vgrename tells them apart",
            known.group.id
        )
    })
}
