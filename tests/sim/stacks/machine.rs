//! A machine for these worlds: disks arrive in an order, every answer comes when it pleases.

use super::bytes::Place;
use super::world::World;
use crate::rng::Rng;
use landfall::base::fault::Fault;
use landfall::base::millis::Millis;
use landfall::base::text::Text;
use landfall::format::dm_init::Mapping;
use landfall::format::efi_variable::Told;
use landfall::format::identity::{Finding, Range, View, identify_with};
use landfall::format::kmod::Resolution;
use landfall::format::lens::Lens;
use landfall::format::luks::order::{Key, Order, Refusal};
use landfall::format::md::Step;
use landfall::plan::action::Action;
use landfall::plan::event::{Block, Event, Ticket};
use landfall::plan::{Plan, trace};
use std::collections::{BTreeMap, BTreeSet};

/// How it ended, and what was done on the way.
#[derive(Debug, Default)]
pub struct Story {
    /// The device that was mounted, and when.
    pub mounted: Option<(String, Place, u64)>,
    /// What holds the file that root is in is mounted.
    pub host: bool,
    pub page: Vec<String>,
    pub asked: usize,
    /// Devices that were made, by the names that they were made under.
    pub made: Vec<String>,
    pub warnings: Vec<String>,
    pub trace: Vec<String>,
    /// Tickets that were answered, and all that were given out.
    pub tickets: (usize, usize),
}

pub struct Machine<'w> {
    world: &'w World,
    plan: Plan,
    rng: Rng,
    now: u64,
    /// What will be told, in any order; the events of one entry stay in theirs.
    coming: Vec<Vec<Event>>,
    /// Devices that run, by the kernel's name.
    running: BTreeMap<String, (Block, Place)>,
    /// Jobs whose workers make a device and have not answered.
    making: BTreeSet<Ticket>,
    pub story: Story,
}

impl<'w> Machine<'w> {
    pub fn new(world: &'w World, seed: u64) -> Self {
        Self {
            world,
            plan: Plan::new(),
            rng: Rng::new(seed),
            now: 0,
            coming: Vec::new(),
            running: BTreeMap::new(),
            making: BTreeSet::new(),
            story: Story::default(),
        }
    }

    /// Boots with disks arriving in this order.
    pub fn boot(mut self, words: &str, order: &[usize]) -> Story {
        let cmdline = Text::from(words);
        self.tell(Event::Boot { cmdline });
        for disk in order {
            let arrived = self.disk(*disk);
            self.coming.push(arrived);
            // Sometimes the next one comes before anything else happens.
            while self.rng.chance(60) && self.step() {}
        }
        for _ in 0..20_000 {
            if self.over() {
                break;
            }
            if !self.step() {
                let Some(at) = self.plan.deadline() else {
                    break;
                };
                self.now = self.now.max(at.0);
                self.tell(Event::Timer);
            }
        }
        self.story
    }

    fn over(&self) -> bool {
        let mounted = self.story.mounted.is_some() && self.coming.is_empty();
        mounted || !self.story.page.is_empty()
    }

    /// One of what is coming happens.
    fn step(&mut self) -> bool {
        if self.coming.is_empty() {
            return false;
        }
        let which = self.rng.index(self.coming.len());
        let events = self.coming.swap_remove(which);
        self.now += self.rng.below(3);
        for event in events {
            self.tell(event);
        }
        true
    }

    fn tell(&mut self, event: Event) {
        let now = Millis(self.now);
        self.story.trace.push(trace::event_record(now, &event));
        if let Event::Mapped { ticket } | Event::Assembled { ticket } | Event::Unlocked { ticket } =
            &event
        {
            self.making.remove(ticket);
        }
        for action in self.plan.handle(now, event) {
            self.story.trace.push(trace::action_record(now, &action));
            self.story.tickets.1 += 1;
            let answer = self.answer(action);
            if !answer.is_empty() {
                self.story.tickets.0 += 1;
                self.coming.push(answer);
            }
        }
    }

    fn disk(&mut self, disk: usize) -> Vec<Event> {
        let place = Place::disk(disk, self.world.real[disk]);
        let letter = char::from(b'a' + disk as u8);
        let minor = disk as u32 * 16;
        self.appear(block(&format!("vd{letter}"), (254, minor), &place), place)
    }

