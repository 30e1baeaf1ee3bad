//! Standard output of the commands that answer questions.

use crate::host::failure::Failure;
use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

/// Prints everything. A reader that went away (`| head`) has seen enough.
pub fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let text = format!("cannot write to standard output: {error}");
            Err(Failure::new(text))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
