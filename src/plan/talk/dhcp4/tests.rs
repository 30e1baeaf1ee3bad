//! Conversations with servers that are slow, odd, or two; on links that lose packets.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::super::Dice;
use super::super::tests::{assert_sound, assert_waits};
use super::super::troubles::TROUBLES_MAX;
use super::*;
use crate::base::bytes::{array, be32, u8};
use crate::base::list::Listed;
use crate::base::text::Joined;
use alloc::string::String;
use alloc::vec;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const OTHER: Mac = Mac([2, 0, 0, 0, 0, 9]);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

/// What a client sends, in words: `discover`, `request 192.0.2.7 of 192.0.2.1`, ….
fn said(step: &Step) -> String {
    match step {
        Step::Done(lease) => format!("done {}", lease.address.unwrap()),
        Step::Failed(fault) => format!("failed {fault}"),
        Step::SendArp { to, packet } => {
            let arp = Arp::parse(packet).unwrap();
            assert_eq!((*to, arp.sender_mac), (Mac::BROADCAST, MAC));
            assert!(!arp.reply && arp.sender.is_unspecified());
            format!("probe {}", arp.target)
        }
        Step::SendIp { to, packet } => {
            let datagram = Datagram::parse(packet, UdpSum::Made).unwrap();
            assert_eq!((*to, datagram.from.port()), (Mac::BROADCAST, 68));
            assert!(datagram.to.ip().is_broadcast());
            let own = Ipv4Addr::from(array::<4>(datagram.payload, 12).unwrap());
            assert_eq!(*datagram.from.ip(), own);
            if !own.is_unspecified() {
                // Neither the server nor the address in an option (RFC 2131 §4.3.2).
                let option = |at: &[u8]| matches!(at, [50 | 54, 4]);
                assert!(!datagram.payload[240..].windows(2).any(option));
                return format!("extend {own}");
            }
            let address = |code| {
                let option = |at: &&[u8]| at.starts_with(&[code, 4]);
                let found = datagram.payload.windows(6).find(option).unwrap();
                Ipv4Addr::from(array::<4>(found, 2).unwrap())
            };
            match u8(datagram.payload, 242).unwrap() {
                1 => "discover".into(),
                3 => format!("request {} of {}", address(50), address(54)),
                4 => format!("decline {} of {}", address(50), address(54)),
                other => panic!("message of type {other}"),
            }
        }
    }
}

/// A client, the time, and what it asked last.
struct Room {
    client: Client,
    now: Millis,
    xid: u32,
    mac: Mac,
    /// Everything that was said so far.
    steps: usize,
}

impl Room {
    fn with(tries: Option<u32>) -> Self {
        Self::of(tries, None)
    }

    /// One that asks for more of a lease that ends in so many seconds.
    fn extending(rest: u32) -> Self {
        let mut room = Self::of(
            None,
            Some(Extend {
                address: ADDRESS,
                server: SERVER,
                rest,
            }),
        );
        let steps = room.client.start(room.now);
        assert_eq!(room.take(steps), "extend 192.0.2.7");
        room
    }

    fn of(tries: Option<u32>, extend: Option<Extend>) -> Self {
        let machine = Machine {
            mac: MAC,
            client_id: vec![1, 2, 3],
            ..Machine::default()
        };
        let seed = 0x5eed;
        Self {
            client: Client::new(Options {
                machine,
                tries,
                extend,
                seed,
            }),
            now: Millis(5_000),
            xid: 0,
            mac: MAC,
            steps: 0,
        }
    }

    /// One that has said its first DISCOVER.
    fn open(tries: Option<u32>) -> Self {
        let mut room = Self::with(tries);
        let steps = room.client.start(room.now);
        assert_eq!(room.take(steps), "discover");
        room
    }

    fn take(&mut self, steps: Vec<Step>) -> String {
        self.steps += steps.len();
        for step in &steps {
            if let Step::SendIp { packet, .. } = step {
                self.xid = be32(packet, 28 + 4).unwrap();
            }
        }
        let ended = |step: &Step| matches!(step, Step::Done(_) | Step::Failed(_));
        assert_sound(&steps, ended, self.client.deadline(), self.now);
        steps.iter().map(said).listed().joined(", ")
    }

    fn hear(&mut self, heard: Heard<'_>) -> String {
        let steps = self.client.hear(self.now, heard);
        self.take(steps)
    }

    /// A server's message: 2 offers, 5 acknowledges, 6 refuses.
    fn answer(&mut self, kind: u8, server: Ipv4Addr, address: Ipv4Addr) -> String {
        let packet = answer_of(kind, server, address, self.xid, self.mac, &[]);
        self.hear(Heard::Ip(&packet, UdpSum::Made))
    }

