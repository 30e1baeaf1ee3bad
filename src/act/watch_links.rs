//! News of links, addresses and routers as they come, for a loop that waits for many things.
//!
//! What is there before is not news: [`links::list`](super::links::list), after this is open.

use super::netlink;
use crate::base::fault::Fault;
use crate::format::netlink::{News, group, news};
use crate::sys::netlink::Protocol;
use std::os::fd::{AsFd, BorrowedFd};

pub use netlink::Look as Heard;

pub struct Watch(netlink::News);

impl Watch {
    pub fn open() -> Result<Self, Fault> {
        let groups = [
            group::LINK,
            group::IPV4_ADDRESS,
            group::IPV6_ADDRESS,
            group::IPV6_LINK,
            group::ROUTER_OPTION,
        ];
        netlink::News::of(Protocol::Route, &groups).map(Self)
    }

    /// Takes one datagram, without waiting, and tells what is in it.
    pub fn look(&mut self, tell: &mut dyn FnMut(News)) -> Result<Heard, Fault> {
        self.0
            .look(&mut |message| news(message).into_iter().for_each(&mut *tell))
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
