//! What the plan has been told, and what it has asked: followed step by step for the laws.
//!
//! This is the laws' own, simple-minded bookkeeping; it shares no code with the plan. A device's
//! *life* begins when it appears under a name, and again when another medium does (a higher
//! sequence). What is known of an earlier life says nothing about this one.

use crate::prospects::FASTER_MS;
use crate::story::Step;
use landfall::base::millis::Millis;
use landfall::base::text::Text;
use landfall::format::dm_init::Mapping;
use landfall::format::identity::Finding;
use landfall::format::kmod::Resolution;
use landfall::plan::action::{Action, Mount};
use landfall::plan::event::{Block, Event, Ticket};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked under a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Walk,
    Resolve(Text),
    Load(String),
    Probe(String),
    Read(String),
    Assemble(String),
    Announce,
    Links(String),
    Firmware,
    Unlock(String),
    Ask,
    Map(Mapping),
    Attach,
    Resume,
    Mount(Mount),
    FindInit(Option<Text>),
    HandOver(Text),
    Network,
    Shell,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub question: Question,
    /// The step in which it was asked.
    pub step: usize,
    pub answered: bool,
}

/// One block device, as reported.
#[derive(Clone, Debug)]
pub struct Seen {
    pub block: Block,
    pub present: bool,
    /// The step of the last report after which an earlier probe is worth nothing.
    pub fresh: usize,
    /// The step of the last report that told anything new, old news of an earlier medium included.
    pub stirred: usize,
    /// It was reported as changed, and may hold a medium whose size nobody knows yet.
    pub changed: bool,
    /// The last report spoke of an earlier medium.
    pub contradicted: bool,
    /// The last step in which it was reported at all.
    pub reported: usize,
    pub finding: Option<Finding>,
    pub failed: bool,
    /// A mount from it failed in this life.
    pub refused: bool,
}

#[derive(Default)]
pub struct Known {
    /// The number of the current step.
    pub step: usize,
    /// A hibernated system did not go on.
    pub resume_failed: bool,
    pub asked: BTreeMap<Ticket, Asked>,
    pub blocks: BTreeMap<String, Seen>,
    /// Modaliases of all devices that were reported.
    pub modaliases: BTreeSet<String>,
    /// The module that is to be loaded before all others, and until when.
    pub faster: Option<(String, u64)>,
    pub loading: BTreeSet<String>,
    pub loaded: BTreeSet<String>,
    /// How often a load was asked for, since somebody left a shell.
    pub tries: BTreeMap<String, u32>,
    pub failed: BTreeSet<String>,
    pub resolutions: BTreeMap<Text, Resolution>,
    /// Open and answered requests of the kernel: name, and the answer.
    pub requests: BTreeMap<u32, (Text, Option<bool>)>,
    pub mounted: Option<Mount>,
    pub init: Option<Text>,
    /// A page was shown, and nobody has left a shell since.
    pub gave_up: bool,
    /// Nothing may follow any more.
    pub over: bool,
    pub shells_left: u32,
    /// The step in which somebody last left a shell.
    pub resumed: usize,
    pub warnings: Vec<String>,
}

impl Known {
    /// The question that this answer belongs to, if it was open.
    fn close(&mut self, ticket: Ticket, fits: fn(&Question) -> bool) -> Option<Asked> {
        let asked = self.asked.get_mut(&ticket)?;
        if asked.answered || !fits(&asked.question) {
            return None;
        }
        asked.answered = true;
        Some(asked.clone())
    }

    pub fn open(&self) -> impl Iterator<Item = &Asked> {
        self.asked.values().filter(|a| !a.answered)
    }

    /// An open probe whose answer will still be worth something.
    pub fn is_probing(&self, device: &str) -> bool {
        let fresh = self.blocks.get(device).map_or(0, |s| s.fresh);
        self.open()
            .any(|a| a.step >= fresh && a.question == Question::Probe(device.into()))
    }

    /// An open probe that was asked since anything new was told of the device.
    pub fn is_probing_again(&self, device: &str) -> bool {
        let stirred = self.blocks.get(device).map_or(0, |s| s.stirred);
        self.open()
            .any(|a| a.step >= stirred && a.question == Question::Probe(device.into()))
    }

    /// May all others still wait for the module that hashes signatures faster?
    pub fn may_hold(&self, now: Millis) -> bool {
        let open = |name: &String| !self.loaded.contains(name) && !self.failed.contains(name);
        let faster = self.faster.as_ref();
        faster.is_some_and(|(name, until)| now.0 < *until && open(name))
    }

    /// The finding of a device that is there.
    pub fn finding(&self, device: &str) -> Option<&Finding> {
        self.blocks
            .get(device)
            .filter(|s| s.present)?
            .finding
            .as_ref()
    }

