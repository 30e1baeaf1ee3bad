//! Reads bytes of a block device, or of one that does not run yet, through what lies below it.

use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::identity::Range;
use crate::format::lens::Lens;
use crate::sys::fail::{Fail, sentence};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

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
        let file = open(Path::new(&name), &name)?;
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
    files: Vec<(String, File)>,
}

impl<'a> Below<'a> {
    pub fn new(lens: &'a Lens) -> Self {
        let files = Vec::new();
        Self { lens, files }
    }

    pub fn read(&mut self, range: Range) -> Result<Vec<u8>, Error> {
        let lens = self.lens;
        let found = lens.read(range, &mut |device, range| read(self.file(device)?, range));
        found.unwrap_or_else(|| Err(Error::from_raw_os_error(libc::EIO)))
    }

    fn file(&mut self, device: &str) -> Result<&File, Error> {
        let known = self.files.iter().position(|(name, _)| name == device);
        let at = match known {
            Some(at) => at,
            None => {
                let file = how().open(format!("/dev/{device}"))?;
                self.files.push((device.into(), file));
                self.files.len().saturating_sub(1)
            }
        };
        let found = self.files.get(at).map(|(_, file)| file);
        found.ok_or_else(|| Error::from_raw_os_error(libc::ENOENT))
    }
}

fn how() -> OpenOptions {
    let mut how = OpenOptions::new();
    // Neither waits for a medium nor makes a terminal the controlling one; std adds O_CLOEXEC.
    how.read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    how
}

pub fn open(path: &Path, name: &str) -> Result<File, Fault> {
    how().open(path).map_err(|e| fault("open", name, &e))
}

pub fn read(file: &File, range: Range) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; range.len];
    file.read_exact_at(&mut bytes, range.at)?;
    Ok(bytes)
}

pub fn fault(call: &'static str, object: &str, error: &Error) -> Fault {
    match error.kind() {
        ErrorKind::UnexpectedEof => Fault::new(
            libc::EIO,
            format!(
                "{call} {object}: shorter than it says: {}",
                sentence(libc::EIO)
            ),
        ),
        _ => Fail::new(call, object, error.raw_os_error().unwrap_or(0)).into(),
    }
}
