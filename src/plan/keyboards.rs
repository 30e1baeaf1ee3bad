//! Keyboards, for the moments when a person must answer.
//!
//! A boot that succeeds needs no keyboard, and their drivers take time; so they are loaded when it
//! is known that somebody will have to type. A driver brings its devices a moment after it is
//! there (a USB port is switched on, a hub is asked), which no event announces beforehand: after
//! the last sign of life a little while is left for the next one. Where no driver was missing,
//! nothing is waited for. Whether there is a keyboard at all is not a condition: the console may
//! be a serial line.

use super::action::{Action, Scope};
use super::ticket::{Job, Purpose};
use super::{Plan, Stage};
use crate::base::millis::Millis;
use crate::format::wish::End;

/// After this long without an event, a driver has brought the devices that it has.
const QUIET_MS: u64 = 500;
/// No keyboard is awaited longer than this, whatever is under way.
const PATIENCE_MS: u64 = 5_000;

impl Plan {
    /// Somebody will have to type: answers when that is the case at the latest.
    pub(super) fn want_keyboards(&mut self, now: Millis) -> Millis {
        self.keyboards_loading = false;
        if self.scope == Scope::Likely {
            self.scope = Scope::All;
            self.walk_soon();
        }
        now.plus(PATIENCE_MS)
    }

    /// Brings the drivers of keyboards forward, and lets the person in when they are settled.
    pub(super) fn serve_keyboards(&mut self, now: Millis) {
        let until = match &self.stage {
            Stage::Shell { opens, .. } => *opens,
            Stage::HaltAt(until) => Some(*until),
            _ => return,
        };
        self.buses.serve_keyboards(&mut self.tickets, &mut self.out);
        self.load(now);
        let due = until.is_some_and(|until| now >= self.keyboards_due(until));
        if !due || self.hooks.is_running() {
            return;
        }
        if let Stage::Shell { opens, .. } = &mut self.stage {
            *opens = None;
            match self.rescue.on {
                true => self.prompt(now),
                false => self.open_shell(),
            }
        } else {
            self.dismiss();
            self.stage = Stage::Over;
            self.out.push(Action::End { end: End::Halt });
        }
    }

    pub(super) fn open_shell(&mut self) {
        let ticket = self.tickets.issue(Job::Shell);
        self.out.push(Action::Shell { ticket });
    }

    /// When the drivers of keyboards count as settled if nothing more happens.
    pub(super) fn keyboards_due(&self, until: Millis) -> Millis {
        let loads = |job: &Job| {
            let device = matches!(job, Job::Resolve(Purpose::Device(_)));
            device || matches!(job, Job::Walk { .. } | Job::Load(_))
        };
        if self.tickets.open().any(loads) {
            until
        } else if self.keyboards_loading {
            until.min(self.stirred.plus(QUIET_MS))
        } else {
            Millis(0)
        }
    }
}
