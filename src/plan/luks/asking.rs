//! For which volume somebody is asked, and what becomes of the answer.
//!
//! Nobody is asked while a key that needs no person could still come. What is typed is tried on
//! every volume that waits.

use super::{Lock, Plan, Reason, Stage, State};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::luks::order::Key;
use crate::plan::action::{Action, Level, Question};
use crate::plan::questions::Asked;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How often somebody is asked, if nothing was said.
const TRIES: u32 = 3;

#[derive(Default)]
pub(super) struct Asking {
    /// What was typed and may still be of use, by number.
    pub(super) secrets: Vec<u32>,
    /// The volume whose question was answered last, while that is being tried.
    answered: Option<(usize, u32)>,
}

impl Plan {
    /// Forgets what was typed in vain; lets patience with key files end.
    pub(in crate::plan) fn weigh_answers(&mut self, now: Millis) {
        for lock in &mut self.locks.all {
            lock.patient_until = lock.patient_until.filter(|until| now < *until);
        }
        self.count_answers(now);
    }

    /// Is this volume still to be opened?
    pub(in crate::plan) fn is_locked(&self, at: usize) -> bool {
        let waits = |l: &Lock| matches!(l.state, State::Closed | State::Opening(_));
        self.locks.all.get(at).is_some_and(waits)
    }

    /// The first volume for which nobody but a person has a key.
    pub(in crate::plan) fn volume_to_ask_for(&self) -> Option<usize> {
        let busy = |lock: &Lock| matches!(lock.state, State::Opening(_));
        let locks = &self.locks.all;
        if locks.iter().any(busy) || self.locks.asking.answered.is_some() {
            return None;
        }
        let tried_all = self.exhausted || matches!(self.stage, Stage::Preparing { .. });
        let asks = |lock: &Lock| {
            let free = match lock.options.keyfile_timeout_ms {
                Some(_) => lock.patient_until.is_some() && lock.awaits_device(),
                None => lock.awaits_device() && !tried_all,
            };
            let waits = lock.state == State::Closed && !lock.comparing;
            waits && !lock.options.headless && !free
        };
        let mut order: Vec<(usize, &Lock)> = locks.iter().enumerate().listed();
        order.retain(|(_, lock)| asks(lock) && self.has_header(lock));
        let first = order
            .into_iter()
            .min_by_key(|(at, lock)| (lock.reason, *at));
        first.filter(|_| self.drivers_settled()).map(|(at, _)| at)
    }

    /// The question for its passphrase.
    pub(in crate::plan) fn passphrase_asked(&self, at: usize) -> Option<Asked> {
        let lock = self.locks.all.get(at)?;
        let tries = lock.options.tries.unwrap_or(TRIES);
        let mut notes = Vec::new();
        if lock.wrong > 0 {
            let next = lock.wrong.saturating_add(1);
            let of = match tries {
                0 => String::new(),
                tries => format!(" of {tries}"),
            };
            notes.push(format!("No key slot opens with that. Try {next}{of}."));
        }
        Some(Asked {
            question: Question {
                notes,
                prompt: format!("Passphrase of {}", lock.shown()),
                echo: lock.options.echo,
                yes_or_no: false,
                command: false,
            },
            timeout: Some(lock.options.timeout_ms).filter(|ms| *ms > 0),
            // Nothing says that root is in a volume that is tried for want of anything else.
            needed: lock.reason != Reason::Last,
        })
    }

    pub(in crate::plan) fn passphrase_typed(&mut self, at: usize, secret: u32) {
        self.locks.asking.secrets.push(secret);
        self.locks.asking.answered = Some((at, secret));
    }

    /// What opened a volume was not wrong, and is kept for others.
    pub(super) fn was_right(&mut self, key: &Key) {
        if let Key::Typed(_) = key {
            self.locks.asking.answered = None;
        }
    }

    /// Was what was typed wrong everywhere? Then it is forgotten, and counts against the volume
    /// whose question it answered.
    fn count_answers(&mut self, now: Millis) {
        let Some((at, secret)) = self.locks.asking.answered else {
            return;
        };
        let waits = |lock: &Lock| match lock.state {
            State::Opening(_) => true,
            State::Closed => !lock.knows(secret) && self.has_header(lock),
            State::Open | State::Failed(_) => false,
        };
        if self.locks.all.iter().any(waits) {
            return;
        }
        self.locks.asking.answered = None;
        self.locks.asking.secrets.retain(|known| *known != secret);
        self.out.push(Action::Forget { secret });
        let Some(lock) = self.locks.all.get_mut(at) else {
            return;
        };
        if lock.state != State::Closed {
            return;
        }
        lock.wrong = lock.wrong.saturating_add(1);
        let (wrong, tries) = (lock.wrong, lock.options.tries.unwrap_or(TRIES));
        let shown = lock.shown();
        self.say(
            Level::Warning,
            format!("{shown}: no key slot opens with what was typed"),
        );
        if tries > 0 && wrong >= tries {
            let text = format!("none of {wrong} passphrases opens a key slot");
            self.fail_lock(now, at, text, true);
        }
    }

    /// When patience with a key file ends.
    pub(in crate::plan) fn keys_due(&self) -> Option<Millis> {
        let waits = |lock: &Lock| lock.patient_until.filter(|_| lock.state == State::Closed);
        self.locks.all.iter().filter_map(waits).min()
    }
}
