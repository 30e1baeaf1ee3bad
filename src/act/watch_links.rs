//! News of links and addresses as they come, for a loop that waits for many things.
//!
//! What is there before is not news: [`links::list`](super::links::list), after this is open.

use crate::base::fault::Fault;
use crate::format::netlink::message::Messages;
use crate::format::netlink::{News, group, news};
use crate::sys::netlink::{LONGEST, Protocol, Received, Socket};
use std::os::fd::{AsFd, BorrowedFd};

/// What one look gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There may be more.
    Something,
    Nothing,
    /// News were lost: everything is to be listed again.
    Overflow,
}

pub struct Watch {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Watch {
    pub fn open() -> Result<Self, Fault> {
        let socket = Socket::open(Protocol::Route, None)?;
        for group in [group::LINK, group::IPV4_ADDRESS, group::IPV6_ADDRESS] {
            socket.join(group)?;
        }
        Ok(Self {
            socket,
            buffer: vec![0; LONGEST],
        })
    }

    /// Takes one datagram, without waiting, and tells what is in it.
    pub fn look(&mut self, tell: &mut dyn FnMut(News)) -> Result<Heard, Fault> {
        let length = match self.socket.receive(&mut self.buffer)? {
            Received::Message(length) => length,
            Received::Foreign => return Ok(Heard::Something),
            Received::Nothing => return Ok(Heard::Nothing),
            Received::Overflow => return Ok(Heard::Overflow),
        };
        let datagram = self.buffer.get(..length).unwrap_or_default();
        for message in Messages(datagram) {
            if let Some(news) = news(&message) {
                tell(news);
            }
        }
        Ok(Heard::Something)
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
