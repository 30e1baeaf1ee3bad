//! Loop devices: a file that the kernel shows as a block device. include/uapi/linux/loop.h.
#![allow(unsafe_code)]

use super::dir::{self, Want};
use super::fail::{Fail, Outcome};
use rustix::fd::{AsRawFd, BorrowedFd};
use std::mem::{offset_of, size_of};

/// Made by the kernel when the driver `loop` is there.
pub const CONTROL: &str = "/dev/loop-control";

const LOOP_CLR_FD: u32 = 0x4c01;
const LOOP_CTL_GET_FREE: u32 = 0x4c82;
/// Linux 5.8.
const LOOP_CONFIGURE: u32 = 0x4c0a;

const LO_FLAGS_READ_ONLY: u32 = 1;
const LO_FLAGS_PARTSCAN: u32 = 8;

const SECTOR: u32 = 512;
const NAME: usize = 64;

/// `struct loop_info64`.
#[repr(C)]
struct Info {
    /// Device, inode, its own number, offset, size limit: told by the kernel, or 0.
    numbers: [u64; 5],
    /// Number, type of encryption, size of its key.
    more: [u32; 3],
    flags: u32,
    file_name: [u8; NAME],
    crypt_name: [u8; NAME],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

const _: () = assert!(size_of::<Info>() == 232 && offset_of!(Info, file_name) == 56);
const _: () = assert!(size_of::<Config>() == 304 && offset_of!(Config, info) == 8);

/// Makes the next free loop device of an open file, with the partitions in it; its kernel name.
/// `name` is what others are told of the file.
pub fn attach(file: BorrowedFd<'_>, name: &[u8], read_only: bool) -> Outcome<String> {
    let control = dir::open_path(CONTROL.as_bytes(), Want::Contents)?;
    // SAFETY: the call takes no argument; `control` lives across it.
    let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
    if number < 0 {
        return Err(Fail::last("ioctl(LOOP_CTL_GET_FREE)", &CONTROL));
    }
    let device = format!("loop{number}");
    let path = format!("/dev/{device}");
    let want = match read_only {
        true => Want::Contents,
        false => Want::Changes,
    };
    let opened = dir::open_path(path.as_bytes(), want)?;
    let mut file_name = [0; NAME];
    // The last byte stays NUL.
    let places = file_name.iter_mut().take(NAME - 1);
    places.zip(name).for_each(|(place, byte)| *place = *byte);
    let read_only = if read_only { LO_FLAGS_READ_ONLY } else { 0 };
    let config = Config {
        fd: file.as_raw_fd().cast_unsigned(),
        block_size: SECTOR,
        info: Info {
            numbers: [0; 5],
            more: [0; 3],
            flags: read_only | LO_FLAGS_PARTSCAN,
            file_name,
            crypt_name: [0; NAME],
            encrypt_key: [0; 32],
            init: [0; 2],
        },
        reserved: [0; 8],
    };
    // SAFETY: the kernel reads a `struct loop_config`, which has that layout and outlives the call.
    let done = unsafe { libc::ioctl(opened.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) };
    match done {
        0 => Ok(device),
        _ => Err(Fail::last("ioctl(LOOP_CONFIGURE)", &path)),
    }
}

/// Takes the file away from the device at `path`. The kernel also says yes where the device is in
/// use, and does it later.
pub fn detach(path: &str) -> Outcome<()> {
    let opened = dir::open_path(path.as_bytes(), Want::Contents)?;
    // SAFETY: the call takes no argument; `opened` lives across it.
    match unsafe { libc::ioctl(opened.as_raw_fd(), LOOP_CLR_FD as _) } {
        0 => Ok(()),
        _ => Err(Fail::last("ioctl(LOOP_CLR_FD)", &path)),
    }
}
