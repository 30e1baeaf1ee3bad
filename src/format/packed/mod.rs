//! Compressed data, unpacked in one go: deflate, LZMA2, Zstandard.
//!
//! Written for size: the whole input and the whole output are in memory, and what was unpacked is
//! the only window. `None` means damaged, or too long if [`Output::full`] says so.

mod bits;
mod huffman;
pub mod inflate;
pub mod lzma2;
pub mod zstd;

use alloc::vec::Vec;

/// What was unpacked so far. It never holds more than its limit.
pub struct Output {
    bytes: Vec<u8>,
    limit: usize,
    /// Where the window begins: nothing before it may be repeated.
    start: usize,
    full: bool,
}

impl Output {
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            start: 0,
            full: false,
        }
    }

    /// More than the limit was to be written.
    pub fn full(&self) -> bool {
        self.full
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Begins a window of its own.
    fn begin(&mut self) {
        self.start = self.bytes.len();
    }

    /// The bytes since the window began.
    fn window(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        self.fill(byte, 1)
    }

    fn fill(&mut self, byte: u8, count: usize) -> Option<()> {
        let length = self.room(count)?;
        self.bytes.resize(length, byte);
        Some(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Option<()> {
        self.room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Some(())
    }

    /// The length after `count` more bytes, if they fit.
    fn room(&mut self, count: usize) -> Option<usize> {
        let length = self.bytes.len().checked_add(count);
        let length = length.filter(|&length| length <= self.limit);
        self.full |= length.is_none();
        length
    }

    /// Writes `length` bytes again that begin `distance` back. They may overlap what is written.
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let end = self.bytes.len();
        let from = end.checked_sub(distance)?;
        if from < self.start {
            return None;
        }
        let length = self.room(length)?.wrapping_sub(end);
        for at in from..from.wrapping_add(length) {
            let byte = *self.bytes.get(at)?;
            self.bytes.push(byte);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_stays_below_its_limit_and_repeats_only_its_window() {
        let mut out = Output::new(10);
        assert_eq!(out.extend(b"ab"), Some(()));
        assert_eq!(out.repeat(3, 1), None);
        assert_eq!(out.repeat(0, 1), None);
        assert_eq!(out.repeat(2, 3), Some(()));
        out.begin();
        assert_eq!(out.repeat(1, 1), None);
        assert_eq!(out.fill(b'c', 2), Some(()));
        assert_eq!(out.repeat(2, 2), Some(()));
        assert!(!out.full());
        for past in [out.extend(b"de"), out.repeat(1, usize::MAX), out.fill(0, 2)] {
            assert_eq!(past, None);
        }
        assert!(out.full());
        assert_eq!(out.push(b'd'), Some(()));
        assert_eq!(out.window(), b"ccccd");
        assert_eq!(out.into_bytes(), b"ababaccccd");
    }
}
