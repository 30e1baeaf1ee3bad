//! Packets that are sent before the machine has an address: UDP in IPv4, and ARP. Without the
//! header of the link: the kernel makes and takes that one (`AF_PACKET`, `SOCK_DGRAM`).
//!
//! Not a network stack: no fragments, and of IP's options only their length is known.
//! Sources: RFC 791 (IPv4), 768 (UDP), 1071 (checksum), 6864 (identification), 826 (ARP), 5227
//! (ARP probes).

use super::address::Mac;
use crate::base::bytes::{array, be16, u8};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddrV4};

const UDP: u8 = 17;
/// Bytes of IPv4's header without options, and of UDP's.
const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// `DF`: a packet that is never taken apart needs no number (RFC 6864 §4.1).
const DO_NOT_FRAGMENT: u16 = 0x4000;
/// `MF` and the offset: not zero in every fragment.
const FRAGMENT: u16 = 0x3fff;
const HOPS: u8 = 64;

/// What the checksum of UDP in a packet is worth. (That of IPv4 is always there.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpSum {
    /// It has to be right, or 0: the sender made none.
    Made,
    /// The sender left it to a network card, and there was none on the way: what a VM gets from
    /// its host (`TP_STATUS_CSUMNOTREADY` of packet(7)). The packet never left the memory.
    LeftToCard,
}

/// One UDP datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// `None`: anything but one whole datagram. What the link padded is dropped.
    pub fn parse(packet: &'a [u8], udp_sum: UdpSum) -> Option<Self> {
        let whole = packet.get(..usize::from(be16(packet, 2)?))?;
        let first = u8(whole, 0)?;
        let header_bytes = usize::from(first & 0x0f) << 2;
        let (header, inner) = whole.split_at_checked(header_bytes)?;
        let plain = first >> 4 == 4
            && header_bytes >= IP_HEADER
            && be16(header, 6)? & FRAGMENT == 0
            && u8(header, 9)? == UDP
            && folded(added(0, header)) == 0xffff;
        let bytes = be16(inner, 4).filter(|_| plain)?;
        let datagram = inner.get(..usize::from(bytes))?;
        let payload = datagram.get(UDP_HEADER..)?;
        if udp_sum == UdpSum::Made && be16(datagram, 6)? != 0 {
            let right = udp_sum_of(header.get(12..IP_HEADER)?, bytes, datagram) == 0xffff;
            right.then_some(())?;
        }
        let from = Ipv4Addr::from(array::<4>(header, 12)?);
        let to = Ipv4Addr::from(array::<4>(header, 16)?);
        Some(Self {
            from: SocketAddrV4::new(from, be16(datagram, 0)?),
            to: SocketAddrV4::new(to, be16(datagram, 2)?),
            payload,
        })
    }

    /// The packet. `None`: the payload is longer than IPv4 can say.
    pub fn build(&self) -> Option<Vec<u8>> {
        let udp_bytes = self.payload.len().checked_add(UDP_HEADER)?;
        let ip_bytes = u16::try_from(udp_bytes.checked_add(IP_HEADER)?).ok()?;
        let udp_bytes = u16::try_from(udp_bytes).ok()?;
        let addresses = [self.from.ip().octets(), self.to.ip().octets()].concat();

        let mut datagram = Vec::with_capacity(usize::from(ip_bytes));
        for word in [self.from.port(), self.to.port(), udp_bytes, 0] {
            datagram.extend_from_slice(&word.to_be_bytes());
        }
        datagram.extend_from_slice(self.payload);
        // A sum of 0 would say that there is none.
        let sum = match !udp_sum_of(&addresses, udp_bytes, &datagram) {
            0 => 0xffff,
            sum => sum,
        };
        set(&mut datagram, 6, sum);

        let mut packet = Vec::with_capacity(usize::from(ip_bytes));
        packet.extend_from_slice(&[0x45, 0]);
        for word in [ip_bytes, 0, DO_NOT_FRAGMENT] {
            packet.extend_from_slice(&word.to_be_bytes());
        }
        packet.extend_from_slice(&[HOPS, UDP, 0, 0]);
        packet.extend_from_slice(&addresses);
        let sum = !folded(added(0, &packet));
        set(&mut packet, 10, sum);
        packet.append(&mut datagram);
        Some(packet)
    }
}

