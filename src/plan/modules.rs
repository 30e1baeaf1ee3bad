//! Which modules are loaded, in what order, never twice.
//!
//! A *goal* is what somebody wants of an alias: all drivers of a device, or any one provider of a
//! file system or a cipher. A goal makes modules *wanted*; [`super::module_graph`] loads them.
//! Modules that do not depend on each other load side by side. What failed is not tried again in
//! the same boot, unless a person was at the machine in between.

use super::action::Action;
use super::module_graph::{Graph, State};
use super::ticket::{Job, Purpose, Tickets};
use crate::base::fault::Fault;
use crate::base::table::Names;
use crate::format::kmod::Resolution;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// They announce the devices of virtio, one after the other while they load. A driver of these that
/// loads at the same time races with them, and the winner's disk is called `vda`: so it waits.
const TRANSPORTS: &[&str] = &["virtio_pci", "virtio_mmio"];

/// What is wanted of the modules that answered an alias.
struct Goal {
    purpose: Purpose,
    answers: Vec<String>,
    /// One that loads is enough.
    any: bool,
}

/// How a goal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Open,
    Met,
    /// Nothing that answers could be loaded.
    Missed,
}

#[derive(Default)]
pub struct Modules {
    graph: Graph,
    goals: Vec<Goal>,
    /// How the drivers of file systems, by type, and other drivers, by alias, stand.
    filesystems: Vec<(String, Standing)>,
    /// Kernel requests that were decided and wait to be told.
    replies: Vec<(u32, bool)>,
    /// Modaliases of devices that no module answers, for the failure page.
    unserved: Names,
    /// Modules that answer some alias but that the image does not hold.
    absent: Names,
    /// Modules that would have answered but are blacklisted.
    blacklisted: Names,
    /// Drivers of devices wait: see [`Modules::hold_drivers`].
    hold: bool,
    /// All others wait: see [`Modules::load_first`].
    first: bool,
}

impl Modules {
    /// Asks for the driver of a file system, once. Settled ones stay settled.
    pub fn want_filesystem(&mut self, kind: &str, tickets: &mut Tickets, out: &mut Vec<Action>) {
        if self.filesystem(kind).is_none() {
            self.filesystems.push((kind.into(), Standing::Open));
            let alias = format!("fs-{kind}");
            resolve(&alias, Purpose::Filesystem(kind.into()), tickets, out);
        }
    }

    /// Asks for a driver by its alias, once.
    pub fn want_driver(&mut self, alias: &str, tickets: &mut Tickets, out: &mut Vec<Action>) {
        if self.filesystem(alias).is_none() {
            self.filesystems.push((alias.into(), Standing::Open));
            resolve(alias, Purpose::Driver(alias.into()), tickets, out);
        }
    }

    /// Asks for all drivers of an alias, once. Those that this machine cannot use may fail.
    pub fn want_drivers(&mut self, alias: &str, tickets: &mut Tickets, out: &mut Vec<Action>) {
        if self.filesystem(alias).is_none() {
            self.filesystems.push((alias.into(), Standing::Open));
            resolve(alias, Purpose::Drivers(alias.into()), tickets, out);
        }
    }

    /// True when nothing that is under way could still bring this driver.
    pub fn driver_settled(&self, alias: &str) -> bool {
        self.filesystem_settled(alias)
    }

    /// True when nothing that is under way could still bring this file system.
    pub fn filesystem_settled(&self, kind: &str) -> bool {
        matches!(
            self.filesystem(kind),
            Some(Standing::Met | Standing::Missed)
        )
    }

    fn filesystem(&self, kind: &str) -> Option<Standing> {
        let found = self.filesystems.iter().find(|(known, _)| known == kind);
        found.map(|(_, standing)| *standing)
    }

    /// Loads the module that makes the loading of all others cheaper. Whatever becomes of it, the
    /// others go on when it is settled, or when the plan loses patience with it.
    pub fn load_first(&mut self, module: &str, tickets: &mut Tickets, out: &mut Vec<Action>) {
        self.first = true;
        resolve(module, Purpose::Faster, tickets, out);
    }

    /// Is the first one still on its way?
    pub fn first_is_open(&self) -> bool {
        self.first
    }

    /// The first one is settled, or takes too long: the others go on.
    pub fn stop_holding_for_first(&mut self) {
        self.graph.stirred |= self.first;
        self.first = false;
    }

    /// An alias was looked up.
    pub fn resolved(&mut self, purpose: Purpose, found: Resolution) {
        self.graph.stirred = true;
        for name in &found.blacklisted {
            self.blacklisted.insert(name);
        }
        for module in found.modules {
            self.graph.add(module);
        }
        for name in found.answers.iter().filter(|name| !self.graph.knows(name)) {
            self.absent.insert(name);
        }
        if found.builtin || found.answers.is_empty() {
            if let (Purpose::Device(modalias), false) = (&purpose, found.builtin) {
                self.unserved.insert(modalias);
            }
            let standing = if found.builtin {
                Standing::Met
            } else {
                Standing::Missed
            };
            return self.settle(&purpose, standing);
        }
        let any = match &purpose {
            Purpose::Device(_) | Purpose::Drivers(_) => false,
            Purpose::Wished(_) | Purpose::Faster => false,
            Purpose::Filesystem(_) | Purpose::Driver(_) | Purpose::Kernel(_) => true,
        };
        self.goals.push(Goal {
            purpose,
            answers: found.answers,
            any,
        });
    }

    pub fn loaded(&mut self, name: &str) {
        self.graph.loaded(name);
    }

