//! What a module says about itself: the `.modinfo` section of an ELF object.
//!
//! Of ELF only as much as it takes to find that section, in either word size and byte order.
//! Compressed modules are to be decompressed first.
//!
//! Sources: elf(5); the kernel's include/linux/moduleinfo.h and module.h (`MODULE_INFO`).

use crate::base::bytes;

/// The fields of one module: `KEY=VALUE`, each ended by NUL.
#[derive(Clone, Copy)]
pub struct Modinfo<'a>(&'a [u8]);

impl<'a> Modinfo<'a> {
    /// All fields in their order. Keys repeat: `alias`, `firmware`, `parm`, `softdep`.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.0.split(|&b| b == 0).filter_map(|field| {
            let equals = field.iter().position(|&b| b == b'=')?;
            Some((field.get(..equals)?, field.get(equals..)?.get(1..)?))
        })
    }

    /// The values of one key.
    pub fn all<'k>(&self, key: &'k [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'k> {
        let fields = self.fields().filter(move |(k, _)| *k == key);
        fields.map(|(_, value)| value)
    }
}

/// Finds the section in a whole `.ko` file. `None` if there is none or this is no ELF file.
pub fn modinfo(elf: &[u8]) -> Option<Modinfo<'_>> {
    let elf = Elf::new(elf)?;
    let names = elf.section(elf.names)?;
    for index in 0..elf.count {
        let header = elf.header(index)?;
        let name = names.get(elf.u32(header)? as usize..).unwrap_or(&[]);
        if bytes::until_nul(name) == b".modinfo" {
            return elf.section(index).map(Modinfo);
        }
    }
    None
}

/// The part of the ELF header that leads to the sections.
struct Elf<'a> {
    bytes: &'a [u8],
    wide: bool,
    big: bool,
    table: usize,
    entry: usize,
    count: u32,
    names: u32,
}

impl<'a> Elf<'a> {
    fn new(elf: &'a [u8]) -> Option<Self> {
        if !elf.starts_with(b"\x7fELF") {
            return None;
        }
        let (wide, big) = (bytes::u8(elf, 4)? == 2, bytes::u8(elf, 5)? == 2);
        let mut out = Self {
            bytes: elf,
            wide,
            big,
            table: 0,
            entry: 0,
            count: 0,
            names: 0,
        };
        out.table = out.word(if wide { 0x28 } else { 0x20 })?;
        // e_shentsize, e_shnum and e_shstrndx follow each other.
        let tail = if wide { 0x3A } else { 0x2E };
        out.entry = usize::from(out.u16(tail)?);
        out.count = u32::from(out.u16(tail.checked_add(2)?)?);
        out.names = u32::from(out.u16(tail.checked_add(4)?)?);
        out.extended()?;
        // An entry is at least its 40 bytes, so a loop over all is bounded by the file's length.
        let longest = elf.len().checked_div(40)?;
        (out.entry >= 40 && out.count as usize <= longest).then_some(out)
    }

    /// Numbers that do not fit into 16 bits stand in the first section's header.
    fn extended(&mut self) -> Option<()> {
        if self.count == 0 {
            self.count = u32::try_from(self.word(self.field(self.table, 0x20, 0x14)?)?).ok()?;
        }
        if self.names == 0xFFFF {
            self.names = self.u32(self.field(self.table, 0x28, 0x18)?)?;
        }
        Some(())
    }

    fn field(&self, header: usize, wide: usize, narrow: usize) -> Option<usize> {
        header.checked_add(if self.wide { wide } else { narrow })
    }

    fn header(&self, index: u32) -> Option<usize> {
        let skip = self.entry.checked_mul(usize::try_from(index).ok()?)?;
        self.table.checked_add(skip)
    }

    /// The bytes of a section.
    fn section(&self, index: u32) -> Option<&'a [u8]> {
        let header = self.header(index)?;
        let at = self.word(self.field(header, 0x18, 0x10)?)?;
        let size = self.word(self.field(header, 0x20, 0x14)?)?;
        bytes::slice(self.bytes, at, size)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let read = if self.big { bytes::be16 } else { bytes::le16 };
        read(self.bytes, at)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let read = if self.big { bytes::be32 } else { bytes::le32 };
        read(self.bytes, at)
    }

    /// An address or a size: 64 or 32 bits.
    fn word(&self, at: usize) -> Option<usize> {
        if !self.wide {
            return usize::try_from(self.u32(at)?).ok();
        }
        let read = if self.big { bytes::be64 } else { bytes::le64 };
        usize::try_from(read(self.bytes, at)?).ok()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const NAMES: &[u8] = b"\0.modinfo\0.shstrtab\0";
    const FIELDS: &[u8] = b"name=a\0\0alias=x\0firmware=f/1\0alias=y=z\0broken\0";

    /// An ELF object with three sections: none, `.modinfo`, `.shstrtab`.
    fn object(wide: bool, big: bool) -> Vec<u8> {
        let number = |n: u64, len: usize| -> Vec<u8> {
            let little = n.to_le_bytes().into_iter().take(len);
            if big {
                little.rev().collect()
            } else {
                little.collect()
            }
        };
        let word = if wide { 8 } else { 4 };
        let mut b = b"\x7fELF".to_vec();
        b.extend([if wide { 2 } else { 1 }, if big { 2 } else { 1 }]);
        b.resize(if wide { 0x28 } else { 0x20 }, 0);
        b.extend(number(0x100, word));
        b.resize(if wide { 0x3A } else { 0x2E }, 0);
        for n in [if wide { 64 } else { 40 }, 3, 2] {
            b.extend(number(n, 2));
        }
        b.resize(0x60, 0);
        let modinfo = b.len() as u64;
        b.extend(FIELDS);
        let names = b.len() as u64;
        b.extend(NAMES);
        b.resize(0x100, 0);
        let sections = [
            (0, 0, 0),
            (1, modinfo, FIELDS.len()),
            (10, names, NAMES.len()),
        ];
        for (name, at, size) in sections {
            let start = b.len();
            b.extend(number(name, 4));
            b.resize(start + if wide { 0x18 } else { 0x10 }, 0);
            b.extend(number(at, word));
            b.extend(number(size as u64, word));
            b.resize(start + if wide { 64 } else { 40 }, 0);
        }
        b
    }

    #[test]
    fn fields_are_found_in_every_kind_of_object() {
        for (wide, big) in [(true, false), (true, true), (false, false), (false, true)] {
            let object = object(wide, big);
            let info = modinfo(&object).unwrap();
            let aliases: Vec<&[u8]> = info.all(b"alias").collect();
            assert_eq!(aliases, [&b"x"[..], b"y=z"]);
            assert_eq!(info.fields().count(), 4);
        }
    }

    #[test]
    fn every_truncation_is_survived() {
        for wide in [true, false] {
            let object = object(wide, false);
            for end in 0..object.len() {
                let _ = modinfo(&object[..end]).map(|i| i.fields().count());
            }
        }
        assert!(modinfo(b"\x1f\x8b").is_none());
    }
}
