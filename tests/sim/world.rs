//! What a simulated machine is made of, before time starts: buses, disks, modules, and what is
//! wanted of it. No behaviour here: `machine.rs` lets it happen, `faults.rs` lets it go wrong.

use crate::faults::Fault;
use crate::rng::hash;
use landfall::format::discoverable;
use landfall::format::identity::{Finding, Partition, Usage};
use landfall::format::kmod::{Module, Resolution};
use landfall::format::wish::{End, Source};
use std::collections::{BTreeMap, BTreeSet};

/// How soon a driver may be expected to be asked for, by what the modalias says of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Can only be a disk or its controller: at once.
    AtOnce,
    /// May carry a disk (USB): when nothing else is under way.
    WhenQuiet,
    /// Nobody would expect a disk there: before the boot is given up.
    SomeTime,
}

/// A device on a bus. It appears `at` ms after the driver of its parent is there (or after boot).
#[derive(Clone, Debug)]
pub struct Node {
    pub path: String,
    pub modalias: String,
    pub haste: Haste,
    pub parent: Option<usize>,
    pub at: u64,
    /// Any one of these loaded drives it. Empty: the kernel has the driver built in.
    pub drivers: Vec<String>,
}

/// What lies on a disk.
#[derive(Clone, Debug)]
pub struct Medium {
    pub sectors: u64,
    pub finding: Finding,
    pub parts: Vec<Part>,
    /// Module aliases that the kernel asks for while it mounts from here; must they be there?
    pub wants: Vec<(String, bool)>,
    /// The init programs in the root that lies here.
    pub inits: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub number: u32,
    pub sectors: u64,
    pub finding: Finding,
}

/// A disk. It appears `at` ms after the driver of its node is there (or after boot).
#[derive(Clone, Debug)]
pub struct Disk {
    pub name: String,
    pub node: Option<usize>,
    pub at: u64,
    pub medium: Medium,
}

impl Disk {
    /// The kernel's rule: a `p` between where the disk's name ends in a digit.
    pub fn part_name(&self, number: u32) -> String {
        let dash = if self.name.ends_with(|c: char| c.is_ascii_digit()) {
            "p"
        } else {
            ""
        };
        format!("{}{dash}{number}", self.name)
    }
}

/// One kernel module, as it lies in the image.
#[derive(Clone, Debug, Default)]
pub struct Mod {
    /// Hard dependencies, all of them, in no particular order.
    pub needs: Vec<String>,
    pub before: Vec<Vec<String>>,
    pub after: Vec<Vec<String>>,
    /// Aliases that it makes the kernel ask for while it loads; it works without them.
    pub asks: Vec<String>,
}

/// The module tree of the image.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub mods: BTreeMap<String, Mod>,
    pub aliases: BTreeMap<String, Vec<String>>,
    pub builtin: BTreeSet<String>,
    pub blacklist: BTreeSet<String>,
}

impl Catalog {
    /// What the module indexes say about an alias (or a module's name).
    pub fn resolve(&self, alias: &str) -> Resolution {
        let mut found = Resolution {
            builtin: self.builtin.contains(alias),
            ..Default::default()
        };
        let own = self
            .mods
            .contains_key(alias)
            .then(|| vec![alias.to_string()]);
        for name in own
            .or_else(|| self.aliases.get(alias).cloned())
            .unwrap_or_default()
        {
            let side = if self.blacklist.contains(&name) {
                &mut found.blacklisted
            } else {
                &mut found.answers
            };
            side.push(name);
        }
        let mut todo: Vec<String> = found
            .answers
            .iter()
            .chain(&found.blacklisted)
            .cloned()
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            let Some(module) = self.mods.get(&name) else {
                continue;
            };
            if !seen.insert(name.clone()) {
                continue;
            }
            let soft = module.before.iter().chain(&module.after).flatten();
            todo.extend(module.needs.iter().chain(soft).cloned());
            found.modules.push(Module {
                name,
                needs: module.needs.clone(),
                before: module.before.clone(),
                after: module.after.clone(),
            });
        }
        found
    }

    /// Does any module wish to have this one beside it? Then it comes along, blacklisted or not.
    pub fn is_wished_for(&self, module: &String) -> bool {
        let mut wishes = self
            .mods
            .values()
            .flat_map(|m| m.before.iter().chain(&m.after));
        wishes.any(|names| names.contains(module))
    }

    /// A module, all that it needs, and all that it would like to have before.
    pub fn closure(&self, names: &[String]) -> BTreeSet<String> {
        let mut todo = names.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if let (Some(module), true) = (self.mods.get(&name), seen.insert(name.clone())) {
                todo.extend(
                    module
                        .needs
                        .iter()
                        .chain(module.before.iter().flatten())
                        .cloned(),
                );
            }
        }
        seen
    }
}

/// What is wanted, known to the laws independently of how the plan reads the command line.
#[derive(Clone, Debug)]
pub struct Asked {
    pub cmdline: String,
    pub root: Option<Source>,
    /// `root=` as typed; the failure page must repeat it.
    pub typed: String,
    pub fstypes: Vec<String>,
    pub writable: bool,
    /// `landfall.clones=refuse`.
    pub refuse_clones: bool,
    pub init: Option<String>,
    /// The UUID of `resume=`.
    pub resume: Option<String>,
    /// Milliseconds since boot; `None`: forever.
    pub patience: Option<u64>,
    pub shell: bool,
    pub end: End,
}

