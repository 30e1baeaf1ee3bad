//! Datagrams to one server. udp(7): the kernel passes on only what comes from there.

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect as connect_to, recv, send as send_to, socket_with};
use std::net::SocketAddr;

/// A socket of a port that the kernel picks. Never blocks.
pub fn connect(server: SocketAddr) -> Outcome<OwnedFd> {
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, None);
    let socket = socket.map_err(Fail::of("socket", &"udp"))?;
    connect_to(&socket, &server).map_err(Fail::of("connect", &server))?;
    Ok(socket)
}

pub fn send(socket: impl AsFd, datagram: &[u8]) -> Outcome<()> {
    let sent = send_to(socket, datagram, SendFlags::NOSIGNAL);
    sent.map(drop).map_err(Fail::of("send", &"datagram"))
}

/// The length of the next datagram, which is cut where the buffer ends. `None`: nothing is there.
/// An error is also what a router said of a datagram that was sent (`ECONNREFUSED`).
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Outcome<Option<usize>> {
    match recv(socket, buffer, RecvFlags::empty()) {
        Ok((length, _)) => Ok(Some(length)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(Fail::of("recv", &"datagram")(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn datagrams_come_from_the_server_alone() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = connect(server.local_addr().unwrap()).unwrap();
        send(&socket, b"question").unwrap();
        let mut buffer = [0; 64];
        let (length, asker) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"question");
        stranger.send_to(b"lie", asker).unwrap();
        assert_eq!(receive(&socket, &mut buffer).unwrap(), None);
        server.send_to(b"answer", asker).unwrap();
        assert_eq!(receive(&socket, &mut buffer).unwrap(), Some(6));
        drop(server);
        send(&socket, b"again").unwrap();
        let refused = receive(&socket, &mut buffer).unwrap_err();
        assert_eq!(refused.errno, libc::ECONNREFUSED);
    }
}