    /// Everything that an event tells.
    pub fn hear(&mut self, number: usize, step: &Step) {
        self.step = number;
        let event = &step.event;
        match event {
            Event::Signatures { faster, .. } => {
                self.faster = Some((faster.clone(), step.now.0 + FASTER_MS));
            }
            Event::Bus { modalias, .. } => {
                self.modaliases.insert(modalias.clone());
            }
            Event::Block(block) => self.announced(block, false),
            Event::BlockChanged(block) => self.announced(block, true),
            Event::BlockGone { name } => {
                if let Some(seen) = self.blocks.get_mut(name) {
                    seen.present = false;
                }
            }
            Event::ModuleWanted { request, name } => {
                self.requests
                    .entry(*request)
                    .or_insert((name.clone(), None));
            }
            _ => self.hear_answer(event),
        }
    }

    fn hear_answer(&mut self, event: &Event) {
        match event {
            Event::Walked { ticket } => self.walked(*ticket),
            Event::Resolved { ticket, resolution } => {
                let asked = self.close(*ticket, |q| matches!(q, Question::Resolve(_)));
                if let Some(Asked {
                    question: Question::Resolve(alias),
                    ..
                }) = asked
                {
                    self.resolutions.insert(alias, (**resolution).clone());
                }
            }
            Event::Loaded { ticket } => self.load_ended(*ticket, true),
            Event::LoadFailed { ticket, .. } => self.load_ended(*ticket, false),
            Event::Probed { ticket, finding } => self.probed(*ticket, Some(finding)),
            Event::ProbeFailed { ticket, .. } => self.probed(*ticket, None),
            Event::Assembled { ticket } | Event::AssembleFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Assemble(_)));
            }
            Event::Announced { ticket, .. } | Event::AnnounceFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Announce));
            }
            Event::Bytes { ticket, .. } | Event::ReadFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Read(_)));
            }
            Event::Linked { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Links(_)));
            }
            Event::Firmware { ticket, .. } => {
                self.close(*ticket, |q| *q == Question::Firmware);
            }
            Event::Unlocked { ticket } | Event::UnlockFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Unlock(_)));
            }
            Event::Answered { ticket, .. }
            | Event::Agreed { ticket, .. }
            | Event::AskFailed { ticket, .. } => {
                self.close(*ticket, |q| *q == Question::Ask);
            }
            Event::Mapped { ticket } | Event::MapFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::Map(_)));
            }
            Event::Attached { ticket, .. } | Event::AttachFailed { ticket, .. } => {
                self.close(*ticket, |q| *q == Question::Attach);
            }
            Event::NotResumed { ticket, .. } => {
                let open = self.close(*ticket, |q| *q == Question::Resume);
                self.resume_failed |= open.is_some();
            }
            Event::Mounted { ticket } => self.mount_ended(*ticket, true),
            Event::MountFailed { ticket, .. } => self.mount_ended(*ticket, false),
            Event::InitFound { ticket, path } => {
                let open = self.close(*ticket, |q| matches!(q, Question::FindInit(_)));
                self.init = open.map(|_| path.clone()).or(self.init.take());
            }
            Event::InitMissing { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::FindInit(_)));
            }
            Event::HandOverFailed { ticket, .. } => {
                self.close(*ticket, |q| matches!(q, Question::HandOver(_)));
            }
            Event::ShellLeft { ticket, fault } => {
                let open = self
                    .close(*ticket, |q| matches!(q, Question::Shell))
                    .is_some();
                if open && fault.is_none() {
                    self.shells_left += 1;
                    self.resumed = self.step;
                    self.gave_up = false;
                    self.tries.clear();
                }
            }
            _ => {}
        }
    }

    /// Everything that an action asks. Call after the laws have looked at it.
    pub fn ask(&mut self, action: &Action) {
        let question = match action {
            Action::Walk { .. } => Question::Walk,
            Action::Resolve { alias, .. } => Question::Resolve(alias.clone()),
            Action::Load { module, .. } => {
                self.loading.insert(module.clone());
                *self.tries.entry(module.clone()).or_default() += 1;
                Question::Load(module.clone())
            }
            Action::Probe { device, .. } => Question::Probe(device.clone()),
            Action::Read { device, .. } => Question::Read(device.clone()),
            Action::Links { device, .. } => Question::Links(device.clone()),
            Action::AskFirmware { .. } => Question::Firmware,
            Action::Assemble { device, .. } => Question::Assemble(device.clone()),
            Action::Unlock { order, .. } => Question::Unlock(order.device.clone()),
            Action::Ask { .. } => Question::Ask,
            Action::Withdraw { ticket } | Action::Abandon { ticket } => {
                self.close(*ticket, |q| matches!(q, Question::Ask | Question::Network));
                return;
            }
            Action::Forget { .. } | Action::Show { .. } => return,
            Action::Announce { .. } => Question::Announce,
            Action::Map { mapping, .. } => Question::Map((**mapping).clone()),
            Action::Attach { .. } => Question::Attach,
            Action::Resume { .. } => Question::Resume,
            Action::Mount { mount, .. } => Question::Mount((**mount).clone()),
            Action::FindInit { init, .. } => Question::FindInit(init.clone()),
            Action::HandOver { init, .. } => Question::HandOver(init.clone()),
            Action::Shell { .. } => Question::Shell,
            // No world of these has a network.
            Action::Net { .. } => Question::Network,
            Action::Reply { request, ok } => {
                if let Some(request) = self.requests.get_mut(request) {
                    request.1 = Some(*ok);
                }
                return;
            }
            // None of these asks for a layer.
            Action::Layer { .. } => return,
            // No image of these holds a checker or a hook.
            Action::Check { .. } | Action::Hook { .. } => return,
            Action::WatchDrives
            | Action::Fallback { .. }
            | Action::LeaveShutdown
            | Action::Stay { .. } => return,
            Action::Say { text, .. } => return self.warnings.push(text.clone()),
            Action::Page { .. } => return self.gave_up = true,
            Action::End { .. } | Action::Reboot => return self.over = true,
        };
        if let Some(ticket) = ticket_of(action) {
            self.asked.insert(
                ticket,
                Asked {
                    question,
                    step: self.step,
                    answered: false,
                },
            );
        }
    }

    fn announced(&mut self, block: &Block, changed: bool) {
        let step = self.step;
        match self.blocks.get_mut(&block.name) {
            Some(seen) if seen.present && seen.block == *block && !changed => {
                if std::mem::take(&mut seen.contradicted) {
                    seen.stirred = step;
                }
                seen.reported = step;
            }
            // The queue still holds news of a disk that a walk has already seen replaced.
            Some(seen) if seen.present && seen.block.sequence > block.sequence => {
                seen.stirred = step;
                seen.contradicted = true;
                seen.changed |= changed;
                seen.reported = step;
            }
            _ => {
                let seen = Seen {
                    block: block.clone(),
                    present: true,
                    fresh: step,
                    stirred: step,
                    changed,
                    contradicted: false,
                    reported: step,
                    finding: None,
                    failed: false,
                    refused: false,
                };
                self.blocks.insert(block.name.clone(), seen);
            }
        }
    }

    /// What was reported before a walk, and not by it, is gone: its departure was missed.
    fn walked(&mut self, ticket: Ticket) {
        let Some(walk) = self.close(ticket, |q| *q == Question::Walk) else {
            return;
        };
        for seen in self.blocks.values_mut().filter(|s| s.reported <= walk.step) {
            seen.present = false;
        }
    }

    fn load_ended(&mut self, ticket: Ticket, well: bool) {
        let asked = self.close(ticket, |q| matches!(q, Question::Load(_)));
        let Some(Asked {
            question: Question::Load(module),
            ..
        }) = asked
        else {
            return;
        };
        self.loading.remove(&module);
        if well {
            self.failed.remove(&module);
            self.loaded.insert(module);
        } else {
            self.failed.insert(module);
        }
    }

    fn probed(&mut self, ticket: Ticket, finding: Option<&Finding>) {
        let asked = self.close(ticket, |q| matches!(q, Question::Probe(_)));
        let Some(Asked {
            question: Question::Probe(device),
            step,
            ..
        }) = asked
        else {
            return;
        };
        if let Some(seen) = self.blocks.get_mut(&device).filter(|s| step >= s.fresh) {
            seen.finding = finding.cloned();
            seen.failed = finding.is_none();
        }
    }

    fn mount_ended(&mut self, ticket: Ticket, well: bool) {
        let asked = self.close(ticket, |q| matches!(q, Question::Mount(_)));
        let Some(Asked {
            question: Question::Mount(mount),
            step,
            ..
        }) = asked
        else {
            return;
        };
        if well {
            self.mounted = Some(mount);
        } else if let Some(seen) = self.blocks.get_mut(&mount.device) {
            seen.refused |= step >= seen.fresh;
        }
    }
}

