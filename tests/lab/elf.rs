//! What a program may weigh and need: enough of ELF to tell, of 32 and of 64 bits, little-endian.
//!
//! Source: elf(5), whose names these are.

/// Stripped, with the three module decoders. Every page is read, checked and held at each boot.
pub const SIZE_MAX: usize = 1024 * 1024;

pub const EM_ARM: u64 = 40;
pub const EM_X86_64: u64 = 62;
pub const EM_AARCH64: u64 = 183;
pub const EM_RISCV: u64 = 243;

const ELFCLASS64: u8 = 2;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const SHT_SYMTAB: u64 = 2;

/// Where things stand in files of one class.
struct Class {
    /// Bytes in an address.
    width: usize,
    e_phoff: usize,
    e_phentsize: usize,
    e_shoff: usize,
    e_shentsize: usize,
    p_offset: usize,
    p_filesz: usize,
}

const CLASS_32: Class = Class {
    width: 4,
    e_phoff: 28,
    e_phentsize: 42,
    e_shoff: 32,
    e_shentsize: 46,
    p_offset: 4,
    p_filesz: 16,
};

const CLASS_64: Class = Class {
    width: 8,
    e_phoff: 32,
    e_phentsize: 54,
    e_shoff: 40,
    e_shentsize: 58,
    p_offset: 8,
    p_filesz: 32,
};

/// The number of `width` bytes at `at`.
fn number(elf: &[u8], at: usize, width: usize) -> u64 {
    let bytes = elf[at..at + width].iter().rev();
    bytes.fold(0, |sum, b| sum << 8 | u64::from(*b))
}

impl Class {
    fn place(&self, elf: &[u8], at: usize) -> usize {
        let place = number(elf, at, self.width);
        place.try_into().expect("a place within the file")
    }

    /// Offsets of the entries of a header table: `at` holds its offset, `sizes` its entry size
    /// and count.
    fn table(&self, elf: &[u8], at: usize, sizes: usize) -> impl Iterator<Item = usize> {
        let (start, size) = (self.place(elf, at), number(elf, sizes, 2) as usize);
        (0..number(elf, sizes + 2, 2) as usize).map(move |n| start + n * size)
    }
}

/// What makes this file more than "static, stripped, small, for `machine`".
pub fn faults(elf: &[u8], machine: u64) -> Vec<String> {
    let class = match elf[4] {
        ELFCLASS64 => CLASS_64,
        _ => CLASS_32,
    };
    let mut faults = Vec::new();
    if elf.len() > SIZE_MAX {
        faults.push(format!("{} bytes, more than {SIZE_MAX}", elf.len()));
    }
    if number(elf, 18, 2) != machine {
        faults.push(format!("machine {}, not {machine}", number(elf, 18, 2)));
    }
    for header in class.table(elf, class.e_phoff, class.e_phentsize) {
        match number(elf, header, 4) {
            PT_INTERP => faults.push("wants a program interpreter".into()),
            PT_DYNAMIC => {
                let start = class.place(elf, header + class.p_offset);
                let size = class.place(elf, header + class.p_filesz);
                let needs = |at: &usize| number(elf, *at, class.width) == DT_NEEDED;
                let entries = (start..start + size).step_by(2 * class.width);
                let count = entries.filter(needs).count();
                if count > 0 {
                    faults.push(format!("needs {count} shared libraries"));
                }
            }
            _ => {}
        }
    }
    let mut sections = class.table(elf, class.e_shoff, class.e_shentsize);
    if sections.any(|section| number(elf, section + 4, 4) == SHT_SYMTAB) {
        faults.push("is not stripped".into());
    }
    faults
}
