//! Where data lie on arrays with parity: levels 4, 5 and 6, as md and dm-raid lay them out.
//!
//! Parity itself is not looked at: a chunk whose member is missing is not computed.
//! Source: kernel `drivers/md/raid5.c` (raid5_compute_sector), `drivers/md/raid5.h` (ALGORITHM_*).

/// The numbers of the layouts, the same for all levels.
pub const LEFT_ASYMMETRIC: u32 = 0;
pub const RIGHT_ASYMMETRIC: u32 = 1;
pub const LEFT_SYMMETRIC: u32 = 2;
pub const RIGHT_SYMMETRIC: u32 = 3;
/// Parity on the first member, or members.
pub const PARITY_0: u32 = 4;
/// Parity on the last member, or members.
pub const PARITY_N: u32 = 5;
pub const ROTATING_ZERO_RESTART: u32 = 8;
pub const ROTATING_N_RESTART: u32 = 9;
pub const ROTATING_N_CONTINUE: u32 = 10;
/// Level 6 made of level 5: its second parity is on the last member. The layout of the rest is
/// what remains without this bit.
pub const SECOND_LAST: u32 = 16;

/// An array: how many members, how many of them hold parity in each row, which layout.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub members: u64,
    pub parities: u64,
    pub layout: u32,
}

impl Shape {
    /// After so many rows the pattern begins anew.
    pub fn rows(self) -> u64 {
        let apart = self.parities == 2 && self.layout & SECOND_LAST != 0;
        self.members.saturating_sub(u64::from(apart))
    }

    /// Chunks of data in these rows. `None`: there is no room for any.
    pub fn chunks(self) -> Option<u64> {
        let data = self.members.checked_sub(self.parities);
        data.filter(|&data| data > 0)?.checked_mul(self.rows())
    }

    /// Member and row of a chunk of data. `None`: a layout that is not known.
    pub fn place(self, chunk: u64) -> Option<(u64, u64)> {
        let data = self.members.checked_sub(self.parities)?;
        let (row, column) = (chunk.checked_div(data)?, chunk.checked_rem(data)?);
        let member = match (self.parities, self.layout) {
            (1, layout) => single(self.members, layout, row, column)?,
            (2, layout) if layout & SECOND_LAST != 0 => {
                let rest = self.members.checked_sub(1)?;
                single(rest, layout & !SECOND_LAST, row, column)?
            }
            (2, layout) => double(self.members, layout, row, column)?,
            _ => return None,
        };
        Some((member, row))
    }
}

/// One parity a row.
fn single(members: u64, layout: u32, row: u64, column: u64) -> Option<u64> {
    let turn = row.checked_rem(members)?;
    let from_left = members.checked_sub(1)?.checked_sub(turn)?;
    let skip = |parity: u64| column.checked_add(u64::from(column >= parity));
    let follow = |parity: u64| {
        let next = parity.checked_add(1)?.checked_add(column)?;
        next.checked_rem(members)
    };
    match layout {
        LEFT_ASYMMETRIC => skip(from_left),
        RIGHT_ASYMMETRIC => skip(turn),
        LEFT_SYMMETRIC => follow(from_left),
        RIGHT_SYMMETRIC => follow(turn),
        PARITY_0 => column.checked_add(1),
        PARITY_N => Some(column),
        _ => None,
    }
}

/// Two parities a row, side by side.
fn double(members: u64, layout: u32, row: u64, column: u64) -> Option<u64> {
    let last = members.checked_sub(1)?;
    let turn = |row: u64| row.checked_rem(members);
    let from_left = |row: u64| last.checked_sub(turn(row)?);
    // The second parity is to the right of the first, or on the first member.
    let skip = |parity: u64| match parity == last {
        true => column.checked_add(1),
        false if column >= parity => column.checked_add(2),
        false => Some(column),
    };
    let follow = |parity: u64| {
        let next = parity.checked_add(2)?.checked_add(column)?;
        next.checked_rem(members)
    };
    match layout {
        LEFT_ASYMMETRIC => skip(from_left(row)?),
        RIGHT_ASYMMETRIC | ROTATING_ZERO_RESTART => skip(turn(row)?),
        LEFT_SYMMETRIC => follow(from_left(row)?),
        RIGHT_SYMMETRIC => follow(turn(row)?),
        PARITY_0 => column.checked_add(2),
        PARITY_N => Some(column),
        // As left asymmetric, but begun one row later.
        ROTATING_N_RESTART => skip(from_left(row.checked_add(1)?)?),
        // As left symmetric, with the second parity to the left of the first.
        ROTATING_N_CONTINUE => {
            let next = from_left(row)?.checked_add(1)?.checked_add(column)?;
            next.checked_rem(members)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// Each row of the period: which chunk of data a member holds, or a dot.
    fn check(members: u64, parities: u64, layout: u32, expected: &str) {
        let shape = Shape {
            members,
            parities,
            layout,
        };
        let chunks = shape.chunks().unwrap();
        let mut table = alloc::vec![alloc::vec!['.'; members as usize]; members as usize];
        for chunk in 0..chunks {
            let (member, row) = shape.place(chunk).unwrap();
            let letter = ('a'..='z').nth(chunk as usize).unwrap();
            table[row as usize][member as usize] = letter;
        }
        let rows: alloc::vec::Vec<String> = table.iter().map(|row| row.iter().collect()).collect();
        assert_eq!(rows.join(" "), expected, "{shape:?}");
    }

    #[test]
    fn data_lie_where_the_kernel_puts_them() {
        check(3, 1, LEFT_SYMMETRIC, "ab. d.c .ef");
        check(3, 1, LEFT_ASYMMETRIC, "ab. c.d .ef");
        check(3, 1, RIGHT_SYMMETRIC, ".ab d.c ef.");
        check(3, 1, RIGHT_ASYMMETRIC, ".ab c.d ef.");
        check(3, 1, PARITY_0, ".ab .cd .ef");
        check(3, 1, PARITY_N, "ab. cd. ef.");
        // The first parity of each row is followed by the second.
        check(4, 2, LEFT_SYMMETRIC, ".ab. cd.. f..e ..gh");
        check(4, 2, LEFT_ASYMMETRIC, ".ab. cd.. e..f ..gh");
        check(4, 2, RIGHT_SYMMETRIC, "..ab d..c ef.. .gh.");
        check(4, 2, RIGHT_ASYMMETRIC, "..ab c..d ef.. .gh.");
        check(4, 2, ROTATING_ZERO_RESTART, "..ab c..d ef.. .gh.");
        check(4, 2, ROTATING_N_RESTART, "ab.. c..d ..ef .gh.");
        check(4, 2, ROTATING_N_CONTINUE, "ab.. d..c ..ef .gh.");
        check(4, 2, PARITY_0, "..ab ..cd ..ef ..gh");
        check(4, 2, SECOND_LAST | LEFT_SYMMETRIC, "ab.. d.c. .ef. ....");
    }

    #[test]
    fn what_is_no_layout_has_no_place() {
        for (members, parities, layout) in [(3, 1, 6), (4, 2, 7), (1, 1, 2), (4, 3, 2)] {
            let shape = Shape {
                members,
                parities,
                layout,
            };
            assert!(
                shape.chunks().is_none() || shape.place(0).is_none(),
                "{shape:?}"
            );
        }
    }
}
