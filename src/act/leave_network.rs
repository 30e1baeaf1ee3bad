//! Leaves the network as the real system is to find it: files in /run, and links that go down.

use super::addresses;
use crate::format::net::handed::File;
use crate::format::net::order::Left;
use crate::sys::dir;
use crate::sys::fail::Outcome;
use rustix::fs::{Mode, OFlags, open};

/// Nothing of it is worth a boot: what fails is said.
pub fn leave(left: &Left) {
    for file in &left.files {
        if let Err(fail) = write(file) {
            log::warn!("the real system is not told of the network: {fail}");
        }
    }
    for link in &left.lowered {
        if let Err(fault) = addresses::flush(link) {
            log::warn!("{fault}");
        }
    }
}

fn write(file: &File) -> Outcome<()> {
    let folders = file
        .path
        .match_indices('/')
        .map(|(at, _)| at)
        .filter(|at| *at > 0);
    for end in folders {
        dir::make(file.path.get(..end).unwrap_or_default())?;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let made = open(file.path.as_str(), flags, Mode::from_raw_mode(file.mode));
    let made = made.map_err(crate::sys::fail::Fail::of("open", &file.path))?;
    let mut rest = file.bytes.as_slice();
    while !rest.is_empty() {
        let wrote = rustix::io::write(&made, rest);
        let wrote = wrote.map_err(crate::sys::fail::Fail::of("write", &file.path))?;
        rest = rest.get(wrote..).unwrap_or_default();
    }
    Ok(())
}
