//! Starts what is needed, from below: first the devices that it lies on, then each of its own.
//!
//! One step at a time for each device: the next waits until the kernel has announced the one
//! before, whose number it needs.

use super::super::Stage;
use super::super::action::{Action, Level};
use super::super::event::Ticket;
use super::super::give_up::Cause;
use super::super::mapping;
use super::super::root::{self, Answer};
use super::super::ticket::Job;
use super::{Plan, What};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Joined;
use crate::format::dm_init::{Mapping, Target};
use crate::format::lvm2::table::{self, Word};
use crate::format::md::Step;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// How far the start of a device is. Steps are called by what they make: a mapping, or the array.
pub(super) enum Standing {
    /// This step has not ended.
    UnderWay(String),
    /// The kernel did this step; it announces what came of it, before or after.
    Done(String),
    Failed(Fault),
}

impl Plan {
    pub(in super::super) fn start_wanted(&mut self, now: Millis) {
        let mut names: Vec<String> = self.stack.wanted.iter().cloned().listed();
        // What a wanted device lies on is wanted, too; more steps than layers there are not.
        while let Some(name) = names.pop() {
            let virtual_ = self.devices.by_name(&name).is_some_and(|d| d.is_virtual());
            if !virtual_ {
                continue;
            }
            let below = self.not_running_below(&name);
            if below.is_empty() {
                self.start(now, &name);
            }
            names.extend(below);
        }
    }

    /// Devices directly below that do not run yet.
    fn not_running_below(&self, name: &str) -> Vec<String> {
        let Some(planned) = self.stack.planned.iter().find(|p| p.name == name) else {
            return Vec::new();
        };
        let below: Vec<String> = match &planned.what {
            What::Volume { stack } => {
                let device = |id| self.stack.device_of(id).cloned();
                stack.physical().iter().filter_map(device).listed()
            }
            What::Array { members, .. } => members.clone(),
            What::Partition { disk } | What::Slice { disk, .. } => alloc::vec![disk.clone()],
        };
        let waits = |name: &String| self.devices.by_name(name).is_some_and(|d| d.is_virtual());
        below.into_iter().filter(waits).listed()
    }

    fn start(&mut self, now: Millis, name: &str) {
        let done = match self.stack.started.get(name) {
            Some(Standing::UnderWay(_) | Standing::Failed(_)) => return,
            Some(Standing::Done(step)) => Some(step.clone()),
            None => None,
        };
        let action = match self.next_step(name) {
            Ok(Some(action)) => action,
            Ok(None) => return,
            Err(text) => {
                let fault = Fault::plain(text);
                return self.start_failed(now, name, fault);
            }
        };
        let step = match &action {
            Next::Map(mapping) => mapping.name.clone(),
            Next::Assemble(_) => name.into(),
        };
        // What was made is only not announced yet.
        if done.as_ref() == Some(&step) {
            return;
        }
        if matches!(&action, Next::Map(m) if self.is_start_held(now, &m.targets)) {
            return;
        }
        self.stack.started.insert(name, Standing::UnderWay(step));
        let ticket = self.tickets.issue(Job::Start(name.into()));
        self.out.push(match action {
            Next::Map(mapping) => {
                let part = name.strip_prefix("mapper/") != Some(&mapping.name);
                if part {
                    self.devices.hide(&mapping.name);
                }
                Action::Map {
                    ticket,
                    mapping: mapping.into(),
                    part,
                }
            }
            Next::Assemble(steps) => Action::Assemble {
                ticket,
                device: name.into(),
                steps,
            },
        });
    }

    /// `Ok(None)`: not yet.
    fn next_step(&mut self, name: &str) -> Result<Option<Next>, String> {
        let Some(planned) = self.stack.planned.iter().find(|p| p.name == name) else {
            return Ok(None);
        };
        let (drivers, next) = match &planned.what {
            What::Partition { .. } => return Ok(None),
            What::Array { steps, .. } => {
                let module = |step: &Step| match step {
                    Step::Module(alias) => Some(alias.to_string()),
                    _ => None,
                };
                let drivers: Vec<String> = steps.iter().filter_map(module).listed();
                let steps = steps.iter().filter(|s| module(s).is_none()).cloned();
                (drivers, Some(Next::Assemble(steps.listed())))
            }
            What::Slice {
                disk,
                number,
                start,
                sectors,
            } => {
                let mapping = self.slice(name, disk, (*number, *start, *sectors));
                (alloc::vec!["dm-mod".into()], mapping.map(Next::Map))
            }
            What::Volume { stack } => {
                let drivers = drivers(&stack.mappings);
                let next = stack.mappings.iter().find(|m| !self.is_mapped(&m.name));
                let next = next.and_then(|m| self.with_numbers(m)).map(Next::Map);
                (drivers, next)
            }
        };
        Ok(next.filter(|_| self.drivers_ready(&drivers)))
    }

    fn drivers_ready(&mut self, drivers: &[String]) -> bool {
        let Self {
            modules,
            tickets,
            out,
            ..
        } = self;
        for alias in drivers {
            modules.want_driver(alias, tickets, out);
        }
        drivers.iter().all(|alias| modules.driver_settled(alias))
    }