/// The ticket that an action waits under.
pub fn ticket_of(action: &Action) -> Option<Ticket> {
    match action {
        Action::Walk { ticket, .. }
        | Action::Resolve { ticket, .. }
        | Action::Load { ticket, .. }
        | Action::Probe { ticket, .. }
        | Action::Read { ticket, .. }
        | Action::Assemble { ticket, .. }
        | Action::Announce { ticket, .. }
        | Action::Links { ticket, .. }
        | Action::AskFirmware { ticket }
        | Action::Unlock { ticket, .. }
        | Action::Ask { ticket, .. }
        | Action::Map { ticket, .. }
        | Action::Attach { ticket, .. }
        | Action::Resume { ticket, .. }
        | Action::Check { ticket, .. }
        | Action::Hook { ticket, .. }
        | Action::Mount { ticket, .. }
        | Action::Layer { ticket, .. }
        | Action::FindInit { ticket, .. }
        | Action::HandOver { ticket, .. }
        | Action::Net { ticket, .. }
        | Action::Shell { ticket } => Some(*ticket),
        Action::WatchDrives
        | Action::LeaveShutdown
        | Action::Stay { .. }
        | Action::Withdraw { .. }
        | Action::Abandon { .. }
        | Action::Forget { .. }
        | Action::Reply { .. }
        | Action::Say { .. }
        | Action::Page { .. }
        | Action::Fallback { .. }
        | Action::Show { .. }
        | Action::End { .. }
        | Action::Reboot => None,
    }
}
