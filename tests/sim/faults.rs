//! The fault model: what may go wrong in a simulated machine, and what may not.
//!
//! **May happen.** Devices appear late, are reported twice, vanish for good or come back with the
//! same or another medium under the same name (then with a higher sequence), also while they are
//! being probed or mounted; they report changes without end. Media change, tables are rewritten.
//! Probes fail, lie (report nothing), or never answer; so do lookups, loads, mounts, the search for
//! init, the walk. A load fails once or always. The hand-over fails. Uevents come late, or are lost
//! until an overflow is reported.
//! The kernel asks for modules that nobody has. Answers come twice, or to tickets that nobody
//! issued. The timer rings early. Somebody presses ctrl-alt-del. Disks are cloned, so that one
//! UUID is there twice; members of containers show the wanted UUID; indexes hold circles.
//!
//! **May not happen.** An open ticket is answered by an answer of the wrong kind: workers are our
//! own program. An answer that comes is never older than its question. Uevents never overtake each
//! other. After lost uevents an overflow is always reported, and a walk reports everything that
//! exists. A module that is reported loaded stays. A module whose load waits for a kernel request
//! is not waited for by whatever serves that request: the kernel itself deadlocks there. The kernel
//! does not ask for modules any more once the hand-over began.
//!
//! **Patterns with names** (each has found, or would find, a real mistake):
//! *ghost*: a probe's answer describes the medium that was there before the disk was changed.
//! *echo*: coldplug and uevent report one device; the second must not start everything again.
//! *stale add*: a walk saw the new disk, then the queue still delivers the old one's events.
//! *shining through*: a member of a mirror shows the UUID of the file system inside.
//! *twin*: a clone; the choice must be said aloud.
//! *ouroboros*: softdeps (or broken indexes) in a circle.
//! *question inside the answer*: mount(2) does not return until the kernel's own request is served.
//! *mute worker*: an answer that never comes must not hold the failure page back.
//! *impatient timer*: the timer rings although nothing is due.
//! *restless drive*: one device reports something all the time; the others wait for quiet.

use crate::world::Medium;

/// How often a job fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Once,
    Always,
}

/// What kind of job never answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Walk,
    Resolve,
    Load,
    Probe,
    Mount,
    FindInit,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// The uevent comes although a walk reported the device too, and comes again.
    Twice {
        disk: usize,
    },
    /// Pulled `at` ms after boot, back `after` ms later, perhaps as another disk.
    Pulled {
        disk: usize,
        at: u64,
        back: Option<u64>,
        as_other: Option<Box<Medium>>,
    },
    /// Pulled the moment its probe (or mount) began.
    PulledDuring {
        disk: usize,
        verb: Verb,
        back: Option<u64>,
        as_other: Option<Box<Medium>>,
    },
    /// A change event without a change.
    Touched {
        disk: usize,
        at: u64,
    },
    /// A change event without a change, so often, to the end.
    Restless {
        disk: usize,
        every: u64,
    },
    /// Another table, other partitions.
    Rewritten {
        disk: usize,
        at: u64,
        medium: Box<Medium>,
    },
    /// No medium until `at`: length 0, then a change event.
    Empty {
        disk: usize,
        at: u64,
    },
    ProbeFails {
        device: String,
        times: Times,
    },
    /// Identification finds nothing where something is (a device that lies about its size).
    ProbeLies {
        device: String,
    },
    LoadFails {
        module: String,
        times: Times,
    },
    MountFails {
        device: String,
        times: Times,
    },
    HandOverFails {
        times: Times,
    },
    /// The answer never comes.
    Never {
        verb: Verb,
        object: String,
    },
    /// The lookup finds nothing although there is something.
    ResolveEmpty {
        alias: String,
    },
    /// Uevents are lost for so long, then the overflow is reported.
    Lost {
        from: u64,
        ms: u64,
    },
    /// Every uevent is so late.
    Lag {
        ms: u64,
    },
    /// Every answer comes a second time.
    Echo,
    /// An answer to a ticket that nobody issued.
    Stray {
        at: u64,
        kind: u64,
    },
    /// The kernel asks for a module by this name.
    Request {
        at: u64,
        name: String,
    },
    EarlyTimer {
        at: u64,
    },
    CtrlAltDel {
        at: u64,
    },
}

impl Fault {
    pub fn pulls(&self) -> bool {
        matches!(self, Self::Pulled { .. } | Self::PulledDuring { .. })
    }
}
