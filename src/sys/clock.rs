//! The time since boot, and the time of day. clock_gettime(2): `CLOCK_BOOTTIME` runs on while the
//! machine sleeps.

#![allow(unsafe_code)]

use crate::base::millis::Millis;

/// Milliseconds since the kernel started.
pub fn since_boot() -> Millis {
    read(libc::CLOCK_BOOTTIME)
}

/// Milliseconds since 1970, as far as the machine knows.
pub fn since_1970() -> Millis {
    read(libc::CLOCK_REALTIME)
}

fn read(clock: libc::clockid_t) -> Millis {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the C library writes one timespec, which `now` is, and keeps nothing. The clocks are
    // there since Linux 2.6.39; without them, no time passes.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
    Millis(seconds.saturating_mul(1000).saturating_add(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_forward_and_agrees_with_the_kernel() {
        let before = since_boot();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let after = since_boot();
        let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let kernel = (seconds * 1000.0) as u64;
        // /proc/uptime is cut to hundredths.
        assert!(before.0 <= kernel + 10 && kernel <= after.0);
    }
}
