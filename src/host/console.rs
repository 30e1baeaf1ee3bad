//! The guest's serial console: bytes in; lines for the reader, and clean text to show, out.
//!
//! Not a terminal: colours pass, everything else that would move a cursor or clear a screen is
//! dropped (firmware clears it at every start, and a log is no place for that).

/// The longest line that is kept for matching; what follows still is shown.
const LINE_LIMIT: usize = 4096;

/// Sorts the bytes of one console.
#[derive(Default)]
pub struct Console {
    escape: Escape,
    pending: Vec<u8>,
    line: Vec<u8>,
}

#[derive(Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Start,
    /// Inside `ESC [ …`, which ends with a letter.
    Sequence,
    /// Inside `ESC ] …`, which ends with BEL or with the next ESC.
    Title,
}

/// What one byte amounts to.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text to show, on the current line.
    Show(Vec<u8>),
    /// The current line is complete: its plain text.
    Line(String),
}

impl Console {
    /// Takes bytes as they came; calls `out` for each piece.
    pub fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece)) {
        let mut show = Vec::new();
        for &byte in bytes {
            match self.one(byte, &mut show) {
                Some(line) => {
                    out(Piece::Show(std::mem::take(&mut show)));
                    out(Piece::Line(line));
                }
                None => continue,
            }
        }
        if !show.is_empty() {
            out(Piece::Show(show));
        }
    }

    /// The line that has not ended yet: where a prompt stands.
    pub fn unfinished(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    fn one(&mut self, byte: u8, show: &mut Vec<u8>) -> Option<String> {
        match self.escape {
            Escape::None => return self.plain(byte, show),
            Escape::Start => self.start(byte),
            Escape::Sequence => self.sequence(byte, show),
            Escape::Title => {
                if byte == 0x07 {
                    self.escape = Escape::None;
                } else if byte == 0x1b {
                    self.escape = Escape::Start;
                }
            }
        }
        None
    }

    fn plain(&mut self, byte: u8, show: &mut Vec<u8>) -> Option<String> {
        match byte {
            0x1b => self.escape = Escape::Start,
            b'\n' => {
                let line = self.unfinished();
                self.line.clear();
                return Some(line);
            }
            b'\t' | 0x20..=0x7e | 0x80..=0xff => {
                show.push(byte);
                if self.line.len() < LINE_LIMIT {
                    self.line.push(byte);
                }
            }
            _ => {}
        }
        None
    }

    fn start(&mut self, byte: u8) {
        self.pending.clear();
        self.escape = match byte {
            b'[' => Escape::Sequence,
            b']' => Escape::Title,
            _ => Escape::None,
        };
    }

    fn sequence(&mut self, byte: u8, show: &mut Vec<u8>) {
        match byte {
            b'm' => {
                show.extend(b"\x1b[");
                show.append(&mut self.pending);
                show.push(b'm');
                self.escape = Escape::None;
            }
            b'0'..=b'9' | b';' if self.pending.len() < 32 => self.pending.push(byte),
            0x40..=0x7e => self.escape = Escape::None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], shown: &str, lines: &[&str], unfinished: &str) {
        let mut console = Console::default();
        let mut text = Vec::new();
        let mut found = Vec::new();
        // One byte at a time: where a read ends must not matter.
        for byte in input {
            console.feed(&[*byte], &mut |piece| match piece {
                Piece::Show(bytes) => text.extend(bytes),
                Piece::Line(line) => found.push(line),
            });
        }
        assert_eq!(String::from_utf8_lossy(&text), shown);
        assert_eq!(found, lines);
        assert_eq!(console.unfinished(), unfinished);
    }

    #[test]
    fn colours_pass_and_screens_are_not_cleared() {
        check(b"\x1bc\x1b[?7l\x1b[2Jhello\r\n", "hello", &["hello"], "");
        check(
            b"[\x1b[0;32m  OK  \x1b[0m] x",
            "[\x1b[0;32m  OK  \x1b[0m] x",
            &[],
            "[  OK  ] x",
        );
        check(b"\x1b]0;title\x07a\nb", "ab", &["a"], "b");
        check(b"\x1b]0;title\x1b\\a\n", "a", &["a"], "");
    }

    #[test]
    fn a_prompt_is_seen_before_its_line_ends() {
        check(b"host login: ", "host login: ", &[], "host login: ");
    }

    #[test]
    fn an_endless_line_is_not_kept() {
        let mut console = Console::default();
        console.feed(&vec![b'x'; 100_000], &mut |_| {});
        assert_eq!(console.unfinished().len(), LINE_LIMIT);
    }
}
