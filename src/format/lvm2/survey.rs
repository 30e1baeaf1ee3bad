//! Volume groups from all physical volumes that are there: which metadata count, who is missing,
//! and which groups are not to be touched.
//!
//! A group is known by its UUID; of all its texts the one with the highest number counts. A
//! physical volume belongs to the group whose newest text lists it, whatever its own text says.
//! Source: lvm2 `lib/cache/lvmcache.c`, vgexport(8), lvmsystemid(7), lvm(8) "UNIQUE NAMES".

use super::area::{self, Header};
use super::group::Group;
use super::label::{self, Extent, Label, SCAN};
use super::name::Id;
use crate::base::list::Listed;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// What one device holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub label: Label,
    /// The newest group that its metadata areas tell of, if one is whole.
    pub group: Option<Rc<Group>>,
    /// What is wrong with its other areas; one sentence each.
    pub faults: Vec<String>,
}

/// Reads label and metadata. `read` brings bytes of the device, or `None` where it cannot.
/// `None`: no physical volume.
pub fn examine(read: &mut dyn FnMut(Extent) -> Option<Vec<u8>>) -> Option<Found> {
    let head = read(Extent {
        offset: 0,
        size: SCAN as u64,
    })?;
    let mut found = Found {
        label: label::read(&head)?,
        group: None,
        faults: Vec::new(),
    };
    for &at in &found.label.metadata_areas {
        match text(at, read) {
            Ok(Some(group)) => newest(&mut found.group, group),
            Ok(None) => {}
            Err(why) => found.faults.push(why),
        }
    }
    Some(found)
}

fn newest(best: &mut Option<Rc<Group>>, group: Group) {
    if best.as_ref().is_none_or(|b| b.sequence < group.sequence) {
        *best = Some(Rc::new(group));
    }
}

fn text(
    at: Extent,
    read: &mut dyn FnMut(Extent) -> Option<Vec<u8>>,
) -> Result<Option<Group>, String> {
    let offset = at.offset;
    let unread = || format!("the metadata area at byte {offset} cannot be read");
    let size = area::HEADER as u64;
    let location = match area::header(&read(Extent { offset, size }).ok_or_else(unread)?, at) {
        Header::Text(location) => location,
        Header::Empty => return Ok(None),
        Header::Damaged(why) => return Err(format!("{why}, at byte {offset}")),
    };
    let mut text = Vec::new();
    for piece in &location.pieces {
        text.extend_from_slice(&read(*piece).ok_or_else(unread)?);
    }
    if !location.holds(&text) {
        return Err(format!(
            "the checksum of the metadata text does not hold, in the area at byte {offset}"
        ));
    }
    Group::parse(&text).map(Some)
}

/// One group, and where its members are. Devices are named by their place in what was surveyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub group: Rc<Group>,
    /// Devices by physical volume; a second device for the same one is a duplicate.
    pub devices: Vec<(Id, usize)>,
    pub duplicates: Vec<(Id, usize)>,
    pub missing: Vec<Id>,
}

impl Known {
    /// The device that is this physical volume.
    pub fn device(&self, id: &Id) -> Option<usize> {
        let found = self.devices.iter().find(|(known, _)| known == id);
        found.map(|(_, device)| *device)
    }

    /// Why no volume of the group is to be activated here, whatever is there. `system_id`: this
    /// machine's, if it has one.
    pub fn refusal(&self, system_id: &str) -> Option<String> {
        let Group {
            name,
            exported,
            shared,
            system_id: owner,
            ..
        } = &*self.group;
        if *exported {
            return Some(format!(
                "volume group {name} is exported: vgimport {name} takes it in"
            ));
        }
        if *shared {
            return Some(format!(
                "volume group {name} is shared with other machines under a lock manager"
            ));
        }
        if !owner.is_empty() && owner != system_id {
            return Some(format!(
                "volume group {name} belongs to the system \"{owner}\" \
                 (vgchange --systemid gives it to another)"
            ));
        }
        let (twice, _) = self.duplicates.first()?;
        Some(format!(
            "physical volume {twice} of volume group {name} is there on two devices: \
             one is a copy of the other, and only you know which counts"
        ))
    }
}

/// The groups of these devices, in the order in which they are first told of.
pub fn survey(found: &[&Found]) -> Vec<Known> {
    let mut groups: Vec<Known> = Vec::new();
    for group in found.iter().filter_map(|f| f.group.as_ref()) {
        match groups.iter_mut().find(|k| k.group.id == group.id) {
            None => groups.push(Known {
                group: group.clone(),
                devices: Vec::new(),
                duplicates: Vec::new(),
                missing: Vec::new(),
            }),
            Some(known) if known.group.sequence < group.sequence => {
                known.group = group.clone();
            }
            Some(_) => {}
        }
    }
    for (device, f) in found.iter().enumerate() {
        let id = f.label.id;
        // Where two groups claim it, its own text decides.
        let own = f.group.as_ref().filter(|g| lists(g, &id)).map(|g| g.id);
        let is_in =
            |k: &&mut Known| lists(&k.group, &id) && own.is_none_or(|own| own == k.group.id);
        for known in groups.iter_mut().filter(is_in) {
            if known.device(&id).is_none() {
                known.devices.push((id, device));
            } else {
                known.duplicates.push((id, device));
            }
        }
    }
    for known in &mut groups {
        let members = known.group.physical.iter().map(|pv| pv.id);
        known.missing = members.filter(|id| known.device(id).is_none()).listed();
    }
    // What nobody is left in was taken over by a newer group (vgsplit, vgmerge).
    groups.retain(|known| !known.devices.is_empty());
    groups
}

fn lists(group: &Group, id: &Id) -> bool {
    group.physical.iter().any(|pv| pv.id == *id)
}

/// The group of this name that may be activated.
///
/// # Errors
/// One sentence: there is none, it is not to be touched, or several have the name.
pub fn named<'a>(groups: &'a [Known], name: &str, system_id: &str) -> Result<&'a Known, String> {
    let of_name = || groups.iter().filter(|k| k.group.name == name);
    let mut usable = of_name().filter(|k| k.refusal(system_id).is_none());
    match (usable.next(), usable.next()) {
        (Some(known), None) => Ok(known),
        (Some(one), Some(other)) => Err(format!(
            "two volume groups are called {name}: {} and {} (vgrename tells them apart)",
            one.group.id, other.group.id
        )),
        (None, _) => {
            let why = of_name().find_map(|k| k.refusal(system_id));
            Err(why.unwrap_or_else(|| format!("there is no volume group {name}")))
        }
    }
}
