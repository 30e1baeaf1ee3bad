//! What is news: an event after which more may come, so that nothing unlikely is tried yet.
//!
//! A device that never rests (a drive that reports its medium every second, a plug with a bad
//! contact) would put off for ever what waits for quiet. So each device counts a few times only.

use super::Plan;
use super::device::MAX_DEVICES;
use super::event::Event;
use super::ticket::Job;
use crate::base::table::Table;

/// So often a device counts: each report of it, and each look at it, is one time. A disk that is
/// plugged in, walked past twice and read needs five.
const MAX_TIMES: u8 = 12;

#[derive(Default)]
pub(super) struct News {
    /// How often each block device was heard of, by name. Names stay when devices go.
    heard: Table<u8>,
    overflows: u8,
}

impl News {
    fn counts(&mut self, device: &str) -> bool {
        if let Some(times) = self.heard.get_mut(device) {
            return counts(times);
        }
        let room = self.heard.len() < MAX_DEVICES;
        if room {
            self.heard.insert(device, 1);
        }
        room
    }
}

fn counts(times: &mut u8) -> bool {
    *times = times.saturating_add(1);
    *times <= MAX_TIMES
}

impl Plan {
    pub(super) fn is_news(&mut self, event: &Event) -> bool {
        match event {
            Event::Timer => false,
            Event::Block(block) | Event::BlockChanged(block) => self.news.counts(&block.name),
            Event::BlockGone { name } => self.news.counts(name),
            Event::Bound { path, .. } => self.news.counts(path),
            Event::Overflow => counts(&mut self.news.overflows),
            Event::Bus { modalias, .. } => !self.buses.knows(modalias),
            Event::Probed { ticket, .. }
            | Event::ProbeFailed { ticket, .. }
            | Event::Bytes { ticket, .. }
            | Event::ReadFailed { ticket, .. } => match self.tickets.job(*ticket) {
                Some(Job::Probe { device, .. } | Job::Read { device, .. }) => {
                    self.news.counts(device)
                }
                _ => false,
            },
            Event::UnlockFailed { ticket, .. } => match self.tickets.job(*ticket) {
                Some(Job::Unlock(at)) => {
                    let device = self.locks.device(*at);
                    self.news.counts(&device)
                }
                _ => false,
            },
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_never_rests_counts_a_few_times_and_others_still_do() {
        let mut news = News::default();
        let counted = (0..1000).filter(|_| news.counts("sr0")).count();
        assert_eq!(counted, usize::from(MAX_TIMES));
        assert!(news.counts("sda"));
        for n in 0..2 * MAX_DEVICES {
            news.counts(&alloc::format!("sd{n}"));
        }
        assert!(news.heard.len() <= MAX_DEVICES && !news.counts("new"));
    }
}
