//! The rescue console: after a failure, or at a stop that was asked for, whoever is at a console
//! looks around, repairs the wish and lets the boot go on. No program of the image is needed.
//!
//! Each prompt is a question whose answer is a command; what a command has to say stands above the
//! next prompt. The clock stands still meanwhile; but a console that nobody touches closes by
//! itself, so that every boot ends. Once an encrypted volume is open, no console is: whoever reads
//! a running system's disk through it has no need of the passphrase.

use super::action::{Action, Level, Question, Shown};
use super::event::Ticket;
use super::give_up;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::crypttab::Echo;
use crate::format::wish::{End, Rescue, Source, Stop, Wish};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const HELP: [&str; 12] = [
    "devices        every device, and what it is",
    "missing        drivers, members and keys that are missing",
    "log, trace     the last lines of the kernel's log, of the boot's trace",
    "cmdline        the words that this boot follows",
    "root SPEC …    takes another root, as root=SPEC does; rootfstype= and others may follow",
    "init PATH      takes another init",
    "retry, go      goes on with the boot",
    "shell          opens a shell, where the image holds one and rd.shell allows it",
    "reboot         restarts the machine",
    "poweroff       turns the machine off",
    "end            ends as a failed boot ends",
    "help           shows this",
];

/// Is this a command? Nothing else that is typed here is told on: it may be a passphrase.
pub fn is_command(typed: &[u8]) -> bool {
    let is_end = |b: &u8| matches!(b, b' ' | b',');
    let word = typed.trim_ascii().split(is_end).next().unwrap_or_default();
    HELP.iter().any(|line| {
        let head = line.as_bytes().get(..15).unwrap_or_default();
        let mut names = head.split(is_end).filter(|name| *name != b"SPEC");
        names.any(|name| name == word)
    })
}

#[derive(Default)]
pub(super) struct Console {
    /// The person at the console has this, and no shell.
    pub on: bool,
    /// The prompt that is open.
    open: Option<Ticket>,
    /// It closes then, unless a key is pressed.
    pub until: Option<Millis>,
    touched: bool,
    /// The boot was stopped here; it has not failed.
    at: Option<Stop>,
    /// Stops that are behind us.
    passed: Vec<Stop>,
    /// What stands above the next prompt.
    notes: Vec<String>,
    pub cmdline: Text,
}

impl Plan {
    /// The boot failed: does the console open?
    pub(super) fn rescues(&mut self) -> bool {
        let on = matches!(self.wish.rescue, Rescue::After(_)) && !self.is_guarded();
        let notes = alloc::vec!["help lists what can be done here".to_string()];
        self.rescue.begin(on, None, notes);
        on
    }

    /// Stops here, if that is asked for and was not done.
    pub(super) fn stops(&mut self, now: Millis, at: Stop) -> bool {
        if !self.wish.stops.contains(&at) || self.rescue.passed.contains(&at) {
            return false;
        }
        self.rescue.passed.push(at);
        if self.wish.rescue == Rescue::Off {
            let text = "landfall.rescue=off: the boot does not stop where rd.break= says";
            self.say(Level::Warning, text.into());
            return false;
        }
        if self.is_guarded() {
            return false;
        }
        let place = match at {
            Stop::Start => "before anything is looked for",
            Stop::Mount => "before root is mounted",
            Stop::HandOver => "before root's init is run",
        };
        let note = format!("stopped {place}; go goes on, help lists what can be done here");
        self.rescue.begin(true, Some(at), alloc::vec![note]);
        self.stage = Stage::Shell {
            opens: Some(self.want_keyboards(now)),
            mounted: at == Stop::HandOver,
            mounting: None,
        };
        true
    }

    /// Says so where the console stays closed because a secret has opened something.
    fn is_guarded(&mut self) -> bool {
        let Some(volume) = self.locks.opened() else {
            return false;
        };
        let text = format!("{volume} is open: no rescue console, which would show what is in it");
        self.say(Level::Warning, text);
        true
    }

