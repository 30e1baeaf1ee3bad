//! LVM2's configuration text: sections, keys and values.
//!
//! ```text
//! vg {
//!     id = "…"            # a comment
//!     seqno = 3
//!     status = ["READ", "WRITE"]
//!     physical_volumes { pv0 { … } }
//! }
//! ```
//! The text comes from a disk: depth is bounded by [`MAX_DEPTH`], work and memory by its length.
//! Source: lvm2 `libdm/libdm-config.c`, lvm.conf(5).

use crate::base::text::Text;
use alloc::vec::Vec;

/// Metadata that lvm writes is four sections deep, and lists hold no lists.
const MAX_DEPTH: u32 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    Text(Text),
    List(Vec<Value>),
}

/// A name with what stands between its braces. Names and values are in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub name: Text,
    pub values: Vec<(Text, Value)>,
    pub sections: Vec<Section>,
}

impl Section {
    pub fn section(&self, name: &str) -> Option<&Section> {
        let named = |s: &&Section| s.name.as_bytes() == name.as_bytes();
        self.sections.iter().find(named)
    }

    pub fn value(&self, key: &str) -> Option<&Value> {
        let named = |(k, _): &&(Text, Value)| k.as_bytes() == key.as_bytes();
        self.values.iter().find(named).map(|(_, value)| value)
    }

    pub fn text(&self, key: &str) -> Option<&Text> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Number(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The list at `key`; a lone value counts as a list of one.
    pub fn list(&self, key: &str) -> &[Value] {
        match self.value(key) {
            Some(Value::List(list)) => list,
            Some(value) => core::slice::from_ref(value),
            None => &[],
        }
    }

    /// Is `word` in the list at `key`?
    pub fn has(&self, key: &str, word: &str) -> bool {
        let is = |v: &Value| matches!(v, Value::Text(t) if t.as_bytes() == word.as_bytes());
        self.list(key).iter().any(is)
    }
}

/// A name and a value of metadata take more than so many bytes of text: what has more entries is
/// there to fill memory.
const BYTES_OF_ENTRY: usize = 5;

/// The whole text as one nameless section. The error is the offset of the byte that made no sense.
pub fn parse(text: &[u8]) -> Result<Section, usize> {
    let entries = (text.len() / BYTES_OF_ENTRY).saturating_add(1000);
    let mut reader = Reader {
        text,
        at: 0,
        entries,
    };
    let mut top = Section::default();
    reader.body(&mut top, 0)?;
    match reader.peek() {
        None => Ok(top),
        Some(_) => Err(reader.at),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// So many more are taken.
    entries: usize,
}

impl Reader<'_> {
    /// The next byte that is neither space nor comment. Metadata on disk ends with a NUL.
    fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.step(),
                b'#' => {
                    while self.text.get(self.at).is_some_and(|&b| b != b'\n') {
                        self.step();
                    }
                }
                0 => return None,
                _ => return Some(byte),
            }
        }
        None
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.step();
        }
        there
    }

    fn body(&mut self, into: &mut Section, depth: u32) -> Result<(), usize> {
        if depth > MAX_DEPTH {
            return Err(self.at);
        }
        while let Some(byte) = self.peek() {
            if byte == b'}' {
                break;
            }
            self.count()?;
            let name = self.bare()?;
            if self.take(b'{') {
                let mut inner = Section {
                    name,
                    ..Section::default()
                };
                self.body(&mut inner, depth.saturating_add(1))?;
                if !self.take(b'}') {
                    return Err(self.at);
                }
                into.sections.push(inner);
            } else if self.take(b'=') {
                let value = self.value()?;
                into.values.push((name, value));
            } else {
                return Err(self.at);
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), usize> {
        self.entries = self.entries.checked_sub(1).ok_or(self.at)?;
        Ok(())
    }

    fn value(&mut self) -> Result<Value, usize> {
        if !self.take(b'[') {
            return self.scalar();
        }
        let mut list = Vec::new();
        while !self.take(b']') {
            self.count()?;
            list.push(self.scalar()?);
            if !self.take(b',') && self.peek() != Some(b']') {
                return Err(self.at);
            }
        }
        Ok(Value::List(list))
    }

    fn scalar(&mut self) -> Result<Value, usize> {
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote).map(Value::Text),
            Some(_) => {
                let word = self.bare()?;
                let number = word.as_str().and_then(|w| w.parse().ok());
                Ok(number.map_or(Value::Text(word), Value::Number))
            }
            None => Err(self.at),
        }
    }

    /// Backslashes count between double quotes only.
    fn quoted(&mut self, quote: u8) -> Result<Text, usize> {
        let mut out = Vec::new();
        self.step();
        while let Some(&byte) = self.text.get(self.at) {
            self.step();
            match byte {
                b'\\' if quote == b'"' => {
                    out.push(*self.text.get(self.at).ok_or(self.at)?);
                    self.step();
                }
                _ if byte == quote => return Ok(Text(out)),
                _ => out.push(byte),
            }
        }
        Err(self.at)
    }

    fn bare(&mut self) -> Result<Text, usize> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |b: &u8| b.is_ascii_whitespace() || b"={}[],#\"'\0".contains(b);
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        if word.is_empty() {
            return Err(self.at);
        }
        self.at = self.at.saturating_add(length);
        Ok(Text::from(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] =
        b"vg { # one\n id=\"a\\\"b\\\\\"\n seqno = 7\n status = [\"READ\", \"WRITE\"]\n \
        flags = []\n physical_volumes {\n pv0 { device = '/dev/x' } } }\n version = 1\n\0garbage {";

    #[test]
    fn sections_values_and_lists_are_read() {
        let top = parse(SAMPLE).unwrap();
        let vg = top.section("vg").unwrap();
        assert_eq!(vg.text("id").unwrap().as_bytes(), b"a\"b\\");
        assert_eq!(vg.number("seqno"), Some(7));
        assert!(vg.has("status", "WRITE") && !vg.has("status", "EXPORTED"));
        assert!(vg.list("flags").is_empty());
        let pv = vg
            .section("physical_volumes")
            .and_then(|s| s.section("pv0"));
        assert_eq!(pv.unwrap().text("device").unwrap().as_bytes(), b"/dev/x");
        assert_eq!(top.number("version"), Some(1));
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_place() {
        let check = |text: &[u8], at: usize| assert_eq!(parse(text), Err(at), "{text:?}");
        check(b"a", 1);
        check(b"a = ", 4);
        check(b"a { b = 1", 9);
        check(b"}", 0);
        check(b"a = [1 2]", 7);
        check(b"a = \"x", 6);
        check(b"= 1", 0);
    }

    #[test]
    fn depth_is_bounded() {
        let mut deep = Vec::new();
        (0..100_000).for_each(|_| deep.extend_from_slice(b"a{"));
        assert!(parse(&deep).is_err());
    }

    #[test]
    fn every_cut_and_every_flip_ends() {
        for cut in 0..SAMPLE.len() {
            let _ = parse(&SAMPLE[..cut]);
            for bit in 0..8 {
                let mut bytes = SAMPLE.to_vec();
                bytes[cut] ^= 1 << bit;
                let _ = parse(&bytes);
            }
        }
    }
}
