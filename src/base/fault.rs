//! What went wrong with one job, in the form that crosses floors and lands in the trace.

use alloc::string::String;
use core::fmt;

/// A job that failed: the kernel's number, and what was tried on which object, for a person.
///
/// `errno` is 0 where the kernel was not the one that refused (bad bytes, a worker that died).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub errno: i32,
    pub text: String,
}

impl Fault {
    pub fn new(errno: i32, text: impl Into<String>) -> Self {
        Self {
            errno,
            text: text.into(),
        }
    }

    /// A refusal that did not come from the kernel.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(0, text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Fault {}
