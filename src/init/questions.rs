//! What is asked on the consoles, beside everything else that happens.

use super::event_loop::{CONSOLES, Machine};
use crate::act::ask::{Ask, Heard, Text};
use crate::plan::action::Question;
use crate::plan::event::{Event, Ticket};
use crate::plan::rescue;

/// A question that is open.
pub(super) struct Open {
    ticket: Ticket,
    ask: Ask,
    yes_or_no: bool,
    command: bool,
}

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
            Err(fault) => return self.queue.push(Event::AskFailed { ticket, fault }),
        };
        for (token, terminal) in (CONSOLES..).zip(ask.terminals()) {
            if let Err(fail) = self.poll.add(terminal, token) {
                log::debug!("{fail}");
            }
        }
        let (yes_or_no, command) = (question.yes_or_no, question.command);
        self.question = Some(Open {
            ticket,
            ask,
            yes_or_no,
            command,
        });
    }

    /// Something was typed on one of them.
    pub(super) fn hear(&mut self, token: u64) {
        let number = usize::try_from(token.saturating_sub(CONSOLES)).unwrap_or(usize::MAX);
        let Some(open) = &mut self.question else {
            return;
        };
        let (ticket, yes_or_no, ask) = (open.ticket, open.yes_or_no, &mut open.ask);
        let command = open.command;
        match ask.hear(number) {
            Ok(Heard::Nothing) => {}
            Ok(Heard::FirstKey) => self.queue.push(Event::Typing { ticket }),
            Ok(Heard::Answer(bytes, len)) => {
                self.close_question("");
                let event = if command {
                    let typed = bytes.bytes().get(..len).unwrap_or_default();
                    let known = Some(typed).filter(|typed| rescue::is_command(typed));
                    let text = known.unwrap_or(b"?").into();
                    Event::Said { ticket, text }
                } else if yes_or_no {
                    let said = bytes.bytes().get(..len).unwrap_or_default().trim_ascii();
                    let yes = [&b"y"[..], b"yes"]
                        .iter()
                        .any(|word| said.eq_ignore_ascii_case(word));
                    Event::Agreed { ticket, yes }
                } else {
                    let secret = self.workers.secrets.keep(bytes, len);
                    Event::Answered { ticket, secret }
                };
                self.queue.push(event);
            }
            Err(fail) => {
                if let Some(terminal) = ask.terminals().nth(number) {
                    let _ = self.poll.remove(terminal);
                }
                if ask.lose(number) {
                    self.close_question("");
                    let fault = fail.into();
                    self.queue.push(Event::AskFailed { ticket, fault });
                }
            }
        }
    }

    /// Takes the question off the consoles, if one is open.
    pub(super) fn close_question(&mut self, note: &str) {
        if let Some(Open { ask, .. }) = self.question.take() {
            for terminal in ask.terminals() {
                let _ = self.poll.remove(terminal);
            }
            ask.close(note);
        }
    }
}
