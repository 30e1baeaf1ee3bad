//! Makes a world out of a seed: a machine as people have them, with things gone wrong in it.

use crate::faults::{Fault, Times, Verb};
use crate::hardware::{self, Hardware};
use crate::media;
use crate::rng::{Rng, hash, mix};
use crate::world::{Asked, Disk, Mod, World};
use landfall::base::text::Text;
use landfall::format::identity::{Finding, Signature, Usage};
use landfall::format::wish::{End, Source};

/// The world of this seed.
pub fn world(seed: u64) -> World {
    let mut rng = Rng::new(mix(seed));
    let mut hardware = Hardware::new(&mut rng);
    let disks = match rng.below(20) {
        0 => rng.between(12, 34),
        1..=5 => rng.between(5, 9),
        _ => rng.between(1, 4),
    };
    let mut all: Vec<Disk> = (0..disks).map(|_| hardware.disk(&mut rng)).collect();
    for disk in &mut all {
        disk.medium = media::medium(&mut rng, disks > 10);
    }
    hardware.noise(&mut rng, disks);
    let asked = asked(&mut rng, &mut all);
    let mut world = World {
        seed,
        asked,
        nodes: hardware.nodes,
        disks: all,
        catalog: hardware.catalog,
        faults: Vec::new(),
        faster: None,
        pace: *rng.pick(&[0, 1, 5, 40, 200]),
        booted: None,
        start: *rng.pick(&[0, 700, 3_000]),
        shells: if rng.chance(60) {
            Some(rng.below(3) as u32)
        } else {
            None
        },
    };
    decoys(&mut rng, &mut world);
    hardware::spoil(&mut rng, &mut world.catalog);
    if rng.chance(75) {
        for _ in 0..rng.between(1, 4) {
            let fault = fault(&mut rng, &world);
            world.faults.push(fault);
        }
    }
    if rng.chance(6) {
        storm(&mut rng, &mut world);
    }
    if hash(seed, &["clones"]).is_multiple_of(16) {
        world.asked.refuse_clones = true;
        world.asked.cmdline.insert_str(0, "landfall.clones=refuse ");
    }
    accelerator(&mut Rng::new(mix(!seed)), &mut world);
    hibernation(&mut Rng::new(mix(seed ^ 0x6869_6265)), &mut world);
    world.booted = booted(&world);
    world
}

/// Somebody says where a hibernated system may lie: in swap space that is there, with an image in
/// it or without one, or nowhere.
fn hibernation(rng: &mut Rng, world: &mut World) {
    if rng.chance(85) {
        return;
    }
    let findings = world.disks.iter_mut().flat_map(|disk| {
        let parts = disk.medium.parts.iter_mut().map(|part| &mut part.finding);
        parts.chain([&mut disk.medium.finding])
    });
    let all: Vec<&mut Signature> = findings.filter_map(|f| f.signature.as_mut()).collect();
    let uuids: Vec<Option<String>> = all.iter().map(|s| s.uuid.clone()).collect();
    // What else has that UUID may be taken for it.
    let alone = |s: &Signature| uuids.iter().filter(|uuid| **uuid == s.uuid).count() == 1;
    let swap = |s: &&mut Signature| s.kind == "swap" && s.uuid.is_some() && alone(s);
    let mut spaces: Vec<&mut Signature> = all.into_iter().filter(swap).collect();
    let there = !spaces.is_empty() && rng.chance(75);
    let uuid = match there {
        false => media::uuid(rng),
        true => {
            let at = rng.index(spaces.len());
            let space = &mut spaces[at];
            if rng.chance(50) {
                space.kind = "swsuspend".into();
                space.version = Some("s1suspend".into());
            }
            space.uuid.clone().expect("it has one")
        }
    };
    let word = format!("resume=UUID={uuid} ");
    world.asked.cmdline.insert_str(0, &word);
    world.asked.resume = Some(uuid);
}

/// What the firmware says, if it says anything: a partition that is there, or one that is not.
fn booted(world: &World) -> Option<String> {
    let tables = world
        .disks
        .iter()
        .filter_map(|d| d.medium.finding.table.as_ref());
    let all: Vec<&String> = tables
        .flat_map(|t| &t.partitions)
        .map(|e| &e.uuid)
        .collect();
    let pick = hash(world.seed, &["booted"]);
    match pick % 4 {
        0 if !all.is_empty() => Some(all[(pick / 4) as usize % all.len()].clone()),
        1 => Some("0a1b2c3d-0000-4000-8000-00000000beef".into()),
        _ => None,
    }
}