    pub fn failed(&mut self, name: &str, fault: Fault) {
        self.graph.set(name, State::Failed(fault));
    }

    /// While root is known and not mounted yet, drivers of devices wait: every module costs time,
    /// and root needs none of them. What is being loaded goes on.
    pub fn hold_drivers(&mut self, hold: bool) {
        self.graph.stirred |= self.hold && !hold;
        self.hold = hold;
    }

    /// Brings everything forward that can go: wants, loads, settles.
    pub fn advance(&mut self, tickets: &mut Tickets, out: &mut Vec<Action>) {
        while core::mem::take(&mut self.graph.stirred) {
            self.settle_goals();
            let only = (self.hold || self.first).then(|| self.urgent());
            let mut wanted = self.graph.names_in(&State::Wanted);
            wanted.retain(|name| only.as_ref().is_none_or(|only| only.contains(name)));
            if TRANSPORTS.iter().any(|name| self.is_loading(name)) {
                wanted.retain(|name| !self.is_behind_a_transport(name));
            }
            self.graph.advance(wanted, tickets, out);
        }
        for (request, ok) in core::mem::take(&mut self.replies) {
            out.push(Action::Reply { request, ok });
        }
    }

    /// What may be loaded while others wait. The kernel's own requests never wait: what it asks for
    /// may be needed by what all wait for.
    fn urgent(&self) -> Names {
        let goals = self.goals.iter().filter(|goal| match goal.purpose {
            Purpose::Faster | Purpose::Kernel(_) => true,
            Purpose::Filesystem(_)
            | Purpose::Driver(_)
            | Purpose::Drivers(_)
            | Purpose::Wished(_) => !self.first,
            Purpose::Device(_) => false,
        });
        self.graph
            .closure(&mut goals.flat_map(|goal| &goal.answers))
    }

    /// Does this module drive devices that a [`TRANSPORTS`] announces?
    fn is_behind_a_transport(&self, name: &String) -> bool {
        let mut goals = self.goals.iter();
        goals.any(|goal| match &goal.purpose {
            Purpose::Device(alias) => alias.starts_with("virtio:") && goal.answers.contains(name),
            _ => false,
        })
    }

    /// Modules that failed, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = &Fault> {
        self.graph.failures()
    }

    /// Devices that no module answers, by modalias.
    pub fn unserved(&self) -> impl Iterator<Item = &str> {
        self.unserved.iter().map(String::as_str)
    }

    /// Modules that the indexes name but that are not in the image.
    pub fn absent(&self) -> impl Iterator<Item = &str> {
        self.absent.iter().map(String::as_str)
    }

    pub fn blacklisted(&self) -> impl Iterator<Item = &str> {
        self.blacklisted.iter().map(String::as_str)
    }

    /// Wanted modules that are not there yet, and are not being loaded either.
    pub fn waiting(&self) -> Vec<String> {
        self.graph.names_in(&State::Wanted)
    }

    /// Has this module begun to start, and not answered yet?
    pub fn is_loading(&self, name: &str) -> bool {
        self.graph.is_loading(name)
    }

    /// A person was at it: what failed may be tried again when it is next asked for.
    pub fn forgive(&mut self) {
        self.graph.forgive();
        self.filesystems
            .retain(|(_, standing)| *standing != Standing::Missed);
    }

    /// The boot is over: whoever still waits is told no.
    pub fn give_up(&mut self, out: &mut Vec<Action>) {
        for goal in core::mem::take(&mut self.goals) {
            if let Purpose::Kernel(request) = goal.purpose {
                out.push(Action::Reply { request, ok: false });
            }
        }
    }

    // -- goals --------------------------------------------------------------------------------

    fn settle_goals(&mut self) {
        let mut open = Vec::new();
        for goal in core::mem::take(&mut self.goals) {
            match self.pursue(&goal) {
                Standing::Open => open.push(goal),
                standing => self.settle(&goal.purpose, standing),
            }
        }
        self.goals = open;
    }

    fn pursue(&mut self, goal: &Goal) -> Standing {
        if goal.any {
            if self.graph.any_loaded(&goal.answers) {
                return Standing::Met;
            }
            return if self.graph.want_first(&goal.answers) {
                Standing::Open
            } else {
                Standing::Missed
            };
        }
        for name in &goal.answers {
            self.graph.want(name);
        }
        if goal
            .answers
            .iter()
            .any(|n| self.graph.may_come(n) && !self.graph.is_loaded(n))
        {
            Standing::Open
        } else if self.graph.any_loaded(&goal.answers) {
            Standing::Met
        } else {
            Standing::Missed
        }
    }

    fn settle(&mut self, purpose: &Purpose, standing: Standing) {
        match purpose {
            Purpose::Filesystem(kind) | Purpose::Driver(kind) | Purpose::Drivers(kind) => {
                self.filesystems.retain(|(known, _)| known != kind);
                self.filesystems.push((kind.clone(), standing));
            }
            Purpose::Kernel(request) => self.replies.push((*request, standing == Standing::Met)),
            Purpose::Faster => self.stop_holding_for_first(),
            Purpose::Device(_) | Purpose::Wished(_) => {}
        }
    }
}

/// Asks for an alias to be looked up.
pub fn resolve(alias: &str, purpose: Purpose, tickets: &mut Tickets, out: &mut Vec<Action>) {
    let ticket = tickets.issue(Job::Resolve(purpose));
    out.push(Action::Resolve {
        ticket,
        alias: alias.into(),
    });
}
