//! Words about what is mounted besides root. Sources: systemd-fstab-generator(8),
//! dracut.cmdline(7) (`rd.fstab=`).

use super::Reading;
use crate::base::text::{Joined, Text};
use crate::format::cmdline::Word;
use crate::format::mount_options;
use crate::format::mounts::{self, Entry};
use alloc::format;
use alloc::vec::Vec;

/// What was read of `/usr` so far.
#[derive(Default)]
pub(super) struct Words {
    what: Option<Text>,
    types: Option<Text>,
    flags: Option<Text>,
}

const PLACE: &[u8] = b"/usr";

fn value(word: &Word<'_>) -> Option<Text> {
    word.value.filter(|v| !v.is_empty()).map(Text::from)
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn usr(&mut self, word: &Word<'_>) {
        self.usr.what = value(word);
    }

    pub(in crate::format::params) fn usr_types(&mut self, word: &Word<'_>) {
        self.usr.types = value(word);
    }

    pub(in crate::format::params) fn usr_flags(&mut self, word: &Word<'_>) {
        self.usr.flags = value(word);
    }

    pub(in crate::format::params) fn fstab(&mut self, word: &Word<'_>) {
        self.wish.fstab = self.switch(word);
    }

    pub(in crate::format::params) fn mount_extra(&mut self, word: &Word<'_>) {
        let parts = parts(word.value.unwrap_or_default());
        let mut entry = Entry::of(&parts);
        let place = entry.at.strip_prefix(b"/sysroot");
        match place.filter(|place| place.starts_with(b"/")) {
            Some(place) => {
                entry.at = place;
                self.add_mount(word, &entry);
            }
            None => self.complain(word, "is not below /sysroot; nothing is mounted elsewhere"),
        }
    }

    pub(in crate::format::params) fn mount_later(&mut self, word: &Word<'_>) {
        let parts = parts(word.value.unwrap_or_default());
        let entry = Entry::of(&parts);
        if entry.is_early() {
            self.add_mount(word, &entry);
        }
    }

    fn add_mount(&mut self, word: &Word<'_>, entry: &Entry<'_>) {
        match entry.extra() {
            Ok(extra) => mounts::add(&mut self.wish.mounts, extra),
            Err(why) => self.complain(word, &format!("is not mounted: {why}")),
        }
    }

    /// All words were read, those of root were understood.
    pub(super) fn finish_mounts(&mut self) {
        let words = core::mem::take(&mut self.usr);
        let hashed = self.wish.verity.iter().any(|volume| volume.name == "usr");
        let given = words.types.is_some() || words.flags.is_some();
        let what = match words.what {
            Some(what) => what,
            None if hashed => "/dev/mapper/usr".into(),
            None if given => self.wish.root_as_typed.clone(),
            None => return,
        };
        let types = Text::from(self.wish.fstypes.joined(","));
        let (types, flags) = (
            words.types.unwrap_or(types),
            words.flags.unwrap_or_else(|| self.wish.flags.clone()),
        );
        let entry = Entry {
            what: what.as_bytes(),
            at: PLACE,
            fstype: types.as_bytes(),
            options: flags.as_bytes(),
        };
        match entry.extra() {
            Ok(mut extra) => {
                let said = mount_options::sort(flags.as_bytes()).read_only;
                extra.writable = said.map_or(self.wish.writable, |read_only| !read_only);
                self.wish.mounts.retain(|known| known.at.0 != PLACE);
                mounts::add(&mut self.wish.mounts, extra);
            }
            Err(why) => {
                let word = Word {
                    key: b"mount.usr",
                    value: Some(what.as_bytes()),
                };
                self.complain(&word, &format!("is not mounted: {why}"));
            }
        }
    }
}

/// What stands between colons; `\:` and `\\` are those signs themselves.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = alloc::vec![Vec::new()];
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        let literal = match byte {
            b':' => {
                parts.push(Vec::new());
                continue;
            }
            b'\\' => *bytes.next().unwrap_or(&byte),
            _ => byte,
        };
        if let Some(last) = parts.last_mut() {
            last.push(literal);
        }
    }
    parts
}
