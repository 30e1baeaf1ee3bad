//! What must be true of every boot over a network.

use super::machine::Story;
use super::world::{DEADLINE, Nic, World};

/// From the moment at which everything is there until root is mounted: the longest wait between two
/// attempts, and what an attempt that was under way before still takes.
const PATIENCE: u64 = 20_000;

/// What may be done in a second, for each link: nothing here is asked more than once in one.
const ACTIONS_A_SECOND: u64 = 12;

pub const ENDS: &str = "every boot over a network ends";
pub const BOOTS: &str = "what can boot over a network boots";
pub const CARRIER: &str = "only a link with a carrier is asked for a lease";
pub const ONCE: &str = "a link is asked for one lease at a time";
pub const CALM: &str = "nothing is asked without end";
pub const MEANT: &str = "only links that are meant are touched";
pub const ROUND: &str = "what is written of a network is read as it was";
pub const CAUSE: &str = "the page names each link that is meant";

pub const KEPT: &str = "no lease ends of which more was not asked for";

pub const LAWS: [&str; 9] = [ENDS, BOOTS, CARRIER, ONCE, CALM, MEANT, ROUND, CAUSE, KEPT];

#[derive(Debug)]
pub struct Breach {
    pub law: &'static str,
    pub why: String,
}

pub fn judge(world: &World, story: &Story) -> Result<(), Breach> {
    let breach = |law, why: String| Err(Breach { law, why });
    if let Some((law, why)) = story.breaches.first() {
        return breach(law, why.clone());
    }
    let links = world.nics.len() as u64;
    let most = 60 + (links + 1) * ACTIONS_A_SECOND * (story.end / 1000 + 1);
    if story.actions > most {
        return breach(
            CALM,
            format!("{} actions in {} ms", story.actions, story.end),
        );
    }
    match (story.mounted, &story.page) {
        (None, None) => return breach(ENDS, "neither root nor a page".into()),
        (Some(at), _) if at > DEADLINE + PATIENCE => {
            return breach(ENDS, format!("root was mounted after {at} ms"));
        }
        (None, Some((at, _))) if *at > DEADLINE => {
            return breach(ENDS, format!("the page came after {at} ms"));
        }
        _ => {}
    }
    if let (Some(ready), None) = (world.ready(), story.mounted)
        && ready + PATIENCE < DEADLINE
    {
        let page = story
            .page
            .as_ref()
            .map(|(at, text)| format!("{at}: {text}"));
        let page = page.unwrap_or_default();
        return breach(BOOTS, format!("everything was there at {ready} ms; {page}"));
    }
    if let Some((at, text)) = &story.page {
        // What came at the same moment was not told yet.
        let there = |nic: &&Nic| nic.at < *at && nic.is_there(*at) && world.is_meant(nic);
        let missing = world
            .nics
            .iter()
            .filter(there)
            .find(|nic| !text.contains(&nic.name));
        if let Some(nic) = missing {
            return breach(CAUSE, format!("{} is not on the page: {text}", nic.name));
        }
    }
    Ok(())
}
