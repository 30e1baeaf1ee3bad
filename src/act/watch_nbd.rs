//! News of broken connections of network block devices, for a loop that waits for many things.
//!
//! Each may be told more than once, and one that broke before this was open is not told: a device
//! whose connections all work is not harmed by being connected again. What then is to be done:
//! `attach_nbd`.

use super::attach_nbd::family;
use super::netlink::{Conversation, Look, News};
use crate::base::fault::Fault;
use crate::format::nbd::device::{self, FAMILY, GROUP};
use crate::format::netlink::generic::Family;
use crate::sys::netlink::Protocol;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub struct Watch {
    news: News,
    family: Family,
}

impl Watch {
    /// # Errors
    /// The driver is not there.
    pub fn open() -> Result<Self, Fault> {
        let family = driver()?;
        let group = family.group(GROUP);
        let group = group.ok_or_else(|| {
            Fault::plain("the kernel's driver nbd does not tell of broken connections")
        })?;
        let news = News::of(Protocol::Generic, &[group])?;
        Ok(Self { news, family })
    }

    /// One that another process opened.
    ///
    /// # Errors
    /// The driver is not there.
    pub fn passed_on(socket: OwnedFd) -> Result<Self, Fault> {
        let news = socket.into();
        let family = driver()?;
        Ok(Self { news, family })
    }

    /// Takes one datagram, without waiting, and tells the number of the device in it.
    ///
    /// # Errors
    /// The socket does not work any more.
    pub fn look(&mut self, tell: &mut dyn FnMut(u32)) -> Result<Look, Fault> {
        let Self { news, family } = self;
        news.look(&mut |message| {
            device::dead_link(message, family)
                .into_iter()
                .for_each(&mut *tell);
        })
    }
}

fn driver() -> Result<Family, Fault> {
    family(&mut Conversation::open(Protocol::Generic)?, FAMILY)
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }
}
