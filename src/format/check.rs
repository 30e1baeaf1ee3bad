//! Checkers of file systems: which program, with which words, and what its exit status means.
//!
//! Sources: fsck(8) (exit status), systemd-fsck@.service(8) (words of the command line), e2fsck(8),
//! fsck.f2fs(8), fsck.fat(8), fsck.exfat(8), jfs_fsck(8). Not here: file systems whose checker does
//! nothing at boot (xfs, btrfs), or that are never written (squashfs, erofs).

use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// What may be repaired without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repair {
    /// What is safe.
    #[default]
    Preen,
    Yes,
    No,
}

/// What the command line says of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub skip: bool,
    /// Also what is marked clean.
    pub force: bool,
    pub repair: Repair,
}

/// One check, as a program is told to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The kernel's name.
    pub device: String,
    /// Its path in the image.
    pub program: String,
    /// What stands between program and device, each behind a blank.
    pub words: String,
    /// The file in `/run/initramfs` that keeps the real system from doing it again.
    pub stamp: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: u32,
    /// The last lines of what the program said, where it left errors.
    pub said: Vec<Text>,
}

struct Checker {
    kinds: &'static [&'static str],
    /// The first that is there counts.
    programs: &'static [&'static str],
    /// To preen, to say yes to everything, to change nothing.
    words: [&'static str; 3],
    /// The same where a check is forced.
    forced: [&'static str; 3],
}

const ASKED: [&str; 3] = ["-a", "-y", "-n"];

/// `-f` means something else to fsck.fat, and nothing to fsck.exfat. fsck.f2fs and jfs_fsck repair
/// whatever they are forced to look at.
const CHECKERS: [Checker; 5] = [
    Checker {
        kinds: &["ext4", "ext3", "ext2"],
        programs: &["e2fsck", "fsck.ext4", "fsck.ext3", "fsck.ext2"],
        // Progress as lines on standard output.
        words: ["-C1 -a", "-C1 -y", "-C1 -n"],
        forced: ["-C1 -f -a", "-C1 -f -y", "-C1 -f -n"],
    },
    Checker {
        kinds: &["f2fs"],
        programs: &["fsck.f2fs"],
        words: ["-a", "-f", "--dry-run"],
        forced: ["-f", "-f", "--dry-run"],
    },
    Checker {
        kinds: &["vfat"],
        programs: &["fsck.vfat", "fsck.fat"],
        words: ASKED,
        forced: ASKED,
    },
    Checker {
        kinds: &["exfat"],
        programs: &["fsck.exfat"],
        words: ASKED,
        forced: ASKED,
    },
    Checker {
        kinds: &["jfs"],
        programs: &["jfs_fsck", "fsck.jfs"],
        words: ["-a", "-f", "-n"],
        forced: ["-f", "-f", "-n"],
    },
];

/// The names of all programs that are known.
pub fn programs() -> impl Iterator<Item = &'static str> {
    CHECKERS
        .iter()
        .flat_map(|checker| checker.programs)
        .copied()
}

/// The programs for one type of file system, the best first. None: it is not checked.
pub fn programs_of(kind: &str) -> &'static [&'static str] {
    let checker = CHECKERS.iter().find(|c| c.kinds.contains(&kind));
    checker.map_or(&[], |checker| checker.programs)
}

/// The program among `there` (paths) that checks this kind, and its words.
pub fn program<'p>(
    kind: &str,
    policy: Policy,
    there: &'p [String],
) -> Option<(&'p str, &'static str)> {
    let checker = CHECKERS.iter().find(|c| c.kinds.contains(&kind))?;
    let named = |name: &&str| {
        let is = |path: &&String| path.rsplit('/').next() == Some(*name);
        there.iter().find(is)
    };
    let path = checker.programs.iter().find_map(named)?;
    let [preen, yes, no] = match policy.force {
        true => checker.forced,
        false => checker.words,
    };
    let words = match policy.repair {
        Repair::Preen => preen,
        Repair::Yes => yes,
        Repair::No => no,
    };
    Some((path, words))
}

/// What an exit status means for the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    Repaired,
    /// The machine is to boot anew.
    Reboot,
    /// Errors are left.
    Left,
    /// Nothing was found out.
    Failed,
}

