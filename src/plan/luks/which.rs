//! Which volumes are opened, and on which devices they are.

use super::{CIPHER, DRIVERS, LUKS, Lock, Plan, Reason, State, keys};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::{Joined, cut};
use crate::format::crypttab::{self, Place, Volume};
use crate::format::wish::{Source, Wish};
use crate::plan::action::Level;
use crate::plan::device::{Device, Devices, Look};
use crate::plan::give_up::PATHS;
use crate::plan::ticket::Job;
use crate::plan::{Stage, root};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Does this name what the volume becomes?
fn is_named(goal: Option<&Source>, name: &str) -> bool {
    match goal {
        Some(Source::Name(goal)) => goal.strip_prefix("mapper/") == Some(name),
        _ => false,
    }
}

/// Why this volume is opened as soon as it is there.
fn reason_of(wish: &Wish, volume: &Volume) -> Option<Reason> {
    let names = |goal| {
        let name = volume.name.as_deref();
        name.is_some_and(|name| is_named(goal, name))
    };
    let wanted = volume.wanted && !volume.left_out && !volume.options.no_auto;
    if names(wish.root.as_ref()) {
        Some(Reason::Root)
    } else if wanted {
        Some(Reason::Named)
    } else if names(wish.resumed()) {
        Some(Reason::Resume)
    } else {
        None
    }
}

/// The UUID that `/dev/mapper/luks-UUID` asks for.
fn uuid_of(goal: Option<&Source>) -> Option<&str> {
    match goal {
        Some(Source::Name(goal)) => goal.strip_prefix("mapper/luks-"),
        _ => None,
    }
}

/// Is this the device of the volume? `None`: not known yet.
fn is_on(volume: &crypttab::Device, devices: &Devices, device: &Device) -> Option<bool> {
    let signature = device.signature().filter(|s| s.kind == LUKS);
    match volume {
        crypttab::Device::Source(source) => root::identity_matches(Some(source), devices, device),
        crypttab::Device::UuidStart(start) => {
            let uuid = signature.and_then(|s| s.uuid.as_ref());
            Some(uuid.is_some_and(|uuid| uuid.to_ascii_lowercase().starts_with(start.as_str())))
        }
        crypttab::Device::Serial(serial) => {
            let disk = devices.disk_of(device).unwrap_or(device);
            let links = disk.links.as_ref()?;
            let named = |link: &String| cut(link, serial).is_some();
            Some(signature.is_some() && links.iter().any(named))
        }
        crypttab::Device::File(_) => Some(false),
    }
}

/// Every reference to a device that must be understood for the volumes that are opened.
fn sources(wish: &Wish) -> Vec<crypttab::Device> {
    let mut all = Vec::new();
    let of = |place: &Place| match place {
        Place::On { device, .. } | Place::Device(device) => Some(device.clone()),
        Place::File(_) => None,
    };
    for volume in &wish.volumes.list {
        if reason_of(wish, volume).is_none() {
            continue;
        }
        all.push(volume.device.clone());
        let places = [&volume.key, &volume.options.header].into_iter().flatten();
        all.extend(places.filter_map(of).map(crypttab::Device::Source));
    }
    let more = wish.volumes.others.key.as_ref().and_then(of);
    all.extend(more.map(crypttab::Device::Source));
    let implied = wish.goals().filter_map(|goal| uuid_of(Some(goal)));
    let implied = implied.filter(|_| !wish.volumes.off);
    all.extend(implied.map(|uuid| crypttab::Device::UuidStart(uuid.into())));
    all
}

/// Devices that must be read for that, and what lies in volumes that are open.
pub(in crate::plan) fn needed(wish: &Wish, devices: &Devices) -> Vec<String> {
    let sources = sources(wish);
    let worth = |device: &Device| {
        let of = |volume: &crypttab::Device| match volume {
            crypttab::Device::Source(Source::Name(_) | Source::Number(..) | Source::Link(_)) => {
                is_on(volume, devices, device) == Some(true)
            }
            crypttab::Device::File(_) => false,
            _ => !root::is_slow_or_empty(&device.block.name),
        };
        devices.below(device).is_some() || sources.iter().any(of)
    };
    let mut names = Vec::new();
    for device in devices.all().filter(|d| worth(d)) {
        names.push(device.block.name.clone());
        names.extend(device.block.part_of.as_ref().map(|(disk, _)| disk.clone()));
    }
    names
}

