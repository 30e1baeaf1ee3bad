//! The end of the machine. reboot(2), linux/reboot.h.

use super::fail::{Fail, Outcome};
use rustix::system::{RebootCommand, reboot};

/// All file systems' dirty data to disk. sync(2) waits until it is written.
pub fn sync() {
    rustix::fs::sync();
}

/// Returns only if the kernel refused.
pub fn restart() -> Fail {
    refused(RebootCommand::Restart, "restart")
}

pub fn power_off() -> Fail {
    refused(RebootCommand::PowerOff, "power off")
}

/// Starts the kernel that was loaded for that. `EINVAL`: none was.
pub fn start_next_kernel() -> Fail {
    refused(RebootCommand::Kexec, "start the next kernel")
}

pub fn halt() -> Fail {
    refused(RebootCommand::Halt, "halt")
}

/// `true`: the keys restart the machine at once (the kernel's default at boot).
/// `false`: they send SIGINT to PID 1.
pub fn ctrl_alt_del_restarts(on: bool) -> Outcome<()> {
    let command = if on {
        RebootCommand::CadOn
    } else {
        RebootCommand::CadOff
    };
    reboot(command).map_err(Fail::of("reboot", &"ctrl-alt-del"))
}

fn refused(command: RebootCommand, what: &str) -> Fail {
    match reboot(command) {
        Ok(()) => Fail::new("reboot", what, 0),
        Err(errno) => Fail::of("reboot", &what)(errno),
    }
}
