//! Directories and files by descriptor. openat2(2), unlinkat(2), getdents64(2), statx(2),
//! fstatfs(2), statfs magic numbers: linux/magic.h.

use super::fail::{Fail, Outcome};
use super::path::{Shown, ended};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
pub use rustix::fs::FileType;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags};
use rustix::fs::{fstatfs, mkdirat, open, openat, openat2, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// `f_type` of the two file systems that an initramfs can be.
pub const RAMFS_MAGIC: u32 = 0x8584_58f6;
pub const TMPFS_MAGIC: u32 = 0x0102_1994;

/// What is wanted of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A name only (`O_PATH`), of whatever is there.
    Place,
    /// The same, and it must be a directory.
    DirectoryPlace,
    /// A directory to be listed.
    Directory,
    /// Contents to be read. Never waits for a FIFO's other end.
    Contents,
    /// Contents to be read and written, of a file that is there.
    Changes,
}

impl Want {
    fn flags(self) -> OFlags {
        OFlags::CLOEXEC
            | match self {
                Self::Place => OFlags::PATH,
                Self::DirectoryPlace => OFlags::PATH | OFlags::DIRECTORY,
                Self::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
                Self::Contents => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
                Self::Changes => OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY,
            }
    }
}

/// Opens a path of this process's own tree, following links.
pub fn open_path(path: &[u8], want: Want) -> Outcome<OwnedFd> {
    let open = |path| open(path, want.flags(), Mode::empty());
    ended(path)
        .and_then(open)
        .map_err(Fail::of("open", &Shown(path)))
}

/// Opens a path as if `root` were `/`: absolute links and `..` stay inside (Linux 5.6).
pub fn open_in_root(root: impl AsFd, path: &[u8], want: Want) -> Outcome<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    resolved(root, path, want.flags(), resolve)
}

/// Opens the sub-directory `name` for listing. Refused for a link (`ELOOP`, `ENOTDIR`) and for
/// a mount point, bind mounts included (`EXDEV`).
pub fn open_below(dir: impl AsFd, name: &CStr) -> Outcome<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let flags = Want::Directory.flags() | OFlags::NOFOLLOW;
    resolved(dir, name.to_bytes(), flags, resolve)
}

fn resolved(
    root: impl AsFd,
    path: &[u8],
    flags: OFlags,
    resolve: ResolveFlags,
) -> Outcome<OwnedFd> {
    // EAGAIN: something was renamed or mounted during the look-up. Like EINTR, but bounded.
    let mut again = 8;
    let open = |path: CString| loop {
        match openat2(&root, &path, flags, Mode::empty(), resolve) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if again > 0 => again -= 1,
            result => return result,
        }
    };
    ended(path)
        .and_then(open)
        .map_err(Fail::of("openat2", &Shown(path)))
}

/// Opens `name` in `dir` for listing, following a link.
pub fn open_at(dir: impl AsFd, name: &[u8]) -> Outcome<OwnedFd> {
    let open = |name| openat(dir, name, Want::Directory.flags(), Mode::empty());
    ended(name)
        .and_then(open)
        .map_err(Fail::of("open", &Shown(name)))
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub kind: FileType,
    /// Permission bits, octal `07777`.
    pub mode: u32,
    pub bytes: u64,
}

impl Status {
    pub fn is_file(&self) -> bool {
        self.kind == FileType::RegularFile
    }

    /// Somebody may execute it.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

pub fn status(fd: impl AsFd) -> Outcome<Status> {
    let status = rustix::fs::fstat(fd).map_err(Fail::of("fstat", &"-"))?;
    Ok(Status {
        kind: FileType::from_raw_mode(status.st_mode),
        mode: status.st_mode & 0o7777,
        bytes: u64::try_from(status.st_size).unwrap_or(0),
    })
}

/// Are both the same file, by whatever names?
pub fn is_same(a: impl AsFd, b: impl AsFd) -> bool {
    let file = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).map(|s| (s.st_dev, s.st_ino));
    matches!((file(a.as_fd()), file(b.as_fd())), (Ok(a), Ok(b)) if a == b)
}

/// The device number of the file system that holds it.
pub fn device_of(fd: impl AsFd) -> Outcome<(u32, u32)> {
    let status = rustix::fs::fstat(fd).map_err(Fail::of("fstat", &"-"))?;
    let device = status.st_dev;
    Ok((rustix::fs::major(device), rustix::fs::minor(device)))
}

/// Major and minor number of a block device. `ENOTBLK`: it is none.
pub fn number_of(fd: impl AsFd) -> Outcome<(u32, u32)> {
    let status = rustix::fs::fstat(fd).map_err(Fail::of("fstat", &"-"))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::BlockDevice {
        return Err(Fail::of("fstat", &"-")(Errno::NOTBLK));
    }
    let device = status.st_rdev;
    Ok((rustix::fs::major(device), rustix::fs::minor(device)))
}

/// The kind of file system: `f_type`, which all have in its lower 32 bits, and 32-bit machines
/// with a sign.
pub fn fs_magic(fd: impl AsFd) -> Outcome<u32> {
    let status = fstatfs(fd).map_err(Fail::of("fstatfs", &"-"))?;
    Ok(status.f_type as u32)
}

/// Is it on one of the two that an initramfs can be?
pub fn is_in_memory(fd: impl AsFd) -> Outcome<bool> {
    let magic = fs_magic(fd)?;
    Ok(magic == RAMFS_MAGIC || magic == TMPFS_MAGIC)
}

