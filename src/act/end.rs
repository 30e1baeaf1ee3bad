//! The last words of a boot that does not end in the real init.
//!
//! Nothing here returns: PID 1 must not, and after these words there is nothing left to do.

use crate::base::fault::Fault;
use crate::sys::poll::Poll;
use crate::sys::signal::{self, Signals};
use crate::sys::{clock, process, reboot};

/// Restarts the machine. Where the kernel refuses, see [`stay`].
pub fn reboot() -> ! {
    reboot::sync();
    refused("restart", reboot::restart().into())
}

/// Turns the machine off. Where the kernel refuses, see [`stay`].
pub fn power_off() -> ! {
    reboot::sync();
    refused("turn off", reboot::power_off().into())
}

/// Keeps the screen as it is. Children are still reaped, and ctrl-alt-del is the kernel's: it
/// restarts the machine. For when there is no loop that could do this any more.
pub fn stay() -> ! {
    let _ = reboot::ctrl_alt_del_restarts(true);
    let children = Signals::take(&[signal::SIGCHLD]);
    let poll = Poll::new();
    if let (Ok(poll), Ok(children)) = (&poll, &children) {
        let _ = poll.add(children, 0);
    }
    loop {
        while let Ok(Some(_)) = children.as_ref().map_or(Ok(None), Signals::next_signal) {}
        while let Ok(Some(_)) = process::reap() {}
        let waited = poll.as_ref().map(|poll| poll.wait(None, &mut Vec::new()));
        if !matches!(waited, Ok(Ok(()))) {
            process::pause();
        }
    }
}

/// Leaves time to read. For when there is no loop that could wait.
pub fn wait_seconds(seconds: u32) {
    let end = clock::since_boot().plus(u64::from(seconds).saturating_mul(1000));
    let Ok(poll) = Poll::new() else {
        return;
    };
    loop {
        let left = clock::since_boot().until(end);
        if left == 0 || poll.wait(Some(left), &mut Vec::new()).is_err() {
            return;
        }
    }
}

fn refused(what: &str, fault: Fault) -> ! {
    log::error!("the machine did not {what}: {fault}; use its power button");
    stay()
}
