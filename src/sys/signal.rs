//! Signals as something to read. signalfd(2), sigprocmask(2), sigaction(2).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fd::{AsFd, BorrowedFd};

pub use libc::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGPWR, SIGTERM, SIGUSR1, SIGUSR2};

/// The signals that are read here and interrupt nothing any more.
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks `wanted` and opens a non-blocking descriptor for them.
    pub fn take(wanted: &[i32]) -> Outcome<Self> {
        let mut set = SigSet::empty();
        for &number in wanted {
            let signal = Signal::try_from(number).map_err(fail("signal", number))?;
            set.add(signal);
        }
        set.thread_block().map_err(fail("sigprocmask", 0))?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let fd = SignalFd::with_flags(&set, flags).map_err(fail("signalfd", 0))?;
        Ok(Self(fd))
    }

    /// The number of the next signal that came, if any. Equal ones may have been merged.
    pub fn next_signal(&self) -> Outcome<Option<i32>> {
        let info = self.0.read_signal().map_err(fail("read signalfd", 0))?;
        Ok(info.and_then(|info| i32::try_from(info.ssi_signo).ok()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `struct sigaction` of the kernel, asm/signal.h, not the C library's. Only riscv64, of ours,
/// follows asm-generic/signal.h, which has no restorer.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: usize,
    #[cfg(not(target_arch = "riscv64"))]
    restorer: usize,
    mask: [u32; 2],
}
const WORDS: usize = if cfg!(target_arch = "riscv64") { 2 } else { 3 };
const _: () = assert!(size_of::<KernelAction>() == WORDS * size_of::<usize>() + 8);

/// Every disposition back to default, nothing blocked: what a program expects after execve(2),
/// which resets handlers but keeps ignored (Rust's SIGPIPE) and blocked ones.
pub fn restore_all() {
    let default = KernelAction {
        handler: libc::SIG_DFL,
        flags: 0,
        #[cfg(not(target_arch = "riscv64"))]
        restorer: 0,
        mask: [0; 2],
    };
    let old: *mut KernelAction = std::ptr::null_mut();
    for number in 1..=64 {
        // By system call: the C library keeps a few numbers for itself.
        // SAFETY: `default` has the kernel's layout and outlives the call, no old action is
        // wanted, 8 is the size of the mask. SIGKILL and SIGSTOP are refused, which is right.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, &default, old, 8_usize) };
    }
    // Cannot fail: the argument is valid.
    let _ = SigSet::empty().thread_set_mask();
}

/// nix's error is turned into its number at once: its own texts would cost 30 KB.
fn fail(call: &'static str, number: i32) -> impl FnOnce(nix::errno::Errno) -> Fail {
    move |errno| Fail::new(call, number.to_string(), errno as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_is_read_instead_of_delivered() {
        let signals = Signals::take(&[SIGUSR1]).unwrap();
        assert_eq!(signals.next_signal().unwrap(), None);
        // SAFETY: signals this thread only, where SIGUSR1 is blocked.
        unsafe { libc::pthread_kill(libc::pthread_self(), SIGUSR1) };
        assert_eq!(signals.next_signal().unwrap(), Some(SIGUSR1));
        assert_eq!(signals.next_signal().unwrap(), None);
    }

    #[test]
    fn a_number_that_is_no_signal_is_refused() {
        assert_eq!(Signals::take(&[0]).err().unwrap().errno, libc::EINVAL);
    }
}
