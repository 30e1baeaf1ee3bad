//! Compressed kernel modules: gzip, xz, zstd, each behind a feature of its own.
//!
//! Only for kernels that cannot do it themselves. Output is bounded, whatever a header promises.
//!
//! Sources: RFC 1952 (gzip), the .xz file format, RFC 8878 (zstd).

#[cfg(feature = "ko-gz")]
use crate::base::bytes;
#[cfg(any(feature = "ko-gz", feature = "ko-xz", feature = "ko-zst"))]
use crate::format::packed::Output;
#[cfg(feature = "ko-gz")]
use crate::format::packed::inflate::inflate;
#[cfg(feature = "ko-zst")]
use crate::format::packed::zstd;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Xz,
    Zstd,
}

/// Reads the magic number at the beginning of a file. `None`: not packed, or not known.
pub fn packing(head: &[u8]) -> Option<Packing> {
    if head.starts_with(b"\x1f\x8b") {
        Some(Packing::Gzip)
    } else if head.starts_with(b"\xfd7zXZ\0") {
        Some(Packing::Xz)
    } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
        Some(Packing::Zstd)
    } else {
        None
    }
}

/// Unpacks a whole file into at most `limit` bytes. The error is the reason, as half a sentence.
pub fn unpack(packing: Packing, packed: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
    match packing {
        Packing::Gzip => gzip(packed, limit),
        Packing::Xz => xz(packed, limit),
        Packing::Zstd => zstd(packed, limit),
    }
}

#[cfg(any(feature = "ko-gz", feature = "ko-xz", feature = "ko-zst"))]
const TOO_LONG: &str = "it is too long when decompressed";
#[cfg(any(feature = "ko-gz", feature = "ko-xz", feature = "ko-zst"))]
const DAMAGED: &str = "its compressed data is damaged";
#[cfg(any(feature = "ko-gz", feature = "ko-xz"))]
const CHECKSUM: &str = "its checksum is wrong";

#[cfg(not(feature = "ko-gz"))]
fn gzip(_: &[u8], _: usize) -> Result<Vec<u8>, &'static str> {
    Err("this init was built without the gzip decoder (feature ko-gz)")
}

#[cfg(feature = "ko-gz")]
fn gzip(packed: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
    let start = gzip_header(packed).ok_or("its gzip header is damaged")?;
    let end = packed.len().checked_sub(8).ok_or(DAMAGED)?;
    let body = packed.get(start..end).ok_or(DAMAGED)?;
    let mut out = Output::new(limit);
    inflate(body, &mut out).ok_or_else(|| reason(&out))?;
    let out = out.into_bytes();
    let expected = (bytes::le32(packed, end), bytes::le32(packed, end + 4));
    if expected != (Some(crc32(&out)), Some(out.len() as u32)) {
        return Err(CHECKSUM);
    }
    Ok(out)
}

/// Where the deflated data begins. RFC 1952 §2.3.
#[cfg(feature = "ko-gz")]
fn gzip_header(packed: &[u8]) -> Option<usize> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let deflate = bytes::u8(packed, 2)? == 8;
    let flags = bytes::u8(packed, 3)?;
    let mut at = 10_usize;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(bytes::le16(packed, at)?);
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let rest = packed.get(at..)?;
            at += rest.iter().position(|&b| b == 0)? + 1;
        }
    }
    if flags & CRC != 0 {
        at += 2;
    }
    (deflate && at <= packed.len()).then_some(at)
}

/// CRC-32 of gzip and xz, four bits at a time: a table of 16 numbers is enough for a rare case.
#[cfg(any(feature = "ko-gz", feature = "ko-xz"))]
fn crc32(data: &[u8]) -> u32 {
    let row = |mut n: u32| {
        for _ in 0..4 {
            n = (n >> 1) ^ (0xEDB8_8320 & (n & 1).wrapping_neg());
        }
        n
    };
    let table: [u32; 16] = std::array::from_fn(|n| row(n as u32));
    let half = |crc: u32| {
        let entry = table.get((crc & 15) as usize).copied();
        (crc >> 4) ^ entry.unwrap_or(0)
    };
    !data
        .iter()
        .fold(u32::MAX, |crc, &b| half(half(crc ^ u32::from(b))))
}

