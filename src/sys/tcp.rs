//! Connections that others keep: tcp(7), socket(7). Every wait has an end.

use super::clock::since_boot;
use super::fail::{Fail, Outcome};
use super::poll::timespec;
use crate::base::millis::Millis;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect as connect_socket, recv, send as send_bytes, socket_with, sockopt};
use std::net::SocketAddr;
use std::time::Duration;

/// When a connection on which nothing arrives any more counts as broken. Without one the kernel
/// asks after two hours, and gives up what it sent after a quarter of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchfulness {
    /// Seconds of silence until the other end is asked whether it is there (`TCP_KEEPIDLE`), and
    /// between questions (`TCP_KEEPINTVL`).
    pub idle_s: u32,
    pub interval_s: u32,
    /// Milliseconds without an answer, also to what was sent (`TCP_USER_TIMEOUT`).
    pub unanswered_ms: u32,
}

/// What one look at a connection gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The first `n` bytes of the buffer.
    Bytes(usize),
    /// Nothing, until the time was over.
    Nothing,
    /// The other end will say no more.
    Closed,
}

/// Connects within `wait_ms`, else `ETIMEDOUT`. Small messages are sent at once, and the other end
/// is asked now and then whether it is there: `watch` says how often.
pub fn connect(server: SocketAddr, wait_ms: u64, watch: Option<&Watchfulness>) -> Outcome<OwnedFd> {
    let until = since_boot().plus(wait_ms);
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)
        .map_err(Fail::of("socket", &server))?;
    set(&socket, watch).map_err(Fail::of("setsockopt", &server))?;
    let failed = |errno: Errno| Err(Fail::of("connect", &server)(errno));
    match connect_socket(&socket, &server) {
        Ok(()) => return Ok(socket),
        // Interrupted, it goes on by itself.
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(errno) => return failed(errno),
    }
    if !is_ready(socket.as_fd(), PollFlags::OUT, until)? {
        return failed(Errno::TIMEDOUT);
    }
    match sockopt::socket_error(&socket) {
        Ok(Ok(())) => Ok(socket),
        Ok(Err(errno)) | Err(errno) => failed(errno),
    }
}

fn set(socket: &OwnedFd, watch: Option<&Watchfulness>) -> rustix::io::Result<()> {
    sockopt::set_tcp_nodelay(socket, true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    if let Some(watch) = watch {
        let seconds = |s: u32| Duration::from_secs(s.into());
        sockopt::set_tcp_keepidle(socket, seconds(watch.idle_s))?;
        sockopt::set_tcp_keepintvl(socket, seconds(watch.interval_s))?;
        sockopt::set_tcp_user_timeout(socket, watch.unanswered_ms)?;
    }
    Ok(())
}

/// Sends all bytes within `wait_ms`, else `ETIMEDOUT`. Never raises SIGPIPE.
pub fn send(socket: impl AsFd, bytes: &[u8], wait_ms: u64) -> Outcome<()> {
    let until = since_boot().plus(wait_ms);
    let mut rest = bytes;
    while !rest.is_empty() {
        match send_bytes(&socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                if !is_ready(socket.as_fd(), PollFlags::OUT, until)? {
                    return Err(Fail::new("send", "connection", libc::ETIMEDOUT));
                }
            }
            Err(errno) => return Err(Fail::of("send", &"connection")(errno)),
        }
    }
    Ok(())
}

/// Takes what is there, after at most `wait_ms`.
pub fn receive(socket: impl AsFd, buffer: &mut [u8], wait_ms: u64) -> Outcome<Received> {
    let until = since_boot().plus(wait_ms);
    loop {
        match recv(&socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Ok(Received::Closed),
            Ok((taken, _)) => return Ok(Received::Bytes(taken)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                if !is_ready(socket.as_fd(), PollFlags::IN, until)? {
                    return Ok(Received::Nothing);
                }
            }
            Err(errno) => return Err(Fail::of("recv", &"connection")(errno)),
        }
    }
}

/// Waits for `what`, or for trouble, which the next call on the socket tells.
fn is_ready(socket: BorrowedFd<'_>, what: PollFlags, until: Millis) -> Outcome<bool> {
    loop {
        let wait_ms = since_boot().until(until).min(86_400_000);
        let mut one = [PollFd::new(&socket, what)];
        match poll(&mut one, Some(&timespec(wait_ms))) {
            Ok(0) | Err(Errno::INTR) if since_boot() >= until => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(Fail::of("poll", &"connection")(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    const WATCH: Watchfulness = Watchfulness {
        idle_s: 10,
        interval_s: 5,
        unanswered_ms: 20_000,
    };

    #[test]
    fn bytes_go_both_ways_until_the_end() {
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(place) else {
                // A machine without IPv6.
                continue;
            };
            let server = listener.local_addr().unwrap();
            let socket = connect(server, 5000, Some(&WATCH)).unwrap();
            let (mut other, _) = listener.accept().unwrap();
            assert!(sockopt::tcp_nodelay(&socket).unwrap());
            assert_eq!(sockopt::tcp_user_timeout(&socket).unwrap(), 20_000);
            let mut buffer = [0; 16];
            let silent = receive(&socket, &mut buffer, 20).unwrap();
            assert_eq!(silent, Received::Nothing);
            send(&socket, b"hello", 5000).unwrap();
            other.read_exact(&mut buffer[..5]).unwrap();
            assert_eq!(&buffer[..5], b"hello");
            other.write_all(b"you").unwrap();
            let heard = receive(&socket, &mut buffer, 5000).unwrap();
            assert_eq!(heard, Received::Bytes(3));
            drop(other);
            let heard = receive(&socket, &mut buffer, 5000).unwrap();
            assert_eq!(heard, Received::Closed);
        }
    }

    #[test]
    fn nobody_there_is_told_at_once_and_silence_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        drop(listener);
        let fail = connect(server, 5000, None).unwrap_err();
        assert_eq!(fail.errno, libc::ECONNREFUSED);
        // A listener whose queue is full answers no more.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let server = listener.local_addr().unwrap();
        let began = Instant::now();
        let attempts: Vec<_> = (0..4).map(|_| connect(server, 100, None)).collect();
        let last = attempts.last().unwrap().as_ref().unwrap_err();
        assert_eq!(last.errno, libc::ETIMEDOUT);
        assert!(began.elapsed().as_millis() >= 100);
    }

    #[test]
    fn a_reader_that_sleeps_does_not_block_the_writer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = connect(listener.local_addr().unwrap(), 5000, None).unwrap();
        let fail = send(&socket, &vec![0; 64 << 20], 100).unwrap_err();
        assert_eq!(fail.errno, libc::ETIMEDOUT);
    }
}
