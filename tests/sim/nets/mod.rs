//! Worlds of links and servers: cards come and go, and so do carriers; leases are had late or
//! never; servers start late, or refuse. And the laws that hold anyway.
//!
//! `world` makes one of a seed, `machine` lets it run, `laws` judges what happened.

pub mod laws;
mod machine;
mod world;

use laws::Breach;

use crate::story::Make;
use machine::Machine;
use world::World;

/// The breach in the world of this seed, with the world and what happened in it.
pub fn try_seed(seed: u64, make: Make<'_>) -> Result<bool, (Breach, String)> {
    let world = World::new(seed);
    let story = Machine::new(&world, seed, make()).boot();
    match laws::judge(&world, &story) {
        Ok(()) => Ok(story.mounted.is_some()),
        Err(breach) => {
            assert!(laws::LAWS.contains(&breach.law), "{breach:?}");
            let shown = format!("{world:#?}\n{}", story.lines.join("\n"));
            Err((breach, shown))
        }
    }
}