/// Reads from `offset`, up to the buffer's length; less only at the end of the file.
pub fn read_at(fd: impl AsFd, buffer: &mut [u8], offset: u64) -> Outcome<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(&fd, rest, offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(more) => done = done.saturating_add(more),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("pread", &"-")(errno)),
        }
    }
    Ok(done)
}

/// Appends all that is left of one file to another; `each` hears how many bytes are done.
pub fn copy(from: impl AsFd, to: impl AsFd, each: &mut dyn FnMut(u64)) -> Outcome<()> {
    /// Few calls, and still news several times a second from a slow stick.
    const PIECE: usize = 4 << 20;
    let mut done = 0_u64;
    loop {
        match rustix::fs::sendfile(&to, &from, None, PIECE) {
            Ok(0) => return Ok(()),
            Ok(more) => {
                done = done.saturating_add(more as u64);
                each(done);
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("sendfile", &"-")(errno)),
        }
    }
}

/// All of a regular file, but not more than `most` bytes.
pub fn read_all(fd: impl AsFd, most: usize) -> Outcome<Vec<u8>> {
    let bytes = usize::try_from(status(&fd)?.bytes).unwrap_or(most);
    let mut all = vec![0; bytes.min(most)];
    let length = read_at(&fd, &mut all, 0)?;
    all.truncate(length);
    Ok(all)
}

/// Calls `each` with name and kind of all entries but `.` and `..`, in the kernel's order.
/// Entries may be removed on the way.
pub fn list(dir: impl AsFd, each: &mut dyn FnMut(&CStr, FileType)) -> Outcome<()> {
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(Fail::of("getdents64", &"-"))?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            each(entry.file_name(), entry.file_type());
        }
    }
    Ok(())
}

/// Removes the entry `name`: a link itself, never what it points to. `EBUSY`: a mount point.
pub fn remove(dir: impl AsFd, name: &CStr) -> Outcome<()> {
    unlinkat(dir, name, AtFlags::empty()).map_err(Fail::of("unlink", &Shown(name.to_bytes())))
}

/// Removes the file at `path`, if there is one.
pub fn remove_path(path: &str) {
    let _ = unlinkat(CWD, path, AtFlags::empty());
}

/// Removes an empty directory. `EBUSY`: a mount point. `ENOTEMPTY`: not empty.
pub fn remove_directory(dir: impl AsFd, name: &CStr) -> Outcome<()> {
    unlinkat(dir, name, AtFlags::REMOVEDIR).map_err(Fail::of("rmdir", &Shown(name.to_bytes())))
}

/// Makes a directory, mode 0755; one that is there is left as it is.
pub fn make(path: &str) -> Outcome<()> {
    make_at(CWD, path.as_bytes())
}

/// The same in `dir`; `EEXIST` if there is anything.
pub fn make_new(dir: impl AsFd, name: &[u8]) -> Outcome<()> {
    let make = |name: CString| mkdirat(dir, name, Mode::from_raw_mode(0o755));
    ended(name)
        .and_then(make)
        .map_err(Fail::of("mkdir", &Shown(name)))
}

pub fn make_at(dir: impl AsFd, path: &[u8]) -> Outcome<()> {
    let make = |path| mkdirat(dir, path, Mode::from_raw_mode(0o755));
    match ended(path).and_then(make) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Fail::of("mkdir", &Shown(path))(errno)),
    }
}

/// Makes or replaces a file, mode 0644, and writes all of it.
pub fn write_file(path: &str, contents: &[u8]) -> Outcome<()> {
    write_file_with_mode(path, contents, 0o644)
}

/// The same with another mode, from which the umask is taken.
pub fn write_file_with_mode(path: &str, contents: &[u8], mode: u32) -> Outcome<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    write_with(path, (flags, mode), contents)
}

/// Writes over the start of a file that is there; what lies behind stays.
pub fn overwrite(path: &str, contents: &[u8]) -> Outcome<()> {
    write_with(path, (OFlags::WRONLY | OFlags::CLOEXEC, 0), contents)
}

fn write_with(path: &str, (flags, mode): (OFlags, u32), contents: &[u8]) -> Outcome<()> {
    let mode = Mode::from_raw_mode(mode);
    let open = |path| open(path, flags, mode);
    let file = ended(path.as_bytes()).and_then(open);
    let file = file.map_err(Fail::of("open", &path))?;
    let mut rest = contents;
    while !rest.is_empty() {
        match rustix::io::write(&file, rest) {
            Ok(done) => rest = rest.get(done..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("write", &path)(errno)),
        }
    }
    Ok(())
}

/// A symbolic link at `path`; whatever is there already stays.
pub fn link(target: &str, path: &str) -> Outcome<()> {
    let link = || {
        let target = ended(target.as_bytes())?;
        rustix::fs::symlink(target, ended(path.as_bytes())?)
    };
    match link() {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Fail::of("symlink", &path)(errno)),
    }
}

/// The text of a symbolic link.
pub fn link_text(dir: impl AsFd, path: &[u8]) -> Outcome<Vec<u8>> {
    ended(path)
        .and_then(|path| rustix::fs::readlinkat(dir, path, Vec::new()))
        .map(CString::into_bytes)
        .map_err(Fail::of("readlink", &Shown(path)))
}
