//! Words about roots in RAM, and about the RAM disk of a classic initrd.

use super::Reading;
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::share::MEMORY;

/// The rows.
impl Reading {
    pub(in crate::format::params) fn archive(&mut self, word: &Word<'_>) {
        let path = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        self.archive = path.into();
        if !path.starts_with('/') {
            self.archive.clear();
            self.complain(word, "is no path in the image; nothing is unpacked");
        }
    }

    pub(in crate::format::params) fn own_root(&mut self, word: &Word<'_>) {
        self.root(word);
        self.named_for_us = true;
    }

    /// An archive is unpacked where root is in memory, or nothing says where it is.
    pub(super) fn finish_archive(&mut self) {
        if self.archive.is_empty() {
            return;
        }
        match self.wish.root_as_typed.as_bytes() {
            b"" => self.wish.root_as_typed = Text::from(MEMORY),
            root if root == MEMORY.as_bytes() => {}
            _ => {
                self.archive.clear();
                let text = "landfall.archive= is ignored: root= names another root than tmpfs";
                self.say(text.into());
            }
        }
    }
}
