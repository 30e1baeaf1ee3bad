//! Lookups with servers that are dead, slow, lying or two.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::super::tests::assert_sound;
use super::*;
use crate::base::bytes::be16;
use crate::base::text::Joined;
use crate::format::net::domain;
use alloc::string::ToString;

const FIRST: &str = "192.0.2.1";
const SECOND: &str = "192.0.2.2";
const OK: u16 = 0x8180;
const SERVFAIL: u16 = 0x8182;
const NXDOMAIN: u16 = 0x8183;
const REFUSED: u16 = 0x8185;

/// A question that was asked.
struct Question {
    query: Vec<u8>,
}

impl Question {
    /// The answer with these flags and addresses.
    fn answered(&self, flags: u16, addresses: &[&str]) -> Vec<u8> {
        let mut message = self.query.clone();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[7] = addresses.len() as u8;
        for address in addresses {
            message.extend_from_slice(&[0xc0, 12]);
            let (kind, data) = match address.parse().unwrap() {
                IpAddr::V4(v4) => (1, v4.octets().to_vec()),
                IpAddr::V6(v6) => (28, v6.octets().to_vec()),
            };
            message.extend_from_slice(&[0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
            message.extend_from_slice(&data);
        }
        message
    }
}

/// A lookup, the time, and what was asked.
struct Room {
    lookup: Lookup,
    now: Millis,
    asked: Vec<Question>,
    /// Everything that was said, with the number of each question: `1 192.0.2.1 nas A`.
    said: String,
}

impl Room {
    fn open(servers: &[&str], name: &str, search: &[&str], families: &[Family]) -> Self {
        let mut room = Self {
            lookup: Lookup::new(Options {
                servers: servers.iter().map(|s| s.parse().unwrap()).listed(),
                name: name.into(),
                search: search.iter().map(|s| s.to_string()).listed(),
                families: families.to_vec(),
                seed: 0x5eed,
            }),
            now: Millis(5_000),
            asked: Vec::new(),
            said: String::new(),
        };
        let steps = room.lookup.start(room.now);
        room.said = room.take(steps);
        room
    }

    /// For addresses of IPv4 alone, which most tests need.
    fn v4(servers: &[&str], name: &str, search: &[&str]) -> Self {
        Self::open(servers, name, search, &[Family::V4])
    }

    fn take(&mut self, steps: Vec<Step>) -> String {
        let mut said = Vec::new();
        let ended = |step: &Step| matches!(step, Step::Done(_) | Step::Failed(_));
        assert_sound(&steps, ended, self.lookup.deadline(), self.now);
        for step in steps {
            said.push(match step {
                Step::Ask { ask, server, query } => {
                    assert_eq!(ask as usize, self.asked.len());
                    let (name, behind) = domain::read(&query, 12).unwrap();
                    let kind = match be16(&query, behind) {
                        Some(1) => "A",
                        Some(28) => "AAAA",
                        other => panic!("{other:?}"),
                    };
                    self.asked.push(Question { query });
                    format!("{ask} {server} {name} {kind}")
                }
                Step::Done(all) => {
                    let all = all.iter().map(IpAddr::to_string).listed();
                    format!("done {}", all.joined(" "))
                }
                Step::Failed(fault) => format!("failed {fault}"),
            });
        }
        said.joined(", ")
    }

    fn hear(&mut self, ask: u32, message: &[u8]) -> String {
        let steps = self.lookup.hear(self.now, Heard::Answer { ask, message });
        self.take(steps)
    }

    fn answer(&mut self, ask: u32, flags: u16, addresses: &[&str]) -> String {
        let message = self.asked[ask as usize].answered(flags, addresses);
        self.hear(ask, &message)
    }

    fn lost(&mut self, ask: u32, why: &str) -> String {
        let steps = self.lookup.hear(self.now, Heard::Lost { ask, why });
        self.take(steps)
    }

    fn after(&mut self, ms: u64) -> String {
        self.now = self.now.plus(ms);
        let steps = self.lookup.hear(self.now, Heard::Timer);
        self.take(steps)
    }

    /// At the deadline, which is so many milliseconds from now, or a tenth more or less.
    fn waits(&mut self, ms: u64) -> String {
        let until = self
            .now
            .until(self.lookup.deadline().expect("something is awaited"));
        assert!((ms * 9 / 10..=ms * 11 / 10).contains(&until), "{until} ms");
        self.after(until)
    }
}

#[test]
fn the_first_answer_is_the_end() {
    let mut room = Room::v4(&[FIRST, SECOND], "nas.example.", &["lab"]);
    assert_eq!(room.said, "0 192.0.2.1 nas.example A");
    assert_eq!(room.after(20), "");
    let addresses = ["192.0.2.7", "192.0.2.8"];
    assert_eq!(room.answer(0, OK, &addresses), "done 192.0.2.7 192.0.2.8");
    assert_eq!(room.answer(0, OK, &addresses), "");
    assert_eq!(room.after(1 << 40), "");
}

#[test]
fn an_address_is_its_own_result_and_odd_requests_fail_at_once() {
    for (name, said) in [
        ("192.0.2.9", "done 192.0.2.9"),
        ("2001:db8::1", "done 2001:db8::1"),
        (
            "a b.example",
            "failed no address for a b.example: a b.example has characters that names of machines \
             have not",
        ),
        (
            "nas..example",
            "failed no address for nas..example: nas..example has a label that is not of 1 to 63 \
             bytes",
        ),
    ] {
        assert_eq!(Room::v4(&[FIRST], name, &[]).said, said);
    }
    assert_eq!(
        Room::v4(&[], "nas.example", &[]).said,
        "failed no address for nas.example: no DNS server is known"
    );
    assert_eq!(
        Room::open(&[FIRST], "nas.example", &[], &[]).said,
        "failed no address for nas.example: no DNS server answered"
    );
}

#[test]
fn both_families_are_asked_side_by_side_and_the_first_wanted_is_first() {
    let both = [Family::V6, Family::V4, Family::V6];
    let open = || Room::open(&[FIRST], "nas.example", &[], &both);
    let mut room = open();
    assert_eq!(
        room.said,
        "0 192.0.2.1 nas.example AAAA, 1 192.0.2.1 nas.example A"
    );
    assert_eq!(room.answer(1, OK, &["192.0.2.7"]), "");
    assert_eq!(
        room.answer(0, OK, &["2001:db8::7"]),
        "done 2001:db8::7 192.0.2.7"
    );
    // The other's answer is lost, empty, useless, or says that there is no such name.
    let mut room = open();
    assert_eq!(room.answer(1, OK, &["192.0.2.7"]), "");
    assert_eq!(room.after(OTHER_MS - 1), "");
    assert_eq!(room.after(1), "done 192.0.2.7");
    for flags in [OK, NXDOMAIN] {
        let mut room = open();
        assert_eq!(room.answer(1, OK, &["192.0.2.7"]), "");
        assert_eq!(room.answer(0, flags, &[]), "done 192.0.2.7");
        let mut room = open();
        assert_eq!(room.answer(0, OK, &[]), "");
        assert_eq!(room.answer(1, OK, &["192.0.2.7"]), "done 192.0.2.7");
    }
    let mut room = open();
    assert_eq!(room.answer(0, SERVFAIL, &[]), "");
    assert_eq!(room.answer(1, OK, &["192.0.2.7"]), "");
    assert_eq!(room.after(OTHER_MS), "done 192.0.2.7");
    // The answer to one question is none to the other.
    let mut room = open();
    let v4 = room.asked[1].answered(OK, &["192.0.2.7"]);
    assert_eq!(room.hear(0, &v4), "");
}

#[test]
fn dead_servers_are_asked_in_turn_and_then_that_is_the_cause() {
    let mut room = Room::v4(&[FIRST, SECOND, FIRST], "nas.example", &["lab"]);
    let mut ids = Vec::new();
    for (ask, wait) in [(1, 1_000), (2, 1_000), (3, 2_000), (4, 2_000), (5, 4_000)] {
        let server = if ask % 2 == 0 { FIRST } else { SECOND };
        assert_eq!(room.waits(wait), format!("{ask} {server} nas.example A"));
        ids.push(be16(&room.asked[ask].query, 0));
    }
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    assert_eq!(
        room.waits(4_000),
        "failed no address for nas.example: 192.0.2.1 did not answer; 192.0.2.2 did not answer"
    );
    // With three, the whole lookup has a bound.
    let mut room = Room::v4(
        &[FIRST, SECOND, "192.0.2.3", "192.0.2.4"],
        "nas.example",
        &[],
    );
    let mut said = String::new();
    while room.lookup.deadline().is_some() {
        said = room.after(100);
    }
    assert!(said.ends_with("192.0.2.3 did not answer"), "{said}");
    assert_eq!(room.asked.len(), 3 * ROUNDS);
    assert!(Millis(5_000).until(room.now) <= 24_000);
    // A short name is not looked for elsewhere if nobody answers.
    let mut room = Room::v4(&[FIRST], "nas", &["lab"]);
    let last = [room.waits(1_000), room.waits(2_000), room.waits(4_000)];
    assert_eq!(
        last[2],
        "failed no address for nas: 192.0.2.1 did not answer"
    );
}

#[test]
fn a_late_answer_counts() {
    let mut room = Room::v4(&[FIRST, SECOND], "nas.example", &[]);
    assert_eq!(room.waits(1_000), "1 192.0.2.2 nas.example A");
    assert_eq!(room.waits(1_000), "2 192.0.2.1 nas.example A");
    // One that is late and useless does not hurry the server that is asked now.
    assert_eq!(room.answer(1, SERVFAIL, &[]), "");
    assert_eq!(room.answer(0, OK, &["192.0.2.7"]), "done 192.0.2.7");
}

#[test]
fn what_somebody_made_up_does_not_count() {
    let mut room = Room::v4(&[FIRST, SECOND], "nas.example", &[]);
    assert_eq!(room.waits(1_000), "1 192.0.2.2 nas.example A");
    let right = room.asked[1].answered(OK, &["192.0.2.66"]);
    // At the other server's socket, at none, with another id, for another name, cut off, empty.
    for ask in [0, 2, u32::MAX] {
        assert_eq!(room.hear(ask, &right), "");
    }
    for at in [0, 1, 2, 14] {
        let mut wrong = right.clone();
        wrong[at] ^= 0x80;
        assert_eq!(room.hear(1, &wrong), "", "{at}");
    }
    assert_eq!(room.hear(1, &right[..28]), "");
    assert_eq!(room.hear(1, &[]), "");
    assert_eq!(room.hear(1, &right), "done 192.0.2.66");
}

#[test]
fn a_name_that_does_not_exist_ends_at_once() {
    let mut room = Room::open(
        &[FIRST],
        "nas",
        &["lab", "a b", "x.org."],
        &[Family::V4, Family::V6],
    );
    assert_eq!(room.said, "0 192.0.2.1 nas.lab A, 1 192.0.2.1 nas.lab AAAA");
    assert_eq!(
        room.answer(1, NXDOMAIN, &[]),
        "2 192.0.2.1 nas.x.org A, 3 192.0.2.1 nas.x.org AAAA"
    );
    // The other answer, and the same once more, are about what is over.
    assert_eq!(room.answer(0, NXDOMAIN, &[]), "");
    assert_eq!(room.answer(1, NXDOMAIN, &[]), "");
    assert_eq!(room.answer(0, OK, &["192.0.2.7"]), "");
    assert_eq!(room.answer(2, OK, &[]), "");
    assert_eq!(
        room.answer(3, OK, &[]),
        "4 192.0.2.1 nas A, 5 192.0.2.1 nas AAAA"
    );
    assert_eq!(
        room.answer(4, NXDOMAIN, &[]),
        "failed no address for nas: there is no nas.lab, says 192.0.2.1; nas.x.org has no IPv4 \
         address, says 192.0.2.1; nas.x.org has no IPv6 address, says 192.0.2.1; there is no nas, \
         says 192.0.2.1"
    );
    // With a dot, only the name itself.
    let mut room = Room::v4(&[FIRST], "nas.example", &["lab"]);
    let said = room.answer(0, NXDOMAIN, &[]);
    assert!(said.starts_with("failed"), "{said}");
    let domains = ["a"; 40];
    let mut room = Room::v4(&[FIRST], "nas", &domains);
    let said: Vec<String> = (0..SEARCH_MAX as u32)
        .map(|n| room.answer(n, NXDOMAIN, &[]))
        .listed();
    assert_eq!(said.last().map(String::as_str), Some("6 192.0.2.1 nas A"));
}

#[test]
fn a_server_that_cannot_tell_is_left_for_the_next() {
    let mut room = Room::v4(&[FIRST, SECOND], "nas.example", &[]);
    assert_eq!(room.answer(0, SERVFAIL, &[]), "1 192.0.2.2 nas.example A");
    // The round is over, the second's wait is not.
    assert_eq!(room.answer(1, REFUSED, &[]), "");
    assert_eq!(room.answer(1, REFUSED, &[]), "");
    assert_eq!(room.waits(1_000), "2 192.0.2.1 nas.example A");
    assert_eq!(room.answer(2, OK, &["192.0.2.7"]), "done 192.0.2.7");
    // Cut off: what is there counts, and nothing is as good as none.
    let mut room = Room::v4(&[FIRST, SECOND], "nas.example", &[]);
    assert_eq!(room.answer(0, OK | 0x200, &[]), "1 192.0.2.2 nas.example A");
    let cut = OK | 0x200;
    assert_eq!(room.answer(1, cut, &["192.0.2.7"]), "done 192.0.2.7");
    // For ever.
    let mut room = Room::v4(&[FIRST], "nas.example", &[]);
    assert_eq!(room.answer(0, SERVFAIL, &[]), "");
    assert_eq!(room.waits(1_000), "1 192.0.2.1 nas.example A");
    assert_eq!(room.answer(1, SERVFAIL, &[]), "");
    assert_eq!(room.waits(2_000), "2 192.0.2.1 nas.example A");
    assert_eq!(
        room.answer(2, SERVFAIL, &[]),
        "failed no address for nas.example: 192.0.2.1 cannot find out (SERVFAIL)"
    );
}

#[test]
fn a_question_that_cannot_be_sent_is_lost_at_once() {
    let mut room = Room::v4(&["2001:db8::1", FIRST], "nas.example", &[]);
    let said = room.lost(0, "Network is unreachable");
    assert_eq!(said, "1 192.0.2.1 nas.example A");
    assert_eq!(room.lost(0, "Network is unreachable"), "");
    assert_eq!(room.lost(77, "?"), "");
    assert_eq!(room.lost(1, "Connection refused"), "");
    assert_eq!(room.waits(1_000), "2 2001:db8::1 nas.example A");
    assert_eq!(
        room.lookup.give_up().text,
        "no address for nas.example: 2001:db8::1: Network is unreachable; 192.0.2.1: Connection \
         refused"
    );
    assert_eq!(
        (room.lookup.deadline(), room.after(1 << 20)),
        (None, String::new())
    );
    assert_eq!(room.answer(2, OK, &["192.0.2.7"]), "");
}

#[test]
fn a_lookup_ends_whatever_is_heard() {
    let search = ["a", "b", "c", "d", "e", "f", "g"];
    let both = [Family::V4, Family::V6];
    for round in 0..40 {
        let mut random = Dice::new(round);
        let mut room = Room::open(&[FIRST, SECOND, "192.0.2.3"], "nas", &search, &both);
        let mut said = String::new();
        while room.lookup.deadline().is_some() {
            let mut any = |of: usize| random.roll() as usize % of;
            let ask = any(room.asked.len() + 1);
            let flags = [SERVFAIL, REFUSED, OK, NXDOMAIN][any(2 + round as usize % 3)];
            said = match any(4) {
                0 if ask < room.asked.len() => room.answer(ask as u32, flags, &[]),
                1 => room.lost(ask as u32, "lost"),
                _ => room.after(any(40) as u64),
            };
        }
        assert!(said.starts_with("failed"), "{said}");
        assert!(Millis(5_000).until(room.now) <= LOOKUP_MS + 40, "{round}");
        assert!(room.asked.len() <= 7 * 3 * 2 * ROUNDS, "{round}");
        assert!(said.len() < 500, "{said}");
    }
}

#[test]
fn damaged_answers_never_panic() {
    let mut random = Dice::new(0x5eed);
    let both = [Family::V4, Family::V6];
    let mut room = Room::open(&[FIRST, SECOND], "nas", &["lab"], &both);
    for _ in 0..20_000 {
        let mut any = |of: usize| random.roll() as usize % of;
        let ask = any(room.asked.len());
        let mut message = room.asked[ask].answered(OK, &["192.0.2.7", "2001:db8::7"]);
        for _ in 0..1 + any(3) {
            let at = any(message.len());
            message[at] = any(256) as u8;
        }
        message.truncate(message.len() - any(3));
        let ms = any(300) as u64;
        room.hear(ask as u32, &message);
        room.after(ms);
        if room.lookup.deadline().is_none() {
            room = Room::open(&[FIRST, SECOND], "nas", &["lab"], &both);
        }
    }
}
