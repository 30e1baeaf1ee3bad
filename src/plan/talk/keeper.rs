//! A network block device that outlives its server's restarts: connected again whenever its
//! connections break, for as long as the machine runs.
//!
//! Unlike a conversation it has no end of its own: what is attempted is a handshake and the
//! kernel's consent, which whoever holds this carries out.

use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::nbd::Export;
use crate::plan::net::retry::Retry;
use alloc::format;

/// What happened to the device.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The kernel says that a connection broke.
    Broken,
    /// An attempt succeeded.
    Connected,
    /// An attempt failed.
    Failed(Fault),
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To connect to the server, and to give the connections to the device.
    Attempt,
    /// To be told to people: once for each thing that is new.
    Say(Fault),
    SayConnected,
}

/// One device.
#[derive(Default)]
pub struct Keeper {
    retry: Retry,
    broken: bool,
    said: Option<Fault>,
}

impl Keeper {
    pub fn hear(&mut self, now: Millis, heard: Heard) -> Option<Step> {
        match heard {
            // Each of several connections tells.
            Heard::Broken if self.broken => None,
            Heard::Broken => {
                self.broken = true;
                Some(Step::Attempt)
            }
            Heard::Timer => self.retry.comes(now).then_some(Step::Attempt),
            Heard::Connected => {
                *self = Self::default();
                Some(Step::SayConnected)
            }
            Heard::Failed(fault) => {
                self.retry.put_off(now);
                let new = self.said.as_ref() != Some(&fault);
                self.said = Some(fault.clone());
                new.then_some(Step::Say(fault))
            }
        }
    }

    /// When it is tried again. `None`: nothing is to be tried.
    pub fn deadline(&self) -> Option<Millis> {
        self.retry.again
    }
}

/// May a connection to this export be one of the device that was made of another? What the kernel
/// has cached of it, and what is written next, would ruin a disk that only has the same name.
///
/// # Errors
/// Why not.
pub fn is_same(before: &Export, now: &Export) -> Result<(), Fault> {
    let why = if before.size != now.size {
        format!("it has {} bytes now, and had {}", now.size, before.size)
    } else if before.flags != now.flags {
        "it can no longer do the same as before, or may not be written to".into()
    } else {
        return Ok(());
    };
    Err(Fault::plain(format!(
        "the server has another export of this name: {why}; it is not connected to"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nbd::{BlockSizes, Flags};

    fn fails(why: &str) -> Heard {
        Heard::Failed(Fault::plain(why))
    }

    #[test]
    fn a_broken_device_is_attempted_at_once_and_then_with_patience() {
        let mut keeper = Keeper::default();
        assert_eq!(keeper.deadline(), None);
        assert_eq!(keeper.hear(Millis(0), Heard::Timer), None);
        assert_eq!(keeper.hear(Millis(5), Heard::Broken), Some(Step::Attempt));
        // The second of two connections.
        assert_eq!(keeper.hear(Millis(6), Heard::Broken), None);
        let said = Some(Step::Say(Fault::plain("refused")));
        assert_eq!(keeper.hear(Millis(10), fails("refused")), said);
        assert_eq!(keeper.deadline(), Some(Millis(1_010)));
        assert_eq!(keeper.hear(Millis(1_009), Heard::Timer), None);
        assert_eq!(
            keeper.hear(Millis(1_010), Heard::Timer),
            Some(Step::Attempt)
        );
        // The same words are not said again.
        assert_eq!(keeper.hear(Millis(1_020), fails("refused")), None);
        assert_eq!(keeper.deadline(), Some(Millis(3_020)));
        assert_eq!(
            keeper.hear(Millis(3_020), Heard::Timer),
            Some(Step::Attempt)
        );
        let connected = Some(Step::SayConnected);
        assert_eq!(keeper.hear(Millis(3_030), Heard::Connected), connected);
        assert_eq!(keeper.deadline(), None);
        // The next time begins as the first did.
        assert_eq!(
            keeper.hear(Millis(9_000), Heard::Broken),
            Some(Step::Attempt)
        );
        assert_eq!(keeper.hear(Millis(9_000), fails("refused")), said);
        assert_eq!(keeper.deadline(), Some(Millis(10_000)));
    }

    #[test]
    fn it_never_gives_up_and_never_spins() {
        let mut keeper = Keeper::default();
        keeper.hear(Millis(0), Heard::Broken);
        let mut now = Millis(0);
        for attempt in 0..1000 {
            keeper.hear(now, fails("no route"));
            let due = keeper.deadline().unwrap();
            assert!(
                due.0 - now.0 >= 1_000 && due.0 - now.0 <= 8_000,
                "{attempt}"
            );
            now = due;
            assert_eq!(keeper.hear(now, Heard::Timer), Some(Step::Attempt));
        }
    }

    #[test]
    fn another_export_of_that_name_is_refused() {
        let export = |size, flags| Export {
            size,
            flags: Flags(flags),
            blocks: BlockSizes::default(),
        };
        let before = export(4096, 1);
        assert_eq!(is_same(&before, &before), Ok(()));
        let fault = is_same(&before, &export(8192, 1)).unwrap_err();
        assert!(
            fault.text.contains("8192 bytes now, and had 4096"),
            "{fault}"
        );
        let fault = is_same(&before, &export(4096, 3)).unwrap_err();
        assert!(fault.text.contains("may not be written to"), "{fault}");
    }
}