/// Over the datagram, and what it knows of IP's header: addresses, protocol and length.
fn udp_sum_of(addresses: &[u8], bytes: u16, datagram: &[u8]) -> u16 {
    let known = u32::from(bytes).saturating_add(UDP.into());
    folded(added(added(known, addresses), datagram))
}

/// Adds up words of 16 bits. At most 64 KiB: nothing is carried out of the sum.
fn added(sum: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(sum, |sum, pair| {
        let word = match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        };
        sum.saturating_add(word.into())
    })
}

/// What was carried is added again.
fn folded(sum: u32) -> u16 {
    let once = (sum & 0xffff).saturating_add(sum >> 16);
    let twice = (once & 0xffff).saturating_add(once >> 16);
    u16::try_from(twice).unwrap_or(0xffff)
}

fn set(bytes: &mut [u8], at: usize, word: u16) {
    for (place, byte) in bytes.iter_mut().skip(at).zip(word.to_be_bytes()) {
        *place = byte;
    }
}

/// One message of ARP for IPv4 on Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    pub reply: bool,
    pub sender_mac: Mac,
    pub sender: Ipv4Addr,
    pub target_mac: Mac,
    pub target: Ipv4Addr,
}

impl Arp {
    /// Ethernet, IPv4, and how long addresses of both are.
    const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
    pub const BYTES: usize = 28;

    /// "Who has `target`? Tell `sender`."
    pub fn request(sender_mac: Mac, sender: Ipv4Addr, target: Ipv4Addr) -> Self {
        Self {
            reply: false,
            sender_mac,
            sender,
            target_mac: Mac::default(),
            target,
        }
    }

    /// Has anybody got `target`? Nobody learns an address from it (RFC 5227 §1.1).
    pub fn probe(sender_mac: Mac, target: Ipv4Addr) -> Self {
        Self::request(sender_mac, Ipv4Addr::UNSPECIFIED, target)
    }

    /// What the machine at `mac` with the address that was asked for answers.
    pub fn answered_by(&self, mac: Mac) -> Self {
        Self {
            reply: true,
            sender_mac: mac,
            sender: self.target,
            target_mac: self.sender_mac,
            target: self.sender,
        }
    }

    /// `None`: anything but a request or a reply for IPv4 on Ethernet. What follows is padding.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let head: [u8; 6] = array(packet, 0)?;
        let reply = match be16(packet, 6)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        (head == Self::HEAD).then_some(Self {
            reply,
            sender_mac: Mac(array(packet, 8)?),
            sender: array::<4>(packet, 14)?.into(),
            target_mac: Mac(array(packet, 18)?),
            target: array::<4>(packet, 24)?.into(),
        })
    }

    pub fn build(&self) -> Vec<u8> {
        let mut packet = Vec::with_capacity(Self::BYTES);
        packet.extend_from_slice(&Self::HEAD);
        packet.extend_from_slice(&[0, if self.reply { 2 } else { 1 }]);
        packet.extend_from_slice(&self.sender_mac.0);
        packet.extend_from_slice(&self.sender.octets());
        packet.extend_from_slice(&self.target_mac.0);
        packet.extend_from_slice(&self.target.octets());
        packet
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]
mod tests {
    use super::*;
    use crate::base::hex;

    /// 192.0.2.1:67 to 255.255.255.255:68, "DHCP!". The sums were made by other code.
    const PACKET: &str = "4500002100004000401178cbc0000201ffffffff00430044000d94b34448435021";

    fn bytes(digits: &str) -> Vec<u8> {
        hex::decode(digits.as_bytes()).unwrap()
    }

    fn changed(at: usize, with: &[u8]) -> Vec<u8> {
        let mut packet = bytes(PACKET);
        packet[at..at + with.len()].copy_from_slice(with);
        // The header is right again: what is tried is what was changed.
        let header = usize::from(packet[0] & 15) * 4;
        if (20..=packet.len()).contains(&header) {
            set(&mut packet, 10, 0);
            let sum = !folded(added(0, &packet[..header]));
            set(&mut packet, 10, sum);
        }
        packet
    }

    #[test]
    fn a_datagram_is_built_and_read() {
        let datagram = Datagram {
            from: "192.0.2.1:67".parse().unwrap(),
            to: "255.255.255.255:68".parse().unwrap(),
            payload: b"DHCP!",
        };
        assert_eq!(hex::encode(&datagram.build().unwrap()), PACKET);
        let mut packet = bytes(PACKET);
        assert_eq!(Datagram::parse(&packet, UdpSum::Made), Some(datagram));
        packet.extend_from_slice(&[0; 13]);
        let padded = Datagram::parse(&packet, UdpSum::Made).unwrap();
        assert_eq!(padded.payload, b"DHCP!");
        let long = alloc::vec![0; 0xffff - 27];
        let datagram = Datagram {
            payload: &long,
            ..padded
        };
        assert_eq!(datagram.build(), None);
    }

