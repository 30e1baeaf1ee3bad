//! Numbers that nobody can foresee. getrandom(2).

use super::clock;
use rustix::rand::{GetRandomFlags, getrandom};

/// A seed. Early in a boot the kernel may have no randomness yet: then the time stands in, and
/// nothing waits.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    match getrandom(&mut bytes[..], GetRandomFlags::NONBLOCK) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => clock::since_boot().0 << 32 | u64::from(std::process::id()),
    }
}
