//! News of broken connections of network block devices, for a loop that waits for many things.
//!
//! Each may be told more than once, and one that broke before this was open is not told: a device
//! whose connections all work is not harmed by being connected again. What then is to be done:
//! `attach_nbd`.

use super::attach_nbd::family;
use super::netlink::Conversation;
use super::watch_links::Heard;
use crate::base::fault::Fault;
use crate::format::nbd::device::{self, FAMILY, GROUP};
use crate::format::netlink::generic::Family;
use crate::format::netlink::message::Messages;
use crate::sys::netlink::{Protocol, Received, Socket};
use std::os::fd::{AsFd, BorrowedFd};

/// A message of the driver is 28 bytes.
const ROOM: usize = 4096;

pub struct Watch {
    socket: Socket,
    family: Family,
    buffer: Vec<u8>,
}

impl Watch {
    /// # Errors
    /// The driver is not there.
    pub fn open() -> Result<Self, Fault> {
        let family = family(&mut Conversation::open(Protocol::Generic)?, FAMILY)?;
        let group = family.group(GROUP);
        let group = group.ok_or_else(|| {
            Fault::plain("the kernel's driver nbd does not tell of broken connections")
        })?;
        let socket = Socket::open(Protocol::Generic, None)?;
        socket.join(group)?;
        Ok(Self {
            socket,
            family,
            buffer: vec![0; ROOM],
        })
    }

    /// Takes one datagram, without waiting, and tells the number of the device in it.
    ///
    /// # Errors
    /// The socket does not work any more.
    pub fn look(&mut self, tell: &mut dyn FnMut(u32)) -> Result<Heard, Fault> {
        let length = match self.socket.receive(&mut self.buffer)? {
            Received::Message(length) => length,
            Received::Foreign => return Ok(Heard::Something),
            Received::Nothing => return Ok(Heard::Nothing),
            Received::Overflow => return Ok(Heard::Overflow),
        };
        let datagram = self.buffer.get(..length).unwrap_or_default();
        for message in Messages(datagram) {
            if let Some(index) = device::dead_link(&message, &self.family) {
                tell(index);
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
