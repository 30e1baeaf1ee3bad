//! What is asked on the consoles, beside everything else that happens.

use super::event_loop::{CONSOLES, Machine};
use crate::act::ask::{Ask, Text};
use crate::plan::action::Question;
use crate::plan::event::{Event, Ticket};

/// What stands in the place of a question that nobody need answer any more.
pub(super) const WITHDRAWN: &str = " (not needed any more)";

impl Machine {
    pub(super) fn ask(&mut self, ticket: Ticket, question: &Question) {
        let text = Text {
            notes: &question.notes,
            prompt: &question.prompt,
            echo: question.echo,
        };
        let ask = match Ask::open(&text) {
            Ok(ask) => ask,
            Err(fault) => return self.queue.push_back(Event::AskFailed { ticket, fault }),
        };
        for (token, terminal) in (CONSOLES..).zip(ask.terminals()) {
            if let Err(fail) = self.poll.add(terminal, token) {
                log::debug!("{fail}");
            }
        }
        self.question = Some((ticket, ask));
    }

    /// Something was typed on one of them.
    pub(super) fn hear(&mut self, token: u64) {
        let number = usize::try_from(token.saturating_sub(CONSOLES)).unwrap_or(usize::MAX);
        let Some((ticket, ask)) = &mut self.question else {
            return;
        };
        let ticket = *ticket;
        match ask.hear(number) {
            Ok(None) => {}
            Ok(Some((bytes, len))) => {
                self.close_question("");
                let secret = self.workers.secrets.keep(bytes, len);
                self.queue.push_back(Event::Answered { ticket, secret });
            }
            Err(fail) => {
                if let Some(terminal) = ask.terminals().nth(number) {
                    let _ = self.poll.remove(terminal);
                }
                if ask.lose(number) {
                    self.close_question("");
                    let fault = fail.into();
                    self.queue.push_back(Event::AskFailed { ticket, fault });
                }
            }
        }
    }

    /// Takes the question off the consoles, if one is open.
    pub(super) fn close_question(&mut self, note: &str) {
        if let Some((_, ask)) = self.question.take() {
            for terminal in ask.terminals() {
                let _ = self.poll.remove(terminal);
            }
            ask.close(note);
        }
    }
}
