//! Block devices: how large they are. Header: linux/fs.h (BLKSSZGET), lseek(2).

use super::fail::{Fail, Outcome};
use rustix::fs::{SeekFrom, ioctl_blksszget, seek};
use std::os::fd::BorrowedFd;

/// Bytes on a block device, or in a file. On a block device, seeking to the end answers what
/// BLKGETSIZE64 does (`blkdev_llseek` in block/fops.c).
pub fn size_bytes(fd: BorrowedFd<'_>, name: &str) -> Outcome<u64> {
    seek(fd, SeekFrom::End(0)).map_err(Fail::of("lseek", name))
}

/// Bytes in a logical sector, the unit of partition tables.
pub fn sector_bytes(fd: BorrowedFd<'_>, name: &str) -> Outcome<u32> {
    ioctl_blksszget(fd).map_err(Fail::of("ioctl(BLKSSZGET)", name))
}