    /// Shows what the last command had to say, and the prompt.
    pub(super) fn prompt(&mut self, now: Millis) {
        let ticket = self.tickets.issue(Job::Ask);
        self.rescue.open = Some(ticket);
        let wait = match self.wish.rescue {
            Rescue::After(ms) => ms,
            _ => Rescue::WAIT_MS,
        };
        self.rescue.until = (!self.rescue.touched).then(|| now.plus(wait));
        let question = Question {
            notes: core::mem::take(&mut self.rescue.notes),
            prompt: "rescue".into(),
            echo: Echo::Plain,
            yes_or_no: false,
            command: true,
        };
        self.out.push(Action::Ask {
            ticket,
            question: question.into(),
        });
    }

    /// A key was pressed. `true`: at our prompt.
    pub(super) fn touches(&mut self, ticket: Ticket) -> bool {
        let ours = self.rescue.open == Some(ticket);
        if ours {
            self.rescue.touched = true;
            self.rescue.until = None;
        }
        ours
    }

    /// Is this the answer to our prompt? It is not open any more then.
    pub(super) fn closes_prompt(&mut self, ticket: Ticket) -> bool {
        let ours = self.rescue.open == Some(ticket);
        if ours {
            self.rescue.open = None;
            self.rescue.until = None;
            self.tickets.close(ticket);
        }
        ours
    }

    /// Nobody has touched the console for long enough.
    pub(super) fn leave_untouched(&mut self, now: Millis) {
        if self.rescue.until.is_none_or(|until| now < until) {
            return;
        }
        if let Some(ticket) = self.rescue.open {
            self.closes_prompt(ticket);
            self.out.push(Action::Withdraw { ticket });
            self.say(Level::Notice, "nobody is at the rescue console".into());
            self.leave_console(now);
        }
    }

    /// The console cannot be had, or nobody wants it.
    pub(super) fn leave_console(&mut self, now: Millis) {
        self.rescue.on = false;
        match self.rescue.at {
            Some(_) => self.tries_again(now),
            None => self.end(now),
        }
    }

    pub(super) fn no_prompt(&mut self, now: Millis, fault: &Fault) {
        self.say(Level::Error, format!("no rescue console: {fault}"));
        self.leave_console(now);
    }

    /// A command was typed.
    pub(super) fn said(&mut self, now: Millis, ticket: Ticket, text: &Text) {
        if !self.closes_prompt(ticket) {
            return;
        }
        self.rescue.touched = true;
        if self.is_guarded() {
            return self.leave_console(now);
        }
        let typed = core::str::from_utf8(text.as_bytes()).unwrap_or("?").trim();
        let (word, rest) = typed.split_once(' ').unwrap_or((typed, ""));
        let rest = rest.trim_start();
        let notes = match word {
            "" => Vec::new(),
            "devices" => give_up::cut(self.seen_and_closed()),
            "missing" => give_up::cut(give_up::missing(self)),
            "cmdline" => alloc::vec![self.rescue.cmdline.to_string()],
            "log" => self.show(Shown::Log),
            "trace" => self.show(Shown::Trace),
            "help" => HELP.iter().map(|line| line.to_string()).listed(),
            "root" | "init" => match self.changes(word, rest) {
                Err(why) => alloc::vec![why],
                Ok(()) => return self.tries_again(now),
            },
            "retry" | "go" => return self.tries_again(now),
            "end" => return self.end(now),
            "reboot" => return self.ctrl_alt_del(),
            "poweroff" => {
                self.dismiss();
                self.stage = Stage::Over;
                let end = End::PowerOff;
                return self.out.push(Action::End { end });
            }
            "shell" if self.wish.shell => return self.open_shell(),
            "shell" => alloc::vec!["a shell opens only where rd.shell allows it".to_string()],
            _ => alloc::vec!["that is no command; help lists them".to_string()],
        };
        self.rescue.notes = notes;
        self.prompt(now);
    }

