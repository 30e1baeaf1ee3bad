//! Lines of checks of file systems, both ways.

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

pub(super) fn event_line(ticket: Ticket, ended: &Result<Ended, Fault>) -> String {
    match ended {
        Ok(ended) => {
            let line = answer("checked", ticket).num(u64::from(ended.status));
            let said = |line: Line, text: &Text| line.key("said", text.as_bytes());
            ended.said.iter().fold(line, said).done()
        }
        Err(fault) => failed("check-failed", ticket, fault).done(),
    }
}

pub(super) fn checkers(w: &mut Words) -> Event {
    Event::Checkers {
        programs: core::iter::from_fn(|| w.text()).listed(),
    }
}

pub(super) fn reply(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    let ended = match verb {
        "checked" => Ok(Ended {
            status: w.need_small(),
            said: all(w, "said").map(Text).listed(),
        }),
        "check-failed" => Err(fault(w)),
        _ => return None,
    };
    Some(Event::Checked { ticket, ended })
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
