//! Unpacks an image into a directory, as the kernel would unpack it into memory, and nowhere else.
//!
//! Every name is resolved inside the directory as if that were the root (`RESOLVE_IN_ROOT`), so a
//! symbolic link in the archive may be followed, but never leads out. Names with `..` are refused.
//! Nobody needs to be root: owners and device nodes are set and made only by root, and what was
//! left out is said.

use crate::base::text::Text;
use crate::host::cpio::{self, Header};
use crate::host::failure::{Failure, Tried};
use crate::host::inspect::link_target;
use crate::host::segments::{Segment, Visitor};
use rustix::fs::{self as fsx, AtFlags, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A hard link's identity: archive, device, inode number.
type LinkKey = (usize, (u32, u32), u32);

pub struct Unpacker {
    into: PathBuf,
    root: OwnedFd,
    is_root: bool,
    links: BTreeMap<LinkKey, Vec<u8>>,
    /// Their modes and times are set last: a read-only directory could not be filled.
    directories: Vec<(Vec<u8>, u32, u32)>,
    skipped: u64,
}

impl Unpacker {
    /// `into` is made if it does not exist, and must be empty.
    pub fn new(into: &Path) -> Result<Self, Failure> {
        let name = || format!("unpack into {}", into.display());
        match std::fs::create_dir(into) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let mut list = std::fs::read_dir(into).or_cannot(name)?;
                if list.next().is_some() {
                    let text = format!("cannot {}: it is not empty", name());
                    return Err(Failure::new(text));
                }
            }
            made => made.or_cannot(name)?,
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = fsx::open(into, flags, Mode::empty());
        let root = root.map_err(io::Error::from).or_cannot(name)?;
        Ok(Self {
            into: into.to_path_buf(),
            root,
            is_root: rustix::process::geteuid().is_root(),
            links: BTreeMap::new(),
            directories: Vec::new(),
            skipped: 0,
        })
    }

    /// Sets what had to wait, and says what was left out.
    pub fn finish(mut self) -> Result<(), Failure> {
        while let Some((path, mode, mtime)) = self.directories.pop() {
            let set = self.settle_directory(&path, mode, mtime);
            set.or_cannot(|| format!("set the mode of {}", self.shown(&path)))?;
        }
        if self.skipped > 0 {
            eprintln!(
                "landfall: {} device nodes not made: only root may",
                self.skipped
            );
        }
        Ok(())
    }

    fn settle_directory(&self, path: &[u8], mode: u32, mtime: u32) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let in_root = ResolveFlags::IN_ROOT;
        // Replaced by something else since: then there is nothing to set.
        let Ok(fd) = fsx::openat2(&self.root, path, flags, Mode::empty(), in_root) else {
            return Ok(());
        };
        fsx::fchmod(&fd, Mode::from_raw_mode(mode & 0o7777))?;
        Ok(fsx::futimens(&fd, &times(mtime))?)
    }

    fn shown(&self, path: &[u8]) -> String {
        format!("{}/{}", self.into.display(), Text::from(path))
    }

    fn unpack(&mut self, of: &Segment, e: &Header, body: &mut dyn Read) -> io::Result<()> {
        let Some((parent, name)) = split(&e.path)? else {
            return Ok(()); // the root itself
        };
        let parent = self.directory(parent)?;
        let key = (of.archive, e.dev, e.ino);
        if e.nlink > 1 && !e.is(cpio::S_IFDIR) {
            if let Some(first) = self.links.get(&key).cloned() {
                return self.link(&first, &parent, name, body);
            }
            self.links.insert(key, e.path.clone());
        }
        match e.mode & cpio::S_IFMT {
            cpio::S_IFDIR => self.make_directory(&parent, name, e),
            cpio::S_IFREG => self.make_file(&parent, name, e, body),
            cpio::S_IFLNK => {
                let target = link_target(e, body).map_err(|e| io::Error::other(e.text))?;
                clear(&parent, name)?;
                fsx::symlinkat(target.unwrap_or_default(), &parent, name)?;
                self.own(&parent, name, e)
            }
            _ => self.make_node(&parent, name, e),
        }
    }

    /// The directory `path` inside the root, symbolic links followed there and no further.
    fn directory(&self, path: &[u8]) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let path = if path.is_empty() { b"." } else { path };
        let opened = fsx::openat2(
            &self.root,
            path,
            flags,
            Mode::empty(),
            ResolveFlags::IN_ROOT,
        );
        opened.map_err(|e| match e {
            rustix::io::Errno::NOENT => io::Error::other("its directory is not in the archive"),
            other => other.into(),
        })
    }

    fn make_directory(&mut self, parent: &OwnedFd, name: &[u8], e: &Header) -> io::Result<()> {
        match fsx::mkdirat(parent, name, Mode::RWXU) {
            Err(rustix::io::Errno::EXIST) => {
                let there = fsx::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if there.st_mode & cpio::S_IFMT != cpio::S_IFDIR {
                    clear(parent, name)?;
                    fsx::mkdirat(parent, name, Mode::RWXU)?;
                }
            }
            made => made?,
        }
        self.directories.push((e.path.clone(), e.mode, e.mtime));
        self.own(parent, name, e)
    }

    fn make_file(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        e: &Header,
        body: &mut dyn Read,
    ) -> io::Result<()> {
        clear(parent, name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(fsx::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?);
        io::copy(body, &mut file)?;
        self.own(parent, name, e)?;
        fsx::fchmod(&file, Mode::from_raw_mode(e.mode & 0o7777))?;
        Ok(fsx::futimens(&file, &times(e.mtime))?)
    }

    /// A further name of a file; the archive may bring the contents only now.
    fn link(
        &self,
        first: &[u8],
        parent: &OwnedFd,
        name: &[u8],
        body: &mut dyn Read,
    ) -> io::Result<()> {
        let Some((first_parent, first_name)) = split(first)? else {
            return Ok(());
        };
        let first_parent = self.directory(first_parent)?;
        let at = fsx::statat(&first_parent, first_name, AtFlags::SYMLINK_NOFOLLOW);
        if at.is_err() {
            return Ok(()); // a device node that was left out
        }
        clear(parent, name)?;
        fsx::linkat(&first_parent, first_name, parent, name, AtFlags::empty())?;
        let mut start = [0];
        if body.read(&mut start)? == 0 {
            return Ok(());
        }
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(fsx::openat(parent, name, flags, Mode::empty())?);
        io::copy(&mut start.as_slice().chain(body), &mut file).map(drop)
    }

    fn make_node(&mut self, parent: &OwnedFd, name: &[u8], e: &Header) -> io::Result<()> {
        let kind = fsx::FileType::from_raw_mode(e.mode);
        let device = e.is(cpio::S_IFCHR) || e.is(cpio::S_IFBLK);
        if device && !self.is_root {
            self.skipped += 1;
            return Ok(());
        }
        clear(parent, name)?;
        let mode = Mode::from_raw_mode(e.mode & 0o7777);
        fsx::mknodat(parent, name, kind, mode, fsx::makedev(e.rdev.0, e.rdev.1))?;
        self.own(parent, name, e)
    }

    fn own(&self, parent: &OwnedFd, name: &[u8], e: &Header) -> io::Result<()> {
        if !self.is_root {
            return Ok(());
        }
        let (uid, gid) = (fsx::Uid::from_raw(e.uid), fsx::Gid::from_raw(e.gid));
        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
        Ok(fsx::chownat(
            parent.as_fd(),
            name,
            Some(uid),
            Some(gid),
            nofollow,
        )?)
    }
}

