//! Block devices: how large they are, and whether a CD drive is empty. Headers: linux/fs.h
//! (BLKSSZGET), linux/cdrom.h (CDROM_DRIVE_STATUS), lseek(2).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fs::{SeekFrom, ioctl_blksszget, seek};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes on a block device, or in a file. On a block device, seeking to the end answers what
/// BLKGETSIZE64 does (`blkdev_llseek` in block/fops.c).
pub fn size_bytes(fd: BorrowedFd<'_>, name: &str) -> Outcome<u64> {
    seek(fd, SeekFrom::End(0)).map_err(Fail::of("lseek", &name))
}

/// Bytes in a logical sector, the unit of partition tables.
pub fn sector_bytes(fd: BorrowedFd<'_>, name: &str) -> Outcome<u32> {
    ioctl_blksszget(fd).map_err(Fail::of("ioctl(BLKSSZGET)", &name))
}

/// Is there no disc in this CD drive? Needs a descriptor that was opened without waiting for one.
/// False where the drive cannot tell (or is none).
pub fn has_no_disc(fd: BorrowedFd<'_>) -> bool {
    const CDROM_DRIVE_STATUS: u32 = 0x5326;
    const CDSL_CURRENT: libc::c_int = libc::c_int::MAX;
    const CDS_NO_DISC: libc::c_int = 1;
    const CDS_TRAY_OPEN: libc::c_int = 2;
    // SAFETY: CDROM_DRIVE_STATUS takes an int by value; `fd` is borrowed for the call.
    let status = unsafe { libc::ioctl(fd.as_raw_fd(), CDROM_DRIVE_STATUS as _, CDSL_CURRENT) };
    matches!(status, CDS_NO_DISC | CDS_TRAY_OPEN)
}
