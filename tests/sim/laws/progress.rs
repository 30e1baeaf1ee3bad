//! Laws about time: nothing that root needs waits for nothing, and nothing spins.

use super::mounting::candidates;
use super::{Case, Verdict, ensure};
use crate::known::{Known, Question};
use crate::story::{Outcome, Step};
use crate::world::{Haste, World, is_root};
use landfall::base::text::Text;
use landfall::plan::event::Event;
use std::collections::BTreeSet;

/// More actions than this for one event cannot be explained by any event.
const ACTIONS_PER_EVENT: usize = 12;
/// The timer may ring that often without anything else having happened.
const IDLE_TIMERS: usize = 16;

pub fn the_deadline_lies_ahead(_: &Case, step: &Step) -> Verdict {
    let ahead = step.deadline.is_none_or(|d| d > step.now);
    ensure(ahead, || {
        format!("deadline {:?} at {}", step.deadline, step.now)
    })
}

/// Is the boot still on its way to root?
fn is_searching(known: &Known) -> bool {
    !known.over && !known.gave_up && known.mounted.is_none()
}

fn resolves(known: &Known, alias: &str) -> bool {
    let alias = Text::from(alias);
    known.resolutions.contains_key(&alias)
        || known
            .open()
            .any(|a| a.question == Question::Resolve(alias.clone()))
}

/// The driver of a device on the way to root is looked up the moment the device is there.
pub fn no_driver_on_the_way_waits(case: &Case, _: &Step) -> Verdict {
    if !is_searching(case.known) {
        return Ok(());
    }
    let Some((_, nodes)) = case.way else {
        return Ok(());
    };
    for node in nodes.iter().filter(|n| !n.drivers.is_empty()) {
        let there = case.known.modaliases.contains(&node.modalias);
        let due = match node.haste {
            Haste::AtOnce => true,
            Haste::WhenQuiet => case.known.open().next().is_none(),
            Haste::SomeTime => false,
        };
        let asked = resolves(case.known, &node.modalias);
        ensure(!there || !due || asked, || {
            format!("{} waits for a driver", node.modalias)
        })?;
    }
    Ok(())
}

/// A module on the way to root is on its way itself, or something that it waits for is. While
/// another device is about to be mounted, drivers wait: root has been found.
pub fn no_module_on_the_way_waits(case: &Case, step: &Step) -> Verdict {
    let known = case.known;
    if !is_searching(known) || known.may_hold(step.now) {
        return Ok(());
    }
    let Some((root, nodes)) = case.way else {
        return Ok(());
    };
    let refused = |d: &str| known.blocks.get(d).is_some_and(|s| s.refused);
    if candidates(case.world, known).any(|d| d != root && !refused(d)) {
        return Ok(());
    }
    for node in nodes.iter().filter(|n| !n.drivers.is_empty()) {
        let alias = Text::from(node.modalias.as_str());
        let Some(found) = known.resolutions.get(&alias) else {
            continue;
        };
        if !found.answers.iter().any(|m| can_load(case.world, known, m)) {
            continue;
        }
        let there = found.answers.iter().any(|m| known.loaded.contains(m));
        let moving = case.world.catalog.closure(&found.answers);
        let moving = moving.iter().any(|m| known.loading.contains(m));
        let waits = || format!("{:?} for {} wait for nothing", found.answers, node.modalias);
        ensure(there || moving, waits)?;
    }
    Ok(())
}

/// Nothing that this module needs is missing, has failed, or needs it in turn.
fn can_load(world: &World, known: &Known, module: &str) -> bool {
    let Some(entry) = world.catalog.mods.get(module) else {
        return false;
    };
    let sound = |m: &String| {
        let needs = world.catalog.mods.get(m).map(|n| &n.needs);
        !known.failed.contains(m) && needs.is_some_and(|n| !n.contains(&module.to_string()))
    };
    !known.failed.contains(module) && entry.needs.iter().all(sound)
}

