//! Encrypted volumes: which of them are opened.
//!
//! A volume is opened because somebody named it (the command line, a line of crypttab that is
//! marked so), because `root=` names it or what it becomes, or because everything else was tried
//! and root has still not appeared. With which keys is in [`keys`]; when somebody is asked in
//! [`asking`]. One volume is opened at a time: deriving its key may take most of the memory.
//!
//! Root is not mounted while a volume that was named, and is there, could still be opened. What is
//! found inside of a container that `root=` itself names is root.

mod asking;
mod keys;

use super::action::{Action, Level};
use super::device::{Device, Devices, Look};
use super::give_up::Cause;
use super::root;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::crypttab::{self, Options, Place, Volume};
use crate::format::luks::order::{Key, Order, Refusal};
use crate::format::wish::{Source, Wish};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use asking::Asking;

/// What `format::identity` calls the containers.
const LUKS: &str = "crypto_LUKS";
/// What is needed whatever a header says.
const DRIVERS: [&str; 2] = ["dm-mod", "dm-crypt"];
/// What nearly every volume is encrypted with. The kernel does with what it has when a volume is
/// opened, and keeps to it: a machine's own instructions must be there before.
const CIPHER: &str = "crypto-aes";

/// Why a volume is opened, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Root is it, or is inside of it.
    Root,
    /// Somebody named it.
    Named,
    /// Nothing else is left to try.
    Last,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// It is being opened with this.
    Opening(Key),
    Open,
    /// It stays closed. One sentence says why.
    Failed(String),
}

/// A volume that is to be opened.
struct Lock {
    device: String,
    generation: u32,
    name: String,
    reason: Reason,
    state: State,
    key: Option<Place>,
    options: Options,
    tried: keys::Tried,
    /// What was wrong with its key file.
    problem: Option<String>,
    /// So many answers were wrong.
    wrong: u32,
    /// Nobody is asked before.
    patient_until: Option<Millis>,
}

impl Lock {
    /// As a person would call it.
    fn shown(&self) -> String {
        format!("{} ({})", self.name, self.device)
    }
}

#[derive(Default)]
pub(super) struct Locks {
    all: Vec<Lock>,
    asking: Asking,
    /// Clones that were named already.
    clones: Vec<String>,
}

impl Locks {
    pub fn shown(&self, at: usize) -> String {
        self.all.get(at).map(Lock::shown).unwrap_or_default()
    }
}

/// Does `root=` name what this volume becomes?
fn is_root(wish: &Wish, name: &str) -> bool {
    match &wish.root {
        Some(Source::Name(root)) => root.strip_prefix("mapper/") == Some(name),
        _ => false,
    }
}

/// Why this volume is opened as soon as it is there.
fn reason_of(wish: &Wish, volume: &Volume) -> Option<Reason> {
    let named = volume.name.as_deref();
    let root = named.is_some_and(|name| is_root(wish, name));
    match (
        root,
        volume.wanted && !volume.left_out && !volume.options.no_auto,
    ) {
        (true, _) => Some(Reason::Root),
        (false, true) => Some(Reason::Named),
        _ => None,
    }
}

