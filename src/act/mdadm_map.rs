//! Tells the real system's mdadm what the arrays that run are called.
//!
//! Where nobody left a note, the first mdadm that udev starts guesses the names. Several of them
//! guess at the same time, see each other's links, and one calls `/dev/md/root` `/dev/md/root_0`.
//! The names are those that the real system would guess: by its own mdadm.conf and hostname.

use crate::base::text::Text;
use crate::format::image_files::ImageFile;
use crate::format::md::{self, Named, Naming};
use crate::sys::dir::{self, Want};

/// Bytes; a longer file is no configuration.
const MOST: usize = 1 << 20;
const FOLDER: &str = "/run/mdadm";
const MAP: &str = "/run/mdadm/map";
/// As mdadm makes it.
const MODE: u32 = 0o600;

/// `root`: where the real system is mounted. That it cannot be written is nothing to stop for.
pub fn leave(root: &str, arrays: &[Named]) {
    if arrays.is_empty() {
        return;
    }
    let read = |file: ImageFile| file.read(&mut |path| read(root, path).unwrap_or_default());
    let (conf, hostname) = (read(ImageFile::MdadmConf), read(ImageFile::Hostname));
    let naming = Naming::read(conf.as_bytes(), hostname.as_bytes());
    let map = md::map(arrays, &naming);
    let _ = dir::make(FOLDER);
    if let Err(fail) = dir::write_file_with_mode(MAP, &map, MODE) {
        log::debug!("{fail}");
    }
}

/// Links end inside the root.
fn read(root: &str, file: &str) -> Option<Text> {
    let root = dir::open_path(root.as_bytes(), Want::DirectoryPlace).ok()?;
    let file = dir::open_in_root(root, file.as_bytes(), Want::Contents).ok()?;
    dir::read_all(file, MOST).ok().map(Text)
}
