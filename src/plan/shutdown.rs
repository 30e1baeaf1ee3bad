//! Taking down what a real system leaves: in which order, how often, and when it is enough.
//!
//! From above: what is mounted and carries no other mount goes first, then each device that is
//! neither mounted nor part of another one. What the kernel refuses is tried again when something
//! else has gone. Where nothing moves, the processes that hold the old root are ended; what then
//! still stays is at least not written to any more.
//!
//! What is there is looked at anew before each step, and the only proof of success is that it is
//! gone: the kernel says yes to loop devices that it keeps.

use super::Plan;
use crate::base::text::Text;
use crate::format::made_device::{Kind, MadeDevice};
use crate::format::mountinfo::Mount;
use alloc::vec::Vec;

/// Where the root file system of the system that ended is.
pub const OLD_ROOT: &str = "/oldroot";

/// How often it is waited for processes that were asked to end, and for those that were made to.
const WAITS: u32 = 20;
/// Before that many steps something is gone, or never will be.
const MOST_STEPS: u32 = 4096;

impl Plan {
    /// Whether the program stays behind: where nobody said so, if anything runs that the kernel
    /// made of other devices or of a file, or where an overlay keeps its changes on a device: that
    /// is unmounted by name before the real system ends, and written to by the overlay until then.
    pub(super) fn shutdown_is_wanted(&self) -> bool {
        let mut running = self
            .devices
            .all()
            .filter(|d| d.block.sectors > 0 && !d.is_virtual());
        let mut made = || running.any(|device| Kind::of(&device.block.name).is_some());
        let wanted = self.wish.shutdown;
        wanted.unwrap_or_else(|| self.mounts.keeps || made())
    }
}

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub mounts: Vec<Mount>,
    pub devices: Vec<MadeDevice>,
    /// Processes that hold the old root and may be ended.
    pub holding: Vec<i32>,
}

impl Seen {
    /// What is to be unmounted.
    pub fn mounted(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(|mount| is_left(mount))
    }

    /// How much is to go.
    fn left(&self) -> usize {
        self.mounted().count().saturating_add(self.devices.len())
    }

    fn is_mounted(&self, device: &MadeDevice) -> bool {
        self.mounts.iter().any(|m| m.number == device.number)
    }

    /// Each thing that nothing else stands on.
    fn tops(&self) -> Vec<Step> {
        let carries = |m: &Mount| {
            self.mounts
                .iter()
                .any(|on| on.parent == m.id && on.id != m.id)
        };
        let mut steps = Vec::new();
        for mount in self.mounted().filter(|mount| !carries(mount)) {
            steps.push(Step(Verb::Unmount, mount.place.clone()));
        }
        for device in &self.devices {
            if !device.held && !self.is_mounted(device) {
                steps.push(Step(Verb::Remove(device.kind), device.name.clone().into()));
            }
        }
        steps
    }
}

/// The old system's, or on a device; not the root directory of whoever asks.
fn is_left(mount: &Mount) -> bool {
    let place = mount.place.as_bytes();
    let inside = place.strip_prefix(OLD_ROOT.as_bytes());
    let old = inside.is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
    old || mount.source.as_bytes().starts_with(b"/") && place != b"/"
}

/// What is done with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Unmount,
    Remove(Kind),
    /// Ask the processes that hold the old root to end.
    Ask,
    Kill,
    /// For a moment, or until a process ends.
    Wait,
    /// Mount the file system read-only.
    Protect,
}

/// Where it is mounted, or what the device is called; of others nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step(pub Verb, pub Text);

/// How far it is.
#[derive(Default)]
pub struct TakingDown {
    /// Since something last went.
    tried: Vec<Step>,
    /// The kernel did not come back from these.
    hung: Vec<Step>,
    /// The least that was ever left.
    least: Option<usize>,
    /// How often nothing could be done any more.
    stuck: u32,
    steps: u32,
}

impl TakingDown {
    /// What to do next; `None`: nothing is left, or nothing helps.
    pub fn next(&mut self, seen: &Seen) -> Option<Step> {
        self.steps = self.steps.saturating_add(1);
        let left = seen.left();
        if left == 0 || self.steps > MOST_STEPS {
            return None;
        }
        if self.least.is_none_or(|least| left < least) {
            self.least = Some(left);
            self.tried.clear();
        }
        if self.stuck > LAST {
            return self.protect(seen);
        }
        let fresh = self.first_of(seen.tops());
        fresh.or_else(|| self.insist(seen))
    }

    /// The kernel did not come back from this step: never again.
    pub fn hangs(&mut self, step: Step) {
        self.hung.push(step);
    }

    fn first_of(&mut self, steps: Vec<Step>) -> Option<Step> {
        let is_new = |step: &Step| !self.tried.contains(step) && !self.hung.contains(step);
        let step = steps.into_iter().find(is_new)?;
        self.tried.push(step.clone());
        Some(step)
    }

    /// Nothing goes. Whoever may be in the way is ended, and all is tried again.
    fn insist(&mut self, seen: &Seen) -> Option<Step> {
        self.tried.clear();
        if seen.holding.is_empty() {
            self.stuck = self.stuck.max(KILL.saturating_add(1));
        }
        let stuck = self.stuck;
        self.stuck = stuck.saturating_add(1);
        let verb = match stuck {
            ASK => Verb::Ask,
            KILL => Verb::Kill,
            _ if stuck < LAST => Verb::Wait,
            _ => {
                self.stuck = LAST.saturating_add(1);
                return self.protect(seen);
            }
        };
        Some(Step(verb, Text::default()))
    }

    /// The old root itself last: what is mounted in it is more likely to be let go.
    fn protect(&mut self, seen: &Seen) -> Option<Step> {
        let writable = |m: &&Mount| !m.read_only && m.source.as_bytes().starts_with(b"/");
        let mut steps = Vec::new();
        for mount in seen.mounts.iter().rev().filter(writable) {
            steps.push(Step(Verb::Protect, mount.place.clone()));
        }
        self.first_of(steps)
    }
}

/// What is done when nothing went so many times.
const ASK: u32 = 0;
const KILL: u32 = ASK + WAITS;
const LAST: u32 = KILL + WAITS;

#[cfg(test)]
mod tests;
