//! Leaves the trace of the boot in `/run`, where the real system and a rescue shell find it; and
//! tells it a terminal, for whoever watches a virtual machine from outside.

use crate::base::fault::Fault;
use crate::sys::{clock, dir, poll, tty};

const FOLDER: &str = "/run/landfall";
const FALLBACK: &str = "/run/landfall/fallback";
const FILE: &str = "/run/landfall/trace";

/// Nobody waits longer for a terminal that takes nothing. A line at 115,200 baud carries 120 KiB
/// in this time, more than an ordinary boot's trace.
const PATIENCE_MS: u64 = 10_000;

pub fn write(text: &str) -> Result<(), Fault> {
    leave(FILE, text)
}

fn leave(file: &str, text: &str) -> Result<(), Fault> {
    dir::make("/run")?;
    dir::make(FOLDER)?;
    Ok(dir::write_file(file, text.as_bytes())?)
}

/// Leaves why the first root was not taken.
pub fn leave_fallback(lines: &[String]) {
    let mut text = lines.join("\n");
    text.push('\n');
    if let Err(fault) = leave(FALLBACK, &text) {
        log::warn!("why another root is taken is not left: {fault}");
    }
}

/// Writes the text to the terminal at `path`. Nothing else is opened, so no disk can be hit.
pub fn tell(path: &str, text: &str) -> Result<(), Fault> {
    let terminal = tty::open_listener(path)?;
    let end = clock::since_boot().plus(PATIENCE_MS);
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let left = clock::since_boot().until(end);
        if left == 0 || !poll::until_writable(&terminal, left)? {
            let text = format!("{path} takes no more, {} bytes are left", rest.len());
            return Err(Fault::plain(text));
        }
        let count = tty::write_some(&terminal, rest)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_and_nothing_else_is_touched() {
        let file = format!("landfall-no-terminal-{}", std::process::id());
        let file = std::env::temp_dir().join(file);
        std::fs::write(&file, "kept").unwrap();
        for not in [
            file.to_str().unwrap(),
            "/dev/null",
            "/dev/full",
            "/dev/no-such-thing",
        ] {
            assert!(tell(not, "text").is_err(), "{not}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
        std::fs::remove_file(&file).unwrap();
        // The other end of a terminal that nobody has opened yet.
        assert_eq!(tell("/dev/ptmx", "text"), Ok(()));
    }
}
