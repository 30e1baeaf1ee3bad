//! Runs a program of the image to its end. What it says goes to the log. It ends when this process
//! does.

use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::check;
use crate::sys::dir::{self, Want};
use crate::sys::process::{self, Exit, Fork};
use crate::sys::signal;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;

/// Exit status of a child that could not become the program (as in sh(1)).
const NOT_STARTED: i32 = 127;

/// Where it finds other programs.
pub const PATH: &str = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

/// Most bytes of a line that are kept.
const MAX_LINE: usize = 400;

/// Most lines that go to the log, and that are told.
const MAX_LINES: usize = 100;
const LAST_LINES: usize = 6;

/// Every tenth of the way is told.
const STEP: u64 = 10;

/// Is there a file that can be run?
pub fn is_there(path: &str) -> bool {
    let status = dir::open_path(path.as_bytes(), Want::Place).and_then(dir::status);
    status.is_ok_and(|status| status.is_file() && status.is_executable())
}

/// Yields its exit status and the last lines of what it said. `argv`: the program first. `of`: what
/// its lines are about.
pub fn run(argv: &[&str], env: &[&str], of: &str) -> Result<(u32, Vec<Text>), Fault> {
    let c = |word: &&str| CString::new(*word).map_err(|_| Fault::plain("a name holds a zero byte"));
    let (args, env) = (argv.iter().map(c).all_ok()?, env.iter().map(c).all_ok()?);
    let ([first, ..], [program, ..]) = (args.as_slice(), argv) else {
        return Err(Fault::plain("no program"));
    };
    let (said, out) = process::pipe()?;
    let pid = match process::fork()? {
        Fork::Parent { pid } => pid,
        Fork::Child => {
            let _ = process::die_with_parent();
            signal::restore_all();
            let fail = match process::use_as_stdio(&out) {
                Ok(()) => process::exec(first, &args, &env),
                Err(fail) => fail,
            };
            log::error!("{fail}");
            process::exit_now(NOT_STARTED)
        }
    };
    drop(out);
    let last = relay(&mut File::from(said), of);
    match process::wait_for(pid)? {
        Exit::Code(code) => Ok((code.unsigned_abs(), last)),
        Exit::Signal(signal) => Err(Fault::plain(format!(
            "{program} was killed by signal {signal}"
        ))),
    }
}

/// Logs what comes until the end; yields the last lines.
fn relay(from: &mut impl Read, of: &str) -> Vec<Text> {
    let mut buffer = [0; 512];
    let mut line = Vec::new();
    let mut teller = Teller::default();
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for &byte in buffer.get(..count).unwrap_or_default() {
            match byte {
                b'\n' | b'\r' => teller.line(of, &std::mem::take(&mut line)),
                _ if line.len() < MAX_LINE => line.push(byte),
                _ => {}
            }
        }
    }
    teller.line(of, &line);
    teller.last
}

#[derive(Default)]
struct Teller {
    last: Vec<Text>,
    told: usize,
    next: u64,
}

impl Teller {
    fn line(&mut self, of: &str, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let text = Text::from(line);
        let progress = std::str::from_utf8(line).ok().and_then(check::progress);
        if let Some(percent) = progress {
            if percent >= self.next.max(STEP) {
                log::info!("checking {of}: {percent} %");
                self.next = percent.saturating_add(STEP);
            }
            return;
        }
        if self.told < MAX_LINES {
            log::info!("{of}: {text}");
        }
        self.told = self.told.saturating_add(1);
        if self.last.len() >= LAST_LINES {
            self.last.remove(0);
        }
        self.last.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_without_progress() {
        let text = b"one\n1 5 10 /dev/x\n\ntwo\r\n3\n4\n5\n6\n7 and so on";
        let last = relay(&mut &text[..], "x");
        let texts: Vec<String> = last.iter().map(Text::to_string).collect();
        assert_eq!(texts, ["two", "3", "4", "5", "6", "7 and so on"]);
    }
}
