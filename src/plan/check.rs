//! A file system is checked before it is mounted as root or as `/usr`, where the image holds the
//! program for it: who puts one in asks for that. Without one nothing is repaired.
//!
//! Only what its bytes call this file system is checked, once, behind the decision on resume, and
//! never what is mounted already or lies in a file of another file system. The clock of the boot
//! stands still meanwhile: a repair that is broken off halfway is worse than a late boot.

use super::action::{Action, Level};
use super::event::Ticket;
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::check::{self, Check, Ended, Verdict};
use crate::format::wish::End;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Default)]
pub(super) struct Checks {
    /// Paths of the programs that the image holds.
    pub(super) programs: Vec<String>,
    /// The device that was checked last, and its generation.
    done: Option<(String, u32)>,
}

impl Plan {
    /// Is the device that is to be mounted as `kind` checked before? Then that begins.
    pub(super) fn check(&mut self, now: Millis, device: &str, generation: u32, kind: &str) -> bool {
        let order = self.check_of(device, generation, kind);
        let Stage::Preparing { types, .. } = &self.stage else {
            return false;
        };
        let (Some(order), types) = (order, types.clone()) else {
            return false;
        };
        let ticket = self.tickets.issue(Job::Check);
        let check = order.into();
        self.out.push(Action::Check { ticket, check });
        self.stage = Stage::Checking {
            device: device.into(),
            generation,
            types,
            since: now,
        };
        true
    }

    fn check_of(&self, device: &str, generation: u32, kind: &str) -> Option<Check> {
        let policy = self.wish.check;
        let place = self.place();
        let stamp = match place.as_bytes() {
            b"" => "fsck-root",
            b"/usr" => "fsck-usr",
            _ => return None,
        };
        let is = |(name, of): &(String, u32)| name == device && *of == generation;
        let done = self.checks.done.as_ref().is_some_and(is);
        if done || policy.skip || self.wish.file.is_some() || self.holds_root(device) {
            return None;
        }
        let (program, words) = check::program(kind, policy, &self.checks.programs)?;
        // Somebody may have asked for a type that it is not.
        let found = self.devices.by_name(device)?.signature()?;
        let family = |kind: &str| String::from(kind.trim_end_matches(['2', '3', '4']));
        (family(&found.kind) == family(kind)).then(|| Check {
            device: device.into(),
            program: program.into(),
            words: words.into(),
            stamp: stamp.into(),
        })
    }

    pub(super) fn checked(&mut self, now: Millis, ticket: Ticket, ended: Result<Ended, Fault>) {
        if self.tickets.close(ticket) != Some(Job::Check) {
            return;
        }
        let Stage::Checking {
            device,
            generation,
            types,
            since,
        } = self.stage.clone()
        else {
            return;
        };
        self.trunk = self.trunk.map(|trunk| trunk.plus(since.until(now)));
        self.stage = Stage::Searching;
        let verdict = match &ended {
            Ok(ended) => check::verdict(ended.status),
            Err(_) => Verdict::Failed,
        };
        let (level, text) = match (verdict, ended) {
            (Verdict::Left, Ok(ended)) => {
                return self.give_up(now, Cause::Check { device, ended });
            }
            (Verdict::Reboot, _) => return self.reboot_after_check(&device),
            (Verdict::Clean, _) => (Level::Info, format!("{device} is checked")),
            (Verdict::Repaired, _) => {
                let text = format!("the file system on {device} had errors, which are repaired");
                (Level::Warning, text)
            }
            (_, Ok(Ended { status, .. })) => {
                let text = format!(
                    "checking {device} ended with status {status}: the boot goes on without it"
                );
                (Level::Warning, text)
            }
            (_, Err(fault)) => {
                let text = format!("{device} is not checked, and the boot goes on: {fault}");
                (Level::Warning, text)
            }
        };
        self.say(level, text);
        self.checks.done = Some((device.clone(), generation));
        self.stage = Stage::Preparing {
            device,
            generation,
            types,
        };
    }

    fn reboot_after_check(&mut self, device: &str) {
        let text = format!("{device} was repaired in a way that needs a reboot: rebooting");
        self.say(Level::Error, text);
        self.dismiss();
        self.stage = Stage::Over;
        let end = End::Reboot(0);
        self.out.push(Action::End { end });
    }
}
