//! Gives the initramfs's memory back: removes its files, and nothing else's.
//!
//! Promise: only the initramfs is deleted. It holds by construction: there is no path in here.
//! Everything hangs on a descriptor that was checked ([`OldRoot::check`]) before the switch;
//! sub-directories are opened by openat2 with `RESOLVE_NO_XDEV` and `RESOLVE_NO_SYMLINKS`, so the
//! kernel itself refuses to leave the file system through a mount, a bind mount or a link, and
//! each is compared with the root's device once more. What is a mount point stays, with the
//! directories above it.

use crate::base::text::Text;
use crate::sys::dir::{self, FileType, Want};
use crate::sys::fail::{Fail, sentence};
use crate::sys::mount::place_of;
use std::ffi::{CStr, CString};
use std::os::fd::{BorrowedFd, OwnedFd};

/// Deepest directory that is entered; each level holds one descriptor open.
const DEEPEST: usize = 128;

/// Most names of what stayed that are kept for the log.
const MOST_NAMES: usize = 8;

/// A root directory that was found to be the initramfs.
pub struct OldRoot {
    root: OwnedFd,
    device: (u32, u32),
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    pub removed: u64,
    /// What could not be removed, and why; the first few.
    pub kept: Vec<String>,
}

impl OldRoot {
    /// Checks `old` (open for listing) before anything is deleted: it is ramfs or tmpfs, the
    /// root of its mount, holds the `/init` that was started, and is not where `new` lives.
    /// Otherwise a sentence why it stays.
    pub fn check(old: OwnedFd, new: BorrowedFd<'_>) -> Result<Self, String> {
        let shown = |fail: Fail| fail.to_string();
        let magic = dir::fs_magic(&old).map_err(shown)?;
        if magic != dir::RAMFS_MAGIC && magic != dir::TMPFS_MAGIC {
            return Err(format!("it is no ramfs or tmpfs (magic {magic:#x})"));
        }
        let place = place_of(&old).map_err(shown)?;
        if place.mount_root == Some(false) {
            return Err("it is not the root of its mount".into());
        }
        if place_of(new).map_err(shown)?.device == place.device {
            return Err("the new root lies on it".into());
        }
        let marker = dir::open_in_root(&old, b"init", Want::Place).and_then(dir::status);
        if !marker.is_ok_and(|status| status.is_file()) {
            return Err("it holds no /init".into());
        }
        Ok(Self {
            root: old,
            device: place.device,
        })
    }

    /// Removes everything in it.
    pub fn empty(self) -> Emptied {
        let mut done = Emptied::default();
        let mut stack = vec![Level::enter(self.root, c"/", &mut done)];
        loop {
            let depth = stack.len();
            let Some(level) = stack.last_mut() else {
                return done;
            };
            let Some(name) = level.directories.pop() else {
                if let Some(finished) = stack.pop()
                    && let Some(above) = stack.last()
                {
                    let result = dir::remove_directory(&above.dir, &finished.name);
                    done.count(&finished.name, result);
                }
                continue;
            };
            match open_same_device(&level.dir, &name, self.device) {
                Ok(_) if depth >= DEEPEST => done.keep(&name, "too deep"),
                Ok(dir) => stack.push(Level::enter(dir, &name, &mut done)),
                Err(why) => done.keep(&name, &why),
            }
        }
    }
}

/// One directory on the way down. What is no directory is gone already.
struct Level {
    dir: OwnedFd,
    name: CString,
    directories: Vec<CString>,
}

impl Level {
    fn enter(dir: OwnedFd, name: &CStr, done: &mut Emptied) -> Self {
        let mut directories = Vec::new();
        let listed = dir::list(&dir, &mut |name, kind| {
            if kind == FileType::Directory {
                directories.push(name.to_owned());
            } else {
                done.count(name, dir::remove(&dir, name));
            }
        });
        if let Err(fail) = listed {
            done.keep(name, &fail.to_string());
        }
        Self {
            dir,
            name: name.to_owned(),
            directories,
        }
    }
}

fn open_same_device(above: &OwnedFd, name: &CStr, device: (u32, u32)) -> Result<OwnedFd, String> {
    let dir = dir::open_below(above, name).map_err(|fail| match fail.errno {
        libc::EXDEV => "something is mounted there".to_string(),
        _ => fail.to_string(),
    })?;
    match dir::device_of(&dir) {
        Ok(own) if own == device => Ok(dir),
        Ok(_) => Err("it is another file system".to_string()),
        Err(fail) => Err(fail.to_string()),
    }
}

impl Emptied {
    fn count(&mut self, name: &CStr, result: Result<(), Fail>) {
        match result {
            Ok(()) => self.removed = self.removed.saturating_add(1),
            // The reason why it is not empty was told already.
            Err(fail) if fail.errno == libc::ENOTEMPTY && !self.kept.is_empty() => {}
            Err(fail) => self.keep(name, sentence(fail.errno)),
        }
    }

    fn keep(&mut self, name: &CStr, why: &str) {
        if self.kept.len() < MOST_NAMES {
            let name = Text::from(name.to_bytes());
            self.kept.push(format!("{name}: {why}"));
        }
    }
}
