//! Unpacks an archive of a root file system: cpio newc or tar, as it is or compressed.
//!
//! A name in it means what it would mean if the target were `/` already: `..` and links lead
//! nowhere else, the kernel sees to that (openat2, `RESOLVE_IN_ROOT`). What came earlier is
//! replaced, a directory excepted.

use super::decompress;
use super::free_memory::free_kib;
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::archive::{Entry, Kind, Reader};
use crate::sys::dir::{self, Want};
use crate::sys::fail::Outcome;
use crate::sys::make::{self, Attributes, Special};
use crate::sys::map;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Unpacks the file `archive` into the directory `target`.
pub fn unpack(archive: &str, target: &str) -> Result<(), Fault> {
    let bytes = map::read_only(archive, u64::MAX)?;
    let wrong = |why: &str| Fault::new(libc::EINVAL, format!("{archive} {why}"));
    let unpacked;
    let bytes = match decompress::packing(bytes) {
        None => bytes,
        Some(packing) => {
            unpacked = decompress::unpack(packing, bytes, room())
                .map_err(|why| wrong(&format!("was not decompressed: {why}")))?;
            &unpacked
        }
    };
    let unknown = "is no archive that is known here (cpio newc, tar; plain, gzip, xz, zstd)";
    let mut reader = Reader::new(bytes).ok_or_else(|| wrong(unknown))?;
    let root = dir::open_path(target.as_bytes(), Want::Directory)?;
    while let Some(entry) = reader.entry().map_err(wrong)? {
        make_entry(&root, &entry).map_err(|fail| {
            let path = Text(entry.path.clone());
            Fault::new(fail.errno, format!("{archive}: {path}: {fail}"))
        })?;
    }
    Ok(())
}

/// What is decompressed lies in memory twice for a while: here, and as files.
fn room() -> usize {
    let bytes = free_kib().map(|kib| usize::try_from(kib.saturating_mul(512)));
    bytes.unwrap_or(Ok(usize::MAX)).unwrap_or(usize::MAX)
}

fn make_entry(root: &OwnedFd, entry: &Entry<'_>) -> Outcome<()> {
    let (above, name) = split(&entry.path);
    if name.is_empty() {
        // The root directory itself.
        return make::attributes(root.as_fd(), b".", attributes(entry));
    }
    let dir = directory(root, above)?;
    let at = dir.as_fd();
    if entry.kind == Kind::Directory {
        return match dir::make_new(at, name) {
            // A link to a directory may stand for one, and stays.
            Err(fail) if fail.errno == libc::EEXIST && !is_plain(at, name) => {
                dir::open_in_root(root, &entry.path, Want::DirectoryPlace).map(drop)
            }
            Err(fail) if fail.errno != libc::EEXIST => Err(fail),
            _ => make::attributes(at, name, attributes(entry)),
        };
    }
    if let Ok(name) = CString::new(name) {
        let _ = dir::remove(at, &name);
    }
    match &entry.kind {
        Kind::Directory => {}
        Kind::File(contents) => make::file(at, name, contents)?,
        Kind::Link(text) => make::link(at, name, text)?,
        Kind::Same(old, contents) => {
            let (above, old) = split(old);
            make::same(at, name, (directory(root, above)?.as_fd(), old))?;
            if contents.is_empty() {
                return Ok(());
            }
            make::refill(at, name, contents)?;
        }
        Kind::Character(major, minor) => {
            make::special(at, name, Special::Character(*major, *minor))?;
        }
        Kind::Block(major, minor) => make::special(at, name, Special::Block(*major, *minor))?,
        Kind::Fifo => make::special(at, name, Special::Fifo)?,
    }
    make::attributes(at, name, attributes(entry))
}

fn is_plain(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    CString::new(name).is_ok_and(|name| dir::open_below(dir, &name).is_ok())
}

fn attributes(entry: &Entry<'_>) -> Attributes {
    let is_link = matches!(entry.kind, Kind::Link(_));
    let is_directory = entry.kind == Kind::Directory;
    Attributes {
        user: entry.user,
        group: entry.group,
        mode: (!is_link).then_some(entry.mode),
        // What comes into a directory changes it again.
        modified: (!is_directory).then_some(entry.modified),
    }
}

/// The directories above, and the last name; empty where that is the root itself.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let mut path = path;
    while let Some(shorter) = path.strip_suffix(b"/").or_else(|| path.strip_suffix(b"/.")) {
        path = shorter;
    }
    let (above, name) = match path.iter().rposition(|&b| b == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..)),
        None => (&b""[..], Some(path)),
    };
    match name.unwrap_or_default() {
        b"." | b".." => (above, b""),
        name => (above, name),
    }
}

/// The directory at `path` below the root, made with those above it where they are missing.
fn directory(root: &OwnedFd, path: &[u8]) -> Outcome<OwnedFd> {
    let path = [b"./", path].concat();
    let open = |path: &[u8]| dir::open_in_root(root, path, Want::DirectoryPlace);
    match open(&path) {
        Err(fail) if fail.errno == libc::ENOENT => {}
        other => return other,
    }
    let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/');
    let ends = ends.map(|(at, _)| at).chain([path.len()]);
    let mut here = open(b".")?;
    for end in ends {
        let upto = path.get(..end).unwrap_or_default();
        here = match open(upto) {
            Err(fail) if fail.errno == libc::ENOENT => {
                let (_, name) = split(upto);
                dir::make_at(&here, name)?;
                open(upto)?
            }
            other => other?,
        };
    }
    Ok(here)
}
