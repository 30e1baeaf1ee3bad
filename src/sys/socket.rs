//! Whole messages between our own processes. unix(7), `SOCK_SEQPACKET`.

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{accept_with, bind, connect, listen, recv, send, socket_with, sockopt};

/// Longest message either way: an answer with the kernel's log lines in it fits many times.
pub const LONGEST: usize = 64 << 10;

/// What one look at a socket gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    Message(Vec<u8>),
    /// Nothing there yet.
    Nothing,
    /// The other end is gone, and everything it sent was taken.
    Closed,
}

/// Two connected ends. A child keeps one, by closing the other.
pub fn pair() -> Outcome<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let (here, there) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(Fail::of("socketpair", &"-"))?;
    widen(&here);
    widen(&there);
    Ok((here, there))
}

/// Listens at `path`, which must not exist. Accepts without waiting.
pub fn listen_at(path: &str) -> Outcome<OwnedFd> {
    let address = SocketAddrUnix::new(path).map_err(Fail::of("bind", &path))?;
    let socket = new(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    bind(&socket, &address).map_err(Fail::of("bind", &path))?;
    // The kernel runs at most 50 modprobes at a time (MAX_KMOD_CONCURRENT, kernel/module/kmod.c).
    listen(&socket, 64).map_err(Fail::of("listen", &path))?;
    Ok(socket)
}

/// The next connection, if one waits. Blocking from then on.
pub fn accept(listener: impl AsFd) -> Outcome<Option<OwnedFd>> {
    loop {
        match accept_with(&listener, SocketFlags::CLOEXEC) {
            Ok(connection) => return Ok(Some(connection)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::CONNABORTED) => return Ok(None),
            Err(errno) => return Err(Fail::of("accept", &"-")(errno)),
        }
    }
}

pub fn connect_to(path: &str) -> Outcome<OwnedFd> {
    let address = SocketAddrUnix::new(path).map_err(Fail::of("connect", &path))?;
    let socket = new(SocketFlags::CLOEXEC)?;
    connect(&socket, &address).map_err(Fail::of("connect", &path))?;
    Ok(socket)
}

/// Sends one whole message. Never raises SIGPIPE.
pub fn send_message(socket: impl AsFd, message: &[u8]) -> Outcome<()> {
    send_with(socket, message, SendFlags::NOSIGNAL)
}

/// The same without waiting: `EAGAIN` when the other end does not read.
pub fn send_now(socket: impl AsFd, message: &[u8]) -> Outcome<()> {
    send_with(socket, message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

/// Waits for one message. Never [`Received::Nothing`], unless the socket does not block.
pub fn receive(socket: impl AsFd) -> Outcome<Received> {
    receive_with(socket, RecvFlags::empty())
}

/// Takes one message if there is one.
pub fn receive_now(socket: impl AsFd) -> Outcome<Received> {
    receive_with(socket, RecvFlags::DONTWAIT)
}

fn send_with(socket: impl AsFd, message: &[u8], flags: SendFlags) -> Outcome<()> {
    if message.is_empty() || message.len() > LONGEST {
        return Err(Fail::new("send", "message", libc::EMSGSIZE));
    }
    loop {
        match send(&socket, message, flags) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("send", &"message")(errno)),
        }
    }
}

/// A message that is longer than [`LONGEST`] is an error, not a shorter message.
fn receive_with(socket: impl AsFd, flags: RecvFlags) -> Outcome<Received> {
    // The first look learns the length: memory for a longest message costs more than a call.
    let mut message = vec![0];
    let mut more = RecvFlags::PEEK;
    loop {
        match recv(
            &socket,
            message.as_mut_slice(),
            flags | more | RecvFlags::TRUNC,
        ) {
            Ok((0, _)) | Err(Errno::CONNRESET) => return Ok(Received::Closed),
            Ok((_, length)) if length > LONGEST => {
                return Err(Fail::new("recv", "message", libc::EMSGSIZE));
            }
            Ok((_, length)) if more == RecvFlags::PEEK => {
                message.resize(length, 0);
                more = RecvFlags::empty();
            }
            Ok((taken, _)) => {
                message.truncate(taken);
                return Ok(Received::Message(message));
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(errno) => return Err(Fail::of("recv", &"message")(errno)),
        }
    }
}

fn new(flags: SocketFlags) -> Outcome<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(Fail::of("socket", &"unix"))
}

/// Room for a longest message and its overhead; the default is about 200 KiB, and less than
/// one message where an administrator set it low.
fn widen(socket: &OwnedFd) {
    if sockopt::set_socket_send_buffer_size_force(socket, 4 * LONGEST).is_err() {
        let _ = sockopt::set_socket_send_buffer_size(socket, 4 * LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_and_one_by_one() {
        let (here, there) = pair().unwrap();
        assert_eq!(receive_now(&here).unwrap(), Received::Nothing);
        let long = vec![b'x'; LONGEST];
        send_message(&there, b"one").unwrap();
        send_message(&there, &long).unwrap();
        drop(there);
        assert_eq!(receive(&here).unwrap(), Received::Message(b"one".to_vec()));
        assert_eq!(receive_now(&here).unwrap(), Received::Message(long));
        assert_eq!(receive(&here).unwrap(), Received::Closed);
        assert_eq!(send_message(&here, b"x").unwrap_err().errno, libc::EPIPE);
    }

    #[test]
    fn empty_and_overlong_messages_are_not_sent() {
        let (here, _there) = pair().unwrap();
        for message in [vec![], vec![0; LONGEST + 1]] {
            let refused = send_message(&here, &message).unwrap_err();
            assert_eq!(refused.errno, libc::EMSGSIZE);
        }
    }

    #[test]
    fn a_reader_that_sleeps_does_not_block_the_writer() {
        let (here, _there) = pair().unwrap();
        let message = vec![0; 4096];
        let refused = (0..10_000).find_map(|_| send_now(&here, &message).err());
        assert_eq!(refused.unwrap().errno, libc::EAGAIN);
    }
}