/// A kernel that checks signatures, with a module that would make that faster: it may need or ask
/// for others, fail, hang, or not be there. No boot may end differently for it.
fn accelerator(rng: &mut Rng, world: &mut World) {
    const NAME: &str = "sha256_ssse3";
    if rng.chance(50) {
        return;
    }
    world.faster = Some(NAME.into());
    if rng.chance(90) {
        let needs = if rng.chance(30) {
            vec!["sha256_base".to_string()]
        } else {
            Vec::new()
        };
        let asks = if rng.chance(30) {
            vec!["crypto-self-test".to_string()]
        } else {
            Vec::new()
        };
        let entry = Mod {
            needs,
            asks,
            ..Mod::default()
        };
        world.catalog.mods.insert(NAME.into(), entry);
    }
    for name in ["sha256_base", "cryptomgr"] {
        if rng.chance(90) {
            world.catalog.mods.insert(name.into(), Mod::default());
        }
    }
    let providers = vec!["cryptomgr".to_string()];
    world
        .catalog
        .aliases
        .insert("crypto-self-test".into(), providers);
    let (module, object) = (NAME.to_string(), NAME.to_string());
    match rng.below(6) {
        0 => world.faults.push(Fault::LoadFails {
            module,
            times: Times::Always,
        }),
        1 => world.faults.push(Fault::Never {
            verb: Verb::Load,
            object,
        }),
        2 => world.faults.push(Fault::Never {
            verb: Verb::Resolve,
            object,
        }),
        _ => {}
    }
}

/// What people ask for, of what is there; sometimes of what is not.
fn asked(rng: &mut Rng, disks: &mut [Disk]) -> Asked {
    let (root, typed) = if rng.chance(5) {
        (None, if rng.chance(30) { "gpt-auto" } else { "" }.into())
    } else if rng.chance(3) {
        nonsense(rng)
    } else if rng.chance(10) {
        absent(rng)
    } else {
        media::present(rng, disks).unwrap_or_else(|| absent(rng))
    };
    let mut words = vec!["BOOT_IMAGE=/vmlinuz".to_string()];
    if !typed.is_empty() {
        let quote = if typed.contains(' ') { "\"" } else { "" };
        words.push(format!("{quote}root={typed}{quote}"));
    }
    let writable = rng.chance(20);
    words.push(if writable { "rw" } else { "ro" }.into());
    let init = rng
        .chance(15)
        .then(|| "/usr/lib/systemd/systemd".to_string());
    words.extend(init.iter().map(|i| format!("init={i}")));
    let patience = match rng.below(10) {
        0 => {
            words.push("rootwait".into());
            None
        }
        1..=4 => {
            let seconds = rng.between(2, 60);
            words.push(format!("rd.timeout={seconds}"));
            Some(seconds * 1000)
        }
        _ => Some(90_000),
    };
    let (shell, end) = policy(rng, &mut words);
    if rng.chance(10) {
        words.push("quiet".into());
    }
    words.push("--".into());
    words.push("single".into());
    let fstypes = types(rng, root.as_ref(), disks);
    if !fstypes.is_empty() {
        words.insert(1, format!("rootfstype={}", fstypes.join(",")));
    }
    let cmdline = words.join(" ");
    Asked {
        cmdline,
        root,
        typed,
        fstypes,
        writable,
        refuse_clones: false,
        init,
        resume: None,
        patience,
        shell,
        end,
    }
}

/// Sometimes the type is given by hand; sometimes others are to be tried first.
fn types(rng: &mut Rng, root: Option<&Source>, disks: &[Disk]) -> Vec<String> {
    let kind = root.and_then(|r| media::kind_of(r, disks));
    let Some(kind) = kind.filter(|_| rng.chance(15)) else {
        return Vec::new();
    };
    let other = *rng.pick(&["ext4", "xfs", "btrfs"]);
    match rng.chance(30) && other != kind {
        true => vec![other.into(), kind],
        false => vec![kind],
    }
}

