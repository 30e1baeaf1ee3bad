//! How long a client of DHCP goes on, and what it says when it ends: the same for both protocols.

use super::troubles::Troubles;
use super::{Dice, wait_ms};
use crate::base::fault::Fault;
use alloc::format;
use alloc::string::String;

pub(super) struct Tries {
    /// `DHCP`, `DHCPv6`.
    protocol: &'static str,
    /// First messages in all. `None`: until the caller gives up.
    most: Option<u32>,
    pub dice: Dice,
    begun: u32,
    /// Refusals and conflicts.
    setbacks: u32,
    troubles: Troubles,
}

impl Tries {
    pub fn new(protocol: &'static str, most: Option<u32>, seed: u64) -> Self {
        Self {
            protocol,
            most,
            dice: Dice::new(seed),
            begun: 0,
            setbacks: 0,
            troubles: Troubles::default(),
        }
    }

    /// Another first message is sent.
    pub fn begin(&mut self) {
        self.begun = self.begun.saturating_add(1);
    }

    /// At least one is.
    pub fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.begun >= most.max(1))
    }

    /// How long to wait for an answer to what was sent `before` times already, in milliseconds.
    pub fn wait(&mut self, before: u32) -> u64 {
        self.dice.around(wait_ms(before))
    }

    /// How long to pause after a refusal or a conflict, in milliseconds. The pauses grow as the
    /// waits for answers do: one address that is taken costs a second, and many cost the server no
    /// more than a machine that nobody answers.
    pub fn pause(&mut self) -> u64 {
        let wait = self.wait(self.setbacks);
        self.setbacks = self.setbacks.saturating_add(1);
        wait
    }

    pub fn trouble(&mut self, text: String) {
        self.troubles.add(text);
    }

    /// Why there is no lease yet.
    pub fn so_far(&self) -> Fault {
        let (protocol, tries) = (self.protocol, self.begun);
        let word = if tries == 1 { "try" } else { "tries" };
        Fault::plain(match self.troubles.told() {
            None => format!("no {protocol} server answered ({tries} {word})"),
            Some(troubles) => format!("no {protocol} lease ({tries} {word}): {troubles}"),
        })
    }
}
