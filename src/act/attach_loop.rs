//! Makes a loop device of a file on a file system that is mounted.
//!
//! Links in its path stay inside of that file system. It is looked at before anything is written:
//! only where the file is there, and shall be written to, the file system becomes writable, too.
//! The kernel keeps the file open; nothing here does.

use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::{loop_device, mount};
use std::os::fd::{AsFd, OwnedFd};

/// Where the file system that holds the file is mounted in the initramfs.
pub const HOST: &str = "/run/landfall/host";

const SECTOR: u64 = 512;

/// The kernel's name of the device. `path` is absolute, within what is mounted at [`HOST`].
pub fn attach(path: &Text, writable: bool) -> Result<String, Fault> {
    let root = dir::open_path(HOST.as_bytes(), Want::DirectoryPlace)?;
    check(&root, path)?;
    let writable = writable && make_writable();
    let want = match writable {
        true => Want::Changes,
        false => Want::Contents,
    };
    let file = dir::open_in_root(&root, &path.0, want)?;
    let name = [HOST.as_bytes(), &path.0].concat();
    loop_device::attach(file.as_fd(), &name, !writable)
        .map_err(|fail| Fault::new(fail.errno, format!("{fail}{}", advice(&fail))))
}

/// Is it a file that a device can be made of? Each directory on the way is opened, so that the one
/// that is missing can be named.
fn check(root: &OwnedFd, path: &Text) -> Result<(), Fault> {
    let refuse = |errno: i32, what: &[u8], why: &str| {
        let text = format!("{} {why}", Text::from(what));
        Err(Fault::new(errno, text))
    };
    let path = path.as_bytes();
    for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        // Up to the first slash: the root itself.
        let part = path
            .get(..end)
            .filter(|part| !part.is_empty())
            .unwrap_or(b"/");
        if let Err(fail) = dir::open_in_root(root, part, Want::DirectoryPlace) {
            return refuse(fail.errno, part, why(fail.errno));
        }
    }
    let status = match dir::open_in_root(root, path, Want::Place) {
        Ok(place) => dir::status(place)?,
        Err(fail) => return refuse(fail.errno, path, why(fail.errno)),
    };
    match status.bytes {
        _ if !status.is_file() => return refuse(0, path, "is not a regular file"),
        0..SECTOR => return refuse(0, path, "is shorter than a sector"),
        bytes if bytes % SECTOR != 0 => {
            log::warn!("the file does not end at a whole sector: its end is cut off");
        }
        _ => {}
    }
    Ok(())
}

fn why(errno: i32) -> &'static str {
    match errno {
        libc::ENOENT => "is not there, or is a link that leads nowhere",
        libc::ENOTDIR => "is not a directory",
        _ => crate::sys::fail::sentence(errno),
    }
}

/// Where that is refused, the device is read-only, as one that is write-protected.
fn make_writable() -> bool {
    let made = mount::make_writable(HOST);
    if let Err(fail) = &made {
        log::warn!("what holds the file stays read-only, and so does root: {fail}");
    }
    made.is_ok()
}

fn advice(fail: &Fail) -> &'static str {
    match (fail.call, fail.errno) {
        ("open", libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            ": the kernel has no loop devices: their module, loop, is not in the image"
        }
        ("ioctl(LOOP_CONFIGURE)", libc::EINVAL | libc::ENOTTY) => {
            ": the kernel makes no device of it; Linux 5.8 or newer is needed"
        }
        _ => "",
    }
}
