//! Conversations with servers that are slow, odd, or two; on links that lose packets.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::super::Dice;
use super::super::tests::{assert_sound, assert_waits};
use super::super::troubles::TROUBLES_MAX;
use super::*;
use crate::base::bytes::{array, be16, u8};
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::address::Mac;
use crate::format::net::dhcp6::{duid_of, iaid_of};
use alloc::string::{String, ToString};

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const ADVERTISE: u8 = 2;
const REPLY: u8 = 7;
/// Servers, by the last byte of their addresses and identifiers.
const A: u8 = 0xa;
const B: u8 = 0xb;

fn address(last: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into())
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&code.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

/// The value of the first option of this code behind `at`.
fn find(message: &[u8], mut at: usize, code: u16) -> Option<&[u8]> {
    loop {
        let (found, length) = (be16(message, at)?, usize::from(be16(message, at + 2)?));
        if found == code {
            return message.get(at + 4..at + 4 + length);
        }
        at += 4 + length;
    }
}

/// What a client says, in words: `solicit`, `request 7 of a`, ….
fn said(step: &Step) -> String {
    let message = match step {
        Step::Done(lease) => match lease.address {
            Some(network) => return format!("done {network}"),
            None => return "done".into(),
        },
        Step::Failed(fault) => return format!("failed {fault}"),
        Step::Claim(address) => return format!("claim {address}"),
        Step::Send(message) => message,
    };
    assert_eq!(find(message, 4, 1), Some(&duid_of(MAC)[..]));
    let server = find(message, 4, 2).and_then(|id| id.last());
    let association = find(message, 4, 3).unwrap_or_default();
    let inside = find(association, 12, 5).and_then(|address| u8(address, 15));
    let what = match message[0] {
        1 => "solicit",
        3 => "request",
        9 => "decline",
        11 => "ask",
        other => panic!("message of type {other}"),
    };
    match (server, inside) {
        (Some(server), Some(inside)) => format!("{what} {inside:x} of {server:x}"),
        (None, None) => what.into(),
        _ => panic!("{message:?}"),
    }
}

/// A client, the time, and what it asked last.
struct Room {
    client: Client,
    now: Millis,
    transaction: [u8; 3],
    elapsed: u16,
    /// Everything that was said so far.
    steps: usize,
}

impl Room {
    fn with(information: bool, tries: Option<u32>) -> Self {
        let machine = Machine {
            duid: duid_of(MAC),
            iaid: iaid_of(MAC),
            vendor_class: None,
        };
        let options = Options {
            machine,
            information,
            tries,
            seed: 0x5eed,
        };
        Self {
            client: Client::new(options),
            now: Millis(5_000),
            transaction: [0; 3],
            elapsed: 0,
            steps: 0,
        }
    }

    /// One that has said its first message.
    fn open(tries: Option<u32>) -> Self {
        let mut room = Self::with(false, tries);
        let steps = room.client.start(room.now);
        assert_eq!(room.take(steps), "solicit");
        room
    }

