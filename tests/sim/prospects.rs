//! What must become of a world, told from its parts alone: the way to root, what each fault does
//! to it, and bounds of the time that it takes. Nothing is run here, and where things may meet in
//! ways that decide, it says so instead of guessing.

use crate::faults::{Fault, Times, Verb};
use crate::world::{Haste, World, fs_alias, is_container};
use landfall::format::resume::Resume;
use landfall::format::wish::Source;

/// What must become of a world, as far as can be told without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// Nothing prevents the boot: it must have mounted this, by this time, and handed over.
    Boots { device: String, by: u64 },
    /// It cannot boot. The page must say each of these.
    Fails { must_say: Vec<String> },
    /// Depends on how things meet.
    Either,
}

impl World {
    pub fn prospect(&self) -> Prospect {
        let either = Prospect::Either;
        if self
            .faults
            .iter()
            .any(|f| matches!(f, Fault::CtrlAltDel { .. }))
        {
            return either;
        }
        if matches!(self.asked.root, Some(Source::Unknown(_))) {
            return Prospect::Fails {
                must_say: vec!["root=".into()],
            };
        }
        let roots = self.roots();
        let new_media = |f: &Fault| {
            matches!(
                f,
                Fault::Pulled {
                    as_other: Some(_),
                    ..
                } | Fault::Rewritten { .. }
            )
        };
        // By type, several are an ambiguity, whatever they hold; when they come decides. And any
        // other medium may hold one.
        let several = self.typed_roots() > 1;
        let refuses = self.asked.refuse_clones && !self.faults.is_empty();
        if refuses || self.asked.root.is_none() && (several || !self.faults.is_empty()) {
            return either;
        }
        match roots.as_slice() {
            [] if self.faults.iter().any(new_media) => either,
            [] => Prospect::Fails {
                must_say: vec!["root=".into(), self.asked.typed.clone()],
            },
            [root] => self.prospect_of(root),
            _ => either,
        }
    }

    /// Where somebody names a place for a hibernated system: how long that is waited for, and what
    /// the kernel takes to refuse.
    fn hibernation_ms(&self) -> u64 {
        match self.asked.resume {
            None => 0,
            Some(_) => Resume::WAIT_MS + self.latency("mount", "resume") + COMPARE_MS,
        }
    }

    fn prospect_of(&self, root: &str) -> Prospect {
        let Some(path) = Path::to(self, root) else {
            return Prospect::Either;
        };
        let effects: Vec<Effect> = self.faults.iter().map(|f| path.effect(self, f)).collect();
        let delay: u64 = effects
            .iter()
            .map(|e| if let Effect::Delays(ms) = e { *ms } else { 0 })
            .sum();
        let fatal: Vec<&Vec<String>> = effects
            .iter()
            .filter_map(|e| {
                if let Effect::Prevents(s) = e {
                    Some(s)
                } else {
                    None
                }
            })
            .collect();
        if effects.contains(&Effect::Unclear) || fatal.len() > 1 || path.mended {
            return Prospect::Either;
        }
        // Whoever writes nothing at all is not left waiting for long.
        let unasked = self.asked.root.is_none() && self.asked.typed.is_empty();
        if unasked && path.earliest >= UNASKED_MS {
            return Prospect::Either;
        }
        let compare = if self.asked.root.is_none() || self.asked.refuse_clones {
            COMPARE_MS
        } else {
            0
        };
        let by = self.start + path.slowest + delay + compare + self.hibernation_ms();
        let patience = self.asked.patience.map_or(u64::MAX, |ms| self.start + ms);
        let pulled = self.faults.iter().any(Fault::pulls);
        if !fatal.is_empty() && (pulled || path.broken.is_some()) {
            return Prospect::Either;
        }
        let fatal = fatal
            .first()
            .map(|s| s.to_vec())
            .or_else(|| path.broken.clone());
        if let Some(must_say) = fatal {
            let in_time = by < patience && self.start + path.earliest < patience;
            return if in_time {
                Prospect::Fails { must_say }
            } else {
                Prospect::Either
            };
        }
        if by < patience {
            Prospect::Boots {
                device: root.into(),
                by,
            }
        } else if self.start + path.earliest > patience {
            Prospect::Fails {
                must_say: vec![self.asked.typed.clone()],
            }
        } else {
            Prospect::Either
        }
    }
}

/// What one fault does to the way to root.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    Delays(u64),
    /// Root cannot be had, and the page must say these.
    Prevents(Vec<String>),
    Unclear,
}

