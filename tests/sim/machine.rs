//! Lets a world happen: a clock that jumps, a queue of what is to come, and the answers.
//!
//! The machine does what a kernel and workers would do for each action, after the world's latency,
//! and tells the plan what a kernel would tell it. It holds the plan to nothing: laws do that.

use crate::faults::{Fault, Times, Verb};
use crate::jobs::{Job, Task};
use crate::rng::Rng;
use crate::story::{Make, Outcome, Step, Story};
use crate::world::{Medium, World};
use landfall::base::fault::Fault as Failure;
use landfall::base::millis::Millis;
use landfall::plan::action::Action;
use landfall::plan::event::{Event, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub const HAND_OVER_TEXT: &str = "moving /dev: device or resource busy (simulated)";

/// No world explains more steps than this.
const MAX_STEPS: usize = 6_000;
/// Events that are still delivered after the end, to see that nothing follows.
const AFTER_THE_END: usize = 12;
/// A device that never rests does so after all: nothing takes longer to decide.
const RESTLESS_MS: u64 = 60_000;
/// A person in the shell takes this long.
const SHELL_MS: u64 = 30_000;

pub fn no_init_text(asked: Option<&str>) -> String {
    format!("no init: {}", asked.unwrap_or("/sbin/init"))
}

pub fn load_text(module: &str) -> String {
    format!("finit_module {module}: exec format error (simulated)")
}

pub fn mount_text(device: &str) -> String {
    format!("mount {device}: structure needs cleaning (simulated)")
}

/// What is to come.
#[derive(Clone, Debug)]
pub enum Coming {
    /// A uevent reaches the plan.
    Report(Event),
    NodeUp(usize),
    Attach(usize, Medium),
    /// What was pulled is put back.
    Return(usize, Medium),
    Detach(usize),
    Rewrite(usize, Medium),
    Touch(usize),
    /// A change is reported, and again after so long.
    Restless(usize, u64),
    Insert(usize),
    LossBegins,
    LossEnds,
    /// The job behind this ticket is done, or takes its next step.
    Proceed(Ticket),
    /// Something that the plan is told out of the blue.
    Nudge(Event),
    Stray(u64),
}

/// One disk that is there.
pub struct Live {
    pub medium: Medium,
    pub sequence: u64,
    pub empty: bool,
}

pub struct Machine<'w> {
    pub world: &'w World,
    pub rng: Rng,
    pub now: u64,
    coming: BTreeMap<(u64, u64), Coming>,
    order: u64,
    /// To be told next, in this order, before anything else happens.
    front: VecDeque<Event>,
    pub nodes_up: BTreeSet<usize>,
    pub bound: BTreeSet<usize>,
    pub disks: BTreeMap<usize, Live>,
    pub next_sequence: u64,
    pub loaded: BTreeSet<String>,
    pub jobs: BTreeMap<Ticket, Task>,
    pub requests: BTreeMap<u32, Ticket>,
    pub next_request: u32,
    /// How often each job was done, for those that fail once.
    pub tries: BTreeMap<(Verb, String), u32>,
    pub hand_overs: u32,
    pub mounted_on: Option<(usize, u64)>,
    pub pulled: BTreeSet<usize>,
    pulled_during: BTreeSet<usize>,
    shells: u32,
    pub losing: bool,
    pub lag: u64,
    pub echo: bool,
    outcome: Option<Outcome>,
}

/// Runs a world from the kernel's start of `/init` to its end.
pub fn run(world: &World, make: Make) -> Story {
    let mut plan = make();
    let mut machine = Machine::new(world);
    let mut steps: Vec<Step> = Vec::new();
    let mut after_end = 0;
    // What a restless device tells, and what is read of it each time, is not of the plan's making.
    let mut changes = 0;
    let outcome = loop {
        if steps.len() >= MAX_STEPS + 2 * changes {
            break Outcome::Runaway;
        }
        let deadline = steps.last().and_then(|s| s.deadline);
        let Some(event) = machine.next_event(deadline, steps.is_empty()) else {
            break machine.outcome.unwrap_or(Outcome::Waiting);
        };
        changes += usize::from(matches!(event, Event::BlockChanged(_)));
        let now = Millis(machine.now);
        let told = event.clone();
        let told = catch_unwind(AssertUnwindSafe(|| {
            (plan.handle(now, told), plan.deadline())
        }));
        let Ok((actions, deadline)) = told else {
            steps.push(Step {
                now,
                event,
                actions: Vec::new(),
                deadline: None,
            });
            break Outcome::Panicked("the plan panicked".into());
        };
        for action in &actions {
            machine.take(action);
        }
        steps.push(Step {
            now,
            event,
            actions,
            deadline,
        });
        match machine.outcome {
            Some(Outcome::HandedOver) => break Outcome::HandedOver,
            Some(_) => after_end += 1,
            None => {}
        }
        if let (Some(outcome), true) = (&machine.outcome, after_end > AFTER_THE_END) {
            break outcome.clone();
        }
    };
    Story { steps, outcome }
}

