//! Packets of one kind on one link, without the link having an address. packet(7),
//! linux/if_packet.h; filters: linux/filter.h, Documentation/networking/filter.rst.
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use super::socket_option::{set, set_number};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::mem::{MaybeUninit, offset_of, size_of};

const PACKET_AUXDATA: libc::c_int = 8;
const SO_ATTACH_FILTER: libc::c_int = 26;

/// The sender left the checksum to hardware that the packet never passed: a guest or a veth.
const TP_STATUS_CSUMNOTREADY: u32 = 1 << 3;

/// `struct tpacket_auxdata`.
#[repr(C)]
#[derive(Clone, Copy)]
struct AuxData {
    status: u32,
    length: u32,
    captured: u32,
    mac_at: u16,
    net_at: u16,
    vlan_tag: u16,
    vlan_type: u16,
}

const _: () = assert!(size_of::<AuxData>() == 20 && offset_of!(AuxData, vlan_tag) == 16);
const _: () = assert!(size_of::<libc::sockaddr_ll>() == 20);

const fn step(code: u16, yes: u8, no: u8, value: u32) -> libc::sock_filter {
    libc::sock_filter {
        code,
        jt: yes,
        jf: no,
        k: value,
    }
}

/// Lets UDP to port 68 through: what DHCP servers send to clients (RFC 2131 §4.1).
///
/// A program of classic BPF. `yes` and `no` count the steps that are left out. Offsets are from
/// the header of IPv4 on.
static TO_DHCP_CLIENTS: [libc::sock_filter; 9] = [
    // Protocol (a byte): UDP?
    step(0x30, 0, 0, 9),
    step(0x15, 0, 6, 17),
    // Flags and offset (16 bits): a fragment is of no use without the others.
    step(0x28, 0, 0, 6),
    step(0x45, 4, 0, 0x3fff),
    // X becomes the length of the header of IPv4.
    step(0xb1, 0, 0, 0),
    // Destination (16 bits, at 2 in the header of UDP).
    step(0x48, 0, 0, 2),
    step(0x15, 0, 1, 68),
    // All of it.
    step(0x06, 0, 0, u32::MAX),
    // Nothing of it.
    step(0x06, 0, 0, 0),
];

const _: () = assert!(size_of::<libc::sock_filter>() == 8);

/// What is sent and received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtherType {
    /// Received is UDP to port 68 alone.
    Ipv4 = 0x0800,
    Arp = 0x0806,
}

/// What one look at a socket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    Packet(Packet),
    /// Something else, to be ignored: too long, for another machine, or of another VLAN.
    Foreign,
    /// Nothing there.
    Nothing,
}

/// A packet in the buffer, without the header of Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub length: usize,
    /// Hardware address of the sender; `None`: not one of Ethernet.
    pub from: Option<[u8; 6]>,
    /// The checksum of UDP is not there yet, and cannot be checked.
    pub checksum_pending: bool,
}

pub struct Socket {
    socket: OwnedFd,
    link: u32,
    kind: EtherType,
}

