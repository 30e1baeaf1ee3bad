//! RAID levels: their numbers, names, modules, and how many members each needs.
//!
//! Source: kernel `include/uapi/linux/raid/md_u.h`, `drivers/md/raid10.c` (setup_geo), md(4).

use core::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Linear,
    Raid0,
    Raid1,
    Raid4,
    Raid5,
    Raid6,
    Raid10,
    /// By its number: multipath (-4), faulty (-5), containers (-100), and what nobody knows.
    Other(i32),
}

impl Level {
    pub const fn from_number(number: i32) -> Self {
        match number {
            -1 => Self::Linear,
            0 => Self::Raid0,
            1 => Self::Raid1,
            4 => Self::Raid4,
            5 => Self::Raid5,
            6 => Self::Raid6,
            10 => Self::Raid10,
            other => Self::Other(other),
        }
    }

    /// The alias of the module that the kernel asks for.
    pub const fn module(self) -> Option<&'static str> {
        Some(match self {
            Self::Linear => "md-level--1",
            Self::Raid0 => "md-level-0",
            Self::Raid1 => "md-level-1",
            Self::Raid4 => "md-level-4",
            Self::Raid5 => "md-level-5",
            Self::Raid6 => "md-level-6",
            Self::Raid10 => "md-level-10",
            Self::Other(_) => return None,
        })
    }

    /// A write touches data and parity, and a crash in between leaves them apart.
    pub const fn has_parity(self) -> bool {
        matches!(self, Self::Raid4 | Self::Raid5 | Self::Raid6)
    }

    /// Are members in these slots enough to run? `clean`: no write was under way.
    ///
    /// Without parity that is known to be right, no missing member can be computed: a dirty array
    /// with parity needs all of them. (But level 4 without only its parity misses no data.)
    pub fn enough(self, layout: u32, there: &[bool], clean: bool) -> bool {
        let count = there.iter().filter(|&&is| is).count();
        let missing = there.len().saturating_sub(count);
        let spare = |n: usize| missing <= if clean { n } else { 0 };
        !there.is_empty()
            && match self {
                Self::Linear | Self::Raid0 => missing == 0,
                Self::Raid1 => count > 0,
                Self::Raid4 => spare(1) || (missing == 1 && there.last() == Some(&false)),
                Self::Raid5 => spare(1),
                Self::Raid6 => spare(2),
                Self::Raid10 => copies_are_there(layout, there),
                Self::Other(_) => false,
            }
    }
}

/// As the tools print it: `raid5`, `linear`.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Raid0 => f.write_str("raid0"),
            Self::Raid1 => f.write_str("raid1"),
            Self::Raid4 => f.write_str("raid4"),
            Self::Raid5 => f.write_str("raid5"),
            Self::Raid6 => f.write_str("raid6"),
            Self::Raid10 => f.write_str("raid10"),
            Self::Other(-4) => f.write_str("multipath"),
            Self::Other(-5) => f.write_str("faulty"),
            Self::Other(-100) => f.write_str("container"),
            Self::Other(number) => write!(f, "level {number}"),
        }
    }
}

/// Copies of raid10 that lie side by side, and those that lie far apart.
pub(super) fn raid10_copies(layout: u32) -> (u32, u32) {
    (layout & 255, (layout >> 8) & 255)
}

/// Each chunk lies on so many neighbours as there are copies, and each next chunk begins after
/// `near` of them: one of each such row must be there.
fn copies_are_there(layout: u32, there: &[bool]) -> bool {
    let (near, far) = raid10_copies(layout);
    let copies = near.saturating_mul(far) as usize;
    if copies == 0 || copies > there.len() {
        return false;
    }
    let one_of = |first: usize| {
        let row = there.iter().cycle().skip(first).take(copies);
        row.copied().any(|is| is)
    };
    let step = near as usize;
    // Rows begin at multiples of `step` round the ring: after as many steps as there are members
    // each beginning was seen.
    let rows = (0..there.len()).map(|n| n.saturating_mul(step).checked_rem(there.len()));
    rows.flatten().all(one_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn check(level: Level, layout: u32, there: &str, clean: bool, expected: bool) {
        let slots: Vec<bool> = there.bytes().map(|b| b == b'u').collect();
        let found = level.enough(layout, &slots, clean);
        assert_eq!(found, expected, "{level} {layout:#x} {there} {clean}");
    }

    #[test]
    fn each_level_needs_as_many_members_as_it_cannot_compute() {
        check(Level::Linear, 0, "uu", true, true);
        check(Level::Raid0, 0, "u-", true, false);
        check(Level::Raid1, 0, "--u", false, true);
        check(Level::Raid1, 0, "--", true, false);
        check(Level::Raid5, 2, "uu-", true, true);
        check(Level::Raid5, 2, "uu-", false, false);
        check(Level::Raid5, 2, "u--", true, false);
        check(Level::Raid6, 2, "uu--", true, true);
        check(Level::Raid6, 2, "uuu-", false, false);
        check(Level::Raid4, 0, "uu-", false, true);
        check(Level::Raid4, 0, "u-u", false, false);
        check(Level::Other(-100), 0, "uu", true, false);
        check(Level::Raid1, 0, "", true, false);
    }

    #[test]
    fn raid10_needs_one_copy_of_each_chunk() {
        check(Level::Raid10, 0x102, "u-u-", true, true);
        check(Level::Raid10, 0x102, "-u-u", false, true);
        check(Level::Raid10, 0x102, "uu--", true, false);
        // Three members, two near copies: rows begin at every member.
        check(Level::Raid10, 0x102, "u-u", true, true);
        check(Level::Raid10, 0x102, "u--", true, false);
        // Far copies lie on the next member.
        check(Level::Raid10, 0x201, "u-u-", true, true);
        check(Level::Raid10, 0x201, "uu--", true, false);
        check(Level::Raid10, 0, "uuuu", true, false);
        check(Level::Raid10, 0xffff, "uu", true, false);
    }
}