    #[test]
    fn whatever_is_not_one_whole_datagram_is_refused() {
        for (what, packet) in [
            ("IPv6", changed(0, &[0x65])),
            ("header too short", changed(0, &[0x44])),
            ("header longer than the packet", changed(0, &[0x4f])),
            ("packet cut", changed(2, &[0, 0x22])),
            ("packet shorter than its header", changed(2, &[0, 19])),
            ("first fragment", changed(6, &[0x20, 0])),
            ("last fragment", changed(6, &[0, 1])),
            ("TCP", changed(9, &[6])),
            ("UDP longer than the packet", changed(24, &[0, 14])),
            ("UDP shorter than its header", changed(24, &[0, 7])),
            ("wrong sum of UDP", changed(26, &[0x94, 0xb4])),
            ("other payload", changed(32, b"?")),
        ] {
            assert_eq!(Datagram::parse(&packet, UdpSum::Made), None, "{what}");
        }
        let mut wrong = bytes(PACKET);
        wrong[8] = 63;
        assert_eq!(Datagram::parse(&wrong, UdpSum::LeftToCard), None);
    }

    #[test]
    fn a_sum_that_was_not_made_counts_where_it_may() {
        let none = changed(26, &[0, 0]);
        assert!(Datagram::parse(&none, UdpSum::Made).is_some());
        let partial = changed(26, &[0xc3, 0x51]);
        assert_eq!(Datagram::parse(&partial, UdpSum::Made), None);
        assert!(Datagram::parse(&partial, UdpSum::LeftToCard).is_some());
    }

    #[test]
    fn options_of_ip_are_stepped_over() {
        let mut packet = changed(0, &[0x46]);
        packet.splice(20..20, [1, 1, 1, 0]);
        set(&mut packet, 2, 37);
        set(&mut packet, 10, 0);
        let sum = !folded(added(0, &packet[..24]));
        set(&mut packet, 10, sum);
        let datagram = Datagram::parse(&packet, UdpSum::Made).unwrap();
        assert_eq!((datagram.payload, datagram.to.port()), (&b"DHCP!"[..], 68));
    }

    #[test]
    fn arp_is_built_and_read() {
        let mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
        let probe = Arp::probe(mac, Ipv4Addr::new(192, 0, 2, 7));
        let asked = "000108000604000152540012345600000000000000000000c0000207";
        assert_eq!(hex::encode(&probe.build()), asked);
        let other = Mac([2, 0, 0, 0, 0, 9]);
        let reply = probe.answered_by(other);
        let told = "0001080006040002020000000009c000020752540012345600000000";
        assert_eq!(hex::encode(&reply.build()), told);
        for arp in [probe, reply] {
            assert_eq!(Arp::parse(&arp.build()), Some(arp));
            let padded = [arp.build(), alloc::vec![0; 18]].concat();
            assert_eq!(Arp::parse(&padded), Some(arp));
            let packet = arp.build();
            for end in 0..packet.len() {
                assert_eq!(Arp::parse(&packet[..end]), None, "{end}");
            }
        }
        for (at, byte) in [(1, 6), (2, 0x86), (4, 8), (5, 16), (7, 3)] {
            let mut packet = probe.build();
            packet[at] = byte;
            assert_eq!(Arp::parse(&packet), None, "{at}");
        }
    }

    #[test]
    fn damaged_packets_never_panic() {
        let packet = bytes(PACKET);
        for end in 0..packet.len() {
            assert_eq!(Datagram::parse(&packet[..end], UdpSum::LeftToCard), None);
        }
        let mut seed = 0x5eed_u32;
        for round in 0..20_000 {
            let mut packet = packet.clone();
            for _ in 0..=round % 4 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (seed >> 16) as usize % packet.len();
                packet[at] = (seed >> 8) as u8;
            }
            for sum in [UdpSum::Made, UdpSum::LeftToCard] {
                let _ = Datagram::parse(&packet, sum);
            }
            let _ = Arp::parse(&packet);
        }
    }
}