    fn arp(&mut self, arp: Arp) -> String {
        self.hear(Heard::Arp(&arp.build()))
    }

    fn after(&mut self, ms: u64) -> String {
        self.now = self.now.plus(ms);
        self.hear(Heard::Timer)
    }

    /// At the deadline.
    fn waited(&mut self) -> String {
        self.now = self.client.deadline().expect("something is awaited");
        self.hear(Heard::Timer)
    }

    /// At the deadline, which is so many seconds from now, or a tenth more or less.
    fn waits(&mut self, seconds: u64) -> String {
        assert_waits(self.client.deadline(), self.now, seconds);
        self.waited()
    }
}

fn answer_of(
    kind: u8,
    server: Ipv4Addr,
    address: Ipv4Addr,
    xid: u32,
    mac: Mac,
    options: &[u8],
) -> Vec<u8> {
    let mut payload = vec![2, 1, 6, 0];
    payload.extend_from_slice(&xid.to_be_bytes());
    payload.resize(16, 0);
    payload.extend_from_slice(&address.octets());
    payload.resize(28, 0);
    payload.extend_from_slice(&mac.0);
    payload.resize(236, 0);
    payload.extend_from_slice(&[99, 130, 83, 99, 53, 1, kind, 54, 4]);
    payload.extend_from_slice(&server.octets());
    payload.extend_from_slice(&[1, 4, 255, 255, 255, 0]);
    payload.extend_from_slice(options);
    payload.push(255);
    let datagram = Datagram {
        from: SocketAddrV4::new(server, 67),
        to: SocketAddrV4::new(Ipv4Addr::BROADCAST, 68),
        payload: &payload,
    };
    datagram.build().unwrap()
}

const REQUEST: &str = "request 192.0.2.7 of 192.0.2.1, probe 192.0.2.7";

#[test]
fn a_lease_is_there_when_the_ack_is_and_nobody_answered_the_probe() {
    let mut room = Room::open(None);
    assert_eq!(room.after(20), "");
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
    assert_eq!(room.after(10), "");
    assert_eq!(room.answer(5, SERVER, ADDRESS), "");
    assert_eq!(room.after(89), "");
    assert_eq!(room.after(1), "done 192.0.2.7/24");
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    assert_eq!(room.after(1 << 40), "");
    // The ACK is later than the probe's end.
    let mut room = Room::open(None);
    room.answer(2, SERVER, ADDRESS);
    assert_eq!(room.after(101), "");
    let steps = {
        let packet = answer_of(5, SERVER, ADDRESS, room.xid, MAC, &[51, 4, 0, 0, 14, 16]);
        room.client.hear(room.now, Heard::Ip(&packet, UdpSum::Made))
    };
    let [Step::Done(lease)] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    assert_eq!(
        (lease.lifetime, lease.renew, lease.rebind),
        (3600, 1800, 3150)
    );
    assert_eq!(lease.client_id, [1, 2, 3]);
    assert_eq!(lease.server, IpAddr::V4(SERVER));
}

#[test]
fn discover_is_repeated_at_growing_distances() {
    let mut room = Room::open(None);
    for seconds in [1, 2, 4, 8, 8, 8] {
        assert_eq!(room.waits(seconds), "discover");
    }
    // A timer that is early, or late by days, changes nothing.
    assert_eq!(room.after(1), "");
    assert_eq!(room.after(1 << 30), "discover");
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
    let fault = room.client.give_up();
    assert_eq!(fault.text, "no DHCP server answered (8 tries)");
    assert_eq!(room.client.deadline(), None);
    assert_eq!(room.answer(5, SERVER, ADDRESS), "");
}

#[test]
fn a_bounded_number_of_tries_ends_with_the_cause() {
    let mut room = Room::open(Some(3));
    assert_eq!(
        (room.waited(), room.waited()),
        ("discover".into(), "discover".into())
    );
    assert_eq!(room.waits(4), "failed no DHCP server answered (3 tries)");
    let mut room = Room::open(Some(0));
    let no_host = Ipv4Addr::new(127, 0, 0, 1);
    assert_eq!(room.answer(2, SERVER, no_host), "");
    assert_eq!(
        room.waited(),
        "failed no DHCP lease (1 try): the answer of 192.0.2.1 gives no address that a machine \
         can have"
    );
}