/// A whole machine.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub asked: Asked,
    pub nodes: Vec<Node>,
    pub disks: Vec<Disk>,
    pub catalog: Catalog,
    pub faults: Vec<Fault>,
    /// The module that hashes signatures faster, where the kernel checks them.
    pub faster: Option<String>,
    /// The slowest answers take this many ms; 0: everything answers at the same instant.
    pub pace: u64,
    /// The partition that the firmware says it booted from.
    pub booted: Option<String>,
    /// When the kernel starts `/init`.
    pub start: u64,
    /// How often somebody leaves the shell. `None`: there is no shell in the image.
    pub shells: Option<u32>,
}

impl World {
    /// How long this job takes: the same every time, whoever asks.
    pub fn latency(&self, verb: &str, object: &str) -> u64 {
        if self.pace == 0 {
            0
        } else {
            hash(self.seed, &[verb, object]) % (self.pace + 1)
        }
    }

    /// The names of all devices whose content is what root asks for, as the world starts.
    pub fn roots(&self) -> Vec<String> {
        let mut roots = Vec::new();
        for disk in &self.disks {
            if self.asked.fits(&disk.name, &disk.medium.finding, None) {
                roots.push(disk.name.clone());
            }
            for part in &disk.medium.parts {
                let name = disk.part_name(part.number);
                let table = Some((&disk.medium.finding, part.number));
                let shines_through = is_container(&disk.medium.finding);
                if !shines_through && self.asked.fits(&name, &part.finding, table) {
                    roots.push(name);
                }
            }
        }
        roots
    }

    /// Partitions that are roots by their type, whatever they hold.
    pub fn typed_roots(&self) -> usize {
        let of = |disk: &Disk| {
            let finding = &disk.medium.finding;
            let entries = finding.table.iter().flat_map(|t| &t.partitions);
            entries.filter(|e| is_root(finding, e)).count()
        };
        self.disks.iter().map(of).sum()
    }

    /// The disk that carries a device, by the device's name.
    pub fn disk_of(&self, device: &str) -> Option<&Disk> {
        let carries = |d: &&Disk| {
            d.name == device
                || d.medium
                    .parts
                    .iter()
                    .any(|p| d.part_name(p.number) == device)
        };
        self.disks.iter().find(carries)
    }

    /// The nodes between the machine and this disk, outermost first.
    pub fn path_to(&self, disk: &Disk) -> Vec<&Node> {
        let mut path = Vec::new();
        let mut next = disk.node;
        while let Some(node) = next {
            path.push(&self.nodes[node]);
            next = self.nodes[node].parent;
        }
        path.reverse();
        path
    }
}

impl Asked {
    /// Is the device with this name and content what root asks for? `table`: what its disk's
    /// table says, and the partition's number there.
    pub fn fits(&self, name: &str, finding: &Finding, table: Option<(&Finding, u32)>) -> bool {
        self.is_named(name, finding, table) && self.can_be_root(finding)
    }

    /// The name or the identity is the one that was asked for.
    pub fn is_named(&self, name: &str, finding: &Finding, table: Option<(&Finding, u32)>) -> bool {
        let signature = finding.signature.as_ref();
        let entry = table.and_then(|(disk, number)| {
            disk.table
                .as_ref()?
                .partitions
                .iter()
                .find(|p| p.number == number)
        });
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match &self.root {
            Some(Source::Uuid(uuid)) => signature
                .and_then(|s| s.uuid.as_ref())
                .is_some_and(|u| same(u, uuid)),
            Some(Source::Label(label)) => {
                signature.is_some_and(|s| s.label.as_ref() == Some(label))
            }
            Some(Source::PartUuid(uuid)) => entry.is_some_and(|e| same(&e.uuid, uuid)),
            Some(Source::PartLabel(label)) => {
                entry.is_some_and(|e| e.label.as_ref() == Some(label))
            }
            Some(Source::Name(wanted)) => wanted == name,
            // Every disk is called so here, and no partition is asked for.
            Some(Source::Link(link)) => link.strip_prefix("by-path/") == Some(name),
            Some(Source::Beside { partuuid, offset }) => table.is_some_and(|(disk, number)| {
                let mut all = disk.table.iter().flat_map(|t| &t.partitions);
                let there = |e: &Partition| i64::from(e.number) + i64::from(*offset);
                all.any(|e| same(&e.uuid, partuuid) && there(e) == i64::from(number))
            }),
            // No world asks for a number: the scenarios do.
            Some(Source::Unknown(_) | Source::Number(..) | Source::Share(_) | Source::Remote) => {
                false
            }
            None => table
                .zip(entry)
                .is_some_and(|((disk, _), e)| is_root(disk, e)),
        }
    }

    /// A file system; or, with a type that was given by hand, whatever is not part of something.
    pub fn can_be_root(&self, finding: &Finding) -> bool {
        match &finding.signature {
            Some(signature) if self.fstypes.is_empty() => signature.usage == Usage::Filesystem,
            Some(_) => !is_container(finding),
            None => !self.fstypes.is_empty(),
        }
    }
}

/// A root by its type, not marked no-auto, not waiting to be filled.
pub fn is_root(disk: &Finding, entry: &Partition) -> bool {
    let gpt = disk.table.as_ref().is_some_and(|t| t.kind == "gpt");
    let filled = entry.label != Some("_empty".into());
    gpt && filled && entry.kind == discoverable::ROOT && entry.flags >> 63 == 0
}

/// A member of an array or of a volume group, or an encrypted container.
pub fn is_container(finding: &Finding) -> bool {
    let usage = finding.signature.as_ref().map(|s| s.usage);
    matches!(usage, Some(Usage::Raid | Usage::Crypto))
}

/// The alias under which the kernel asks for a file system's driver.
pub fn fs_alias(kind: &str) -> String {
    format!("fs-{kind}")
}
