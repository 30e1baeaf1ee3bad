//! Lines of checks of file systems, both ways.

use super::action::Action;
use super::event::{Event, Ticket};
use super::trace::{answer, failed};
use super::trace_read::{all, fault, ticket};
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::check::{Check, Ended};
use alloc::string::String;

pub(super) fn event_line(event: &Event) -> String {
    match event {
        Event::Checkers { programs } => programs
            .iter()
            .fold(Line::new("checkers"), |line, path| line.word(path))
            .done(),
        Event::Checked { ticket, ended } => {
            let line = answer("checked", *ticket).num(u64::from(ended.status));
            let said = |line: Line, text: &Text| line.key("said", text.as_bytes());
            ended.said.iter().fold(line, said).done()
        }
        Event::CheckFailed { ticket, fault } => failed("check-failed", *ticket, fault).done(),
        _ => String::new(),
    }
}

pub(super) fn reply(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "checked" => Event::Checked {
            ticket,
            ended: Ended {
                status: w.need_small(),
                said: all(w, "said").map(Text).listed(),
            },
        },
        "check-failed" => Event::CheckFailed {
            ticket,
            fault: fault(w),
        },
        _ => return None,
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
