//! An initramfs image as the kernel sees it: a row of segments, each a cpio archive (or several)
//! as it is or compressed, with zeros between them.
//!
//! A bootconfig may stand behind the last one; the kernel cuts it off first.
//!
//! The image's bytes are in memory; what its compressed segments unpack to never is. A stream that
//! never ends is stopped by [`MAX_BYTES`] and [`MAX_ENTRIES`].
//!
//! Source: unpack_to_rootfs() in init/initramfs.c (Linux 6.12).

use crate::format::bootconfig::{self, Found};
use crate::host::compress::Method;
use crate::host::cpio::{Header, Malformed, Reader};
use crate::host::decompress;
use crate::host::failure::Failure;
use std::io::Read;

/// What all segments together may unpack to. Real images stay below 1 GiB.
const MAX_BYTES: u64 = 16 << 30;
/// Entries of all segments together. Real images stay below 20,000.
const MAX_ENTRIES: u64 = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From 0.
    pub number: usize,
    /// Where it begins, in bytes of the image.
    pub offset: u64,
    pub method: Method,
    /// Counts the archives of the whole image: inode numbers mean something only within one.
    pub archive: usize,
}

/// Is told everything that an image holds, in order.
pub trait Visitor {
    fn segment(&mut self, _segment: &Segment) -> Result<(), Failure> {
        Ok(())
    }

    /// Comes last, if there is one.
    fn bootconfig(&mut self, _found: &Found<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// `body` is the entry's contents; what is not read of it is skipped.
    fn entry(&mut self, of: &Segment, entry: &Header, body: &mut dyn Read) -> Result<(), Failure>;
}

/// Walks all segments of `image`. `name` is what messages call it.
pub fn walk(name: &str, image: &[u8], visitor: &mut dyn Visitor) -> Result<(), Failure> {
    let mut walk = Walk {
        name,
        visitor,
        archives: 0,
        entries: 0,
        bytes: 0,
    };
    let config = bootconfig::find(image);
    let end = config.as_ref().map_or(image.len(), |found| found.offset);
    let image = image.get(..end).unwrap_or(image);
    let mut rest = image;
    let mut number = 0;
    loop {
        let zeros = rest.iter().take_while(|&&b| b == 0).count();
        rest = rest.get(zeros..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let offset = (image.len() - rest.len()) as u64;
        let Some(method) = kind(rest) else {
            return Err(walk.junk(offset, number));
        };
        let segment = Segment {
            number,
            offset,
            method,
            archive: walk.archives,
        };
        rest = walk.segment(segment, rest)?;
        number += 1;
    }
    if number == 0 {
        return Err(Failure::new(format!(
            "{name} holds no initramfs: it is empty or all zeros"
        )));
    }
    match &config {
        Some(found) => walk.visitor.bootconfig(found),
        None => Ok(()),
    }
}

fn kind(rest: &[u8]) -> Option<Method> {
    if rest.starts_with(b"0707") {
        return Some(Method::None);
    }
    decompress::detect(rest)
}

struct Walk<'a> {
    name: &'a str,
    visitor: &'a mut dyn Visitor,
    archives: usize,
    entries: u64,
    bytes: u64,
}

impl Walk<'_> {
    /// Walks one segment; returns what stands behind it.
    fn segment<'i>(&mut self, mut segment: Segment, rest: &'i [u8]) -> Result<&'i [u8], Failure> {
        self.visitor.segment(&segment)?;
        let opened = decompress::open(segment.method, rest);
        let member = opened.map_err(|e| self.broken(&segment, &e.to_string()))?;
        let mut reader = Reader::new(member.take(MAX_BYTES - self.bytes));
        if segment.method == Method::None {
            // The first archive only: the next one gets a segment of its own.
            let first = reader.next_entry();
            self.archive(&segment, &mut reader, first)?;
        } else {
            let mut next = reader.next_entry();
            loop {
                segment.archive = self.archives;
                self.archive(&segment, &mut reader, next)?;
                let padding = reader.skip_padding();
                match padding.map_err(|e| self.malformed(&segment, &e))? {
                    None => break,
                    Some(first) => next = reader.next_entry_after_padding(first),
                }
            }
        }
        self.bytes += reader.at();
        let member = reader.into_inner();
        if member.limit() == 0 {
            return Err(self.too_much());
        }
        let left = member.into_inner().left();
        Ok(rest.get(rest.len() - left..).unwrap_or_default())
    }

    fn archive(
        &mut self,
        segment: &Segment,
        reader: &mut Reader<impl Read>,
        first: Result<Option<Header>, Malformed>,
    ) -> Result<(), Failure> {
        let mut next = first;
        while let Some(entry) = next.map_err(|e| self.malformed(segment, &e))? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(self.too_much());
            }
            self.visitor.entry(segment, &entry, reader)?;
            next = reader.next_entry();
        }
        self.archives += 1;
        Ok(())
    }

    fn malformed(&self, segment: &Segment, e: &Malformed) -> Failure {
        let at = if segment.method == Method::None {
            format!("byte {} of the file", segment.offset.saturating_add(e.at))
        } else {
            format!("byte {} after unpacking", e.at)
        };
        self.broken(segment, &format!("{}, at {at}", e.what))
    }

    fn broken(&self, segment: &Segment, why: &str) -> Failure {
        let Segment {
            number,
            offset,
            method,
            ..
        } = segment;
        Failure::new(format!(
            "{}: segment {number} (from byte {offset}, compression {}) is damaged: {why}",
            self.name,
            method.name()
        ))
    }

    fn junk(&self, offset: u64, segments: usize) -> Failure {
        let what = if segments == 0 {
            "is no initramfs image: neither a cpio archive nor a compression that the kernel knows"
        } else {
            "has junk behind its last segment"
        };
        Failure::new(format!("{} {what} (byte {offset})", self.name))
    }

    fn too_much(&self) -> Failure {
        Failure::new(format!(
            "{} unpacks to more than {} GiB or {MAX_ENTRIES} entries; it is not read further",
            self.name,
            MAX_BYTES >> 30
        ))
    }
}
