//! Architectures: which one a program, a module or a kernel is for, by its header.
//!
//! Not here: what QEMU is told for each (`qemu`).
//!
//! Sources: elf(5); of Linux 6.12 Documentation/arch/arm64/booting.rst, arch/x86/boot.rst and
//! arch/riscv/boot-image-header.rst beside it, arch/arm/boot/compressed/head.S, include/linux/pe.h.

use crate::base::bytes::{le16, le32, slice, u8};
use crate::host::compress::Method;
use crate::host::decompress;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Those that `/init` is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Aarch64,
    Riscv64,
    /// 32 bits, hard float.
    Armv7,
}

/// Every header below lies within so many bytes.
const HEAD: usize = 64 * 1024;

impl Arch {
    pub const ALL: [Self; 4] = [Self::X86_64, Self::Aarch64, Self::Riscv64, Self::Armv7];

    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Riscv64 => "riscv64",
            Self::Armv7 => "armv7",
        }
    }

    /// What rustc calls the target that `/init` is built for.
    pub const fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Aarch64 => "aarch64-unknown-linux-musl",
            Self::Riscv64 => "riscv64gc-unknown-linux-musl",
            Self::Armv7 => "armv7-unknown-linux-musleabihf",
        }
    }

    /// The machine that this tool runs on.
    pub fn own() -> Option<Self> {
        let own = std::env::consts::ARCH;
        let armv7 = (own == "arm").then_some(Self::Armv7);
        armv7.or_else(|| Self::ALL.into_iter().find(|arch| arch.name() == own))
    }

    /// Of an ELF file: a program, a module, a vmlinux.
    pub fn of_elf(bytes: &[u8]) -> Option<Self> {
        let class = u8(bytes, 4)?;
        if !bytes.starts_with(b"\x7fELF") {
            return None;
        }
        match (class, le16(bytes, 18)?) {
            (2, 62) => Some(Self::X86_64),
            (2, 183) => Some(Self::Aarch64),
            (2, 243) => Some(Self::Riscv64),
            (1, 40) => Some(Self::Armv7),
            _ => None,
        }
    }

    /// Of the first bytes of a kernel as boot loaders take it.
    pub fn of_kernel(head: &[u8]) -> Option<Self> {
        let is = |at, magic: &[u8]| slice(head, at, magic.len()) == Some(magic);
        if is(0x202, b"HdrS") {
            Some(Self::X86_64)
        } else if is(0x38, b"ARM\x64") {
            Some(Self::Aarch64)
        } else if is(0x38, b"RSC\x05") {
            Some(Self::Riscv64)
        } else if is(0x24, &[0x18, 0x28, 0x6f, 0x01]) {
            Some(Self::Armv7)
        } else if is(0, b"MZ") {
            of_pe(head)
        } else {
            Self::of_elf(head)
        }
    }

    /// Of a kernel's file, which may be packed with gzip or xz, say, as a whole.
    pub fn of_kernel_file(path: &Path) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
        Ok(Self::of_kernel(&head).or_else(|| Self::of_kernel(&unpacked(&head))))
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A program for UEFI: a kernel with an EFI stub, or one that unpacks itself there.
fn of_pe(head: &[u8]) -> Option<Arch> {
    let at = usize::try_from(le32(head, 0x3c)?).ok()?;
    if slice(head, at, 4)? != b"PE\0\0" {
        return None;
    }
    match le16(head, at.checked_add(4)?)? {
        0x8664 => Some(Arch::X86_64),
        0xaa64 => Some(Arch::Aarch64),
        0x5064 => Some(Arch::Riscv64),
        0x01c2 | 0x01c4 => Some(Arch::Armv7),
        _ => None,
    }
}

/// What comes out of the first bytes of a packed file.
fn unpacked(head: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4096];
    let mut filled = 0;
    let method = decompress::detect(head).unwrap_or(Method::None);
    if let Ok(mut member) = decompress::open(method, head) {
        // The end of `head` is no end of the file: what came before it counts.
        while let Some(rest @ [_, ..]) = out.get_mut(filled..) {
            match member.read(rest) {
                Ok(n @ 1..) => filled += n,
                _ => break,
            }
        }
    }
    out.truncate(filled);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of zeros with `parts` in it.
    fn file(parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        for (at, part) in parts {
            bytes[*at..*at + part.len()].copy_from_slice(part);
        }
        bytes
    }

    const ARM64: &[(usize, &[u8])] = &[(0, b"MZ"), (0x38, b"ARM\x64")];

    #[test]
    fn a_kernel_is_known_by_its_header() {
        let check = |parts: &[(usize, &[u8])], expected: Option<Arch>| {
            assert_eq!(Arch::of_kernel(&file(parts)), expected, "{parts:x?}");
        };
        check(&[(0, b"MZ"), (0x202, b"HdrS")], Some(Arch::X86_64));
        check(ARM64, Some(Arch::Aarch64));
        check(&[(0x38, b"RSC\x05")], Some(Arch::Riscv64));
        check(&[(0x24, b"\x18\x28\x6f\x01")], Some(Arch::Armv7));
        // One that UEFI unpacks: nothing but the PE header tells.
        let zboot: &[(usize, &[u8])] = &[(0, b"MZ\0\0zimg"), (0x3c, b"\x40"), (0x40, b"PE\0\0")];
        check(
            &[zboot, &[(0x44, b"\x64\xaa")]].concat(),
            Some(Arch::Aarch64),
        );
        check(
            &[zboot, &[(0x44, b"\x64\x50")]].concat(),
            Some(Arch::Riscv64),
        );
        check(&[zboot, &[(0x44, b"\x4c\x01")]].concat(), None);
        check(&[(0, b"\x7fELF\x02"), (18, &[62])], Some(Arch::X86_64));
        check(&[(0, b"\x7fELF\x01"), (18, &[40])], Some(Arch::Armv7));
        check(&[(0, b"\x7fELF\x01"), (18, &[62])], None);
        check(&[], None);
    }

    #[test]
    fn a_short_file_is_no_kernel() {
        let whole = file(ARM64);
        for length in 0..0x3c {
            assert_eq!(Arch::of_kernel(&whole[..length]), None);
        }
    }

    #[test]
    fn a_packed_kernel_is_looked_into() {
        use std::io::Write;
        let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        pack.write_all(&file(ARM64)).unwrap();
        let packed = pack.finish().unwrap();
        assert_eq!(Arch::of_kernel(&unpacked(&packed)), Some(Arch::Aarch64));
        // Its head alone.
        assert_eq!(
            Arch::of_kernel(&unpacked(&packed[..packed.len() - 9])),
            Some(Arch::Aarch64)
        );
        assert_eq!(Arch::of_kernel(&unpacked(b"\x1f\x8b")), None);
    }

    #[test]
    fn this_test_is_a_program_for_this_machine() {
        let me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(Arch::of_elf(&me), Arch::own());
    }
}