    fn take(&mut self, steps: Vec<Step>) -> String {
        self.steps += steps.len();
        for step in &steps {
            if let Step::Send(message) = step {
                self.transaction = array(message, 1).unwrap();
                self.elapsed = be16(find(message, 4, 8).unwrap(), 0).unwrap();
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

    fn message(&mut self, kind: u8, server: u8, options: &[u8]) -> String {
        let header = [&[kind][..], &self.transaction].concat();
        let ids = [option(1, &duid_of(MAC)), option(2, &[0, 9, server])].concat();
        let bytes = &[&header, &ids, options].concat();
        let from = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, server.into());
        self.hear(Heard::Message { from, bytes })
    }

    /// A server's message with an address: that of the last byte.
    fn answer(&mut self, kind: u8, server: u8, last: u8, more: &[u8]) -> String {
        self.message(kind, server, &[&given(last), more].concat())
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

fn given(last: u8) -> Vec<u8> {
    let times = [0, 0, 0, 60, 0, 0, 0, 90];
    let inside = [&address(last).octets()[..], &times].concat();
    let link = [
        &iaid_of(MAC).to_be_bytes()[..],
        &[0; 8],
        &option(5, &inside),
    ]
    .concat();
    option(3, &link)
}

fn preferred(preference: u8) -> Vec<u8> {
    option(7, &[preference])
}

fn status(code: u8, text: &str) -> Vec<u8> {
    option(13, &[&[0, code], text.as_bytes()].concat())
}

#[test]
fn a_lease_is_there_when_nobody_else_has_the_address() {
    let mut room = Room::open(None);
    assert_eq!(room.after(20), "");
    assert_eq!(room.answer(ADVERTISE, A, 7, &[]), "");
    assert_eq!(room.waits(1), "request 7 of a");
    assert_eq!(room.elapsed, 0);
    assert_eq!(room.answer(REPLY, A, 7, &[]), "claim 2001:db8::7");
    assert_eq!(room.client.deadline(), None);
    // Whatever comes meanwhile.
    assert_eq!(room.answer(REPLY, A, 8, &[]), "");
    assert_eq!(room.after(5_000), "");
    let steps = room.client.hear(room.now, Heard::Claimed(true));
    let [Step::Done(lease)] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    assert_eq!((lease.lifetime, lease.renew, lease.rebind), (90, 30, 48));
    assert_eq!(lease.server.to_string(), "fe80::a");
    assert_eq!(room.answer(ADVERTISE, A, 7, &[]), "");
    assert_eq!(room.hear(Heard::Claimed(false)), "");
    assert_eq!(room.after(1 << 40), "");
}

#[test]
fn solicit_is_repeated_at_growing_distances() {
    let mut room = Room::open(None);
    let first = room.transaction;
    let mut sum = 0;
    for seconds in [1, 2, 4, 8, 8, 8] {
        let before = room.now;
        assert_eq!(room.waits(seconds), "solicit");
        sum += before.until(room.now);
        assert_eq!(u64::from(room.elapsed), sum / 10);
        assert_eq!(room.transaction, first);
    }
    // A timer that is early, or late by days, changes nothing.
    assert_eq!(room.after(1), "");
    assert_eq!(room.after(1 << 30), "solicit");
    assert_eq!(room.elapsed, u16::MAX);
    assert_eq!(room.answer(ADVERTISE, A, 7, &[]), "request 7 of a");
    assert_ne!(room.transaction, first);
    let fault = room.client.give_up();
    assert_eq!(fault.text, "no DHCPv6 server answered (8 tries)");
    assert_eq!(room.client.deadline(), None);
    assert_eq!(room.answer(REPLY, A, 7, &[]), "");
}

#[test]
fn the_first_wait_is_longer_than_a_second() {
    for seed in 0..200 {
        let mut client = Client::new(Options {
            seed,
            ..Options::default()
        });
        client.start(Millis(0));
        let due = client.deadline().unwrap();
        assert!((1_001..=1_100).contains(&due.0), "{due}");
    }
}

#[test]
fn a_bounded_number_of_tries_ends_with_the_cause() {
    let mut room = Room::open(Some(3));
    let both = (room.waited(), room.waited());
    assert_eq!(both, ("solicit".into(), "solicit".into()));
    assert_eq!(room.waits(4), "failed no DHCPv6 server answered (3 tries)");
    let mut room = Room::open(Some(0));
    assert_eq!(room.message(ADVERTISE, A, &status(2, "full")), "");
    assert_eq!(
        room.waited(),
        "failed no DHCPv6 lease (1 try): the answer of fe80::a has no address for this machine: \
         full"
    );
    // The last try is carried to its end.
    let mut room = Room::open(Some(1));
    room.answer(ADVERTISE, A, 7, &[]);
    assert_eq!(room.waited(), "request 7 of a");
    assert_eq!(room.waited(), "request 7 of a");
    assert_eq!(room.waited(), "request 7 of a");
    let text = "failed no DHCPv6 lease (1 try): fe80::a offered 2001:db8::7, and did not give it \
                then";
    assert_eq!(room.waited(), text);
}

#[test]
fn the_preferred_server_is_taken_and_then_no_other_counts() {
    let mut room = Room::open(None);
    assert_eq!(room.answer(ADVERTISE, A, 7, &[]), "");
    assert_eq!(room.answer(ADVERTISE, B, 8, &preferred(9)), "");
    assert_eq!(room.answer(ADVERTISE, A, 9, &preferred(9)), "");
    assert_eq!(room.waited(), "request 8 of b");
    assert_eq!(room.answer(ADVERTISE, A, 7, &preferred(255)), "");
    assert_eq!(room.answer(REPLY, A, 7, &[]), "");
    assert_eq!(room.message(REPLY, A, &status(1, "")), "");
    assert_eq!(room.answer(REPLY, B, 8, &[]), "claim 2001:db8::8");
    // One that wants no others to be waited for.
    let mut room = Room::open(None);
    assert_eq!(room.answer(ADVERTISE, A, 7, &preferred(254)), "");
    assert_eq!(
        room.answer(ADVERTISE, B, 8, &preferred(255)),
        "request 8 of b"
    );
}

#[test]
fn a_server_may_give_at_once() {
    let rapid = option(14, &[]);
    let mut room = Room::open(None);
    // Without the word it is an answer to something else.
    assert_eq!(room.answer(REPLY, A, 7, &[]), "");
    assert_eq!(
        room.message(REPLY, B, &[&status(2, ""), &rapid[..]].concat()),
        ""
    );
    assert_eq!(room.answer(REPLY, A, 7, &rapid), "claim 2001:db8::7");
    assert_eq!(room.hear(Heard::Claimed(true)), "done 2001:db8::7/128");
}

#[test]
fn what_is_for_others_or_late_does_not_count() {
    let mut room = Room::open(None);
    let transaction = room.transaction;
    room.transaction[2] ^= 1;
    assert_eq!(room.answer(ADVERTISE, A, 7, &preferred(255)), "");
    room.transaction = transaction;
    assert_eq!(
        room.answer(ADVERTISE, A, 7, &preferred(255)),
        "request 7 of a"
    );
    let request = room.transaction;
    room.transaction = transaction;
    assert_eq!(room.answer(REPLY, A, 7, &[]), "");
    assert_eq!(room.hear(Heard::Claimed(true)), "");
    room.transaction = request;
    let from = Ipv6Addr::LOCALHOST;
    for bytes in [&[][..], &[7], &[7, 0, 0, 0], &[0xff; 1500]] {
        assert_eq!(room.hear(Heard::Message { from, bytes }), "");
    }
    assert_eq!(room.answer(REPLY, A, 7, &[]), "claim 2001:db8::7");
    // Not what was offered, but nothing forbids it.
    let mut room = Room::open(None);
    room.answer(ADVERTISE, A, 7, &preferred(255));
    assert_eq!(room.answer(REPLY, A, 9, &[]), "claim 2001:db8::9");
}

#[test]
fn a_server_that_does_not_give_is_left_for_another() {
    let mut room = Room::open(None);
    room.answer(ADVERTISE, A, 7, &preferred(255));
    assert_eq!(room.waits(1), "request 7 of a");
    assert!((90..=110).contains(&room.elapsed));
    assert_eq!(room.waits(2), "request 7 of a");
    assert_eq!(room.waits(4), "solicit");
    // Others have the first wait, whatever they are preferred; then it is better than none.
    assert_eq!(room.answer(ADVERTISE, A, 7, &preferred(255)), "");
    assert_eq!(room.answer(ADVERTISE, B, 8, &[]), "");
    assert_eq!(room.answer(ADVERTISE, A, 7, &preferred(255)), "");
    assert_eq!(room.waited(), "request 8 of b");
    for _ in 0..2 {
        assert_eq!(room.waited(), "request 8 of b");
    }
    assert_eq!(room.waited(), "solicit");
    assert_eq!(room.answer(ADVERTISE, B, 8, &[]), "");
    assert_eq!(room.waited(), "request 8 of b");
}

#[test]
fn a_server_that_refuses_for_ever_is_asked_seldom_and_named() {
    let mut room = Room::open(None);
    for pause in [1, 2, 4, 8, 8] {
        room.answer(ADVERTISE, A, 7, &preferred(255));
        if pause > 1 {
            assert_eq!(room.waited(), "request 7 of a");
        }
        assert_eq!(room.message(REPLY, A, &status(4, "moved")), "");
        assert_eq!(room.message(REPLY, A, &status(4, "moved")), "");
        assert_eq!(room.waits(pause), "solicit");
    }
    assert_eq!(
        room.client.give_up().into_text(),
        "no DHCPv6 lease (6 tries): the answer of fe80::a says that the address does not fit \
         this link: moved"
    );
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let mut room = Room::open(None);
    for pause in [1, 2, 4] {
        assert_eq!(
            room.answer(REPLY, A, 7, &option(14, &[])),
            "claim 2001:db8::7"
        );
        assert_eq!(room.hear(Heard::Claimed(false)), "decline 7 of a");
        // The reply to that.
        assert_eq!(room.message(REPLY, A, &status(0, "")), "");
        assert_eq!(room.waits(pause), "solicit");
    }
    let so_far = room.client.so_far().into_text();
    assert_eq!(
        so_far,
        "no DHCPv6 lease (4 tries): 2001:db8::7, which fe80::a gave, is in use by another machine"
    );
    let mut room = Room::open(Some(1));
    room.answer(REPLY, A, 7, &option(14, &[]));
    let end = room.hear(Heard::Claimed(false));
    assert!(
        end.starts_with("decline 7 of a, failed no DHCPv6 lease (1 try)"),
        "{end}"
    );
}

#[test]
fn what_else_there_is_is_told_without_an_address() {
    let mut room = Room::with(true, None);
    let steps = room.client.start(room.now);
    assert_eq!(room.take(steps), "ask");
    assert_eq!(room.waits(1), "ask");
    assert_eq!(room.waits(2), "ask");
    assert_eq!(room.answer(ADVERTISE, A, 7, &[]), "");
    assert_eq!(room.message(REPLY, A, &status(1, "no")), "");
    assert_eq!(
        room.message(REPLY, A, &option(23, &address(0x53).octets())),
        "done"
    );
    let mut room = Room::with(true, Some(1));
    let steps = room.client.start(room.now);
    room.take(steps);
    assert_eq!(room.waited(), "failed no DHCPv6 server answered (1 try)");
}

/// Every way in which the first packets of each side may be lost.
#[test]
fn whatever_is_lost_the_lease_comes() {
    for lost in 0u32..1 << 10 {
        let mut room = Room::open(None);
        let (mut at, mut heard) = (0, 0);
        let mut passes = || {
            at += 1;
            lost & (1 << (at - 1)) == 0 || at > 10
        };
        let mut last = String::from("solicit");
        for _ in 0..64 {
            let arrives = passes();
            let answer = match last.as_str() {
                "solicit" if arrives && passes() => room.answer(ADVERTISE, A, 7, &[]),
                "request 7 of a" if arrives && passes() => room.answer(REPLY, A, 7, &[]),
                "claim 2001:db8::7" => room.hear(Heard::Claimed(true)),
                _ => String::new(),
            };
            heard += 1;
            last = if answer.is_empty() {
                room.waited()
            } else {
                answer
            };
            if last.starts_with("done") {
                break;
            }
        }
        assert_eq!(last, "done 2001:db8::7/128", "{lost:b}");
        assert!(heard <= 30 && room.steps <= 30);
    }
}

#[test]
fn servers_that_say_anything_make_nobody_spin() {
    let mut dice = Dice::new(7);
    let mut roll = |sides: u32| dice.roll() % sides;
    let mut room = Room::open(None);
    let began = room.now;
    let mut messages = 0;
    while messages < 20_000 {
        messages += 1;
        let server = if roll(2) == 0 { A } else { B };
        let kind = if roll(2) == 0 { ADVERTISE } else { REPLY };
        let mut more = Vec::new();
        for option in [
            option(14, &[]),
            preferred(255),
            status(2, "x"),
            status(4, "y"),
        ] {
            if roll(4) == 0 {
                more.extend(option);
            }
        }
        let last = u8::try_from(roll(4)).unwrap();
        let told = match roll(3) {
            0 => room.message(kind, server, &more),
            1 => room.answer(kind, server, last, &more),
            _ => room.after(1),
        };
        if told.contains("claim") {
            room.hear(Heard::Claimed(false));
        }
    }
    let seconds = began.until(room.now) / 1_000 + 1;
    assert!(
        room.steps as u64 <= 10 + 6 * seconds,
        "{} in {seconds} s",
        room.steps
    );
    let text = room.client.give_up().into_text();
    assert!(text.matches("; ").count() < TROUBLES_MAX, "{text}");
}
