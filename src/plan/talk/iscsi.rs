//! The login at an iSCSI target, until the kernel can have the connection.
//!
//! # One conversation
//! The security stage: who this machine is, which target it wants, and, where it has a user, CHAP:
//! the target asks, this machine answers, and asks back where it wants to know who the target is.
//! Then the operational stage: one offer, one answer. The end is what both agreed on, or another
//! address, at which the conversation begins anew, or a fault.
//!
//! # No passwords
//! Answers to questions of CHAP are computed elsewhere: [`Step::Prove`] and [`Step::Verify`] ask
//! for them, and [`Heard::Proof`] and [`Heard::Verified`] bring them. Nothing else is listened to
//! meanwhile.
//!
//! # Bytes, not messages
//! What arrives may be cut anywhere. Behind the last byte of the login the target may speak to the
//! kernel at once: whoever holds the conversation takes no more bytes from the connection than
//! [`Login::wanted`] says; what comes beyond them is a fault, since the kernel would miss it.
//!
//! # Bounds
//! One message and one list are held, 16 KiB of each at most; so many messages in so much time.
//! Whatever is not as the document has it ends the conversation.

mod security;

use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::iscsi::chap::Question;
use crate::format::iscsi::negotiated::{self, Negotiated};
use crate::format::iscsi::pdu::{self, Pdu, Request, Response, Stage};
use crate::format::iscsi::status::{self, Address, EPROTO, Status};
use crate::format::iscsi::text::{self, List, Pairs};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use security::Security;

/// How long a target has for the whole login, in milliseconds: some wake up disks first.
pub const PATIENCE_MS: u64 = 30_000;

/// How often a target may send to another one, over all conversations about one disk.
pub const MOVES_MAX: u32 = 4;

/// Messages of one login. A plain one has two, CHAP four; lists may be spread over more.
const MESSAGES_MAX: usize = 32;

const ECONNRESET: i32 = 104;
const ETIMEDOUT: i32 = 110;

/// The first command of a session has this number.
const FIRST_COMMAND: u32 = 1;

