//! Open questions: which action each ticket stands for.
//!
//! An answer counts once and only if it fits what was asked. Late, repeated and stray answers fall
//! out here, so that no other file has to think about them.

use super::event::Ticket;
use crate::format::identity::Range;
use alloc::string::String;
use alloc::vec::Vec;

/// Why an alias is being resolved, and so what happens with the modules that answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A device's modalias: every driver that answers is loaded.
    Device(String),
    /// A file system's driver: any one is enough. Holds the type: `ext4`.
    Filesystem(String),
    /// It makes loading all others cheaper, so it goes first.
    Faster,
    /// A driver that something other than a device needs, by alias (`dm-mod`): any one is enough.
    Driver(String),
    /// Every driver that answers an alias (`crypto-aes`): which is best, only the machine knows.
    Drivers(String),
    /// The command line or the image asked for it.
    Wished(String),
    /// The kernel's own request.
    Kernel(u32),
}

/// What an open ticket stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Walk {
        epoch: u32,
    },
    Resolve(Purpose),
    Load(String),
    Probe {
        device: String,
        generation: u32,
    },
    /// Bytes of a device, each range as it was asked for.
    Read {
        device: String,
        generation: u32,
        ranges: Vec<Range>,
    },
    Links {
        device: String,
        generation: u32,
    },
    AskFirmware,
    /// An encrypted volume, by its place in the plan's list.
    Unlock(usize),
    Ask,
    Map,
    /// Starts the device of this name, or a part of it.
    Start(String),
    /// Makes the volume of dm-verity of this number.
    Verity(usize),
    /// The same of dm-integrity.
    Integrity(usize),
    /// Tells the kernel of a device of the btrfs with this UUID.
    Announce(String),
    /// Makes a device of the file that root is in.
    Attach,
    WatchLinks,
    /// Reads what the firmware left of its own boot.
    ReadFirmware,
    /// Changes the link of this index.
    Configure(u32),
    /// Finds out whether the server of root is there.
    Reach,
    /// Looks up the name of this number.
    Lookup(usize),
    /// Connects to the target of this number.
    Connect(usize),
    /// Makes the link of this number of those that are to be made.
    MakeLink(usize),
    /// Asks for a lease over the link of this index.
    Lease(u32),
    /// Asks for more of the lease of the link of this index. Nothing waits for it.
    Extend(u32),
    /// Has the kernel go on with a hibernated system.
    Resume,
    Check,
    Hook,
    Mount,
    /// Lays something over root.
    Layer,
    FindInit,
    HandOver,
    Shell,
}

#[derive(Default)]
pub struct Tickets {
    last: u32,
    /// Few at a time: a list is quicker than a tree, and smaller.
    open: Vec<(Ticket, Job)>,
}

impl Tickets {
    pub fn issue(&mut self, job: Job) -> Ticket {
        self.last = self.last.saturating_add(1);
        let ticket = Ticket(self.last);
        self.open.push((ticket, job));
        ticket
    }

    /// What an open ticket stands for.
    pub fn job(&self, ticket: Ticket) -> Option<&Job> {
        let found = self.open.iter().find(|(open, _)| *open == ticket);
        found.map(|(_, job)| job)
    }

    /// The job that this ticket stood for; from now on it stands for nothing.
    pub fn close(&mut self, ticket: Ticket) -> Option<Job> {
        let at = self.open.iter().position(|(open, _)| *open == ticket)?;
        Some(self.open.remove(at).1)
    }

    /// Closes the ticket of this job, if one is open: nobody waits for the answer any more.
    pub fn withdraw(&mut self, job: &Job) -> Option<Ticket> {
        let at = self.open.iter().position(|(_, open)| open == job)?;
        Some(self.open.remove(at).0)
    }

    /// Closes every lookup that the kernel waits for; yields who asked.
    pub fn close_requests(&mut self) -> Vec<u32> {
        let mut requests = Vec::new();
        self.open.retain(|(_, job)| match job {
            Job::Resolve(Purpose::Kernel(request)) => {
                requests.push(*request);
                false
            }
            _ => true,
        });
        requests
    }

    /// Is nothing under way that something waits for?
    pub fn none_open(&self) -> bool {
        self.awaited().next().is_none()
    }

    /// What is under way and waited for.
    pub fn awaited(&self) -> impl Iterator<Item = &Job> {
        self.open().filter(|job| !matches!(job, Job::Extend(_)))
    }

    pub fn open(&self) -> impl Iterator<Item = &Job> {
        self.open.iter().map(|(_, job)| job)
    }
}
