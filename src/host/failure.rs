//! How a command fails: one sentence and an exit status.
//!
//! The sentence says what was tried, on which object, why it failed, and what to do about it.

use std::fmt;

/// The status for a wrong command line, as most tools have it. Nothing was touched.
const EXIT_USAGE: u8 = 2;
/// The status for everything else that failed.
const EXIT_FAILED: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: u8,
    pub text: String,
    /// Whoever read the output went away (`| head`): not worth a word.
    pub quiet: bool,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            exit: EXIT_FAILED,
            text: text.into(),
            quiet: false,
        }
    }

    /// The command line was wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self {
            exit: EXIT_USAGE,
            text: text.into(),
            quiet: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<lexopt::Error> for Failure {
    fn from(e: lexopt::Error) -> Self {
        Self::usage(e.to_string())
    }
}

/// Adds the missing half to an error that knows only its cause: what was tried, on what.
pub trait Tried<T> {
    /// `what` continues "cannot": `read /boot/init`.
    fn or_cannot(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> Tried<T> for std::io::Result<T> {
    fn or_cannot(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|e| {
            let mut failure = Failure::new(format!("cannot {}: {e}", what()));
            failure.quiet = e.kind() == std::io::ErrorKind::BrokenPipe;
            failure
        })
    }
}
