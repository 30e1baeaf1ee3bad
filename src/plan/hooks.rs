//! Hooks: programs that the user put into the image, at the places that have one.
//!
//! One runs at a time, in the order of their names; nothing goes on meanwhile that the place comes
//! before, and the clock of the boot stands still. A hook has a deadline of its own. What fails is
//! told, and the boot goes on, unless the hook's name says that it is needed: then the boot fails.
//! One that failed it runs again when the boot is tried again; any other runs once.

use super::action::{Action, Level};
use super::event::Ticket;
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::check::Ended;
use crate::format::hook::{Hook, Place};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Default)]
pub(super) struct Hooks {
    /// Those that have not run, in their order.
    pub(super) left: Vec<Hook>,
    running: Option<(Ticket, Hook, Millis)>,
    /// When the one that runs is ended.
    pub(super) until: Option<Millis>,
}

impl Hooks {
    pub(super) fn told(&mut self, names: &[String]) {
        self.left = names.iter().filter_map(|name| Hook::read(name)).listed();
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

impl Plan {
    /// Does a hook of this place run? Then what comes behind it waits.
    pub(super) fn hook(&mut self, now: Millis, place: Place) -> bool {
        if self.hooks.is_running() {
            return true;
        }
        let of_place = |hook: &&Hook| hook.place == place;
        let Some(hook) = self.hooks.left.iter().find(of_place).cloned() else {
            return false;
        };
        if !self.wish.hooks {
            return false;
        }
        let ticket = self.tickets.issue(Job::Hook);
        let ms = u64::from(hook.seconds).saturating_mul(1000);
        self.hooks.until = (ms > 0).then(|| now.plus(ms));
        let name = hook.name.clone();
        self.out.push(Action::Hook { ticket, name });
        self.hooks.running = Some((ticket, hook, now));
        if place != Place::Failed {
            self.stage = Stage::Hooks(place);
        }
        true
    }

    /// One has run long enough: it is ended.
    pub(super) fn end_hook(&mut self, now: Millis) {
        let due = self.hooks.until.is_some_and(|until| now >= until);
        if let Some((ticket, hook, _)) = self.hooks.running.as_ref().filter(|_| due) {
            let (ticket, seconds) = (*ticket, hook.seconds);
            self.out.push(Action::Abandon { ticket });
            let fault = Fault::plain(format!("it has not ended in {seconds} s, and is killed"));
            self.hook_ended(now, ticket, Err(fault));
        }
    }

    pub(super) fn hook_ended(&mut self, now: Millis, ticket: Ticket, ended: Result<Ended, Fault>) {
        // One that was ended may have answered before.
        if self.tickets.job(ticket) != Some(&Job::Hook) {
            return;
        }
        self.tickets.close(ticket);
        let Some((_, hook, since)) = self.hooks.running.take() else {
            return;
        };
        self.hooks.until = None;
        self.trunk = self.trunk.map(|trunk| trunk.plus(since.until(now)));
        let (name, place) = (&hook.name, hook.place);
        let fault = match ended {
            Ok(Ended { status: 0, .. }) => None,
            Ok(Ended { status, .. }) => Some(Fault::plain(format!("status {status}"))),
            Err(fault) => Some(fault),
        };
        match fault {
            Some(fault) if hook.needed && place != Place::Failed => {
                let text = format!("the hook {name} is needed, and failed: {fault}");
                return self.give_up(now, Cause::Hook(text));
            }
            Some(fault) => {
                let text = format!("the hook {name} failed, and the boot goes on: {fault}");
                self.say(Level::Warning, text);
            }
            None => {}
        }
        self.hooks.left.retain(|left| left.name != hook.name);
        match place {
            Place::Early => self.begin_looking(now),
            Place::Mounted => self.leave_root(now),
            Place::Failed if !self.hook(now, place) && self.stage == Stage::Hooks(place) => {
                self.end(now);
            }
            Place::Failed => {}
        }
    }

    /// All that is wanted is mounted.
    pub(super) fn leave_root(&mut self, now: Millis) {
        if !self.hook(now, Place::Mounted) {
            self.find_init();
        }
    }
}
