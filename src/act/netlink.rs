//! Asks the kernel over netlink, and waits for the end of each answer.
//!
//! For worker processes and short requests; and [`News`], that nobody asked for.

use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::netlink::ack::{self, Answer, End};
use crate::format::netlink::message::{Message, Messages};
use crate::format::netlink::request::Request;
use crate::sys::fail::{Fail, sentence};
use crate::sys::netlink::{LONGEST, Protocol, Received, Socket};
use std::fmt::Display;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The kernel answers within the call; more is a broken driver.
const WAIT_MS: u64 = 5000;

/// How often a list is asked for that changes while it is told.
const TRIES: u32 = 8;

/// Longest list taken, in bytes: some thousands of links or routes.
const MOST_BYTES: usize = 4 << 20;

/// What one look for news gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There may be more.
    Something,
    Nothing,
    /// News were lost: everything is to be listed again.
    Overflow,
}

/// News that nobody asked for, for a loop that waits for many things.
pub struct News {
    socket: Socket,
    buffer: Vec<u8>,
}

impl News {
    pub fn of(protocol: Protocol, groups: &[u32]) -> Result<Self, Fault> {
        let socket = Socket::open(protocol, None)?;
        for group in groups {
            socket.join(*group)?;
        }
        let buffer = vec![0; LONGEST];
        Ok(Self { socket, buffer })
    }

    /// Takes one datagram, without waiting, and tells the messages in it.
    ///
    /// # Errors
    /// The socket does not work any more.
    pub fn look(&mut self, tell: &mut dyn FnMut(&Message<'_>)) -> Result<Look, Fault> {
        let length = match self.socket.receive(&mut self.buffer)? {
            Received::Message(length) => length,
            Received::Foreign => return Ok(Look::Something),
            Received::Nothing => return Ok(Look::Nothing),
            Received::Overflow => return Ok(Look::Overflow),
        };
        let datagram = self.buffer.get(..length).unwrap_or_default();
        Messages(datagram).for_each(|message| tell(&message));
        Ok(Look::Something)
    }
}

impl From<OwnedFd> for News {
    fn from(socket: OwnedFd) -> Self {
        let (socket, buffer) = (socket.into(), vec![0; LONGEST]);
        Self { socket, buffer }
    }
}

impl AsFd for News {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// One socket, one request at a time.
pub struct Conversation {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// What the kernel did not do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub errno: i32,
    /// The kernel's own words. Empty: none.
    pub said: Text,
}

/// What came so far.
#[derive(Default)]
struct Heard {
    datagrams: Vec<u8>,
    /// The list changed while it was told: it is not to be trusted.
    changed: bool,
    ended: bool,
}

impl Conversation {
    pub fn open(protocol: Protocol) -> Result<Self, Fault> {
        Ok(Self {
            socket: Socket::open(protocol, Some(WAIT_MS))?,
            sequence: 0,
            buffer: vec![0; LONGEST],
        })
    }

    /// Sends it and waits for its end: the messages that came before it, as they came.
    pub fn ask(&mut self, request: &Request) -> Result<Vec<u8>, Refusal> {
        for _ in 0..TRIES {
            self.sequence = self.sequence.wrapping_add(1);
            self.socket.send(&request.message(self.sequence))?;
            let mut heard = Heard::default();
            while !heard.ended {
                self.hear(&mut heard)?;
            }
            if !heard.changed {
                return Ok(heard.datagrams);
            }
        }
        Err(Refusal::plain(libc::EINTR))
    }

    /// The same for what has no answer but its end. `what`: what is tried on which link.
    pub fn order(&mut self, request: &Request, what: &dyn Display) -> Result<(), Fault> {
        self.ask(request)
            .map_err(|refusal| refusal.fault(what, ""))?;
        Ok(())
    }

    /// Takes one datagram. A list is heard to its end in any case: the kernel tells one at a time.
    fn hear(&mut self, heard: &mut Heard) -> Result<(), Refusal> {
        let length = match self.socket.receive(&mut self.buffer)? {
            Received::Message(length) => length,
            Received::Foreign => return Ok(()),
            Received::Nothing => return Err(Refusal::plain(libc::ETIMEDOUT)),
            Received::Overflow => return Err(Refusal::plain(libc::ENOBUFS)),
        };
        let datagram = self.buffer.get(..length).unwrap_or_default();
        // Others are the rest of what was given up before.
        let ours = |message: &Message| message.sequence == self.sequence;
        for message in Messages(datagram).filter(ours) {
            heard.changed |= message.interrupted();
            match ack::read(&message) {
                Answer::End(End { errno: 0, .. }) => heard.ended = true,
                Answer::End(End { errno, said }) => return Err(Refusal { errno, said }),
                Answer::Item | Answer::Other => {}
            }
        }
        if Messages(datagram).any(|message| ours(&message)) {
            heard.datagrams.extend_from_slice(datagram);
        }
        match heard.datagrams.len() {
            0..=MOST_BYTES => Ok(()),
            _ => Err(Refusal::plain(libc::EMSGSIZE)),
        }
    }
}

impl Refusal {
    fn plain(errno: i32) -> Self {
        let said = Text::default();
        Self { errno, said }
    }

    /// `what`: what was tried; `advice`: what helps, behind a colon, or nothing.
    pub fn fault(&self, what: &dyn Display, advice: &str) -> Fault {
        let (errno, said) = (self.errno, &self.said);
        let comma = if said.0.is_empty() { "" } else { ", " };
        let why = sentence(errno);
        let text = format!("{what}: {why} ({errno}){comma}{said}{advice}");
        Fault::new(errno, text)
    }
}

impl From<Fail> for Refusal {
    fn from(fail: Fail) -> Self {
        Self::plain(fail.errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::netlink::{News, link, news};

    #[test]
    fn each_answer_belongs_to_its_question() {
        let mut kernel = Conversation::open(Protocol::Route).unwrap();
        for _ in 0..3 {
            let answer = kernel.ask(&link::list()).unwrap();
            let links = Messages(&answer).filter_map(|message| news(&message));
            let loopback = |news: &News| matches!(news, News::Link(l) if l.is_loopback());
            assert_eq!(links.filter(loopback).count(), 1);
            let refusal = kernel.ask(&link::switch(0x7fff_fff0, true)).unwrap_err();
            assert!(matches!(refusal.errno, libc::ENODEV | libc::EPERM));
        }
    }

    #[test]
    fn a_refusal_is_told_with_the_kernels_words() {
        let refusal = Refusal {
            errno: libc::EINVAL,
            said: Text::from("mtu greater than device maximum"),
        };
        let fault = refusal.fault(
            &"set the MTU of eth0 to 70000 bytes",
            ": choose a smaller one",
        );
        let text = "set the MTU of eth0 to 70000 bytes: Invalid argument (22), \
                    mtu greater than device maximum: choose a smaller one";
        assert_eq!((fault.errno, fault.text.as_str()), (libc::EINVAL, text));
        let fault = Refusal::plain(libc::EPERM).fault(&"raise eth0", "");
        assert_eq!(fault.text, "raise eth0: Operation not permitted (1)");
    }
}
