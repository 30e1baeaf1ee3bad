//! Reads bytes of a block device, or of one that does not run yet, through what lies below it.

use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::identity::Range;
use crate::format::lens::Lens;
use crate::sys::dir::{self, Want};
use crate::sys::fail::{Fail, sentence};
use std::os::fd::OwnedFd;

/// An errno, or [`SHORT`].
pub type Errno = i32;

/// The device ends before the bytes that were asked for.
pub const SHORT: Errno = 0;

/// The bytes of each range, without the zeros at its end; `None` where they cannot be read.
///
/// # Errors
/// The device cannot be opened.
pub fn read_all(
    device: &str,
    lens: Option<&Lens>,
    ranges: &[Range],
) -> Result<Vec<Option<Text>>, Fault> {
    let Some(lens) = lens else {
        let name = format!("/dev/{device}");
        let file = open(&name)?;
        let piece = |r: &Range| read(&file, *r).ok().map(trimmed);
        return Ok(ranges.iter().map(piece).listed());
    };
    let mut below = Below::new(lens);
    let pieces = ranges.iter().map(|r| below.read(*r).ok().map(trimmed));
    Ok(pieces.listed())
}

fn trimmed(mut bytes: Vec<u8>) -> Text {
    let end = bytes.iter().rposition(|&b| b != 0);
    bytes.truncate(end.map_or(0, |last| last.saturating_add(1)));
    Text(bytes)
}

/// The devices below one that does not run yet; each is opened when its first byte is wanted.
pub struct Below<'a> {
    lens: &'a Lens,
    files: Vec<(String, OwnedFd)>,
}

impl<'a> Below<'a> {
    pub fn new(lens: &'a Lens) -> Self {
        let files = Vec::new();
        Self { lens, files }
    }

    pub fn read(&mut self, range: Range) -> Result<Vec<u8>, Errno> {
        let lens = self.lens;
        let found = lens.read(range, &mut |device, range| read(self.file(device)?, range));
        found.unwrap_or(Err(libc::EIO))
    }

    fn file(&mut self, device: &str) -> Result<&OwnedFd, Errno> {
        let known = self.files.iter().position(|(name, _)| name == device);
        let at = match known {
            Some(at) => at,
            None => {
                let file = open(&format!("/dev/{device}")).map_err(|fail| fail.errno)?;
                self.files.push((device.into(), file));
                self.files.len().saturating_sub(1)
            }
        };
        let found = self.files.get(at).map(|(_, file)| file);
        found.ok_or(libc::ENOENT)
    }
}

pub fn open(path: &str) -> Result<OwnedFd, Fail> {
    dir::open_path(path.as_bytes(), Want::Contents)
}

pub fn read(file: &OwnedFd, range: Range) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; range.len];
    match dir::read_at(file, &mut bytes, range.at) {
        Ok(length) if length == bytes.len() => Ok(bytes),
        Ok(_) => Err(SHORT),
        Err(fail) => Err(fail.errno),
    }
}

pub fn fault(object: &str, errno: Errno) -> Fault {
    match errno {
        SHORT => Fault::new(
            libc::EIO,
            format!(
                "read {object}: shorter than it says: {}",
                sentence(libc::EIO)
            ),
        ),
        _ => Fail::new("read", object, errno).into(),
    }
}
