//! The compressions that the kernel unpacks at boot, and packing with them.
//!
//! Each is set so that the kernel's own decompressor takes it: xz with a CRC32 (it knows no
//! CRC64), lz4 in the legacy frame, zstd with a window of at most 8 MiB (more is memory that the
//! booting machine may not have). Same input, same settings, same bytes: nothing here is threaded
//! and no time stamp is written.
//!
//! Source: lib/decompress.c and lib/decompress_*.c (Linux 6.12).

use crate::host::block_writer::BlockWriter;
use crate::host::{lz4_legacy, lzop};
use std::io::{self, Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    None,
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Lzo,
    Lz4,
    Zstd,
}

/// Name, levels from and to, level by default. Where there is nothing to choose, all are 0.
const METHODS: [(Method, &str, u32, u32, u32); 8] = [
    (Method::None, "none", 0, 0, 0),
    (Method::Gzip, "gzip", 1, 9, 9),
    (Method::Bzip2, "bzip2", 1, 9, 9),
    (Method::Lzma, "lzma", 0, 6, 6),
    (Method::Xz, "xz", 0, 6, 6),
    (Method::Lzo, "lzo", 0, 0, 0),
    (Method::Lz4, "lz4", 0, 0, 0),
    (Method::Zstd, "zstd", 1, 19, 9),
];

/// A method and how hard it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    pub method: Method,
    pub level: u32,
}

impl Method {
    pub fn name(self) -> &'static str {
        let row = METHODS.iter().find(|row| row.0 == self);
        row.map_or("none", |row| row.1)
    }
}

impl Compression {
    /// What images are packed with unless told otherwise: most of zstd's gain in a few seconds.
    pub const DEFAULT: Self = Self {
        method: Method::Zstd,
        level: 9,
    };

    /// `zstd`, `zstd:19`, …; the error says what is possible.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let Some(&(method, _, from, to, default)) = METHODS.iter().find(|row| row.1 == name) else {
            let names: Vec<&str> = METHODS.iter().map(|row| row.1).collect();
            return Err(format!(
                "unknown compression '{name}'; the kernel unpacks {}",
                names.join(", ")
            ));
        };
        let level = match level {
            None => default,
            Some(_) if to == 0 => return Err(format!("{name} has no levels")),
            Some(level) => level
                .parse()
                .ok()
                .filter(|n| (from..=to).contains(n))
                .ok_or_else(|| format!("{name} has the levels {from} to {to}, not '{level}'"))?,
        };
        Ok(Self { method, level })
    }
}

/// A compressor: takes bytes, and must be finished.
pub trait Pack: Write {
    /// Writes what is still held back, and the end of the format.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Packs into `out`.
pub fn packer<'a, W: Write + 'a>(with: Compression, out: W) -> io::Result<Box<dyn Pack + 'a>> {
    let level = with.level;
    Ok(match with.method {
        Method::None => Box::new(Plain(out)),
        Method::Gzip => {
            let level = flate2::Compression::new(level);
            Box::new(flate2::GzBuilder::new().mtime(0).write(out, level))
        }
        Method::Bzip2 => {
            let level = bzip2::Compression::new(level);
            Box::new(bzip2::write::BzEncoder::new(out, level))
        }
        Method::Lzma => {
            let options = lzma_rust2::LzmaOptions::with_preset(level);
            let writer = lzma_rust2::LzmaWriter::new_use_header(out, &options, None)?;
            Box::new(writer)
        }
        Method::Xz => {
            let mut options = lzma_rust2::XzOptions::with_preset(level);
            options.set_check_sum_type(lzma_rust2::CheckType::Crc32);
            Box::new(lzma_rust2::XzWriter::new(out, options)?)
        }
        Method::Lzo => Box::new(lzop::encoder(out)?),
        Method::Lz4 => Box::new(lz4_legacy::encoder(out)?),
        Method::Zstd => {
            let mut encoder = zstd::Encoder::new(out, level as i32)?;
            encoder.include_checksum(true)?;
            Box::new(encoder)
        }
    })
}

struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Pack for Plain<W> {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

macro_rules! finishes {
    ($($packer:ty),* $(,)?) => { $(
        impl<W: Write> Pack for $packer {
            fn finish(self: Box<Self>) -> io::Result<()> {
                (*self).finish()?.flush()
            }
        }
    )* };
}

finishes!(
    flate2::write::GzEncoder<W>,
    bzip2::write::BzEncoder<W>,
    lzma_rust2::LzmaWriter<W>,
    lzma_rust2::XzWriter<W>,
    BlockWriter<W>,
    zstd::Encoder<'_, W>,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_is_a_name_and_perhaps_a_level() {
        let parse = |text| Compression::parse(text).map(|c| (c.method, c.level));
        assert_eq!(parse("zstd"), Ok((Method::Zstd, 9)));
        assert_eq!(parse("xz:0"), Ok((Method::Xz, 0)));
        assert_eq!(parse("none"), Ok((Method::None, 0)));
        for bad in ["", "zst", "zstd:", "zstd:0", "zstd:20", "gzip:-1", "lz4:1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    fn packed(with: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pack = packer(Compression::parse(with).unwrap(), &mut out).unwrap();
        pack.write_all(&[7; 100_000]).unwrap();
        pack.finish().unwrap();
        out
    }

    #[test]
    fn headers_are_those_that_the_kernel_takes() {
        let starts = |with, head: &[u8]| assert!(packed(with).starts_with(head), "{with}");
        // No name, no time.
        starts("gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        starts("bzip2", b"BZh9");
        // Properties 0x5d and a dictionary size with a low byte of 0: that is all its magic.
        starts("lzma", &[0x5d, 0, 0, 0x80, 0]);
        // The eighth byte is the check: CRC32.
        starts("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0, 0, 1]);
        starts("lz4", &[0x02, 0x21, 0x4c, 0x18]);
        let lzop = packed("lzo");
        let flags = crate::base::bytes::be32(&lzop, 17).unwrap();
        assert_eq!(flags & 0xfff, 1, "exactly one checksum a block");
    }

    #[test]
    fn no_level_of_zstd_needs_a_window_over_8_mib() {
        for level in 1..=19 {
            let frame = packed(&format!("zstd:{level}"));
            // RFC 8878, 3.1.1.1: not a single segment, then the window descriptor.
            assert_eq!(frame[4] & 0x20, 0, "level {level}");
            assert!(10 + (frame[5] >> 3) <= 23, "level {level}");
        }
    }
}
