//! Bytes that are usually text: labels, names, command lines. The kernel promises no encoding.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Bytes as found. Prints with everything that is not plain text escaped as `\xNN`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub Vec<u8>);

impl Text {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Self {
        Self(s.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        Self(s.into_bytes())
    }
}

impl From<&[u8]> for Text {
    fn from(s: &[u8]) -> Self {
        Self(s.to_vec())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape_into(&self.0, b"\\", f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Texts as one, as std's `join` makes it; that one is 2 KB of code.
pub trait Joined {
    fn joined(&self, between: &str) -> String;
}

impl<T: AsRef<str>> Joined for [T] {
    fn joined(&self, between: &str) -> String {
        let mut all = String::new();
        for (number, part) in self.iter().enumerate() {
            all.push_str(if number > 0 { between } else { "" });
            all.push_str(part.as_ref());
        }
        all
    }
}

/// Writes `bytes`; control bytes, non-UTF-8 bytes and those in `also` become `\xNN`.
pub fn escape_into(bytes: &[u8], also: &[u8], f: &mut dyn fmt::Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        // Nearly all text is plain: it is written in one piece.
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_odd(*c, also)) {
            f.write_str(rest.get(..at).unwrap_or_default())?;
            escape_all(c.encode_utf8(&mut [0; 4]).as_bytes(), f)?;
            let behind = at.saturating_add(c.len_utf8());
            rest = rest.get(behind..).unwrap_or_default();
        }
        f.write_str(rest)?;
        escape_all(chunk.invalid(), f)?;
    }
    Ok(())
}

/// U+0080 to U+009F are control characters, too: U+009B starts a terminal command.
fn is_odd(c: char, also: &[u8]) -> bool {
    c.is_control() || (c.is_ascii() && also.contains(&(c as u8)))
}

fn escape_all(bytes: &[u8], f: &mut dyn fmt::Write) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "\\x{b:02x}"))
}

/// What stands before and behind the first `mark`. (The standard library's search for text is
/// 4 KiB; what is searched here is a line.)
pub fn cut<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    (0..text.len()).find_map(|at| cut_at(text, at, mark))
}

/// What stands before and behind the last `mark`.
pub fn cut_last<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    (0..text.len()).rev().find_map(|at| cut_at(text, at, mark))
}

fn cut_at<'a>(text: &'a str, at: usize, mark: &str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.strip_prefix(mark)?))
}

/// A link of sysfs without the way up: `../../devices/x` is `devices/x` below `/sys`.
pub fn below_sys(link: &str) -> &str {
    let mut rest = link;
    while let Some(further) = rest.strip_prefix("../") {
        rest = further;
    }
    rest
}

/// Undoes `\xNN`; anything else is taken as it stands. (Also what udev does in link names.)
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        if let (b'\\', Some((byte, after))) = (first, hex_escape(tail)) {
            out.push(byte);
            rest = after;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

/// `xNN…` → (byte, rest).
fn hex_escape(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (head, rest) = tail.split_at_checked(3)?;
    if head.first() != Some(&b'x') {
        return None;
    }
    let digit = |i: usize| head.get(i).and_then(|&b| (b as char).to_digit(16));
    let byte = digit(1)? * 16 + digit(2)?;
    Some((byte as u8, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_as_std_joins_them() {
        let none: [&str; 0] = [];
        assert_eq!(none.joined(", "), "");
        for parts in [&["a"][..], &["a", "b"], &["", "a", ""], &["", ""]] {
            assert_eq!(parts.joined(" and "), parts.join(" and "));
        }
    }
    use alloc::string::ToString;

    #[test]
    fn text_is_cut_at_the_first_or_last_mark() {
        assert_eq!(cut("abcbcd", "bc"), Some(("a", "bcd")));
        assert_eq!(cut_last("abcbcd", "bc"), Some(("abc", "d")));
        assert_eq!(cut("\u{e9}=", "="), Some(("\u{e9}", "")));
        assert_eq!((cut("", "x"), cut_last("b", "bc")), (None, None));
        assert_eq!(below_sys("../../devices/x/../y"), "devices/x/../y");
    }

    #[test]
    fn odd_bytes_survive_the_round_trip() {
        let odd = Text(b"a b\\\n\xff\xc3\xa9".to_vec());
        assert_eq!(odd.to_string(), "a b\\x5c\\x0a\\xff\u{e9}");
        assert_eq!(unescape(odd.to_string().as_bytes()), odd.0);
        let command = Text("\u{9b}2J".as_bytes().to_vec());
        assert_eq!(command.to_string(), "\\xc2\\x9b2J");
        assert_eq!(unescape(command.to_string().as_bytes()), command.0);
        assert_eq!(unescape(b"\\x2"), b"\\x2");
        assert_eq!(unescape(b"\\xzz"), b"\\xzz");
    }
}