#[cfg(not(feature = "ko-xz"))]
fn xz(_: &[u8], _: usize) -> Result<Vec<u8>, &'static str> {
    Err("this init was built without the xz decoder (feature ko-xz)")
}

#[cfg(feature = "ko-xz")]
fn xz(packed: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
    use crate::format::{packed::lzma2, xz};
    /// `xz -9` uses 64 MiB; modules are usually packed with 1 or 2.
    const DICTIONARY_MAX: u32 = 64 << 20;
    if !packed.ends_with(xz::FOOTER_MAGIC) {
        return Err("it ends too early");
    }
    let mut out = Output::new(limit);
    let mut at = xz::FIRST_BLOCK;
    while let xz::Next::Block { data, dictionary } = xz::block(packed, at)? {
        if dictionary > DICTIONARY_MAX {
            return Err("it needs more memory to decompress than a module should");
        }
        let before = out.bytes().len();
        let end = lzma2::unpack(packed, data, &mut out).ok_or_else(|| reason(&out))?;
        let (next, crc) = xz::after_block(packed, data, end).ok_or(DAMAGED)?;
        if crc.is_some_and(|crc| out.bytes().get(before..).map(crc32) != Some(crc)) {
            return Err(CHECKSUM);
        }
        at = next;
    }
    Ok(out.into_bytes())
}

#[cfg(not(feature = "ko-zst"))]
fn zstd(_: &[u8], _: usize) -> Result<Vec<u8>, &'static str> {
    Err("this init was built without the zstd decoder (feature ko-zst)")
}

#[cfg(feature = "ko-zst")]
fn zstd(packed: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
    let mut out = Output::new(limit);
    zstd::unpack(packed, &mut out).ok_or_else(|| reason(&out))?;
    Ok(out.into_bytes())
}

/// Why unpacking ended early.
#[cfg(any(feature = "ko-gz", feature = "ko-xz", feature = "ko-zst"))]
fn reason(out: &Output) -> &'static str {
    if out.full() { TOO_LONG } else { DAMAGED }
}