    /// The shell that was opened from the console is left.
    pub(super) fn back_from_shell(&mut self, now: Millis, fault: Option<Fault>) {
        let note = |fault: Fault| format!("no shell: {fault}");
        self.rescue.notes = fault.map(note).into_iter().listed();
        self.prompt(now);
    }

    pub(super) fn shell_left(&mut self, now: Millis, ticket: Ticket, fault: Option<Fault>) {
        let ours = self.tickets.close(ticket) == Some(Job::Shell);
        if !ours || !matches!(self.stage, Stage::Shell { .. }) {
            return;
        }
        if self.rescue.on {
            return self.back_from_shell(now, fault);
        }
        if let Some(fault) = fault {
            self.say(Level::Error, format!("no shell: {fault}"));
            return self.end(now);
        }
        self.tries_again(now);
    }

    /// A person was at it: everything is tried again, with new patience.
    pub(super) fn tries_again(&mut self, now: Millis) {
        let Stage::Shell {
            mounted, mounting, ..
        } = self.stage.clone()
        else {
            return;
        };
        self.be_patient(now);
        self.devices.forgive();
        self.modules.forgive();
        self.mappings.failed = None;
        self.forgive_stack();
        self.forgive_verity();
        self.integrity_done.clear();
        self.forgive_locks();
        self.exhausted = false;
        if !self.begun {
            self.begin_looking(now);
        } else if mounted {
            self.goes_on_mounted(now);
        } else {
            // A second mount beside one that has not ended would land on top of it.
            self.stage = match mounting {
                Some((device, generation, types)) => Stage::Mounting {
                    device,
                    generation,
                    types,
                },
                None => Stage::Searching,
            };
            self.walk_soon();
        }
    }

    fn show(&mut self, what: Shown) -> Vec<String> {
        self.out.push(Action::Show { what });
        Vec::new()
    }

    fn seen_and_closed(&self) -> Vec<String> {
        let mut lines = give_up::seen(self);
        lines.extend(self.closed());
        lines
    }

    /// Changes the wish as a word of the command line would have.
    pub(super) fn changes(&mut self, word: &str, rest: &str) -> Result<(), String> {
        let mounted = matches!(self.stage, Stage::Shell { mounted: true, .. });
        let wish = Wish::from_cmdline(format!("{word}={rest}").as_bytes());
        if let Some(why) = wish.complaints.into_iter().next() {
            return Err(why);
        }
        if word == "init" {
            self.wish.init = wish.init;
            return Ok(());
        }
        if mounted || self.wish.file.is_some() || self.is_beside_root() {
            return Err("root is mounted already, or lies in a file: it stays".into());
        }
        if wish.remote.is_some() || !wish.targets.is_empty() {
            return Err("a root on a server cannot be taken here: see root= at boot".into());
        }
        if wish.root.is_none() || matches!(wish.root, Some(Source::Unknown(_))) {
            return Err(format!("root={rest} is not a form that is understood"));
        }
        (self.wish.root, self.wish.root_as_typed) = (wish.root, wish.root_as_typed);
        (self.wish.fstypes, self.wish.flags) = (wish.fstypes, wish.flags);
        self.wish.writable = wish.writable;
        self.wish.remote = None;
        self.buses.no_disks = false;
        self.comparing = false;
        Ok(())
    }
}

impl Console {
    fn begin(&mut self, on: bool, at: Option<Stop>, notes: Vec<String>) {
        (self.on, self.at, self.notes) = (on, at, notes);
        self.touched = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_are_told_to_the_plan() {
        for typed in ["devices", "trace", " log ", "go", "root UUID=1-2", "", " "] {
            assert!(is_command(typed.as_bytes()), "{typed}");
        }
        for typed in ["every", "SPEC", "my passphrase", "device", "tracing", "?"] {
            assert!(!is_command(typed.as_bytes()), "{typed}");
        }
    }
}
