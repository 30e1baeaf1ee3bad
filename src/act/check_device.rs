//! Has a program of the image check the file system on a device. What it says goes to the log, how
//! far it is too. It ends when this process does.

use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::check::{self, Check, Ended, Verdict};
use crate::sys::dir::{self, Want};
use crate::sys::process::{self, Exit, Fork};
use crate::sys::signal;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;

/// Where such programs lie.
const PLACES: [&str; 4] = ["/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"];

const STAMPS: &str = "/run/initramfs";

/// Exit status of a child that could not become the program (as in sh(1)).
const NOT_STARTED: i32 = 127;

/// Most bytes of a line that are kept.
const MAX_LINE: usize = 400;

/// Most lines that go to the log, and to the page of a boot that fails.
const MAX_LINES: usize = 100;
const LAST_LINES: usize = 6;

/// Every tenth of the way is told.
const STEP: u64 = 10;

/// The paths of the checkers that this image holds.
pub fn programs() -> Vec<String> {
    let paths = check::programs().flat_map(|name| PLACES.iter().map(move |at| path(at, name)));
    let runs = |path: &String| {
        let status = dir::open_path(path.as_bytes(), Want::Place).and_then(dir::status);
        status.is_ok_and(|status| status.is_file() && status.is_executable())
    };
    paths.filter(runs).listed()
}

fn path(at: &str, name: &str) -> String {
    let mut path = String::from(at);
    path.push_str(name);
    path
}

pub fn check(order: &Check) -> Result<Ended, Fault> {
    let program = order.program.as_str();
    let device = path("/dev/", &order.device);
    let words = order.words.split(' ').filter(|word| !word.is_empty());
    let argv = [program].into_iter().chain(words).chain([device.as_str()]);
    let c = |word: &str| CString::new(word).map_err(|_| Fault::plain("a name holds a zero byte"));
    let argv = argv.map(c).all_ok()?;
    let [first, ..] = argv.as_slice() else {
        return Err(Fault::plain("no program"));
    };
    let (said, out) = process::pipe()?;
    let pid = match process::fork()? {
        Fork::Parent { pid } => pid,
        Fork::Child => {
            let _ = process::die_with_parent();
            signal::restore_all();
            let fail = match process::use_as_stdio(&out) {
                Ok(()) => process::exec(
                    first,
                    &argv,
                    &[c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".into()],
                ),
                Err(fail) => fail,
            };
            log::error!("{fail}");
            process::exit_now(NOT_STARTED)
        }
    };
    drop(out);
    let last = relay(&mut File::from(said), &order.device);
    let status = match process::wait_for(pid)? {
        Exit::Code(code) => code.unsigned_abs(),
        Exit::Signal(signal) => {
            return Err(Fault::plain(format!(
                "{program} was killed by signal {signal}"
            )));
        }
    };
    let verdict = check::verdict(status);
    if matches!(verdict, Verdict::Clean | Verdict::Repaired) {
        leave_stamp(&order.stamp);
    }
    let said = if verdict == Verdict::Left {
        last
    } else {
        Vec::new()
    };
    Ok(Ended { status, said })
}

/// Without it the real system checks again, which does no harm.
fn leave_stamp(name: &str) {
    let mut file = path(STAMPS, "/");
    file.push_str(name);
    let _ = dir::make(STAMPS);
    if let Err(fail) = dir::write_file(&file, b"") {
        log::warn!("{fail}");
    }
}

/// Logs what comes until the end; yields the last lines.
fn relay(from: &mut impl Read, device: &str) -> Vec<Text> {
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
                b'\n' | b'\r' => teller.line(device, &std::mem::take(&mut line)),
                _ if line.len() < MAX_LINE => line.push(byte),
                _ => {}
            }
        }
    }
    teller.line(device, &line);
    teller.last
}

#[derive(Default)]
struct Teller {
    last: Vec<Text>,
    told: usize,
    next: u64,
}

impl Teller {
    fn line(&mut self, device: &str, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let text = Text::from(line);
        let progress = std::str::from_utf8(line).ok().and_then(check::progress);
        if let Some(percent) = progress {
            if percent >= self.next.max(STEP) {
                log::info!("checking {device}: {percent} %");
                self.next = percent.saturating_add(STEP);
            }
            return;
        }
        if self.told < MAX_LINES {
            log::info!("{device}: {text}");
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

    fn order(program: &str, words: &str) -> Check {
        Check {
            device: "null".into(),
            program: program.into(),
            words: words.into(),
            stamp: "-".into(),
        }
    }

    #[test]
    fn the_last_lines_are_kept_without_progress() {
        let text = b"one\n1 5 10 /dev/x\n\ntwo\r\n3\n4\n5\n6\n7 and so on";
        let last = relay(&mut &text[..], "x");
        let texts: Vec<String> = last.iter().map(Text::to_string).collect();
        assert_eq!(texts, ["two", "3", "4", "5", "6", "7 and so on"]);
    }

    #[test]
    fn a_program_is_run_to_its_end() {
        // Its own words, then the device: sh(1) takes that for $0.
        let mut order = order("/bin/sh", "-c exit${IFS}12");
        let ended = check(&order).unwrap();
        assert_eq!((ended.status, ended.said), (12, Vec::new()));
        order.words = "-c echo${IFS}$0;exit${IFS}4".into();
        let ended = check(&order).unwrap();
        assert_eq!(ended.status, 4);
        assert_eq!(ended.said, [Text::from("/dev/null")]);
        order.words = "-c kill${IFS}-9${IFS}$$".into();
        let fault = check(&order).unwrap_err();
        assert!(fault.text.contains("killed by signal 9"), "{fault}");
        order.program = "/nonesuch".into();
        assert_eq!(check(&order).unwrap().status, 127);
    }
}
