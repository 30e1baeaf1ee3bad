//! The log: /dev/kmsg, so that our lines stand between the kernel's, with its time stamps, under
//! its console level (`quiet`, `loglevel=`), and survive into the real system's journal.
//!
//! No buffering and no file: one line is one write. Where there is no kernel log, /dev/console.

use crate::base::text::escape_into;
use crate::sys::{console, kmsg, proc_sys};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// The kernel's levels, linux/kern_levels.h.
pub const ERROR: u8 = 3;
pub const WARNING: u8 = 4;
pub const NOTICE: u8 = 5;
pub const INFO: u8 = 6;
pub const DEBUG: u8 = 7;

const TAG: &str = "landfall: ";

/// Longest text of one record: the kernel's limit less `<N>`, tag, the mark of a continuation
/// and the line break.
const LONGEST_TEXT: usize = kmsg::LONGEST - 16;

/// `off`, `ratelimit` (10 lines in 5 seconds) or `on`, for what programs write to /dev/kmsg.
const RATE_LIMIT: &str = "/proc/sys/kernel/printk_devkmsg";

struct Sink {
    fd: OwnedFd,
    is_kmsg: bool,
    /// What [`RATE_LIMIT`] said before; `None`: it was not changed.
    rate_limit: Option<Vec<u8>>,
}

static SINK: OnceLock<Sink> = OnceLock::new();

struct KernelLog;

/// Opens the log, lifts the kernel's limit on our lines and makes it that of the `log` macros.
/// Needs /dev. Until this was called, nothing is said; nor where there is no console at all.
pub fn install() {
    let sink = match kmsg::open_writer() {
        Ok(fd) => Some(Sink {
            fd,
            is_kmsg: true,
            rate_limit: lift_rate_limit(),
        }),
        Err(_) => console::open_console().ok().map(|fd| Sink {
            fd,
            is_kmsg: false,
            rate_limit: None,
        }),
    };
    use_from_now_on(sink);
}

/// The same for a process beside PID 1, which has lifted the limit if it is to be lifted.
pub fn join() {
    let sink = kmsg::open_writer().ok().map(|fd| Sink {
        fd,
        is_kmsg: true,
        rate_limit: None,
    });
    use_from_now_on(sink);
}

fn use_from_now_on(sink: Option<Sink>) {
    if let Some(sink) = sink {
        let _ = SINK.set(sink);
        let _ = log::set_logger(&KernelLog);
        set_debug(false);
    }
}

/// Whether debug lines are written at all. Which of the others appear on the console is up to
/// the kernel's own level.
pub fn set_debug(on: bool) {
    log::set_max_level(if on {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    });
}

/// `None`: the command line fixed it (`printk.devkmsg=`), or there is no such setting.
fn lift_rate_limit() -> Option<Vec<u8>> {
    let before = proc_sys::read(RATE_LIMIT, 32).ok()?;
    proc_sys::write(RATE_LIMIT, b"on\n").ok()?;
    Some(before)
}

/// The console level before it was lowered; 0: it was not.
static HELD: AtomicU8 = AtomicU8::new(0);

/// The first number is the console level: records below it appear. proc(5).
const CONSOLE_LEVEL: &str = "/proc/sys/kernel/printk";

/// Keeps the log off the consoles, but for what is an emergency, until [`let_through`]: somebody is
/// typing there. Nothing is lost; the log itself goes on.
pub fn hold_back() {
    if let Some(level @ 1..) = console_level()
        && HELD.load(Ordering::Relaxed) == 0
        && proc_sys::write(CONSOLE_LEVEL, b"1\n").is_ok()
    {
        HELD.store(level, Ordering::Relaxed);
    }
}

pub fn let_through() {
    let level = HELD.swap(0, Ordering::Relaxed);
    if level > 0 {
        let _ = proc_sys::write(CONSOLE_LEVEL, format!("{level}\n").as_bytes());
    }
}

