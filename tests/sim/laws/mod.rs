//! The laws: what must be true of every boot of every world, whatever goes wrong in it.
//!
//! Written before the plan, and against the record of a boot alone: events, actions, deadlines,
//! and what the world really was. Each law is one function and says its sentence when broken.

mod asking;
mod ending;
mod mounting;
mod progress;

use crate::known::Known;
use crate::prospects::Prospect;
use crate::story::{Step, Story};
use crate::world::{Node, World};
use landfall::plan::action::Action;

/// `Err`: in which way the law is broken.
pub type Verdict = Result<(), String>;

/// What a law may look at.
pub struct Case<'a> {
    pub world: &'a World,
    pub prospect: &'a Prospect,
    pub story: &'a Story,
    /// Everything up to the point that the law is asked about.
    pub known: &'a Known,
    pub way: Option<&'a Way<'a>>,
}

/// The only root of a world, and the nodes that it hangs on.
pub type Way<'a> = (String, Vec<&'a Node>);

fn way(world: &World) -> Option<Way<'_>> {
    let roots = world.roots();
    let [root] = roots.as_slice() else {
        return None;
    };
    let path = world.path_to(world.disk_of(root)?);
    Some((root.clone(), path))
}

/// Asked before each action is taken.
type ActionLaw = fn(&Case, &Step, &Action) -> Verdict;
/// Asked after each step.
type StepLaw = fn(&Case, &Step) -> Verdict;
/// Asked once, at the end.
type StoryLaw = fn(&Case) -> Verdict;

pub const ACTION_LAWS: &[(&str, ActionLaw)] = &[
    ("tickets are fresh", asking::tickets_are_fresh),
    ("nothing is asked twice", asking::nothing_is_asked_twice),
    (
        "no module is loaded twice",
        asking::no_module_is_loaded_twice,
    ),
    (
        "a failed load is not repeated",
        asking::a_failed_load_is_not_repeated,
    ),
    (
        "only what was resolved is loaded",
        asking::only_what_was_resolved_is_loaded,
    ),
    (
        "the accelerator goes first",
        asking::the_accelerator_goes_first,
    ),
    ("needs come first", asking::needs_come_first),
    (
        "only devices that are there are probed",
        asking::only_present_devices_are_probed,
    ),
    (
        "each kernel request gets one reply",
        asking::each_request_gets_one_reply,
    ),
    ("replies are true", asking::replies_are_true),
    ("one mount at a time", mounting::one_mount_at_a_time),
    ("resume comes first", mounting::resume_comes_first),
    (
        "only what was asked for is mounted",
        mounting::only_what_was_asked_for_is_mounted,
    ),
    (
        "the type is the right one",
        mounting::the_type_is_the_right_one,
    ),
    ("read-only unless asked", mounting::read_only_unless_asked),
    ("twins are named", mounting::twins_are_named),
    (
        "hand over only when ready",
        mounting::hand_over_only_when_ready,
    ),
    ("silence after the end", ending::silence_after_the_end),
    (
        "a page comes before the end",
        ending::a_page_comes_before_the_end,
    ),
    ("no early surrender", ending::no_early_surrender),
    (
        "a shell only where allowed",
        ending::a_shell_only_where_allowed,
    ),
    (
        "the end is the one asked for",
        ending::the_end_is_the_one_asked_for,
    ),
];

pub const STEP_LAWS: &[(&str, StepLaw)] = &[
    ("the deadline lies ahead", progress::the_deadline_lies_ahead),
    ("ctrl-alt-del is obeyed", ending::ctrl_alt_del_is_obeyed),
    (
        "no driver on the way waits",
        progress::no_driver_on_the_way_waits,
    ),
    (
        "no module on the way waits",
        progress::no_module_on_the_way_waits,
    ),
    (
        "no device on the way waits",
        progress::no_device_on_the_way_waits,
    ),
    ("no mount waits", progress::no_mount_waits),
    (
        "the next step follows the mount",
        progress::the_next_step_follows_the_mount,
    ),
];

pub const STORY_LAWS: &[(&str, StoryLaw)] = &[
    ("nothing panics", ending::nothing_panics),
    ("nothing spins", progress::nothing_spins),
    ("every world ends", ending::every_world_ends),
    (
        "every request is answered by the end",
        ending::every_request_is_answered,
    ),
    ("what can boot boots", ending::what_can_boot_boots),
    (
        "what cannot boot says why",
        ending::what_cannot_boot_says_why,
    ),
    (
        "the page lists what was seen",
        ending::the_page_lists_what_was_seen,
    ),
];

/// A broken law.
#[derive(Clone, Debug)]
pub struct Breach {
    pub law: &'static str,
    /// The step in which it was broken; the number of steps if only the end shows it.
    pub step: usize,
    pub why: String,
}

/// Holds a story against every law; the first breach is enough.
pub fn judge(world: &World, story: &Story) -> Result<(), Breach> {
    let prospect = world.prospect();
    let way = way(world);
    let way = way.as_ref();
    let mut known = Known::default();
    for (number, step) in story.steps.iter().enumerate() {
        let breach = |law, why| Breach {
            law,
            step: number,
            why,
        };
        known.hear(number, step);
        for action in &step.actions {
            let case = Case {
                world,
                prospect: &prospect,
                story,
                known: &known,
                way,
            };
            for (name, law) in ACTION_LAWS {
                law(&case, step, action).map_err(|why| breach(*name, why))?;
            }
            known.ask(action);
        }
        let case = Case {
            world,
            prospect: &prospect,
            story,
            known: &known,
            way,
        };
        for (name, law) in STEP_LAWS {
            law(&case, step).map_err(|why| breach(*name, why))?;
        }
    }
    let case = Case {
        world,
        prospect: &prospect,
        story,
        known: &known,
        way,
    };
    let last = story.steps.len();
    for (name, law) in STORY_LAWS {
        law(&case).map_err(|why| Breach {
            law: name,
            step: last,
            why,
        })?;
    }
    Ok(())
}

pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}
