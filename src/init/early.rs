//! Before anything works: mounts, console, log, panic hook, signals.

use crate::act::{console_log, early_mounts, end};
use crate::format::wish::End;
use crate::sys::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A worker that panics just dies; PID 1 follows the failure policy.
static WORKER: AtomicBool = AtomicBool::new(false);

/// The failure policy for panics, where the hook can read it: see [`set_policy`].
static POLICY: AtomicU32 = AtomicU32::new(POLICY_HALT);
const POLICY_HALT: u32 = u32::MAX;
const POLICY_POWER_OFF: u32 = u32::MAX - 1;

/// Makes the file systems, the console and the log. What is odd is said, and the boot goes on.
pub fn prepare() {
    std::panic::set_hook(Box::new(on_panic));
    let early = early_mounts::prepare();
    console_log::install();
    for complaint in &early.complaints {
        log::warn!("{complaint}");
    }
}

pub fn this_is_a_worker() {
    WORKER.store(true, Ordering::Relaxed);
}

/// What a panic of PID 1 ends in.
pub fn set_policy(end: End) {
    let value = match end {
        End::Halt => POLICY_HALT,
        End::PowerOff => POLICY_POWER_OFF,
        End::Reboot(seconds) => seconds.min(POLICY_POWER_OFF - 1),
    };
    POLICY.store(value, Ordering::Relaxed);
}

fn on_panic(info: &std::panic::PanicHookInfo<'_>) {
    log::error!("internal error, please report it: {info}");
    if WORKER.load(Ordering::Relaxed) || process::own_pid() != 1 {
        process::exit_now(101);
    }
    // The one place that may wait: there is no loop any more that could do it.
    console_log::let_through();
    match POLICY.load(Ordering::Relaxed) {
        POLICY_HALT => end::stay(),
        POLICY_POWER_OFF => end::power_off(),
        seconds => {
            end::wait_seconds(seconds);
            end::reboot()
        }
    }
}
