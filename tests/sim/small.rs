//! Small worlds, completely: every order in which five devices can arrive.
//!
//! Each world is five pieces of news (disks and partitions) that reach the plan in every order,
//! with the walk ending before each of them in turn, and with every answer at once, or late and
//! last asked first. All orders must choose the same root, or all none.

use crate::laws::judge;
use crate::story::{Decider, Make, Outcome, Step, Story};
use crate::world::{Asked, Catalog, Disk, Medium, Part, World};
use landfall::base::millis::Millis;
use landfall::format::discoverable::ROOT;
use landfall::format::efi_variable::Told;
use landfall::format::identity::{Finding, Partition, Signature, Table, Usage};
use landfall::format::kmod::Resolution;
use landfall::format::wish::{End, Source};
use landfall::plan::action::Action;
use landfall::plan::event::{Block, Event, Ticket};
use std::collections::VecDeque;

/// A story that is told in every order.
pub struct Tale {
    pub name: &'static str,
    pub world: World,
    /// The root that every order must choose.
    pub root: Option<&'static str>,
}

pub fn filesystem(kind: &str, usage: Usage, uuid: &str) -> Finding {
    let signature = Signature {
        kind: kind.into(),
        usage,
        version: None,
        uuid: Some(uuid.into()),
        uuid_sub: None,
        label: None,
        block_size: 1024,
        devices: 0,
    };
    Finding {
        signature: Some(signature),
        ..Finding::default()
    }
}

pub fn disk(name: &str, finding: Finding, parts: Vec<(u32, Finding)>) -> Disk {
    let parts = parts.into_iter();
    let parts = parts
        .map(|(number, finding)| Part {
            number,
            sectors: 64,
            finding,
        })
        .collect();
    let inits = vec!["/sbin/init".into()];
    let medium = Medium {
        sectors: 4096,
        finding,
        parts,
        wants: Vec::new(),
        inits,
    };
    Disk {
        name: name.into(),
        node: None,
        at: 0,
        medium,
    }
}

pub fn table(entries: &[(u32, &str)]) -> Finding {
    let entry = |(number, uuid): &(u32, &str)| Partition {
        number: *number,
        uuid: uuid.to_string(),
        label: None,
        kind: "0x83".into(),
        start: 64,
        sectors: 64,
        flags: 0,
    };
    let partitions = entries.iter().map(entry).collect();
    let table = Table {
        kind: "dos".into(),
        uuid: Some("aa".into()),
        partitions,
    };
    Finding {
        table: Some(table),
        ..Finding::default()
    }
}

pub fn world(root: impl Into<Option<Source>>, typed: &str, disks: Vec<Disk>) -> World {
    let asked = Asked {
        cmdline: format!("root={typed} ro"),
        root: root.into(),
        typed: typed.into(),
        fstypes: Vec::new(),
        writable: false,
        refuse_clones: false,
        init: None,
        resume: None,
        patience: Some(90_000),
        shell: false,
        end: End::Halt,
    };
    let mut catalog = Catalog::default();
    catalog.builtin.insert("fs-ext4".into());
    World {
        seed: 8,
        asked,
        nodes: Vec::new(),
        disks,
        catalog,
        faults: Vec::new(),
        faster: None,
        pace: 0,
        booted: None,
        start: 0,
        shells: None,
    }
}

/// A GPT whose partitions, numbered from 1, have these types and attributes.
pub fn gpt(entries: &[(&str, u64)]) -> Finding {
    let numbers: Vec<(u32, &str)> = (1..).zip(entries).map(|(n, _)| (n, "cc")).collect();
    let mut finding = table(&numbers);
    if let Some(table) = &mut finding.table {
        table.kind = "gpt".into();
        for (partition, (kind, flags)) in table.partitions.iter_mut().zip(entries) {
            partition.kind = kind.to_string();
            partition.flags = *flags;
        }
    }
    finding
}

pub const WANTED: &str = "11111111-1111-1111-1111-111111111111";
pub const OTHER: &str = "22222222-2222-2222-2222-222222222222";

pub fn tales() -> Vec<Tale> {
    let mut all = tales_of_bytes();
    all.extend(tales_of_tables());
    all.extend(crate::twins::tales());
    all
}

