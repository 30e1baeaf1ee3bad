//! Paths as the kernel takes them, and as people read them.

use crate::base::text::escape_into;
use rustix::io::Errno;
use std::ffi::CString;
use std::fmt;

/// Ended by a zero byte. `EINVAL`: there is one in it. (rustix would do so by itself, in each call
/// anew: 150 bytes of `init` each.)
#[inline(never)]
pub(super) fn ended(path: &[u8]) -> Result<CString, Errno> {
    CString::new(path).map_err(|_| Errno::INVAL)
}

/// A path in a message: what is not plain text is escaped.
pub(super) struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape_into(self.0, b"\\", f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_ended_once() {
        assert_eq!(ended(b"/a").unwrap().as_bytes_with_nul(), b"/a\0");
        assert_eq!(ended(b"/a\0b"), Err(Errno::INVAL));
        assert_eq!(Shown(b"/a\n").to_string(), "/a\\x0a");
    }
}
