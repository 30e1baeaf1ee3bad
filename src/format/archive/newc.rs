//! cpio newc. Source: Documentation/driver-api/early-userspace/buffer-format.rst.

use super::{CUT, DAMAGED, Entry, Kind, PATH_MAX, aligned};
use crate::base::bytes::{array, slice, until_nul};
use alloc::vec::Vec;

const HEADER: usize = 110;
/// A Debian has a few dozen files with more than one name.
const NAMED_MAX: usize = 16 << 10;
const TRAILER: &[u8] = b"TRAILER!!!";

pub(super) fn is_one(bytes: &[u8]) -> bool {
    // The second has a sum of each body, which is not looked at.
    bytes.starts_with(b"070701") || bytes.starts_with(b"070702")
}

/// Device, number and path of a file that has more names.
type Named = ([u32; 3], Vec<u8>);

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    named: Vec<Named>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            named: Vec::new(),
        }
    }

    pub(super) fn entry(&mut self) -> Result<Option<Entry<'a>>, &'static str> {
        let header = slice(self.bytes, self.at, HEADER).ok_or(CUT)?;
        if !is_one(header) {
            return Err(DAMAGED);
        }
        let mut fields = [0; 12];
        for (n, field) in fields.iter_mut().enumerate() {
            *field = number(header, n).ok_or(DAMAGED)?;
        }
        let [inode, mode, user, group, names, modified, size, device @ ..] = fields;
        let [device_major, device_minor, major, minor, length] = device;
        let inode = [device_major, device_minor, inode];
        let (name, data) = self.parts(length, size).ok_or(CUT)?;
        if name == TRAILER {
            return Ok(None);
        }
        if self.named.len() >= NAMED_MAX {
            return Err("holds too many files with more than one name");
        }
        let kind = match mode >> 12 {
            0o10 if names > 1 => self.file(inode, name, data),
            0o10 => Kind::File(data),
            0o04 => Kind::Directory,
            0o12 => Kind::Link(data.to_vec()),
            0o02 => Kind::Character(major, minor),
            0o06 => Kind::Block(major, minor),
            0o01 => Kind::Fifo,
            _ => return Err("holds a file of no known type"),
        };
        Ok(Some(Entry {
            path: name.to_vec(),
            kind,
            mode: mode & 0o7777,
            user,
            group,
            modified: modified.into(),
        }))
    }

    /// Name and body; the next header is behind them.
    fn parts(&mut self, length: u32, size: u32) -> Option<(&'a [u8], &'a [u8])> {
        let length = usize::try_from(length).ok().filter(|&n| n <= PATH_MAX)?;
        let size = usize::try_from(size).ok()?;
        let start = self.at.checked_add(HEADER)?;
        let name = slice(self.bytes, start, length)?;
        let start = aligned(start.checked_add(length)?, 4)?;
        let data = slice(self.bytes, start, size)?;
        self.at = aligned(start.checked_add(size)?, 4)?;
        Some((until_nul(name), data))
    }

    /// A file with more than one name: which of them brings its contents differs.
    fn file(&mut self, inode: [u32; 3], name: &[u8], data: &'a [u8]) -> Kind<'a> {
        match self.named.iter().find(|(known, _)| *known == inode) {
            Some((_, path)) => Kind::Same(path.clone(), data),
            None => {
                self.named.push((inode, name.to_vec()));
                Kind::File(data)
            }
        }
    }
}

/// Eight hexadecimal digits, the field of this number.
fn number(header: &[u8], field: usize) -> Option<u32> {
    let at = field.checked_mul(8)?.checked_add(6)?;
    let text: [u8; 8] = array(header, at)?;
    let digit = |n: u32, b: &u8| Some(n << 4 | char::from(*b).to_digit(16)?);
    text.iter().try_fold(0, digit)
}
