//! Words about the check of file systems. Sources: systemd-fsck@.service(8), initramfs-tools(7)
//! (`fsckfix`), dracut.cmdline(7) (`rd.skipfsck`).

use super::Reading;
use crate::format::check::Repair;
use crate::format::cmdline::Word;

/// The rows.
impl Reading {
    pub(in crate::format::params) fn check_mode(&mut self, word: &Word<'_>) {
        let check = &mut self.wish.check;
        (check.skip, check.force) = match word.value {
            Some(b"auto") => (false, false),
            Some(b"force") => (false, true),
            Some(b"skip") => (true, false),
            _ => return self.complain(word, "is neither auto, force nor skip; it is ignored"),
        };
    }

    pub(in crate::format::params) fn check_repair(&mut self, word: &Word<'_>) {
        self.wish.check.repair = match word.value {
            Some(b"preen") => Repair::Preen,
            Some(b"yes") => Repair::Yes,
            Some(b"no") => Repair::No,
            _ => return self.complain(word, "is neither preen, yes nor no; it is ignored"),
        };
    }

    pub(in crate::format::params) fn check_skip(&mut self, word: &Word<'_>) {
        self.wish.check.skip = self.switch(word);
    }

    pub(in crate::format::params) fn check_force(&mut self, _: &Word<'_>) {
        self.wish.check.force = true;
    }

    pub(in crate::format::params) fn check_fix(&mut self, _: &Word<'_>) {
        self.wish.check.repair = Repair::Yes;
    }
}
