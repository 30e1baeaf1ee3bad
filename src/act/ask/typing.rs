//! Editing one line of secret text, key by key.
//!
//! | Key | what |
//! |---|---|
//! | enter | done |
//! | backspace, ^H | without the last character |
//! | ^W | without the last word |
//! | ^U, ^C | from the beginning |
//! | tab | shows nothing any more, or stars again |
//! | ^L | the line is drawn anew |
//!
//! Arrow keys and the like are passed over.

use crate::format::crypttab::Echo;
use crate::sys::fail::Outcome;
use crate::sys::memory::Locked;

/// Longest passphrase, in bytes, as cryptsetup has it.
const LONGEST: usize = 512;
/// Room for it, and for a byte behind it.
const ROOM: usize = 4096;

pub(super) struct Typing {
    text: Locked,
    len: usize,
    echo: Echo,
    /// In the middle of an escape sequence.
    escape: Escape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Begun,
    /// Behind `ESC [` or `ESC O`.
    Inside,
}

/// What is to be done about a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Show(String),
    Redraw,
    Done,
}

impl Typing {
    pub fn new(echo: Echo) -> Outcome<Self> {
        Ok(Self {
            text: Locked::zeros(ROOM)?,
            len: 0,
            echo,
            escape: Escape::No,
        })
    }

    pub fn key(&mut self, key: u8) -> Wish {
        if self.escape != Escape::No {
            self.escape = match (self.escape, key) {
                (Escape::Begun, b'[' | b'O') => Escape::Inside,
                (Escape::Inside, 0x40..=0x7e) | (Escape::Begun, _) => Escape::No,
                _ => self.escape,
            };
            return Wish::Nothing;
        }
        match key {
            b'\r' | b'\n' => Wish::Done,
            0x7f | 0x08 => self.cut(self.before_last()),
            0x17 => self.cut(self.before_word()),
            0x15 | 0x03 => self.cut(0),
            b'\t' => {
                self.echo = match self.echo {
                    Echo::Nothing => Echo::Masked,
                    Echo::Masked | Echo::Plain => Echo::Nothing,
                };
                Wish::Redraw
            }
            0x0c => Wish::Redraw,
            0x1b => {
                self.escape = Escape::Begun;
                Wish::Nothing
            }
            0..0x20 => Wish::Nothing,
            byte => self.add(byte),
        }
    }

    fn add(&mut self, byte: u8) -> Wish {
        let Some(place) = self.text.bytes_mut().get_mut(self.len) else {
            return Wish::Nothing;
        };
        if self.len >= LONGEST {
            return Wish::Nothing;
        }
        *place = byte;
        self.len = self.len.saturating_add(1);
        match self.echo {
            Echo::Masked if begins(byte) => Wish::Show("*".into()),
            // A letter of several bytes is shown with its last one.
            Echo::Plain if byte < 0x80 => Wish::Show(char::from(byte).into()),
            Echo::Plain => Wish::Redraw,
            Echo::Masked | Echo::Nothing => Wish::Nothing,
        }
    }

    fn typed(&self) -> &[u8] {
        self.text.bytes().get(..self.len).unwrap_or_default()
    }

    fn before_last(&self) -> usize {
        self.typed().iter().rposition(|b| begins(*b)).unwrap_or(0)
    }

    fn before_word(&self) -> usize {
        let typed = self.typed();
        let end = typed
            .iter()
            .rposition(|b| *b != b' ')
            .map_or(0, |at| at + 1);
        let word = typed.get(..end).unwrap_or_default();
        word.iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1)
    }

    /// Forgets everything from `len` on.
    fn cut(&mut self, len: usize) -> Wish {
        let rest = self.text.bytes_mut().get_mut(len..);
        rest.into_iter().for_each(|rest| rest.fill(0));
        let cut = self.len > len;
        self.len = self.len.min(len);
        match cut && self.echo != Echo::Nothing {
            true => Wish::Redraw,
            false => Wish::Nothing,
        }
    }

    /// How the line looks.
    pub fn shown(&self) -> String {
        let characters = self.typed().iter().filter(|b| begins(**b)).count();
        match self.echo {
            Echo::Masked => "*".repeat(characters),
            Echo::Nothing => String::new(),
            Echo::Plain => String::from_utf8_lossy(self.typed()).into_owned(),
        }
    }

    /// What was typed; the next one is begun.
    pub fn take(&mut self) -> (Locked, usize) {
        let len = core::mem::take(&mut self.len);
        let blank = Locked::empty();
        (core::mem::replace(&mut self.text, blank), len)
    }
}

/// Is this the first byte of a character of UTF-8?
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: the text, and how it looks.
    fn check(echo: Echo, keys: &str, text: &str, shown: &str) {
        let mut typing = Typing::new(echo).unwrap();
        for key in keys.bytes() {
            assert_ne!(typing.key(key), Wish::Done);
        }
        assert_eq!(typing.shown(), shown, "{keys:?}");
        assert_eq!(typing.key(b'\r'), Wish::Done);
        let (typed, len) = typing.take();
        assert_eq!(&typed.bytes()[..len], text.as_bytes(), "{keys:?}");
        assert!(typed.bytes()[len..].iter().all(|b| *b == 0), "{keys:?}");
    }

    #[test]
    fn a_line_is_edited_key_by_key() {
        let masked = Echo::Masked;
        check(masked, "abc", "abc", "***");
        check(masked, "", "", "");
        check(masked, "\x7f\x08abc\x7f\x08d", "ad", "**");
        check(masked, "häß\x7f\x7fé", "hé", "**");
        check(
            masked,
            "correct  horse \x17staple",
            "correct  staple",
            "***************",
        );
        check(masked, "a b\x17\x17\x17c", "c", "*");
        check(masked, "wrong\x15right", "right", "*****");
        check(masked, "wrong\x03right", "right", "*****");
        check(masked, "a\x1b[A\x1b[3~\x1bOHb\x1bxc\x01\x0c", "abc", "***");
        check(masked, "ab\tc", "abc", "");
        check(masked, "ab\tc\t", "abc", "***");
        check(Echo::Nothing, "abc\x7f", "ab", "");
        check(Echo::Plain, "aß\x7fb", "ab", "ab");
        let long = "x".repeat(600);
        check(masked, &long, &long[..512], &"*".repeat(512));
    }
}
