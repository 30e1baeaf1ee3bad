//! Which physical volumes are there, and which volumes could do with them.
//!
//! Source: lvm2 `lib/metadata/raid_manip.c` (what each raid type can lose), lvm.conf(5)
//! "activation_mode": what is done here is its default, `degraded`.

use super::group::{Group, Logical};
use super::name::Id;
use super::segment::{Area, Kind, Raid};
use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

/// Volumes that are looked at for one question. Metadata that lvm wrote stay far below; what lies
/// on itself in many ways would take for ever.
const MAX_STEPS: u32 = 20_000;
/// lvm's own stacks are eight deep.
const MAX_DEPTH: u32 = 16;

pub(super) struct Presence<'a> {
    group: &'a Group,
    present: &'a dyn Fn(&Id) -> bool,
    steps: Cell<u32>,
}

impl<'a> Presence<'a> {
    pub fn new(group: &'a Group, present: &'a dyn Fn(&Id) -> bool) -> Self {
        Self {
            group,
            present,
            steps: Cell::new(MAX_STEPS),
        }
    }

    pub fn has(&self, id: &Id) -> bool {
        (self.present)(id)
    }

    /// Is everything there that what the area lies on cannot do without?
    pub fn area(&self, area: &Area) -> bool {
        self.steps.set(MAX_STEPS);
        self.on(&area.on, MAX_DEPTH)
    }

    /// For each image: are its data and its metadata there?
    pub fn images(&self, raid: &Raid) -> Vec<bool> {
        self.steps.set(MAX_STEPS);
        self.members(raid, MAX_DEPTH)
    }

    fn volume(&self, lv: &Logical, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let Some(left) = self.steps.get().checked_sub(1) else {
            return false;
        };
        self.steps.set(left);
        let on = |name: &String| self.on(name, depth);
        lv.segments.iter().all(|segment| match &segment.kind {
            Kind::Striped { areas, .. } => areas.iter().all(|a| on(&a.on)),
            Kind::Mirror { areas, log, .. } => {
                log.as_ref().is_none_or(on) && areas.iter().all(|a| on(&a.on))
            }
            Kind::Raid(raid) => enough(raid, &self.members(raid, depth)),
            Kind::ThinPool(pool) => on(&pool.data) && on(&pool.metadata),
            Kind::Thin(thin) => on(&thin.pool) && thin.external_origin.as_ref().is_none_or(on),
            Kind::Snapshot { origin, cow, .. } => on(origin) && on(cow),
            Kind::CachePool { data, metadata, .. } => on(data) && on(metadata),
            Kind::Cache { pool, origin, .. } => on(pool) && on(origin),
            Kind::WriteCache { origin, fast, .. } => on(origin) && on(fast),
            Kind::Integrity(i) => on(&i.origin) && i.metadata.as_ref().is_none_or(on),
            Kind::Error | Kind::Zero => true,
            Kind::Other(_) => false,
        })
    }

    fn members(&self, raid: &Raid, depth: u32) -> Vec<bool> {
        let there = |(metadata, data): &(Option<String>, String)| {
            let metadata = metadata.as_ref().is_none_or(|m| self.on(m, depth));
            metadata && self.on(data, depth)
        };
        raid.members.iter().map(there).listed()
    }

    fn on(&self, name: &str, depth: u32) -> bool {
        match self.group.physical(name) {
            Some(pv) => self.has(&pv.id),
            None => {
                let below = self.group.logical(name);
                below.is_some_and(|lv| self.volume(lv, depth))
            }
        }
    }
}

/// Are these images enough for the array?
pub(super) fn enough(raid: &Raid, there: &[bool]) -> bool {
    let missing = there.iter().filter(|&&is| !is).count();
    let level = raid.level.as_str();
    if missing == 0 || level == "raid1" {
        return missing < there.len();
    }
    if level.starts_with("raid10") {
        // Copies lie side by side: one of each row must be there.
        let copies = usize::try_from(raid.copies()).unwrap_or(usize::MAX);
        let rows = (0..there.len()).step_by(copies.max(1));
        let copy = |first: usize| there.iter().cycle().skip(first).take(copies).any(|&is| is);
        return there.len().checked_rem(copies) == Some(0) && rows.into_iter().all(copy);
    }
    let spare = match level.as_bytes() {
        [b'r', b'a', b'i', b'd', b'4' | b'5', ..] => 1,
        [b'r', b'a', b'i', b'd', b'6', ..] => 2,
        _ => 0,
    };
    missing <= spare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(level: &str, copies: u64, there: &str, expected: bool) {
        let there: Vec<bool> = there.bytes().map(|b| b == b'u').collect();
        let raid = Raid {
            level: level.into(),
            copies,
            ..Raid::default()
        };
        assert_eq!(enough(&raid, &there), expected, "{level} {there:?}");
    }

    #[test]
    fn each_type_can_lose_what_it_can_compute() {
        check("raid1", 0, "--u", true);
        check("raid1", 0, "---", false);
        check("raid0", 0, "u-", false);
        check("raid0_meta", 0, "uu", true);
        check("raid4", 0, "u-u", true);
        check("raid5_ls", 0, "u--", false);
        check("raid5_n", 0, "uu-", true);
        check("raid6_zr", 0, "u-u-u", true);
        check("raid6_ls_6", 0, "---uu", false);
        check("raid10", 2, "u-u-", true);
        check("raid10_near", 2, "uu--", false);
        check("raid10", 0, "-u-u", true);
        check("raid10", 3, "--u-u-", true);
    }
}