/// Everything that root needs, and bounds of the time it takes if all goes well.
struct Path {
    root: String,
    disk: usize,
    /// Aliases that must be looked up.
    aliases: Vec<String>,
    /// Modules that must load.
    modules: Vec<String>,
    /// Modules that are only wished for, but waited for.
    soft: Vec<String>,
    /// Aliases and modules of which one or another is needed: hard to tell which.
    hoped_for: Vec<String>,
    /// Devices that must be probed.
    probes: Vec<String>,
    slowest: u64,
    earliest: u64,
    /// The way is broken from the start: what the page must say.
    broken: Option<Vec<String>>,
    /// … unless some other module brings along what is missing.
    mended: bool,
}

/// What a page says of an alias: of a file system, the type.
fn spoken(alias: &str) -> String {
    alias.strip_prefix("fs-").unwrap_or(alias).into()
}

/// A root by its type is taken when nothing has happened for a while: every other disk delays it.
const COMPARE_MS: u64 = 40_000;

/// A disk that comes later than this may be missed where nothing asks for it.
const UNASKED_MS: u64 = 4_000;

/// Devices that are no disk's may wait this long for their drivers: other work goes first.
const SOME_TIME_MS: u64 = 20_000;

impl Path {
    fn to(world: &World, root: &str) -> Option<Self> {
        let disk = world.disks.iter().position(|d| {
            d.name == root || d.medium.parts.iter().any(|p| d.part_name(p.number) == root)
        })?;
        let host = &world.disks[disk];
        let mut path = Self {
            root: root.into(),
            disk,
            aliases: Vec::new(),
            modules: Vec::new(),
            soft: Vec::new(),
            hoped_for: Vec::new(),
            probes: vec![root.into()],
            slowest: world.latency("walk", "") + accelerator_ms(world),
            earliest: 0,
            broken: None,
            mended: false,
        };
        if host.name != root {
            path.probes.push(host.name.clone());
        }
        for node in world.path_to(host) {
            path.wait(node.at);
            if !node.drivers.is_empty() {
                let sound = path.broken.is_none();
                path.need_any(world, &node.modalias, Some(&node.drivers));
                if node.haste != Haste::AtOnce {
                    path.slowest += SOME_TIME_MS;
                    // Nobody lists every sound card that has no driver.
                    if sound && path.broken.as_ref().is_some_and(|b| b[0] == node.modalias) {
                        path.broken = Some(vec![world.asked.typed.clone()]);
                    }
                }
            }
        }
        path.wait(host.at);
        path.need_filesystem(world, root)?;
        path.slowest += path
            .probes
            .iter()
            .map(|d| world.latency("probe", d))
            .sum::<u64>();
        path.slowest += world.latency("mount", root) + world.latency("init", "");
        Some(path)
    }

    fn wait(&mut self, ms: u64) {
        self.slowest += ms;
        self.earliest += ms;
    }

    fn need_filesystem(&mut self, world: &World, root: &str) -> Option<()> {
        let disk = world.disk_of(root)?;
        let part = disk
            .medium
            .parts
            .iter()
            .find(|p| disk.part_name(p.number) == root);
        let finding = part.map_or(&disk.medium.finding, |p| &p.finding);
        let kind = finding.signature.as_ref().map(|s| s.kind.clone())?;
        if world.asked.fstypes.iter().any(|other| *other != kind) {
            self.try_types(world, root, &kind);
        } else {
            self.need_any(world, &fs_alias(&kind), None);
        }
        for (alias, required) in &disk.medium.wants {
            let modules = world.catalog.closure(&world.catalog.resolve(alias).answers);
            self.slowest += world.latency("resolve", alias);
            self.slowest += modules
                .iter()
                .map(|m| world.latency("load", m))
                .sum::<u64>();
            match required {
                // Whoever wished for it before may have brought it along.
                true => self
                    .hoped_for
                    .extend(modules.into_iter().chain([alias.clone()])),
                false => self.soft.extend(modules.into_iter().chain([alias.clone()])),
            }
        }
        let wanted = world.asked.init.clone();
        let has_init = match &wanted {
            Some(init) => disk.medium.inits.contains(init),
            None => disk
                .medium
                .inits
                .iter()
                .any(|i| crate::jobs::DEFAULT_INITS.contains(&&**i)),
        };
        if !has_init && self.broken.is_none() {
            self.broken = Some(vec![crate::machine::no_init_text(wanted.as_deref())]);
        }
        Some(())
    }

    /// Several types are tried in turn; what one brings along, another may use.
    fn try_types(&mut self, world: &World, root: &str, kind: &str) {
        let broken = self.broken.clone();
        for other in &world.asked.fstypes {
            let (modules, aliases) = (self.modules.len(), self.aliases.len());
            self.need_any(world, &fs_alias(other), None);
            self.slowest +=
                world.latency("mount", root) + world.latency("resolve", &fs_alias(other));
            self.hoped_for.extend(self.modules.split_off(modules));
            self.hoped_for.extend(self.aliases.split_off(aliases));
            if other != kind {
                self.broken = broken.clone();
            }
        }
    }

