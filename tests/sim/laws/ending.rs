//! Laws about the end: every world has one, it is the right one, and it says why.

use super::mounting::{candidates, names};
use super::{Case, Verdict, ensure};
use crate::faults::Fault;
use crate::known::Question;
use crate::prospects::Prospect;
use crate::story::{Outcome, Step};
use landfall::format::wish::{End, Source};
use landfall::plan::action::Action;
use landfall::plan::event::Event;

/// A page need not list more devices than this.
const MAX_LISTED: usize = 40;

/// What was begun in time (a mount that replays a journal, the search for init) may end late.
const GRACE_MS: u64 = 60_000;

/// After the last action there is nothing but replies, and the reboot that a person asks for.
pub fn silence_after_the_end(case: &Case, step: &Step, action: &Action) -> Verdict {
    let allowed = match action {
        Action::Reply { .. } => true,
        Action::Reboot => step.event == Event::CtrlAltDel,
        _ => false,
    };
    ensure(!case.known.over || allowed, || {
        format!("after the end: {action:?}")
    })
}

/// Nobody is left in front of a dead machine without a reason.
pub fn a_page_comes_before_the_end(case: &Case, _: &Step, action: &Action) -> Verdict {
    match action {
        Action::End { .. } | Action::Shell { .. } => {
            ensure(case.known.gave_up, || format!("{action:?} without a page"))
        }
        _ => Ok(()),
    }
}

/// While root may still appear, the plan waits for it.
pub fn no_early_surrender(case: &Case, step: &Step, action: &Action) -> Verdict {
    let Action::Page { .. } = action else {
        return Ok(());
    };
    let past = case
        .world
        .asked
        .patience
        .is_some_and(|p| step.now.0 >= case.world.start + p);
    let hopeless = matches!(case.world.asked.root, None | Some(Source::Unknown(_)));
    let tried = case.known.mounted.is_some()
        || case.known.blocks.values().any(|s| s.refused)
        || case
            .story
            .steps
            .iter()
            .any(|s| matches!(s.event, Event::MountFailed { .. }));
    let twins = case.world.asked.refuse_clones && candidates(case.world, case.known).count() > 1;
    ensure(
        past || hopeless || tried || twins || case.known.shells_left > 0,
        || format!("gave up at {} although root may still appear", step.now),
    )
}

pub fn a_shell_only_where_allowed(case: &Case, _: &Step, action: &Action) -> Verdict {
    let Action::Shell { .. } = action else {
        return Ok(());
    };
    ensure(case.world.asked.shell, || "nobody allowed a shell".into())
}

pub fn the_end_is_the_one_asked_for(case: &Case, step: &Step, action: &Action) -> Verdict {
    match action {
        Action::End { end } => {
            let asked = case.world.asked.end;
            // The page stays for so long; then the reboot is due at once.
            let due = match asked {
                End::Reboot(_) => End::Reboot(0),
                other => other,
            };
            ensure(*end == due, || format!("asked for {asked:?}, got {end:?}"))?;
            let End::Reboot(seconds) = asked else {
                return Ok(());
            };
            let mut pages = case
                .story
                .pages()
                .into_iter()
                .filter(|(at, _)| *at <= step.now);
            let shown = pages.next_back().map_or(0, |(at, _)| at.until(step.now));
            let long = shown >= u64::from(seconds) * 1000;
            ensure(long, || {
                format!("the page stood for {shown} ms of {seconds} s")
            })
        }
        Action::Reboot => ensure(step.event == Event::CtrlAltDel, || {
            "nobody asked for a reboot".into()
        }),
        _ => Ok(()),
    }
}

pub fn ctrl_alt_del_is_obeyed(case: &Case, step: &Step) -> Verdict {
    if step.event != Event::CtrlAltDel {
        return Ok(());
    }
    let handing_over = case
        .known
        .open()
        .any(|a| matches!(a.question, Question::HandOver(_)));
    let reboots = step.actions.contains(&Action::Reboot);
    let over = case.story.steps[..case.known.step]
        .iter()
        .any(|s| s.actions.contains(&Action::Reboot));
    ensure(reboots || handing_over || over, || {
        "ctrl-alt-del, and no reboot".into()
    })
}

pub fn nothing_panics(case: &Case) -> Verdict {
    match &case.story.outcome {
        Outcome::Panicked(how) => Err(how.clone()),
        _ => Ok(()),
    }
}

