//! Messages to the kernel and from it. netlink(7), linux/netlink.h.
//!
//! Bytes only: what they mean, `format::netlink` knows.

use super::fail::{Fail, Outcome};
use super::socket_option::set_number;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::netlink::{GENERIC, ISCSI, SocketAddrNetlink};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind, recvfrom, sendto, socket_with};
use std::time::Duration;

/// Room for any datagram of a list: the kernel fills up to 32 KiB of it (net/netlink/af_netlink.c).
pub const LONGEST: usize = 32 << 10;

/// Room for news that come while a slow step runs.
const RECEIVE_BUFFER: usize = 1 << 20;

const SOL_NETLINK: libc::c_int = 270;
const NETLINK_ADD_MEMBERSHIP: libc::c_int = 1;
const NETLINK_EXT_ACK: libc::c_int = 11;
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

/// Whom in the kernel a socket talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes.
    Route,
    /// Families that have a name: nbd, ….
    Generic,
    Iscsi,
}

/// What one look at a socket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A datagram of the kernel: the first `n` bytes of the buffer.
    Message(usize),
    /// Something else, to be ignored: not from the kernel.
    Foreign,
    /// Nothing there.
    Nothing,
    /// Messages were lost: what happened in between is unknown.
    Overflow,
}

pub struct Socket(OwnedFd);

impl Socket {
    /// `wait_ms`: how long [`Socket::receive`] waits for a message; `None`: not at all.
    /// `EPROTONOSUPPORT`: the kernel has no such protocol, or its module is not loaded.
    pub fn open(protocol: Protocol, wait_ms: Option<u64>) -> Outcome<Self> {
        let number = match protocol {
            Protocol::Route => None,
            Protocol::Generic => Some(GENERIC),
            Protocol::Iscsi => Some(ISCSI),
        };
        let mut flags = SocketFlags::CLOEXEC;
        flags.set(SocketFlags::NONBLOCK, wait_ms.is_none());
        let kind = SocketType::RAW;
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, number)
            .map_err(Fail::of("socket", &"netlink"))?;
        // Zero would be: for ever.
        let wait = wait_ms.map(|ms| Duration::from_millis(ms.max(1)));
        sockopt::set_socket_timeout(&socket, Timeout::Recv, wait)
            .map_err(Fail::of("setsockopt", &"netlink"))?;
        if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
            let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
        }
        // Reasons in words (Linux 4.12), and no guessing at what is asked for (4.20).
        for option in [NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK] {
            let _ = set_number(&socket, SOL_NETLINK, option, 1);
        }
        bind(&socket, &SocketAddrNetlink::new(0, 0)).map_err(Fail::of("bind", &"netlink"))?;
        Ok(Self(socket))
    }

    /// What is told to this group is received from now on, besides answers.
    pub fn join(&self, group: u32) -> Outcome<()> {
        let number = group.cast_signed();
        set_number(&self.0, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, number)
    }

    /// Sends one datagram to the kernel.
    pub fn send(&self, message: &[u8]) -> Outcome<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        loop {
            match sendto(&self.0, message, SendFlags::empty(), &kernel) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Fail::of("sendto", &"netlink")(errno)),
            }
        }
    }

    /// Takes one datagram. One that is longer than the buffer is [`Received::Overflow`].
    pub fn receive(&self, buffer: &mut [u8]) -> Outcome<Received> {
        receive(self.as_fd(), "netlink", buffer, Received::Overflow)
    }
}

impl From<OwnedFd> for Socket {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `too_long`: what a datagram is that does not fit into the buffer.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    what: &'static str,
    buffer: &mut [u8],
    too_long: Received,
) -> Outcome<Received> {
    loop {
        match recvfrom(socket, &mut *buffer, RecvFlags::TRUNC) {
            Ok((taken, length, from)) => {
                let sender = from.and_then(|from| SocketAddrNetlink::try_from(from).ok());
                return Ok(match sender.map(|sender| sender.pid()) {
                    Some(0) if length <= taken => Received::Message(taken),
                    Some(0) => too_long,
                    _ => Received::Foreign,
                });
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(Errno::NOBUFS) => return Ok(Received::Overflow),
            Err(errno) => return Err(Fail::of("recvfrom", &what)(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `RTM_GETLINK` of everything: header and `struct ifinfomsg`.
    fn list_of_links() -> Vec<u8> {
        let mut message = vec![0; 32];
        message[0] = 32;
        message[4] = 18;
        message[6..8].copy_from_slice(&0x301u16.to_ne_bytes());
        message
    }

    #[test]
    fn a_list_comes_and_ends() {
        for wait_ms in [None, Some(5000)] {
            let socket = Socket::open(Protocol::Route, wait_ms).unwrap();
            socket.send(&list_of_links()).unwrap();
            let mut buffer = vec![0; LONGEST];
            let first = socket.receive(&mut buffer).unwrap();
            assert!(matches!(first, Received::Message(n) if n > 32), "{first:?}");
            // The first message is of the loopback link: RTM_NEWLINK.
            assert_eq!(buffer[4], 16);
        }
    }

    #[test]
    fn silence_ends_when_the_time_is_over() {
        for wait_ms in [None, Some(0), Some(20)] {
            let socket = Socket::open(Protocol::Route, wait_ms).unwrap();
            assert_eq!(socket.receive(&mut [0; 64]).unwrap(), Received::Nothing);
        }
    }

    #[test]
    fn what_does_not_fit_is_told_as_lost() {
        let socket = Socket::open(Protocol::Route, Some(5000)).unwrap();
        socket.send(&list_of_links()).unwrap();
        assert_eq!(socket.receive(&mut [0; 64]).unwrap(), Received::Overflow);
    }

    #[test]
    fn groups_can_be_joined_that_exist() {
        let socket = Socket::open(Protocol::Generic, None).unwrap();
        socket.join(0x10).unwrap();
        assert_eq!(socket.join(u32::MAX).unwrap_err().errno, libc::EINVAL);
    }
}
