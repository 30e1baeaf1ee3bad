//! Files as memory, for reading. mmap(2).
//!
//! A map is never undone: what is mapped here is looked at until the real init takes over, and
//! its pages are those of the initramfs itself, so it costs no memory.
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap};

/// Maps a whole regular file. `EFBIG` if it is longer than `limit` bytes.
pub fn read_only(path: &str, limit: u64) -> Outcome<&'static [u8]> {
    map(path, limit).map_err(Fail::of("mmap", &path))
}

fn map(path: &str, limit: u64) -> Result<&'static [u8], Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty())?;
    let about = fstat(&file)?;
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    let size = u64::try_from(about.st_size).unwrap_or(u64::MAX);
    if size > limit {
        return Err(Errno::FBIG);
    }
    let length = usize::try_from(size).map_err(|_| Errno::FBIG)?;
    if length == 0 {
        return Ok(&[]);
    }
    // SAFETY: the address is the kernel's choice (null), so no memory in use is replaced.
    let start = unsafe {
        mmap(
            std::ptr::null_mut(),
            length,
            ProtFlags::READ,
            MapFlags::PRIVATE,
            &file,
            0,
        )
    }?;
    // SAFETY: mmap succeeded, so `length` bytes at `start` are readable, initialised (they are the
    // file's), and aligned for u8; nobody unmaps them, so 'static holds. They must not change while
    // borrowed: the files mapped are module indexes, which depmod(8) replaces by rename(2) and
    // never writes in place, and in an initramfs no other program runs. Deleting or renaming the
    // file leaves the pages alone. Were it truncated nevertheless, reading on is SIGBUS: an end of
    // this process, not a wrong result.
    Ok(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_shows_what_the_file_holds() {
        let path = std::env::current_exe().unwrap();
        let expected = std::fs::read(&path).unwrap();
        assert!(read_only(path.to_str().unwrap(), u64::MAX).unwrap() == expected);
        let refused = |path: &str| read_only(path, 10).unwrap_err().errno;
        assert_eq!(refused(path.to_str().unwrap()), libc::EFBIG);
        assert_eq!(refused("/"), libc::EINVAL);
        assert_eq!(refused("/none"), libc::ENOENT);
    }
}
