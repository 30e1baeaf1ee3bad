//! The bytes of a device that were read so far.

use alloc::vec::Vec;

/// Bytes at an offset of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub at: u64,
    pub len: usize,
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
    chunks: Vec<(u64, Vec<u8>)>,
}

impl View {
    pub fn new(size: u64, sector: u32) -> Self {
        Self {
            size,
            sector,
            chunks: Vec::new(),
        }
    }

    /// Adds bytes that were read at `at`. A short read leaves the view shorter than asked.
    pub fn add(&mut self, at: u64, bytes: Vec<u8>) {
        self.chunks.push((at, bytes));
    }

    /// Bytes held in memory.
    pub fn held(&self) -> usize {
        self.chunks
            .iter()
            .map(|(_, b)| b.len())
            .fold(0, usize::saturating_add)
    }

    /// `len` bytes at `at`: `Ok(None)` if they lie beyond the end of the device,
    /// `Err(Need)` if they were not read yet.
    pub fn bytes(&self, at: u64, len: usize) -> Result<Option<&[u8]>, Need> {
        match at.checked_add(len as u64) {
            Some(end) if end <= self.size => {}
            _ => return Ok(None),
        }
        for (start, chunk) in &self.chunks {
            let Some(skip) = at.checked_sub(*start).and_then(|s| usize::try_from(s).ok()) else {
                continue;
            };
            if let Some(found) = crate::base::bytes::slice(chunk, skip, len) {
                return Ok(Some(found));
            }
        }
        Err(Need(Range { at, len }))
    }
}