impl Visitor for Unpacker {
    fn entry(&mut self, of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let done = self.unpack(of, e, body);
        done.or_cannot(|| format!("unpack {}", self.shown(&e.path)))
    }
}

/// Directory and last part of a name; `None` for the root itself.
fn split(path: &[u8]) -> io::Result<Option<(&[u8], &[u8])>> {
    if path.split(|&b| b == b'/').any(|part| part == b"..") {
        return Err(io::Error::other("its name leads upwards with '..'"));
    }
    let mut path = path;
    while let Some(rest) = path.strip_suffix(b"/").or_else(|| path.strip_suffix(b"/.")) {
        path = rest;
    }
    if path.is_empty() || path == b"." {
        return Ok(None);
    }
    Ok(match path.iter().rposition(|&b| b == b'/') {
        Some(at) => Some((
            path.get(..at).unwrap_or(b""),
            path.get(at + 1..).unwrap_or(b""),
        )),
        None => Some((b"", path)),
    })
}

/// Makes way: what an earlier entry left under this name goes, as in the kernel.
fn clear(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    use rustix::io::Errno;
    match fsx::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => Ok(fsx::unlinkat(parent, name, AtFlags::REMOVEDIR)?),
        Err(e) => Err(e.into()),
    }
}

fn times(mtime: u32) -> Timestamps {
    let at = Timespec {
        tv_sec: i64::from(mtime),
        tv_nsec: 0,
    };
    Timestamps {
        last_access: at,
        last_modification: at,
    }
}
