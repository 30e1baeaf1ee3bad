//! A boot without a machine: the real plan, told what would happen, until it has decided.
//!
//! Devices are images or this machine's own; drivers are looked up where the boot would find them.
//! All work takes no time, so the clock stands still except when the plan waits for its deadline.
//! What cannot be known without mounting is taken to go well, and who asks is told so.

use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::cmdline;
use crate::format::identity::{Finding, Range};
use crate::format::kmod::{Catalog, Resolution};
use crate::host::module_index::ModuleIndex;
use crate::host::stage::Stage;
use crate::plan::Plan;
use crate::plan::action::{Action, Mount};
use crate::plan::event::{Event, Ticket};
use std::collections::{BTreeSet, VecDeque};

const ENOENT: i32 = 2;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;

/// No boot has more: the backstop against a plan that never ends.
const MAX_EVENTS: usize = 200_000;

/// One thing that happened or was wanted.
pub enum Record {
    Event(Millis, Event),
    Action(Millis, Action),
}

/// How it would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Boots,
    GivesUp,
    /// `rootwait`: nothing more happens, and nothing ends it.
    WaitsForEver,
}

pub struct Rehearsal<'a> {
    plan: Plan,
    now: Millis,
    queue: VecDeque<Event>,
    stage: &'a Stage,
    /// `None`: the kernel is taken to have every driver built in.
    drivers: Option<(&'a ModuleIndex, Catalog<'a>)>,
    loaded: BTreeSet<String>,
    /// For each disk how much of it was announced: its buses in order, then itself.
    announced: Vec<usize>,
    pub records: Vec<Record>,
    ending: Option<Ending>,
}

impl<'a> Rehearsal<'a> {
    pub fn new(stage: &'a Stage, index: Option<&'a ModuleIndex>, words: &[u8]) -> Self {
        let drivers = index.map(|index| {
            let mut catalog = index.catalog();
            for word in cmdline::words(words) {
                catalog.config.word(word.key, word.value);
            }
            (index, catalog)
        });
        Self {
            plan: Plan::new(),
            now: Millis(0),
            queue: VecDeque::from([Event::Boot {
                cmdline: Text::from(words),
            }]),
            stage,
            drivers,
            loaded: BTreeSet::new(),
            announced: vec![0; stage.disks.len()],
            records: Vec::new(),
            ending: None,
        }
    }

    /// Runs to the end.
    pub fn run(&mut self) -> Ending {
        for _ in 0..MAX_EVENTS {
            let event = match (self.queue.pop_front(), self.plan.deadline()) {
                (Some(event), _) => event,
                (None, Some(at)) => {
                    self.now = self.now.max(at);
                    Event::Timer
                }
                (None, None) => return Ending::WaitsForEver,
            };
            self.records.push(Record::Event(self.now, event.clone()));
            for action in self.plan.handle(self.now, event) {
                self.records.push(Record::Action(self.now, action.clone()));
                self.act(action);
            }
            if let Some(ending) = self.ending.take() {
                return ending;
            }
        }
        Ending::WaitsForEver
    }

    fn act(&mut self, action: Action) {
        let answer = match action {
            Action::Walk { ticket, .. } => {
                self.announced.fill(0);
                self.announce();
                Event::Walked { ticket }
            }
            Action::Resolve { ticket, alias } => Event::Resolved {
                ticket,
                resolution: self.resolve(alias.as_bytes()),
            },
            Action::Load { ticket, module } => self.load(ticket, module),
            Action::Probe {
                ticket,
                device,
                lens,
            } => match self.stage.identify(&device, lens.as_ref()) {
                Ok(finding) => Event::Probed { ticket, finding },
                Err(fault) => Event::ProbeFailed { ticket, fault },
            },
            Action::Read {
                ticket,
                device,
                lens,
                ranges,
            } => {
                let read = |r: &Range| self.stage.read(&device, lens.as_ref(), *r).ok().map(Text);
                let pieces = ranges.iter().map(read).collect();
                Event::Bytes { ticket, pieces }
            }
            // An image hangs on no bus, and no firmware has booted.
            Action::Links { ticket, .. } => Event::Linked {
                ticket,
                names: Vec::new(),
            },
            Action::AskFirmware { ticket } => Event::Firmware {
                ticket,
                booted: None,
            },
            Action::Map { ticket, mapping } => {
                let text = format!("{} is not made in a rehearsal", mapping.name);
                let fault = Fault::plain(text);
                Event::MapFailed { ticket, fault }
            }
            Action::Mount { ticket, mount } => match self.mount(&mount) {
                Ok(()) => Event::Mounted { ticket },
                Err(fault) => Event::MountFailed {
                    ticket,
                    fault,
                    kernel: Vec::new(),
                },
            },
            Action::FindInit { ticket, init } => Event::InitFound {
                ticket,
                path: init.unwrap_or_else(|| Text::from("/sbin/init")),
            },
            Action::HandOver { .. } => return self.ending = Some(Ending::Boots),
            Action::Shell { .. } | Action::End { .. } | Action::Reboot => {
                return self.ending = Some(Ending::GivesUp);
            }
            _ => return,
        };
        self.queue.push_back(answer);
    }

