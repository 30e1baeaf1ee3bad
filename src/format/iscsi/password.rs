//! A password that the command line holds.
//!
//! # What is protected, and what is not
//! This copy is wiped when it goes, is compared in constant time, and shows neither in messages nor
//! in the text of targets that traces hold. The command line itself is nobody's secret: every
//! process of the real system reads it in `/proc/cmdline`, and the trace begins with it as typed.
//! Whoever minds gives passwords in a file of the image (`/etc/cmdline.d`).

use crate::base::secret::Secret;
use core::fmt;

/// No longer ones are taken, in bytes. The RFC wants 12 at least, and no more than 16 of everybody.
pub const LONGEST: usize = 255;

#[derive(Default)]
pub struct Password(Secret);

impl Password {
    pub fn new(bytes: &[u8]) -> Self {
        Self(Secret::copy_of(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Clone for Password {
    fn clone(&self) -> Self {
        Self::new(self.as_bytes())
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other.as_bytes())
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "none" } else { "hidden" })
    }
}
