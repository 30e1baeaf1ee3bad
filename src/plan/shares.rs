//! Root as a directory that the machine's host shares: virtiofs, 9p.
//!
//! A share has no device that could be identified: mounting is the only question. It is asked once
//! for every driver that took a device, since a share may also be plugged in later; where the
//! kernel tells the tags, only that share is asked for whose tag fits. The kernel says EINVAL or
//! ENOENT where no share has the tag (fs/fuse/virtio_fs.c, net/9p/trans_virtio.c), and EINVAL where
//! an option is wrong: both are kept for the page.

use super::action::{Action, Level, Mount};
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::share;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// More are not looked at. (A machine has a handful.)
const MAX_SHARES: usize = 256;

const EINVAL: i32 = 22;
const ENOENT: i32 = 2;

/// A device that a driver of shares took.
struct Share {
    path: String,
    driver: String,
    tag: Option<Text>,
    tried: bool,
}

#[derive(Default)]
pub(super) struct Shares {
    all: Vec<Share>,
    /// The driver of the last attempt.
    driver: String,
    /// Why the last attempt failed, and what the kernel said.
    failed: Option<(Fault, Vec<Text>)>,
}

impl Plan {
    /// The tag of the share that root is.
    fn wanted_share(&self) -> Option<&String> {
        match &self.wish.root {
            Some(Source::Share(tag)) => Some(tag),
            _ => None,
        }
    }

    pub(super) fn is_share(&self) -> bool {
        self.wanted_share().is_some()
    }

    pub(super) fn bound(&mut self, path: String, driver: String, tag: Option<Text>) {
        let all = &mut self.shares.all;
        all.retain(|share| share.path != path);
        if all.len() < MAX_SHARES {
            let tried = false;
            all.push(Share {
                path,
                driver,
                tag,
                tried,
            });
        }
    }

    /// Mounts root if something came that may be it.
    pub(super) fn mount_share(&mut self, now: Millis) {
        let Some(tag) = self.wanted_share().cloned() else {
            return;
        };
        if self.stage != Stage::Searching || self.is_held_by_resume(now) {
            return;
        }
        for kind in &self.wish.fstypes {
            self.modules
                .want_filesystem(kind, &mut self.tickets, &mut self.out);
        }
        let settled = |kind: &&String| self.modules.filesystem_settled(kind);
        let kinds: Vec<String> = self.wish.fstypes.iter().filter(settled).cloned().listed();
        for kind in kinds {
            if self.may_come_by(&kind, &tag) {
                return self.ask_for_share(tag, kind);
            }
        }
    }

    /// Did something come since the last attempt that may bring a share of this type and tag?
    fn may_come_by(&mut self, kind: &str, tag: &str) -> bool {
        if !share::is_by_virtio(kind, &self.wish.flags) {
            // Nobody announces another transport: there is one attempt.
            return self.shares.driver.is_empty();
        }
        let brings = |s: &&mut Share| {
            let fits = s
                .tag
                .as_ref()
                .is_none_or(|t| t.as_bytes() == tag.as_bytes());
            !s.tried && fits && share::driver_of(kind) == Some(s.driver.as_str())
        };
        let mut found = false;
        for share in self.shares.all.iter_mut().filter(brings) {
            // One attempt asks all that are there.
            (share.tried, found) = (true, true);
        }
        found
    }

    fn ask_for_share(&mut self, tag: String, kind: String) {
        self.shares.driver = share::driver_of(&kind).unwrap_or(&kind).into();
        let host = self.is_outside();
        let mount = Mount {
            device: tag.clone(),
            nodev: true,
            // What is to be filled is writable.
            read_only: !self.is_memory() && (host || self.protected || !self.wish.writable),
            host,
            at: self.place(),
            anew: false,
            options: match kind == share::MEMORY && self.is_beside_root() {
                true => self.wish.flags.clone(),
                false => share::options(&kind, &self.wish.flags),
            },
            ceph: None,
            fstype: kind.clone(),
        };
        let ticket = self.tickets.issue(Job::Mount);
        self.out.push(Action::Mount {
            ticket,
            mount: mount.into(),
        });
        self.stage = Stage::Mounting {
            device: tag,
            generation: 0,
            types: alloc::vec![kind],
        };
    }

    /// Another tag is wanted now.
    pub(super) fn ask_shares_anew(&mut self) {
        self.shares.driver.clear();
        self.shares.failed = None;
        self.shares.all.iter_mut().for_each(|s| s.tried = false);
    }

    /// There may be another share with this tag; whatever else is wrong ends the boot.
    pub(super) fn share_failed(&mut self, now: Millis, fault: &Fault, kernel: Vec<Text>) {
        let Some(tag) = self.wanted_share().cloned() else {
            return;
        };
        self.stage = Stage::Searching;
        if self.is_protected(&tag, fault.errno) {
            self.shares.all.iter_mut().for_each(|s| s.tried = false);
            return;
        }
        let has_it = |s: &Share| {
            s.tag
                .as_ref()
                .is_some_and(|t| t.as_bytes() == tag.as_bytes())
        };
        let is_there = self.shares.all.iter().any(has_it);
        let waits = matches!(fault.errno, EINVAL | ENOENT) && !is_there && !self.is_memory();
        if !waits {
            let (device, fault) = (tag, fault.clone());
            return self.give_up(
                now,
                Cause::Mount {
                    device,
                    fault,
                    kernel,
                },
            );
        }
        if self.shares.failed.is_none() {
            let text = format!("no share with the tag {tag} is there yet, waiting for one");
            self.say(Level::Notice, text);
        }
        self.shares.failed = Some((fault.clone(), kernel));
    }

    /// For the page: what the host shares.
    pub(super) fn shares_seen(&self) -> Vec<String> {
        if !self.is_share() {
            return Vec::new();
        }
        let line = |s: &Share| {
            let device = s.path.rsplit('/').next().unwrap_or_default();
            match &s.tag {
                Some(tag) => format!("{device:<12} share with the tag {tag} ({})", s.driver),
                None => format!("{device:<12} share, its tag is not told ({})", s.driver),
            }
        };
        match self.shares.all.is_empty() {
            true => alloc::vec!["no share of the host at all".into()],
            false => self.shares.all.iter().map(line).listed(),
        }
    }

    /// For the page: why no share was root.
    pub(super) fn share_problems(&self) -> Vec<String> {
        let Some((fault, kernel)) = &self.shares.failed else {
            return Vec::new();
        };
        let mut lines = alloc::vec![fault.text.clone()];
        lines.extend(kernel.iter().map(|line| format!("kernel: {line}")));
        lines
    }
}
