//! Whether something starts without a member that it can do without: never, after a while, or when
//! somebody says so.

use super::Plan;
use crate::base::millis::Millis;
use crate::format::crypttab::Echo;
use crate::format::wish::{Degraded, Patience};
use crate::plan::action::{Level, Question};
use crate::plan::questions::Asked;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A member may be a moment late: nobody is asked before.
const ASK_AFTER_MS: u64 = 10_000;

#[derive(Default)]
pub(super) struct Doubts {
    /// What could start, by its name, and what it lacks.
    open: Vec<(String, String)>,
    /// What somebody said.
    answers: Vec<(String, bool)>,
}

impl Doubts {
    /// What is in doubt is told anew; answers stay.
    pub fn clear(&mut self) {
        self.open.clear();
    }

    /// Somebody may be asked again.
    pub fn forget(&mut self) {
        self.answers.clear();
    }
}

impl Plan {
    /// May this start now, without what it could do without? If not yet, the clock runs.
    pub(in crate::plan) fn may_start_degraded(
        &mut self,
        now: Millis,
        name: &str,
        missing: &str,
    ) -> bool {
        let (wait, asks) = match self.wish.degraded {
            Degraded::Never => {
                let text = format!("{missing} (landfall.degraded=never: it is not started)");
                self.stack.problems.push(text);
                return false;
            }
            Degraded::AfterMs(wait) => (wait, false),
            Degraded::Ask => (ASK_AFTER_MS, true),
        };
        // Always before the end of patience.
        let wait = match self.wish.patience {
            Patience::Ms(all) => wait.min(all.saturating_mul(2) / 3),
            Patience::Forever => wait,
        };
        let since = self.stack.could_since.or_insert(name, now);
        let since = since.copied().unwrap_or(now);
        let due = since.plus(wait);
        if now >= due {
            return match asks {
                true => self.somebody_agreed(name, missing),
                false => self.starts_without(missing),
            };
        }
        let what = match asks {
            true => "somebody is asked whether it starts without",
            false => "it starts without",
        };
        let text = format!("{missing}: {what} after {} s", wait / 1000);
        self.stack.problems.push(text.clone());
        self.say_once(Level::Notice, text);
        self.stack.due = Some(self.stack.due.map_or(due, |other| other.min(due)));
        false
    }

    fn starts_without(&mut self, missing: &str) -> bool {
        self.say_once(Level::Warning, format!("{missing}: it starts without"));
        true
    }

    fn somebody_agreed(&mut self, name: &str, missing: &str) -> bool {
        let doubts = &mut self.stack.doubts;
        let said = doubts.answers.iter().find(|(about, _)| about == name);
        let text = match said {
            Some((_, true)) => return self.starts_without(missing),
            Some((_, false)) => format!("{missing}, and nobody said that it starts without"),
            None => {
                if !doubts.open.iter().any(|(about, _)| about == name) {
                    doubts.open.push((name.into(), missing.into()));
                }
                format!("{missing}: somebody was asked whether it starts without")
            }
        };
        self.stack.problems.push(text);
        false
    }

    /// Is it still to be said whether this starts?
    pub(in crate::plan) fn is_in_doubt(&self, name: &str) -> bool {
        self.stack
            .doubts
            .open
            .iter()
            .any(|(about, _)| about == name)
    }

    /// What somebody is to be asked about next.
    pub(in crate::plan) fn start_to_ask_about(&self) -> Option<String> {
        self.stack.doubts.open.first().map(|(name, _)| name.clone())
    }

    pub(in crate::plan) fn start_asked(&self, name: &str) -> Option<Asked> {
        let mut open = self.stack.doubts.open.iter();
        let (_, missing) = open.find(|(about, _)| about == name)?;
        Some(Asked {
            question: Question {
                notes: alloc::vec![format!("{missing}.")],
                prompt: "Start without? (yes or no)".into(),
                echo: Echo::Plain,
                yes_or_no: true,
                command: false,
            },
            timeout: None,
            needed: false,
        })
    }

    pub(in crate::plan) fn start_agreed(&mut self, name: String, yes: bool) {
        self.stack.doubts.open.retain(|(about, _)| *about != name);
        self.stack.doubts.answers.push((name, yes));
        // Everything is planned anew.
        self.stack.seen = None;
    }
}