/// What a redirect is shown up to, in bytes.
const TEXT_SHOWN: usize = 256;

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Bytes(&'a [u8]),
    /// The target will say no more.
    Closed,
    /// The answer to the question of [`Step::Prove`].
    Proof(&'a [u8]),
    /// Whether the answer of [`Step::Verify`] is right.
    Verified(bool),
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// The target asks who this machine is.
    Prove(Question),
    /// The target answers who it is.
    Verify {
        question: Question,
        answer: Vec<u8>,
    },
    /// The connection is the kernel's from now on.
    Done(Box<Negotiated>),
    /// The connection is to be closed, and the next one made there.
    Moved(Address),
    /// The connection is to be closed.
    Failed(Fault),
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// As a fault shall name it.
    pub server: String,
    pub target: String,
    pub initiator: String,
    /// Who this machine is. `None`: it has no password.
    pub user: Option<String>,
    /// Who the target has to be. `None`: anybody.
    pub user_in: Option<String>,
    pub isid: [u8; 6],
    /// What the target is asked: bytes that nobody could foresee, 16 or more, and never twice.
    pub challenge: Vec<u8>,
    /// How often this disk has moved already.
    pub moves: u32,
}

enum At {
    /// Before the start, or after the end.
    Silent,
    Security(Security),
    Operational,
}

pub struct Login {
    options: Options,
    until: Millis,
    at: At,
    agreed: Negotiated,
    /// What no message was read from yet.
    heard: Vec<u8>,
    /// A list whose end has not come.
    list: Vec<u8>,
    /// What the target asked, to be answered by the next message.
    answers: List,
    /// The last message said: ready for the next stage.
    ready: bool,
    messages: usize,
    out: Vec<Step>,
}

impl Login {
    pub fn new(options: Options) -> Self {
        let agreed = Negotiated {
            isid: options.isid,
            cmd_sn: FIRST_COMMAND,
            ..Negotiated::default()
        };
        Self {
            options,
            until: Millis(0),
            at: At::Silent,
            agreed,
            heard: Vec::new(),
            list: Vec::new(),
            answers: List::default(),
            ready: false,
            messages: 0,
            out: Vec::new(),
        }
    }

    /// Begins, on a connection that is there.
    pub fn start(&mut self, now: Millis) -> Vec<Step> {
        self.until = now.plus(PATIENCE_MS);
        self.begin_security();
        core::mem::take(&mut self.out)
    }

    pub fn hear(&mut self, now: Millis, heard: Heard<'_>) -> Vec<Step> {
        if self.deadline().is_some() {
            match heard {
                Heard::Bytes(bytes) => self.hear_bytes(bytes),
                Heard::Closed => self.hear_end(),
                Heard::Proof(proof) => {
                    self.proven(proof);
                    self.go_on();
                }
                Heard::Verified(right) => {
                    self.verified(right);
                    self.go_on();
                }
                Heard::Timer => {}
            }
        }
        if self.deadline().is_some_and(|due| due <= now) {
            let fault = self.give_up();
            self.out.push(Step::Failed(fault));
        }
        core::mem::take(&mut self.out)
    }

    /// When to call back with [`Heard::Timer`], if nothing else is heard.
    pub fn deadline(&self) -> Option<Millis> {
        match self.at {
            At::Silent => None,
            _ => Some(self.until),
        }
    }

    /// How many bytes are missing to the end of what can be read next; 0 where none are waited for.
    pub fn wanted(&self) -> usize {
        let whole = match pdu::length(&self.heard) {
            _ if self.is_waiting_for_proof() || self.deadline().is_none() => 0,
            Ok(Some(length)) if self.heard.len() >= pdu::HEADER => length,
            _ => pdu::HEADER,
        };
        whole.saturating_sub(self.heard.len())
    }

    /// The end, because the caller waits no longer: why there is no session.
    pub fn give_up(&mut self) -> Fault {
        let text = match (&self.at, self.messages) {
            (_, 0) => self.about("it does not answer"),
            (At::Security(_), _) => self.about("it does not end the authentication"),
            _ => self.about("it does not end the login"),
        };
        self.at = At::Silent;
        Fault::new(ETIMEDOUT, text)
    }

    fn hear_bytes(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        self.go_on();
    }

    /// Reads whatever is there whole.
    fn go_on(&mut self) {
        // Each turn takes a message off, or ends the conversation, or waits.
        while self.deadline().is_some() && !self.is_waiting_for_proof() {
            let length = match pdu::length(&self.heard) {
                Ok(Some(length)) if self.heard.len() >= length => length,
                Ok(_) => return,
                Err(why) => return self.fail(why),
            };
            let rest = self.heard.split_off(length);
            let message = core::mem::replace(&mut self.heard, rest);
            self.hear_message(&message);
        }
    }

    fn hear_message(&mut self, message: &[u8]) {
        self.messages = self.messages.saturating_add(1);
        if self.messages > MESSAGES_MAX {
            return self.fail("it answers without end");
        }
        match pdu::read(message) {
            Some(Pdu::Login(response)) => self.hear_response(&response),
            Some(Pdu::Reject(number)) => {
                let why = pdu::reason(number);
                self.fail(&format!("it rejects the login: {why}"));
            }
            Some(Pdu::Async) => {}
            Some(Pdu::Other(kind)) => {
                self.fail(&format!(
                    "it sends what belongs to no login: type {kind:#x}"
                ));
            }
            None => self.fail("it answers what is no message of a login"),
        }
    }

    fn hear_response(&mut self, response: &Response) {
        self.list.extend_from_slice(response.text);
        if self.list.len() > text::LONGEST {
            return self.fail("it says too much at once");
        }
        let list = match response.more {
            true => Vec::new(),
            false => core::mem::take(&mut self.list),
        };
        let pairs = match text::read(&list) {
            Ok(pairs) => pairs,
            Err(why) => return self.fail(why),
        };
        match status::read(response.status) {
            Status::Fine => {}
            Status::Moved => return self.moved(&pairs),
            Status::Refused(errno, why) => return self.refused(errno, why),
        }
        if let Err(why) = self.check(response) {
            return self.fail(why);
        }
        self.agreed.exp_stat_sn = response.stat_sn.wrapping_add(1);
        self.agreed.tsih = response.tsih;
        if response.more {
            // Nothing is said to half a list; what was said before stays said.
            return self.send(self.ready, List::default());
        }
        if let Err(why) = self.agreed.hear(&pairs, &mut self.answers) {
            return self.fail(&why);
        }
        match &self.at {
            At::Silent => {}
            At::Security(_) => self.hear_security(&pairs, response.transit.is_some()),
            At::Operational => self.hear_operational(response.transit.is_some()),
        }
    }

    /// Does it answer what was said?
    fn check(&self, response: &Response) -> Result<(), &'static str> {
        let next = response.transit;
        if response.version != 0 || response.tag != 0 {
            Err("it answers what was not said")
        } else if response.stage != self.stage() {
            Err("it is in another stage of the login")
        } else if next.is_some() && (!self.ready || next != Some(self.stage().next())) {
            Err("it goes on to a stage that is not next")
        } else if next.is_some() && response.more {
            Err("it goes on to the next stage in the middle of what it says")
        } else {
            Ok(())
        }
    }

    fn stage(&self) -> Stage {
        match self.at {
            At::Security(_) => Stage::Security,
            _ => Stage::Operational,
        }
    }

    fn begin_operational(&mut self) {
        self.at = At::Operational;
        let mut list = List::default();
        negotiated::offer(&mut list);
        self.send(true, list);
    }

    fn hear_operational(&mut self, transit: bool) {
        if !transit {
            return self.send(true, List::default());
        }
        if !self.heard.is_empty() {
            return self.fail("it says more than belongs to the login");
        }
        self.agreed.settle();
        self.at = At::Silent;
        let agreed = Box::new(core::mem::take(&mut self.agreed));
        self.out.push(Step::Done(agreed));
    }

    fn send(&mut self, ready: bool, mut list: List) {
        self.ready = ready;
        list.0.append(&mut self.answers.0);
        let request = Request {
            stage: self.stage(),
            transit: ready,
            isid: self.agreed.isid,
            tag: 0,
            cmd_sn: self.agreed.cmd_sn,
            exp_stat_sn: self.agreed.exp_stat_sn,
            text: &list.0,
        };
        self.out.push(Step::Send(request.bytes()));
    }

    fn moved(&mut self, pairs: &Pairs) {
        let told = text::find(pairs, "TargetAddress").unwrap_or_default();
        let shown = told.as_bytes();
        let shown = Text::from(shown.get(..TEXT_SHOWN).unwrap_or(shown));
        match Address::parse(told) {
            None => self.fail(&format!("it has moved to no address: \"{shown}\"")),
            Some(address) if self.options.moves >= MOVES_MAX => {
                self.fail(&format!("it moves on and on, now to {address}"));
            }
            Some(address) => {
                self.at = At::Silent;
                self.out.push(Step::Moved(address));
            }
        }
    }

    fn hear_end(&mut self) {
        let why = match (&self.at, self.messages) {
            (_, 0) => "it closes the connection at once: it may not want this machine",
            (At::Security(_), _) => "it closes the connection during the authentication",
            _ => "it closes the connection during the login",
        };
        self.refused(ECONNRESET, why);
    }

    fn about(&self, why: &str) -> String {
        let Options { server, target, .. } = &self.options;
        format!("iSCSI target {target} at {server}: {why}")
    }

    fn fail(&mut self, why: &str) {
        self.refused(EPROTO, why);
    }

    fn refused(&mut self, errno: i32, why: &str) {
        self.at = At::Silent;
        let text = self.about(why);
        self.out.push(Step::Failed(Fault::new(errno, text)));
    }
}

#[cfg(test)]
mod tests;