fn tales_of_bytes() -> Vec<Tale> {
    let ext4 = |uuid: &str| filesystem("ext4", Usage::Filesystem, uuid);
    let member = || filesystem("linux_raid_member", Usage::Raid, OTHER);
    let by_uuid = || Source::Uuid(WANTED.into());
    let typed = format!("UUID={WANTED}");
    let of = |name, root, world| Tale { name, world, root };
    let veiled = {
        let mut finding = table(&[(1, "aa-01")]);
        finding.signature = member().signature;
        disk("sda", finding, vec![(1, ext4(WANTED))])
    };
    let real = || disk("sdb", table(&[(1, "bb-01")]), vec![(1, ext4(WANTED))]);
    let plain = |name, uuid| disk(name, ext4(uuid), Vec::new());
    vec![
        of(
            "what shines through a mirror's member is never root",
            Some("sdb1"),
            world(
                by_uuid(),
                &typed,
                vec![veiled.clone(), real(), plain("sdc", OTHER)],
            ),
        ),
        of(
            "a member alone is no root",
            None,
            world(
                by_uuid(),
                &typed,
                vec![veiled, plain("sdb", OTHER), plain("sdc", OTHER)],
            ),
        ),
        of(
            "swap and containers may carry root's UUID",
            Some("sdc"),
            world(
                by_uuid(),
                &typed,
                vec![
                    disk("sda", filesystem("swap", Usage::Other, WANTED), Vec::new()),
                    disk(
                        "sdb",
                        filesystem("crypto_LUKS", Usage::Crypto, WANTED),
                        Vec::new(),
                    ),
                    plain("sdc", WANTED),
                    disk(
                        "sdd",
                        filesystem("LVM2_member", Usage::Raid, WANTED),
                        Vec::new(),
                    ),
                    plain("sde", OTHER),
                ],
            ),
        ),
        of(
            "a partition's UUID comes from its own disk's table",
            Some("sda2"),
            world(
                Source::PartUuid("aa-02".into()),
                "PARTUUID=aa-02",
                vec![
                    disk("sda", table(&[(2, "aa-02")]), vec![(2, ext4(WANTED))]),
                    disk("sdb", table(&[(2, "bb-02")]), vec![(2, ext4(WANTED))]),
                    plain("sdc", OTHER),
                ],
            ),
        ),
        of(
            "a name is a name",
            Some("sdb"),
            world(
                Source::Name("sdb".into()),
                "/dev/sdb",
                vec![
                    plain("sda", WANTED),
                    plain("sdb", OTHER),
                    disk("sdc", table(&[(1, "cc-01")]), vec![(1, ext4(OTHER))]),
                ],
            ),
        ),
    ]
}

/// What tables say of partitions: their neighbours, and which is a root.
fn tales_of_tables() -> Vec<Tale> {
    let ext4 = |uuid: &str| filesystem("ext4", Usage::Filesystem, uuid);
    let member = || filesystem("linux_raid_member", Usage::Raid, OTHER);
    let of = |name, root, world| Tale { name, world, root };
    let plain = |name, uuid| disk(name, ext4(uuid), Vec::new());
    vec![
        of(
            "the neighbour of a partition is on the same disk",
            Some("sda2"),
            world(
                Source::Beside {
                    partuuid: "aa-01".into(),
                    offset: 1,
                },
                "PARTUUID=aa-01/PARTNROFF=1",
                vec![
                    disk(
                        "sda",
                        table(&[(1, "aa-01"), (2, "aa-02")]),
                        vec![(1, ext4(WANTED)), (2, ext4(OTHER))],
                    ),
                    disk("sdb", table(&[(2, "bb-02")]), vec![(2, ext4(WANTED))]),
                ],
            ),
        ),
        of(
            "the only partition of root's type is root",
            Some("sdb1"),
            world(
                None,
                "gpt-auto",
                vec![
                    disk("sda", gpt(&[("0x83", 0)]), vec![(1, ext4(WANTED))]),
                    disk("sdb", gpt(&[(ROOT, 0)]), vec![(1, ext4(OTHER))]),
                    plain("sdc", OTHER),
                ],
            ),
        ),
        of(
            "of two roots by their type none is taken, whatever they hold",
            None,
            world(
                None,
                "",
                vec![
                    disk("sda", gpt(&[(ROOT, 0)]), vec![(1, ext4(WANTED))]),
                    disk("sdb", gpt(&[(ROOT, 0)]), vec![(1, member())]),
                    plain("sdc", OTHER),
                ],
            ),
        ),
        of(
            "a table may forbid to take its root",
            Some("sda1"),
            world(
                None,
                "",
                vec![
                    disk("sda", gpt(&[(ROOT, 1 << 60)]), vec![(1, ext4(WANTED))]),
                    disk("sdb", gpt(&[(ROOT, 1 << 63)]), vec![(1, ext4(OTHER))]),
                ],
            ),
        ),
    ]
}

