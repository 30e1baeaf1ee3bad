//! What is mounted besides root (`/usr`, and what root's fstab marks), once root is.
//!
//! Each is looked for as root was, by the same wish with other words: so it may be encrypted, a
//! logical volume or an array as root may. The words of the command line are known from the
//! beginning; what root's fstab says is told when root is mounted. What it says of root itself may
//! need another mount: some options cannot be changed later.

use super::action::{Action, Level, Mount};
use super::event::Ticket;
use super::give_up::{self, Cause};
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::fstab::{self, Early};
use crate::format::loop_file::Sought;
use crate::format::mounts::{self, Extra};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How long a mount that the boot can do without is waited for, at most.
const OPTIONAL_MS: u64 = 10_000;

/// Whether root is mounted with the options that it is to have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Root {
    /// It is not mounted yet.
    #[default]
    Coming,
    /// It is being mounted once more, as its fstab says.
    Anew,
    /// And, since that failed, as before.
    Again,
    Mounted,
}

#[derive(Default)]
pub(super) struct Mounts {
    root: Root,
    /// Root, as it was asked for.
    own: Sought,
    /// How root was mounted.
    by: Option<Box<Mount>>,
    /// What root's fstab says.
    early: Early,
    left: Vec<Extra>,
    /// What is looked for now.
    turn: Option<Extra>,
    /// Changes go to a device that is not seen any more once the real system ends.
    pub(super) keeps: bool,
    /// When what is looked for is waited for no longer.
    pub(super) until: Option<Millis>,
}

impl Plan {
    /// Is root mounted, and something else looked for?
    pub(super) fn is_beside_root(&self) -> bool {
        self.mounts.turn.is_some()
    }

    /// The mount point of what is looked for. Empty: it is root.
    pub(super) fn place(&self) -> Text {
        let turn = self.mounts.turn.as_ref();
        turn.map_or(Text::default(), |turn| turn.at.clone())
    }

    /// What is looked for, as a device that was found is said to be it.
    pub(super) fn sought(&self) -> String {
        match &self.mounts.turn {
            Some(turn) => format!("is {}", turn.at),
            None if self.is_outside() => "holds the file that root is in".into(),
            None => "is root".into(),
        }
    }

    /// What is looked for now, as it was asked for.
    pub(super) fn asked_for(&self) -> String {
        match &self.mounts.turn {
            Some(turn) => format!("{} on {}", turn.sought.typed, turn.at),
            None => self.wish.word(),
        }
    }

    /// Was it mounted as root?
    pub(super) fn holds_root(&self, device: &str) -> bool {
        let by = self.mounts.by.as_ref().filter(|_| self.is_beside_root());
        by.is_some_and(|by| by.device == self.known_as(device))
    }

    pub(super) fn keep_mount(&mut self, mount: &Mount) {
        if self.mounts.root == Root::Coming && !mount.host {
            self.mounts.by = Some(mount.clone().into());
        }
    }

    pub(super) fn fstab_told(&mut self, ticket: Ticket, text: &Text) {
        let of_root = self.mounts.root == Root::Coming;
        if self.wish.fstab && of_root && self.tickets.job(ticket) == Some(&Job::Mount) {
            self.mounts.early = fstab::read(text.as_bytes(), self.wish.writable);
        }
    }

    /// Root is mounted, or what was looked for besides.
    pub(super) fn goes_on_mounted(&mut self, now: Millis) {
        if self.mounts.root == Root::Coming {
            self.mounts.left = core::mem::take(&mut self.wish.mounts);
            self.mounts.own = self.wish.sought();
            let early = core::mem::take(&mut self.mounts.early);
            for extra in early.extras {
                mounts::add(&mut self.mounts.left, extra);
            }
            for text in early.complaints {
                self.say(Level::Warning, text);
            }
            if !early.root.0.is_empty() && self.wish.flags.0.is_empty() {
                self.say(
                    Level::Info,
                    format!("root is mounted anew, as its fstab says: {}", early.root),
                );
                if self.mount_anew(Root::Anew, early.root) {
                    return;
                }
            }
        }
        self.mounts.root = Root::Mounted;
        let layers = self.wish.layers.as_mut();
        match layers.map(|layers| layers.upper.take()) {
            // It is made next.
            Some(None) => {
                self.turn_back();
                self.stage = Stage::FindingInit;
            }
            Some(Some(upper)) => {
                self.mounts.left.insert(0, upper);
                self.mount_next(now);
            }
            None => self.mount_next(now),
        }
    }

    /// Mounts root once more. `false`: it is nothing that can be.
    fn mount_anew(&mut self, standing: Root, options: Text) -> bool {
        let by = self.mounts.by.clone().filter(|by| !by.nodev);
        let (Some(mut mount), Stage::Mounting { .. }) = (by, &self.stage) else {
            return false;
        };
        (mount.anew, mount.options) = (true, options);
        self.mounts.root = standing;
        let ticket = self.tickets.issue(Job::Mount);
        self.out.push(Action::Mount { ticket, mount });
        true
    }

    /// Was it the second mount of root that failed? Then it gets the options that it had.
    pub(super) fn mounts_as_before(&mut self, fault: &Fault) -> bool {
        let by = self.mounts.by.as_ref().map(|by| by.options.clone());
        let (Some(options), Root::Anew) = (by, self.mounts.root) else {
            return false;
        };
        let text = format!("root is mounted without what its fstab says: {fault}");
        self.say(Level::Warning, text);
        self.mount_anew(Root::Again, options)
    }

    /// Nothing else is looked for: a page speaks of root again.
    fn turn_back(&mut self) {
        if self.mounts.turn.take().is_some() {
            self.wish.seek(&self.mounts.own);
        }
    }

    /// Looks for the next, or for the real init.
    pub(super) fn mount_next(&mut self, now: Millis) {
        self.mounts.until = None;
        self.turn_back();
        if self.mounts.left.is_empty() {
            return self.leave_root(now);
        }
        let extra = self.mounts.left.remove(0);
        if extra.optional {
            // A branch of root's deadline.
            let left = self.trunk.map_or(u64::MAX, |trunk| now.until(trunk) / 2);
            self.mounts.until = Some(now.plus(OPTIONAL_MS.min(left)));
        }
        self.wish.turn_to(&extra);
        self.mounts.turn = Some(extra);
        self.ask_shares_anew();
        self.stage = Stage::Searching;
    }

    /// Ends the wait for what the boot can do without.
    pub(super) fn end_optional(&mut self, now: Millis) {
        if self.is_looking() && self.mounts.until.is_some_and(|until| now >= until) {
            self.give_up(now, Cause::Deadline);
        }
    }

    /// Can the boot do without what could not be had? Then it goes on.
    pub(super) fn goes_on_without(&mut self, now: Millis, cause: &Cause) -> bool {
        let optional = self.mounts.turn.as_ref().filter(|turn| turn.optional);
        // A mount that has not ended may end yet.
        let ended = !matches!(self.stage, Stage::Mounting { .. });
        let Some(turn) = optional.filter(|_| ended) else {
            return false;
        };
        let (at, why) = (&turn.at, give_up::reason(cause, self));
        let text = format!("{at} is not mounted, and the boot goes on without it: {why}");
        self.say(Level::Warning, text);
        self.mount_next(now);
        true
    }
}
