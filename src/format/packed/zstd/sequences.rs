//! The sequences of a Zstandard block: literals, then a match. Source: RFC 8878 §3.1.1.3.2.

use super::super::Output;
use super::super::bits::Downwards;
use super::Input;
use super::fse::{Cell, Table};

/// A kind of number: its codes, and how they are packed if a block does not say it.
struct Kind {
    /// What code 0 stands for.
    first: usize,
    /// How many bits follow each code. Numbers of one code begin where those before it end.
    more: &'static [u8],
    /// A table, as a block would describe it (appendix A of the RFC has it with its states).
    table: &'static [u8],
    log_max: u8,
}

const LENGTHS: Kind = Kind {
    first: 0,
    more: &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10,
        11, 12, 13, 14, 15, 16,
    ],
    table: &[
        0x51, 0x10, 0x63, 0x8c, 0x31, 0xc6, 0x18, 0x63, 0x0c, 0x21, 0xc4, 0x18, 0x63, 0x66, 0x66,
        0x86, 0x46, 0x92, 0x04, 0x00,
    ],
    log_max: 9,
};

const OFFSETS: Kind = Kind {
    first: 1,
    more: &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30, 31,
    ],
    table: &[
        0x20, 0x84, 0x10, 0x42, 0x66, 0x46, 0x44, 0x44, 0x44, 0x44, 0x24, 0x49, 0x02, 0x00,
    ],
    log_max: 8,
};

const MATCHES: Kind = Kind {
    first: 3,
    more: &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ],
    table: &[
        0x21, 0x14, 0xc4, 0x18, 0x63, 0x8c, 0x21, 0x84, 0x10, 0x42, 0x08, 0x21, 0x84, 0x10, 0x42,
        0x08, 0x21, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x24, 0x09, 0x00, 0x00,
    ],
    log_max: 9,
};

/// One number of a sequence: its table, which the next block may use again, and its state.
struct Reader {
    table: Table,
    cell: Cell,
}

/// What is kept from block to block.
pub struct Tables {
    readers: [Reader; 3],
    /// The last offsets, the newest first.
    offsets: [usize; 3],
}

impl Tables {
    pub fn new() -> Self {
        Self {
            readers: [const { Reader::EMPTY }; 3],
            offsets: [1, 4, 8],
        }
    }
}

/// Reads the section, and writes what the block is unpacked to.
#[inline(never)]
pub fn run(mut block: Input, kept: &mut Tables, literals: &[u8], out: &mut Output) -> Option<()> {
    let mut literals = Input(literals);
    let count = match block.number(1)? {
        short @ ..128 => short,
        255 => block.number(2)?.wrapping_add(0x7f00),
        high => (high & 127) << 8 | block.number(1)?,
    };
    if count > 0 {
        let modes = block.number(1)?;
        let [lengths, offsets, matches] = &mut kept.readers;
        lengths.describe(&LENGTHS, modes >> 6, &mut block)?;
        offsets.describe(&OFFSETS, modes >> 4, &mut block)?;
        matches.describe(&MATCHES, modes >> 2, &mut block)?;
        let mut bits = Downwards::new(block.0)?;
        lengths.step(&mut bits);
        offsets.step(&mut bits);
        matches.step(&mut bits);
        for left in (0..count).rev() {
            let code = offsets.number(&OFFSETS, &mut bits)?;
            let repeated = matches.number(&MATCHES, &mut bits)?;
            let literal = lengths.number(&LENGTHS, &mut bits)?;
            if left > 0 {
                lengths.step(&mut bits);
                matches.step(&mut bits);
                offsets.step(&mut bits);
            }
            out.extend(literals.bytes(literal)?)?;
            out.repeat(offset(&mut kept.offsets, code, literal == 0)?, repeated)?;
        }
        bits.end()?;
    }
    out.extend(literals.0)
}

