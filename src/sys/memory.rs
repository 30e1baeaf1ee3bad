//! Memory that holds secrets. mmap(2), mlock(2), mlockall(2), madvise(2), prctl(2).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use std::ptr::{self, NonNull};

/// Keeps all of this process's memory, what it will have included, from being swapped out, and out
/// of core dumps. Pages count when they are touched, not before. For worker processes.
pub fn lock_all() -> Outcome<()> {
    // SAFETY: numbers by value; nothing is written.
    let dumps = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    /// asm-generic/mman.h; Linux 4.4.
    const MCL_ONFAULT: libc::c_int = 4;
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | MCL_ONFAULT;
    // SAFETY: a number by value.
    if dumps == 0 && unsafe { libc::mlockall(flags) } == 0 {
        return Ok(());
    }
    Err(Fail::last("mlockall", &"-"))
}

/// Memory for this process is got without writing to any file system or disk: it may be what they
/// wait for. Linux 5.6.
pub fn get_without_writing() -> Outcome<()> {
    /// linux/prctl.h.
    const PR_SET_IO_FLUSHER: libc::c_int = 57;
    // SAFETY: numbers by value.
    if unsafe { libc::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) } == 0 {
        return Ok(());
    }
    Err(Fail::last("prctl", &"PR_SET_IO_FLUSHER"))
}

/// Tells the kernel that large pages are welcome there. A hint: nothing fails.
pub fn want_large_pages(address: usize, len: usize) {
    const LARGE: usize = 2 << 20;
    let start = address.next_multiple_of(LARGE);
    let Some(len) = address
        .checked_add(len)
        .and_then(|end| end.checked_sub(start))
    else {
        return;
    };
    let at = ptr::without_provenance_mut(start);
    // SAFETY: MADV_HUGEPAGE changes how pages are backed, never what they hold; a range that is
    // not mapped is refused.
    unsafe { libc::madvise(at, len, libc::MADV_HUGEPAGE) };
}

/// Bytes on pages of their own: never swapped out, not dumped, blank in every child process, and
/// wiped when they go out of use.
pub struct Locked {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it is the only owner of its pages.
unsafe impl Send for Locked {}

impl Locked {
    /// So many zero bytes.
    pub fn zeros(len: usize) -> Outcome<Self> {
        let (rights, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
        );
        // SAFETY: a new mapping at a place of the kernel's choice.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, rights, flags, -1, 0) };
        let start = match NonNull::new(at.cast::<u8>()) {
            Some(start) if at != libc::MAP_FAILED => start,
            _ => return Err(Fail::last("mmap", &len)),
        };
        let locked = Self { start, len };
        // SAFETY: the mapping is this long, and ours.
        let failed = unsafe { libc::mlock(at, len) } != 0;
        if failed {
            return Err(Fail::last("mlock", &len));
        }
        for advice in [libc::MADV_DONTDUMP, libc::MADV_WIPEONFORK] {
            // SAFETY: as above. Neither advice changes what this process sees.
            unsafe { libc::madvise(at, len, advice) };
        }
        Ok(locked)
    }

    /// No bytes at all.
    pub fn empty() -> Self {
        Self {
            start: NonNull::dangling(),
            len: 0,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is this long, readable, initialised with zeros (or empty), and lives
        // as long as `self`; it changes only through `&mut self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` is the only way to it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if self.len == 0 {
            return;
        }
        zeroize::Zeroize::zeroize(self.bytes_mut());
        // SAFETY: `zeros` mapped it, this long; nobody holds a reference any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::{self, Exit, Fork};

    #[test]
    fn locked_bytes_stay_here_and_are_blank_in_a_child() {
        let mut locked = Locked::zeros(4096).unwrap();
        locked.bytes_mut()[..3].copy_from_slice(b"abc");
        match process::fork().unwrap() {
            Fork::Child => {
                let blank = locked.bytes().iter().all(|b| *b == 0);
                process::exit_now(if blank { 7 } else { 1 })
            }
            Fork::Parent { pid } => assert_eq!(process::wait_for(pid).unwrap(), Exit::Code(7)),
        }
        assert_eq!(&locked.bytes()[..4], b"abc\0");
        want_large_pages(locked.bytes().as_ptr().addr(), 4096);
        assert_eq!(&locked.bytes()[..4], b"abc\0");
    }

    #[test]
    fn a_process_can_lock_all_it_has() {
        match process::fork().unwrap() {
            Fork::Child => process::exit_now(match lock_all() {
                Ok(()) => 7,
                // A limit of this machine (RLIMIT_MEMLOCK), not of ours.
                Err(fail) if matches!(fail.errno, libc::ENOMEM | libc::EPERM) => 7,
                Err(_) => 1,
            }),
            Fork::Parent { pid } => assert_eq!(process::wait_for(pid).unwrap(), Exit::Code(7)),
        }
    }
}