fn policy(rng: &mut Rng, words: &mut Vec<String>) -> (bool, End) {
    match rng.below(6) {
        0 => {
            words.push("rd.shell".into());
            (true, End::Halt)
        }
        1 => {
            words.push("panic=-1".into());
            (false, End::Reboot(0))
        }
        2 => {
            words.push("panic=5".into());
            (false, End::Reboot(5))
        }
        3 => {
            words.push("rd.emergency=poweroff".into());
            (false, End::PowerOff)
        }
        _ => (false, End::Halt),
    }
}

fn nonsense(rng: &mut Rng) -> (Option<Source>, String) {
    let typed = *rng.pick(&[
        "live:http://example.org/root.img",
        "/dev/disk/by-path/x",
        "8:",
    ]);
    (Some(Source::Unknown(Text::from(typed))), typed.into())
}

fn absent(rng: &mut Rng) -> (Option<Source>, String) {
    match rng.below(3) {
        0 => (Some(Source::Name("sdzz9".into())), "/dev/sdzz9".into()),
        1 => (
            Some(Source::Label(Text::from("nowhere"))),
            "LABEL=nowhere".into(),
        ),
        _ => {
            let uuid = media::uuid(rng);
            let typed = format!("UUID={uuid}");
            (Some(Source::Uuid(uuid)), typed)
        }
    }
}

/// Other devices that show the wanted identity without being root: members of containers that it
/// shines through, swap, ambivalent bytes; rarely a true clone.
fn decoys(rng: &mut Rng, world: &mut World) {
    let roots = world.roots();
    let [root] = roots.as_slice() else { return };
    let Some(origin) = world.disks.iter().position(|d| {
        d.name == *root
            || d.medium
                .parts
                .iter()
                .any(|p| d.part_name(p.number) == *root)
    }) else {
        return;
    };
    let host = world.disks[origin].clone();
    let part = host
        .medium
        .parts
        .iter()
        .find(|p| host.part_name(p.number) == *root);
    let mut shown = part.map_or(&host.medium.finding, |p| &p.finding).clone();
    for (index, disk) in world.disks.iter_mut().enumerate() {
        if index == origin || !rng.chance(25) {
            continue;
        }
        if rng.chance(8) {
            disk.medium = host.medium.clone();
            continue;
        }
        disguise(rng, &mut shown);
        let targets = disk.medium.parts.len();
        match targets {
            0 if disk.medium.finding.table.is_none() => disk.medium.finding = shown.clone(),
            0 => {}
            _ => disk.medium.parts[rng.index(targets)].finding = shown.clone(),
        }
        // Half of a mirror with its metadata at the end: a whole table shines through.
        if targets > 0 && rng.chance(30) {
            disk.medium = host.medium.clone();
            disk.medium.finding.signature = Some(media::member(rng, None));
        }
    }
}

fn disguise(rng: &mut Rng, shown: &mut Finding) {
    let Some(signature) = &mut shown.signature else {
        return;
    };
    let (kind, usage) = *rng.pick(&[
        ("linux_raid_member", Usage::Raid),
        ("LVM2_member", Usage::Raid),
        ("crypto_LUKS", Usage::Crypto),
        ("swap", Usage::Other),
    ]);
    signature.kind = kind.into();
    signature.usage = usage;
}

