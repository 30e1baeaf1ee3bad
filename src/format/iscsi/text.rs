//! What logins carry: `KEY=VALUE`, each ended by a NUL.
//!
//! Source: RFC 7143 §6.1 (text format), §6.2 (negotiation).

use crate::base::hex;
use crate::base::list::Listed;
use crate::format::base64;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest list taken, in bytes, over all the messages that it is spread over. A side may always
/// send 8,192 in one.
pub const LONGEST: usize = 16 << 10;

/// Longest key, in bytes (§6.1).
const KEY_MAX: usize = 63;

/// Pairs of one list. RFC 7143 knows some forty keys.
const PAIRS_MAX: usize = 128;

/// Values that say that a key has no meaning for the other side.
const DECLINED: [&str; 3] = ["NotUnderstood", "Irrelevant", "Reject"];

pub type Pairs<'a> = [(&'a str, &'a str)];

/// The pairs of a list. The error is the end of a sentence.
pub fn read(bytes: &[u8]) -> Result<Vec<(&str, &str)>, &'static str> {
    let text = core::str::from_utf8(bytes).map_err(|_| "what it says is no text")?;
    // Padding is NULs, too.
    let lines = text.split('\0').filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        let pair = line.split_once('=');
        pair.filter(|(key, _)| (1..=KEY_MAX).contains(&key.len()))
            .ok_or("what it says are no pairs of keys and values")
    });
    // One more tells that there are too many.
    let pairs = pairs.take(PAIRS_MAX.saturating_add(1)).all_ok()?;
    match pairs.len() {
        0..=PAIRS_MAX => Ok(pairs),
        _ => Err("it says too much at once"),
    }
}

/// The first value of a key.
pub fn find<'a>(pairs: &Pairs<'a>, key: &str) -> Option<&'a str> {
    let pair = pairs.iter().find(|(name, _)| *name == key);
    pair.map(|(_, value)| *value)
}

pub fn is_declined(value: &str) -> bool {
    DECLINED.contains(&value)
}

/// A number in decimal digits or, behind `0x`, in hexadecimal ones.
pub fn number(value: &str) -> Option<u32> {
    let plain = |digits: &&str| !digits.starts_with('+');
    match value.strip_prefix("0x").or(value.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(Some(digits).filter(plain)?, 16).ok(),
        None => Some(value).filter(plain)?.parse().ok(),
    }
}

/// Up to `most` bytes in hexadecimal (`0x`) or base64 (`0b`).
pub fn binary(value: &str, most: usize) -> Option<Vec<u8>> {
    let (form, digits) = value.split_at_checked(2)?;
    let bytes = match form {
        "0x" | "0X" => hex::decode(digits.as_bytes()),
        "0b" | "0B" => base64::decode(digits.as_bytes()),
        _ => None,
    };
    bytes.filter(|bytes| bytes.len() <= most)
}

/// A list that is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub Vec<u8>);

impl List {
    pub fn add(&mut self, key: &str, value: &str) {
        for part in [key, "=", value, "\0"] {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    pub fn add_binary(&mut self, key: &str, value: &[u8]) {
        let digits: String = hex::encode(value);
        self.add(key, &["0x", &digits].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_odd_ones_refused() {
        let pairs = read(b"A=1\0B=\0C=x=y\0\0\0").unwrap();
        assert_eq!(pairs, [("A", "1"), ("B", ""), ("C", "x=y")]);
        assert_eq!(find(&pairs, "C"), Some("x=y"));
        assert_eq!(find(&pairs, "D"), None);
        assert_eq!(read(b"").unwrap(), []);
        let long = [&[b'k'; 64][..], b"=1"].concat();
        let many = b"A=1\0".repeat(129);
        for odd in [&b"A"[..], b"=1", b"A=\xff", &long, &many] {
            assert!(read(odd).is_err());
        }
        assert_eq!(read(&b"A=1\0".repeat(128)).unwrap().len(), 128);
    }

    #[test]
    fn values_are_numbers_or_bytes() {
        for (value, expected) in [
            ("0", Some(0)),
            ("262144", Some(262_144)),
            ("0x40000", Some(262_144)),
            ("4294967296", None),
            ("+1", None),
            ("0x+1", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(number(value), expected, "{value}");
        }
        for (value, expected) in [
            ("0x00fF", Some(&[0, 255][..])),
            ("0bAP8=", Some(&[0, 255])),
            ("0x", Some(&[])),
            ("0x123", None),
            ("1234", None),
            ("0x010203", None),
            ("", None),
            ("\u{20ac}", None),
        ] {
            assert_eq!(binary(value, 2).as_deref(), expected, "{value}");
        }
        let mut list = List::default();
        list.add("A", "b");
        list.add_binary("C", &[1, 0xab]);
        assert_eq!(list.0, b"A=b\0C=0x01ab\0");
    }
}
