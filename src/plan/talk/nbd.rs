//! The handshake with an NBD server, until the kernel can have the connection.
//!
//! # One conversation
//! The greeting; `GO` with the export's name, and the question for its block sizes; the answer, in
//! pieces. A server that does not know `GO` is asked by `EXPORT_NAME`, which it answers with the
//! export, or by closing the connection. Where there is no export of this name, the fault says
//! which there are.
//!
//! # Bytes, not packets
//! What arrives may be cut anywhere. Never more than one answer is held, and what is longer than
//! an answer can be ends the conversation, as does whatever is not as the document has it, too many
//! answers, and a server that takes longer than [`PATIENCE_MS`] for all of it. Behind the last byte
//! of the handshake a server says nothing until the kernel asks: more is a fault, since the kernel
//! would miss it.

use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::{Joined, Text};
use crate::format::nbd::greeting::{self, Greeting};
use crate::format::nbd::reply::{self, Info, Kind, Refusal, Reply};
use crate::format::nbd::{BlockSizes, Export, Flags, NAME_MAX, option};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// How long a server has for the whole handshake, in milliseconds: three answers. Some open the
/// export only then, from tape or over a network of their own.
pub const PATIENCE_MS: u64 = 30_000;

/// Answers to one option. The document knows five pieces of information.
const ANSWERS_MAX: usize = 64;

/// Exports that a fault names, and of how many bytes of each.
const NAMED_MAX: usize = 8;
const NAME_SHOWN: usize = 64;

/// What a server says of a refusal is shown up to here, in bytes.
const TEXT_SHOWN: usize = 256;

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Bytes(&'a [u8]),
    /// The server will say no more.
    Closed,
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// The connection is the kernel's from now on.
    Done(Export),
    /// The connection is to be closed.
    Failed(Fault),
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// As a fault shall name it.
    pub server: String,
    /// Empty: the server's default.
    pub export: String,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Before the start, or after the end.
    Silent,
    Greeting,
    /// `GO` was sent.
    Going {
        export: Option<(u64, Flags)>,
        blocks: BlockSizes,
    },
    /// `EXPORT_NAME` was sent.
    Naming,
    /// `LIST` was sent: there is no such export.
    Listing,
}

/// What follows one answer: the next, or nothing until more is heard.
enum Turn {
    On,
    Wait,
}

pub struct Handshake {
    options: Options,
    until: Millis,
    stage: Stage,
    no_zeroes: bool,
    /// What no answer was read from yet.
    heard: Vec<u8>,
    answers: usize,
    /// Exports that there are instead.
    names: Vec<String>,
    out: Vec<Step>,
}

impl Handshake {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            until: Millis(0),
            stage: Stage::Silent,
            no_zeroes: false,
            heard: Vec::new(),
            answers: 0,
            names: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Begins, on a connection that is there. The server speaks first.
    pub fn start(&mut self, now: Millis) -> Vec<Step> {
        self.until = now.plus(PATIENCE_MS);
        self.stage = Stage::Greeting;
        if self.options.export.len() > NAME_MAX {
            let most = format!("the name of the export is longer than {NAME_MAX} bytes");
            self.fail(&most);
        }
        core::mem::take(&mut self.out)
    }

