//! Makes the kernel notice media that are put into drives: it asks removable drives by itself only
//! where it is told to (udev does that in the real system).
//!
//! Source: `events_dfl_poll_msecs` in block/disk-events.c, Documentation/ABI/stable/sysfs-block.

use crate::sys::proc_sys;

/// Milliseconds from one look to the next; 0: never.
const INTERVAL: &str = "/sys/module/block/parameters/events_dfl_poll_msecs";
const NEVER: &[u8] = b"0";
const EVERY_TWO_SECONDS: &[u8] = b"2000";

/// Starts it, unless the command line chose an interval. A kernel that cannot do it reports no
/// media either.
pub fn start() {
    switch(NEVER, EVERY_TWO_SECONDS);
}

/// Puts back what the real system expects.
pub fn stop() {
    switch(EVERY_TWO_SECONDS, NEVER);
}

fn switch(from: &[u8], to: &[u8]) {
    if proc_sys::read(INTERVAL, 32).is_ok_and(|now| now.trim_ascii() == from) {
        let _ = proc_sys::write(INTERVAL, to);
    }
}
