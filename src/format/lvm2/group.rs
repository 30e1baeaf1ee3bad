//! A volume group as its metadata writes it down.
//!
//! Source: lvm2 `lib/format_text/import_vsn1.c`, `flags.c`.

use super::config::{self, Section};
use super::name::Id;
use super::segment::{self, Segment};
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Physical {
    /// The name that segments use: `pv0`.
    pub name: String,
    pub id: Id,
    /// Where its first extent begins, and how many there are. Sectors; extents.
    pub start: u64,
    pub extents: u64,
    /// The group noted that it was gone when the metadata was written.
    pub missing: bool,
}

/// A logical volume, visible or a part of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logical {
    pub name: String,
    pub id: Id,
    pub visible: bool,
    pub writable: bool,
    /// An image that is to be filled from the others, or read only when nothing else is left.
    pub rebuild: bool,
    pub write_mostly: bool,
    /// The number that the device is to have (`lvchange --persistent`).
    pub minor: Option<u32>,
    /// To be skipped at activation unless asked for by name (`ACTIVATION_SKIP`).
    pub skipped: bool,
    /// In the order of their extents, without a gap.
    pub segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub id: Id,
    /// Counts the changes: the highest number is the newest.
    pub sequence: u64,
    /// Sectors in an extent.
    pub extent: u64,
    pub exported: bool,
    /// Whose the group is; empty: anybody's.
    pub system_id: String,
    /// Clustered, or under a lock manager: another machine may be at it.
    pub shared: bool,
    pub physical: Vec<Physical>,
    pub logical: Vec<Logical>,
}

impl Group {
    /// The group in a metadata text. The error says in one sentence what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let top = config::parse(text).map_err(|at| format!("the text breaks off at byte {at}"))?;
        let [vg] = top.sections.as_slice() else {
            return Err(String::from("the text does not hold one volume group"));
        };
        let group = head(vg).ok_or("the head of the volume group is incomplete")?;
        Ok(Group {
            physical: members(vg)?,
            logical: volumes(vg)?,
            ..group
        })
    }

    pub fn logical(&self, name: &str) -> Option<&Logical> {
        self.logical.iter().find(|lv| lv.name == name)
    }

    pub fn physical(&self, name: &str) -> Option<&Physical> {
        self.physical.iter().find(|pv| pv.name == name)
    }
}

fn head(vg: &Section) -> Option<Group> {
    let extent = vg.number("extent_size").filter(|&sectors| sectors > 0)?;
    let shared = vg.has("status", "CLUSTERED") || lock_manager(vg);
    Some(Group {
        name: vg.name.as_str().map(String::from)?,
        id: Id::parse(vg.text("id")?)?,
        sequence: vg.number("seqno")?,
        extent,
        exported: vg.has("status", "EXPORTED"),
        system_id: text(vg, "system_id").unwrap_or_default(),
        shared,
        physical: Vec::new(),
        logical: Vec::new(),
    })
}

fn lock_manager(vg: &Section) -> bool {
    text(vg, "lock_type").is_some_and(|kind| !matches!(kind.as_str(), "" | "none"))
}

fn text(section: &Section, key: &str) -> Option<String> {
    section.text(key)?.as_str().map(String::from)
}

fn members(vg: &Section) -> Result<Vec<Physical>, String> {
    let section = vg.section("physical_volumes");
    let sections = section.map_or(&[][..], |s| &s.sections);
    let broken = |s: &Section| format!("the entry of physical volume {} is incomplete", s.name);
    sections
        .iter()
        .map(|s| physical(s).ok_or_else(|| broken(s)))
        .all_ok()
}

fn physical(section: &Section) -> Option<Physical> {
    Some(Physical {
        name: section.name.as_str().map(String::from)?,
        id: Id::parse(section.text("id")?)?,
        start: section.number("pe_start")?,
        extents: section.number("pe_count")?,
        missing: section.has("flags", "MISSING"),
    })
}

fn volumes(vg: &Section) -> Result<Vec<Logical>, String> {
    let section = vg.section("logical_volumes");
    let sections = section.map_or(&[][..], |s| &s.sections);
    sections.iter().map(logical).all_ok()
}

fn logical(section: &Section) -> Result<Logical, String> {
    let name = section.name.as_str().map(String::from);
    let id = section.text("id").and_then(Id::parse);
    let (Some(name), Some(id)) = (name, id) else {
        return Err(format!(
            "the entry of logical volume {} is incomplete",
            section.name
        ));
    };
    let status = |word: &str| section.has("status", word);
    Ok(Logical {
        visible: status("VISIBLE"),
        // Without either word a volume is from before there were such words.
        writable: status("WRITE"),
        rebuild: status("REBUILD"),
        write_mostly: status("WRITEMOSTLY"),
        minor: minor(section),
        skipped: section.has("flags", "ACTIVATION_SKIP"),
        segments: segments(section).ok_or_else(|| {
            format!("the segments of logical volume {name} do not follow one another")
        })?,
        name,
        id,
    })
}

fn minor(section: &Section) -> Option<u32> {
    let number = section
        .number("minor")
        .filter(|_| section.has("status", "FIXED_MINOR"));
    number.and_then(|minor| u32::try_from(minor).ok())
}

/// `segment1`, `segment2`, … They must cover the volume from its start, each behind the other.
fn segments(section: &Section) -> Option<Vec<Segment>> {
    let count = section.number("segment_count")?;
    let numbered = |s: &&Section| s.name.as_bytes().starts_with(b"segment");
    let mut found = Vec::new();
    for inner in section.sections.iter().filter(numbered) {
        let segment = segment::read(inner)?;
        let place = found.partition_point(|s: &Segment| s.start <= segment.start);
        found.insert(place, segment);
    }
    let mut next = 0u64;
    for segment in &found {
        (segment.start == next && segment.count > 0).then_some(())?;
        next = next.checked_add(segment.count)?;
    }
    (found.len() as u64 == count && count > 0).then_some(found)
}
