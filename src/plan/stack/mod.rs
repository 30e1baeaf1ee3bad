//! Devices made of others: which could be started, what is seen through them, and starting those
//! that the wish leads through.
//!
//! A container's own words are read and understood here ([`members`]); what it would become
//! ([`volumes`], [`arrays`], [`partitions`]) is entered among the devices with a lens, and
//! identified through it like any other. Only when such a device is needed ([`Plan::want_real`])
//! is it started ([`start`]); the kernel's announcement then takes its place. What cannot be looked
//! through is started to see what it holds, when nothing else is left to try.

mod arrays;
mod degraded;
mod members;
mod partitions;
mod start;
mod volumes;

use super::Plan;
use super::action::Level;
use super::device::{Device, Look};
use super::event::Block;
use super::root;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::table::{Names, Table};
use crate::format::identity::Range;
use crate::format::lens::Lens;
use crate::format::lvm2;
use crate::format::md;
use crate::format::through::{Lower, Through};
use alloc::string::String;
use alloc::vec::Vec;
use members::Member;

/// Sectors are of 512 bytes everywhere.
const SECTOR: u64 = 512;
/// Of devices that are made of others.
const MAX_LAYERS: usize = 8;

/// A device that could be started.
struct Planned {
    /// As it is named among the devices: `mapper/vg-root`, `md127`, `md127p1`.
    name: String,
    what: What,
}

enum What {
    Volume {
        stack: lvm2::table::Stack,
    },
    Array {
        steps: Vec<md::Step>,
        /// The devices that take part.
        members: Vec<String>,
    },
    /// The kernel announces it when its disk runs.
    Partition {
        disk: String,
    },
    /// A partition on a mapped device, which the kernel does not look for.
    Slice {
        disk: String,
        number: u32,
        start: u64,
        sectors: u64,
    },
}

#[derive(Default)]
pub struct Stack {
    members: Table<Member>,
    planned: Vec<Planned>,
    /// Planned devices that are to be started, by name.
    wanted: Names,
    /// What is being started, or was: not to be started again.
    started: Table<start::Standing>,
    /// What each array is called.
    names: Vec<md::Named>,
    /// Since when something could have started without what is missing, by its name.
    could_since: Table<Millis>,
    doubts: degraded::Doubts,
    /// Physical volumes by their UUID, and the device that each is.
    physical: Vec<(lvm2::name::Id, String)>,
    /// Why something cannot be started; one sentence each.
    problems: Vec<String>,
    /// Sentences that were said already.
    said: Names,
    /// The state of the devices that all this was made from.
    seen: Option<u64>,
    /// When that changes by itself: something may start degraded.
    due: Option<Millis>,
}

impl Stack {
    /// The device that a physical volume is.
    fn device_of(&self, volume: &lvm2::name::Id) -> Option<&String> {
        let known = self.physical.iter().rev().find(|(id, _)| id == volume);
        known.map(|(_, device)| device)
    }
}

impl Plan {
    /// Asks for bytes of a device, unless some are being read. They come into its `view`.
    pub(super) fn read(&mut self, device: &str, wanted: &[Range]) {
        let jobs = (&mut self.tickets, &mut self.out);
        self.devices.read(jobs, device, wanted);
    }

    /// This device must run: it is started as soon as that can be.
    pub(super) fn want_real(&mut self, device: &str) {
        self.stack.wanted.insert(device);
    }

    /// What was held back may start now.
    pub(super) fn start_again(&mut self) {
        self.stack.seen = None;
    }

    /// Understands members, plans what they make up, starts what is needed. Did anything change?
    pub(super) fn build(&mut self, now: Millis) -> bool {
        let before = self.devices.changes();
        // What is planned may change what can be planned: on every layer once.
        for _ in 0..MAX_LAYERS {
            let changes = self.devices.changes();
            let due = self.stack.due.is_some_and(|due| now >= due);
            if self.stack.seen == Some(changes) && !due {
                break;
            }
            self.stack.seen = Some(changes);
            self.survey_members();
            self.plan_all(now);
        }
        self.want_what_is_named();
        self.start_wanted(now);
        self.devices.changes() != before
    }

    fn plan_all(&mut self, now: Millis) {
        self.stack.due = None;
        self.stack.problems.clear();
        self.stack.doubts.clear();
        self.stack.planned.clear();
        if !self.stack.members.is_empty() || self.devices.any_planned() {
            self.plan_arrays(now);
            self.plan_volumes(now);
        }
        self.plan_partitions();
        let names: Vec<String> = self.stack.planned.iter().map(|p| p.name.clone()).listed();
        self.devices.keep_planned(&names);
    }

    /// Enters one device that could be started. `through`: by name of the devices below it.
    fn plan_device(
        &mut self,
        block: Block,
        aliases: Vec<String>,
        through: Option<Through<String>>,
    ) {
        let bytes = block.sectors.saturating_mul(SECTOR);
        // Below may be devices that do not run either.
        let through = through.and_then(|t| t.over(&|name: &String| self.lower(name)));
        let lens = through.and_then(|t| Lens::new(bytes, 512, t));
        let lens = lens.unwrap_or(Lens {
            bytes,
            sector: 512,
            through: Through::default(),
        });
        self.devices.plan(block, lens, aliases);
    }

    fn lower(&self, name: &str) -> Option<Lower<String>> {
        let device = self.devices.by_name(name)?;
        match &device.lens {
            None => Some(Lower::Device(name.into())),
            Some(lens) if lens.is_dark() => None,
            Some(lens) => Some(Lower::Mapping(lens.through.clone())),
        }
    }

    /// When something may start that could not yet.
    pub(super) fn stack_due(&self) -> Option<Millis> {
        self.stack.due
    }

    /// What the command line names must run even if nothing is seen through it.
    fn want_what_is_named(&mut self) {
        let asked = |d: &Device| {
            let mut goals = self.wish.goals();
            goals.any(|goal| root::is_asked_by_name(Some(goal), d))
        };
        let named = |d: &&Device| is_dark(d) && asked(d);
        for device in self.devices.all().filter(named) {
            self.stack.wanted.insert(&device.block.name);
        }
    }

    /// Nothing else is left to try: starts the next of those that nothing is seen through.
    pub(super) fn start_the_dark(&mut self, now: Millis) {
        let started = &self.stack.started;
        let next = |d: &&Device| is_dark(d) && !started.contains(&d.block.name);
        if let Some(device) = self.devices.all().find(next) {
            self.stack.wanted.insert(&device.block.name);
        }
        self.start_wanted(now);
    }

    pub(super) fn say_once(&mut self, level: Level, text: String) {
        if self.stack.said.insert(&text) {
            self.say(level, text);
        }
    }

    /// For the page: what could not be started, and why.
    pub(super) fn stack_problems(&self) -> Vec<String> {
        let mut lines = self.stack.problems.clone();
        for standing in self.stack.started.values() {
            if let start::Standing::Failed(fault) = standing {
                lines.push(fault.text.clone());
            }
        }
        lines
    }
}

/// It does not run, and what is in it only shows when it does.
fn is_dark(device: &Device) -> bool {
    match &device.look {
        Look::Failed(_) => device.is_virtual(),
        Look::Unseen => device.is_opaque(),
        _ => false,
    }
}