/// Must the names that udev gives to disks be known?
pub(in crate::plan) fn needs_links(wish: &Wish) -> bool {
    let by_link = |device: &crypttab::Device| {
        matches!(
            device,
            crypttab::Device::Serial(_) | crypttab::Device::Source(Source::Link(_))
        )
    };
    sources(wish).iter().any(by_link)
}

impl Plan {
    pub(super) fn find_locks(&mut self, now: Millis) {
        let mut found = Vec::new();
        let named: Vec<(Reason, Volume)> = self.named();
        for (reason, volume) in named {
            let matches = |d: &&Device| is_on(&volume.device, &self.devices, d) == Some(true);
            let header = volume.options.header.is_some();
            let fits = |d: &&Device| matches(d) && self.is_volume(d, header);
            let fit = self.devices.all().filter(fits);
            let fit: Vec<String> = fit.map(|d| d.block.name.clone()).listed();
            if let Some(device) = self.first_of(&fit) {
                found.push((reason, device, Some(volume)));
            }
        }
        for (reason, device) in self.unnamed() {
            let known = found.iter().any(|(_, d, _)| *d == device);
            if !known {
                let volume = self.listed_for(&device);
                found.push((reason, device, volume));
            }
        }
        for (reason, device, volume) in found {
            self.add_lock(now, reason, &device, volume);
        }
    }

    /// Volumes of the list that are opened as soon as they are there.
    fn named(&self) -> Vec<(Reason, Volume)> {
        let volumes = self.wish.volumes.list.iter();
        let with_reason = |v: &Volume| Some((reason_of(&self.wish, v)?, v.clone()));
        volumes.filter_map(with_reason).listed()
    }

    /// Can this be the device of a volume? One without a known signature may have a damaged
    /// header.
    fn is_volume(&self, device: &Device, detached: bool) -> bool {
        let Look::Known(finding) = &device.look else {
            return false;
        };
        let fits = match &finding.signature {
            Some(signature) => signature.kind == LUKS || detached,
            None => finding.table.is_none() && finding.ambivalent.is_empty(),
        };
        let shadowed = root::shadow(&self.wish, &self.devices, device).is_some();
        fits && device.block.sectors > 0 && !shadowed
    }

    /// Of several that are the same volume the first by name, and whoever reads the log knows.
    fn first_of(&mut self, fit: &[String]) -> Option<String> {
        let first = fit.iter().min_by(|a, b| root::natural_order(a, b))?.clone();
        let names = fit.joined(" and ");
        if fit.len() > 1 && !self.locks.clones.contains(&names) {
            let text = format!("{names} are the same encrypted volume: {first} is opened");
            self.locks.clones.push(names);
            self.say(Level::Warning, text);
        }
        Some(first)
    }

    /// Containers that `root=` or `resume=` names itself, or by the name that they get; and, when
    /// everything else was tried, all.
    fn unnamed(&self) -> Vec<(Reason, String)> {
        let mut found = Vec::new();
        let idle = self.tickets.awaited().all(|job| *job == Job::Ask);
        let last = self.exhausted && idle && self.stage == Stage::Searching;
        let named = self.wish.root.is_some();
        for device in self.devices.all() {
            let Some(signature) = device.signature().filter(|s| s.kind == LUKS) else {
                continue;
            };
            let by_name = |goal| {
                let wanted = uuid_of(goal);
                wanted.is_some() && wanted == signature.uuid.as_deref()
            };
            let is = |goal| root::identity_matches(goal, &self.devices, device) == Some(true);
            let (root, resumed) = (self.wish.root.as_ref(), self.wish.resumed());
            let booted = self.root_of_boot_disk();
            let booted = booted.is_some_and(|only| only.block.name == device.block.name);
            let reason = if by_name(root) || is(root) && (named || last || booted) {
                Reason::Root
            } else if by_name(resumed) || resumed.is_some() && is(resumed) {
                Reason::Resume
            } else if last {
                Reason::Last
            } else {
                continue;
            };
            if self.is_volume(device, false) && !self.is_header(device) {
                found.push((reason, device.block.name.clone()));
            }
        }
        found
    }