    /// Does a device of this device-mapper name run?
    fn is_mapped(&self, mapped: &str) -> bool {
        self.number_of_mapped(mapped).is_some()
    }

    fn number_of_mapped(&self, mapped: &str) -> Option<(u32, u32)> {
        if let Some(number) = self.devices.internal(mapped) {
            return Some(number);
        }
        let has = |name: &Option<String>| name.as_deref() == Some(mapped);
        let mut live = self.devices.all().filter(|d| d.block.sectors > 0);
        let device = live.find(|d| has(&d.block.mapped))?;
        Some((device.block.major, device.block.minor))
    }

    /// A mapping of lvm with numbers for names; `None`: a device is not there yet.
    fn with_numbers(&self, mapping: &table::Mapping) -> Option<Mapping> {
        let number = |(major, minor): (u32, u32)| format!("{major}:{minor}");
        let word = |word: &Word| match word {
            Word::Text(text) => Some(text.clone()),
            Word::Physical(id) => {
                let device = self.devices.by_name(self.stack.device_of(id)?)?;
                Some(number((device.block.major, device.block.minor)))
            }
            Word::Device(name) => self.number_of_mapped(name).map(number),
            Word::Keyed(key, name) => {
                let number = number(self.number_of_mapped(name)?);
                Some(format!("{key}:{number}"))
            }
        };
        let target = |t: &table::Target| {
            let words: Option<Vec<String>> = t.words.iter().map(word).all_some();
            Some(Target {
                start: t.start,
                sectors: t.length,
                kind: t.kind.into(),
                arguments: words?.joined(" "),
            })
        };
        Some(Mapping {
            name: mapping.name.clone(),
            uuid: mapping.uuid.clone(),
            minor: mapping.minor,
            signature: None,
            key_file: None,
            read_only: mapping.read_only,
            targets: mapping.targets.iter().map(target).all_some()?,
        })
    }

    /// One partition of a mapped device, as kpartx makes it.
    fn slice(&self, name: &str, disk: &str, part: (u32, u64, u64)) -> Option<Mapping> {
        let (number, start, sectors) = part;
        let block = &self.devices.by_name(disk)?.block;
        let mapped = name.strip_prefix("mapper/")?;
        if self.is_mapped(mapped) {
            return None;
        }
        Some(Mapping {
            name: mapped.into(),
            uuid: match &block.mapped {
                Some(name) => format!("part{number}-{name}"),
                None => format!("part{number}-devnode_{}:{}", block.major, block.minor),
            },
            minor: None,
            signature: None,
            key_file: None,
            read_only: false,
            targets: alloc::vec![Target {
                start: 0,
                sectors,
                kind: "linear".into(),
                arguments: format!("{}:{} {start}", block.major, block.minor),
            }],
        })
    }

    pub(in super::super) fn start_ended(
        &mut self,
        now: Millis,
        ticket: Ticket,
        fault: Option<Fault>,
    ) {
        let Some(Job::Start(name)) = self.tickets.close(ticket) else {
            return;
        };
        match (fault, self.stack.started.get(&name)) {
            (Some(fault), _) => self.start_failed(now, &name, fault),
            (None, Some(Standing::UnderWay(step))) => {
                let step = step.clone();
                self.stack.started.insert(&name, Standing::Done(step));
            }
            (None, _) => {}
        }
    }

    /// A device left: what was made so may be made again.
    pub(in super::super) fn gone(&mut self, device: &str) {
        let mapped = self.devices.by_name(device);
        let mapped = mapped.and_then(|d| d.block.mapped.as_deref());
        let left = |step: &str| step == device || mapped == Some(step);
        let started = &mut self.stack.started;
        started.retain(|_, s| !matches!(s, Standing::Done(step) if left(step)));
        self.devices.gone(device);
    }

    fn start_failed(&mut self, now: Millis, name: &str, fault: Fault) {
        let fault = Fault::new(fault.errno, format!("starting {name}: {fault}"));
        self.say(Level::Error, fault.text.clone());
        self.devices.refuse(name);
        let failed = Standing::Failed(fault.clone());
        self.stack.started.insert(name, failed);
        let device = self.devices.by_name(name);
        let asked = device.is_some_and(|d| {
            matches!(
                root::answer(&self.wish, &self.devices, d),
                Answer::Usable(_)
            ) || root::is_asked_by_name(self.wish.root.as_ref(), d)
        });
        if asked && self.stage == Stage::Searching && !self.usable_exists() {
            self.give_up(now, Cause::Mapping(fault));
        }
    }

    /// A person was at it: what failed is tried again.
    pub(in super::super) fn forgive_stack(&mut self) {
        let started = &mut self.stack.started;
        started.retain(|_, s| !matches!(s, Standing::Failed(_)));
        self.stack.doubts.forget();
        self.stack.seen = None;
    }
}

enum Next {
    Map(Mapping),
    Assemble(Vec<Step>),
}

/// The device mapper, and targets that are modules of their own.
fn drivers(mappings: &[table::Mapping]) -> Vec<String> {
    let mut drivers = alloc::vec![String::from("dm-mod")];
    let targets = mappings.iter().flat_map(|m| &m.targets);
    for alias in targets.filter_map(|t| mapping::driver(t.kind)) {
        if !drivers.contains(&alias) {
            drivers.push(alias);
        }
    }
    drivers
}