/// The offset a code stands for: §3.1.1.5. The first three repeat one; without literals the newest
/// would have been a longer match, and codes mean the one behind.
fn offset(last: &mut [usize; 3], code: usize, behind: bool) -> Option<usize> {
    let [a, b, c] = *last;
    *last = match code.wrapping_add(behind.into()) {
        _ if code > 3 => [code.wrapping_sub(3), a, b],
        1 => [a, b, c],
        2 => [b, a, c],
        3 => [c, a, b],
        _ => [a.checked_sub(1)?, a, b],
    };
    let [newest, ..] = *last;
    Some(newest)
}

impl Reader {
    const EMPTY: Self = Self {
        table: Table::EMPTY,
        cell: Cell::NONE,
    };

    /// §3.1.1.3.2.1.
    fn describe(&mut self, kind: &Kind, mode: usize, block: &mut Input) -> Option<()> {
        match mode & 3 {
            0 => {
                self.table.read(kind.table, kind.log_max)?;
            }
            1 => self.table.only(block.number(1)?),
            2 => {
                let length = self.table.read(block.0, kind.log_max)?;
                block.bytes(length)?;
            }
            _ => (),
        }
        self.cell = self.table.start()?;
        Some(())
    }

    fn step(&mut self, bits: &mut Downwards) {
        self.cell = self.table.after(self.cell, bits);
    }

    fn number(&self, kind: &Kind, bits: &mut Downwards) -> Option<usize> {
        let code = usize::from(self.cell.symbol);
        let more = *kind.more.get(code)?;
        let size = |&bits: &u8| 1_usize.wrapping_shl(bits.into());
        let before = kind.more.iter().take(code).map(size);
        let least = before.fold(kind.first, usize::wrapping_add);
        Some(least.wrapping_add(bits.take(more.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_every_block_have_the_shares_of_the_document() {
        // §3.1.1.3.2.2, a share of less than one as one.
        let lengths = "432222222222211122222222232111111111";
        let offsets = "11111122211111111111111111111";
        let matches = "14322222211111111111111111111111111111111111111111111";
        for (kind, shares) in [(LENGTHS, lengths), (OFFSETS, offsets), (MATCHES, matches)] {
            let mut table = Table::EMPTY;
            assert_eq!(table.read(kind.table, kind.log_max), Some(kind.table.len()));
            let shares: alloc::vec::Vec<usize> =
                shares.bytes().map(|b| usize::from(b - b'0')).collect();
            assert_eq!(table.shares(), shares);
        }
    }

    #[test]
    fn codes_begin_where_those_before_them_end() {
        let least = |kind: &Kind, symbol| {
            let mut reader = Reader::EMPTY;
            reader.cell.symbol = symbol;
            reader.number(kind, &mut Downwards::new(&[0, 0, 0, 0, 1]).unwrap())
        };
        assert_eq!(least(&LENGTHS, 35), Some(65536));
        assert_eq!(least(&LENGTHS, 36), None);
        assert_eq!(least(&MATCHES, 52), Some(65539));
        assert_eq!(least(&MATCHES, 53), None);
        assert_eq!(least(&OFFSETS, 31), Some(1 << 31));
        assert_eq!(least(&OFFSETS, 32), None);
    }

    #[test]
    fn offsets_are_repeated_as_the_document_says() {
        for (code, behind, expected) in [
            (7, false, Some([4, 1, 4])),
            (1, false, Some([1, 4, 8])),
            (2, false, Some([4, 1, 8])),
            (3, false, Some([8, 1, 4])),
            (1, true, Some([4, 1, 8])),
            (2, true, Some([8, 1, 4])),
            (3, true, Some([0, 1, 4])),
        ] {
            let mut last = [1, 4, 8];
            let newest = offset(&mut last, code, behind);
            assert_eq!(newest.map(|_| last), expected, "{code} {behind}");
        }
        assert_eq!(offset(&mut [0, 1, 4], 3, true), None);
    }
}
