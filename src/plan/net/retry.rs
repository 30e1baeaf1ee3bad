//! When something over the network is tried again: after one second, two, four, and eight from then
//! on. No server announces itself, so this is the one place that waits for time to pass.

use crate::base::millis::Millis;

/// The first wait, and how often it is doubled.
const WAIT_MS: u64 = 1_000;
const WAITS_DOUBLED: u32 = 3;

/// What fails with one of these, time may mend: errno(3).
const MAY_PASS: [i32; 10] = [
    4, // EINTR
    5, // EIO
    EAGAIN,
    99,  // EADDRNOTAVAIL: the link that has it is not up yet
    100, // ENETDOWN
    101, // ENETUNREACH
    104, // ECONNRESET
    110, // ETIMEDOUT
    ECONNREFUSED,
    113, // EHOSTUNREACH
];

const EAGAIN: i32 = 11;
pub(super) const ECONNREFUSED: i32 = 111;

pub(super) fn may_pass(errno: i32) -> bool {
    MAY_PASS.contains(&errno)
}

/// Is nobody there at all, however one asks?
pub(super) fn is_absent(errno: i32) -> bool {
    matches!(errno, 100 | 101 | 110 | 113)
}

#[derive(Default)]
pub(in crate::plan) struct Retry {
    /// How often it was put off.
    pub rounds: u32,
    /// When it is tried again. `None`: nothing is put off.
    pub again: Option<Millis>,
}

impl Retry {
    pub fn put_off(&mut self, now: Millis) {
        let wait = WAIT_MS << self.rounds.min(WAITS_DOUBLED);
        self.again = Some(now.plus(wait));
        self.rounds = self.rounds.saturating_add(1);
    }

    /// Has the time come? It does once.
    pub fn comes(&mut self, now: Millis) -> bool {
        self.again.take_if(|at| now >= *at).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn waits_are_doubled_and_each_ends_once() {
        let mut retry = Retry::default();
        let waits: Vec<u64> = (0..6)
            .map(|_| {
                retry.put_off(Millis(100));
                let at = retry.again.unwrap();
                assert!(!retry.comes(Millis(at.0 - 1)) && retry.comes(at) && !retry.comes(at));
                at.0 - 100
            })
            .collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }
}
