//! The tag of a share, where the kernel tells.
//!
//! Sources: Documentation/ABI/testing/sysfs-fs-virtiofs (Linux 6.9 and later), and the `mount_tag`
//! that net/9p/trans_virtio.c gives its devices.

use crate::base::text::{Text, below_sys};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;
use std::os::fd::{AsFd, OwnedFd};

/// Longest tag that is read, in bytes. virtiofs has 36; 9p sets no limit.
const LONGEST: usize = 256;

/// `devpath`: below `/sys`, with the slash in front. `None`: this kernel does not tell.
pub fn read(devpath: &str, driver: &str) -> Option<Text> {
    match driver {
        "virtiofs" => of_virtiofs(devpath),
        _ => tag(&format!("/sys{devpath}/mount_tag")),
    }
}

/// `/sys/fs/virtiofs/N` has the device as a link.
fn of_virtiofs(devpath: &str) -> Option<Text> {
    let all = dir::open_path(b"/sys/fs/virtiofs", Want::Directory).ok()?;
    let mut found = None;
    dir::list(&all, &mut |name, _| {
        if is_of(&all, name.to_bytes(), devpath) {
            let name = String::from_utf8_lossy(name.to_bytes());
            found = tag(&format!("/sys/fs/virtiofs/{name}/tag"));
        }
    })
    .ok()?;
    found
}

fn is_of(all: &OwnedFd, name: &[u8], devpath: &str) -> bool {
    let link = dir::link_text(all.as_fd(), &[name, b"/device"].concat());
    let link = link.ok().and_then(|link| String::from_utf8(link).ok());
    let path = devpath.strip_prefix('/');
    link.is_some_and(|link| Some(below_sys(&link)) == path)
}

fn tag(path: &str) -> Option<Text> {
    let text = proc_sys::read(path, LONGEST).ok()?;
    let end = text.iter().position(|&b| b == b'\n' || b == 0);
    let tag = text.get(..end.unwrap_or(text.len()))?;
    (!tag.is_empty()).then(|| Text::from(tag))
}
