//! The other direction: which compression begins here, and its bytes unpacked as a stream.
//!
//! Nothing is unpacked into memory as a whole. The memory that a stream may ask of a decoder is
//! bounded ([`MEMORY_KIB`], [`ZSTD_WINDOW_LOG`]); how much comes out is the caller's to bound.
//!
//! Source: the magic numbers in lib/decompress.c (Linux 6.12).

use crate::host::compress::Method;
use crate::host::{lz4_legacy, lzop};
use lzma_rust2::{Action, LzmaStream, Status, StreamResult, XzStream};
use std::io::{self, Read};

/// Dictionary and all: xz -9 needs 65 MiB.
const MEMORY_KIB: u32 = 256 << 10;
/// 128 MiB: the most that the kernel's own decoder takes.
const ZSTD_WINDOW_LOG: u32 = 27;

/// One compressed member at the start of some bytes.
pub trait Member: Read {
    /// How many of the input's bytes stand behind what was consumed. Meaningful at the end.
    fn left(&self) -> usize;
}

/// The compression that begins at the start of `input`, if it is one that the kernel knows.
pub fn detect(input: &[u8]) -> Option<Method> {
    const MAGIC: [(&[u8], Method); 8] = [
        (&[0x1f, 0x8b], Method::Gzip),
        (&[0x1f, 0x9e], Method::Gzip),
        (&[0x42, 0x5a], Method::Bzip2),
        (&[0x5d, 0x00], Method::Lzma),
        (&[0xfd, 0x37], Method::Xz),
        (&[0x89, 0x4c], Method::Lzo),
        (&[0x02, 0x21], Method::Lz4),
        (&[0x28, 0xb5], Method::Zstd),
    ];
    let row = MAGIC.iter().find(|row| input.starts_with(row.0))?;
    Some(row.1)
}

/// The member at the start of `input`, unpacked by `method`.
pub fn open<'a>(method: Method, input: &'a [u8]) -> io::Result<Box<dyn Member + 'a>> {
    Ok(match method {
        Method::None => Box::new(input),
        Method::Gzip => Box::new(flate2::bufread::GzDecoder::new(input)),
        Method::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(input)),
        Method::Lzma => Box::new(Pushed::new(
            LzmaStream::new_mem_limit(MEMORY_KIB, None),
            input,
        )),
        Method::Xz => Box::new(Pushed::new(
            XzStream::new_mem_limit(false, MEMORY_KIB),
            input,
        )),
        Method::Lzo => Box::new(lzop::Decoder::new(input)?),
        Method::Lz4 => Box::new(lz4_legacy::Decoder::new(input)),
        Method::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?.single_frame();
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

/// A whole file, unpacked if its name says that it is packed (`.gz`, `.xz`, `.zst`), and at most
/// `limit` bytes of it. Kernel modules and firmware come like this.
pub fn by_suffix(name: &[u8], bytes: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
    let Some(method) = suffix(name).map(|(_, method)| method) else {
        return Ok(bytes);
    };
    let mut out = Vec::new();
    open(method, &bytes)?
        .take(limit + 1)
        .read_to_end(&mut out)?;
    if out.len() as u64 > limit {
        return Err(io::Error::other(format!(
            "unpacks to more than {} MiB",
            limit >> 20
        )));
    }
    Ok(out)
}

/// The suffix of a packed file, with its dot.
pub fn suffix(name: &[u8]) -> Option<(&'static str, Method)> {
    const SUFFIXES: [(&str, Method); 3] = [
        (".gz", Method::Gzip),
        (".xz", Method::Xz),
        (".zst", Method::Zstd),
    ];
    let row = SUFFIXES.iter().find(|row| name.ends_with(row.0.as_bytes()));
    row.copied()
}

impl Member for &[u8] {
    fn left(&self) -> usize {
        self.len()
    }
}

impl Member for flate2::bufread::GzDecoder<&[u8]> {
    fn left(&self) -> usize {
        self.get_ref().len()
    }
}

impl Member for bzip2::bufread::BzDecoder<&[u8]> {
    fn left(&self) -> usize {
        self.get_ref().len()
    }
}

impl Member for zstd::Decoder<'_, &[u8]> {
    fn left(&self) -> usize {
        self.get_ref().len()
    }
}

/// A decoder that is handed slices, as a stream.
struct Pushed<'a, D> {
    decoder: D,
    input: &'a [u8],
    ended: bool,
}

trait Process {
    fn process(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<StreamResult>;

    /// At the end: how many bytes were taken that do not belong to the stream.
    fn unused(&self) -> usize {
        0
    }
}

impl Process for LzmaStream {
    fn process(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<StreamResult> {
        self.process(input, output, Action::Finish)
    }

    fn unused(&self) -> usize {
        self.unused_input().len()
    }
}

impl Process for XzStream {
    fn process(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<StreamResult> {
        self.process(input, output, Action::Finish)
    }
}

impl<'a, D> Pushed<'a, D> {
    fn new(decoder: D, input: &'a [u8]) -> Self {
        Self {
            decoder,
            input,
            ended: false,
        }
    }
}

impl<D: Process> Read for Pushed<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !into.is_empty() {
            let step = self.decoder.process(self.input, into)?;
            self.input = self.input.get(step.bytes_consumed..).unwrap_or_default();
            self.ended = step.status == Status::StreamEnd;
            if step.bytes_produced > 0 {
                return Ok(step.bytes_produced);
            }
            if !self.ended && step.bytes_consumed == 0 {
                let what = "the compressed data ends too early";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
            }
        }
        Ok(0)
    }
}

impl<D: Process> Member for Pushed<'_, D> {
    fn left(&self) -> usize {
        self.input.len() + self.decoder.unused()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::compress::{Compression, packer};

    const NAMES: [&str; 8] = ["none", "gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd"];

    fn packed(with: &str, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pack = packer(Compression::parse(with).unwrap(), &mut out).unwrap();
        pack.write_all(bytes).unwrap();
        pack.finish().unwrap();
        out
    }

    #[test]
    fn every_method_comes_back_and_knows_where_it_ended() {
        let text: Vec<u8> = (0..100_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        for name in NAMES.into_iter().skip(1) {
            let mut image = packed(name, &text);
            let method = detect(&image).unwrap();
            assert_eq!(method.name(), name);
            image.extend([0; 9]);
            let mut member = open(method, &image).unwrap();
            let mut back = Vec::new();
            member.read_to_end(&mut back).unwrap();
            assert!(back == text, "{name} changed the bytes");
            assert_eq!(member.left(), 9, "{name}");
        }
    }

    #[test]
    fn truncated_members_are_errors() {
        let text: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
        for name in NAMES.into_iter().skip(1) {
            let mut image = packed(name, &text);
            image.truncate(image.len() / 2);
            let result = open(detect(&image).unwrap(), &image).unwrap();
            let mut result = result;
            assert!(io::copy(&mut result, &mut io::sink()).is_err(), "{name}");
        }
    }
}
