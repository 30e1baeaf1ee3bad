//! Questions to whoever is at a console: one at a time, on every console at once.
//!
//! Nobody is asked before the keyboards' drivers are there. While a person answers, the clock
//! stands still. For what the command line asks for it does so from the moment the question is put;
//! another question lets it run until a key is pressed, so that a boot with nobody there ends. A
//! question is taken back when it is not needed any more.

use super::Plan;
use super::action::{Action, Question};
use super::event::Ticket;
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use alloc::format;
use alloc::string::String;

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The passphrase of an encrypted volume, by its place in the list.
    Volume(usize),
    /// Whether this may start without a member.
    Start(String),
}

/// A question that is to be put.
pub(super) struct Asked {
    pub question: Question,
    /// Milliseconds; `None`: it stands for as long as it takes.
    pub timeout: Option<u64>,
    /// The clock stands still, whether or not somebody is there.
    pub needed: bool,
}

#[derive(Default)]
pub(super) struct Questions {
    open: Option<Open>,
    /// Somebody is to be asked: keyboards are awaited, until this time at most.
    opens: Option<Millis>,
}

struct Open {
    ticket: Ticket,
    about: About,
    until: Option<Millis>,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Clock {
    Runs,
    /// What is left of our patience in milliseconds, where that has an end.
    Stands(Option<u64>),
}

impl Plan {
    /// Asks, if that is due; takes a question back that is not needed any more.
    pub(super) fn ask(&mut self, now: Millis) {
        self.weigh_answers(now);
        if let Some(open) = &self.questions.open {
            let (about, late) = (open.about.clone(), open.until.is_some_and(|at| now >= at));
            let waits = match &about {
                About::Volume(at) => self.is_locked(*at),
                About::Start(name) => self.is_in_doubt(name),
            };
            if waits && !late {
                return;
            }
            self.withdraw(now);
            if waits {
                return self.nobody_answered(now, &about);
            }
        }
        let volume = self.volume_to_ask_for().map(About::Volume);
        let Some(about) = volume.or_else(|| self.start_to_ask_about().map(About::Start)) else {
            self.questions.opens = None;
            return;
        };
        let until = match self.questions.opens {
            Some(until) => until,
            None => self.want_keyboards(now),
        };
        self.questions.opens = Some(until);
        self.buses.serve_keyboards(&mut self.tickets, &mut self.out);
        self.load(now);
        if now >= self.keyboards_due(until) {
            self.questions.opens = None;
            self.put(now, about);
        }
    }

    fn put(&mut self, now: Millis, about: About) {
        let asked = match &about {
            About::Volume(at) => self.passphrase_asked(*at),
            About::Start(name) => self.start_asked(name),
        };
        let Some(asked) = asked else {
            return;
        };
        let ticket = self.tickets.issue(Job::Ask);
        let question = asked.question;
        self.out.push(Action::Ask {
            ticket,
            question: question.into(),
        });
        self.questions.open = Some(Open {
            ticket,
            about,
            until: asked.timeout.map(|ms| now.plus(ms)),
            clock: Clock::Runs,
        });
        if asked.needed {
            self.typing(now, ticket);
        }
    }

    /// A key was pressed: the clock stands still.
    pub(super) fn typing(&mut self, now: Millis, ticket: Ticket) {
        if let Some(open) = &mut self.questions.open
            && let (true, Clock::Runs) = (open.ticket == ticket, open.clock)
        {
            open.clock = Clock::Stands(self.trunk.take().map(|trunk| now.until(trunk)));
        }
    }

    /// Takes the question back, if one is open.
    pub(super) fn withdraw(&mut self, now: Millis) {
        self.questions.opens = None;
        if let Some((ticket, _)) = self.close_question(now) {
            self.tickets.close(ticket);
            self.out.push(Action::Withdraw { ticket });
        }
    }

    fn close_question(&mut self, now: Millis) -> Option<(Ticket, About)> {
        let open = self.questions.open.take()?;
        if let Clock::Stands(left) = open.clock {
            self.trunk = left.map(|left| now.plus(left));
        }
        Some((open.ticket, open.about))
    }

    /// What the question was about that this answers. `None`: nobody waits for it any more.
    fn answers(&mut self, now: Millis, ticket: Ticket) -> Option<About> {
        let asked = self.tickets.close(ticket) == Some(Job::Ask);
        asked
            .then(|| self.close_question(now))?
            .map(|(_, about)| about)
    }

    pub(super) fn answered(&mut self, now: Millis, ticket: Ticket, secret: u32) {
        match self.answers(now, ticket) {
            Some(About::Volume(at)) => self.passphrase_typed(at, secret),
            _ => self.out.push(Action::Forget { secret }),
        }
    }

    pub(super) fn agreed(&mut self, now: Millis, ticket: Ticket, yes: bool) {
        if let Some(About::Start(name)) = self.answers(now, ticket) {
            self.start_agreed(name, yes);
        }
    }

    pub(super) fn ask_failed(&mut self, now: Millis, ticket: Ticket, fault: &Fault) {
        let why = format!("nobody can be asked: {fault}");
        match self.answers(now, ticket) {
            Some(About::Volume(at)) => self.fail_lock(now, at, why, false),
            Some(About::Start(name)) => self.start_agreed(name, false),
            None => {}
        }
    }

    fn nobody_answered(&mut self, now: Millis, about: &About) {
        if let About::Volume(at) = about {
            let text = "nobody answered in the time that its option timeout= gives";
            self.fail_lock(now, *at, text.into(), true);
        }
    }

    /// Is a question open, or about to be?
    pub(super) fn is_asking(&self) -> bool {
        self.questions.open.is_some() || self.questions.opens.is_some()
    }

    /// When a question, or the wait for one, ends by itself.
    pub(super) fn asking_due(&self) -> Option<Millis> {
        let question = self.questions.open.as_ref().and_then(|open| open.until);
        let keyboards = self.questions.opens.map(|until| self.keyboards_due(until));
        let times = [question, keyboards, self.keys_due()];
        times.into_iter().flatten().min()
    }
}
