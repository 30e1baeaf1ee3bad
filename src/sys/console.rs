//! The consoles. console(4), /sys/class/tty/console/active (Documentation/ABI/testing/sysfs-tty).

use super::fail::{Fail, Outcome};
use super::proc_sys;
use crate::base::list::Listed;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};

pub const PATH: &str = "/dev/console";

/// Opens /dev/console for reading and writing, without making it the controlling terminal.
pub fn open_console() -> Outcome<OwnedFd> {
    open_terminal(PATH)
}

/// Opens one terminal by path, without making it the controlling terminal. Does not wait for a
/// serial line's carrier; reads and writes block as usual.
pub fn open_terminal(path: &str) -> Outcome<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = open(path, flags, Mode::empty()).map_err(Fail::of("open", &path))?;
    let kept = rustix::fs::fcntl_getfl(&fd).map_err(Fail::of("fcntl", &path))?;
    rustix::fs::fcntl_setfl(&fd, kept - OFlags::NONBLOCK).map_err(Fail::of("fcntl", &path))?;
    Ok(fd)
}

/// The same, and neither reads nor writes wait.
pub fn open_unwaiting(path: &str) -> Outcome<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    open(path, flags, Mode::empty()).map_err(Fail::of("open", &path))
}

/// Names of all active consoles, `tty0 ttyS0`; the last one is what /dev/console is.
/// Needs /sys; empty without it.
pub fn active() -> Vec<String> {
    let text = proc_sys::read("/sys/class/tty/console/active", 1024).unwrap_or_default();
    names(&text)
}

fn names(active: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(active).unwrap_or("");
    let names = text.split_ascii_whitespace();
    names
        .filter(|name| !name.contains('/'))
        .map(String::from)
        .listed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_are_named_in_order() {
        assert_eq!(names(b"tty0 ttyS0\n"), ["tty0", "ttyS0"]);
        assert_eq!(names(b"\n"), [""; 0]);
        assert_eq!(names(b"../sda ttyS0\n"), ["ttyS0"]);
    }
}
