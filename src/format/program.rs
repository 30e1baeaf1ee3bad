//! What kind of program a file is: ELF for which machine with which interpreter, or a script.
//!
//! Just enough to say beforehand why execve(2) would refuse it; nothing is loaded or linked.
//! Source: elf(5), System V ABI chapter 4; `#!`: execve(2) "Interpreter scripts".

use crate::base::bytes::{le16, le32, le64, until_nul};
use crate::base::text::Text;

/// How much of the file's beginning [`identify`] wants: `BINPRM_BUF_SIZE` of the kernel, 256
/// bytes, covers both headers.
pub const HEAD: usize = 256;

/// `e_machine` values that a supported machine can run (elf.h).
pub const EM_386: u16 = 3;
pub const EM_ARM: u16 = 40;
pub const EM_X86_64: u16 = 62;
pub const EM_AARCH64: u16 = 183;
pub const EM_RISCV: u16 = 243;

/// The kernel refuses program headers of more than 64 KiB (`load_elf_phdrs`, fs/binfmt_elf.c).
const LONGEST_TABLE: u64 = 65536;

/// `PATH_MAX`: the kernel refuses a longer interpreter name.
pub const LONGEST_INTERPRETER: u64 = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    Elf(Elf),
    /// `#!INTERPRETER …`
    Script(Text),
    /// Nothing the kernel starts by itself.
    Other,
}

/// The part of an ELF header that says where the program headers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    pub machine: u16,
    /// 64-bit layout.
    pub wide: bool,
    /// Offset of the program headers in the file.
    pub table: u64,
    /// Their length in bytes, at most 64 KiB; 0 if the header is nonsense.
    pub table_length: u64,
}

/// Reads the first bytes of a file. Big-endian ELF is [`Program::Other`]: nothing here runs it.
pub fn identify(head: &[u8]) -> Program {
    if head.starts_with(b"#!") {
        return script(head);
    }
    if !head.starts_with(b"\x7fELF") {
        return Program::Other;
    }
    match elf(head) {
        Some(elf) => Program::Elf(elf),
        None => Program::Other,
    }
}

fn script(head: &[u8]) -> Program {
    let line = head.split(|&b| b == b'\n').next().unwrap_or(head);
    let words = until_nul(line.get(2..).unwrap_or_default());
    let mut words = words.split(|&b| b == b' ' || b == b'\t');
    match words.find(|word| !word.is_empty()) {
        Some(word) => Program::Script(word.into()),
        None => Program::Other,
    }
}

fn elf(head: &[u8]) -> Option<Elf> {
    let (class, order) = (*head.get(4)?, *head.get(5)?);
    let wide = class == 2;
    if order != 1 || !matches!(class, 1 | 2) {
        return None;
    }
    let (table, entry, count) = if wide {
        (le64(head, 0x20)?, le16(head, 0x36)?, le16(head, 0x38)?)
    } else {
        let table = u64::from(le32(head, 0x1c)?);
        (table, le16(head, 0x2a)?, le16(head, 0x2c)?)
    };
    let expected = if wide { 56 } else { 32 };
    let length = u64::from(entry).saturating_mul(u64::from(count));
    let sound = entry == expected && length <= LONGEST_TABLE;
    Some(Elf {
        machine: le16(head, 0x12)?,
        wide,
        table,
        table_length: if sound { length } else { 0 },
    })
}

impl Elf {
    /// Offset and length of the interpreter's name (`PT_INTERP`), found in the program headers.
    /// `None`: a static program.
    pub fn interpreter(&self, table: &[u8]) -> Option<(u64, u64)> {
        const PT_INTERP: u32 = 3;
        let size = if self.wide { 56 } else { 32 };
        let header = table
            .chunks_exact(size)
            .find(|header| le32(header, 0) == Some(PT_INTERP))?;
        let (offset, length) = if self.wide {
            (le64(header, 0x08)?, le64(header, 0x20)?)
        } else {
            let offset = u64::from(le32(header, 0x04)?);
            (offset, u64::from(le32(header, 0x10)?))
        };
        Some((offset, length.min(LONGEST_INTERPRETER)))
    }
}