#[cfg(all(test, feature = "ko-gz", feature = "ko-xz", feature = "ko-zst"))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// Bytes that pack neither perfectly nor not at all.
    fn original(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn pack(tool: &[&str], data: &[u8]) -> Vec<u8> {
        let mut child = Command::new(tool[0])
            .args(&tool[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let copy = data.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&copy).unwrap());
        let out = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(out.status.success());
        out.stdout
    }

    const TOOLS: [&[&str]; 11] = [
        &["gzip", "-9nc"],
        &["gzip", "-1c"],
        &["xz", "-c", "--check=crc32", "--lzma2=dict=2MiB"],
        &["xz", "-9ec", "--block-size=65536"],
        &["xz", "-0c", "--lzma2=preset=0,lc=4,lp=0,pb=0"],
        &["xz", "-c", "--check=none", "--lzma2=lc=0,lp=2,pb=4"],
        &["zstd", "-19c"],
        &["zstd", "-1c", "--check"],
        &["zstd", "-3c", "--no-check"],
        &["zstd", "--fast=9", "-c"],
        &["zstd", "-9c", "--target-compressed-block-size=1500"],
    ];

    /// Data of one length that make packers choose differently.
    fn originals(len: usize) -> [Vec<u8>; 6] {
        let noise = original(2 * len);
        let noise: Vec<u8> = noise.chunks(2).map(|b| b[0] << 4 | b[1]).collect();
        let half: Vec<u8> = noise.iter().map(|&b| b.min(b'z')).collect();
        let words = noise.iter().flat_map(|&b| match b % 5 {
            0 => b"alias ".to_vec(),
            1 => vec![b; usize::from(b)],
            2 => b"module".to_vec(),
            _ => vec![b'a' + b % 16],
        });
        let words: Vec<u8> = words.take(len).collect();
        let parts = noise.chunks(100_000).zip(words.chunks(50_000));
        let mixed = parts.flat_map(|(noise, words)| [noise, words].concat());
        let mixed = mixed.take(len).collect();
        [original(len), vec![b'x'; len], noise, half, mixed, words]
    }

    #[test]
    fn what_the_real_tools_packed_comes_back() {
        for len in [0, 1, 15, 200, 900, 300_000] {
            for (tool, data) in TOOLS
                .iter()
                .flat_map(|tool| originals(len).map(|data| (tool, data)))
            {
                let packed = pack(tool, &data);
                let kind = packing(&packed).unwrap();
                let whole = unpack(kind, &packed, len);
                assert!(whole.as_ref() == Ok(&data), "{tool:?} {len}");
                if len > 0 {
                    let short = unpack(kind, &packed, len - 1);
                    assert_eq!(short, Err(TOO_LONG), "{tool:?} {len}");
                }
            }
        }
    }

    #[test]
    fn the_longest_windows_are_no_wider_than_the_output() {
        let [.., words] = originals(300_000);
        for tool in [
            &["zstd", "--ultra", "-22", "--long=30", "-c"][..],
            &["xz", "-c", "--lzma2=preset=9,dict=64MiB"],
        ] {
            let packed = pack(tool, &words);
            let kind = packing(&packed).unwrap();
            assert!(unpack(kind, &packed, 300_000).as_ref() == Ok(&words));
        }
    }

    #[test]
    fn frames_in_a_row_are_one_file_and_some_are_skipped() {
        let mut packed = pack(&["zstd", "-c"], b"first ");
        packed.extend(b"\x5f\x2a\x4d\x18\x03\0\0\0...");
        packed.extend(pack(&["zstd", "-c", "--no-check"], &[b'x'; 300]));
        let whole = [&b"first "[..], &[b'x'; 300]].concat();
        assert_eq!(unpack(Packing::Zstd, &packed, 306), Ok(whole));
        assert_eq!(unpack(Packing::Zstd, &packed, 305), Err(TOO_LONG));
        packed.push(0);
        assert_eq!(unpack(Packing::Zstd, &packed, 306), Err(DAMAGED));
    }

    #[test]
    fn wrong_checksums_are_seen() {
        for (tool, back) in [
            (&["gzip", "-c"][..], 8),
            (&["xz", "-c", "--check=crc32"], 12 + 8 + 4),
            (&["zstd", "-c"], 4),
        ] {
            let mut packed = pack(tool, b"abc");
            let at = packed.len() - back;
            packed[at] ^= 1;
            let kind = packing(&packed).unwrap();
            assert!(unpack(kind, &packed, 3).is_err(), "{tool:?}");
        }
    }

    #[test]
    fn damaged_files_are_refused_or_bounded_and_never_a_crash() {
        let data = original(20_000);
        for tool in TOOLS {
            let packed = pack(tool, &data);
            let kind = packing(&packed).unwrap();
            for step in 0..200 {
                let at = (step * packed.len() / 200).max(1);
                assert!(
                    unpack(kind, &packed[..at], 1 << 20).is_err(),
                    "{tool:?} {at}"
                );
                let mut bent = packed.clone();
                bent[at] ^= 1 << (step % 8);
                if let Ok(out) = unpack(kind, &bent, 1 << 20) {
                    assert!(out.len() <= 1 << 20);
                }
            }
        }
    }

    #[test]
    fn xz_filters_for_programs_are_refused_by_name() {
        let packed = pack(&["xz", "-c", "--x86", "--lzma2"], &original(5000));
        let refused = unpack(Packing::Xz, &packed, 5000).unwrap_err();
        assert!(refused.contains("filter"), "{refused}");
    }

    #[test]
    fn optional_gzip_fields_are_passed_over() {
        let packed = pack(&["gzip", "-nc"], b"abc");
        let mut long = packed[..10].to_vec();
        long[3] = 2 | 4 | 8 | 16;
        long.extend(b"\x03\0xyzname\0comment\0cc");
        long.extend(&packed[10..]);
        assert_eq!(unpack(Packing::Gzip, &long, 3), Ok(b"abc".to_vec()));
    }
}