    /// One of the modules that answer this alias (and are in `drivers`) must load.
    fn need_any(&mut self, world: &World, alias: &str, drivers: Option<&[String]>) {
        self.slowest += world.latency("resolve", alias);
        if world.catalog.builtin.contains(alias) {
            return;
        }
        self.aliases.push(alias.into());
        let found = world.catalog.resolve(alias);
        let drives = |m: &&String| drivers.is_none_or(|d| d.contains(m));
        let useful: Vec<&String> = found.answers.iter().filter(drives).collect();
        let Some(best) = useful.first().copied() else {
            let blacklisted = found.blacklisted.first().cloned();
            let wished = |m: &String| world.catalog.is_wished_for(m);
            self.mended |= found.blacklisted.iter().any(wished);
            self.broken
                .get_or_insert_with(|| vec![blacklisted.unwrap_or(alias.into())]);
            return;
        };
        let all = world.catalog.closure(&found.answers);
        self.slowest += all.iter().map(|m| world.latency("load", m)).sum::<u64>();
        let Some(module) = world.catalog.mods.get(best).cloned() else {
            self.broken.get_or_insert_with(|| vec![best.clone()]);
            return;
        };
        let missing = module
            .needs
            .iter()
            .find(|n| !world.catalog.mods.contains_key(*n));
        if let Some(missing) = missing {
            self.broken.get_or_insert_with(|| vec![missing.clone()]);
        }
        if useful.len() > 1 {
            self.hoped_for.extend(useful.iter().map(|m| m.to_string()));
        }
        let hard: Vec<String> = module.needs.iter().chain([best]).cloned().collect();
        let asks = hard
            .iter()
            .filter_map(|m| world.catalog.mods.get(m))
            .flat_map(|m| &m.asks);
        for ask in asks {
            let modules = world.catalog.closure(&world.catalog.resolve(ask).answers);
            self.slowest += world.latency("resolve", ask);
            self.slowest += modules
                .iter()
                .map(|m| world.latency("load", m))
                .sum::<u64>();
            self.soft.extend(modules);
            self.soft.push(ask.clone());
        }
        self.soft
            .extend(all.into_iter().filter(|m| !hard.contains(m)));
        self.modules.extend(hard);
    }

    fn effect(&self, world: &World, fault: &Fault) -> Effect {
        let hits = |disk: &usize| *disk == self.disk;
        match fault {
            Fault::Twice { .. } | Fault::Stray { .. } | Fault::EarlyTimer { .. } | Fault::Echo => {
                Effect::Nothing
            }
            Fault::Request { name, .. } => self.effect_of_alias(name, Effect::Unclear),
            Fault::Touched { disk, at } if hits(disk) => {
                Effect::Delays(at + 2 * self.probe_ms(world))
            }
            // A root that changes faster than it is read and mounted.
            Fault::Restless { disk, .. } if hits(disk) => Effect::Unclear,
            Fault::Empty { disk, at } if hits(disk) => Effect::Delays(*at),
            Fault::Pulled {
                disk,
                at,
                back,
                as_other,
            } if hits(disk) => self.effect_of_pulling(*at, *back, as_other.is_some()),
            Fault::PulledDuring {
                disk,
                back,
                as_other,
                ..
            } if hits(disk) => {
                let at = self.slowest + world.pace;
                self.effect_of_pulling(at, *back, as_other.is_some())
            }
            Fault::Rewritten { disk, .. } if hits(disk) => Effect::Unclear,
            Fault::ProbeFails { device, .. } | Fault::ProbeLies { device } => {
                // If a container's bytes cannot be read, nobody can tell what shines through it.
                let disk = world.disks.iter().find(|d| d.name == *device);
                let veils = disk.is_some_and(|d| is_container(&d.medium.finding));
                let hurts = veils || self.probes.contains(device);
                if hurts {
                    Effect::Unclear
                } else {
                    Effect::Nothing
                }
            }
            Fault::LoadFails {
                module,
                times: Times::Once,
            } => self.effect_on_module(module, Effect::Unclear, true),
            Fault::LoadFails { module, .. } => {
                let must_say = vec![module.clone(), crate::machine::load_text(module)];
                self.effect_on_module(module, Effect::Prevents(must_say), true)
            }
            Fault::MountFails { device, times } if *device == self.root => match times {
                Times::Always => Effect::Prevents(vec![crate::machine::mount_text(device)]),
                Times::Once => Effect::Unclear,
            },
            Fault::HandOverFails {
                times: Times::Always,
            } => Effect::Prevents(vec![crate::machine::HAND_OVER_TEXT.into()]),
            Fault::HandOverFails { times: Times::Once } => Effect::Unclear,
            Fault::Never { verb, object } => self.effect_of_silence(world, *verb, object),
            Fault::ResolveEmpty { alias } => self.effect_of_no_lookup(world, alias),
            Fault::Lost { from, ms } => {
                Effect::Delays(from + 2 * ms + 2 * world.latency("walk", ""))
            }
            Fault::Lag { ms } => Effect::Delays(ms * (2 + self.aliases.len() as u64)),
            Fault::CtrlAltDel { .. } => Effect::Unclear,
            _ => Effect::Nothing,
        }
    }

