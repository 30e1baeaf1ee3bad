//! Arrays of md: which members make one, whether they are enough, what is seen through it.

use super::super::action::Level;
use super::super::event::Block;
use super::super::give_up::PATHS;
use super::super::root::natural_order;
use super::members::Said;
use super::{Plan, Planned, What};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::order;
use crate::base::text::Joined;
use crate::format::image_files::ImageFile;
use crate::format::md::{
    self, Array, Id, Left, Named, Naming, Preferred, State, Superblock, Verdict,
};
use crate::format::through::Lower;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Arrays without a number of their own count down from here, as mdadm does.
const LAST_NUMBER: u32 = 127;

/// A member: its device and what it says.
type Told = (String, Rc<Superblock>);

impl Plan {
    pub(super) fn plan_arrays(&mut self, now: Millis) {
        let mut told: Vec<Told> = Vec::new();
        for (device, member) in self.stack.members.iter() {
            match &member.said {
                Said::Array(superblock) => told.push((device.clone(), superblock.clone())),
                Said::Damaged(why) => self.stack.problems.push(format!("{device}: {why}")),
                Said::Volume(_) => {}
            }
        }
        let by_name = |a: &Told, b: &Told| natural_order(&a.0, &b.0);
        let told = order::sorted(&told, &by_name);
        let mut arrays: Vec<Id> = Vec::new();
        for (_, superblock) in &told {
            if !arrays.contains(&superblock.array) {
                arrays.push(superblock.array);
            }
        }
        for array in arrays {
            let members: Vec<&Told> = told.iter().copied().filter(|t| t.1.array == array).listed();
            self.plan_array(now, &members);
        }
    }

    fn plan_array(&mut self, now: Millis, members: &[&Told]) {
        let superblocks: Vec<&Superblock> = members.iter().map(|(_, sb)| &**sb).listed();
        let verdict = md::judge(&superblocks);
        let speaker = verdict.speaker.and_then(|at| superblocks.get(at));
        let Some(speaker) = speaker else {
            return;
        };
        let full = format!("array {} ({})", speaker.name, speaker.array);
        match self.paths_of_twins(members, &verdict) {
            None => return,
            Some(Some(text)) => return self.stack.problems.push(format!("{full}: {text}")),
            Some(None) => {}
        }
        self.tell_who_is_left(&full, members, &verdict);
        match &verdict.state {
            State::Refused(why) | State::Incomplete(why) => {
                return self.stack.problems.push(format!("{full}: {why}"));
            }
            State::Ready => {}
            State::Degraded => {
                let missing = verdict.missing.iter().map(u32::to_string);
                let missing: Vec<String> = missing.listed();
                let text = format!("{full} lacks its member {}", missing.joined(", "));
                if !self.may_start_degraded(now, &full, &text) {
                    return;
                }
            }
        }
        let array = Array::new(&superblocks, &verdict);
        let Some(sectors) = array.as_ref().and_then(Array::sectors) else {
            return;
        };
        let (number, liked) = self.number_of(speaker);
        let block = Block {
            name: format!("md{number}"),
            major: 0,
            minor: 0,
            sectors,
            part_of: None,
            sequence: 0,
            mapped: None,
        };
        let name = |at: &usize| members.get(*at).map(|(name, _)| name);
        let device = |at: &usize| name(at).cloned().map(Lower::Device);
        let seen = array
            .and_then(|a| a.through())
            .and_then(|t| t.over(&device));
        let numbers = |at: usize| {
            let block = &self.devices.by_name(&members.get(at)?.0)?.block;
            Some((block.major, block.minor))
        };
        let steps = md::start(speaker, &verdict, number, &numbers);
        let planned = Planned {
            name: block.name.clone(),
            what: What::Array {
                steps: steps.unwrap_or_default(),
                members: verdict.add.iter().filter_map(&name).cloned().collect(),
            },
        };
        let aliases = aliases(speaker, &liked);
        self.plan_device(block, aliases, seen);
        self.stack.planned.push(planned);
    }

    /// Is one disk there twice, on two paths? The outer `None`: that is not known yet.
    fn paths_of_twins(&mut self, members: &[&Told], verdict: &Verdict) -> Option<Option<String>> {
        let name = |at: usize| members.get(at).map(|(name, _)| name.clone());
        for (at, why) in &verdict.left {
            if let Left::Twin { of } = why
                && let Some((twin, first)) = name(*at).zip(name(*of))
                && let Some(text) = self.paths(&[first, twin])?
            {
                return Some(Some(format!("{text}: {PATHS}")));
            }
        }
        Some(None)
    }

    /// Members that are there and are not used.
    fn tell_who_is_left(&mut self, full: &str, members: &[&Told], verdict: &Verdict) {
        let name = |at: usize| members.get(at).map_or("?", |(name, _)| name.as_str());
        for (at, why) in &verdict.left {
            let device = name(*at);
            let why = match why {
                Left::Stale { events, newest } => {
                    format!("is out of date (event {events} of {newest})")
                }
                Left::Rival => {
                    let taken = verdict.speaker.map_or("?", name);
                    format!("went on without the others; {taken} has more updates, or comes first")
                }
                Left::Faulty => "is marked as failed".to_string(),
                Left::Foreign => "has another version of superblock".to_string(),
                Left::Twin { of } => format!("claims the same place as {}", name(*of)),
            };
            let text = format!("{full}: {device} {why}, and is left out");
            self.say_once(Level::Warning, text);
        }
    }

    /// `/dev/mdN`: the number that the array would like, or any free one.
    fn number_of(&mut self, speaker: &Superblock) -> (u32, Preferred) {
        let conf = self.file(ImageFile::MdadmConf);
        let naming = Naming::read(conf, self.file(ImageFile::Hostname));
        let liked = naming.preferred(speaker.version, speaker.array, &speaker.name);
        let number = |known: &Named| known.device.get(2..).and_then(|n| n.parse().ok());
        let mut names = self.stack.names.iter();
        if let Some(known) = names.find(|known| known.array == speaker.array) {
            return (number(known).unwrap_or_default(), liked);
        }
        let is_free = |n: &u32| {
            let name = format!("md{n}");
            let mut names = self.stack.names.iter();
            self.devices.by_name(&name).is_none() && !names.any(|known| known.device == name)
        };
        let free = || (0..=LAST_NUMBER).rev().find(is_free);
        let number = liked.number.filter(is_free).or_else(free);
        let number = number.unwrap_or_default();
        self.stack.names.push(Named {
            device: format!("md{number}"),
            version: speaker.version,
            array: speaker.array,
            name: speaker.name.clone(),
        });
        (number, liked)
    }

    /// The arrays that were started here.
    pub(in crate::plan) fn running_arrays(&self) -> Vec<Named> {
        let runs = |known: &&Named| {
            let device = self.devices.by_name(&known.device);
            device.is_some_and(|device| !device.is_virtual())
        };
        self.stack.names.iter().filter(runs).cloned().listed()
    }
}

/// Names below `/dev` besides its own. Where the machine's name is not known, mdadm would keep the
/// array's home in front, and the real system's would not.
fn aliases(speaker: &Superblock, liked: &Preferred) -> Vec<String> {
    let path = liked.path.to_string();
    let bare = path.rsplit_once(':').map(|(_, name)| format!("md/{name}"));
    let mut names = alloc::vec![
        path,
        format!("disk/by-id/md-uuid-{}", speaker.array),
        format!("disk/by-id/md-name-{}", speaker.name),
    ];
    names.extend(bare);
    names
}