/// Handed over, or gave up with a page, in time. Only `rootwait` waits for ever.
pub fn every_world_ends(case: &Case) -> Verdict {
    let Some(patience) = case.world.asked.patience else {
        return ensure(case.story.outcome != Outcome::Runaway, || {
            "never ends".into()
        });
    };
    let patience = case.world.start + patience;
    let ended = !matches!(case.story.outcome, Outcome::Waiting | Outcome::Runaway);
    ensure(ended, || {
        format!(
            "the world came to an end, the boot did not: {:?}",
            case.story.outcome
        )
    })?;
    let Some((first_page, _)) = case.story.pages().into_iter().next() else {
        let mounted = case.story.root();
        let in_time = mounted.as_ref().is_none_or(|(_, at)| at.0 <= patience);
        return ensure(in_time, || {
            format!("mounted after the deadline: {mounted:?}")
        });
    };
    let begun = case.story.steps.iter().any(|s| {
        s.now.0 <= patience && s.actions.iter().any(|a| matches!(a, Action::Mount { .. }))
    });
    let last = patience + if begun { GRACE_MS } else { 0 };
    ensure(first_page.0 <= last, || {
        format!("gave up at {first_page}, {patience} ms were given")
    })
}

/// Whoever ends the boot answers first.
pub fn every_request_is_answered(case: &Case) -> Verdict {
    let ended = matches!(case.story.outcome, Outcome::HandedOver | Outcome::Ended(_));
    let waiting = case
        .known
        .requests
        .values()
        .find(|(_, reply)| reply.is_none());
    ensure(!ended || waiting.is_none(), || {
        format!("the kernel still waits for {waiting:?}")
    })
}

/// What nothing prevents happens, in the time it takes.
pub fn what_can_boot_boots(case: &Case) -> Verdict {
    let Prospect::Boots { device, by } = case.prospect else {
        return Ok(());
    };
    let root = case.story.root();
    if left_too_late(case) {
        return Ok(());
    }
    let right = matches!(&root, Some((d, at)) if d == device && at.0 <= *by);
    ensure(right, || {
        format!("{device} can be mounted by {by} ms; mounted: {root:?}")
    })?;
    let outcome = &case.story.outcome;
    ensure(*outcome == Outcome::HandedOver, || {
        format!("nothing prevents it, yet {outcome:?}")
    })
}

/// The disk was pulled when root was mounted already, and init could not be read any more.
fn left_too_late(case: &Case) -> bool {
    let pulled = case.world.faults.iter().any(Fault::pulls);
    let missing = |s: &Step| matches!(s.event, Event::InitMissing { .. });
    pulled && case.story.steps.iter().any(missing)
}

/// A boot that cannot succeed ends in a page that names the cause.
pub fn what_cannot_boot_says_why(case: &Case) -> Verdict {
    let Prospect::Fails { must_say } = case.prospect else {
        return Ok(());
    };
    let helped = case.known.shells_left > 0;
    let booted = case.story.outcome == Outcome::HandedOver;
    ensure(!booted || helped, || {
        "this world cannot boot, and did".into()
    })?;
    let pages = case.story.pages();
    if pages.is_empty() && case.world.asked.patience.is_none() {
        return Ok(());
    }
    let Some((_, page)) = pages.first() else {
        return Err("no page was shown".into());
    };
    for cause in must_say {
        ensure(page.contains(cause.as_str()), || {
            format!("not on the page: {cause}\n{page}")
        })?;
    }
    Ok(())
}

/// A page names root as it was typed and every device that is there.
pub fn the_page_lists_what_was_seen(case: &Case) -> Verdict {
    let mut known = crate::known::Known::default();
    for (number, step) in case.story.steps.iter().enumerate() {
        known.hear(number, step);
        for action in &step.actions {
            if let Action::Page { lines } = action {
                let page = lines.join("\n");
                let typed = &case.world.asked.typed;
                ensure(page.contains(typed.as_str()), || {
                    format!("not on the page: {typed}\n{page}")
                })?;
                let present = || known.blocks.values().filter(|s| s.present);
                // A long list may be cut, if it says so.
                let cut = present().count() > MAX_LISTED && page.contains(" more");
                for seen in present().filter(|_| !cut) {
                    let name = &seen.block.name;
                    ensure(names(&page, name), || {
                        format!("not on the page: {name}\n{page}")
                    })?;
                }
            }
            known.ask(action);
        }
    }
    Ok(())
}
