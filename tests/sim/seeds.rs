//! Runs seeds: one world each, held against the laws, replayed.

use crate::laws::{Breach, judge};
use crate::machine::run;
use crate::make;
use crate::prospects::Prospect;
use crate::story::{Make, Outcome, Story};
use crate::world::World;
use std::collections::BTreeMap;

/// A world in which a law was broken.
pub struct Broken {
    pub seed: u64,
    pub breach: Breach,
    pub story: Story,
    pub world: World,
}

/// Runs the world of one seed.
pub fn try_seed(seed: u64, make: Make) -> Result<(Outcome, Prospect), Box<Broken>> {
    let world = make::world(seed);
    let (story, verdict) = try_world(&world, make);
    match verdict {
        Ok(()) => Ok((story.outcome, world.prospect())),
        Err(breach) => Err(Box::new(Broken {
            seed,
            breach,
            story,
            world,
        })),
    }
}

/// Runs a world and judges it.
pub fn try_world(world: &World, make: Make) -> (Story, Result<(), Breach>) {
    let story = run(world, make);
    let verdict = judge(world, &story).and_then(|()| same_again(world, &story, make));
    (story, verdict)
}

/// The law of determinism: the same events yield the same actions and deadlines.
fn same_again(world: &World, story: &Story, make: Make) -> Result<(), Breach> {
    if !world.seed.is_multiple_of(8) || matches!(story.outcome, Outcome::Panicked(_)) {
        return Ok(());
    }
    let mut plan = make();
    for (number, step) in story.steps.iter().enumerate() {
        let actions = plan.handle(step.now, step.event.clone());
        if actions != step.actions || plan.deadline() != step.deadline {
            let why = format!("the same events, other actions: {actions:?}");
            return Err(Breach {
                law: "the plan is deterministic",
                step: number,
                why,
            });
        }
    }
    Ok(())
}

/// Everything that somebody needs to see what happened, and to see it again.
pub fn report(broken: &Broken) -> String {
    let Broken {
        seed,
        breach,
        story,
        world,
    } = broken;
    format!(
        "\nworld of seed {seed}:\n  {}\n  faults: {:#?}\n  nodes: {:#?}\n  roots: {:?}, prospect: {:?}\n\n{story}\n\
         broken law: {}\n  in step {}{}\n  {}\n\
         again: LANDFALL_SEED={seed} cargo test --test sim the_laws_hold -- --nocapture\n",
        world.asked.cmdline,
        world.faults,
        world.nodes.iter().map(|n| &n.modalias).collect::<Vec<_>>(),
        world.roots(),
        world.prospect(),
        breach.law,
        breach.step,
        story
            .steps
            .get(breach.step)
            .map_or(String::new(), |s| format!(" ({:?})", s.event)),
        breach.why,
    )
}

/// What became of many worlds.
#[derive(Default)]
pub struct Tally {
    pub worlds: u64,
    pub outcomes: BTreeMap<&'static str, u64>,
    pub prospects: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn count(&mut self, outcome: &Outcome, prospect: &Prospect) {
        let outcome = match outcome {
            Outcome::HandedOver => "handed over",
            Outcome::Ended(_) => "ended",
            Outcome::Rebooted => "rebooted",
            Outcome::InShell => "in a shell",
            Outcome::Waiting => "waiting for ever",
            Outcome::Runaway => "running away",
            Outcome::Panicked(_) => "panicked",
        };
        let prospect = match prospect {
            Prospect::Boots { .. } => "must boot",
            Prospect::Fails { .. } => "must fail",
            Prospect::Either => "either",
        };
        self.worlds += 1;
        *self.outcomes.entry(outcome).or_default() += 1;
        *self.prospects.entry(prospect).or_default() += 1;
    }
}
