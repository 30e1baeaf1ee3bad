//! Archives of root file systems: cpio newc and tar, one entry after the other.
//!
//! Nothing is believed of names here: whoever makes files of them keeps them inside. Extended
//! attributes, sparse files and times of directories are not read.

mod newc;
mod tar;

use alloc::vec::Vec;

/// Longer names are refused: the kernel's `PATH_MAX`.
const PATH_MAX: usize = 4096;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    File(&'a [u8]),
    Directory,
    /// A symbolic link, and what it says.
    Link(Vec<u8>),
    /// Another name of the file that came under this one, and what is to be in both, if anything.
    Same(Vec<u8>, &'a [u8]),
    Character(u32, u32),
    Block(u32, u32),
    Fifo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub path: Vec<u8>,
    pub kind: Kind<'a>,
    /// Permission bits, octal `07777`.
    pub mode: u32,
    pub user: u32,
    pub group: u32,
    /// Seconds since 1970.
    pub modified: u64,
}

/// Reads an archive that is in memory as a whole.
pub enum Reader<'a> {
    Newc(newc::Reader<'a>),
    Tar(tar::Reader<'a>),
}

impl<'a> Reader<'a> {
    /// `None`: it is neither.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if newc::is_one(bytes) {
            Some(Self::Newc(newc::Reader::new(bytes)))
        } else {
            tar::is_one(bytes).then(|| Self::Tar(tar::Reader::new(bytes)))
        }
    }

    /// The next entry; `None` at the end. The error is what is wrong, as half a sentence.
    pub fn entry(&mut self) -> Result<Option<Entry<'a>>, &'static str> {
        match self {
            Self::Newc(reader) => reader.entry(),
            Self::Tar(reader) => reader.entry(),
        }
    }
}

/// What does not go on to its end.
const CUT: &str = "ends too early";
const DAMAGED: &str = "is damaged";

/// `at` as the next multiple of a power of two.
fn aligned(at: usize, to: usize) -> Option<usize> {
    at.checked_next_multiple_of(to)
}

#[cfg(test)]
mod tests;