#[test]
fn only_the_first_offer_and_its_server_count() {
    let mut room = Room::open(None);
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    assert_eq!(room.answer(2, SECOND, Ipv4Addr::new(192, 0, 2, 8)), "");
    assert_eq!(room.answer(5, SECOND, ADDRESS), "");
    assert_eq!(room.answer(6, SECOND, ADDRESS), "");
    assert_eq!(room.after(200), "");
    assert_eq!(room.answer(5, SERVER, ADDRESS), "done 192.0.2.7/24");
    // An ACK or a NAK that nobody waits for; twice; another machine's.
    let mut room = Room::open(None);
    assert_eq!(room.answer(5, SERVER, ADDRESS), "");
    assert_eq!(room.answer(6, SERVER, ADDRESS), "");
    room.mac = OTHER;
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    room.mac = MAC;
    room.xid ^= 1;
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    room.xid ^= 1;
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
    assert_eq!(room.answer(5, SERVER, ADDRESS), "");
    assert_eq!(room.answer(5, SERVER, ADDRESS), "");
    assert_eq!(room.answer(6, SERVER, ADDRESS), "");
    assert_eq!(room.waited(), "done 192.0.2.7/24");
}

#[test]
fn a_late_offer_counts_and_a_port_or_a_sum_that_is_wrong_does_not() {
    let mut room = Room::open(None);
    assert_eq!(room.waited(), "discover");
    let xid = room.xid;
    assert_eq!((room.waited(), room.xid), ("discover".into(), xid));
    let mut offer = answer_of(2, SERVER, ADDRESS, xid, MAC, &[]);
    for (at, sum) in [(23, UdpSum::LeftToCard), (26, UdpSum::Made)] {
        let mut wrong = offer.clone();
        wrong[at] ^= 4;
        assert_eq!(room.hear(Heard::Ip(&wrong, sum)), "");
    }
    offer[26] ^= 4;
    assert_eq!(room.hear(Heard::Ip(&offer, UdpSum::LeftToCard)), REQUEST);
}

#[test]
fn a_server_that_does_not_acknowledge_is_left_for_another() {
    let mut room = Room::open(None);
    let first = room.xid;
    room.answer(2, SERVER, ADDRESS);
    assert_eq!(room.waits(1), REQUEST);
    assert_eq!(room.waits(2), REQUEST);
    assert_eq!(room.waits(4), "discover");
    assert_ne!(room.xid, first);
    // Others have a second; then it is better than none.
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    let taken = "request 192.0.2.7 of 192.0.2.2, probe 192.0.2.7";
    assert_eq!(room.answer(2, SECOND, ADDRESS), taken);
    assert_eq!((room.waited(), room.waited()), (taken.into(), taken.into()));
    assert_eq!(room.waited(), "discover");
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
    let text = room.client.give_up().into_text();
    assert_eq!(
        text,
        "no DHCP lease (3 tries): 192.0.2.1 offered 192.0.2.7, and did not acknowledge it; \
         192.0.2.2 offered 192.0.2.7, and did not acknowledge it"
    );
    let mut room = Room::open(None);
    room.answer(2, SERVER, ADDRESS);
    room.waited();
    room.waited();
    room.waited();
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    assert_eq!(room.waited(), "discover");
    assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
}