    // -- devices ------------------------------------------------------------------------------

    /// Announces whatever has its driver, in the order of the buses.
    fn announce(&mut self) {
        for i in 0..self.announced.len() {
            while let Some(events) = self.next_of(i) {
                self.queue.extend(events);
            }
        }
    }

    /// What of disk `i` is announced next, if its driver is there.
    fn next_of(&mut self, i: usize) -> Option<Vec<Event>> {
        let disk = self.stage.disks.get(i)?;
        let done = *self.announced.get(i)?;
        let buses = match self.drivers {
            Some(_) => disk.buses.as_slice(),
            None => &[],
        };
        let driven = match done.checked_sub(1).and_then(|last| buses.get(last)) {
            Some((_, modalias)) => self.is_driven(modalias),
            None => true,
        };
        if !driven || done > buses.len() {
            return None;
        }
        if let Some(announced) = self.announced.get_mut(i) {
            *announced = done.saturating_add(1);
        }
        Some(match buses.get(done) {
            Some((path, modalias)) => vec![Event::Bus {
                path: path.clone(),
                modalias: modalias.clone(),
            }],
            None => disk.blocks.iter().cloned().map(Event::Block).collect(),
        })
    }

    /// Is a driver for this alias built in or loaded?
    fn is_driven(&self, alias: &str) -> bool {
        let found = self.resolve(alias.as_bytes());
        found.builtin || found.answers.iter().any(|name| self.loaded.contains(name))
    }

    // -- drivers ------------------------------------------------------------------------------

    fn resolve(&self, alias: &[u8]) -> Resolution {
        match &self.drivers {
            Some((_, catalog)) => catalog.resolve(alias),
            None => Resolution {
                builtin: true,
                ..Resolution::default()
            },
        }
    }

    fn load(&mut self, ticket: Ticket, module: String) -> Event {
        if let Some((index, catalog)) = &self.drivers {
            let path = catalog.path_of(&module).unwrap_or_default();
            if !index.holds(&path) {
                let text = format!("load {module}: {path} is listed but is not there");
                let fault = Fault::new(ENOENT, text);
                return Event::LoadFailed { ticket, fault };
            }
        }
        self.loaded.insert(module);
        // The kernel announces what a driver found before loading ends.
        self.announce();
        Event::Loaded { ticket }
    }

    // -- root ---------------------------------------------------------------------------------

    fn mount(&self, mount: &Mount) -> Result<(), Fault> {
        let (device, wanted) = (&mount.device, &mount.fstype);
        let finding = self.stage.identify(device, None)?;
        if !self.is_driven(&format!("fs-{wanted}")) {
            let text = format!("mount {device}: there is no driver for {wanted}");
            return Err(Fault::new(ENODEV, text));
        }
        if mounts(wanted, &finding) {
            return Ok(());
        }
        let found = finding.signature.map_or("nothing known".into(), |s| s.kind);
        let text = format!("mount {device} as {wanted}: what is on it is {found}");
        Err(Fault::new(EINVAL, text))
    }
}

/// Would the driver of `wanted` take what was found? (That of ext4 takes its ancestors, too.)
fn mounts(wanted: &str, finding: &Finding) -> bool {
    let Some(signature) = &finding.signature else {
        return finding.ambivalent.iter().any(|kind| kind == wanted);
    };
    let ext = |kind: &str| matches!(kind, "ext2" | "ext3" | "ext4");
    signature.kind == wanted || (wanted == "ext4" && ext(&signature.kind))
}
