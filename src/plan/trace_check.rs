//! Lines of programs of the image that are run: checks of file systems and hooks, both ways.

use super::action::Action;
use super::event::{Event, Ticket};
use super::trace::{answer, failed, words};
use super::trace_read::{all, fault, ticket};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::check::{Check, Ended};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn event_line(event: &Event) -> String {
    match event {
        Event::Checkers { programs } => words(Line::new("checkers"), programs).done(),
        Event::Hooks { names } => words(Line::new("hooks"), names).done(),
        Event::Checked { ticket, ended } => ended_line(["checked", "check-failed"], *ticket, ended),
        Event::HookEnded { ticket, ended } => {
            ended_line(["hook-ended", "hook-failed"], *ticket, ended)
        }
        _ => String::new(),
    }
}

fn ended_line([well, badly]: [&str; 2], ticket: Ticket, ended: &Result<Ended, Fault>) -> String {
    match ended {
        Ok(ended) => {
            let line = answer(well, ticket).num(u64::from(ended.status));
            let said = |line: Line, text: &Text| line.key("said", text.as_bytes());
            ended.said.iter().fold(line, said).done()
        }
        Err(fault) => failed(badly, ticket, fault).done(),
    }
}

/// What the image holds.
pub(super) fn event(verb: &str, w: &mut Words) -> Event {
    let names = texts(w);
    match verb {
        "hooks" => Event::Hooks { names },
        _ => Event::Checkers { programs: names },
    }
}

/// Every word that is left.
pub(super) fn texts(w: &mut Words) -> Vec<String> {
    core::iter::from_fn(|| w.text()).listed()
}

pub(super) fn reply(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    let ended = match verb {
        "checked" | "hook-ended" => Ok(Ended {
            status: w.need_small(),
            said: all(w, "said").map(Text).listed(),
        }),
        "check-failed" | "hook-failed" => Err(fault(w)),
        _ => return None,
    };
    Some(match verb.starts_with("hook") {
        true => Event::HookEnded { ticket, ended },
        false => Event::Checked { ticket, ended },
    })
}

pub(super) fn action_line(action: &Action) -> String {
    match action {
        Action::Check { ticket, check } => {
            let line = answer("check", *ticket).word(&check.device);
            let line = line.word(&check.program).key("words", &check.words);
            line.key("stamp", &check.stamp).done()
        }
        Action::Hook { ticket, name } => answer("hook", *ticket).word(name).done(),
        _ => String::new(),
    }
}

pub(super) fn action(verb: &str, w: &mut Words) -> Option<Action> {
    let ticket = ticket(w);
    Some(match verb {
        "hook" => Action::Hook {
            ticket,
            name: w.need_text(),
        },
        "check" => Action::Check {
            ticket,
            check: Check {
                device: w.need_text(),
                program: w.need_text(),
                words: w.need_key_text("words"),
                stamp: w.need_key_text("stamp"),
            }
            .into(),
        },
        _ => return None,
    })
}
