//! Names of DNS: as text with dots, and as messages have them, compressed among themselves.
//!
//! Names in other scripts are not encoded (IDNA): they are typed in their `xn--` form.
//! Sources: RFC 1035 §2.3.4 (sizes), §3.1 and §4.1.4 (names in messages, compression); RFC 1123
//! §2.1 (host names).

use crate::base::bytes::{be16, slice, u8};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest name with dots, in bytes: 255 in a message.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// A name with characters that names of machines and domains have: letters, digits, `-`, `_`, and
/// dots between labels. It can stand in any file without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// A dot at the end is dropped. The error is a verb and what belongs to it: "is too long".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > NAME_MAX {
            return Err("is longer than 253 bytes");
        }
        for label in name.split('.') {
            if !(1..=LABEL_MAX).contains(&label.len()) {
                return Err("has a label that is not of 1 to 63 bytes");
            }
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !name.bytes().all(plain) {
            return Err("has characters that names of machines have not");
        }
        Ok(Self(name.into()))
    }

    /// Without a dot at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As messages have it, uncompressed.
    pub fn write(&self, out: &mut Vec<u8>) {
        for label in self.0.split('.') {
            out.push(u8::try_from(label.len()).unwrap_or(0));
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
    }

    /// Letters of either case are the same (RFC 1035 §2.3.3).
    pub fn is(&self, other: &Text) -> bool {
        self.0.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }
}

/// The name at `at` of a message with dots, whatever its characters, and where what follows
/// begins. `None`: it is cut off, too long, goes in circles, or has a dot within a label.
pub fn read(message: &[u8], at: usize) -> Option<(Text, usize)> {
    let mut name = Vec::new();
    let mut here = at;
    let mut next = None;
    // Each pointer leads to before the one that was followed last: it ends.
    let mut before = at;
    loop {
        let length = u8(message, here)?;
        let behind = here.checked_add(1)?;
        match length {
            0 => return Some((Text(name), next.unwrap_or(behind))),
            1..64 => {
                let label = slice(message, behind, length.into())?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                here = behind.checked_add(length.into())?;
                if name.len() > NAME_MAX || label.contains(&b'.') {
                    return None;
                }
            }
            0xc0.. => {
                let target = usize::from(be16(message, here)? & 0x3fff);
                next = next.or(here.checked_add(2));
                if target >= before {
                    return None;
                }
                before = target;
                here = target;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_name_has_labels_and_plain_characters() {
        let label = "a".repeat(63);
        let longest = [label.as_str(); 4].join(".");
        let longest = &longest[..253];
        for good in ["a", "nas", "NAS-1.example_x.org", "1.2", &label, longest] {
            let dotted = good.to_string() + ".";
            assert_eq!(Name::parse(good).as_ref().map(Name::as_str), Ok(good));
            assert_eq!(Name::parse(&dotted).as_ref().map(Name::as_str), Ok(good));
        }
        let long_label = label.clone() + "a";
        let too_long = longest.to_string() + "a";
        for (bad, why) in [
            ("", "has a label that is not of 1 to 63 bytes"),
            (".", "has a label that is not of 1 to 63 bytes"),
            ("a..", "has a label that is not of 1 to 63 bytes"),
            (".a", "has a label that is not of 1 to 63 bytes"),
            (&long_label, "has a label that is not of 1 to 63 bytes"),
            (&too_long, "is longer than 253 bytes"),
            ("a b", "has characters that names of machines have not"),
            ("a;b", "has characters that names of machines have not"),
            ("\u{e9}", "has characters that names of machines have not"),
            ("a\n", "has characters that names of machines have not"),
        ] {
            assert_eq!(Name::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let name = Name::parse("nas.example.org").expect("a name");
        let mut bytes = alloc::vec![7];
        name.write(&mut bytes);
        assert_eq!(bytes, b"\x07\x03nas\x07example\x03org\0");
        let (read_back, behind) = read(&bytes, 1).expect("a name");
        assert_eq!((name.is(&read_back), behind), (true, bytes.len()));
        assert!(name.is(&"NAS.Example.ORG".into()) && !name.is(&"nas.example.or".into()));
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end], 1), None);
        }
    }
}
