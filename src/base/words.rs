//! One line of words: the syntax of the trace, of scenarios, and of what workers are told.
//!
//! A line is words separated by one blank. A word is `value` or `key=value`. In both, the bytes
//! blank, `"`, `\`, `=`, control bytes and whatever is not UTF-8 are written `\xNN`. An empty
//! value is `""`. Nothing needs quoting twice, and a line never holds a line break.

use crate::base::list::Listed;
use crate::base::text::{escape_into, unescape};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

const MUST_ESCAPE: &[u8] = b" \"\\=";

/// Builds one line.
#[derive(Default)]
pub struct Line(String);

impl Line {
    pub fn new(verb: &str) -> Self {
        Self(verb.into())
    }

    pub fn word(mut self, value: impl AsRef<[u8]>) -> Self {
        self.0.push(' ');
        self.value(value.as_ref());
        self
    }

    pub fn num(self, value: u64) -> Self {
        let mut s = self;
        let _ = write!(s.0, " {value}");
        s
    }

    pub fn key(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        let _ = write!(self.0, " {key}=");
        self.value(value.as_ref());
        self
    }

    pub fn key_num(self, key: &str, value: u64) -> Self {
        let mut s = self;
        let _ = write!(s.0, " {key}={value}");
        s
    }

    /// `key=value` only where there is a value.
    pub fn opt(self, key: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(v) => self.key(key, v),
            None => self,
        }
    }

    /// The bare word `name` if `on`.
    pub fn flag(mut self, name: &str, on: bool) -> Self {
        if on {
            self.0.push(' ');
            self.0.push_str(name);
        }
        self
    }

    pub fn done(self) -> String {
        self.0
    }

    fn value(&mut self, value: &[u8]) {
        if value.is_empty() {
            self.0.push_str("\"\"");
        } else {
            let _ = escape_into(value, MUST_ESCAPE, &mut self.0);
        }
    }
}

/// One word of a parsed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The part before `=`, if there is one.
    pub key: Option<String>,
    pub value: Vec<u8>,
}

/// Takes a line apart, word by word, from the left.
pub struct Words {
    /// The first one is the last here.
    words: Vec<Word>,
    lacking: bool,
}

impl Words {
    pub fn parse(line: &str) -> Self {
        let words = line.rsplit(' ').filter(|w| !w.is_empty());
        Self {
            words: words.map(parse_word).listed(),
            lacking: false,
        }
    }

    /// The next word, whatever it is.
    pub fn any(&mut self) -> Option<Word> {
        self.words.pop()
    }

    /// The next word must be a bare value.
    pub fn value(&mut self) -> Option<Vec<u8>> {
        match self.words.last()?.key {
            None => self.words.pop().map(|w| w.value),
            Some(_) => None,
        }
    }

    pub fn text(&mut self) -> Option<String> {
        String::from_utf8(self.value()?).ok()
    }

    pub fn num(&mut self) -> Option<u64> {
        self.text()?.parse().ok()
    }

    /// Takes the first word `key=value` from wherever it stands.
    pub fn key(&mut self, key: &str) -> Option<Vec<u8>> {
        let is = |w: &Word| w.key.as_deref() == Some(key);
        let at = self.words.iter().rposition(is)?;
        Some(self.words.remove(at).value)
    }

    pub fn key_text(&mut self, key: &str) -> Option<String> {
        String::from_utf8(self.key(key)?).ok()
    }

    pub fn key_num(&mut self, key: &str) -> Option<u64> {
        self.key_text(key)?.parse().ok()
    }

    /// Takes the bare word `name` from wherever it stands: was it there?
    pub fn flag(&mut self, name: &str) -> bool {
        let is = |w: &Word| w.key.is_none() && w.value == name.as_bytes();
        let at = self.words.iter().rposition(is);
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// What the line must have. It is noted if it is not there, and nothing stands for it: what is
    /// made of that is thrown away at the end.
    pub fn needed<T: Default>(&mut self, found: Option<T>) -> T {
        self.lacking |= found.is_none();
        found.unwrap_or_default()
    }

    pub fn need_value(&mut self) -> Vec<u8> {
        let found = self.value();
        self.needed(found)
    }

    pub fn need_text(&mut self) -> String {
        let found = self.text();
        self.needed(found)
    }

    pub fn need_small(&mut self) -> u32 {
        let found = self.num().and_then(|number| u32::try_from(number).ok());
        self.needed(found)
    }

    pub fn need_key_text(&mut self, key: &str) -> String {
        let found = self.key_text(key);
        self.needed(found)
    }

    pub fn need_key_num(&mut self, key: &str) -> u64 {
        let found = self.key_num(key);
        self.needed(found)
    }

    /// True when every word was understood, and none was lacking.
    pub fn is_understood(&self) -> bool {
        self.words.is_empty() && !self.lacking
    }
}

fn parse_word(word: &str) -> Word {
    let value = |v: &str| {
        if v == "\"\"" {
            Vec::new()
        } else {
            unescape(v.as_bytes())
        }
    };
    match word.split_once('=') {
        Some((key, v)) => Word {
            key: Some(key.into()),
            value: value(v),
        },
        None => Word {
            key: None,
            value: value(word),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_was_written() {
        let line = Line::new("probed")
            .num(3)
            .word("a b=c")
            .key("label", b"\xff \"")
            .flag("ro", true);
        let line = line.opt("uuid", None::<&str>).key("empty", "").done();
        assert_eq!(
            line,
            "probed 3 a\\x20b\\x3dc label=\\xff\\x20\\x22 ro empty=\"\""
        );
        let mut words = Words::parse(&line);
        assert_eq!(words.text().as_deref(), Some("probed"));
        assert_eq!(words.num(), Some(3));
        assert_eq!(words.key("empty"), Some(Vec::new()));
        assert!(words.flag("ro") && !words.flag("ro"));
        assert_eq!(words.text().as_deref(), Some("a b=c"));
        assert_eq!(words.key("label"), Some(b"\xff \"".to_vec()));
        assert!(words.is_understood());
        assert_eq!(
            (words.need_text(), words.is_understood()),
            (String::new(), false)
        );
    }
}
