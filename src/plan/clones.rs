//! Several devices that answer the wish: which one counts, and what the person is told.
//!
//! The rule: a disk that the firmware booted from goes first; then the place in the machine decides
//! (udev's `by-path` name, counted as people count), which no order of appearance changes; then the
//! name. With `landfall.clones=refuse` nothing is taken where two could be. What the firmware
//! booted from, and where disks hang, is asked only when it matters.
//!
//! Not clones: devices that hold one file system together, as btrfs does, each with a number of its
//! own within it. Members of arrays never answer a wish at all.

use super::action::{Action, Level};
use super::device::Device;
use super::give_up::Cause;
use super::root::{self, Answer};
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::order;
use crate::base::text::Joined;
use crate::format::identity::Partition;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// What is known of the partition that the firmware booted from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Firmware {
    #[default]
    Unasked,
    Asked,
    Known(Option<String>),
}

/// A device that can be mounted as root: name, generation, types.
pub(super) type Usable = (String, u32, Vec<String>);

impl Plan {
    pub(super) fn ask_firmware(&mut self) {
        if self.firmware == Firmware::Unasked {
            self.firmware = Firmware::Asked;
            let ticket = self.tickets.issue(Job::AskFirmware);
            self.out.push(Action::AskFirmware { ticket });
        }
    }

    /// Is this device, or its disk, the one that the firmware booted from?
    pub(super) fn was_booted_from(&self, device: &Device) -> bool {
        let Firmware::Known(Some(booted)) = &self.firmware else {
            return false;
        };
        let disk = self.devices.disk_of(device).unwrap_or(device);
        let is_it = |e: &Partition| e.uuid.eq_ignore_ascii_case(booted);
        disk.table().is_some_and(|t| t.partitions.iter().any(is_it))
    }

    /// May only one device answer, so that all must be known before one is taken?
    pub(super) fn refuses_clones(&self) -> bool {
        let one_by_nature = matches!(self.wish.root, Some(Source::Name(_) | Source::Number(..)));
        self.wish.refuse_clones && !one_by_nature
    }

    /// Patience ended. What was put off until it could be compared with all that comes is told.
    pub(super) fn cause_of_the_deadline(&mut self) -> Cause {
        if !self.must_wait_to_compare() {
            return Cause::Deadline;
        }
        self.settled = true;
        let found = self.usable();
        let names = self.in_order(&found);
        match found.len() {
            0 => Cause::Deadline,
            1 => Cause::Uncompared(names),
            _ if self.wish.root.is_none() => Cause::SeveralRoots(names),
            _ => Cause::Clones(names),
        }
    }

    /// Puts what was found in the order of the rule and says so. `None`: not yet, or refused.
    pub(super) fn ranked(&mut self, now: Millis, found: Vec<Usable>) -> Option<Vec<Usable>> {
        let device = |u: &Usable| self.devices.by_name(&u.0);
        let all: Vec<&Device> = found.iter().filter_map(device).listed();
        let first = all.first();
        let alone = all.iter().all(|d| first.is_some_and(|f| is_one_with(f, d)));
        if self.wish.root.is_none() || alone {
            let by_name = |a: &Usable, b: &Usable| root::natural_order(&a.0, &b.0);
            return Some(
                order::sorted(&found, &by_name)
                    .into_iter()
                    .cloned()
                    .listed(),
            );
        }
        let names: Vec<String> = found.iter().map(|u| u.0.clone()).listed();
        let Some(paths) = self.paths(&names) else {
            self.comparing = true;
            return None;
        };
        if let Some(paths) = paths {
            self.give_up(now, Cause::Paths(paths));
            return None;
        }
        if self.refuses_clones() {
            let names = self.in_order(&found);
            self.give_up(now, Cause::Clones(names));
            return None;
        }
        self.ask_firmware();
        if !matches!(self.firmware, Firmware::Known(_)) {
            self.comparing = true;
            return None;
        }
        let by_rule = |a: &Usable, b: &Usable| self.by_rule(&a.0, &b.0);
        let ranked: Vec<Usable> = order::sorted(&found, &by_rule)
            .into_iter()
            .cloned()
            .listed();
        self.name_clones(&ranked);
        Some(ranked)
    }

    /// Are two of these the same disk, seen on two paths? World Wide Names are no disk's but one's.
    /// Names of both, and what is the same. The outer `None`: the names are not known yet.
    pub(super) fn paths(&mut self, found: &[String]) -> Option<Option<String>> {
        self.links_known(found).then_some(())?;
        let wwn = |name: &String| {
            let device = self.devices.by_name(name)?;
            let disk = self.devices.disk_of(device).unwrap_or(device);
            let names = disk.links.iter().flatten();
            let wwn = names.filter_map(|link| link.strip_prefix("by-id/"));
            wwn.map(String::from).find(|link| link.starts_with("wwn-"))
        };
        for (at, first) in found.iter().enumerate() {
            let Some(own) = wwn(first) else {
                continue;
            };
            let later = found.iter().skip(at.saturating_add(1));
            let mut same = later.filter(|name| wwn(name).as_ref() == Some(&own));
            if let Some(second) = same.next() {
                return Some(Some(format!(
                    "{first} and {second} are one disk on two paths ({own})"
                )));
            }
        }
        Some(None)
    }

