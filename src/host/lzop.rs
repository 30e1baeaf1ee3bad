//! The file format of lzop(1): a header, then blocks of LZO1X, each with one checksum.
//!
//! The kernel's reader is stricter than lzop's: at most 256 KiB a block, and exactly one checksum
//! a block (it skips four bytes without asking the flags). What is written here satisfies both.
//! Source: lib/decompress_unlzo.c (Linux 6.12) and the header's layout in lzop 1.04.

use crate::base::bytes;
use crate::host::block_writer::BlockWriter;
use crate::host::decompress::Member;
use crate::host::lzo;
use std::io::{self, Read, Write};

const MAGIC: [u8; 9] = [0x89, b'L', b'Z', b'O', 0, b'\r', b'\n', 0x1a, b'\n'];
const BLOCK: usize = 256 << 10;
/// lzop itself writes blocks up to this size with `-B`-less old versions; more is refused.
const MAX_BLOCK: usize = 64 << 20;

const ADLER_PLAIN: u32 = 1;
const ADLER_PACKED: u32 = 2;
const CRC_PLAIN: u32 = 0x100;
const CRC_PACKED: u32 = 0x200;
const EXTRA_FIELD: u32 = 0x40;
const FILTER: u32 = 0x800;
const OS_UNIX: u32 = 0x0300_0000;

/// A file that packs what is written to it.
pub fn encoder<W: Write>(mut out: W) -> io::Result<BlockWriter<W>> {
    let mut header = Vec::new();
    header.extend(0x1040_u16.to_be_bytes()); // version of lzop
    header.extend(0x20a0_u16.to_be_bytes()); // version of its library
    header.extend(0x0940_u16.to_be_bytes()); // version needed to extract
    header.extend([1, 5]); // method LZO1X-1, level
    header.extend((ADLER_PLAIN | OS_UNIX).to_be_bytes());
    header.extend(0o100_644_u32.to_be_bytes()); // mode
    header.extend([0; 8]); // mtime, low and high
    header.push(0); // no file name
    out.write_all(&MAGIC)?;
    out.write_all(&header)?;
    out.write_all(&adler32(&header).to_be_bytes())?;
    Ok(BlockWriter::new(out, BLOCK, put_block, &[0; 4]))
}

fn put_block<W: Write>(out: &mut W, block: &[u8]) -> io::Result<()> {
    let packed = lzo::compress(block);
    // Equal lengths mean: stored.
    let body = if packed.len() < block.len() {
        &packed
    } else {
        block
    };
    out.write_all(&(block.len() as u32).to_be_bytes())?;
    out.write_all(&(body.len() as u32).to_be_bytes())?;
    out.write_all(&adler32(block).to_be_bytes())?;
    out.write_all(body)
}

/// Unpacks one lzop file at the start of `input`.
pub struct Decoder<'a> {
    input: &'a [u8],
    flags: u32,
    block: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<'a> Decoder<'a> {
    pub fn new(input: &'a [u8]) -> io::Result<Self> {
        let (flags, length) = header(input).ok_or_else(|| bad("a malformed lzop header"))?;
        Ok(Self {
            input: input.get(length..).unwrap_or_default(),
            flags,
            block: io::Cursor::default(),
            ended: false,
        })
    }

    fn next_block(&mut self) -> io::Result<()> {
        let plain = self.word()?;
        if plain == 0 {
            self.ended = true;
            return Ok(());
        }
        let packed = self.word()?;
        if plain > MAX_BLOCK || packed > plain {
            return Err(bad("an lzop block with impossible lengths"));
        }
        let has = |flag: u32| self.flags & flag != 0;
        let sums = usize::from(has(ADLER_PLAIN)) + usize::from(has(CRC_PLAIN));
        let packed_sums = usize::from(has(ADLER_PACKED)) + usize::from(has(CRC_PACKED));
        let checked = has(ADLER_PLAIN);
        let sum = bytes::be32(self.input, 0);
        let skipped = sums + if packed < plain { packed_sums } else { 0 };
        self.take(skipped * 4)?;
        let body = self.take(packed)?;
        let block = if packed == plain {
            body.to_vec()
        } else {
            lzo::decompress(body, plain).ok_or_else(|| bad("corrupt LZO data"))?
        };
        if checked && sum != Some(adler32(&block)) {
            return Err(bad("an lzop block whose checksum is wrong"));
        }
        self.block = io::Cursor::new(block);
        Ok(())
    }

    fn word(&mut self) -> io::Result<usize> {
        Ok(bytes::be32(self.take(4)?, 0).unwrap_or_default() as usize)
    }

    fn take(&mut self, n: usize) -> io::Result<&'a [u8]> {
        let split = self.input.split_at_checked(n);
        let (head, rest) = split.ok_or_else(|| bad("the lzop data ends too early"))?;
        self.input = rest;
        Ok(head)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.block.read(into)?;
            if n > 0 || self.ended || into.is_empty() {
                return Ok(n);
            }
            self.next_block()?;
        }
    }
}

impl Member for Decoder<'_> {
    fn left(&self) -> usize {
        self.input.len()
    }
}

/// Flags and length of the header.
fn header(input: &[u8]) -> Option<(u32, usize)> {
    let version = bytes::be16(input, 9)?;
    // Before 0.94 there was neither a level nor the upper half of the time.
    let modern = version >= 0x0940;
    let flags_at = if modern { 17 } else { 16 };
    let flags = bytes::be32(input, flags_at)?;
    let filter = if flags & FILTER != 0 { 4 } else { 0 };
    let name_at = flags_at + 4 + filter + 8 + if modern { 4 } else { 0 };
    let mut end = name_at + 1 + usize::from(bytes::u8(input, name_at)?) + 4;
    if flags & EXTRA_FIELD != 0 {
        end = end
            .checked_add(bytes::be32(input, end)? as usize)?
            .checked_add(8)?;
    }
    (input.starts_with(&MAGIC) && end <= input.len()).then_some((flags, end))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The checksum of RFC 1950.
fn adler32(input: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    // 5552 bytes: the most that cannot overflow before the remainder is taken.
    for run in input.chunks(5552) {
        for &byte in run {
            a += u32::from(byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    b << 16 | a
}
