//! From the superblocks of the members that are there: which of them are fresh, and whether they
//! are enough. Nothing waits and nothing is asked here; what to do about a missing member is
//! decided elsewhere.
//!
//! The rules are mdadm's, so that both start the same array from the same members. Source: mdadm
//! `Assemble.c` (facts only), kernel `drivers/md/md.c` (analyze_sbs).

use super::level::Level;
use super::superblock::{Role, Superblock};
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A crash may leave a member one update behind: its data are the same.
const MARGIN: u64 = 1;

/// Why a member is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Missed updates: it has seen so many, the freshest so many.
    Stale { events: u64, newest: u64 },
    /// Went on by itself: it says that the freshest member has failed.
    Rival,
    /// Says of itself that it failed.
    Faulty,
    /// Another array, or another version of superblock.
    Foreign,
    /// Another device claims the same slot with the same right, or a better one.
    Twin { of: usize },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// All members are there that worked when the array was last written. It may still be
    /// degraded: see [`Verdict::missing`].
    Ready,
    /// Members are missing that worked; the rest is enough to run.
    Degraded,
    /// Not enough. One sentence.
    Incomplete(String),
    /// Never to be started here. One sentence.
    Refused(String),
}

/// Members are named by their place in what [`judge`] was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// To be handed to the kernel in this order: by slot, spares, and the freshest last.
    pub add: Vec<usize>,
    pub left: Vec<(usize, Left)>,
    /// Slots without a member that is in sync.
    pub missing: Vec<u32>,
    /// The member whose superblock speaks for the array.
    pub speaker: Option<usize>,
}

/// Judges the members of one array. Where two devices claim the same slot with the same right, the
/// earlier in the list has it, and [`Left::Twin`] names the other.
pub fn judge(members: &[&Superblock]) -> Verdict {
    let Some((at, newest)) = freshest(members) else {
        let why = "none of its members that are there holds data";
        return Verdict {
            state: State::Incomplete(String::from(why)),
            add: Vec::new(),
            left: Vec::new(),
            missing: Vec::new(),
            speaker: None,
        };
    };
    let mut judge = Judge {
        members,
        speaker: at,
        newest,
        slots: alloc::vec![[None; 2]; newest.slots as usize],
        spares: Vec::new(),
        journal: None,
        left: Vec::new(),
    };
    for (at, sb) in members.iter().enumerate() {
        if let Err(why) = judge.place(at, sb) {
            judge.left.push((at, why));
        }
    }
    judge.verdict()
}

/// The first of those with the most updates that hold data.
fn freshest<'a>(members: &[&'a Superblock]) -> Option<(usize, &'a Superblock)> {
    let mut best: Option<(usize, &Superblock)> = None;
    for (at, sb) in members.iter().enumerate() {
        let newer = best.is_none_or(|(_, other)| sb.events > other.events);
        if sb.in_sync() && newer {
            best = Some((at, sb));
        }
    }
    best
}

struct Judge<'a> {
    members: &'a [&'a Superblock],
    speaker: usize,
    /// The speaker's superblock.
    newest: &'a Superblock,
    /// Per slot: the active member, and its replacement.
    slots: Vec<[Option<usize>; 2]>,
    spares: Vec<usize>,
    journal: Option<usize>,
    left: Vec<(usize, Left)>,
}

