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
mod which;

use super::action::{Action, Level};
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::crypttab::{Device, Options, Place};
use crate::format::luks::order::{Key, Order, Refusal};
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use asking::Asking;
pub(super) use which::{needed, needs_links};

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
    /// A system may hibernate in it.
    Resume,
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
    /// Nothing is done before it is known whether its disk is there on another path, too.
    comparing: bool,
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
    pub fn device(&self, at: usize) -> String {
        self.all
            .get(at)
            .map(|l| l.device.clone())
            .unwrap_or_default()
    }

    /// What the volume is to be called.
    pub fn name(&self, at: usize) -> Option<&str> {
        self.all.get(at).map(|l| l.name.as_str())
    }

    /// A volume that is open, or about to be.
    pub fn opened(&self) -> Option<String> {
        let open = |lock: &&Lock| matches!(lock.state, State::Opening(_) | State::Open);
        self.all.iter().find(open).map(Lock::shown)
    }

    pub fn shown(&self, at: usize) -> String {
        self.all.get(at).map(Lock::shown).unwrap_or_default()
    }
}

impl Plan {
    /// Brings every volume forward.
    pub(super) fn unlock(&mut self, now: Millis) {
        if self.wish.volumes.off {
            return;
        }
        self.forget_what_left();
        self.find_locks(now);
        self.compare_paths(now);
        self.open_next();
    }

    /// Says what of the words and of crypttab cannot be done.
    pub(super) fn complain_of_volumes(&mut self) {
        let mut lines = Vec::new();
        for volume in &self.wish.volumes.list {
            let told_by = &volume.told_by;
            if let Device::File(path) = &volume.device {
                lines.push(format!(
                    "{told_by}: {path} is a file, and only devices are opened"
                ));
            }
            let what = "is of no use here; a passphrase or a key file is";
            let odd = volume.options.tokens.iter();
            lines.extend(odd.map(|option| format!("{told_by}: option {option} {what}")));
            if !volume.options.links.is_empty() {
                let what = "the volume key stays on no keyring";
                lines.push(format!("{told_by}: link-volume-key= is not heeded: {what}"));
            }
        }
        for line in lines {
            self.say(Level::Warning, line);
        }
    }

    /// Is a volume that was named being opened, or could it be?
    pub(super) fn is_unlocking(&self) -> bool {
        // Whoever is root itself is not waited for by what is root without it.
        let needed = |lock: &Lock| match lock.reason {
            Reason::Named => !lock.options.no_fail,
            Reason::Resume => true,
            Reason::Root | Reason::Last => false,
        };
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
        let seeks = self.seeks_resume();
        let needless = |reason: Reason| match reason {
            Reason::Named => false,
            Reason::Resume => !seeks,
            Reason::Root | Reason::Last => true,
        };
        for lock in &mut self.locks.all {
            let idle = matches!(lock.state, State::Closed | State::Failed(_));
            if idle && !there(lock) {
                lock.state = State::Failed(format!("{} is gone", lock.device));
                lock.generation = 0;
            }
            if found && needless(lock.reason) && lock.state == State::Closed {
                lock.state = State::Failed("root was found without it".into());
                lock.generation = 0;
            }
        }
    }

    /// Is everything there that can be?
    fn drivers_settled(&self) -> bool {
        let mut all = DRIVERS.iter().chain([&CIPHER]);
        all.all(|driver| self.modules.driver_settled(driver))
    }

    // -- opening --------------------------------------------------------------------------------

    /// Opens the next volume for which there is a key.
    fn open_next(&mut self) {
        let busy = |lock: &Lock| matches!(lock.state, State::Opening(_));
        if self.locks.all.iter().any(busy) || !self.drivers_settled() {
            return;
        }
        for at in 0..self.locks.all.len() {
            let lock = self.locks.all.get(at);
            if !lock.is_some_and(|l| l.state == State::Closed && !l.comparing) {
                continue;
            }
            let Some((key, header)) = self.next_key(at) else {
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
            return self.out.push(Action::Unlock {
                ticket,
                order: order.into(),
            });
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
            Refusal::Volume => self.fail_lock(now, at, format!("{fault}"), false),
        }
    }

    fn key_is_odd(&mut self, at: usize, what: String) {
        if let Some(lock) = self.locks.all.get_mut(at) {
            let text = format!("{}: {what}", lock.shown());
            lock.problem = Some(what);
            self.say(Level::Warning, text);
        }
    }

    /// It stays closed: is that the end? `asked`: somebody was, in vain.
    pub(super) fn fail_lock(&mut self, now: Millis, at: usize, why: String, asked: bool) {
        let Some(lock) = self.locks.all.get_mut(at) else {
            return;
        };
        let text = format!("{} stays closed: {why}", lock.shown());
        let reason = lock.reason;
        lock.state = State::Failed(why);
        self.say(Level::Error, text.clone());
        // What was asked for by a name of the device mapper has no other way; nor has it when a
        // person was asked in vain. Another device of that identity may still come.
        let mapped = matches!(&self.wish.root, Some(Source::Name(n)) if n.starts_with("mapper/"));
        let for_root = matches!(reason, Reason::Root | Reason::Last);
        let last = asked && for_root && !self.may_unlock();
        let over = reason == Reason::Root && mapped || last;
        if over && self.stage == Stage::Searching && !self.usable_exists() {
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

    /// Does one stay closed, whatever was tried?
    pub(super) fn is_locked_out(&self) -> bool {
        let mut locks = self.locks.all.iter().filter(|lock| lock.generation > 0);
        locks.any(|lock| matches!(lock.state, State::Failed(_)))
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
