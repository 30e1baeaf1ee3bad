//! The workers of a simulated machine: what each job does, and how it ends.

use crate::faults::{Fault, Times, Verb};
use crate::machine::{Coming, Machine, load_text, mount_text, no_init_text};
use crate::world::{World, fs_alias};
use landfall::base::fault::Fault as Failure;
use landfall::base::text::Text;
use landfall::format::efi_variable::Told;
use landfall::format::identity::Finding;
use landfall::format::kmod::Resolution;
use landfall::format::luks::order::Refusal;
use landfall::plan::action::Action;
use landfall::plan::event::{Event, Ticket};
use std::collections::VecDeque;

pub const DEFAULT_INITS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

#[derive(Clone, Debug)]
pub enum Job {
    Walk,
    Resolve(String),
    Load(String),
    Probe(String),
    Read(String, usize),
    Links(String),
    Firmware,
    Unlock(String),
    Ask,
    Resume,
    Mount { device: String, fstype: String },
    FindInit(Option<String>),
}

/// A job under way.
pub struct Task {
    pub job: Job,
    /// Aliases that the kernel will ask for before the job can end.
    pub asks: VecDeque<String>,
    /// The disk that it works on, and which medium that was.
    pub medium: Option<(usize, u64)>,
    /// What a probe has read.
    pub read: Option<Finding>,
}

impl Job {
    pub fn of(action: &Action) -> Option<(Ticket, Self)> {
        let text = |t: &Text| t.as_str().unwrap_or("").to_string();
        Some(match action {
            Action::Walk { ticket, .. } => (*ticket, Self::Walk),
            Action::Resolve { ticket, alias } => (*ticket, Self::Resolve(text(alias))),
            Action::Load { ticket, module } => (*ticket, Self::Load(module.clone())),
            Action::Probe { ticket, device, .. } => (*ticket, Self::Probe(device.clone())),
            Action::Read {
                ticket,
                device,
                ranges,
                ..
            } => (*ticket, Self::Read(device.clone(), ranges.len())),
            Action::Links { ticket, device } => (*ticket, Self::Links(device.clone())),
            Action::AskFirmware { ticket } => (*ticket, Self::Firmware),
            Action::Unlock { ticket, order } => (*ticket, Self::Unlock(order.device.clone())),
            Action::Ask { ticket, .. } => (*ticket, Self::Ask),
            Action::Resume { ticket, .. } => (*ticket, Self::Resume),
            Action::Mount { ticket, mount } => {
                let (device, fstype) = (mount.device.clone(), mount.fstype.clone());
                (*ticket, Self::Mount { device, fstype })
            }
            Action::FindInit { ticket, init } => (*ticket, Self::FindInit(init.as_ref().map(text))),
            _ => return None,
        })
    }

    pub fn is(&self, verb: Verb, object: &str) -> bool {
        match (self, verb) {
            (Self::Walk, Verb::Walk) | (Self::FindInit(_), Verb::FindInit) => true,
            (Self::Resolve(name), Verb::Resolve)
            | (Self::Load(name), Verb::Load)
            | (Self::Probe(name), Verb::Probe)
            | (Self::Mount { device: name, .. }, Verb::Mount) => name == object,
            _ => false,
        }
    }

    pub fn latency(&self, world: &World) -> u64 {
        match self {
            Self::Walk => world.latency("walk", ""),
            Self::Resolve(alias) => world.latency("resolve", alias),
            Self::Load(module) => world.latency("load", module),
            Self::Probe(device) => world.latency("probe", device),
            Self::Read(device, _) | Self::Links(device) => world.latency("links", device),
            Self::Firmware | Self::Ask => world.latency("firmware", ""),
            Self::Unlock(device) => world.latency("unlock", device),
            Self::Resume => world.latency("mount", "resume"),
            Self::Mount { device, .. } => world.latency("mount", device),
            Self::FindInit(_) => world.latency("init", ""),
        }
    }
}