/// The UUID that `root=/dev/mapper/luks-UUID` asks for.
fn uuid_of_root(wish: &Wish) -> Option<&str> {
    match &wish.root {
        Some(Source::Name(root)) => root.strip_prefix("mapper/luks-"),
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
            let named = |link: &String| link.contains(serial.as_str());
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
    let implied = uuid_of_root(wish).filter(|_| !wish.volumes.off);
    all.extend(implied.map(|uuid| crypttab::Device::UuidStart(uuid.into())));
    all
}

/// Devices that must be read for that, and what lies in volumes that are open.
pub(super) fn needed(wish: &Wish, devices: &Devices) -> Vec<String> {
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
pub(super) fn needs_links(wish: &Wish) -> bool {
    let by_link = |device: &crypttab::Device| {
        matches!(
            device,
            crypttab::Device::Serial(_) | crypttab::Device::Source(Source::Link(_))
        )
    };
    sources(wish).iter().any(by_link)
}

impl Plan {
    /// Brings every volume forward.
    pub(super) fn unlock(&mut self, now: Millis) {
        if self.wish.volumes.off {
            return;
        }
        self.forget_what_left();
        self.find_locks(now);
        self.open_next(now);
        self.ask(now);
    }

    /// Is a volume that was named, or is root, being opened, or could it be?
    pub(super) fn is_unlocking(&self) -> bool {
        let needed = |lock: &Lock| lock.reason < Reason::Last && !lock.options.no_fail;
        let holds = |lock: &Lock| match lock.state {
            State::Opening(_) => true,
            State::Closed => !lock.options.headless && self.has_header(lock),
            State::Open | State::Failed(_) => false,
        };
        let mut locks = self.locks.all.iter();
        locks.any(|lock| needed(lock) && holds(lock))
    }

    /// Could a volume still be opened? Then it is too early to say that there is no root.
    pub(super) fn may_unlock(&self) -> bool {
        let may = |lock: &Lock| matches!(lock.state, State::Opening(_) | State::Closed);
        self.locks.all.iter().any(may)
    }

    fn forget_what_left(&mut self) {
        let devices = &self.devices;
        let there = |lock: &Lock| {
            let device = devices.by_name(&lock.device);
            device.is_some_and(|d| d.generation == lock.generation)
        };
        let found = matches!(self.stage, Stage::Preparing { .. });
        for lock in &mut self.locks.all {
            let idle = matches!(lock.state, State::Closed | State::Failed(_));
            if idle && !there(lock) {
                lock.state = State::Failed(format!("{} is gone", lock.device));
                lock.generation = 0;
            }
            if found && lock.reason == Reason::Last && lock.state == State::Closed {
                lock.state = State::Failed("root was found without it".into());
                lock.generation = 0;
            }
        }
    }

    // -- which ----------------------------------------------------------------------------------

    fn find_locks(&mut self, now: Millis) {
        let mut found = Vec::new();
        let named: Vec<(Reason, Volume)> = self.named();
        for (reason, volume) in named {
            let matches = |d: &&Device| is_on(&volume.device, &self.devices, d) == Some(true);
            let header = volume.options.header.is_some();
            let fits = |d: &&Device| matches(d) && self.is_volume(d, header);
            let fit = self.devices.all().filter(fits);
            let fit: Vec<String> = fit.map(|d| d.block.name.clone()).collect();
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
        volumes.filter_map(with_reason).collect()
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
        let names = fit.join(" and ");
        if fit.len() > 1 && !self.locks.clones.contains(&names) {
            let text = format!("{names} are the same encrypted volume: {first} is opened");
            self.locks.clones.push(names);
            self.say(Level::Warning, text);
        }
        Some(first)
    }

    /// Containers that `root=` names itself, or by the name that they get; and, when everything
    /// else was tried, all.
    fn unnamed(&self) -> Vec<(Reason, String)> {
        let mut found = Vec::new();
        let idle = self.tickets.open().all(|job| *job == Job::Ask);
        let last = self.exhausted && idle && self.stage == Stage::Searching;
        let named = self.wish.root.is_some();
        for device in self.devices.all() {
            let Some(signature) = device.signature().filter(|s| s.kind == LUKS) else {
                continue;
            };
            let wanted = uuid_of_root(&self.wish);
            let by_name = wanted.is_some() && wanted == signature.uuid.as_deref();
            let root = self.wish.root.as_ref();
            let itself = root::identity_matches(root, &self.devices, device) == Some(true);
            let reason = match by_name || itself && (named || last) {
                true => Reason::Root,
                false if last => Reason::Last,
                false => continue,
            };
            if self.is_volume(device, false) {
                found.push((reason, device.block.name.clone()));
            }
        }
        found
    }

    /// What crypttab says of a volume that it does not ask to be opened.
    fn listed_for(&self, device: &str) -> Option<Volume> {
        let device = self.devices.by_name(device)?;
        let own = |v: &&Volume| is_on(&v.device, &self.devices, device) == Some(true);
        self.wish.volumes.list.iter().find(own).cloned()
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
        });
        let (tickets, out) = (&mut self.tickets, &mut self.out);
        self.modules.want_drivers(CIPHER, tickets, out);
        for driver in DRIVERS {
            self.modules.want_driver(driver, tickets, out);
        }
    }

    /// Is everything there that can be?
    fn drivers_settled(&self) -> bool {
        let mut all = DRIVERS.iter().chain([&CIPHER]);
        all.all(|driver| self.modules.driver_settled(driver))
    }

    // -- opening --------------------------------------------------------------------------------

    /// Opens the next volume for which there is a key.
    fn open_next(&mut self, now: Millis) {
        let busy = |lock: &Lock| matches!(lock.state, State::Opening(_));
        if self.locks.all.iter().any(busy) || !self.drivers_settled() {
            return;
        }
        for at in 0..self.locks.all.len() {
            let closed = self.locks.all.get(at).map(|l| l.state == State::Closed);
            if closed != Some(true) {
                continue;
            }
            let Some((key, header)) = self.next_key(now, at) else {
                continue;
            };
            let Some(lock) = self.locks.all.get_mut(at) else {
                continue;
            };
            lock.state = State::Opening(key.clone());
            let order = Order {
                device: lock.device.clone(),
                name: lock.name.clone(),
                header,
                key,
                slot: lock.options.key_slot,
                flags: lock.options.flags,
                read_only: lock.options.read_only,
            };
            self.devices.opens(&order.device, &order.name);
            let ticket = self.tickets.issue(Job::Unlock(at));
            return self.out.push(Action::Unlock { ticket, order });
        }
    }

    pub(super) fn unlocked(
        &mut self,
        now: Millis,
        at: usize,
        result: Result<(), (Refusal, Fault)>,
    ) {
        let Some(lock) = self.locks.all.get_mut(at) else {
            return;
        };
        let State::Opening(key) = core::mem::replace(&mut lock.state, State::Closed) else {
            return;
        };
        let shown = lock.shown();
        let (why, fault) = match result {
            Ok(()) => {
                lock.state = State::Open;
                self.was_right(&key);
                return self.say(Level::Info, format!("{shown} is open"));
            }
            Err(failed) => failed,
        };
        let device = lock.device.clone();
        lock.note(&key);
        self.devices.does_not_open(&device);
        match why {
            Refusal::WrongKey if !matches!(key, Key::Typed(_) | Key::Empty) => {
                self.key_is_odd(at, format!("its key file: {fault}"));
            }
            Refusal::NoKey if matches!(key, Key::At(_)) => {
                self.key_is_odd(at, format!("no key: {fault}"));
            }
            Refusal::WrongKey | Refusal::NoKey => {}
            Refusal::Volume => self.fail_lock(now, at, format!("{fault}")),
        }
    }

    fn key_is_odd(&mut self, at: usize, what: String) {
        if let Some(lock) = self.locks.all.get_mut(at) {
            let text = format!("{}: {what}", lock.shown());
            lock.problem = Some(what);
            self.say(Level::Warning, text);
        }
    }

    /// It stays closed: is that the end?
    fn fail_lock(&mut self, now: Millis, at: usize, why: String) {
        let Some(lock) = self.locks.all.get_mut(at) else {
            return;
        };
        let text = format!("{} stays closed: {why}", lock.shown());
        let (reason, wrong) = (lock.reason, lock.wrong);
        lock.state = State::Failed(why);
        self.say(Level::Error, text.clone());
        let searching = self.stage == Stage::Searching;
        // Whoever names a container has no other way, nor has whoever was asked in the end.
        let last = reason == Reason::Last && wrong > 0 && !self.may_unlock();
        let over = reason == Reason::Root || last;
        if searching && over && !self.usable_exists() {
            self.give_up(now, Cause::Locked(text));
        }
    }

    /// A person was at it: everything may be tried again.
    pub(super) fn forgive_locks(&mut self) {
        let busy = |lock: &Lock| matches!(lock.state, State::Opening(_) | State::Open);
        // Places in the list are numbers: what is kept keeps its own.
        for lock in self.locks.all.iter_mut().filter(|lock| !busy(lock)) {
            lock.generation = 0;
            lock.state = State::Failed("it is looked at again".into());
        }
    }

    /// For the page: what became of each volume that is not open.
    pub(super) fn closed(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for lock in self.locks.all.iter().filter(|lock| lock.generation > 0) {
            let shown = lock.shown();
            match &lock.state {
                State::Failed(why) => lines.push(format!("{shown} stays closed: {why}")),
                State::Closed => {
                    lines.push(format!("{shown} waits for {}", self.awaited(lock)));
                    let problem = lock.problem.iter();
                    lines.extend(problem.map(|what| format!("{shown}: {what}")));
                }
                State::Opening(_) | State::Open => {}
            }
        }
        lines
    }
}