impl<'w> Machine<'w> {
    fn new(world: &'w World) -> Self {
        let mut machine = Self {
            world,
            rng: Rng::new(world.seed ^ 0x6d61_6368_696e_6521),
            now: world.start,
            coming: BTreeMap::new(),
            order: 0,
            front: VecDeque::new(),
            nodes_up: BTreeSet::new(),
            bound: BTreeSet::new(),
            disks: BTreeMap::new(),
            next_sequence: 1,
            loaded: BTreeSet::new(),
            jobs: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 1,
            tries: BTreeMap::new(),
            hand_overs: 0,
            mounted_on: None,
            pulled: BTreeSet::new(),
            pulled_during: BTreeSet::new(),
            shells: 0,
            losing: false,
            lag: 0,
            echo: false,
            outcome: None,
        };
        machine.set_the_stage();
        machine
    }

    /// What is there before `/init` starts is only seen by the walk; the rest is still to come.
    fn set_the_stage(&mut self) {
        let world = self.world;
        self.losing = true;
        self.children_of(None);
        while let Some(entry) = self
            .coming
            .first_entry()
            .filter(|e| e.key().0 <= world.start)
        {
            let coming = entry.remove();
            self.happen(coming);
        }
        self.losing = false;
        for fault in &world.faults {
            self.arm(fault);
        }
        self.front.push_back(Event::Boot {
            cmdline: world.asked.cmdline.as_str().into(),
        });
        if let Some(faster) = world.faster.clone() {
            let hash = "sha256".into();
            self.front.push_back(Event::Signatures { hash, faster });
        }
    }

    fn arm(&mut self, fault: &Fault) {
        let start = self.world.start;
        match fault {
            Fault::Pulled {
                disk,
                at,
                back,
                as_other,
            } => {
                self.at(start + at, Coming::Detach(*disk));
                if let Some(after) = back {
                    let own = &self.world.disks[*disk].medium;
                    let medium = as_other.as_deref().unwrap_or(own).clone();
                    self.at(start + at + after, Coming::Return(*disk, medium));
                }
            }
            Fault::Touched { disk, at } => self.at(start + at, Coming::Touch(*disk)),
            Fault::Restless { disk, every } => {
                self.at(start + every, Coming::Restless(*disk, *every));
            }
            Fault::Rewritten { disk, at, medium } => {
                self.at(start + at, Coming::Rewrite(*disk, (**medium).clone()));
            }
            Fault::Empty { disk, at } => {
                if let Some(live) = self.disks.get_mut(disk) {
                    live.empty = true;
                }
                self.at(start + at, Coming::Insert(*disk));
            }
            Fault::Lost { from, ms } => {
                self.at(start + from, Coming::LossBegins);
                self.at(start + from + ms, Coming::LossEnds);
            }
            Fault::Lag { ms } => self.lag = *ms,
            Fault::Echo => self.echo = true,
            Fault::Stray { at, kind } => self.at(start + at, Coming::Stray(*kind)),
            Fault::Request { at, name } => {
                let request = self.next_request;
                self.next_request += 1;
                let event = Event::ModuleWanted {
                    request,
                    name: name.as_str().into(),
                };
                self.at(start + at, Coming::Nudge(event));
            }
            Fault::EarlyTimer { at } => self.at(start + at, Coming::Nudge(Event::Timer)),
            Fault::CtrlAltDel { at } => self.at(start + at, Coming::Nudge(Event::CtrlAltDel)),
            _ => {}
        }
    }

    pub fn at(&mut self, time: u64, coming: Coming) {
        self.order += 1;
        self.coming.insert((time, self.order), coming);
    }

    pub fn tell(&mut self, event: Event) {
        self.front.push_back(event);
    }

