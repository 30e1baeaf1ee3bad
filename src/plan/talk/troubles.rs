//! What went wrong on the way, for the person who reads why there is no result.

use crate::base::text::Joined;
use alloc::string::String;
use alloc::vec::Vec;

/// Kinds of trouble that are remembered, the latest.
pub(super) const TROUBLES_MAX: usize = 4;

#[derive(Default)]
pub(super) struct Troubles(pub Vec<String>);

impl Troubles {
    /// Each kind once, the latest last.
    pub fn add(&mut self, text: String) {
        self.0.retain(|known| *known != text);
        if self.0.len() >= TROUBLES_MAX {
            self.0.remove(0);
        }
        self.0.push(text);
    }

    /// `None`: there were none.
    pub fn told(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.joined("; "))
    }
}
