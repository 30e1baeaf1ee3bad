//! The modules that are known, and how far each one is.
//!
//! A wanted module is loaded when all it needs is loaded, and when each soft dependency before it
//! was tried: one provider that loads is enough, none is no obstacle. What waits in a circle of
//! hard dependencies fails, what waits in a circle of soft ones goes on.

use super::action::Action;
use super::ticket::{Job, Tickets};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::table::{Names, Table};
use crate::format::kmod::Module;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
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

/// Which dependencies count when asking who waits for whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edges {
    Hard,
    All,
}

#[derive(Default)]
pub(super) struct Graph {
    entries: Table<Entry>,
    /// Something happened since this was last taken.
    pub(super) stirred: bool,
}

impl Graph {
    /// Adds a module that was not known yet.
    pub(super) fn add(&mut self, module: Module) {
        let name = module.name.clone();
        let state = State::Known;
        self.entries.or_insert(&name, Entry { module, state });
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.entries.contains(name)
    }

    /// Loads what can be loaded of these, which are wanted.
    pub(super) fn advance(
        &mut self,
        wanted: Vec<String>,
        tickets: &mut Tickets,
        out: &mut Vec<Action>,
    ) {
        let mut moved = false;
        for name in wanted {
            moved |= self.advance_one(&name, tickets, out);
        }
        self.stirred |= moved;
    }

    /// These modules and all that they may wait for.
    pub(super) fn closure(&self, names: &mut dyn Iterator<Item = &String>) -> Names {
        let mut seen = Names::default();
        let mut todo: Vec<&String> = Vec::new();
        for name in names {
            todo.push(name);
            while let Some(name) = todo.pop() {
                if let Some(entry) = self.entries.get(name)
                    && seen.insert(name)
                {
                    todo.extend(entry.module.needs.iter());
                    todo.extend(entry.module.before.iter().flatten());
                }
            }
        }
        seen
    }

    /// Modules that failed, with the reason.
    pub(super) fn failures(&self) -> impl Iterator<Item = &Fault> {
        self.entries.values().filter_map(|e| match &e.state {
            State::Failed(fault) => Some(fault),
            _ => None,
        })
    }

    /// What failed may be tried again.
    pub(super) fn forgive(&mut self) {
        for entry in self.entries.values_mut() {
            if matches!(entry.state, State::Failed(_)) {
                entry.state = State::Known;
            }
        }
    }

    /// A module is there: what should follow it becomes wanted.
    pub(super) fn loaded(&mut self, name: &str) {
        self.set(name, State::Loaded);
        let after = self.entries.get(name).map(|e| e.module.after.clone());
        for providers in after.unwrap_or_default() {
            if !self.any_loaded(&providers) {
                self.want_first(&providers);
            }
        }
    }

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
        let mut seen = Names::default();
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

    pub(super) fn set(&mut self, name: &str, state: State) {
        self.stirred = true;
        if let Some(entry) = self.entries.get_mut(name) {
            entry.state = state;
        }
    }

    /// Makes a known module wanted: true if it was not yet.
    pub(super) fn want(&mut self, name: &str) -> bool {
        match self.entries.get_mut(name) {
            Some(entry) if entry.state == State::Known => {
                entry.state = State::Wanted;
                true
            }
            _ => false,
        }
    }

    /// Wants the first of these that has not failed; false if there is none left.
    pub(super) fn want_first(&mut self, names: &[String]) -> bool {
        let first = names.iter().find(|n| self.may_come(n)).cloned();
        first.inspect(|name| _ = self.want(name)).is_some()
    }

    pub(super) fn any_loaded(&self, names: &[String]) -> bool {
        names.iter().any(|n| self.is_loaded(n))
    }

    pub(super) fn is_loaded(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|e| e.state == State::Loaded)
    }

    pub(super) fn is_loading(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|e| e.state == State::Loading)
    }

    /// Loaded, or could still become so.
    pub(super) fn may_come(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|e| !matches!(e.state, State::Failed(_)))
    }

    pub(super) fn names_in(&self, state: &State) -> Vec<String> {
        self.entries
            .values()
            .filter(|e| e.state == *state)
            .map(|e| e.module.name.clone())
            .listed()
    }
}