    /// Is it the header of another device?
    fn is_header(&self, device: &Device) -> bool {
        let header = |volume: &Volume| match &volume.options.header {
            Some(Place::Device(source)) => {
                root::identity_matches(Some(source), &self.devices, device) == Some(true)
            }
            _ => false,
        };
        self.wish.volumes.list.iter().any(header)
    }

    /// What crypttab says of a volume that it does not ask to be opened.
    fn listed_for(&self, device: &str) -> Option<Volume> {
        let device = self.devices.by_name(device)?;
        let own = |v: &&Volume| is_on(&v.device, &self.devices, device) == Some(true);
        self.wish.volumes.list.iter().find(own).cloned()
    }

    /// A volume whose disk is there on another path, too, stays closed.
    pub(super) fn compare_paths(&mut self, now: Millis) {
        for at in 0..self.locks.all.len() {
            let closed = self.locks.all.get(at).map(|l| l.state == State::Closed);
            if closed != Some(true) {
                continue;
            }
            let device = self.locks.device(at);
            let found = self.paths_of_volume(&device);
            if let Some(lock) = self.locks.all.get_mut(at) {
                lock.comparing = found.is_none();
            }
            if let Some(Some(why)) = found {
                self.fail_lock(now, at, format!("{why}: {PATHS}"), false);
            }
        }
    }

    /// Is the disk of this volume there on two paths? The outer `None`: that is not known yet.
    fn paths_of_volume(&mut self, device: &str) -> Option<Option<String>> {
        let uuid_of = |d: &Device| {
            let signature = d.signature().filter(|s| s.kind == LUKS);
            signature.and_then(|s| s.uuid.clone())
        };
        let own = self.devices.by_name(device).and_then(uuid_of);
        let same = |d: &&Device| own.is_some() && uuid_of(d) == own;
        let all = self.devices.all().filter(same);
        let names: Vec<String> = all.map(|d| d.block.name.clone()).listed();
        match names.len() {
            0 | 1 => Some(None),
            _ => self.paths(&names),
        }
    }

    fn add_lock(&mut self, now: Millis, reason: Reason, name: &str, volume: Option<Volume>) {
        let Some(device) = self.devices.by_name(name) else {
            return;
        };
        let known = |lock: &&mut Lock| lock.device == name && lock.generation == device.generation;
        if let Some(lock) = self.locks.all.iter_mut().find(known) {
            lock.reason = lock.reason.min(reason);
            return;
        }
        if self.devices.is_below(name) {
            return;
        }
        if device.is_virtual() {
            self.want_real(name);
            return self.start_wanted(now);
        }
        let uuid = device.signature().and_then(|s| s.uuid.clone());
        let own = format!("luks-{}", uuid.unwrap_or_else(|| name.replace('/', "-")));
        let others = &self.wish.volumes.others;
        let (given, key, options) = match volume {
            Some(volume) => (volume.name, volume.key, volume.options),
            // Of a root by its type: systemd's name.
            None if self.wish.root.is_none() && reason == Reason::Root => (
                Some("root".into()),
                others.key.clone(),
                others.options.clone(),
            ),
            None => (None, others.key.clone(), others.options.clone()),
        };
        let wait = options.keyfile_timeout_ms.map(|ms| now.plus(ms));
        let name_of = given.unwrap_or(own);
        let taken = |l: &Lock| l.name == name_of && !matches!(l.state, State::Failed(_));
        if self.locks.all.iter().any(taken) {
            return;
        }
        self.locks.all.push(Lock {
            device: name.into(),
            generation: device.generation,
            name: name_of,
            reason,
            state: State::Closed,
            key,
            options,
            tried: keys::Tried::default(),
            problem: None,
            wrong: 0,
            patient_until: wait,
            comparing: false,
        });
        let (tickets, out) = (&mut self.tickets, &mut self.out);
        self.modules.want_drivers(CIPHER, tickets, out);
        for driver in DRIVERS {
            self.modules.want_driver(driver, tickets, out);
        }
    }
}