/// The only root, and the disk whose table names it, are looked at the moment they are there,
/// unless something is being mounted already.
pub fn no_device_on_the_way_waits(case: &Case, _: &Step) -> Verdict {
    let known = case.known;
    let mounting = known
        .open()
        .any(|a| matches!(a.question, Question::Mount(_)));
    if !is_searching(known) || mounting {
        return Ok(());
    }
    let Some((root, _)) = case.way else {
        return Ok(());
    };
    let Some(seen) = known
        .blocks
        .get(root)
        .filter(|s| s.present && s.block.sectors > 0)
    else {
        return Ok(());
    };
    if seen.finding.is_some() || seen.failed {
        return Ok(());
    }
    let by_name = known
        .open()
        .any(|a| a.question == Question::Probe(root.clone()));
    let disk = seen.block.part_of.as_ref().map(|(disk, _)| disk);
    let by_disk = disk.is_some_and(|d| known.is_probing(d));
    let pointless =
        disk.is_some_and(|d| known.blocks.get(d).is_none_or(|s| s.failed || !s.present));
    // Without root=, a table has to call it a root first; a liar's does not.
    let uncalled = case.world.asked.root.is_none() && {
        let table = disk.and_then(|d| known.finding(d)?.table.as_ref().zip(known.finding(d)));
        let number = seen.block.part_of.as_ref().map(|(_, number)| *number);
        !table.is_some_and(|(table, finding)| {
            let mut entries = table.partitions.iter();
            entries.any(|e| Some(e.number) == number && is_root(finding, e))
        })
    };
    ensure(by_name || by_disk || pointless || uncalled, || {
        format!("{root} waits to be looked at")
    })
}

/// Root is mounted the moment it is identified and its file system's driver is settled. One that
/// is found by its type is compared with others first.
pub fn no_mount_waits(case: &Case, step: &Step) -> Verdict {
    let known = case.known;
    let busy = known.open().any(|a| match &a.question {
        // What decides between clones.
        Question::Mount(_)
        | Question::Read(_)
        | Question::Assemble(_)
        | Question::Announce
        | Question::Links(_)
        | Question::Firmware => true,
        Question::Resolve(alias) => is_for_mounts(alias),
        _ => false,
    });
    let compares = case.world.asked.root.is_none() || case.world.asked.refuse_clones;
    // Whether a hibernated system is there may have to be known first.
    let compares = compares || case.world.asked.resume.is_some();
    if !is_searching(known) || busy || compares || known.may_hold(step.now) {
        return Ok(());
    }
    let Some(root) = candidates(case.world, known).next() else {
        return Ok(());
    };
    let Some(seen) = known.blocks.get(root).filter(|s| !s.refused) else {
        return Ok(());
    };
    let disk = seen.block.part_of.as_ref().map(|(disk, _)| disk.as_str());
    let still_looking = [Some(root), disk].into_iter().flatten().any(|d| {
        known
            .open()
            .any(|a| a.question == Question::Probe(d.into()))
    });
    let aliases = known
        .resolutions
        .iter()
        .filter(|(alias, _)| is_for_mounts(alias));
    let modules: BTreeSet<String> = aliases
        .flat_map(|(_, found)| case.world.catalog.closure(&found.answers))
        .collect();
    let loading = modules.iter().any(|m| known.loading.contains(m));
    ensure(still_looking || loading, || {
        format!("{root} is root and is not mounted")
    })
}

/// Drivers that a mount may wait for: file systems and what they compute with.
fn is_for_mounts(alias: &Text) -> bool {
    alias.0.starts_with(b"fs-") || alias.0.starts_with(b"crypto-")
}

/// Mounted: init is looked for. Found: the machine is handed over.
pub fn the_next_step_follows_the_mount(case: &Case, step: &Step) -> Verdict {
    let known = case.known;
    if known.over || known.gave_up || known.mounted.is_none() {
        return Ok(());
    }
    let under_way = known
        .open()
        .any(|a| matches!(a.question, Question::FindInit(_) | Question::HandOver(_)));
    let waited_for = known.requests.values().any(|(_, reply)| reply.is_none());
    ensure(under_way || waited_for, || {
        format!("mounted, and nothing follows ({:?})", step.event)
    })
}

/// The number of actions and of timer calls is explained by the number of other events.
pub fn nothing_spins(case: &Case) -> Verdict {
    ensure(case.story.outcome != Outcome::Runaway, || {
        "no end in sight".into()
    })?;
    let steps = &case.story.steps;
    let timers = steps.iter().filter(|s| s.event == Event::Timer).count();
    let events = steps.len() - timers;
    let actions: usize = steps.iter().map(|s| s.actions.len()).sum();
    ensure(timers <= IDLE_TIMERS + events, || {
        format!("{timers} timers, {events} other events")
    })?;
    ensure(actions <= ACTIONS_PER_EVENT * steps.len(), || {
        format!("{actions} actions for {} events", steps.len())
    })
}
