//! Words about a system that hibernates. Source: kernel/power/hibernate.c.

use super::{Reading, millis, seconds};
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::resume::Resume;
use crate::format::wish::{Patience, Source};

/// What was read so far.
#[derive(Default)]
pub(super) struct Words {
    typed: Text,
    offset: Option<u64>,
    patience: Option<Patience>,
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn resume(&mut self, word: &Word<'_>) {
        self.resume.typed = Text::from(word.value.unwrap_or_default());
    }

    pub(in crate::format::params) fn resume_offset(&mut self, word: &Word<'_>) {
        let text = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        self.resume.offset = text.parse().ok();
        if self.resume.offset.is_none() {
            self.complain(
                word,
                "is no number of pages; swap space is taken to begin at 0",
            );
        }
    }

    pub(in crate::format::params) fn noresume(&mut self, _: &Word<'_>) {
        self.wish.resume_off = true;
    }

    pub(in crate::format::params) fn hibernate(&mut self, word: &Word<'_>) {
        self.wish.resume_off |= matches!(word.value, Some(b"no" | b"noresume"));
    }

    pub(in crate::format::params) fn resumewait(&mut self, word: &Word<'_>) {
        self.resume.patience = match (word.is("resumewait"), seconds(word)) {
            (true, _) => Some(Patience::Forever),
            (false, Some(s)) => Some(Patience::Ms(millis(s))),
            (false, None) => {
                self.complain(word, "is no number of seconds; it is ignored");
                return;
            }
        };
    }

    /// All words were read.
    pub(super) fn finish_resume(&mut self) {
        let words = core::mem::take(&mut self.resume);
        let value = words.typed.as_bytes();
        let named = Word {
            key: b"resume",
            value: Some(value),
        };
        if value.is_empty() {
            if words.offset.is_some() && !self.wish.resume_off {
                let offset = Word {
                    key: b"resume_offset",
                    value: None,
                };
                self.complain(&offset, "counts from a device, and resume= names none");
            }
            return;
        }
        let source = Source::parse(value);
        if let Source::Unknown(_) = source {
            return self.complain(
                &named,
                "is no device reference known here; no hibernated system is looked for",
            );
        }
        if self.wish.resume_off {
            return;
        }
        self.wish.resume = Some(Resume {
            source,
            offset: words.offset.unwrap_or(0),
            patience: words.patience.unwrap_or(Patience::Ms(Resume::WAIT_MS)),
            typed: words.typed,
        });
    }
}
