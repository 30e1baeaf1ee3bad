//! A writer that collects blocks of one length and packs each: what the formats of LZ4 and lzop
//! have in common.

use std::io::{self, Write};

/// How one block goes out; never an empty one.
pub type Pack<W> = fn(&mut W, &[u8]) -> io::Result<()>;

pub struct BlockWriter<W: Write> {
    out: W,
    /// Never as long as `length`, outside of a call.
    block: Vec<u8>,
    length: usize,
    pack: Pack<W>,
    /// What stands behind the last block.
    end: &'static [u8],
}

impl<W: Write> BlockWriter<W> {
    pub fn new(out: W, length: usize, pack: Pack<W>, end: &'static [u8]) -> Self {
        Self {
            out,
            block: Vec::with_capacity(length),
            length,
            pack,
            end,
        }
    }

    /// Packs what is left, which may be shorter than the others.
    pub fn finish(mut self) -> io::Result<W> {
        self.put_block()?;
        self.out.write_all(self.end)?;
        Ok(self.out)
    }

    fn put_block(&mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            (self.pack)(&mut self.out, &self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        let n = input.len().min(self.length - self.block.len());
        self.block.extend(input.iter().take(n));
        if self.block.len() == self.length {
            self.put_block()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_full_but_for_the_last() {
        let pack = |out: &mut Vec<u8>, block: &[u8]| {
            out.extend([b'[']);
            out.extend(block);
            Ok(())
        };
        for (input, expected) in [("", "!"), ("abc", "[abc!"), ("abcdefg", "[abc[def[g!")] {
            let mut writer = BlockWriter::new(Vec::new(), 3, pack, b"!");
            writer.write_all(input.as_bytes()).unwrap();
            assert_eq!(writer.finish().unwrap(), expected.as_bytes());
        }
    }
}
