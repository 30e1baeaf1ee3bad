//! What is fuzzed of networks: conversations with servers, and what becomes of their words.

use landfall::base::millis::Millis;
use landfall::base::text::Text;
use landfall::format::net::address::{Mac, Network};
use landfall::format::net::dhcp4::{self, Machine};
use landfall::format::net::dhcp6;
use landfall::format::net::dns::Family;
use landfall::format::net::frame::{Datagram, UdpSum};
use landfall::format::net::handed::{self, Handed, How};
use landfall::format::net::lease::Lease;
use landfall::plan::talk::dhcp4::{Client, Options};
use landfall::plan::talk::dns::Lookup;
use landfall::plan::talk::{self, Heard};

pub const DHCP4: &[&[u8]] = &[
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
pub const DHCP6: &[&[u8]] = &[
    b"\0\x01\0\x0a\0\x03\0\x01\x52\x54\0\x12\x34\x56",
    b"\0\x02\0\x04\0\x02\0\xaa",
    b"\0\x03\0\x28\0\x12\x34\x56\0\0\0\0\0\0\0\0",
    b"\0\x05\0\x18\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\x09\0\0\0\x09",
    b"\0\x07\0\x01\xff",
    b"\0\x0d\0\x02\0\x02",
    b"\0\x0e\0\0",
    b"\0\x18\0\x05\x03lab\0",
    b"\0\x38\0\x14\0\x01\0\x10",
    b"\0\x3b\0\x09nfs://a/b",
];
pub const DNS: &[&[u8]] = &[
    b"\xc0\x0c",
    b"\0\x01\0\x01\0\0\0\0\0\x04",
    b"\0\x1c\0\x01\0\0\0\0\0\x10",
    b"\0\x05\0\x01\0\0\0\0\0\x02",
    b"\x81\x80\0\x01\0\x01\0\0\0\0",
    b"\x81\x83\0\x01\0\0\0\0\0\0",
    b"\x81\x82\0\x01\0\0\0\0\0\0",
    b"\x83\x80",
];

pub const HANDED: &[&[u8]] = &[b"'", b"\n", b"\\", b"|", b"[", b"=", b"a.b"];

/// A conversation: what it is told, one after the other. First a byte for what it is, and two for
/// how long: 0 is a server's message to this client from its 9th byte on, 1 a packet as it is,
/// 2 one of ARP, anything else a wait.
pub fn dhcp4(input: &[u8]) {
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

/// A conversation: what it is told, one after the other. First a byte for what it is, and two for
/// how long: 0 is a server's message to this client without its number, 1 a message as it is, 2 and
/// 3 tell whose the address is, anything else is a wait.
pub fn dhcp6(input: &[u8]) {
    let mac = Mac(*b"\x52\x54\0\x12\x34\x56");
    let mut client = talk::dhcp6::Client::new(talk::dhcp6::Options {
        machine: dhcp6::Machine {
            duid: dhcp6::duid_of(mac),
            iaid: dhcp6::iaid_of(mac),
            vendor_class: None,
        },
        information: input.len() % 8 == 7,
        ..talk::dhcp6::Options::default()
    });
    let from = "fe80::1".parse().expect("an address");
    let mut now = Millis(0);
    let mut steps = client.start(now);
    let mut transaction = Vec::new();
    let mut rest = input;
    while let [kind, high, low, tail @ ..] = rest {
        for step in &steps {
            match step {
                talk::dhcp6::Step::Send(message) => transaction = message[1..4].to_vec(),
                talk::dhcp6::Step::Claim(address) => {
                    assert!(!address.is_multicast() && !address.is_unspecified());
                }
                talk::dhcp6::Step::Done(lease) => assert!(lease.lifetime > 0),
                talk::dhcp6::Step::Failed(_) => {}
            }
        }
        assert!(steps.len() <= 2);
        let length = u16::from_be_bytes([*high, *low]);
        let (told, behind) = tail.split_at(usize::from(length).min(tail.len()));
        rest = behind;
        steps = match (kind, told) {
            (0, [kind, options @ ..]) => {
                let bytes = &[&[*kind], &transaction[..], options].concat();
                client.hear(now, talk::dhcp6::Heard::Message { from, bytes })
            }
            (0 | 1, bytes) => client.hear(now, talk::dhcp6::Heard::Message { from, bytes }),
            (2 | 3, _) => client.hear(now, talk::dhcp6::Heard::Claimed(*kind == 2)),
            _ => {
                now = now.plus(length.into());
                rest = tail;
                client.hear(now, talk::dhcp6::Heard::Timer)
            }
        };
        assert!(client.deadline().is_none_or(|due| due > now));
    }
    let _ = client.give_up();
}

/// A lookup: what it is told, one after the other. First a byte for what it is, one for which
/// question, and one for how long: 0 is the answer to that question without its id, and without
/// the question where that should be, 1 a datagram as it is, 2 says that the question is lost,
/// anything else is a wait in hundredths of a second.
pub fn dns(input: &[u8]) {
    let mut lookup = Lookup::new(talk::dns::Options {
        servers: ["192.0.2.1", "2001:db8::1"]
            .map(|server| server.parse().expect("an address"))
            .to_vec(),
        name: "nas".into(),
        search: vec!["lab".into()],
        families: vec![Family::V6, Family::V4],
        seed: 0x5eed,
    });
    let mut now = Millis(0);
    let mut steps = lookup.start(now);
    let mut asked: Vec<Vec<u8>> = Vec::new();
    let mut rest = input;
    loop {
        assert!(steps.len() <= 2);
        for step in &steps {
            match step {
                talk::dns::Step::Ask { ask, query, .. } => {
                    assert_eq!(*ask as usize, asked.len());
                    asked.push(query.clone());
                }
                talk::dns::Step::Done(all) => assert!(!all.is_empty()),
                talk::dns::Step::Failed(_) => {}
            }
        }
        assert!(asked.len() <= 2 * 2 * 2 * talk::dns::ROUNDS);
        assert!(lookup.deadline().is_none_or(|due| due > now));
        let [kind, ask, length, tail @ ..] = rest else {
            break;
        };
        let (told, behind) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = behind;
        let ask = u32::from(*ask);
        steps = match (kind, asked.get(ask as usize)) {
            (0, Some(query)) => {
                let (flags, records) = told.split_at(told.len().min(10));
                let message = [&query[..2], flags, &query[12..], records].concat();
                let message = &message;
                lookup.hear(now, talk::dns::Heard::Answer { ask, message })
            }
            (0 | 1, _) => {
                let message = told;
                lookup.hear(now, talk::dns::Heard::Answer { ask, message })
            }
            (2, _) => lookup.hear(now, talk::dns::Heard::Lost { ask, why: "lost" }),
            _ => {
                now = now.plus(u64::from(*length) * 10);
                rest = tail;
                lookup.hear(now, talk::dns::Heard::Timer)
            }
        };
    }
    let _ = lookup.give_up();
}

/// The texts of a lease, with `|` between them, in the files for the real system.
pub fn hand_over(input: &[u8]) {
    let mut texts = input.split(|byte| *byte == b'|').map(Text::from);
    let client_id = texts.next().unwrap_or_default().0;
    let lease = Lease {
        address: Network::parse("192.0.2.7/24"),
        server: "192.0.2.1".parse().expect("an address"),
        lifetime: 9,
        renew: 4,
        rebind: 8,
        routes: vec![],
        dns: vec![],
        ntp: vec![],
        hostname: texts.next(),
        domain: texts.next(),
        root_path: texts.next(),
        boot_file: texts.next(),
        search: texts
            .map(|text| String::from_utf8_lossy(&text.0).into_owned())
            .collect(),
        mtu: None,
        next_server: None,
        server_name: None,
        client_id,
    };
    let handed = Handed {
        link: "eth0",
        mac: Mac([2, 0, 0, 0, 0, 9]),
        by_name: false,
        made: false,
        how: How::dhcp4(&lease),
        dns: &[],
        ignore_dns: false,
        search: &[],
        router_dns: &[],
        router_search: &[],
        routes: &[],
        hostname: None,
        mtu: None,
        root_server: None,
        root_path: None,
        uptime_s: 1,
    };
    let conf = handed::net_conf(&handed).expect("a plain name").bytes;
    let conf = String::from_utf8(conf).expect("text");
    assert_eq!(conf.lines().count(), 23);
    for line in conf.lines() {
        let (key, value) = line.split_once("='").expect("an assignment");
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric()));
        let value = value.strip_suffix('\'').expect("a quote at the end");
        assert!(!value.replace("'\\''", "").contains('\''), "{line}");
    }
    for (file, lines) in [
        (handed::network(&handed), 10..=14),
        (handed::identity(&handed), 6..=6),
        (handed::connection(&handed), 17..=17),
        (Some(handed::pnp(&handed)), 1..=2),
        (Some(handed::resolv_conf(&[handed])), 1..=2),
    ] {
        let bytes = file.expect("a plain name").bytes;
        let text = String::from_utf8(bytes).expect("text");
        assert!(lines.contains(&text.lines().count()), "{text}");
        assert!(
            text.bytes()
                .all(|b| b == b'\n' || (b' '..=b'~').contains(&b))
        );
    }
}
