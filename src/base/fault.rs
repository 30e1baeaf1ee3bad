//! What went wrong with one job, in the form that crosses floors and lands in the trace.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Deref;

/// A job that failed: the kernel's number, and what was tried on which object, for a person.
/// Boxed: what may fail hardly ever does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Told>);

/// What a [`Fault`] tells.
///
/// `errno` is 0 where the kernel was not the one that refused (bad bytes, a worker that died).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub errno: i32,
    pub text: String,
}

impl Fault {
    pub fn new(errno: i32, text: impl Into<String>) -> Self {
        Self(Box::new(Told {
            errno,
            text: text.into(),
        }))
    }

    /// A refusal that did not come from the kernel.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(0, text)
    }

    pub fn into_text(self) -> String {
        self.0.text
    }
}

impl Deref for Fault {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Fault {}
