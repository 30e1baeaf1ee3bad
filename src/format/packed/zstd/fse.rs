//! Tables of finite state entropy codes. Source: RFC 8878 §4.1.

use super::super::bits::{Downwards, Upwards};

/// A state: the symbol it stands for, and what the next one is made of.
#[derive(Clone, Copy)]
pub struct Cell {
    base: u16,
    /// How many bits are added to the base.
    bits: u8,
    pub symbol: u8,
}

impl Cell {
    pub const NONE: Self = Self {
        base: 0,
        bits: 0,
        symbol: 0,
    };
}

/// No table is larger.
const CELLS: usize = 512;

pub struct Table {
    cells: [Cell; CELLS],
    start: Cell,
    known: bool,
}

impl Table {
    pub const EMPTY: Self = Self {
        cells: [Cell::NONE; CELLS],
        start: Cell::NONE,
        known: false,
    };

    /// One symbol and no bits.
    pub fn only(&mut self, symbol: usize) {
        put(&mut self.cells, 0, symbol);
        if let Some(cell) = self.cells.first_mut() {
            (cell.bits, cell.base) = (0, 0);
        }
        (self.start, self.known) = (Cell::NONE, true);
    }

    /// Reads the shares of the symbols, which together are two to the power of `log`. Answers how
    /// many bytes they take. §4.1.1
    pub fn read(&mut self, bytes: &[u8], log_max: u8) -> Option<usize> {
        let mut bits = Upwards::new(bytes);
        let log = (bits.take(4) as u8).wrapping_add(5);
        if log > log_max {
            return None;
        }
        let mut shares = [0; 256];
        let mut places = shares.iter_mut();
        let mut left = 1_u32.wrapping_shl(log.into());
        while left > 0 {
            let share = share(&mut bits, left);
            left = left.checked_sub(share.unsigned_abs().into())?;
            *places.next()? = share;
            // Behind a zero stands how many more there are, up to three at a time.
            let mut more = if share == 0 { 3 } else { 0 };
            while more == 3 {
                more = bits.take(2);
                for _ in 0..more {
                    places.next()?;
                }
            }
        }
        bits.inside()?;
        self.spread(&mut shares, log);
        Some(bits.byte())
    }

    /// -1 is a share of one that is put at the end: §4.1.1.
    fn spread(&mut self, shares: &mut [i16], log: u8) {
        let size = 1_usize.wrapping_shl(log.into());
        let mask = size.wrapping_sub(1);
        let mut end = size;
        for (symbol, share) in shares.iter_mut().enumerate() {
            if *share < 0 {
                end = end.wrapping_sub(1);
                put(&mut self.cells, end, symbol);
            }
        }
        let step = (size >> 1).wrapping_add(size >> 3).wrapping_add(3);
        let mut at = 0_usize;
        for (symbol, share) in shares.iter_mut().enumerate() {
            for _ in 0..*share {
                put(&mut self.cells, at, symbol);
                at = at.wrapping_add(step) & mask;
                // Ends: every place has its turn, also the first, and that is never beyond `end`
                // while something is put before it.
                while at >= end {
                    at = at.wrapping_add(step) & mask;
                }
            }
            *share = share.wrapping_abs();
        }
        for cell in self.cells.iter_mut().take(size) {
            if let Some(next) = shares.get_mut(usize::from(cell.symbol)) {
                let bits = u32::from(log).wrapping_sub(next.checked_ilog2().unwrap_or(0));
                cell.bits = bits as u8;
                cell.base = (*next as u16).wrapping_shl(bits).wrapping_sub(size as u16);
                *next = next.wrapping_add(1);
            }
        }
        let bits = log;
        (self.start, self.known) = (Cell { bits, ..Cell::NONE }, true);
    }

    /// What the first state comes after. `None`: there is no table yet.
    pub fn start(&self) -> Option<Cell> {
        self.known.then_some(self.start)
    }

    /// The state after `cell`.
    pub fn after(&self, cell: Cell, bits: &mut Downwards) -> Cell {
        let more = bits.take(cell.bits.into());
        let next = self.cells.get(usize::from(cell.base).wrapping_add(more));
        *next.unwrap_or(&Cell::NONE)
    }
}

fn put(cells: &mut [Cell], at: usize, symbol: usize) {
    if let Some(cell) = cells.get_mut(at) {
        cell.symbol = symbol as u8;
    }
}

/// A share from -1 to `left`. Small ones take a bit less if the numbers do not fill all bits.
fn share(bits: &mut Upwards, left: u32) -> i16 {
    let most = left.wrapping_add(1);
    let short = most.checked_ilog2().unwrap_or(0);
    let half = 1_usize.wrapping_shl(short);
    let short = short as usize;
    let spare = (half << 1).wrapping_sub(1).wrapping_sub(most as usize);
    let mut value = bits.peek(short);
    if value < spare {
        bits.skip(short);
    } else {
        value = bits.take(short.wrapping_add(1));
        if value >= half {
            value = value.wrapping_sub(spare);
        }
    }
    (value as i16).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    impl Table {
        /// How many cells each symbol has.
        pub fn shares(&self) -> Vec<usize> {
            let cells = &self.cells[..1 << self.start.bits];
            let last = cells.iter().map(|cell| cell.symbol).max().unwrap();
            let share = |symbol| cells.iter().filter(|cell| cell.symbol == symbol).count();
            (0..=last).map(share).collect()
        }
    }

    #[test]
    fn every_state_has_a_way_to_every_other() {
        let mut table = Table::EMPTY;
        let description =
            b"\x51\x10\x63\x8c\x31\xc6\x18\x63\x0c\x21\xc4\x18\x63\x66\x66\x86\x46\x92\x04\0";
        assert_eq!(table.read(description, 9), Some(20));
        // Appendix A: the first states for lengths of literals.
        let found = table.cells[..4].iter().map(|c| (c.symbol, c.bits, c.base));
        let expected = [(0, 4, 0), (0, 4, 16), (1, 5, 32), (3, 5, 0)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        // Together, the ways of a symbol lead to each state once.
        let mut ways = [[0; 64]; 36];
        for cell in &table.cells[..64] {
            for more in 0..1 << cell.bits {
                ways[usize::from(cell.symbol)][usize::from(cell.base) + more] += 1;
            }
        }
        assert_eq!(ways, [[1; 64]; 36]);
    }

    #[test]
    fn descriptions_that_do_not_fit_are_refused() {
        let mut table = Table::EMPTY;
        assert_eq!(table.read(b"\x02\xff\xff", 6), None, "too large");
        assert_eq!(table.read(b"\x00\x00", 6), None, "too short");
        assert!(table.start().is_none());
    }
}
