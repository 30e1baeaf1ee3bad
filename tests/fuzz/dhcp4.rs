//! Conversations with DHCPv4 servers that say anything.

use landfall::base::millis::Millis;
use landfall::format::net::address::Mac;
use landfall::format::net::dhcp4::{self, Machine};
use landfall::format::net::frame::{Datagram, UdpSum};
use landfall::plan::talk::dhcp4::{Client, Options};
use landfall::plan::talk::{self, Heard};

pub const WORDS: &[&[u8]] = &[
    b"\x35\x01\x02",
    b"\x35\x01\x05",
    b"\x35\x01\x06",
    b"\x36\x04\xc0\0\x02\x01",
    b"\x34\x01\x03",
    b"\x33\x04\0\0\x0e\x10",
    b"\x79\x05\0\xc0\0\x02\x01",
    b"\x21\x08\x0a\0\0\0\xc0\0\x02\x01",
    b"\x77\x09\x03eng\0\x01a\xc0\0",
    b"\x38\x02no",
    b"\xff",
];

/// A conversation: what it is told, one after the other. First a byte for what it is, and two for
/// how long: 0 is a server's message to this client from its 9th byte on, 1 a packet as it is,
/// 2 one of ARP, anything else a wait.
pub fn run(input: &[u8]) {
    let mac = Mac(*b"\x52\x54\0\x12\x34\x56");
    let mut client = Client::new(Options {
        machine: Machine {
            mac,
            client_id: dhcp4::client_id_of(mac),
            ..Machine::default()
        },
        ..Options::default()
    });
    let mut now = Millis(0);
    let mut steps = client.start(now);
    let mut xid = Vec::new();
    let mut rest = input;
    while let [kind, high, low, tail @ ..] = rest {
        for step in &steps {
            if let talk::Step::SendIp { packet, .. } = step {
                xid = packet[32..36].to_vec();
            }
        }
        assert!(steps.len() <= 3);
        let length = u16::from_be_bytes([*high, *low]);
        let (told, behind) = tail.split_at(usize::from(length).min(tail.len()));
        rest = behind;
        steps = match kind {
            0 => {
                let mut message = b"\x02\x01\x06\0".to_vec();
                message.extend_from_slice(&xid);
                message.extend_from_slice(told);
                message.resize(message.len().max(34), 0);
                message[28..34].copy_from_slice(&mac.0);
                let datagram = Datagram {
                    from: "192.0.2.1:67".parse().expect("an address"),
                    to: "255.255.255.255:68".parse().expect("an address"),
                    payload: &message,
                };
                let packet = datagram.build().expect("it is short");
                client.hear(now, Heard::Ip(&packet, UdpSum::Made))
            }
            1 => client.hear(now, Heard::Ip(told, UdpSum::LeftToCard)),
            2 => client.hear(now, Heard::Arp(told)),
            _ => {
                now = now.plus(length.into());
                rest = tail;
                client.hear(now, Heard::Timer)
            }
        };
        assert!(client.deadline().is_none_or(|due| due > now));
    }
    let _ = client.give_up();
}
