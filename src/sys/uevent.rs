//! The kernel's device announcements. netlink(7), `NETLINK_KOBJECT_UEVENT`, linux/netlink.h.

use super::fail::{Fail, Outcome};
use super::netlink;
pub use super::netlink::Received;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// Multicast group 1: the kernel. (Group 2 is udev's.)
const KERNEL_GROUP: u32 = 1;

/// Room for the bursts of a large machine while a slow step runs: about 10,000 messages.
const RECEIVE_BUFFER: usize = 16 << 20;

/// Longest message taken; the kernel's are at most 2 KiB and a path.
pub const LONGEST: usize = 8192;

pub struct Listener(OwnedFd);

impl Listener {
    /// Everything the kernel announces from now on is queued here.
    pub fn open() -> Outcome<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(KOBJECT_UEVENT),
        )
        .map_err(Fail::of("socket", &"uevent"))?;
        // Without privilege the ordinary limit applies: overflow is then only more likely.
        if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
            let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
        }
        let address = SocketAddrNetlink::new(0, KERNEL_GROUP);
        bind(&socket, &address).map_err(Fail::of("bind", &"uevent"))?;
        Ok(Self(socket))
    }

    /// Takes one message, without waiting. One that is too long is [`Received::Foreign`].
    pub fn receive(&self, buffer: &mut [u8]) -> Outcome<Received> {
        netlink::receive(self.as_fd(), "uevent", buffer, Received::Foreign)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_kernel_is_an_empty_queue() {
        let listener = Listener::open().unwrap();
        let mut buffer = [0; LONGEST];
        // Other programs may cause events at any time: drain, then nothing is left.
        for _ in 0..10_000 {
            match listener.receive(&mut buffer).unwrap() {
                Received::Nothing => return,
                Received::Message(length) => assert!(length > 0),
                Received::Foreign | Received::Overflow => {}
            }
        }
        panic!("the queue never became empty");
    }
}