    /// A device runs, and so do the partitions that the kernel finds on it.
    fn appear(&mut self, block: Block, place: Place) -> Vec<Event> {
        let mut events = vec![Event::Block(block.clone().into())];
        let finding = self.identify(&place);
        let tables = finding.table.iter().filter(|_| block.mapped.is_none());
        for entry in tables.flat_map(|t| &t.partitions) {
            let digit = block.name.ends_with(|c: char| c.is_ascii_digit());
            let name = format!(
                "{}{}{}",
                block.name,
                if digit { "p" } else { "" },
                entry.number
            );
            let part = place.part(entry.start * 512, entry.sectors * 512);
            let mut own = self::block(&name, (block.major, block.minor + entry.number), &part);
            own.part_of = Some((block.name.clone(), entry.number));
            events.push(Event::Block(own.clone().into()));
            self.running.insert(name, (own, part));
        }
        self.running.insert(block.name.clone(), (block, place));
        events
    }

    fn answer(&mut self, action: Action) -> Vec<Event> {
        let one = |event| vec![event];
        match action {
            Action::Walk { ticket, .. } => {
                let told = |(b, _): &(Block, Place)| Event::Block(b.clone().into());
                let there = self.running.values().map(told);
                there.chain([Event::Walked { ticket }]).collect()
            }
            Action::Resolve { ticket, .. } => {
                let resolution = builtin();
                one(Event::Resolved { ticket, resolution })
            }
            Action::Probe {
                ticket,
                device,
                lens,
            } => one(match self.place(&device, lens.as_ref()) {
                Some(place) => {
                    let finding = self.identify(&place).into();
                    Event::Probed { ticket, finding }
                }
                None => {
                    let fault = Fault::plain("there is no such device");
                    Event::ProbeFailed { ticket, fault }
                }
            }),
            Action::Read {
                ticket,
                device,
                lens,
                ranges,
            } => {
                let place = self.place(&device, lens.as_ref());
                let read = |r: &Range| self.world.disks.read(place.as_ref()?, *r).map(Text);
                let pieces = ranges.iter().map(read).collect();
                one(Event::Bytes { ticket, pieces })
            }
            Action::Links { ticket, device } => {
                let names = vec![format!("by-path/{device}")];
                one(Event::Linked { ticket, names })
            }
            Action::AskFirmware { ticket } => one(Event::Firmware {
                ticket,
                told: Told::default(),
            }),
            Action::Map {
                ticket, mapping, ..
            } => {
                let news = self.map(&mapping);
                self.made(news, ticket, Event::Mapped { ticket })
            }
            Action::Assemble {
                ticket,
                device,
                steps,
            } => {
                let news = self.assemble(&device, &steps);
                self.made(news, ticket, Event::Assembled { ticket })
            }
            Action::Unlock { ticket, order } => self.unlock(ticket, &order),
            Action::Ask { ticket, .. } => {
                self.story.asked += 1;
                one(Event::Answered { ticket, secret: 1 })
            }
            Action::Mount { ticket, mount } if mount.host => {
                assert!(mount.read_only && !self.story.host, "{mount:?}");
                self.story.host = true;
                one(Event::Mounted { ticket })
            }
            Action::Attach { ticket, .. } => {
                self.attach();
                let device = "loop0".into();
                one(Event::Attached { ticket, device })
            }
            Action::Mount { ticket, mount } => {
                let place = self.place(&mount.device, None).expect("it runs");
                // The link by which a mapped device is mounted is made last.
                let made = self.making.is_empty();
                assert!(made, "mounted in the making: {:#?}", self.story);
                self.story.mounted = Some((mount.device, place, self.now));
                one(Event::Mounted { ticket })
            }
            Action::FindInit { ticket, .. } => {
                let path = Text::from("/sbin/init");
                one(Event::InitFound { ticket, path })
            }
            Action::Page { lines } => {
                self.story.page = lines;
                Vec::new()
            }
            Action::Say { text, .. } => {
                self.story.warnings.push(text);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The kernel's news come on another way than the worker's answer, before it or after.
    fn made(&mut self, news: Vec<Event>, ticket: Ticket, answer: Event) -> Vec<Event> {
        self.making.insert(ticket);
        self.coming.push(news);
        vec![answer]
    }

    /// The kernel's news of a loop device; the worker's answer comes on another way.
    fn attach(&mut self) {
        assert!(self.story.host, "a file on nothing");
        let file = self.world.file.clone().expect("a file");
        let news = self.appear(block("loop0", (7, 0), &file), file);
        self.coming.push(news);
    }

    fn identify(&self, place: &Place) -> Finding {
        let view = View::new(place.size(), 512);
        let read = &mut |range| self.world.disks.read(place, range).ok_or(());
        identify_with(view, read).expect("inside")
    }

    /// Where the bytes of a device are that runs, or of one that is looked through.
    fn place(&self, device: &str, lens: Option<&Lens>) -> Option<Place> {
        let Some(lens) = lens else {
            let mapped = device.strip_prefix("mapper/");
            let is =
                |b: &Block| b.name == device || mapped.is_some() && b.mapped.as_deref() == mapped;
            let (_, place) = self.running.values().find(|(b, _)| is(b))?;
            return Some(place.clone());
        };
        let len = usize::try_from(lens.bytes).ok()?;
        let pieces = lens.pieces(Range { at: 0, len })?;
        let piece = |on: &str, offset, length| Some(self.place(on, None)?.part(offset, length));
        let parts = pieces.iter().map(|p| piece(&p.on, p.offset, p.length));
        Some(Place::joined(&parts.collect::<Option<Vec<_>>>()?))
    }

    fn number(&self, number: &str) -> Place {
        let is = |b: &Block| format!("{}:{}", b.major, b.minor) == number;
        let found = self.running.values().find(|(b, _)| is(b));
        found.expect("a device of this number").1.clone()
    }

    fn map(&mut self, mapping: &Mapping) -> Vec<Event> {
        self.story.made.push(mapping.name.clone());
        let mut parts = Vec::new();
        for target in &mapping.targets {
            assert_eq!(target.kind, "linear", "{mapping:?}");
            let (number, offset) = target.arguments.split_once(' ').expect("device, offset");
            let offset: u64 = offset.parse().expect("sectors");
            parts.push(self.number(number).part(offset * 512, target.sectors * 512));
        }
        self.mapped(&mapping.name, Place::joined(&parts))
    }

    fn mapped(&mut self, name: &str, place: Place) -> Vec<Event> {
        let minor = self.running.len() as u32;
        let mut block = block(&format!("dm-{minor}"), (253, minor), &place);
        block.mapped = Some(name.into());
        // Announced without a table first.
        let bare = Block {
            sectors: 0,
            ..block.clone()
        };
        let mut events = vec![Event::Block(bare.into())];
        events.extend(self.appear(block, place));
        events
    }

    fn assemble(&mut self, device: &str, steps: &[Step]) -> Vec<Event> {
        self.story.made.push(device.into());
        let number = |step: &Step| match step {
            Step::AddNewDisk { major, minor } => Some(format!("{major}:{minor}")),
            _ => None,
        };
        let members: Vec<Place> = steps
            .iter()
            .filter_map(number)
            .map(|n| self.number(&n))
            .collect();
        let id = Range {
            at: 4096 + 16,
            len: 1,
        };
        let id = self
            .world
            .disks
            .read(&members[0], id)
            .expect("a superblock")[0];
        let own = |(array, _): &&(u8, Place)| *array == id;
        let (_, data) = self.world.arrays.iter().find(own).expect("an array");
        let minor: u32 = device
            .strip_prefix("md")
            .and_then(|n| n.parse().ok())
            .expect("mdN");
        let whole = block(device, (9, minor), data);
        let bare = Block {
            sectors: 0,
            ..whole.clone()
        };
        let mut events = vec![Event::Block(bare.into())];
        events.extend(self.appear(whole, data.clone()));
        events
    }

    fn unlock(&mut self, ticket: Ticket, order: &Order) -> Vec<Event> {
        let Key::Typed(_) = order.key else {
            return vec![Event::UnlockFailed {
                ticket,
                why: Refusal::NoKey,
                fault: Fault::plain("no key"),
            }];
        };
        let device = self.place(&order.device, None).expect("it runs");
        let uuid = self.identify(&device).signature.and_then(|s| s.uuid);
        let own = |(known, _): &&(String, Place)| Some(known) == uuid.as_ref();
        let (_, inside) = self
            .world
            .opened
            .iter()
            .find(own)
            .expect("a volume")
            .clone();
        self.story.made.push(order.name.clone());
        let news = self.mapped(&order.name, inside);
        self.made(news, ticket, Event::Unlocked { ticket })
    }
}

/// Every driver is part of the kernel.
fn builtin() -> Box<Resolution> {
    Box::new(Resolution {
        builtin: true,
        ..Resolution::default()
    })
}

fn block(name: &str, (major, minor): (u32, u32), place: &Place) -> Block {
    Block {
        name: name.into(),
        major,
        minor,
        sectors: place.size() / 512,
        part_of: None,
        sequence: 0,
        mapped: None,
    }
}
