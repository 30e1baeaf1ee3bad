//! Makes a loop device of a file on a file system that is mounted.
//!
//! Links in its path stay inside of that file system. It is looked at before anything is written:
//! only where the file is there, and shall be written to, the file system becomes writable, too.
//! The kernel keeps the file open; nothing here does.

use super::free_memory;
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::{loop_device, mount};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// Where the file system that holds the file is mounted in the initramfs.
pub const HOST: &str = "/run/landfall/host";

/// Where a copy of it is, where it is copied to memory.
const RAM: &str = "/run/landfall/ram";
const RAM_FILE: &str = "/run/landfall/ram/image";

/// Memory that the system is left besides, in KiB.
const LEFT_KIB: u64 = 64 << 10;

const SECTOR: u64 = 512;

/// The kernel's name of the device. `path` is absolute, within what is mounted at [`HOST`]. `ram`:
/// of a copy of the file, which is made in memory; what holds the file is unmounted then.
pub fn attach(path: &Text, writable: bool, ram: bool) -> Result<String, Fault> {
    let root = dir::open_path(HOST.as_bytes(), Want::DirectoryPlace)?;
    let bytes = check(&root, path)?;
    if ram {
        let file = dir::open_in_root(&root, &path.0, Want::Contents)?;
        let copy = copy_to_ram(file, path, bytes)?;
        drop(root);
        match mount::remove(HOST) {
            Ok(()) => log::info!("the medium is not needed any more"),
            Err(fail) => log::warn!("the medium is still needed: {fail}"),
        }
        return made(&copy, RAM_FILE.as_bytes(), writable);
    }
    let writable = writable && make_writable();
    let want = match writable {
        true => Want::Changes,
        false => Want::Contents,
    };
    let file = dir::open_in_root(&root, &path.0, want)?;
    made(&file, &[HOST.as_bytes(), &path.0].concat(), writable)
}

fn made(file: &OwnedFd, name: &[u8], writable: bool) -> Result<String, Fault> {
    loop_device::attach(file.as_fd(), name, !writable)
        .map_err(|fail| Fault::new(fail.errno, format!("{fail}{}", advice(&fail))))
}

/// A copy in a file system of its own, so that nothing else shares its limit. Refused where there
/// is less memory: the kernel would end processes for it, and there is only this one.
fn copy_to_ram(file: OwnedFd, path: &Text, bytes: u64) -> Result<OwnedFd, Fault> {
    let kib = bytes.div_ceil(1024);
    let free = free_memory::free_kib().unwrap_or(u64::MAX);
    if free < kib.saturating_add(LEFT_KIB) {
        let text = format!(
            "{path} of {} MiB is to be copied to memory, of which {} MiB are free: boot without \
             rd.live.ram or toram",
            kib / 1024,
            free / 1024
        );
        return Err(Fault::new(libc::ENOMEM, text));
    }
    dir::make(RAM)?;
    let size = CString::new(format!("mode=0700,size={}k", kib.saturating_add(1024)));
    let size = size.unwrap_or_default();
    mount::virtual_fs("tmpfs", RAM, mount::NOSUID | mount::NODEV, &size)?;
    dir::write_file(RAM_FILE, b"")?;
    let copy = dir::open_path(RAM_FILE.as_bytes(), Want::Changes)?;
    let mut told = 0;
    dir::copy(file, &copy, &mut |done| {
        let tenth = done.saturating_mul(10) / bytes.max(1);
        if tenth > told {
            told = tenth;
            log::info!("copying {path} to memory: {tenth}0 %");
        }
    })?;
    Ok(copy)
}

/// Is it a file that a device can be made of? Each directory on the way is opened, so that the one
/// that is missing can be named.
/// Its length in bytes.
fn check(root: &OwnedFd, path: &Text) -> Result<u64, Fault> {
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
    Ok(status.bytes)
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
