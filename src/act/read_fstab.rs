//! What the fstab(5) of a root that was just mounted says of mounts before its init runs.

use crate::base::text::Text;
use crate::format::fstab;
use crate::sys::dir::{self, Want};

/// Bytes of the file that are read.
const MAX_FILE: usize = 64 << 10;

/// `None`: nothing, or there is none.
pub fn early(root: &str) -> Option<Text> {
    let root = dir::open_path(root.as_bytes(), Want::DirectoryPlace).ok()?;
    let file = dir::open_in_root(&root, b"/etc/fstab", Want::Contents).ok()?;
    if !dir::status(&file).is_ok_and(|status| status.is_file()) {
        return None;
    }
    match dir::read_all(&file, MAX_FILE) {
        Ok(bytes) => Some(Text(fstab::early(&bytes))).filter(|text| !text.0.is_empty()),
        Err(fail) => {
            log::warn!("root's /etc/fstab is not read: {fail}");
            None
        }
    }
}
