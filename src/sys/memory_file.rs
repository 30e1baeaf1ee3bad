//! Files in memory that nothing names. memfd_create(2).

use super::fail::{Fail, Outcome};
use super::path::Shown;
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};
use rustix::io::write;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

/// A file with these contents, read from its beginning by the program that this process becomes.
/// `name` shows in /proc only.
pub fn inherited(name: &CStr, contents: &[u8]) -> Outcome<OwnedFd> {
    let make = || {
        let file = memfd_create(name, MemfdFlags::empty())?;
        write(&file, contents)?;
        seek(&file, SeekFrom::Start(0)).map(|_| file)
    };
    make().map_err(Fail::of("memfd_create", &Shown(name.to_bytes())))
}