/// One thing that goes wrong.
fn fault(rng: &mut Rng, world: &World) -> Fault {
    let disk = rng.index(world.disks.len());
    let at = if rng.chance(50) {
        rng.below(400)
    } else {
        rng.below(20_000)
    };
    let after = rng.chance(70).then(|| rng.below(5_000));
    let times = if rng.chance(50) {
        Times::Once
    } else {
        Times::Always
    };
    match rng.below(24) {
        0 => Fault::Twice { disk },
        1 | 2 => {
            let other = rng.chance(40).then(|| Box::new(media::medium(rng, false)));
            Fault::Pulled {
                disk,
                at,
                back: after,
                as_other: other,
            }
        }
        3 => pulled_during(rng, world, Verb::Probe),
        4 => pulled_during(rng, world, Verb::Mount),
        5 => Fault::Touched { disk, at },
        6 => Fault::Rewritten {
            disk,
            at,
            medium: Box::new(media::medium(rng, false)),
        },
        7 => Fault::Empty { disk, at },
        8 => Fault::ProbeFails {
            device: device(rng, world),
            times,
        },
        9 => Fault::ProbeLies {
            device: device(rng, world),
        },
        10 | 11 => Fault::LoadFails {
            module: module(rng, world),
            times,
        },
        12 => Fault::MountFails {
            device: device(rng, world),
            times,
        },
        13 => Fault::HandOverFails { times },
        14 => Fault::Never {
            verb: Verb::Probe,
            object: device(rng, world),
        },
        15 => Fault::Never {
            verb: Verb::Load,
            object: module(rng, world),
        },
        16 => never(rng, world),
        17 => Fault::ResolveEmpty {
            alias: alias(rng, world),
        },
        18 => Fault::Lost {
            from: rng.below(2_000),
            ms: rng.below(2_000),
        },
        19 => Fault::Lag {
            ms: rng.between(1, 300),
        },
        20 => Fault::Echo,
        21 => Fault::Stray {
            at,
            kind: rng.next(),
        },
        22 => {
            let known = rng.chance(50);
            let name = if known {
                alias(rng, world)
            } else {
                "net-pf-99".into()
            };
            Fault::Request { at, name }
        }
        _ if rng.chance(30) => Fault::Restless {
            disk,
            every: rng.between(100, 900),
        },
        _ if rng.chance(60) => Fault::EarlyTimer { at },
        _ => Fault::CtrlAltDel { at },
    }
}

/// The wanted disk leaves while somebody looks at it, often to come back as another one.
fn pulled_during(rng: &mut Rng, world: &World, verb: Verb) -> Fault {
    let roots = world.roots();
    let host = roots.first().and_then(|root| world.disk_of(root));
    let wanted = host.and_then(|host| world.disks.iter().position(|d| d.name == host.name));
    let any = rng.index(world.disks.len());
    Fault::PulledDuring {
        disk: wanted.filter(|_| rng.chance(60)).unwrap_or(any),
        verb,
        back: rng.chance(80).then(|| {
            let soon = rng.chance(60);
            rng.below(if soon { 20 } else { 5_000 })
        }),
        as_other: rng.chance(40).then(|| Box::new(media::medium(rng, false))),
    }
}

/// Root's disk leaves (and perhaps returns as another) while nobody listens.
fn storm(rng: &mut Rng, world: &mut World) {
    let disk = rng.index(world.disks.len());
    let roots = world.roots();
    let host = roots.first().and_then(|root| world.disk_of(root));
    let wanted = host.and_then(|host| world.disks.iter().position(|d| d.name == host.name));
    let (from, ms) = (rng.below(600), rng.between(2, 40));
    world.faults.push(Fault::Lost { from, ms });
    world.faults.push(Fault::Pulled {
        disk: wanted.unwrap_or(disk),
        at: from + 1,
        back: rng.chance(40).then(|| rng.below(2 * ms)),
        as_other: rng.chance(50).then(|| Box::new(media::medium(rng, false))),
    });
}

fn never(rng: &mut Rng, world: &World) -> Fault {
    let (verb, object) = match rng.below(4) {
        0 => (Verb::Walk, String::new()),
        1 => (Verb::Resolve, alias(rng, world)),
        2 => (Verb::Mount, device(rng, world)),
        _ => (Verb::FindInit, String::new()),
    };
    Fault::Never { verb, object }
}

/// A device; root more often than chance would have it.
fn device(rng: &mut Rng, world: &World) -> String {
    let roots = world.roots();
    if !roots.is_empty() && rng.chance(40) {
        return rng.pick(&roots).clone();
    }
    let disk = rng.pick(&world.disks);
    match disk.medium.parts.len() {
        0 => disk.name.clone(),
        n => match rng.index(n + 1) {
            0 => disk.name.clone(),
            i => disk.part_name(disk.medium.parts[i - 1].number),
        },
    }
}

fn module(rng: &mut Rng, world: &World) -> String {
    let names: Vec<&String> = world.catalog.mods.keys().collect();
    (*rng.pick(&names)).clone()
}

fn alias(rng: &mut Rng, world: &World) -> String {
    let names: Vec<&String> = world.catalog.aliases.keys().collect();
    (*rng.pick(&names)).clone()
}
