//! Laws about the mount and what follows it.

use super::{Case, Verdict, ensure};
use crate::known::{Known, Question};
use crate::story::Step;
use crate::world::{World, is_container};
use landfall::format::identity::Finding;
use landfall::plan::action::{Action, Level, Mount};

pub fn one_mount_at_a_time(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Mount { .. } = action else {
        return Ok(());
    };
    let open = case
        .known
        .open()
        .any(|a| matches!(a.question, Question::Mount(_)));
    ensure(!open, || "another mount is open".into())?;
    let mounted = case.known.mounted.as_ref();
    ensure(mounted.is_none(), || {
        format!("{mounted:?} is mounted already")
    })
}

/// A hibernated system that is known, and that was to be resumed, was tried before. Promise P4.
pub fn resume_comes_first(case: &Case, _: &Step, action: &Action) -> Verdict {
    let (Action::Mount { .. }, Some(uuid)) = (action, &case.world.asked.resume) else {
        return Ok(());
    };
    let known = case.known;
    let open = known.open().any(|a| a.question == Question::Resume);
    ensure(!open, || "the kernel is being asked to go on".into())?;
    let holds = |finding: &Finding| {
        let signature = finding.signature.as_ref();
        signature.is_some_and(|s| s.kind == "swsuspend" && s.uuid.as_ref() == Some(uuid))
    };
    let counts = |name: &str| {
        let part_of = known
            .blocks
            .get(name)
            .and_then(|s| s.block.part_of.as_ref());
        part_of.is_none_or(|(disk, _)| known.finding(disk).is_some_and(|f| !is_container(f)))
    };
    let mut present = known.blocks.iter().filter(|(_, seen)| seen.present);
    let image = present.find(|(name, _)| known.finding(name).is_some_and(holds) && counts(name));
    ensure(image.is_none() || known.resume_failed, || {
        format!(
            "{} holds a system that was to go on",
            image.map_or("", |(name, _)| name)
        )
    })
}

/// Nothing is mounted that is not there, that was not identified in its present life, that is
/// part of something else, or that is not what root asks for.
pub fn only_what_was_asked_for_is_mounted(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Mount { mount, .. } = action else {
        return Ok(());
    };
    let device = &mount.device;
    let known = case.known;
    let there = known.blocks.get(device).is_some_and(|s| s.present);
    ensure(there, || format!("{device} is not there"))?;
    ensure(!known.is_probing(device), || {
        format!("{device} is being probed")
    })?;
    ensure(known.finding(device).is_some(), || {
        format!("{device} is not identified")
    })?;
    ensure(fits(case.world, known, device), || {
        format!("{device} is not what root asks for")
    })
}

/// Is this device, as far as the plan was told, what root asks for?
pub fn fits(world: &World, known: &Known, device: &str) -> bool {
    let Some(finding) = known.finding(device) else {
        return false;
    };
    let part_of = known
        .blocks
        .get(device)
        .and_then(|s| s.block.part_of.as_ref());
    let Some((disk, number)) = part_of else {
        return world.asked.fits(device, finding, None);
    };
    // A partition counts when its disk is known, too: the disk may be a member of something.
    match known.finding(disk) {
        Some(table) if is_container(table) => false,
        Some(table) => world.asked.fits(device, finding, Some((table, *number))),
        None => {
            let failed = known
                .blocks
                .get(disk)
                .is_some_and(|s| s.present && s.failed);
            failed && world.asked.fits(device, finding, None)
        }
    }
}

/// All devices that are what root asks for.
pub fn candidates<'a>(world: &'a World, known: &'a Known) -> impl Iterator<Item = &'a str> {
    known
        .blocks
        .keys()
        .map(String::as_str)
        .filter(|d| fits(world, known, d))
}

