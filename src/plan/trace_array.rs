//! Words of arrays: both directions, as in [`super::trace`] and
//! [`super::trace_read`].

use crate::base::words::{Line, Word};
use crate::format::md::{Id, Named, Step, Version};
use alloc::format;
use alloc::string::ToString;

/// `array=md127/1.2/UUID/NAME`.
pub(super) fn with_array(line: Line, known: &Named) -> Line {
    let mut word = format!("{}/{}/{}/", known.device, known.version, known.array).into_bytes();
    word.extend(known.name.as_bytes());
    line.key("array", word)
}

pub(super) fn array(word: &[u8]) -> Option<Named> {
    let mut parts = word.splitn(4, |&b| b == b'/');
    let mut text = || core::str::from_utf8(parts.next()?).ok();
    let (device, version, array) = (text()?, text()?, text()?);
    let is = |known: &Version| known.to_string() == version;
    Some(Named {
        device: device.into(),
        version: Version::ALL.into_iter().find(is)?,
        array: Id::read(array.as_bytes())?,
        name: parts.next()?.into(),
    })
}

/// One step of starting an array. Modules are never a worker's to load.
pub(super) fn step(word: &Word) -> Option<Step> {
    let value = core::str::from_utf8(&word.value).ok()?;
    let pair = |mark| {
        let (a, b) = value.split_once(mark)?;
        Some((a.parse().ok()?, b.parse().ok()?))
    };
    Some(match word.key.as_deref()? {
        "write" => {
            let (file, text) = value.split_once(':')?;
            Step::Write {
                file: file.into(),
                text: text.into(),
            }
        }
        "set" => {
            let (major, minor) = pair('.')?;
            Step::SetArrayInfo { major, minor }
        }
        "add" => {
            let (major, minor) = pair(':')?;
            Step::AddNewDisk { major, minor }
        }
        "run" => Step::RunArray,
        _ => return None,
    })
}
