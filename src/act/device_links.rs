//! The names that udev would give to a disk: reads for `format::links`, below /sys. Reads only.
//!
//! No command is sent to the disk: what the kernel has asked it already lies in sysfs.

use crate::act::flash;
use crate::base::text::below_sys;
use crate::format::links::{self, Sysfs};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;

/// The machine's own.
struct Running;

/// Names below `/dev/disk/` of the whole disk `/dev/DEVICE`, as `by-id/…` and `by-path/…`.
/// Empty: it has none, or is gone. Of a device in flash memory, what `root=` calls it.
pub fn names(device: &str) -> Vec<String> {
    if flash::class_of(device).is_some() {
        return flash::names(device);
    }
    let class = format!("/class/block/{}", device.replace('/', "!"));
    let Some(link) = Running.link(&class) else {
        return Vec::new();
    };
    let devpath = format!("/{}", below_sys(&link));
    links::of_disk(&Running, &devpath)
}

impl Sysfs for Running {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        proc_sys::read(&format!("/sys{path}"), links::LONGEST).ok()
    }

    fn link(&self, path: &str) -> Option<String> {
        let (directory, name) = path.rsplit_once('/')?;
        let directory = format!("/sys{directory}");
        let directory = dir::open_path(directory.as_bytes(), Want::Place).ok()?;
        String::from_utf8(dir::link_text(&directory, name.as_bytes()).ok()?).ok()
    }

    fn list(&self, path: &str) -> Vec<String> {
        let mut names = Vec::new();
        let path = format!("/sys{path}");
        if let Ok(directory) = dir::open_path(path.as_bytes(), Want::Directory) {
            // A list that breaks off is like devices that vanish.
            let _ = dir::list(&directory, &mut |name, _| {
                names.push(String::from_utf8_lossy(name.to_bytes()).into_owned());
            });
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_gone_or_nowhere_has_no_names() {
        assert!(names("no/such").is_empty());
        assert!(names("loop0").is_empty());
        assert!(Running.link("/class/block/no-such").is_none());
        assert!(Running.read("/class/no-such").is_none());
        assert!(Running.list("/class/block/no-such").is_empty());
        assert!(!Running.list("/class").is_empty());
    }
}
