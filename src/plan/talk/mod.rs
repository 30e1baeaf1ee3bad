//! Conversations with servers: packets and time in, packets and the end out.
//!
//! No socket, no clock, no chance: whoever holds a conversation gives it what arrives, the time,
//! and a seed. Each has the same shape, without a trait, since each is held where it is made:
//!
//! - `new(options)`
//! - `start(now) -> Vec<Step>`, once
//! - `hear(now, heard) -> Vec<Step>`, for each packet, and with [`Heard::Timer`] at the deadline
//! - `deadline() -> Option<Millis>`; `None` before the start and after the end
//! - `so_far() -> Fault`: why there is no result yet
//! - `give_up() -> Fault`, when whoever waits has waited long enough: why there is no result
//!
//! The end is [`Step::Done`] or [`Step::Failed`], once, and the last step. Nothing that is heard
//! makes a conversation send more than a few packets a second: neither servers that refuse for
//! ever, nor packets that somebody made up.

pub mod dhcp4;
pub mod dhcp6;
pub mod dns;
pub mod iscsi;
pub mod keeper;
pub mod nbd;
mod tries;
mod troubles;

use crate::base::fault::Fault;
use crate::format::net::address::Mac;
use crate::format::net::frame::UdpSum;
use crate::format::net::lease::Lease;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What arrived. Packets are without the header of the link.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Ip(&'a [u8], UdpSum),
    Arp(&'a [u8]),
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    SendIp { to: Mac, packet: Vec<u8> },
    SendArp { to: Mac, packet: Vec<u8> },
    Done(Box<Lease>),
    Failed(Fault),
}

/// The first wait for an answer, and the longest, in milliseconds. RFC 2131 §4.1 has 4 and 64
/// seconds, for networks on which every machine starts at the same time after a power cut. Here a
/// machine waits to boot: a packet that is lost while a switch opens its port costs a second.
/// Each machine still sends one packet in 8 seconds at most in the long run.
const WAIT_MS: u64 = 1_000;
const WAITS_DOUBLED: u32 = 3;

/// How long to wait for the answer to something that was sent `before` times already.
fn wait_ms(before: u32) -> u64 {
    WAIT_MS << before.min(WAITS_DOUBLED)
}

/// Numbers that others cannot foresee, if the seed is one. (xorshift64*, G. Marsaglia's.)
struct Dice(u64);

impl Dice {
    /// Any seed; 0 alone would yield nothing but itself.
    fn new(seed: u64) -> Self {
        Self(if seed == 0 {
            0x9e37_79b9_7f4a_7c15
        } else {
            seed
        })
    }

    fn roll(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        u32::try_from(high).unwrap_or(0)
    }

    /// A tenth more or less: machines that started together do not go on in step.
    fn around(&mut self, ms: u64) -> u64 {
        let span = (ms / 5).saturating_add(1);
        let more = u64::from(self.roll()).checked_rem(span).unwrap_or(0);
        ms.saturating_sub(ms / 10).saturating_add(more)
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]
pub(super) mod tests {
    use super::*;
    use crate::base::millis::Millis;

    /// What holds of each conversation after each thing that it heard: the end is the last step,
    /// and nothing is awaited behind it; what is awaited is to come.
    pub fn assert_sound<S>(
        steps: &[S],
        is_end: impl Fn(&S) -> bool,
        deadline: Option<Millis>,
        now: Millis,
    ) {
        if let Some(at) = steps.iter().position(is_end) {
            assert_eq!((at + 1, deadline), (steps.len(), None));
        } else if let Some(due) = deadline {
            assert!(due > now, "a deadline that is over: it would spin");
        }
    }

    /// The deadline is so many seconds from now, or a tenth more or less.
    pub fn assert_waits(deadline: Option<Millis>, now: Millis, seconds: u64) {
        let ms = now.until(deadline.expect("something is awaited"));
        assert!((seconds * 900..=seconds * 1_100).contains(&ms), "{ms} ms");
    }

    #[test]
    fn waits_are_doubled_and_then_stay() {
        let waits: Vec<u64> = (0..6).map(wait_ms).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }

    #[test]
    fn what_is_around_is_within_a_tenth_and_not_always_the_same() {
        for seed in [0, 1, u64::MAX] {
            let mut dice = Dice::new(seed);
            let rolled: Vec<u64> = (0..1_000).map(|_| dice.around(1_000)).collect();
            assert!(rolled.iter().all(|ms| (900..=1_100).contains(ms)));
            let (low, high) = (rolled.iter().min(), rolled.iter().max());
            assert!(low < Some(&910) && high > Some(&1_090), "{low:?} {high:?}");
        }
    }
}