impl Machine<'_> {
    /// Starts a job: a probe reads now and answers later, as real ones do.
    pub fn task(&mut self, job: Job) -> Task {
        let mut task = Task {
            job,
            asks: VecDeque::new(),
            medium: None,
            read: None,
        };
        match &task.job {
            Job::Load(module) => {
                let entry = self.world.catalog.mods.get(module);
                task.asks = entry
                    .map(|m| m.asks.iter().cloned().collect())
                    .unwrap_or_default();
            }
            Job::Probe(device) => {
                task.medium = self.disk_behind(device);
                task.read = self.content(device);
            }
            Job::Mount { device, fstype } => {
                task.medium = self.disk_behind(device);
                task.asks.push_back(fs_alias(fstype));
                if let Some((disk, _)) = task.medium {
                    let wants = &self.disks[&disk].medium.wants;
                    task.asks
                        .extend(wants.iter().map(|(alias, _)| alias.clone()));
                }
            }
            Job::Walk
            | Job::Resolve(_)
            | Job::FindInit(_)
            | Job::Read(..)
            | Job::Links(_)
            | Job::Unlock(_)
            | Job::Ask
            | Job::Resume
            | Job::Firmware => {}
        }
        task
    }

    /// What identification would find on this device now.
    fn content(&self, device: &str) -> Option<Finding> {
        let (disk, _) = self.disk_behind(device)?;
        let live = &self.disks[&disk];
        if live.empty {
            return None;
        }
        let lies = |f: &Fault| matches!(f, Fault::ProbeLies { device: d } if d == device);
        if self.world.faults.iter().any(lies) {
            return Some(Finding::default());
        }
        let spec = &self.world.disks[disk];
        let part = live
            .medium
            .parts
            .iter()
            .find(|p| spec.part_name(p.number) == device);
        Some(part.map_or(&live.medium.finding, |p| &p.finding).clone())
    }

    /// The next step of a job: another request of the kernel, or its end.
    pub fn proceed(&mut self, ticket: Ticket) {
        let Some(task) = self.jobs.get_mut(&ticket) else {
            return;
        };
        while let Some(alias) = task.asks.pop_front() {
            let found = self.world.catalog.resolve(&alias);
            let there = found.builtin || found.answers.iter().any(|m| self.loaded.contains(m));
            if there {
                continue;
            }
            let request = self.next_request;
            self.next_request += 1;
            self.requests.insert(request, ticket);
            let name = alias.as_str().into();
            return self.tell(Event::ModuleWanted { request, name });
        }
        if let Some(task) = self.jobs.remove(&ticket) {
            self.finish(ticket, task);
        }
    }

    fn finish(&mut self, ticket: Ticket, task: Task) {
        let event = match &task.job {
            Job::Walk => return self.walk(ticket),
            Job::Resolve(alias) => Event::Resolved {
                ticket,
                resolution: self.lookup(alias).into(),
            },
            Job::Load(module) => self.load(ticket, module),
            Job::Probe(device) => self.probe(ticket, device, &task),
            Job::Read(_, ranges) => Event::Bytes {
                ticket,
                pieces: vec![None; *ranges],
            },
            Job::Links(device) => Event::Linked {
                ticket,
                names: vec![format!("by-path/{device}")],
            },
            Job::Firmware => Event::Firmware {
                ticket,
                told: Told {
                    booted: self.world.booted.clone(),
                    hibernated: None,
                },
            },
            // No container opens in these worlds, and nobody is at a console.
            Job::Unlock(device) => Event::UnlockFailed {
                ticket,
                why: Refusal::Volume,
                fault: Failure::plain(format!("{device} does not open (simulated)")),
            },
            Job::Ask => Event::AskFailed {
                ticket,
                fault: Failure::plain("nobody is there (simulated)"),
            },
            // Whoever goes on needs no laws of ours.
            Job::Resume => Event::NotResumed {
                ticket,
                fault: Failure::plain("the kernel could not go on with it (simulated)"),
                kernel: Vec::new(),
            },
            Job::Mount { device, fstype } => self.mount(ticket, device, fstype, &task),
            Job::FindInit(init) => self.find_init(ticket, init.as_deref()),
        };
        if self.echo {
            let again = self.now + self.rng.below(1 + self.world.pace);
            self.at(again, Coming::Nudge(event.clone()));
        }
        self.tell(event);
    }

    fn lookup(&self, alias: &str) -> Resolution {
        let empty = |f: &Fault| matches!(f, Fault::ResolveEmpty { alias: a } if a == alias);
        match self.world.faults.iter().any(empty) {
            true => Resolution::default(),
            false => self.world.catalog.resolve(alias),
        }
    }

    /// Does a fault say that this job fails, this time?
    fn fails(&mut self, verb: Verb, object: &str) -> bool {
        let tries = self.tries.entry((verb, object.into())).or_default();
        *tries += 1;
        let first = *tries == 1;
        self.world.faults.iter().any(|f| {
            let (name, times) = match (f, verb) {
                (Fault::ProbeFails { device, times }, Verb::Probe) => (device, *times),
                (Fault::LoadFails { module, times }, Verb::Load) => (module, *times),
                (Fault::MountFails { device, times }, Verb::Mount) => (device, *times),
                _ => return false,
            };
            name == object && (times == Times::Always || first)
        })
    }

    fn load(&mut self, ticket: Ticket, module: &str) -> Event {
        let known = self.world.catalog.mods.get(module);
        let needs = known.is_some_and(|m| m.needs.iter().all(|n| self.loaded.contains(n)));
        if known.is_none() || !needs || self.fails(Verb::Load, module) {
            let errno = if known.is_none() { 2 } else { 8 };
            return Event::LoadFailed {
                ticket,
                fault: Failure::new(errno, load_text(module)),
            };
        }
        self.loaded.insert(module.into());
        self.bind();
        Event::Loaded { ticket }
    }

    fn probe(&mut self, ticket: Ticket, device: &str, task: &Task) -> Event {
        let now = self.disk_behind(device);
        let same = now.is_some() && now == task.medium;
        if self.fails(Verb::Probe, device) || task.read.is_none() || (!same && self.rng.chance(50))
        {
            let fault = Failure::new(
                5,
                format!("reading {device}: input/output error (simulated)"),
            );
            return Event::ProbeFailed { ticket, fault };
        }
        Event::Probed {
            ticket,
            finding: task.read.clone().unwrap_or_default().into(),
        }
    }

    fn mount(&mut self, ticket: Ticket, device: &str, fstype: &str, task: &Task) -> Event {
        let refuse = |errno, text: String| {
            let kernel = vec![Text::from(format!("{device}: Can't open blockdev"))];
            Event::MountFailed {
                ticket,
                fault: Failure::new(errno, text),
                kernel,
            }
        };
        let now = self.disk_behind(device);
        if now.is_none() || now != task.medium {
            return refuse(
                6,
                format!("mount {device}: no such device or address (simulated)"),
            );
        }
        if self.fails(Verb::Mount, device) {
            return refuse(117, mount_text(device));
        }
        let wants = now
            .map(|(d, _)| self.disks[&d].medium.wants.clone())
            .unwrap_or_default();
        let required = wants
            .into_iter()
            .filter(|(_, required)| *required)
            .map(|(alias, _)| alias);
        for alias in required.chain([fs_alias(fstype)]) {
            let found = self.world.catalog.resolve(&alias);
            if !found.builtin && !found.answers.iter().any(|m| self.loaded.contains(m)) {
                return refuse(
                    19,
                    format!("mount {device}: no module for {alias} (simulated)"),
                );
            }
        }
        let kind = self
            .content(device)
            .and_then(|f| f.signature)
            .map(|s| s.kind);
        if kind.as_deref() != Some(fstype) {
            return refuse(22, format!("mount {device}: it is no {fstype} (simulated)"));
        }
        self.mounted_on = now;
        Event::Mounted { ticket }
    }

    fn find_init(&self, ticket: Ticket, init: Option<&str>) -> Event {
        let there = |path: &str| {
            let (disk, sequence) = self.mounted_on?;
            let live = self.disks.get(&disk).filter(|l| l.sequence == sequence)?;
            live.medium
                .inits
                .iter()
                .any(|i| i == path)
                .then(|| Text::from(path))
        };
        let found = match init {
            Some(path) => there(path),
            None => DEFAULT_INITS.into_iter().find_map(there),
        };
        match found {
            Some(path) => Event::InitFound { ticket, path },
            None => Event::InitMissing {
                ticket,
                fault: Failure::new(2, no_init_text(init)),
            },
        }
    }
}

/// An answer that nobody waits for: a ticket never issued, or one long answered.
pub fn stray(kind: u64, _open: Option<Ticket>) -> Event {
    let ticket = Ticket(u32::MAX - (kind % 3) as u32);
    let fault = Failure::plain("stray");
    match kind % 10 {
        0 => Event::Loaded { ticket },
        1 => Event::LoadFailed { ticket, fault },
        2 => Event::Probed {
            ticket,
            finding: Box::default(),
        },
        3 => Event::Mounted { ticket },
        4 => Event::MountFailed {
            ticket,
            fault,
            kernel: Vec::new(),
        },
        5 => Event::InitFound {
            ticket,
            path: "/stray".into(),
        },
        6 => Event::Walked { ticket },
        7 => Event::Resolved {
            ticket,
            resolution: Box::default(),
        },
        8 => Event::ShellLeft {
            ticket,
            fault: None,
        },
        _ => Event::HandOverFailed { ticket, fault },
    }
}