pub fn verdict(status: u32) -> Verdict {
    match status {
        0 => Verdict::Clean,
        1 => Verdict::Repaired,
        // A library is missing, or the program could not be started at all.
        64.. => Verdict::Failed,
        _ if status & 4 != 0 => Verdict::Left,
        _ if status & 2 != 0 => Verdict::Reboot,
        _ => Verdict::Failed,
    }
}

/// How far e2fsck is, of 100, where this is what it says of that: `PASS DONE ALL DEVICE`.
pub fn progress(line: &str) -> Option<u64> {
    /// How much of the time is over when each pass begins.
    const PASSES: [u64; 6] = [0, 70, 90, 92, 95, 100];
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (pass, done, all) = (number()?, number()?, number()?);
    let at = usize::try_from(pass).ok()?;
    let (from, to) = (PASSES.get(at.checked_sub(1)?)?, PASSES.get(at)?);
    let share = to.saturating_sub(*from).saturating_mul(done.min(all));
    Some(from.saturating_add(share.checked_div(all)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checker_gets_its_own_words() {
        let all: Vec<String> = programs()
            .map(|name| alloc::format!("/sbin/{name}"))
            .collect();
        let check = |kind: &str, force: bool, repair: Repair, expected: &str| {
            let skip = false;
            let policy = Policy {
                skip,
                force,
                repair,
            };
            let (path, words) = program(kind, policy, &all).unwrap();
            assert_eq!(alloc::format!("{path} {words}"), expected);
        };
        check("ext4", false, Repair::Preen, "/sbin/e2fsck -C1 -a");
        check("ext2", true, Repair::No, "/sbin/e2fsck -C1 -f -n");
        check("ext3", false, Repair::Yes, "/sbin/e2fsck -C1 -y");
        check("f2fs", false, Repair::Preen, "/sbin/fsck.f2fs -a");
        check("f2fs", true, Repair::Preen, "/sbin/fsck.f2fs -f");
        check("f2fs", true, Repair::No, "/sbin/fsck.f2fs --dry-run");
        check("vfat", true, Repair::Preen, "/sbin/fsck.vfat -a");
        check("exfat", false, Repair::No, "/sbin/fsck.exfat -n");
        check("jfs", false, Repair::Preen, "/sbin/jfs_fsck -a");
        check("jfs", false, Repair::Yes, "/sbin/jfs_fsck -f");
        for kind in ["xfs", "btrfs", "squashfs", "erofs", "ext"] {
            assert_eq!(program(kind, Policy::default(), &all), None, "{kind}");
        }
        let one = [String::from("/usr/sbin/fsck.ext4")];
        let found = program("ext3", Policy::default(), &one);
        assert_eq!(found, Some(("/usr/sbin/fsck.ext4", "-C1 -a")));
        assert_eq!(program("vfat", Policy::default(), &one), None);
    }

    #[test]
    fn every_bit_of_an_exit_status_counts() {
        let cases = [
            (0, Verdict::Clean),
            (1, Verdict::Repaired),
            (2, Verdict::Reboot),
            (3, Verdict::Reboot),
            (4, Verdict::Left),
            (6, Verdict::Left),
            (8, Verdict::Failed),
            (12, Verdict::Left),
            (16, Verdict::Failed),
            (32, Verdict::Failed),
            (127, Verdict::Failed),
            (128, Verdict::Failed),
        ];
        for (status, expected) in cases {
            assert_eq!(verdict(status), expected, "{status}");
        }
    }

    #[test]
    fn progress_is_told_by_pass() {
        let cases = [
            ("1 0 64 /dev/vda", Some(0)),
            ("1 32 64 /dev/vda", Some(35)),
            ("2 1 1 /dev/vda", Some(90)),
            ("5 64 64 /dev/vda", Some(100)),
            ("5 99 64 /dev/vda", Some(100)),
            ("0 1 1 /dev/vda", None),
            ("6 1 1 /dev/vda", None),
            ("1 1 0 /dev/vda", None),
            ("root: clean, 11/8192 files", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(progress(line), expected, "{line}");
        }
    }
}
