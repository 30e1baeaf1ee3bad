//! Lines of programs of the image that are run: checks of file systems and hooks, both ways.

use super::action::Action;
use super::event::{Event, Ticket};
use super::trace::{answer, failed};
use super::trace_read::{all, fault, ticket};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::check::{Check, Ended};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn ended_line(
    [well, badly]: [&str; 2],
    ticket: Ticket,
    ended: &Result<Ended, Fault>,
) -> String {
    match ended {
        Ok(ended) => {
            let line = answer(well, ticket).num(u64::from(ended.status));
            let said = |line: Line, text: &Text| line.key("said", text.as_bytes());
            ended.said.iter().fold(line, said).done()
        }
        Err(fault) => failed(badly, ticket, fault).done(),
    }
}

pub(super) fn checkers(w: &mut Words) -> Event {
    Event::Checkers { programs: texts(w) }
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

pub(super) fn action_line(ticket: Ticket, check: &Check) -> String {
    let line = answer("check", ticket).word(&check.device);
    let line = line.word(&check.program).key("words", &check.words);
    line.key("stamp", &check.stamp).done()
}

pub(super) fn action(w: &mut Words) -> Action {
    Action::Check {
        ticket: ticket(w),
        check: Check {
            device: w.need_text(),
            program: w.need_text(),
            words: w.need_key_text("words"),
            stamp: w.need_key_text("stamp"),
        }
        .into(),
    }
}