    pub fn hear(&mut self, now: Millis, heard: Heard<'_>) -> Vec<Step> {
        if self.deadline().is_some() {
            match heard {
                Heard::Bytes(bytes) => self.hear_bytes(bytes),
                Heard::Closed => self.hear_end(),
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
        match self.stage {
            Stage::Silent => None,
            _ => Some(self.until),
        }
    }

    /// The end, because the caller waits no longer: why there is no export.
    pub fn give_up(&mut self) -> Fault {
        let text = match self.stage {
            Stage::Listing => self.unknown(""),
            Stage::Silent | Stage::Greeting => self.about("it does not greet"),
            _ => self.about("it does not answer"),
        };
        self.stage = Stage::Silent;
        Fault::plain(text)
    }

    fn hear_bytes(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        let heard = core::mem::take(&mut self.heard);
        let mut rest = heard.as_slice();
        // Each turn takes bytes, or moves on to the next stage, or waits.
        while let Turn::On = self.turn(&mut rest) {}
        self.heard = rest.to_vec();
    }

    /// One answer, taken off `rest`.
    fn turn(&mut self, rest: &mut &[u8]) -> Turn {
        match self.stage {
            Stage::Silent => Turn::Wait,
            Stage::Greeting => match greeting::read(rest) {
                Some(greeting) => self.greeted(greeting, rest),
                None => Turn::Wait,
            },
            Stage::Naming => match reply::export(rest, self.no_zeroes) {
                Some((size, flags, length)) => {
                    *rest = rest.get(length..).unwrap_or_default();
                    self.finish(Some((size, flags)), BlockSizes::default(), rest)
                }
                None => Turn::Wait,
            },
            Stage::Going { .. } | Stage::Listing => match reply::read(rest) {
                Ok(Some((reply, length))) => {
                    *rest = rest.get(length..).unwrap_or_default();
                    self.answered(reply, rest)
                }
                Ok(None) => Turn::Wait,
                Err(why) => self.fail(why),
            },
        }
    }

    fn greeted(&mut self, greeting: Greeting, rest: &mut &[u8]) -> Turn {
        let (fixed, no_zeroes) = match greeting {
            Greeting::Newstyle { fixed, no_zeroes } => (fixed, no_zeroes),
            Greeting::Oldstyle => {
                return self.fail("it speaks the oldstyle handshake, which is not supported");
            }
            Greeting::Foreign => return self.foreign(rest),
        };
        *rest = rest.get(greeting::LENGTH..).unwrap_or_default();
        self.no_zeroes = no_zeroes;
        let flags = greeting::client_flags(fixed, no_zeroes);
        let (stage, asked) = match fixed {
            true => (going(), option::go(&self.options.export)),
            false => (Stage::Naming, option::export_name(&self.options.export)),
        };
        self.stage = stage;
        self.out.push(Step::Send([&flags[..], &asked].concat()));
        Turn::On
    }

    fn answered(&mut self, reply: Reply<'_>, rest: &[u8]) -> Turn {
        let asked = match self.stage {
            Stage::Listing => option::LIST,
            _ => option::GO,
        };
        self.answers = self.answers.saturating_add(1);
        if reply.option != asked {
            return self.fail("it answers what was not asked");
        }
        if self.answers > ANSWERS_MAX {
            return self.fail("it answers without end");
        }
        match (self.stage, reply.kind) {
            (Stage::Going { export, blocks }, Kind::Info) => {
                self.stage = match reply::info(reply.data) {
                    None => return self.fail("what it says of the export is cut off"),
                    Some(Info::Export(size, flags)) => Stage::Going {
                        export: Some((size, flags)),
                        blocks,
                    },
                    Some(Info::BlockSizes(blocks)) => Stage::Going { export, blocks },
                    Some(Info::Other) => self.stage,
                };
                Turn::On
            }
            (Stage::Going { export, blocks }, Kind::Ack) => self.finish(export, blocks, rest),
            (Stage::Going { .. }, Kind::Refused(why)) => self.refused(why, reply.data),
            (Stage::Listing, Kind::Server) => self.listed(reply.data),
            (Stage::Listing, Kind::Ack | Kind::Refused(_)) => {
                let text = self.unknown("");
                self.fail_with(text)
            }
            // Of a later document: it cannot be what decides.
            _ => Turn::On,
        }
    }

    /// `GO` was refused.
    fn refused(&mut self, why: Refusal, data: &[u8]) -> Turn {
        let why = match why {
            Refusal::Unsupported => {
                self.stage = Stage::Naming;
                let asked = option::export_name(&self.options.export);
                self.out.push(Step::Send(asked));
                return Turn::On;
            }
            Refusal::Unknown => {
                self.stage = Stage::Listing;
                self.answers = 0;
                self.out.push(Step::Send(option::list()));
                return Turn::On;
            }
            Refusal::Policy => "it may not be had by this machine",
            Refusal::TlsRequired => "it may be had by TLS only, which is not supported",
            Refusal::ShuttingDown => "the server is shutting down",
            Refusal::Platform => "the server's system cannot do it",
            Refusal::Invalid | Refusal::TooBig => "the server takes the request for a wrong one",
            Refusal::BlockSizeRequired => "the server insists on block sizes it does not tell",
            Refusal::Other => "for a reason that is not known here",
        };
        let said = match data.get(..TEXT_SHOWN).unwrap_or(data) {
            [] => String::new(),
            said => format!(" (it says: {})", Text::from(said)),
        };
        let export = self.export();
        self.fail(&format!("it refuses {export}: {why}{said}"))
    }

    /// One more export that there is.
    fn listed(&mut self, data: &[u8]) -> Turn {
        if self.names.len() >= NAMED_MAX {
            let text = self.unknown(" and more");
            return self.fail_with(text);
        }
        let Some(name) = reply::export_name(data) else {
            let text = self.unknown("");
            return self.fail_with(text);
        };
        self.names.push(match name.get(..NAME_SHOWN) {
            Some(start) if name.len() > NAME_SHOWN => format!("{}…", Text::from(start)),
            _ if name.is_empty() => "\"\"".into(),
            _ => Text::from(name).to_string(),
        });
        Turn::On
    }

    /// The server is through.
    fn finish(&mut self, export: Option<(u64, Flags)>, blocks: BlockSizes, rest: &[u8]) -> Turn {
        let Some((size, flags)) = export else {
            return self.fail("it does not say how large the export is");
        };
        let export = Export {
            size,
            flags,
            blocks,
        };
        if !rest.is_empty() {
            return self.fail("it says more than belongs to the handshake");
        }
        if !blocks.are_possible() {
            let (least, most) = (blocks.minimum, blocks.maximum);
            return self.fail(&format!(
                "its blocks are of an impossible size: from {least} to {most} bytes"
            ));
        }
        if export.whole_blocks(export.logical_block(None)) == 0 || i64::try_from(size).is_err() {
            let name = self.export();
            return self.fail(&format!("{name} has an impossible size of {size} bytes"));
        }
        self.stage = Stage::Silent;
        self.out.push(Step::Done(export));
        Turn::Wait
    }

    /// The server closed the connection: nobody is there to be told of the end.
    fn hear_end(&mut self) {
        let export = self.export();
        let text = match self.stage {
            Stage::Listing => self.unknown(""),
            Stage::Silent | Stage::Greeting => self
                .about("it closes the connection before it greets: it may not want this machine"),
            Stage::Going { .. } => {
                self.about(&format!("it closes the connection when asked for {export}"))
            }
            Stage::Naming => self.about(&format!(
                "it closes the connection when asked for {export}: there is none, or it may not be \
                 had"
            )),
        };
        self.stage = Stage::Silent;
        self.fail_with(text);
    }

    fn foreign(&mut self, heard: &[u8]) -> Turn {
        let start = Text::from(heard.get(..8).unwrap_or(heard));
        self.fail(&format!("it is none: it begins with \"{start}\""))
    }

    fn export(&self) -> String {
        match self.options.export.as_str() {
            "" => "its default export".into(),
            name => format!("export {}", Text::from(name)),
        }
    }

    /// There is no such export. `more`: what follows the names of those that there are.
    fn unknown(&self, more: &str) -> String {
        let name = match self.options.export.as_str() {
            "" => "default export".into(),
            name => format!("export {}", Text::from(name)),
        };
        let there = match self.names.joined(", ") {
            names if names.is_empty() => String::new(),
            names => format!(": there are {names}{more}"),
        };
        self.about(&format!("it has no {name}{there}"))
    }

    fn about(&self, why: &str) -> String {
        format!("NBD server {}: {why}", self.options.server)
    }

    fn fail(&mut self, why: &str) -> Turn {
        let text = self.about(why);
        self.fail_with(text)
    }

    /// The end. Who can hear it is told.
    fn fail_with(&mut self, text: String) -> Turn {
        if matches!(self.stage, Stage::Going { .. } | Stage::Listing) {
            self.out.push(Step::Send(option::abort()));
        }
        self.stage = Stage::Silent;
        self.out.push(Step::Failed(Fault::plain(text)));
        Turn::Wait
    }
}

/// `GO` was sent, and nothing is known yet.
fn going() -> Stage {
    Stage::Going {
        export: None,
        blocks: BlockSizes::default(),
    }
}

#[cfg(test)]
mod tests;