    /// A device that is read while another is mounted already may be its clone: it came too late to
    /// count, but whoever reads the log shall know.
    pub(super) fn name_late_clone(&mut self, late: &str) {
        let under_way = matches!(self.stage, Stage::Mounting { .. } | Stage::FindingInit);
        let (Some(device), Some(taken)) = (
            self.devices.by_name(late),
            self.devices.by_name(&self.taken),
        ) else {
            return;
        };
        let answer = root::answer(&self.wish, &self.devices, device);
        if under_way && matches!(answer, Answer::Usable(_)) && !is_one_with(taken, device) {
            let (taken, typed) = (&self.taken, &self.wish.root_as_typed);
            let text = format!("{taken} and {late} answer {typed}: {taken} was there first");
            self.say(Level::Warning, text);
        }
    }

    /// Asks what names the disks of these have; false while an answer is missing.
    fn links_known(&mut self, found: &[String]) -> bool {
        let disk_of = |name: &String| {
            let device = self.devices.by_name(name)?;
            let disk = self.devices.disk_of(device).unwrap_or(device);
            // What does not run hangs on no bus.
            (!disk.is_virtual()).then(|| disk.block.name.clone())
        };
        let disks: Vec<String> = found.iter().filter_map(disk_of).listed();
        let Self {
            devices,
            tickets,
            out,
            ..
        } = self;
        devices.ask_links(tickets, out, &|d| disks.contains(&d.block.name));
        let known = |name: &String| devices.by_name(name).is_none_or(|d| d.links.is_some());
        disks.iter().all(known)
    }

    fn by_rule(&self, a: &str, b: &str) -> Ordering {
        let rank = |name: &str| {
            let device = self.devices.by_name(name)?;
            Some((!self.was_booted_from(device), self.place_of(device)))
        };
        let (Some((a_late, a_place)), Some((b_late, b_place))) = (rank(a), rank(b)) else {
            return root::natural_order(a, b);
        };
        let places = match (a_place, b_place) {
            (Some(a), Some(b)) => count_order(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let names = || root::natural_order(a, b);
        a_late.cmp(&b_late).then(places).then_with(names)
    }

    fn place_of<'a>(&'a self, device: &'a Device) -> Option<&'a str> {
        let disk = self.devices.disk_of(device).unwrap_or(device);
        let links = disk.links.as_ref()?;
        links.iter().find_map(|l| l.strip_prefix("by-path/"))
    }

    /// Once for each set of names.
    fn name_clones(&mut self, ranked: &[Usable]) {
        let names = self.in_order(ranked);
        if names == self.clones_named {
            return;
        }
        let booted = |u: &Usable| {
            let device = self.devices.by_name(&u.0);
            device.is_some_and(|d| self.was_booted_from(d))
        };
        let mut booted = ranked.iter().map(booted);
        let (first, second) = (booted.next(), booted.next());
        let why = match (first, second) {
            (Some(true), Some(false)) => "is on the disk that the machine was booted from",
            _ => "comes first by its place in the machine",
        };
        let taken = ranked.first().map_or("", |u| u.0.as_str());
        let typed = &self.wish.root_as_typed;
        let text = format!("{names} answer {typed}: {taken} is taken, which {why}");
        self.clones_named = names;
        self.say(Level::Warning, text);
    }

    fn in_order(&self, found: &[Usable]) -> String {
        let names: Vec<&str> = found.iter().map(|u| u.0.as_str()).listed();
        names.joined(" and ")
    }

    /// A root that is being prepared, and is not among what was found any more, has left.
    pub(super) fn drop_what_left(&mut self, found: &[Usable]) {
        let Stage::Preparing {
            device, generation, ..
        } = &self.stage
        else {
            return;
        };
        if !found.iter().any(|u| (&u.0, &u.1) == (device, generation)) {
            let text = format!("{device} left before it could be mounted");
            self.say(Level::Warning, text);
            self.stage = Stage::Searching;
        }
    }
}

/// Do both hold the same file system, each its own part?
fn is_one_with(a: &Device, b: &Device) -> bool {
    let own = |d: &Device| d.signature().map(|s| (s.kind.clone(), s.uuid.clone()));
    let part = |d: &Device| d.signature().and_then(|s| s.uuid_sub.clone());
    let same = a.block.name == b.block.name;
    let (one, other) = (part(a), part(b));
    same || (own(a) == own(b) && one.is_some() && other.is_some() && one != other)
}

/// Places in the order in which people count: `ata-2` before `ata-10`, and the slots of PCI, which
/// are hexadecimal and of one length, as they stand.
pub fn count_order(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_hexdigit());
        end.unwrap_or(text.len())
    };
    let (mut a, mut b) = (a, b);
    loop {
        let (a_run, a_rest) = a.split_at_checked(digits(a)).unwrap_or((a, ""));
        let (b_run, b_rest) = b.split_at_checked(digits(b)).unwrap_or((b, ""));
        let numbers = a_run.len().cmp(&b_run.len()).then(a_run.cmp(b_run));
        let (mut a_chars, mut b_chars) = (a_rest.chars(), b_rest.chars());
        let (next_a, next_b) = (a_chars.next(), b_chars.next());
        let order = numbers.then(next_a.cmp(&next_b));
        if order != Ordering::Equal || next_a.is_none() {
            return order;
        }
        (a, b) = (a_chars.as_str(), b_chars.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_people_count() {
        let sorted = [
            "",
            "pci-0000:00:02.0",
            "pci-0000:00:1f.2-ata-2",
            "pci-0000:00:1f.2-ata-10",
            "pci-0000:00:1f.2-ata-10.1",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(count_order(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