fn console_level() -> Option<u8> {
    let text = proc_sys::read(CONSOLE_LEVEL, 64).ok()?;
    let number = text.split(|b| b.is_ascii_whitespace()).next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// Puts back what was there: for the real system.
pub fn restore_rate_limit() {
    if let Some(before) = SINK.get().and_then(|sink| sink.rate_limit.as_ref()) {
        let _ = proc_sys::write(RATE_LIMIT, before);
    }
}

/// Shows the failure page: errors in the log and, where the kernel's console level hides even
/// those (`loglevel=3` and less), on every console directly.
pub fn page(lines: &[String]) {
    let_through();
    for line in lines {
        say(ERROR, line);
    }
    if errors_are_shown() {
        return;
    }
    to_consoles(lines, 0);
}

/// Shows lines that were asked for on every console, whatever is kept off it, and on nothing else.
pub fn show(lines: &[String]) {
    to_consoles(lines, TAG.len());
}

/// `skip`: so many bytes at the beginning of each record are left out.
fn to_consoles(lines: &[String], skip: usize) {
    for name in console::active() {
        if let Ok(fd) = console::open_terminal(&format!("/dev/{name}")) {
            for line in lines {
                let mut each =
                    |record: &str| to_terminal(&fd, record.get(skip..).unwrap_or(record));
                each_record(ERROR, line, &mut each);
            }
        }
    }
}

fn errors_are_shown() -> bool {
    console_level().is_none_or(|level| level > ERROR)
}

/// Writes `text` at one of the kernel's levels; each of its lines is one record or, if it is too
/// long for one, several. Never fails: a log that cannot be written has nowhere to complain.
pub fn say(level: u8, text: &str) {
    if let Some(sink) = SINK.get() {
        for line in text.lines() {
            sink.line(level, line);
        }
    }
}

impl Sink {
    fn line(&self, level: u8, line: &str) {
        each_record(level, line, &mut |record| {
            if self.is_kmsg {
                let _ = kmsg::write_record(self.fd.as_fd(), record.as_bytes());
            } else {
                to_terminal(&self.fd, record);
            }
        });
    }
}

/// Without the `<N>`, which is for the kernel.
fn to_terminal(fd: &OwnedFd, record: &str) {
    let shown = record.get(3..).unwrap_or(record).trim_end();
    let _ = kmsg::write_record(fd.as_fd(), format!("{shown}\r\n").as_bytes());
}

/// Takes one line apart into records of at most [`kmsg::LONGEST`] bytes, cut between characters.
fn each_record(level: u8, line: &str, each: &mut dyn FnMut(&str)) {
    let mut text = String::with_capacity(line.len());
    let _ = escape_into(line.as_bytes(), b"", &mut text);
    let mut rest = text.as_str();
    let mut mark = "";
    loop {
        let cut = rest.floor_char_boundary(LONGEST_TEXT);
        let (now, later) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        each(&format!("<{}>{TAG}{mark}{now}\n", level.min(DEBUG)));
        if later.is_empty() {
            return;
        }
        (rest, mark) = (later, "  ");
    }
}

impl Log for KernelLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Error => ERROR,
            Level::Warn => WARNING,
            Level::Info => INFO,
            Level::Debug | Level::Trace => DEBUG,
        };
        if self.enabled(record.metadata()) {
            say(level, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(line: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_record(WARNING, line, &mut |record| all.push(record.to_string()));
        all
    }

    #[test]
    fn a_line_is_a_record_with_level_and_tag() {
        assert_eq!(records("root is vda1"), ["<4>landfall: root is vda1\n"]);
        assert_eq!(records(""), ["<4>landfall: \n"]);
    }

    #[test]
    fn control_bytes_cannot_reach_the_terminal() {
        assert_eq!(records("a\x1b[2Jb\r"), ["<4>landfall: a\\x1b[2Jb\\x0d\n"]);
    }

    #[test]
    fn long_lines_are_cut_between_characters_and_nothing_is_lost() {
        for unit in ["x", "\u{e9}", "\u{20ac}", "\x01"] {
            let line = unit.repeat(2000);
            let mut whole = String::new();
            for record in records(&line) {
                assert!(record.len() <= kmsg::LONGEST, "{}", record.len());
                let text = record.strip_prefix("<4>landfall: ").unwrap();
                assert!(text.ends_with('\n'));
                whole.push_str(text.trim());
            }
            assert_eq!(whole, line.replace('\x01', "\\x01"));
        }
    }
}