/// Every order of `n` things. Heap's algorithm.
pub fn orders(n: usize) -> Vec<Vec<usize>> {
    fn heap(k: usize, items: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        if k <= 1 {
            return out.push(items.clone());
        }
        for i in 0..k {
            heap(k - 1, items, out);
            items.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut out = Vec::new();
    heap(n, &mut (0..n).collect(), &mut out);
    out
}

/// How a tale is told.
#[derive(Clone, Debug)]
pub struct Telling {
    pub order: Vec<usize>,
    /// The walk ends before this piece of news.
    pub walked: usize,
    /// Answers wait until all the news is told, and come last asked first.
    pub late: bool,
}

/// Every telling of a tale.
pub fn tellings(tale: &Tale) -> Vec<Telling> {
    let news = blocks(&tale.world).len();
    let mut all = Vec::new();
    for order in orders(news) {
        for walked in 0..=news {
            for late in [false, true] {
                all.push(Telling {
                    order: order.clone(),
                    walked,
                    late,
                });
            }
        }
    }
    all
}

fn blocks(world: &World) -> Vec<(Block, Finding)> {
    let mut all = Vec::new();
    for (major, disk) in (8..).zip(&world.disks) {
        let block = Block {
            name: disk.name.clone(),
            major,
            minor: 0,
            sectors: disk.medium.sectors,
            part_of: None,
            sequence: 1,
            mapped: None,
        };
        all.push((block.clone(), disk.medium.finding.clone()));
        for part in &disk.medium.parts {
            let name = disk.part_name(part.number);
            let part_of = Some((disk.name.clone(), part.number));
            let (minor, sectors) = (part.number, part.sectors);
            let block = Block {
                name,
                minor,
                sectors,
                part_of,
                ..block.clone()
            };
            all.push((block, part.finding.clone()));
        }
    }
    all
}

/// Tells a tale to a plan; all of it takes one simulated instant, then the deadline comes.
pub fn tell(tale: &Tale, telling: &Telling, make: Make) -> Result<Story, String> {
    let mut teller = Teller {
        plan: make(),
        story: Story {
            steps: Vec::new(),
            outcome: Outcome::Waiting,
        },
        answers: VecDeque::new(),
        all: blocks(&tale.world),
        booted: tale.world.booted.clone(),
    };
    let mut news = news(tale, telling, &teller.all);
    let mut now = Millis(0);
    while teller.story.outcome == Outcome::Waiting && teller.story.steps.len() < 200 {
        let answer = match telling.late {
            true if !news.is_empty() => None,
            true => teller.answers.pop_back(),
            false => teller.answers.pop_front(),
        };
        let event = answer.or_else(|| news.pop_front()).or_else(|| {
            now = teller.plan.deadline()?;
            Some(Event::Timer)
        });
        let Some(event) = event else { break };
        teller.step(now, event);
    }
    let story = teller.story;
    let breach = judge(&tale.world, &story).err();
    let chosen = story.root().map(|(device, _)| device);
    if breach.is_none() && chosen.as_deref() == tale.root {
        return Ok(story);
    }
    Err(format!(
        "{}, told {telling:?}: root {chosen:?}, {breach:?}\n{story}",
        tale.name
    ))
}

/// What is told, in this telling's order.
fn news(tale: &Tale, telling: &Telling, all: &[(Block, Finding)]) -> VecDeque<Event> {
    let cmdline = tale.world.asked.cmdline.as_str().into();
    let mut news: Vec<Event> = telling
        .order
        .iter()
        .map(|index| Event::Block(all[*index].0.clone().into()))
        .collect();
    // The walk is the first thing that every plan asks for.
    news.insert(telling.walked, Event::Walked { ticket: Ticket(1) });
    news.insert(0, Event::Boot { cmdline });
    news.into()
}

struct Teller {
    plan: Box<dyn Decider>,
    story: Story,
    /// What was asked and is not told yet.
    answers: VecDeque<Event>,
    all: Vec<(Block, Finding)>,
    booted: Option<String>,
}

impl Teller {
    fn step(&mut self, now: Millis, event: Event) {
        let actions = self.plan.handle(now, event.clone());
        for action in &actions {
            match action {
                Action::HandOver { .. } => self.story.outcome = Outcome::HandedOver,
                Action::End { end } => self.story.outcome = Outcome::Ended(*end),
                Action::AskFirmware { ticket } => {
                    let (ticket, hibernated) = (*ticket, None);
                    let booted = self.booted.clone();
                    let told = Told { booted, hibernated };
                    self.answers.push_back(Event::Firmware { ticket, told });
                }
                _ => self.answers.extend(answer_to(&self.all, action)),
            }
        }
        let deadline = self.plan.deadline();
        self.story.steps.push(Step {
            now,
            event,
            actions,
            deadline,
        });
    }
}

/// What a machine without faults answers.
fn answer_to(all: &[(Block, Finding)], action: &Action) -> Option<Event> {
    Some(match action {
        Action::Resolve { ticket, .. } => {
            let resolution = Resolution {
                builtin: true,
                ..Resolution::default()
            };
            Event::Resolved {
                ticket: *ticket,
                resolution: resolution.into(),
            }
        }
        Action::Probe { ticket, device, .. } => {
            let found = all.iter().find(|(block, _)| block.name == *device)?;
            Event::Probed {
                ticket: *ticket,
                finding: found.1.clone().into(),
            }
        }
        Action::Links { ticket, device } => Event::Linked {
            ticket: *ticket,
            names: vec![format!("by-path/{device}")],
        },
        Action::Mount { ticket, .. } => Event::Mounted { ticket: *ticket },
        Action::FindInit { ticket, .. } => Event::InitFound {
            ticket: *ticket,
            path: "/sbin/init".into(),
        },
        _ => return None,
    })
}
