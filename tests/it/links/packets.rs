//! Packets on a link without an address: what DHCP and ARP are made of.

use super::{hear, ip, mac_of, wire};
use crate::ns::in_namespaces;
use landfall::act::links;
use landfall::act::watch_links::Watch;
use landfall::format::netlink::News;
use landfall::sys::packet::{EtherType, Packet, Received, Socket};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// Smallest size that every DHCP client takes: 576 bytes with the headers (RFC 2131 §2).
const SIZE: usize = 576;

/// A packet of IPv4 with a header of `words` * 4 bytes, in which UDP goes to `port`.
fn packet(words: u8, protocol: u8, fragment: u16, port: u16) -> Vec<u8> {
    let header = usize::from(words) * 4;
    let mut packet = vec![0xa5; SIZE];
    packet[..header].fill(0);
    packet[0] = 0x40 | words;
    packet[2..4].copy_from_slice(&(SIZE as u16).to_be_bytes());
    packet[6..8].copy_from_slice(&fragment.to_be_bytes());
    packet[8] = 64;
    packet[9] = protocol;
    packet[16..20].copy_from_slice(&[255; 4]);
    packet[header..header + 2].copy_from_slice(&67u16.to_be_bytes());
    packet[header + 2..header + 4].copy_from_slice(&port.to_be_bytes());
    packet
}

/// The next packet; `None`: none comes.
fn next(socket: &Socket, buffer: &mut [u8]) -> Option<Packet> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        match socket.receive(buffer).unwrap() {
            Received::Packet(packet) => return Some(packet),
            Received::Foreign => {}
            Received::Nothing => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    None
}

fn wire_that_works() -> (u32, u32) {
    wire();
    let mut watch = Watch::open().unwrap();
    links::raise("near", None, None).unwrap();
    links::raise("far", None, None).unwrap();
    for name in ["near", "far"] {
        if !links::find(name).unwrap().carrier {
            hear(
                &mut watch,
                &|news| matches!(news, News::Link(link) if link.name == name && link.carrier),
            );
        }
    }
    let index = |name| links::find(name).unwrap().index;
    (index("near"), index("far"))
}

#[test]
fn only_what_is_for_dhcp_clients_passes() {
    in_namespaces(
        "links::packets::only_what_is_for_dhcp_clients_passes",
        |_| {
            let (near, far) = wire_that_works();
            let socket = Socket::open(near, EtherType::Ipv4).unwrap();
            let sender = Socket::open(far, EtherType::Ipv4).unwrap();
            let mut buffer = [0; 1500];
            for to in [mac_of("near"), [0xff; 6]] {
                for words in [5, 6, 15] {
                    let sent = packet(words, 17, 0, 68);
                    sender.send(to, &sent).unwrap();
                    let expected = Packet {
                        length: SIZE,
                        from: Some(mac_of("far")),
                        checksum_pending: false,
                    };
                    assert_eq!(next(&socket, &mut buffer), Some(expected));
                    assert_eq!(buffer[..SIZE], sent);
                }
            }
            for (what, odd) in [
                ("to a server", packet(5, 17, 0, 67)),
                ("TCP", packet(5, 6, 0, 68)),
                ("a first fragment", packet(5, 17, 0x2000, 68)),
                ("a last fragment", packet(5, 17, 0x0010, 68)),
                ("cut off", packet(5, 17, 0, 68)[..21].to_vec()),
            ] {
                sender.send(mac_of("near"), &odd).unwrap();
                assert_eq!(next(&socket, &mut buffer), None, "{what}");
            }
            // For another machine, and too long for the buffer.
            sender
                .send([2, 0, 0, 0, 0, 99], &packet(5, 17, 0, 68))
                .unwrap();
            assert_eq!(next(&socket, &mut buffer), None);
            sender.send([0xff; 6], &packet(5, 17, 0, 68)).unwrap();
            assert_eq!(next(&socket, &mut buffer[..100]), None);
        },
    );
}

#[test]
fn a_checksum_that_hardware_was_to_fill_in_is_told() {
    let name = "links::packets::a_checksum_that_hardware_was_to_fill_in_is_told";
    in_namespaces(name, |_| {
        let (near, _) = wire_that_works();
        ip("addr add 192.0.2.1/24 dev far");
        let socket = Socket::open(near, EtherType::Ipv4).unwrap();
        let server = UdpSocket::bind("192.0.2.1:67").unwrap();
        server.set_broadcast(true).unwrap();
        ip("route add 255.255.255.255 dev far");
        server.send_to(&[7; 300], "255.255.255.255:68").unwrap();
        let mut buffer = [0; 1500];
        let packet = next(&socket, &mut buffer).unwrap();
        assert_eq!((packet.length, packet.from), (328, Some(mac_of("far"))));
        assert!(packet.checksum_pending);
        assert_eq!(buffer[28..328], [7; 300]);
    });
}

#[test]
fn arp_is_apart_and_a_link_that_goes_down_is_told() {
    let name = "links::packets::arp_is_apart_and_a_link_that_goes_down_is_told";
    in_namespaces(name, |_| {
        let (near, far) = wire_that_works();
        let arp = Socket::open(near, EtherType::Arp).unwrap();
        let sender = Socket::open(far, EtherType::Arp).unwrap();
        let mut buffer = [0; 1500];
        sender.send([0xff; 6], &[9; 28]).unwrap();
        let packet = next(&arp, &mut buffer).unwrap();
        assert_eq!((packet.length, packet.checksum_pending), (28, false));
        assert_eq!(buffer[..28], [9; 28]);
        links::lower("near").unwrap();
        let fail = arp.receive(&mut buffer).unwrap_err();
        assert_eq!(fail.errno, 100, "{fail}");
        assert_eq!(arp.receive(&mut buffer).unwrap(), Received::Nothing);
        assert_eq!(arp.send([0xff; 6], &[9; 28]).unwrap_err().errno, 100);
        assert_eq!(Socket::open(99, EtherType::Arp).err().unwrap().errno, 19);
    });
}