/// The type is the one that was asked for, or else the one that the bytes say.
pub fn the_type_is_the_right_one(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Mount { mount, .. } = action else {
        return Ok(());
    };
    let Mount { device, fstype, .. } = &**mount;
    let asked = &case.world.asked.fstypes;
    let found = case
        .known
        .finding(device)
        .and_then(|f| f.signature.as_ref())
        .map(|s| &s.kind);
    let right = if asked.is_empty() {
        found == Some(fstype)
    } else {
        asked.contains(fstype)
    };
    ensure(right, || {
        format!("{device} as {fstype}: asked {asked:?}, found {found:?}")
    })
}

/// A mount that may write happens only with `rw`, and not where the table of a root that was found
/// by its type forbids it.
pub fn read_only_unless_asked(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Mount { mount, .. } = action else {
        return Ok(());
    };
    let part_of = case.known.blocks.get(&mount.device);
    let part_of = part_of.and_then(|s| s.block.part_of.as_ref());
    let forbidden = part_of.is_some_and(|(disk, number)| {
        let table = case.known.finding(disk).and_then(|f| f.table.as_ref());
        let mut entries = table.iter().flat_map(|t| &t.partitions);
        entries.any(|e| e.number == *number && (e.flags >> 60) & 1 == 1)
    });
    let forbidden = forbidden && case.world.asked.root.is_none();
    let writable = case.world.asked.writable && !forbidden;
    ensure(mount.read_only != writable, || {
        format!("asked writable={writable}: {mount:?}")
    })
}

/// If another device is known to answer just as well, a warning has named both, or nothing is
/// mounted where that was asked for.
pub fn twins_are_named(case: &Case, step: &Step, action: &Action) -> Verdict {
    let Action::Mount { mount, .. } = action else {
        return Ok(());
    };
    let said_now = step.actions.iter().filter_map(|a| match a {
        Action::Say {
            level: Level::Warning | Level::Error,
            text,
        } => Some(text),
        _ => None,
    });
    let said: Vec<&String> = said_now.chain(&case.known.warnings).collect();
    let refused = |d: &str| case.known.blocks.get(d).is_some_and(|s| s.refused);
    let others = candidates(case.world, case.known).filter(|d| *d != mount.device);
    // Only one device can have a name.
    let refuse = case.world.asked.refuse_clones;
    for twin in others.filter(|d| !refused(d)) {
        // A root by its type is chosen by the disk that was booted from; that is no cloning.
        if case.world.asked.root.is_none() && case.world.booted.is_some() {
            continue;
        }
        ensure(!refuse, || format!("{twin} is a clone of {}", mount.device))?;
        let named = said
            .iter()
            .any(|s| names(s, twin) && names(s, &mount.device));
        ensure(named, || {
            format!("{twin} answers just as well as {}: not said", mount.device)
        })?;
    }
    Ok(())
}

/// Does this sentence hold this device's name, as a word?
pub fn names(sentence: &str, device: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '!';
    sentence.split(|c| !word(c)).any(|w| w == device)
}

/// FindInit follows the mount, HandOver follows both; the program is the one that was found, and
/// nobody is left waiting for an answer.
pub fn hand_over_only_when_ready(case: &Case, step: &Step, action: &Action) -> Verdict {
    let known = case.known;
    match action {
        Action::FindInit { init, .. } => {
            ensure(known.mounted.is_some(), || "nothing is mounted".into())?;
            let asked = case.world.asked.init.as_deref();
            let given = init.as_ref().and_then(|i| i.as_str());
            ensure(given == asked, || {
                format!("asked init={asked:?}, looks for {given:?}")
            })
        }
        Action::HandOver { init, .. } => {
            ensure(known.mounted.is_some(), || "nothing is mounted".into())?;
            ensure(known.init.as_ref() == Some(init), || {
                format!("{init} was not found")
            })?;
            let waiting = known.requests.values().find(|(_, reply)| reply.is_none());
            ensure(waiting.is_none(), || {
                format!("the kernel still waits for {waiting:?}")
            })?;
            let last = step.actions.last() == Some(action);
            ensure(last, || {
                "an action behind the hand-over is never done".into()
            })
        }
        _ => Ok(()),
    }
}
