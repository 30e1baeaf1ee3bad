//! Messages made by hand after RFC 1035, in hexadecimal digits.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::base::hex;
use crate::base::list::Listed;
use alloc::string::String;
use alloc::{format, vec};

/// `nas.example`, the question at byte 12, and its name as a pointer.
const NAS: &str = "03 6e6173 07 6578616d706c65 00";
const HERE: &str = "c00c";
const A: &str = "0001 0001 00000e10 0004";
const AAAA: &str = "001c 0001 00000e10 0010";
const V6: &str = "20010db8 00000000 00000000 00000007";

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace([' ', '\n'], "").as_bytes()).expect(digits)
}

fn nas() -> Name {
    Name::parse("nas.example").expect("a name")
}

/// The answer with these flags and this many records.
fn message(flags: &str, count: u16, records: &str) -> Vec<u8> {
    bytes(&format!(
        "1234 {flags} 0001 {count:04x} 0000 0000 {NAS} 0001 0001 {records}"
    ))
}

fn told(message: &[u8]) -> String {
    match answer(message, 0x1234, &nas(), Family::V4) {
        None => "nothing".into(),
        Some(Answer::Addresses(all)) => format!("{all:?}"),
        Some(Answer::NoAddress) => "no address".into(),
        Some(Answer::NoName) => "no name".into(),
        Some(Answer::Useless(why)) => why.into(),
    }
}

#[test]
fn a_query_asks_for_one_type_of_one_name() {
    for (family, kind) in [(Family::V4, "0001"), (Family::V6, "001c")] {
        let expected = format!("1234 0100 0001 0000 0000 0000 {NAS} {kind} 0001");
        assert_eq!(query(0x1234, &nas(), family), bytes(&expected));
    }
}

#[test]
fn an_answer_is_what_its_code_and_records_say() {
    let a = format!("{HERE} {A} c0000207");
    let two = format!("{a} {a} {HERE} {A} c0000208");
    let no_hosts = format!("{HERE} {A} 00000000 {HERE} {A} ffffffff {HERE} {A} e0000001");
    // Of another name, another class, another type, and too short.
    let others = format!(
        "{NAS}{a} 036e6173 00 {A} c0000209 {HERE} 0001 0003 00000000 0004 c0000209 \
         {HERE} {AAAA} {V6} {HERE} 0001 0001 00000000 0003 c00002"
    );
    let others = others.strip_prefix(NAS).unwrap_or_default();
    for (flags, count, records, expected) in [
        ("8180", 1, a.as_str(), "[192.0.2.7]"),
        ("8180", 3, &two, "[192.0.2.7, 192.0.2.8]"),
        ("8180", 5, others, "[192.0.2.7]"),
        ("8180", 0, "", "no address"),
        ("8580", 0, "", "no address"),
        ("8500", 0, "", "no address"),
        ("8180", 3, &no_hosts, "no address"),
        ("8100", 0, "", "does not look names up for others"),
        ("8183", 0, "", "no name"),
        ("8181", 0, "", "does not understand the question (FORMERR)"),
        ("8182", 1, &a, "cannot find out (SERVFAIL)"),
        ("8184", 0, "", "does not answer such questions (NOTIMP)"),
        ("8185", 0, "", "refuses to answer (REFUSED)"),
        (
            "8189",
            0,
            "",
            "answers with an error that is not of questions",
        ),
        // Cut off: what is there counts.
        ("8380", 9, &two, "[192.0.2.7, 192.0.2.8]"),
        ("8380", 0, "", "answers with more than fits into a datagram"),
        ("8180", 2, &a, "[192.0.2.7]"),
        ("8180", 1, HERE, "answers with bytes that are no records"),
        // A question, or something else than a question's answer.
        ("0100", 1, &a, "nothing"),
        ("a180", 1, &a, "nothing"),
    ] {
        assert_eq!(
            told(&message(flags, count, records)),
            expected,
            "{flags} {records}"
        );
    }
}

#[test]
fn only_the_answer_to_the_question_counts() {
    let a = format!("{HERE} {A} c0000207");
    let right = message("8180", 1, &a);
    for (what, at, bits) in [
        ("id", 0, 1),
        ("id", 1, 1),
        ("no question", 5, 1),
        ("two questions", 5, 3),
        ("another name", 14, 1),
        ("type", 26, 1),
        ("class", 28, 2),
    ] {
        let mut wrong = right.clone();
        wrong[at] ^= bits;
        assert_eq!(told(&wrong), "nothing", "{what}");
    }
    // Letters of another case are the same name.
    let mut shouted = right.clone();
    shouted[13..16].copy_from_slice(b"NAS");
    assert_eq!(told(&shouted), "[192.0.2.7]");
    let mut long = right;
    long.resize(ANSWER_MAX + 1, 0);
    assert_eq!(told(&long), "nothing");
    // Whoever does not understand has nothing to repeat.
    assert_eq!(
        told(&bytes("1234 8181 0000 0000 0000 0000")),
        "does not understand the question (FORMERR)"
    );
    assert_eq!(told(&bytes("1234 8183 0000 0000 0000 0000")), "nothing");
}

