//! Small files of /proc and /sys. proc(5), sysfs(5): one read and one write is one value.

use super::fail::{Fail, Outcome};
use super::path::{Shown, ended};
use rustix::buffer::spare_capacity;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// The first `most` bytes of a file.
pub fn read(path: &str, most: usize) -> Outcome<Vec<u8>> {
    let mut out = Vec::new();
    read_at(CWD, path.as_bytes(), most, &mut out)?;
    Ok(out)
}

/// The same below a directory, into a buffer that can be used again.
pub fn read_at(dir: BorrowedFd<'_>, path: &[u8], most: usize, out: &mut Vec<u8>) -> Outcome<()> {
    out.clear();
    let file = open_at(dir, path, OFlags::RDONLY)?;
    // Nothing is written that the kernel does not write: a page touched is time.
    out.reserve_exact(most);
    while out.len() < most {
        let room = out.capacity().saturating_sub(out.len());
        match rustix::io::read(&file, spare_capacity(out)) {
            // One value comes in one piece: what is shorter than asked for is the end.
            Ok(more) if more < room => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("read", &Shown(path))(errno)),
        }
    }
    out.truncate(most);
    Ok(())
}

/// Writes a value in one write(2). The file must exist.
pub fn write(path: &str, value: &[u8]) -> Outcome<()> {
    let file = open_at(CWD, path.as_bytes(), OFlags::WRONLY)?;
    loop {
        match rustix::io::write(&file, value) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("write", &path)(errno)),
        }
    }
}

fn open_at(dir: BorrowedFd<'_>, path: &[u8], how: OFlags) -> Outcome<OwnedFd> {
    let flags = how | OFlags::CLOEXEC | OFlags::NOCTTY;
    let open = |path| openat(dir, path, flags, Mode::empty());
    ended(path)
        .and_then(open)
        .map_err(Fail::of("open", &Shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_up_to_the_bound() {
        let version = read("/proc/version", 5).unwrap();
        assert_eq!(version, b"Linux");
        assert!(read("/proc/self/status", 1 << 16).unwrap().len() > 200);
        assert_eq!(read("/proc/nonesuch", 10).unwrap_err().errno, 2);
        assert_eq!(write("/proc/nonesuch", b"1").unwrap_err().call, "open");
    }
}
