//! Words of arrays: both directions, as in [`super::trace`] and
//! [`super::trace_read`].

use crate::base::words::Line;
use crate::format::md::{Id, Named, Version};
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
