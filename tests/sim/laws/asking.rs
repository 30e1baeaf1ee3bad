//! Laws about questions: tickets, lookups, loads, probes, the kernel's own requests.

use super::{Case, Verdict, ensure};
use crate::known::{Question, ticket_of};
use crate::story::Step;
use landfall::plan::action::Action;

/// Every ticket is issued once.
pub fn tickets_are_fresh(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Some(ticket) = ticket_of(action) else {
        return Ok(());
    };
    ensure(!case.known.asked.contains_key(&ticket), || {
        format!("{ticket:?} was issued before")
    })
}

/// An open question is not asked again; only a device that may have become another one is probed
/// again before the first probe has answered, and a person in the shell may have helped.
pub fn nothing_is_asked_twice(case: &Case, _: &Step, action: &Action) -> Verdict {
    let open = |same: &dyn Fn(&Question) -> bool| {
        case.known
            .open()
            .any(|a| a.step >= case.known.resumed && same(&a.question))
    };
    let twice = match action {
        Action::Probe { device, .. } => case.known.is_probing_again(device),
        Action::AskFirmware { .. } => open(&|q| *q == Question::Firmware),
        Action::FindInit { .. } => open(&|q| matches!(q, Question::FindInit(_))),
        Action::HandOver { .. } => open(&|q| matches!(q, Question::HandOver(_))),
        Action::Shell { .. } => open(&|q| *q == Question::Shell),
        _ => false,
    };
    ensure(!twice, || {
        format!("{action:?} was asked and is not answered yet")
    })
}

/// Neither one that is there nor one that is on its way.
pub fn no_module_is_loaded_twice(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Load { module, .. } = action else {
        return Ok(());
    };
    ensure(!case.known.loaded.contains(module), || {
        format!("{module} is loaded already")
    })?;
    ensure(!case.known.loading.contains(module), || {
        format!("{module} is being loaded already")
    })
}

/// What failed once fails again; only a person in the shell may have changed that.
pub fn a_failed_load_is_not_repeated(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Load { module, .. } = action else {
        return Ok(());
    };
    let tries = case.known.tries.get(module).copied().unwrap_or(0);
    ensure(tries == 0, || {
        format!("{module} was tried {tries} times already")
    })
}

/// A module's name comes from an index, and never from the blacklist alone.
pub fn only_what_was_resolved_is_loaded(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Load { module, .. } = action else {
        return Ok(());
    };
    let mut known = case.known.resolutions.values();
    let named = known.any(|r| {
        let wanted = r.modules.iter().any(|m| {
            let soft = m.before.iter().chain(&m.after).flatten();
            m.needs.iter().chain(soft).any(|n| n == module)
        });
        r.answers.contains(module) || wanted
    });
    ensure(named, || format!("no lookup named {module} as one to load"))
}

/// While the module that hashes signatures faster is looked up or loaded, only it is, with what it
/// needs and what the kernel itself asks for: all others would be checked the slow way.
pub fn the_accelerator_goes_first(case: &Case, step: &Step, action: &Action) -> Verdict {
    let (Action::Load { module, .. }, Some((faster, _))) = (action, &case.known.faster) else {
        return Ok(());
    };
    let catalog = &case.world.catalog;
    let own = catalog.closure(std::slice::from_ref(faster));
    let sought = Question::Resolve(faster.as_str().into());
    let sought = case.known.open().any(|a| a.question == sought);
    let under_way = sought || own.iter().any(|m| case.known.loading.contains(m));
    let requests = case.known.requests.values();
    let asked = requests.flat_map(|(name, _)| {
        let found = catalog.resolve(name.as_str().unwrap_or(""));
        catalog.closure(&found.answers)
    });
    let allowed = own.contains(module) || asked.into_iter().any(|m| m == *module);
    ensure(
        !under_way || !case.known.may_hold(step.now) || allowed,
        || format!("{module} is loaded beside {faster}"),
    )
}

/// A module is loaded when everything that it needs is there.
pub fn needs_come_first(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Load { module, .. } = action else {
        return Ok(());
    };
    for found in case.known.resolutions.values() {
        let entries = found.modules.iter().filter(|m| m.name == *module);
        for need in entries.flat_map(|m| &m.needs) {
            let there = case.known.loaded.contains(need);
            ensure(there, || {
                format!("{module} needs {need}, which is not loaded")
            })?;
        }
    }
    Ok(())
}

/// A device that was reported gone is not looked at; neither is one without a
/// medium, unless it has just changed.
pub fn only_present_devices_are_probed(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Probe { device, .. } = action else {
        return Ok(());
    };
    let there = case
        .known
        .blocks
        .get(device)
        .is_some_and(|s| s.present && (s.block.sectors > 0 || s.changed));
    ensure(there, || format!("{device} is not there, or empty"))
}

/// The kernel waits for exactly one answer, to exactly the requests that it made.
pub fn each_request_gets_one_reply(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Reply { request, .. } = action else {
        return Ok(());
    };
    match case.known.requests.get(request) {
        None => Err(format!("nobody made the request {request}")),
        Some((name, Some(_))) => Err(format!("request {request} ({name}) was answered before")),
        Some((_, None)) => Ok(()),
    }
}

/// "Yes" means: some module that answers the name is there, or the kernel has it built in.
pub fn replies_are_true(case: &Case, step: &Step, action: &Action) -> Verdict {
    let Action::Reply { request, ok } = action else {
        return Ok(());
    };
    let Some((name, _)) = case.known.requests.get(request) else {
        return Ok(());
    };
    let found = case.known.resolutions.get(name);
    // Once the boot is over, one way or the other, nothing is loaded and nobody looks any more.
    let leaves = |a: &Action| {
        matches!(
            a,
            Action::HandOver { .. } | Action::Reboot | Action::End { .. }
        )
    };
    let ended = case.known.gave_up || case.known.over || step.actions.iter().any(leaves);
    let there =
        found.is_some_and(|r| r.builtin || r.answers.iter().any(|m| case.known.loaded.contains(m)));
    ensure(*ok == there || (ended && !ok), || {
        format!("{name}: replied {ok}, but there is {there}")
    })
}
