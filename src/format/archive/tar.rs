//! tar. Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; long names
//! and large numbers of GNU tar: its manual, "Basic Tar Format".

use super::{CUT, DAMAGED, Entry, Kind, PATH_MAX, aligned};
use crate::base::bytes::{slice, u8, until_nul};
use alloc::vec::Vec;

const BLOCK: usize = 512;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What headers in front of an entry say of it.
#[derive(Default)]
struct Ahead {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    user: Option<u64>,
    group: Option<u64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn entry(&mut self) -> Result<Option<Entry<'a>>, &'static str> {
        let mut ahead = Ahead::default();
        loop {
            let header = slice(self.bytes, self.at, BLOCK).ok_or(CUT)?;
            if header.iter().all(|&b| b == 0) {
                return Ok(None);
            }
            if !is_summed(header) {
                return Err(DAMAGED);
            }
            let kind = u8(header, 156).unwrap_or(0);
            let size = ahead.size.filter(|_| !b"xgLK".contains(&kind));
            let size = size.or_else(|| number(header, 124, 12)).ok_or(DAMAGED)?;
            // The size of what has no body is said all the same, by some.
            let size = if (b'1'..=b'6').contains(&kind) {
                0
            } else {
                size
            };
            let data = self.body(size).ok_or(CUT)?;
            match kind {
                b'x' => ahead.extend(data).ok_or(DAMAGED)?,
                b'L' => ahead.path = Some(name(data)?),
                b'K' => ahead.link = Some(name(data)?),
                b'S' => return Err("holds a sparse file"),
                0 | b'0'..=b'7' => return entry(header, kind, data, ahead).map(Some),
                // For all that follow, and what only a vendor's own tar knows.
                _ => {}
            }
        }
    }

    fn body(&mut self, size: u64) -> Option<&'a [u8]> {
        let size = usize::try_from(size).ok()?;
        let start = self.at.checked_add(BLOCK)?;
        let data = slice(self.bytes, start, size)?;
        self.at = aligned(start.checked_add(size)?, BLOCK)?;
        Some(data)
    }
}

impl Ahead {
    /// `LENGTH KEY=VALUE\n`, again and again.
    fn extend(&mut self, mut data: &[u8]) -> Option<()> {
        while !data.is_empty() {
            let blank = data.iter().position(|&b| b == b' ')?;
            let length = decimal(data.get(..blank)?)?;
            let length = usize::try_from(length).ok()?;
            let record = data.get(blank.checked_add(1)?..length)?;
            data = data.get(length..)?;
            let record = record.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&b| b == b'=')?;
            let value = record.get(equals.checked_add(1)?..)?;
            match record.get(..equals)? {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(decimal(value)?),
                b"uid" => self.user = Some(decimal(value)?),
                b"gid" => self.group = Some(decimal(value)?),
                _ => {}
            }
        }
        Some(())
    }
}

fn entry<'a>(
    header: &[u8],
    kind: u8,
    data: &'a [u8],
    ahead: Ahead,
) -> Result<Entry<'a>, &'static str> {
    let small = |at, len| number(header, at, len).and_then(|n| u32::try_from(n).ok());
    let small = |at, len| small(at, len).ok_or(DAMAGED);
    let path = ahead.path.unwrap_or_else(|| path(header));
    let link = || {
        let short = slice(header, 157, 100).map(until_nul).unwrap_or_default();
        ahead.link.clone().unwrap_or_else(|| short.to_vec())
    };
    let link = match kind {
        b'1' | b'2' => link(),
        _ => Vec::new(),
    };
    if path.len() > PATH_MAX || link.len() > PATH_MAX {
        return Err("holds a name that is too long");
    }
    let kind = match kind {
        b'1' => Kind::Same(link, data),
        b'2' => Kind::Link(link),
        b'3' => Kind::Character(small(329, 8)?, small(337, 8)?),
        b'4' => Kind::Block(small(329, 8)?, small(337, 8)?),
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        // Before ustar a directory was known by its name.
        _ if path.ends_with(b"/") => Kind::Directory,
        _ => Kind::File(data),
    };
    let owner = |ahead: Option<u64>, at| match ahead {
        Some(id) => u32::try_from(id).map_err(|_| DAMAGED),
        None => small(at, 8),
    };
    Ok(Entry {
        path,
        kind,
        mode: small(100, 8)? & 0o7777,
        user: owner(ahead.user, 108)?,
        group: owner(ahead.group, 116)?,
        modified: number(header, 136, 12).unwrap_or(0),
    })
}

/// The name, with what POSIX has of it in front.
fn path(header: &[u8]) -> Vec<u8> {
    let name = slice(header, 0, 100).map(until_nul).unwrap_or_default();
    let posix = slice(header, 257, 6) == Some(b"ustar\0");
    let front = slice(header, 345, 155).filter(|_| posix);
    match front.map(until_nul).unwrap_or_default() {
        b"" => name.to_vec(),
        front => [front, b"/", name].concat(),
    }
}

/// A name that stands in a body of its own.
fn name(data: &[u8]) -> Result<Vec<u8>, &'static str> {
    Ok(until_nul(data).to_vec())
}

/// Octal digits between blanks and zeros; or, after a byte with the highest bit, a binary number.
fn number(header: &[u8], at: usize, length: usize) -> Option<u64> {
    let field = slice(header, at, length)?;
    if let Some((first @ 0x80.., rest)) = field.split_first() {
        let byte = |n: u64, b: &u8| n.checked_mul(256)?.checked_add(u64::from(*b));
        return rest.iter().try_fold(u64::from(first & 0x3f), byte);
    }
    let text = until_nul(field).trim_ascii();
    let digit = |n: u64, b: &u8| n.checked_mul(8)?.checked_add(octal(*b)?);
    text.iter().try_fold(0, digit)
}

fn octal(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(8).map(u64::from)
}

fn decimal(text: &[u8]) -> Option<u64> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The sum of the header's bytes, its own place taken for blanks.
fn is_summed(header: &[u8]) -> bool {
    let blank = |(at, b): (usize, &u8)| match at {
        148..156 => 32,
        _ => u64::from(*b),
    };
    let sum: u64 = header.iter().enumerate().map(blank).sum();
    number(header, 148, 8) == Some(sum)
}