impl Socket {
    /// `link`: the index. Everything of this kind that arrives from now on is queued here.
    ///
    /// `ENODEV`: there is no such link. Nothing blocks.
    pub fn open(link: u32, kind: EtherType) -> Outcome<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Without a protocol nothing is received: the filter is there first.
        let socket = socket_with(AddressFamily::PACKET, SocketType::DGRAM, flags, None)
            .map_err(Fail::of("socket", &"packet"))?;
        if kind == EtherType::Ipv4 {
            filter(socket.as_fd(), &TO_DHCP_CLIENTS)?;
        }
        set_number(&socket, libc::SOL_PACKET, PACKET_AUXDATA, 1)?;
        let to = address(link, kind, None);
        let (at, size) = (&raw const to, address_size());
        // SAFETY: the kernel reads one `sockaddr_ll`, which `to` is.
        if unsafe { libc::bind(socket.as_raw_fd(), at.cast(), size) } != 0 {
            return Err(Fail::last(
                "bind",
                &format_args!("packet socket of link {link}"),
            ));
        }
        Ok(Self { socket, link, kind })
    }

    /// Sends a packet to a hardware address. `ENETDOWN`: the link is down.
    pub fn send(&self, to: [u8; 6], packet: &[u8]) -> Outcome<()> {
        let to = address(self.link, self.kind, Some(to));
        let at = &raw const to;
        loop {
            // SAFETY: a buffer with its length, and one `sockaddr_ll`: both outlive the call.
            let sent = unsafe {
                libc::sendto(
                    self.socket.as_raw_fd(),
                    packet.as_ptr().cast(),
                    packet.len(),
                    0,
                    at.cast(),
                    address_size(),
                )
            };
            if sent >= 0 {
                return Ok(());
            }
            let fail = Fail::last("sendto", &format_args!("link {}", self.link));
            if fail.errno != libc::EINTR {
                return Err(fail);
            }
        }
    }

    /// Takes one packet, without waiting. `ENETDOWN`, once: the link went down.
    pub fn receive(&self, buffer: &mut [u8]) -> Outcome<Received> {
        let mut from = address(0, self.kind, None);
        let mut part = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        // Room for the header of a control message and for `AuxData`, aligned.
        let mut control = [0u64; 8];
        // SAFETY: zero is a valid `msghdr`: pointers to nothing, with lengths of zero.
        let mut head: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        head.msg_name = (&raw mut from).cast();
        head.msg_namelen = address_size();
        head.msg_iov = &raw mut part;
        head.msg_iovlen = 1;
        head.msg_control = control.as_mut_ptr().cast();
        head.msg_controllen = size_of_val(&control) as _;
        let length = loop {
            // SAFETY: every pointer in `head` is to a live buffer of the length beside it.
            let taken =
                unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut head, libc::MSG_TRUNC) };
            if let Ok(length) = usize::try_from(taken) {
                break length;
            }
            let fail = Fail::last("recvmsg", &format_args!("link {}", self.link));
            match fail.errno {
                libc::EINTR => {}
                libc::EAGAIN => return Ok(Received::Nothing),
                _ => return Err(fail),
            }
        };
        // Beyond it are packets for others, sent by this machine, or of a VLAN without a link.
        let ours = from.sll_pkttype <= libc::PACKET_MULTICAST;
        if length > buffer.len() || !ours {
            return Ok(Received::Foreign);
        }
        let [a, b, c, d, e, f, ..] = from.sll_addr;
        Ok(Received::Packet(Packet {
            length,
            from: (from.sll_halen == 6).then_some([a, b, c, d, e, f]),
            checksum_pending: status(&head) & TP_STATUS_CSUMNOTREADY != 0,
        }))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn filter(socket: BorrowedFd<'_>, program: &'static [libc::sock_filter]) -> Outcome<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap_or(0),
        // The kernel only reads it.
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: SO_ATTACH_FILTER takes a `sock_fprog`; what it points to is static and as long as
    // it says.
    unsafe { set(socket, libc::SOL_SOCKET, SO_ATTACH_FILTER, &program) }
}

/// `tp_status` of a received message; 0 where the kernel did not tell.
fn status(head: &libc::msghdr) -> u32 {
    // SAFETY: `head` was filled by recvmsg, and its control buffer is alive: the C library finds
    // the first control message in it, or none.
    let first = unsafe { libc::CMSG_FIRSTHDR(head) };
    // SAFETY: null, or aligned and within the control buffer.
    let Some(first) = (unsafe { first.as_ref() }) else {
        return 0;
    };
    // SAFETY: arithmetic alone.
    let least = unsafe { libc::CMSG_LEN(size_of::<AuxData>() as u32) };
    let is = (first.cmsg_level, first.cmsg_type) == (libc::SOL_PACKET, PACKET_AUXDATA);
    if !is || first.cmsg_len < least as _ {
        return 0;
    }
    // SAFETY: a control message of this type and length holds an `AuxData`, maybe unaligned.
    let told: AuxData = unsafe { libc::CMSG_DATA(first).cast::<AuxData>().read_unaligned() };
    told.status
}

fn address(link: u32, kind: EtherType, to: Option<[u8; 6]>) -> libc::sockaddr_ll {
    let [a, b, c, d, e, f] = to.unwrap_or_default();
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as _,
        sll_protocol: (kind as u16).to_be(),
        sll_ifindex: link.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: if to.is_some() { 6 } else { 0 },
        sll_addr: [a, b, c, d, e, f, 0, 0],
    }
}

fn address_size() -> libc::socklen_t {
    size_of::<libc::sockaddr_ll>() as libc::socklen_t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_not_there_is_refused() {
        // EPERM: without the right to open packet sockets at all.
        let fail = Socket::open(0x7fff_fff0, EtherType::Arp).err().unwrap();
        assert!(matches!(fail.errno, libc::ENODEV | libc::EPERM), "{fail}");
    }
}
