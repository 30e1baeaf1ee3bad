//! LZ4 in its legacy frame, the only one that the kernel unpacks: a magic, then blocks of up to
//! 8 MiB, each behind its packed length. There is no end mark and no checksum: the data ends where
//! the file does, or where another magic stands.
//!
//! Source: lib/decompress_unlz4.c (Linux 6.12); "Legacy frame" in the LZ4 frame format description.

use crate::base::bytes;
use crate::host::block_writer::BlockWriter;
use crate::host::decompress::Member;
use std::io::{self, Read, Write};

pub const MAGIC: [u8; 4] = 0x184c_2102_u32.to_le_bytes();
const BLOCK: usize = 8 << 20;
/// What incompressible input of one block can grow to.
const MAX_PACKED: usize = BLOCK + BLOCK / 255 + 16;

/// A frame that packs what is written to it.
pub fn encoder<W: Write>(mut out: W) -> io::Result<BlockWriter<W>> {
    out.write_all(&MAGIC)?;
    Ok(BlockWriter::new(out, BLOCK, put_block, &[]))
}

fn put_block<W: Write>(out: &mut W, block: &[u8]) -> io::Result<()> {
    let packed = lz4_flex::block::compress(block);
    out.write_all(&(packed.len() as u32).to_le_bytes())?;
    out.write_all(&packed)
}

/// Unpacks one legacy frame at the start of `input`.
pub struct Decoder<'a> {
    input: &'a [u8],
    block: Vec<u8>,
    read: usize,
}

impl<'a> Decoder<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self {
            input: input.strip_prefix(&MAGIC).unwrap_or(input),
            block: Vec::new(),
            read: 0,
        }
    }

    /// False at the end. Zeros (padding) and whatever cannot be a block's length end the data too.
    fn next_block(&mut self) -> io::Result<bool> {
        while let Some(rest) = self.input.strip_prefix(&MAGIC) {
            self.input = rest;
        }
        let Some(packed) = bytes::le32(self.input, 0).filter(|&n| n != 0) else {
            return Ok(false);
        };
        let packed = packed as usize;
        if packed > MAX_PACKED {
            return Ok(false);
        }
        let short = || io::Error::new(io::ErrorKind::UnexpectedEof, "the lz4 data ends too early");
        let body = bytes::slice(self.input, 4, packed).ok_or_else(short)?;
        self.block.resize(BLOCK, 0);
        let n = lz4_flex::block::decompress_into(body, &mut self.block)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
        self.block.truncate(n);
        self.read = 0;
        self.input = self.input.get(4 + packed..).unwrap_or_default();
        Ok(true)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let mut from = self.block.get(self.read..).unwrap_or_default();
        let n = from.read(into)?;
        self.read += n;
        Ok(n)
    }
}

impl Member for Decoder<'_> {
    fn left(&self) -> usize {
        self.input.len()
    }
}
