//! The time since boot. clock_gettime(2), `CLOCK_BOOTTIME`: runs on while the machine sleeps.

use crate::base::millis::Millis;
use rustix::time::{ClockId, clock_gettime};

/// Milliseconds since the kernel started.
pub fn since_boot() -> Millis {
    let now = clock_gettime(ClockId::Boottime);
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