/// The usual name of a machine.
pub fn machine_name(machine: u16) -> Option<&'static str> {
    Some(match machine {
        EM_386 => "i386",
        8 => "mips",
        20 => "powerpc",
        21 => "powerpc64",
        22 => "s390x",
        EM_ARM => "arm",
        EM_X86_64 => "x86_64",
        EM_AARCH64 => "aarch64",
        EM_RISCV => "riscv",
        258 => "loongarch",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn check(head: &[u8], expected: Program) {
        assert_eq!(identify(head), expected, "{:?}", Text::from(head));
    }

    #[test]
    fn scripts_name_their_interpreter() {
        check(b"#!/bin/sh\necho", Program::Script("/bin/sh".into()));
        check(
            b"#! \t/usr/bin/env perl\n",
            Program::Script("/usr/bin/env".into()),
        );
        check(b"#!/bin/sh", Program::Script("/bin/sh".into()));
        check(b"#!\n/bin/sh", Program::Other);
        check(b"#!", Program::Other);
    }

    #[test]
    fn other_files_are_no_programs() {
        for head in [&b""[..], b"\x7fELF", b"MZ", b"\x7fELF\x02\x02\x01"] {
            check(head, Program::Other);
        }
    }

    /// An ELF64 header with one program header of `kind` that points to (0x238, 28).
    fn elf64(machine: u16, kind: u8) -> (alloc::vec::Vec<u8>, alloc::vec::Vec<u8>) {
        let mut head = alloc::vec![0; 64];
        head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        head[0x12..0x14].copy_from_slice(&machine.to_le_bytes());
        head[0x20] = 64;
        head[0x36] = 56;
        head[0x38] = 1;
        let mut table = alloc::vec![0; 56];
        table[0] = kind;
        table[8..10].copy_from_slice(&0x238_u16.to_le_bytes());
        table[0x20] = 28;
        (head, table)
    }

    #[test]
    fn an_elf_program_has_a_machine_and_perhaps_an_interpreter() {
        let (head, table) = elf64(EM_AARCH64, 3);
        let Program::Elf(elf) = identify(&head) else {
            panic!("not ELF");
        };
        assert_eq!(machine_name(elf.machine), Some("aarch64"));
        assert_eq!((elf.table, elf.table_length), (64, 56));
        assert_eq!(elf.interpreter(&table), Some((0x238, 28)));
        let (_, table) = elf64(EM_AARCH64, 1);
        assert_eq!(elf.interpreter(&table), None);
        assert_eq!(elf.interpreter(&table[..55]), None);
    }

    #[test]
    fn a_table_that_the_kernel_would_refuse_is_empty() {
        let (mut head, _) = elf64(EM_X86_64, 3);
        head[0x38..0x3a].copy_from_slice(&u16::MAX.to_le_bytes());
        let Program::Elf(elf) = identify(&head) else {
            panic!("not ELF");
        };
        assert_eq!(elf.table_length, 0);
    }

    #[test]
    fn any_bytes_give_an_answer_within_bounds() {
        let mut seed = 0x5eed_u64;
        for _ in 0..20_000 {
            let (mut head, mut table) = elf64(EM_X86_64, 3);
            for bytes in [&mut head, &mut table] {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let at = 4 + seed as usize % (bytes.len() - 4);
                bytes[at] = (seed >> 32) as u8;
            }
            if let Program::Elf(elf) = identify(&head) {
                assert!(elf.table_length <= LONGEST_TABLE);
                if let Some((_, length)) = elf.interpreter(&table) {
                    assert!(length <= LONGEST_INTERPRETER);
                }
            }
        }
    }
}