    fn probe_ms(&self, world: &World) -> u64 {
        self.probes.iter().map(|d| world.latency("probe", d)).sum()
    }

    fn effect_of_alias(&self, alias: &str, if_needed: Effect) -> Effect {
        match self.aliases.iter().any(|a| a == alias) {
            _ if self.hoped_for.iter().any(|a| a == alias) => Effect::Unclear,
            true => if_needed,
            false if self.soft.iter().chain(&self.modules).any(|a| a == alias) => Effect::Unclear,
            false => Effect::Nothing,
        }
    }

    fn effect_on_module(&self, module: &str, if_needed: Effect, soft_is_harmless: bool) -> Effect {
        if self.hoped_for.iter().any(|m| m == module) {
            Effect::Unclear
        } else if self.modules.iter().any(|m| m == module) {
            if_needed
        } else if self.soft.iter().any(|m| m == module) && !soft_is_harmless {
            Effect::Unclear
        } else {
            Effect::Nothing
        }
    }

    /// Being pulled and put back is only a delay, at whatever moment it happens.
    fn effect_of_pulling(&self, at: u64, back: Option<u64>, as_other: bool) -> Effect {
        match back {
            Some(after) if !as_other => Effect::Delays(at + after),
            _ => Effect::Unclear,
        }
    }

    /// The lookup of an alias yields nothing. Another device may bring the driver along.
    fn effect_of_no_lookup(&self, world: &World, alias: &str) -> Effect {
        let answers = &world
            .catalog
            .aliases
            .get(alias)
            .cloned()
            .unwrap_or_default();
        let others = world.nodes.iter().filter(|n| n.modalias != alias);
        let brings = |names: &[String]| names.iter().any(|m| answers.contains(m));
        let others = others.map(|n| world.catalog.closure(&n.drivers).into_iter().collect());
        let mut asked = world.faults.iter().filter_map(|f| match f {
            Fault::Request { name, .. } => Some(world.catalog.resolve(name).answers),
            _ => None,
        });
        let wished = answers.iter().any(|m| world.catalog.is_wished_for(m));
        if others.into_iter().any(|n: Vec<String>| brings(&n))
            || asked.any(|n| brings(&n))
            || wished
        {
            return self.effect_of_alias(alias, Effect::Unclear);
        }
        // Nobody lists every sound card that has no driver.
        let listed = world
            .nodes
            .iter()
            .all(|n| n.modalias != alias || n.haste == Haste::AtOnce);
        let cause = if listed {
            spoken(alias)
        } else {
            world.asked.typed.clone()
        };
        self.effect_of_alias(alias, Effect::Prevents(vec![cause]))
    }

    fn effect_of_silence(&self, world: &World, verb: Verb, object: &str) -> Effect {
        let prevents = Effect::Prevents(vec![object.into()]);
        match verb {
            Verb::Walk | Verb::FindInit => Effect::Unclear,
            Verb::Resolve => self.effect_of_no_lookup(world, object),
            Verb::Load => self.effect_on_module(object, prevents, false),
            Verb::Probe if self.probes.iter().any(|p| p == object) => prevents,
            Verb::Mount if object == self.root => prevents,
            Verb::Probe | Verb::Mount => Effect::Nothing,
        }
    }
}

/// How long everything else waits for the module that hashes signatures faster.
pub const FASTER_MS: u64 = 1_000;

fn accelerator_ms(world: &World) -> u64 {
    let Some(name) = &world.faster else {
        return 0;
    };
    let hangs = |f: &Fault| matches!(f, Fault::Never { object, .. } if object == name);
    if world.faults.iter().any(hangs) {
        // As long as it is open, what is unlikely is tried later, too.
        return FASTER_MS + SOME_TIME_MS;
    }
    let load = |m: &str| world.latency("load", m) + world.latency("resolve", m);
    let all = [
        "sha256_base",
        "cryptomgr",
        "crypto-self-test",
        name.as_str(),
    ];
    FASTER_MS.min(all.into_iter().map(load).sum())
}