#[test]
fn addresses_of_ipv6_are_read_too() {
    let mut message = message("8180", 1, &format!("{HERE} {AAAA} {V6}"));
    message[26] = 28;
    assert_eq!(
        answer(&message, 0x1234, &nas(), Family::V6),
        Some(Answer::Addresses(vec!["2001:db8::7".parse().unwrap()]))
    );
    assert_eq!(answer(&message, 0x1234, &nas(), Family::V4), None);
}

/// `a` is another name of the one with this letter.
fn alias(from: char, to: char) -> String {
    let label = |c: char| format!("01 {:02x} 00", u32::from(c));
    format!("{} 0005 0001 00000000 0003 {}", label(from), label(to))
}

#[test]
fn a_chain_of_aliases_is_followed_to_its_end() {
    let first = |to: char| format!("{HERE} 0005 0001 00000000 0003 01 {:02x} 00", u32::from(to));
    let last = |of: char| format!("01 {:02x} 00 {A} c0000207", u32::from(of));
    let letters: Vec<char> = ('a'..='z').listed();
    let chain = |length: usize| {
        let links = letters.windows(2).take(length - 1);
        let links = links.map(|pair| alias(pair[0], pair[1])).listed();
        format!(
            "{} {} {}",
            first('a'),
            links.concat(),
            last(letters[length - 1])
        )
    };
    for (records, count, expected) in [
        (format!("{} {}", first('a'), last('a')), 2, "[192.0.2.7]"),
        // The other way round.
        (format!("{} {}", last('a'), first('a')), 2, "[192.0.2.7]"),
        (chain(CHAIN_MAX - 1), 16, "[192.0.2.7]"),
        (chain(CHAIN_MAX), 17, "no address"),
        (format!("{} {}", first('a'), last('b')), 2, "no address"),
        // In circles.
        (
            first('a') + &alias('a', 'b') + &alias('b', 'a'),
            3,
            "no address",
        ),
        (
            format!("{HERE} 0005 0001 00000000 0002 {HERE}"),
            1,
            "no address",
        ),
    ] {
        assert_eq!(
            told(&message("8180", count, &records)),
            expected,
            "{records}"
        );
    }
}

#[test]
fn names_that_go_in_circles_are_no_records() {
    // The record begins at byte 29 (0x1d).
    for owner in [
        "c01d",
        "c01e",
        "c0ff",
        "01 61 c01d",
        "3f 61",
        "40 61",
        "80 61",
    ] {
        let records = format!("{owner} {A} c0000207");
        assert_eq!(
            told(&message("8180", 1, &records)),
            "answers with bytes that are no records",
            "{owner}"
        );
    }
    // A long chain of pointers, each to the one before.
    let mut message = message("8180", 2, &format!("00 0010 0001 00000000 03e8 {HERE}"));
    for at in (42..1040).step_by(2) {
        let target = if at == 42 { 12 } else { at - 2 };
        message.extend_from_slice(&(0xc000 | u16::try_from(target).unwrap()).to_be_bytes());
    }
    message.extend_from_slice(&bytes(&format!("c40e {A} c0000207")));
    assert_eq!(told(&message), "[192.0.2.7]");
}

#[test]
fn every_prefix_and_any_damage_is_an_answer_or_none() {
    let alias = "0005 0001 00000000 0004 01 61 c010";
    let records = format!("{HERE} {alias} 01 61 c010 {A} c0000207 01 61 c010 {A} c0000208");
    let whole = message("8180", 3, &records);
    assert_eq!(told(&whole), "[192.0.2.7, 192.0.2.8]");
    for end in 0..whole.len() {
        let expected = match end {
            0..29 => "nothing",
            29..63 => "answers with bytes that are no records",
            _ => "[192.0.2.7]",
        };
        assert_eq!(told(&whole[..end]), expected, "{end}");
    }
    let mut seed = 0x5eed_u64;
    for _ in 0..20_000 {
        let mut damaged = whole.clone();
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = 2 + (seed >> 40) as usize % (damaged.len() - 2);
            damaged[at] = (seed >> 33) as u8;
        }
        if let Some(Answer::Addresses(all)) = answer(&damaged, 0x1234, &nas(), Family::V4) {
            assert!((1..=ADDRESSES_MAX).contains(&all.len()));
        }
    }
}

#[test]
fn a_bounded_number_of_records_and_addresses_counts() {
    let record = |n: u16| format!("{HERE} {A} c000{n:04x}");
    let many = (0..70).map(record).listed().concat();
    match answer(&message("8180", 70, &many), 0x1234, &nas(), Family::V4) {
        Some(Answer::Addresses(all)) => assert_eq!(all.len(), ADDRESSES_MAX),
        other => panic!("{other:?}"),
    }
    let other = format!("01 61 00 {A} c0000207").repeat(64) + &record(7);
    assert_eq!(told(&message("8180", 65, &other)), "no address");
}
