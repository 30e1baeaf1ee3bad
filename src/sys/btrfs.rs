//! btrfs over several devices. linux/btrfs.h; `btrfs_control_ioctl` in fs/btrfs/super.c (6.12).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fs::{Mode, OFlags, open};
use std::mem::{offset_of, size_of};
use std::os::fd::AsRawFd;

/// Made by the kernel when the driver `btrfs` is there.
const CONTROL: &str = "/dev/btrfs-control";

/// `struct btrfs_ioctl_vol_args`.
#[repr(C)]
struct Volume {
    fd: i64,
    name: [u8; 4088],
}

const _: () = assert!(size_of::<Volume>() == 4096 && offset_of!(Volume, name) == 8);

/// Tells the kernel of one device of a file system (`BTRFS_IOC_DEVICES_READY`, which includes
/// `BTRFS_IOC_SCAN_DEV`). Does it know all of them now? Reads only.
pub fn announce(path: &str) -> Outcome<bool> {
    let control = open(CONTROL, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let control = control.map_err(Fail::of("open", &CONTROL))?;
    let mut volume = Volume {
        fd: 0,
        name: [0; 4088],
    };
    let name = volume.name.get_mut(..path.len());
    // The last byte stays NUL.
    match name.filter(|name| name.len() < 4088) {
        Some(name) => name.copy_from_slice(path.as_bytes()),
        None => return Err(Fail::new("announce", path, libc::ENAMETOOLONG)),
    }
    let number = rustix::ioctl::opcode::read::<Volume>(0x94, 39);
    // SAFETY: the structure has the size that the number says, and lives across the call.
    let answer = unsafe { libc::ioctl(control.as_raw_fd(), number as _, &raw mut volume) };
    match answer {
        0 => Ok(true),
        1.. => Ok(false),
        _ => Err(Fail::last("announce to btrfs", &path)),
    }
}
