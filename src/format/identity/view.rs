//! The bytes of a device that were read so far.

use alloc::vec::Vec;

/// Bytes at an offset of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub at: u64,
    pub len: usize,
}

impl Range {
    /// The first byte after the range.
    pub fn end(self) -> u64 {
        self.at.saturating_add(self.len as u64)
    }
}

/// A parser wants bytes that are not in the view yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need(pub Range);

/// A sparse copy of a device: its size, its logical sector size, and the ranges read so far.
#[derive(Clone, Debug)]
pub struct View {
    /// Bytes on the device.
    pub size: u64,
    /// Logical sector size in bytes: 512 or 4096.
    pub sector: u32,
    /// A partition: what firmware keeps at the end of a disk is not looked for.
    pub partition: bool,
    chunks: Vec<(u64, Vec<u8>)>,
    lost: Vec<Range>,
}

impl View {
    pub fn new(size: u64, sector: u32) -> Self {
        Self {
            size,
            sector,
            partition: false,
            chunks: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Adds bytes that were read at `at`.
    pub fn add(&mut self, at: u64, bytes: Vec<u8>) {
        self.chunks.push((at, bytes));
    }

    /// Notes that a range cannot be read. Parsers take it for absent, so that nobody asks again.
    pub fn lose(&mut self, range: Range) {
        self.lost.push(range);
    }

    /// Bytes held in memory.
    pub fn held(&self) -> usize {
        self.chunks
            .iter()
            .map(|(_, b)| b.len())
            .fold(0, usize::saturating_add)
    }

    /// How often something was asked for, with or without success.
    pub fn answers(&self) -> usize {
        self.chunks.len().saturating_add(self.lost.len())
    }

    /// `len` bytes at `at`: `Ok(None)` if they lie beyond the end of the device or were lost,
    /// `Err(Need)` if they were not read yet.
    pub fn bytes(&self, at: u64, len: usize) -> Result<Option<&[u8]>, Need> {
        let wanted = Range { at, len };
        match at.checked_add(len as u64) {
            Some(end) if end <= self.size => {}
            _ => return Ok(None),
        }
        if len == 0 {
            return Ok(Some(&[]));
        }
        for (start, chunk) in &self.chunks {
            let Some(skip) = at.checked_sub(*start).and_then(|s| usize::try_from(s).ok()) else {
                continue;
            };
            if let Some(found) = crate::base::bytes::slice(chunk, skip, len) {
                return Ok(Some(found));
            }
        }
        let overlaps = |l: &Range| l.at < wanted.end() && at < l.end();
        match self.lost.iter().any(overlaps) {
            true => Ok(None),
            false => Err(Need(wanted)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_there_missing_or_absent() {
        let mut view = View::new(100, 512);
        view.add(10, b"hello".to_vec());
        assert_eq!(view.bytes(11, 3), Ok(Some(&b"ell"[..])));
        assert_eq!(view.bytes(11, 5), Err(Need(Range { at: 11, len: 5 })));
        assert_eq!(view.bytes(98, 3), Ok(None));
        assert_eq!(view.bytes(50, 0), Ok(Some(&[][..])));
        assert_eq!(view.bytes(u64::MAX, 3), Ok(None));
        view.lose(Range { at: 50, len: 10 });
        assert_eq!(view.bytes(45, 10), Ok(None));
        assert_eq!(view.bytes(60, 1), Err(Need(Range { at: 60, len: 1 })));
        assert_eq!((view.held(), view.answers()), (5, 2));
    }
}