#[test]
fn a_server_that_refuses_for_ever_is_asked_seldom_and_named() {
    let mut room = Room::open(None);
    for pause in [1, 2, 4, 8, 8] {
        if room.answer(2, SERVER, ADDRESS).is_empty() {
            assert_eq!(room.waited(), "discover");
            assert_eq!(room.answer(2, SERVER, ADDRESS), REQUEST);
        }
        let text = [&[56, 7][..], b"no room"].concat();
        let nak = answer_of(6, SERVER, Ipv4Addr::UNSPECIFIED, room.xid, MAC, &text);
        assert_eq!(room.hear(Heard::Ip(&nak, UdpSum::Made)), "");
        assert_eq!(room.hear(Heard::Ip(&nak, UdpSum::Made)), "");
        assert_eq!(room.waits(pause), "discover");
    }
    let text = room.client.give_up().into_text();
    assert_eq!(
        text,
        "no DHCP lease (10 tries): 192.0.2.1 refused 192.0.2.7: no room"
    );
    let mut room = Room::open(Some(1));
    room.answer(2, SERVER, ADDRESS);
    assert_eq!(
        room.answer(6, SERVER, ADDRESS),
        "failed no DHCP lease (1 try): 192.0.2.1 refused 192.0.2.7"
    );
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let asked = Arp::probe(MAC, ADDRESS);
    let claim = asked.answered_by(OTHER);
    // With and without the ACK; a reply, or a request of whoever has the address.
    for (acknowledged, claim) in [
        (false, claim),
        (true, claim),
        (true, Arp::request(OTHER, ADDRESS, SERVER)),
    ] {
        let mut room = Room::open(None);
        room.answer(2, SERVER, ADDRESS);
        if acknowledged {
            room.answer(5, SERVER, ADDRESS);
        }
        assert_eq!(room.after(99), "");
        assert_eq!(room.arp(claim), "decline 192.0.2.7 of 192.0.2.1");
        assert_eq!(room.arp(claim), "");
        assert_eq!(room.answer(5, SERVER, ADDRESS), "");
        assert_eq!(room.waits(1), "discover");
        let next = Ipv4Addr::new(192, 0, 2, 8);
        assert!(
            room.answer(2, SERVER, next)
                .starts_with("request 192.0.2.8")
        );
        assert_eq!(room.answer(5, SERVER, next), "");
        assert_eq!(room.arp(claim), "", "the other address is free");
        assert_eq!(room.waited(), "done 192.0.2.8/24");
    }
    let mut room = Room::open(Some(1));
    room.answer(2, SERVER, ADDRESS);
    assert_eq!(
        room.arp(claim),
        "decline 192.0.2.7 of 192.0.2.1, failed no DHCP lease (1 try): 192.0.2.7, which \
         192.0.2.1 offered, is in use by 02:00:00:00:00:09"
    );
}

#[test]
fn what_is_no_claim_is_no_conflict() {
    let mut room = Room::open(None);
    room.answer(2, SERVER, ADDRESS);
    room.answer(5, SERVER, ADDRESS);
    for arp in [
        Arp::probe(MAC, ADDRESS),
        Arp::probe(OTHER, ADDRESS),
        Arp::request(OTHER, SERVER, ADDRESS),
        Arp::request(MAC, ADDRESS, ADDRESS),
        Arp::probe(MAC, SERVER).answered_by(OTHER),
    ] {
        assert_eq!(room.arp(arp), "", "{arp:?}");
    }
    assert_eq!(room.hear(Heard::Arp(&[0; 27])), "");
    assert_eq!(room.waited(), "done 192.0.2.7/24");
}

#[test]
fn another_address_than_the_one_offered_is_probed_too() {
    let mut room = Room::open(None);
    room.answer(2, SERVER, ADDRESS);
    assert_eq!(room.after(99), "");
    let other = Ipv4Addr::new(192, 0, 2, 8);
    assert_eq!(room.answer(5, SERVER, other), "probe 192.0.2.8");
    assert_eq!(room.after(99), "");
    let claim = Arp::probe(MAC, other).answered_by(OTHER);
    assert_eq!(room.arp(claim), "decline 192.0.2.8 of 192.0.2.1");
}

#[test]
fn the_latest_troubles_are_remembered() {
    let mut room = Room::open(None);
    for n in 1..=9 {
        room.answer(2, Ipv4Addr::new(10, 0, 0, n), Ipv4Addr::LOCALHOST);
        room.answer(2, Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::LOCALHOST);
    }
    let text = room.client.give_up().into_text();
    let servers = text.split("answer of ").skip(1);
    let servers: Vec<&str> = servers.filter_map(|s| s.split(' ').next()).collect();
    assert_eq!(servers, ["10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9"]);
}

/// A server that is right, behind a link that loses the packets whose numbers are in `lost`;
/// numbers count both directions. How long until there is a lease?
fn lossy(lost: u32) -> u64 {
    let mut room = Room::with(None);
    let mut steps = room.client.start(room.now);
    let mut number = 0;
    let mut arrives = move || {
        number += 1;
        lost.checked_shr(number - 1).unwrap_or(0) & 1 == 0
    };
    for _ in 0..100 {
        let mut answers = Vec::new();
        for step in &steps {
            let heard = match said(step) {
                word if word.starts_with("done") => return Millis(5_000).until(room.now),
                word if word == "discover" => 2,
                word if word.starts_with("request") => 5,
                _ => continue,
            };
            if arrives() && arrives() {
                answers.push(heard);
            }
        }
        room.take(core::mem::take(&mut steps));
        for kind in answers {
            let packet = answer_of(kind, SERVER, ADDRESS, room.xid, MAC, &[]);
            steps.extend(room.client.hear(room.now, Heard::Ip(&packet, UdpSum::Made)));
        }
        if steps.is_empty() {
            room.now = room.client.deadline().unwrap();
            steps = room.client.hear(room.now, Heard::Timer);
        }
    }
    panic!("no lease, {lost:b} lost");
}