impl Judge<'_> {
    /// Finds the member's place, or says why it has none.
    fn place(&mut self, at: usize, sb: &Superblock) -> Result<(), Left> {
        let newest = self.newest;
        if sb.array != newest.array || sb.version != newest.version {
            return Err(Left::Foreign);
        }
        let (slot, second) = match sb.role {
            Role::Faulty => return Err(Left::Faulty),
            // A spare holds nothing: it cannot be stale.
            Role::Spare => (u32::MAX, 0),
            Role::Journal => return self.journal(at, sb),
            Role::Active(slot) => (slot, 0),
            Role::Replacement(slot) => (slot, 1),
        };
        if slot >= newest.slots {
            self.spares.push(at);
            return Ok(());
        }
        self.is_fresh(at, sb)?;
        let Some(claimed) = self.slots.get_mut(slot as usize) else {
            return Err(Left::Foreign);
        };
        let Some(claimed) = claimed.get_mut(second) else {
            return Err(Left::Foreign);
        };
        let Some(other) = *claimed else {
            *claimed = Some(at);
            return Ok(());
        };
        let older = self
            .members
            .get(other)
            .is_some_and(|o| o.events < sb.events);
        if !older || other == self.speaker {
            return Err(Left::Twin { of: other });
        }
        *claimed = Some(at);
        self.left.push((other, Left::Twin { of: at }));
        Ok(())
    }

    fn journal(&mut self, at: usize, sb: &Superblock) -> Result<(), Left> {
        if !self.newest.features.journal {
            return Err(Left::Faulty);
        }
        self.is_fresh(at, sb)?;
        match self.journal {
            Some(of) => Err(Left::Twin { of }),
            None => {
                self.journal = Some(at);
                Ok(())
            }
        }
    }

    fn is_fresh(&self, at: usize, sb: &Superblock) -> Result<(), Left> {
        let newest = self.newest;
        let slot = match newest.role {
            Role::Active(slot) => slot as usize,
            _ => usize::MAX,
        };
        if at != self.speaker && sb.working.get(slot) == Some(&false) {
            return Err(Left::Rival);
        }
        // More updates than the freshest: what was once a part of the array, and no longer is.
        if sb.events > newest.events || sb.events.saturating_add(MARGIN) < newest.events {
            return Err(Left::Stale {
                events: sb.events,
                newest: newest.events,
            });
        }
        Ok(())
    }

    fn is_in_sync(&self, slot: &[Option<usize>; 2]) -> bool {
        let member = |at: &Option<usize>| at.and_then(|at| self.members.get(at));
        slot.first().and_then(member).is_some_and(|sb| sb.in_sync())
    }

    fn verdict(self) -> Verdict {
        let there: Vec<bool> = self.slots.iter().map(|s| self.is_in_sync(s)).listed();
        let missing = (0..).zip(&there).filter(|(_, is)| !**is);
        let missing = missing.map(|(slot, _)| slot).listed();
        let in_slots = self.slots.iter().flatten().flatten().copied();
        let mut add: Vec<usize> = in_slots.filter(|&at| at != self.speaker).listed();
        let state = self.state(&there, add.len().saturating_add(1));
        add.extend(self.journal);
        add.extend(&self.spares);
        add.push(self.speaker);
        Verdict {
            state,
            add,
            left: self.left,
            missing,
            speaker: Some(self.speaker),
        }
    }

    /// `count`: members in slots, also those that are still being filled.
    fn state(&self, there: &[bool], count: usize) -> State {
        if let Some(why) = refusal(self.newest) {
            return State::Refused(why);
        }
        let newest = self.newest;
        if newest.features.journal && self.journal.is_none() {
            let why = "its journal is missing or out of date, and holds the last writes";
            return State::Incomplete(String::from(why));
        }
        let (level, layout) = (newest.level, newest.layout);
        let clean = newest.features.partial_parity.is_some() || self.is_clean();
        let found = there.iter().filter(|&&is| is).count();
        let of = there.len();
        if !level.enough(layout, there, true) {
            return State::Incomplete(format!(
                "{found} of {of} members are there, which is not enough for {level}"
            ));
        }
        if !level.enough(layout, there, clean) {
            return State::Incomplete(format!(
                "{found} of {of} members are there, and a write was under way when it stopped: \
                 what is missing cannot be computed (mdadm --assemble --force tries)"
            ));
        }
        if count >= newest.working() {
            State::Ready
        } else {
            State::Degraded
        }
    }

    /// Every member that counts says that no write was under way.
    fn is_clean(&self) -> bool {
        let members = self.slots.iter().flatten().flatten();
        let mut members = members.filter_map(|&at| self.members.get(at));
        members.all(|sb| sb.clean)
    }
}

/// What is never started here.
fn refusal(sb: &Superblock) -> Option<String> {
    if let Level::Other(_) = sb.level {
        return Some(format!("it is of {}, which is not started here", sb.level));
    }
    if sb.features.clustered {
        let why = "it is shared by a cluster, which only its lock manager may start";
        return Some(String::from(why));
    }
    let in_place = sb.reshape.is_some_and(|r| r.offset.is_none());
    in_place.then(|| {
        String::from(
            "it is being reshaped in place, with a backup file that only mdadm knows: \
             let mdadm --assemble finish that",
        )
    })
}
