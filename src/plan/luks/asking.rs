//! When somebody is asked for a passphrase, and what becomes of the answer.
//!
//! Nobody is asked while a key that needs no person could still come, or before the keyboards'
//! drivers are there. What is typed is tried on every volume that waits. The clock stands still
//! while a question is open; a question is taken back when its volume no longer needs it.

use super::{Lock, Plan, Stage, State};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::luks::order::Key;
use crate::plan::action::{Action, Level, Question};
use crate::plan::event::Ticket;
use crate::plan::ticket::Job;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How often somebody is asked, if nothing was said.
const TRIES: u32 = 3;

#[derive(Default)]
pub(super) struct Asking {
    /// The question that is open.
    open: Option<Open>,
    /// Somebody is to be asked: keyboards are awaited, until this time at most.
    opens: Option<Millis>,
    /// What was typed and may still be of use, by number.
    pub(super) secrets: Vec<u32>,
    /// The volume whose question was answered last, while that is being tried.
    answered: Option<(usize, u32)>,
}

struct Open {
    ticket: Ticket,
    /// The volume, by its place in the list.
    lock: usize,
    until: Option<Millis>,
    /// What is left of our patience.
    left: Option<u64>,
}

impl Plan {
    /// Asks, if that is due; takes a question back that is not needed any more.
    pub(super) fn ask(&mut self, now: Millis) {
        for lock in &mut self.locks.all {
            lock.patient_until = lock.patient_until.filter(|until| now < *until);
        }
        self.count_answers(now);
        if let Some(open) = &self.locks.asking.open {
            let (at, late) = (open.lock, open.until.is_some_and(|until| now >= until));
            let waits = |l: &Lock| matches!(l.state, State::Closed | State::Opening(_));
            let waits = self.locks.all.get(at).is_some_and(waits);
            if waits && !late {
                return;
            }
            self.withdraw(now);
            if waits {
                let text = "nobody answered in the time that its option timeout= gives";
                return self.fail_lock(now, at, text.into(), true);
            }
        }
        let Some(at) = self.next_to_ask() else {
            self.locks.asking.opens = None;
            return;
        };
        let until = match self.locks.asking.opens {
            Some(until) => until,
            None => self.want_keyboards(now),
        };
        self.locks.asking.opens = Some(until);
        self.buses.serve_keyboards(&mut self.tickets, &mut self.out);
        self.load(now);
        if now >= self.keyboards_due(until) {
            self.locks.asking.opens = None;
            self.ask_for(now, at);
        }
    }

    /// The first volume for which nobody but a person has a key.
    fn next_to_ask(&self) -> Option<usize> {
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
            lock.state == State::Closed && !lock.options.headless && !free
        };
        let mut order: Vec<(usize, &Lock)> = locks.iter().enumerate().collect();
        order.retain(|(_, lock)| asks(lock) && self.has_header(lock));
        let first = order
            .into_iter()
            .min_by_key(|(at, lock)| (lock.reason, *at));
        first.filter(|_| self.drivers_settled()).map(|(at, _)| at)
    }

    fn ask_for(&mut self, now: Millis, at: usize) {
        let Some(lock) = self.locks.all.get(at) else {
            return;
        };
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
        let question = Question {
            notes,
            prompt: format!("Passphrase of {}", lock.shown()),
            echo: lock.options.echo,
        };
        let timeout = Some(lock.options.timeout_ms).filter(|ms| *ms > 0);
        let ticket = self.tickets.issue(Job::Ask);
        // The clock stands still.
        let left = self.trunk.take().map(|trunk| now.until(trunk));
        self.locks.asking.open = Some(Open {
            ticket,
            lock: at,
            until: timeout.map(|ms| now.plus(ms)),
            left,
        });
        self.out.push(Action::Ask { ticket, question });
    }

    /// Takes the question back, if one is open.
    pub(in crate::plan) fn withdraw(&mut self, now: Millis) {
        self.locks.asking.opens = None;
        if let Some(open) = self.close_question(now) {
            self.tickets.close(open.ticket);
            let ticket = open.ticket;
            self.out.push(Action::Withdraw { ticket });
        }
    }

    fn close_question(&mut self, now: Millis) -> Option<Open> {
        let open = self.locks.asking.open.take()?;
        self.trunk = open.left.map(|left| now.plus(left));
        Some(open)
    }

    pub(in crate::plan) fn answered(&mut self, now: Millis, ticket: Ticket, secret: u32) {
        if self.tickets.close(ticket) != Some(Job::Ask) {
            // Nobody waits for it any more.
            return self.out.push(Action::Forget { secret });
        }
        if let Some(open) = self.close_question(now) {
            self.locks.asking.secrets.push(secret);
            self.locks.asking.answered = Some((open.lock, secret));
        }
    }

    pub(in crate::plan) fn ask_failed(&mut self, now: Millis, ticket: Ticket, fault: &Fault) {
        if self.tickets.close(ticket) == Some(Job::Ask)
            && let Some(open) = self.close_question(now)
        {
            let why = format!("nobody can be asked: {fault}");
            self.fail_lock(now, open.lock, why, false);
        }
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

    /// Is a question open, or about to be?
    pub(in crate::plan) fn is_asking(&self) -> bool {
        self.locks.asking.open.is_some() || self.locks.asking.opens.is_some()
    }

    /// When a question, or the wait for one, ends by itself.
    pub(in crate::plan) fn asking_due(&self) -> Option<Millis> {
        let asking = &self.locks.asking;
        let question = asking.open.as_ref().and_then(|open| open.until);
        let keyboards = asking.opens.map(|until| self.keyboards_due(until));
        let waits = |lock: &Lock| lock.patient_until.filter(|_| lock.state == State::Closed);
        let patience = self.locks.all.iter().filter_map(waits).min();
        [question, keyboards, patience].into_iter().flatten().min()
    }
}