    /// The next thing that the plan is told; the clock jumps there.
    fn next_event(&mut self, deadline: Option<Millis>, first: bool) -> Option<Event> {
        loop {
            if let Some(event) = self.front.pop_front() {
                return Some(event);
            }
            let next = self.coming.first_key_value().map(|((time, _), _)| *time);
            let over = self.outcome.is_some();
            if let Some(due) = deadline.filter(|_| !first && !over) {
                let sooner = next.is_none_or(|n| due.0 < n || (due.0 == n && self.rng.chance(50)));
                if sooner {
                    self.now = self.now.max(due.0);
                    return Some(Event::Timer);
                }
            }
            let ((time, _), coming) = self.coming.pop_first()?;
            self.now = self.now.max(time);
            self.happen(coming);
        }
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Report(event) | Coming::Nudge(event) => self.tell(event),
            Coming::NodeUp(node) => self.node_up(node),
            Coming::Attach(disk, medium) => self.attach(disk, medium),
            Coming::Return(disk, medium) => {
                if self.pulled.remove(&disk) {
                    self.attach(disk, medium);
                }
            }
            Coming::Detach(disk) => self.detach(disk),
            Coming::Rewrite(disk, medium) => self.rewrite(disk, medium),
            Coming::Touch(disk) => self.touch(disk),
            Coming::Restless(disk, every) => {
                self.touch(disk);
                // Whoever waits without end would be told without end.
                if self.now < self.world.start + RESTLESS_MS {
                    self.at(self.now + every, Coming::Restless(disk, every));
                }
            }
            Coming::Insert(disk) => self.insert(disk),
            Coming::LossBegins => self.losing = true,
            Coming::LossEnds => {
                self.losing = false;
                self.at(self.now + self.lag, Coming::Nudge(Event::Overflow));
            }
            Coming::Proceed(ticket) => self.proceed(ticket),
            Coming::Stray(kind) => {
                let event = crate::jobs::stray(kind, self.jobs.keys().last().copied());
                self.tell(event);
            }
        }
    }

    // -- actions --------------------------------------------------------------------------------

    fn take(&mut self, action: &Action) {
        if self.outcome.is_some() && !matches!(action, Action::Reboot) {
            return;
        }
        match action {
            Action::Reply { request, .. } => {
                if let Some(ticket) = self.requests.remove(request) {
                    self.at(self.now, Coming::Proceed(ticket));
                }
            }
            Action::HandOver { ticket, .. } => self.hand_over(*ticket),
            Action::Shell { ticket } => self.shell(*ticket),
            Action::End { end } => self.outcome = Some(Outcome::Ended(*end)),
            Action::Reboot => self.outcome = Some(Outcome::Rebooted),
            Action::Say { .. } | Action::Page { .. } => {}
            _ => self.start(action),
        }
    }

    fn hand_over(&mut self, ticket: Ticket) {
        self.hand_overs += 1;
        let fails = self.world.faults.iter().any(|f| match f {
            Fault::HandOverFails {
                times: Times::Always,
            } => true,
            Fault::HandOverFails { times: Times::Once } => self.hand_overs == 1,
            _ => false,
        });
        if fails {
            let fault = Failure::new(16, HAND_OVER_TEXT);
            self.at(
                self.now,
                Coming::Nudge(Event::HandOverFailed { ticket, fault }),
            );
        } else {
            self.outcome = Some(Outcome::HandedOver);
        }
    }

    fn shell(&mut self, ticket: Ticket) {
        self.shells += 1;
        match self.world.shells {
            None => {
                let fault = Some(Failure::plain("no shell in this image"));
                self.at(self.now, Coming::Nudge(Event::ShellLeft { ticket, fault }));
                if self.shells > 3 {
                    self.outcome = Some(Outcome::Runaway);
                }
            }
            Some(left) if self.shells <= left => {
                let event = Event::ShellLeft {
                    ticket,
                    fault: None,
                };
                self.at(self.now + SHELL_MS, Coming::Nudge(event));
            }
            Some(_) => self.outcome = Some(Outcome::InShell),
        }
    }

    fn start(&mut self, action: &Action) {
        let Some((ticket, job)) = Job::of(action) else {
            return;
        };
        self.pull_if_cursed(&job);
        if self.is_mute(&job) {
            return;
        }
        let done = self.now + job.latency(self.world);
        let task = self.task(job);
        self.jobs.insert(ticket, task);
        self.at(done, Coming::Proceed(ticket));
    }

    fn is_mute(&self, job: &Job) -> bool {
        self.world
            .faults
            .iter()
            .any(|f| matches!(f, Fault::Never { verb, object } if job.is(*verb, object)))
    }

    /// A disk that is pulled the moment somebody looks at it.
    fn pull_if_cursed(&mut self, job: &Job) {
        let (Job::Probe(device) | Job::Mount { device, .. }) = job else {
            return;
        };
        let Some((hit, _)) = self.disk_behind(device) else {
            return;
        };
        for fault in &self.world.faults {
            let Fault::PulledDuring {
                disk,
                verb,
                back,
                as_other,
            } = fault
            else {
                continue;
            };
            if *disk != hit || !job.is(*verb, device) || !self.pulled_during.insert(hit) {
                continue;
            }
            let soon = self.now + self.rng.below(1 + self.world.pace / 2);
            self.at(soon, Coming::Detach(hit));
            if let Some(after) = back {
                let own = &self.world.disks[hit].medium;
                let medium = as_other.as_deref().unwrap_or(own).clone();
                self.at(soon + after, Coming::Return(hit, medium));
            }
        }
    }

    /// Everything that a walk of /sys finds, and that it is over.
    pub fn walk(&mut self, ticket: Ticket) {
        let world = self.world;
        for index in self.nodes_up.clone() {
            let node = &world.nodes[index];
            self.tell(Event::Bus {
                path: node.path.clone(),
                modalias: node.modalias.clone(),
            });
        }
        let mut disks: Vec<usize> = self.disks.keys().copied().collect();
        self.rng.shuffle(&mut disks);
        for disk in disks {
            for block in self.blocks(disk) {
                self.tell(Event::Block(block.into()));
            }
        }
        self.tell(Event::Walked { ticket });
    }
}
