//! Waiting for any of many descriptors. epoll(7), level-triggered.

use super::fail::{Fail, Outcome};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

/// How many are told in one go; the rest stays ready for the next.
const AT_ONCE: usize = 16;

/// A descriptor that wants attention, by the token it was added with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    pub token: u64,
    /// There is something to read.
    pub readable: bool,
    /// The other end is gone; what it wrote before may still be readable.
    pub hung_up: bool,
}

pub struct Poll(OwnedFd);

impl Poll {
    pub fn new() -> Outcome<Self> {
        let fd = epoll::create(CreateFlags::CLOEXEC).map_err(Fail::of("epoll_create1", &"-"))?;
        Ok(Self(fd))
    }

    /// Reports `fd` under `token` from now on. Closing every copy of `fd` ends it, too.
    pub fn add(&self, fd: impl AsFd, token: u64) -> Outcome<()> {
        let data = EventData::new_u64(token);
        epoll::add(&self.0, fd, data, EventFlags::IN).map_err(Fail::of("epoll_ctl", &token))
    }

    pub fn remove(&self, fd: impl AsFd) -> Outcome<()> {
        epoll::delete(&self.0, fd).map_err(Fail::of("epoll_ctl", &"remove"))
    }

    /// Waits at most `wait_ms` (`None`: for ever) and fills `ready`; empty: the time is over, or
    /// a signal came in between.
    pub fn wait(&self, wait_ms: Option<u64>, ready: &mut Vec<Ready>) -> Outcome<()> {
        ready.clear();
        // A day is longer than any deadline here and fits every kernel's timeout type.
        let limit = wait_ms.map(|ms| timespec(ms.min(86_400_000)));
        let blank = Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        };
        let mut events = [blank; AT_ONCE];
        let count = match epoll::wait(&self.0, &mut events, limit.as_ref()) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(errno) => return Err(Fail::of("epoll_wait", &"-")(errno)),
        };
        ready.extend(events.iter().take(count).map(|event| {
            let flags = event.flags;
            Ready {
                token: event.data.u64(),
                readable: flags.contains(EventFlags::IN),
                hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR),
            }
        }));
        Ok(())
    }
}

/// Waits at most `wait_ms` until `fd` takes bytes: false if it does not.
pub fn until_writable(fd: impl AsFd, wait_ms: u64) -> Outcome<bool> {
    let fd = fd.as_fd();
    let mut one = [PollFd::new(&fd, PollFlags::OUT)];
    match rustix::event::poll(&mut one, Some(&timespec(wait_ms.min(86_400_000)))) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(true),
        Err(errno) => Err(Fail::of("poll", &"-")(errno)),
    }
}

pub(super) fn timespec(ms: u64) -> Timespec {
    Timespec {
        tv_sec: (ms / 1000) as i64,
        tv_nsec: ((ms % 1000) * 1_000_000) as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn what_can_be_read_is_reported_until_it_was_read() {
        let poll = Poll::new().unwrap();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        poll.add(&reader, 7).unwrap();
        let mut ready = Vec::new();
        poll.wait(Some(0), &mut ready).unwrap();
        assert_eq!(ready, []);
        rustix::io::write(&writer, b"x").unwrap();
        let expected = Ready {
            token: 7,
            readable: true,
            hung_up: false,
        };
        for _ in 0..2 {
            poll.wait(None, &mut ready).unwrap();
            assert_eq!(ready, [expected]);
        }
        drop(writer);
        // A child of another test has it, too, until it runs its own program.
        while !ready[0].hung_up {
            poll.wait(None, &mut ready).unwrap();
        }
        assert!(ready[0].readable);
        poll.remove(&reader).unwrap();
        poll.wait(Some(1), &mut ready).unwrap();
        assert_eq!(ready, []);
    }
}
