//! Starting an array of md: ioctls of `/dev/mdN`. include/uapi/linux/raid/md_u.h.
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};

/// `MD_MAJOR`.
const MAJOR: u8 = 9;

/// mdu_array_info_t: eighteen ints, of which starting reads the two versions.
#[repr(C)]
#[derive(Default)]
struct ArrayInfo {
    major_version: i32,
    minor_version: i32,
    rest: [i32; 16],
}

/// mdu_disk_info_t.
#[repr(C)]
#[derive(Default)]
struct DiskInfo {
    number: i32,
    major: i32,
    minor: i32,
    raid_disk: i32,
    state: i32,
}

/// mdu_param_t: not read.
#[repr(C)]
#[derive(Default)]
struct Parameters([i32; 3]);

const _: () = assert!(size_of::<ArrayInfo>() == 72);
const _: () = assert!(size_of::<DiskInfo>() == 20);
const _: () = assert!(size_of::<Parameters>() == 12);

const SET_ARRAY_INFO: u32 = rustix::ioctl::opcode::write::<ArrayInfo>(MAJOR, 0x23);
const ADD_NEW_DISK: u32 = rustix::ioctl::opcode::write::<DiskInfo>(MAJOR, 0x21);
const RUN_ARRAY: u32 = rustix::ioctl::opcode::write::<Parameters>(MAJOR, 0x30);
const STOP_ARRAY: u32 = rustix::ioctl::opcode::none(MAJOR, 0x32);

/// An array that is being put together.
pub struct Array {
    file: OwnedFd,
    path: String,
}

impl Array {
    pub fn open(path: &str) -> Outcome<Self> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = open(path, flags, Mode::empty()).map_err(Fail::of("open", &path))?;
        let path = path.into();
        Ok(Self { file, path })
    }

    /// Of which version the members' superblocks are.
    pub fn set_version(&self, major: u32, minor: u32) -> Outcome<()> {
        let info = ArrayInfo {
            major_version: major.cast_signed(),
            minor_version: minor.cast_signed(),
            ..ArrayInfo::default()
        };
        self.call(
            "ioctl(SET_ARRAY_INFO)",
            SET_ARRAY_INFO,
            (&raw const info).cast(),
        )
    }

    pub fn add(&self, major: u32, minor: u32) -> Outcome<()> {
        let info = DiskInfo {
            major: major.cast_signed(),
            minor: minor.cast_signed(),
            ..DiskInfo::default()
        };
        self.call(
            "ioctl(ADD_NEW_DISK)",
            ADD_NEW_DISK,
            (&raw const info).cast(),
        )
    }

    pub fn run(&self) -> Outcome<()> {
        let none = Parameters::default();
        self.call("ioctl(RUN_ARRAY)", RUN_ARRAY, (&raw const none).cast())
    }

    pub fn stop(&self) -> Outcome<()> {
        self.call("ioctl(STOP_ARRAY)", STOP_ARRAY, core::ptr::null())
    }

    fn call(&self, name: &'static str, code: u32, argument: *const libc::c_void) -> Outcome<()> {
        let fd = self.file.as_fd().as_raw_fd();
        // SAFETY: the kernel reads at most the struct that the code tells the size of.
        let done = unsafe { libc::ioctl(fd, code as _, argument) };
        match done {
            0 => Ok(()),
            _ => Err(Fail::last(name, &self.path)),
        }
    }
}