#[test]
fn packets_may_be_lost_in_every_position() {
    assert_eq!(lossy(0), PROBE_MS);
    for lost in 1..1 << 8 {
        let took = lossy(lost);
        assert!(took < 60_000, "{lost:b}: {took} ms");
    }
    for one in 0..4 {
        let took = lossy(1 << one);
        assert!(took <= 1_100 + PROBE_MS, "{one}: {took} ms");
    }
}

#[test]
fn nothing_that_is_heard_makes_it_talk_much() {
    let mut random = Dice::new(0x5eed);
    let addresses = [
        ADDRESS,
        SERVER,
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::new(10, 0, 0, 1),
    ];
    for round in 0..12 {
        let mut room = Room::open(None);
        room.client.tries.dice = Dice::new(round);
        // A minute in which everything arrives, a thousand times each second.
        let mut done = false;
        for _ in 0..60_000 {
            room.now = room.now.plus(1);
            let mut any = |of: u32| random.roll().checked_rem(of).unwrap_or(0);
            let address = addresses[any(4) as usize];
            let server = [SERVER, SECOND][any(2) as usize];
            let said = match (round % 3, any(8)) {
                (_, 0) => room.hear(Heard::Timer),
                (0, 1) | (_, 2) => room.answer(6, server, address),
                (1, 3) => room.arp(Arp::probe(MAC, address).answered_by(OTHER)),
                (2, 4) => room.answer(any(8) as u8, server, Ipv4Addr::LOCALHOST),
                _ => room.answer(2, server, address),
            };
            done |= said.starts_with("done") || said.starts_with("failed");
        }
        assert!(!done, "nobody acknowledged");
        assert!(room.steps < 100, "{round}: {} steps", room.steps);
        let text = room.client.give_up().into_text();
        assert!(text.len() < 1_000, "{text}");
        assert!(text.matches("; ").count() < TROUBLES_MAX, "{text}");
    }
}

#[test]
fn damaged_packets_never_panic() {
    let mut random = Dice::new(0x5eed);
    let mut room = Room::open(None);
    let name = [&[12, 3][..], b"box", &[52, 1, 3]].concat();
    for _ in 0..20_000 {
        let mut any = |of: usize| random.roll() as usize % of;
        let kind = [2, 2, 5, 6][any(4)];
        let mut packet = answer_of(kind, SERVER, ADDRESS, room.xid, MAC, &name);
        for _ in 0..any(4) {
            let at = 28 + any(packet.len() - 28);
            packet[at] = any(256) as u8;
        }
        packet.truncate(packet.len() - any(3));
        let ms = any(300) as u64;
        room.hear(Heard::Ip(&packet, UdpSum::LeftToCard));
        if room.after(ms).starts_with("done") {
            room = Room::open(None);
        }
    }
}

#[test]
fn more_of_a_lease_is_there_when_the_ack_is() {
    let mut room = Room::extending(1_000);
    assert_eq!(room.answer(2, SERVER, ADDRESS), "");
    assert_eq!(room.answer(5, SERVER, Ipv4Addr::new(192, 0, 2, 8)), "");
    // No probe: the address is this machine's. Whoever knows of the lease may answer.
    assert_eq!(room.answer(5, SECOND, ADDRESS), "done 192.0.2.7/24");
    assert_eq!(room.client.deadline(), None);
}

#[test]
fn more_of_a_lease_is_asked_for_until_it_ends() {
    let mut room = Room::extending(100);
    assert_eq!(room.arp(Arp::probe(OTHER, ADDRESS).answered_by(OTHER)), "");
    // Half of what is left each time, and eight seconds at least.
    for (waits, left) in [(50, 50), (25, 25), (12, 13)] {
        let before = room.now;
        assert_eq!(room.waited(), "extend 192.0.2.7", "{left} s are left");
        let seconds = before.until(room.now).div_euclid(1_000);
        assert_eq!(seconds, waits);
    }
    let mut last = room.waited();
    while last == "extend 192.0.2.7" {
        last = room.waited();
    }
    assert_eq!(last, "failed no DHCP server answered (5 tries)");
    assert_eq!(room.now, Millis(105_000));
}

#[test]
fn only_its_own_server_ends_a_lease_early() {
    let mut room = Room::extending(1_000);
    assert_eq!(room.answer(6, SECOND, ADDRESS), "");
    assert_eq!(
        room.answer(6, SERVER, ADDRESS),
        "failed no DHCP lease (1 try): 192.0.2.1 refused 192.0.2.7"
    );
}
