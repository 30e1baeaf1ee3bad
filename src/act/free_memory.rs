//! How much memory is there to be used.

use crate::sys::proc_sys;

/// In KiB: what programs may take before the kernel must swap (`MemAvailable` of proc(5)).
/// `None`: the kernel does not tell.
pub fn free_kib() -> Option<u64> {
    let text = proc_sys::read("/proc/meminfo", 4096).ok()?;
    let mut lines = text.split(|b| *b == b'\n');
    let rest = lines.find_map(|line| line.strip_prefix(b"MemAvailable:"))?;
    let number = rest.trim_ascii().split(|b| *b == b' ').next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}
