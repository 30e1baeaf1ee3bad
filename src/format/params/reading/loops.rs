//! Words about a file that root is in: initramfs-tools(7).

use super::Reading;
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::loop_file::{self, LoopFile, Sought};
use alloc::string::String;
use alloc::vec::Vec;

/// What was read so far.
#[derive(Default)]
pub(super) struct Words {
    file: Text,
    flags: Text,
    types: Vec<String>,
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn loop_file(&mut self, word: &Word<'_>) {
        self.loops.file = Text::from(word.value.unwrap_or_default());
        if self.loops.file.0.is_empty() {
            self.complain(word, "names no file; root is looked for without one");
        }
    }

    pub(in crate::format::params) fn loop_flags(&mut self, word: &Word<'_>) {
        self.loops.flags = Text::from(word.value.unwrap_or_default());
    }

    pub(in crate::format::params) fn loop_types(&mut self, word: &Word<'_>) {
        self.loops.types = self.types(word);
    }

    /// Root is this file of what `root=` names, unless `loop=` names another.
    pub(super) fn file_on_root(&mut self, file: &[u8]) {
        if self.loops.file.0.is_empty() {
            self.loops.file = Text::from(file);
        }
    }

    /// All words were read. What holds the file is looked for first.
    pub(super) fn finish_loop(&mut self) {
        let Words { file, flags, types } = core::mem::take(&mut self.loops);
        if file.0.is_empty() {
            return;
        }
        self.decide_about_writing(&flags);
        let root = self.wish.root_as_typed.clone();
        let (holds, path) = loop_file::split(file.as_bytes());
        let mut path = path.to_vec();
        if path.first() != Some(&b'/') {
            path.insert(0, b'/');
        }
        let turned = holds.is_some();
        let (source, typed) = match holds {
            Some((source, typed)) => (Some(source), Text::from(typed)),
            None => (None, root.clone()),
        };
        self.wish.file = Some(LoopFile {
            path: Text(path),
            inside: Sought {
                source,
                typed,
                types,
                flags,
            },
            typed: file,
            root,
        });
        if turned {
            self.wish.turn();
        }
    }
}
