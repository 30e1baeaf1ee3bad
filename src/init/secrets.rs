//! What people typed, by number, in memory that is locked, that no child process inherits, and
//! that is wiped when it is forgotten. Nobody above knows more than the numbers.

use crate::sys::memory::Locked;

#[derive(Default)]
pub struct Secrets {
    last: u32,
    all: Vec<(u32, Locked, usize)>,
}

impl Secrets {
    /// Keeps the first `len` bytes; a byte of zero stands behind them.
    pub fn keep(&mut self, bytes: Locked, len: usize) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.all.push((self.last, bytes, len));
        self.last
    }

    /// The message for a worker: what was typed, and one byte of zero, so that it is never empty.
    pub fn message(&self, number: u32) -> &[u8] {
        let found = self.all.iter().find(|(known, ..)| *known == number);
        let text = found.and_then(|(_, bytes, len)| bytes.bytes().get(..len.saturating_add(1)));
        text.unwrap_or(&[0])
    }

    pub fn forget(&mut self, number: u32) {
        self.all.retain(|(known, ..)| *known != number);
    }

    pub fn forget_all(&mut self) {
        self.all.clear();
    }
}
