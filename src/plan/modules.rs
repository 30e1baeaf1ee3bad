//! Which modules are loaded, in what order, never twice.
//!
//! A *goal* is what somebody wants of an alias: all drivers of a device, or any one provider of a
//! file system or a cipher. A goal makes modules *wanted*. A wanted module is loaded when all it
//! needs is loaded, and when each soft dependency before it was tried: one provider that loads is
//! enough, none is no obstacle. Modules that do not depend on each other load side by side. What
//! failed is not tried again in the same boot, unless a person was at the machine in between.

use super::action::Action;
use super::ticket::{Job, Purpose, Tickets};
use crate::base::fault::Fault;
use crate::format::kmod::{Module, Resolution};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Known,
    Wanted,
    Loading,
    Loaded,
    Failed(Fault),
}

struct Entry {
    module: Module,
    state: State,
}

/// What is wanted of the modules that answered an alias.
struct Goal {
    purpose: Purpose,
    answers: Vec<String>,
    /// One that loads is enough.
    any: bool,
}

/// Which dependencies count when asking who waits for whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edges {
    Hard,
    All,
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
    entries: BTreeMap<String, Entry>,
    goals: Vec<Goal>,
    /// How each file system's driver stands, by type.
    filesystems: Vec<(String, Standing)>,
    /// Kernel requests that were decided and wait to be told.
    replies: Vec<(u32, bool)>,
    /// Modaliases of devices that no module answers, for the failure page.
    unserved: BTreeSet<String>,
    /// Modules that answer some alias but that the image does not hold.
    absent: BTreeSet<String>,
    /// Modules that would have answered but are blacklisted.
    blacklisted: BTreeSet<String>,
    /// Something happened since the last [`Modules::advance`].
    stirred: bool,
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

    /// An alias was looked up.
    pub fn resolved(&mut self, purpose: Purpose, found: Resolution) {
        self.stirred = true;
        self.blacklisted.extend(found.blacklisted);
        for module in found.modules {
            let entry = |module| Entry {
                module,
                state: State::Known,
            };
            self.entries
                .entry(module.name.clone())
                .or_insert_with_key(|_| entry(module));
        }
        let absent = found
            .answers
            .iter()
            .filter(|name| !self.entries.contains_key(*name));
        self.absent.extend(absent.cloned());
        if found.builtin || found.answers.is_empty() {
            if let (Purpose::Device(modalias), false) = (&purpose, found.builtin) {
                self.unserved.insert(modalias.clone());
            }
            let standing = if found.builtin {
                Standing::Met
            } else {
                Standing::Missed
            };
            return self.settle(&purpose, standing);
        }
        let any = match &purpose {
            Purpose::Device(_) | Purpose::Wished(_) => false,
            Purpose::Filesystem(_) | Purpose::Kernel(_) => true,
        };
        self.goals.push(Goal {
            purpose,
            answers: found.answers,
            any,
        });
    }

    pub fn loaded(&mut self, name: &str) {
        self.set(name, State::Loaded);
        let after = self
            .entries
            .get(name)
            .map(|e| e.module.after.clone())
            .unwrap_or_default();
        for providers in after {
            if !self.any_loaded(&providers) {
                self.want_first(&providers);
            }
        }
    }

    pub fn failed(&mut self, name: &str, fault: Fault) {
        self.set(name, State::Failed(fault));
    }

    /// Brings everything forward that can go: wants, loads, settles.
    pub fn advance(&mut self, tickets: &mut Tickets, out: &mut Vec<Action>) {
        while core::mem::take(&mut self.stirred) {
            self.settle_goals();
            let wanted: Vec<String> = self.names_in(&State::Wanted);
            let mut moved = false;
            for name in wanted {
                moved |= self.advance_one(&name, tickets, out);
            }
            self.stirred |= moved;
        }
        for (request, ok) in core::mem::take(&mut self.replies) {
            out.push(Action::Reply { request, ok });
        }
    }

    /// Modules that failed, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.entries.values().filter_map(|e| match &e.state {
            State::Failed(fault) => Some((e.module.name.as_str(), fault)),
            _ => None,
        })
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
        self.names_in(&State::Wanted)
    }

    /// A person was at it: what failed may be tried again when it is next asked for.
    pub fn forgive(&mut self) {
        for entry in self.entries.values_mut() {
            if matches!(entry.state, State::Failed(_)) {
                entry.state = State::Known;
            }
        }
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

    // -- one module ---------------------------------------------------------------------------

    /// True if this module's state changed, or another one became wanted.
    fn advance_one(&mut self, name: &str, tickets: &mut Tickets, out: &mut Vec<Action>) -> bool {
        let Some(entry) = self.entries.get(name) else {
            return false;
        };
        let (needs, before) = (entry.module.needs.clone(), entry.module.before.clone());
        for need in &needs {
            match self.entries.get(need).map(|e| &e.state) {
                Some(State::Loaded | State::Loading | State::Wanted | State::Known) => {}
                Some(State::Failed(why)) => {
                    let text = format!("{name} needs {need}, which failed: {why}");
                    self.set(name, State::Failed(Fault::new(why.errno, text)));
                    return true;
                }
                None => {
                    let text = format!("{name} needs {need}, which the image does not hold");
                    self.set(name, State::Failed(Fault::plain(text)));
                    return true;
                }
            }
            if self.waits_for(need, name, Edges::Hard) {
                let text = format!("{name} and {need} need each other: neither can be loaded");
                self.set(name, State::Failed(Fault::plain(text)));
                return true;
            }
        }
        let mut moved = false;
        for need in &needs {
            moved |= self.want(need);
        }
        let soft = self.soft_ready(name, &before, &mut moved);
        let ready = needs.iter().all(|n| self.is_loaded(n));
        if ready && soft {
            let ticket = tickets.issue(Job::Load(name.into()));
            out.push(Action::Load {
                ticket,
                module: name.into(),
            });
            self.set(name, State::Loading);
            return true;
        }
        moved
    }

    /// True when every soft dependency was tried. Those that wait for `name` themselves are not
    /// waited for: a circle of wishes is no reason to load nothing.
    fn soft_ready(&mut self, name: &str, before: &[Vec<String>], moved: &mut bool) -> bool {
        let mut ready = true;
        for providers in before {
            if self.any_loaded(providers) {
                continue;
            }
            let next = providers.iter().find(|p| self.may_come(p)).cloned();
            if let Some(provider) = next
                && provider != name
                && !self.waits_for(&provider, name, Edges::All)
            {
                *moved |= self.want(&provider);
                ready = false;
            }
        }
        ready
    }

    /// Would `from`, directly or through others, wait for `target`?
    fn waits_for(&self, from: &str, target: &str, edges: Edges) -> bool {
        let mut seen = BTreeSet::new();
        let mut todo = alloc::vec![from];
        while let Some(name) = todo.pop() {
            let Some(entry) = self.entries.get(name) else {
                continue;
            };
            if entry.state == State::Loaded || entry.state == State::Loading || !seen.insert(name) {
                continue;
            }
            let soft = entry
                .module
                .before
                .iter()
                .flatten()
                .filter(|_| edges == Edges::All);
            for next in entry.module.needs.iter().chain(soft) {
                if next == target {
                    return true;
                }
                todo.push(next);
            }
        }
        false
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
            if self.any_loaded(&goal.answers) {
                return Standing::Met;
            }
            return if self.want_first(&goal.answers) {
                Standing::Open
            } else {
                Standing::Missed
            };
        }
        for name in &goal.answers {
            self.want(name);
        }
        if goal
            .answers
            .iter()
            .any(|n| self.may_come(n) && !self.is_loaded(n))
        {
            Standing::Open
        } else if self.any_loaded(&goal.answers) {
            Standing::Met
        } else {
            Standing::Missed
        }
    }

    fn settle(&mut self, purpose: &Purpose, standing: Standing) {
        match purpose {
            Purpose::Filesystem(kind) => {
                self.filesystems.retain(|(known, _)| known != kind);
                self.filesystems.push((kind.clone(), standing));
            }
            Purpose::Kernel(request) => self.replies.push((*request, standing == Standing::Met)),
            Purpose::Device(_) | Purpose::Wished(_) => {}
        }
    }

    // -- states -------------------------------------------------------------------------------

    fn set(&mut self, name: &str, state: State) {
        self.stirred = true;
        if let Some(entry) = self.entries.get_mut(name) {
            entry.state = state;
        }
    }

    /// Makes a known module wanted: true if it was not yet.
    fn want(&mut self, name: &str) -> bool {
        match self.entries.get_mut(name) {
            Some(entry) if entry.state == State::Known => {
                entry.state = State::Wanted;
                true
            }
            _ => false,
        }
    }

    /// Wants the first of these that has not failed; false if there is none left.
    fn want_first(&mut self, names: &[String]) -> bool {
        let first = names.iter().find(|n| self.may_come(n)).cloned();
        first.inspect(|name| _ = self.want(name)).is_some()
    }

    fn any_loaded(&self, names: &[String]) -> bool {
        names.iter().any(|n| self.is_loaded(n))
    }

    fn is_loaded(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|e| e.state == State::Loaded)
    }

    /// Loaded, or could still become so.
    fn may_come(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|e| !matches!(e.state, State::Failed(_)))
    }

    fn names_in(&self, state: &State) -> Vec<String> {
        self.entries
            .values()
            .filter(|e| e.state == *state)
            .map(|e| e.module.name.clone())
            .collect()
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
