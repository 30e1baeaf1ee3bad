//! Datagrams to one server, of which the kernel passes on only what comes from there; and on a link
//! of IPv6, to whoever is there. udp(7), ipv6(7).

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::send as send_on;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind as bind_to, connect as connect_to, recv, recvfrom, sendto, socket_with};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

/// A socket of a port that the kernel picks. Never blocks.
pub fn connect(server: SocketAddr) -> Outcome<OwnedFd> {
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = new(family)?;
    connect_to(&socket, &server).map_err(Fail::of("connect", &server))?;
    Ok(socket)
}

/// A socket of this address and port, for anybody on the link that the address names. Never blocks.
/// `EADDRNOTAVAIL`: the link has no such address, or not yet.
pub fn bind(own: SocketAddrV6) -> Outcome<OwnedFd> {
    let socket = new(AddressFamily::INET6)?;
    bind_to(&socket, &own).map_err(Fail::of("bind", &own))?;
    Ok(socket)
}

fn new(family: AddressFamily) -> Outcome<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, None);
    socket.map_err(Fail::of("socket", &"udp"))
}

/// By a socket of [`bind`].
pub fn send_to(socket: impl AsFd, datagram: &[u8], to: SocketAddrV6) -> Outcome<()> {
    let sent = sendto(socket, datagram, SendFlags::NOSIGNAL, &to);
    sent.map(drop).map_err(Fail::of("sendto", &to))
}

/// The same as [`receive`], with who sent it.
pub fn receive_from(socket: impl AsFd, buffer: &mut [u8]) -> Outcome<Option<(usize, Ipv6Addr)>> {
    match recvfrom(socket, buffer, RecvFlags::empty()) {
        Ok((length, _, from)) => {
            let from = from.and_then(|from| SocketAddrV6::try_from(from).ok());
            Ok(from.map(|from| (length, *from.ip())))
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(Fail::of("recvfrom", &"datagram")(errno)),
    }
}

pub fn send(socket: impl AsFd, datagram: &[u8]) -> Outcome<()> {
    let sent = send_on(socket, datagram, SendFlags::NOSIGNAL);
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
    fn anybody_is_heard_and_named() {
        let own = |socket: &OwnedFd| {
            let name = rustix::net::getsockname(socket).unwrap();
            SocketAddrV6::try_from(name).unwrap()
        };
        let any = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
        let [one, other] = [bind(any).unwrap(), bind(any).unwrap()];
        let mut buffer = [0; 64];
        assert_eq!(receive_from(&one, &mut buffer).unwrap(), None);
        send_to(&other, b"question", own(&one)).unwrap();
        let heard = receive_from(&one, &mut buffer).unwrap();
        assert_eq!(heard, Some((8, Ipv6Addr::LOCALHOST)));
        assert_eq!(&buffer[..8], b"question");
        let nobodys = SocketAddrV6::new(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 0, 0, 0);
        assert_eq!(bind(nobodys).unwrap_err().errno, libc::EADDRNOTAVAIL);
        assert_eq!(bind(own(&one)).unwrap_err().errno, libc::EADDRINUSE);
    }

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
