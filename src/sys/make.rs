//! Entries of any kind in a directory: openat(2), mknodat(2), symlinkat(2), linkat(2), fchownat(2),
//! fchmodat(2), utimensat(2).
//!
//! Each takes the directory and a plain name in it: no path is walked here.

use super::fail::{Fail, Outcome};
use super::path::{Shown, ended};
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::fs::{chmodat, chownat, linkat, makedev, mknodat, openat, symlinkat, utimensat};
use rustix::io::Errno;
use std::ffi::CStr;

/// What is no regular file and no directory.
#[derive(Clone, Copy, Debug)]
pub enum Special {
    Character(u32, u32),
    Block(u32, u32),
    Fifo,
}

/// Owner, permissions and time of change.
#[derive(Clone, Copy, Debug)]
pub struct Attributes {
    pub user: u32,
    pub group: u32,
    /// `None`: of a symbolic link, which has none.
    pub mode: Option<u32>,
    /// Seconds since 1970; `None`: as it is.
    pub modified: Option<u64>,
}

/// A new file with these contents; `EEXIST` if there is anything.
pub fn file(dir: BorrowedFd<'_>, name: &[u8], contents: &[u8]) -> Outcome<()> {
    write(dir, name, OFlags::CREATE | OFlags::EXCL, contents)
}

/// Other contents for a file that is there. A link is not followed.
pub fn refill(dir: BorrowedFd<'_>, name: &[u8], contents: &[u8]) -> Outcome<()> {
    write(dir, name, OFlags::TRUNC, contents)
}

fn write(dir: BorrowedFd<'_>, name: &[u8], how: OFlags, mut contents: &[u8]) -> Outcome<()> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | how;
    on(name, "write", &mut |name| {
        let file = openat(dir, name, flags, Mode::from_raw_mode(0o600))?;
        while !contents.is_empty() {
            match rustix::io::write(&file, contents) {
                Ok(done) => contents = contents.get(done..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    })
}

pub fn link(dir: BorrowedFd<'_>, name: &[u8], text: &[u8]) -> Outcome<()> {
    on(name, "symlink", &mut |name| {
        symlinkat(&*ended(text)?, dir, name)
    })
}

/// `name` in `dir` as another name of `old` in `old_dir`, which may itself be a symbolic link.
pub fn same(
    dir: BorrowedFd<'_>,
    name: &[u8],
    (old_dir, old): (BorrowedFd<'_>, &[u8]),
) -> Outcome<()> {
    on(name, "link", &mut |name| {
        linkat(old_dir, &*ended(old)?, dir, name, AtFlags::empty())
    })
}

pub fn special(dir: BorrowedFd<'_>, name: &[u8], what: Special) -> Outcome<()> {
    let (kind, device) = match what {
        Special::Character(major, minor) => (FileType::CharacterDevice, makedev(major, minor)),
        Special::Block(major, minor) => (FileType::BlockDevice, makedev(major, minor)),
        Special::Fifo => (FileType::Fifo, 0),
    };
    let mode = Mode::from_raw_mode(0o600);
    on(name, "mknod", &mut |name| {
        mknodat(dir, name, kind, mode, device)
    })
}

/// The owner first: a change of it takes set-user-ID away.
pub fn attributes(dir: BorrowedFd<'_>, name: &[u8], wanted: Attributes) -> Outcome<()> {
    let ids = (Uid::from_raw(wanted.user), Gid::from_raw(wanted.group));
    let own = AtFlags::SYMLINK_NOFOLLOW;
    on(name, "set attributes", &mut |name| {
        chownat(dir, name, Some(ids.0), Some(ids.1), own)?;
        if let Some(mode) = wanted.mode {
            chmodat(dir, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
        }
        if let Some(seconds) = wanted.modified.and_then(|s| i64::try_from(s).ok()) {
            let time = Timespec {
                tv_sec: seconds as _,
                tv_nsec: 0,
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            utimensat(dir, name, &times, own)?;
        }
        Ok(())
    })
}

/// A call with a closure that the compiler does not see through: one copy of all this.
#[inline(never)]
fn on(
    name: &[u8],
    call: &'static str,
    act: &mut dyn FnMut(&CStr) -> Result<(), Errno>,
) -> Outcome<()> {
    ended(name)
        .and_then(|name| act(&name))
        .map_err(Fail::of(call, &Shown(name)))
}
