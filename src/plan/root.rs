//! Which device is root, and the steps from finding it to handing over.
//!
//! A device *answers* the wish when its identity is the one asked for. It is *usable* when it also
//! is a file system in its own right: not a member of an array, not an encrypted container, not
//! ambivalent, and not a partition of a disk that is itself a member of something (of an array of
//! md or of firmware, of a volume group). Where the disk cannot be read, the partition counts as
//! what it looks like, with a warning.

use super::device::{Device, Devices, Look};
use super::{luks, mapping, verity};
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::wish::{Source, Wish};
use crate::format::{discoverable, links};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How a device stands towards the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is something else.
    No,
    /// Cannot be told before its bytes, or its disk's bytes, are known.
    NotYet,
    /// It is what was asked for, but cannot be mounted. One sentence says why.
    Unusable(String),
    /// It can be mounted as one of these types, in this order.
    Usable(Vec<String>),
}

/// Could reading this device help to answer the wish? See also [`needed_besides`].
pub fn worth_reading(wish: &Wish, device: &Device) -> bool {
    may_be(wish.root.as_ref(), device)
}

/// Could its bytes show that this device is the one that was asked for?
fn may_be(source: Option<&Source>, device: &Device) -> bool {
    let block = &device.block;
    match source {
        // Which device has the name is to be found first.
        Some(Source::Link(link)) => is_made_link(link) && !is_slow_or_empty(&block.name),
        Some(Source::Unknown(_) | Source::Share(_) | Source::Remote) => false,
        // Which device has the name may only show inside of others.
        Some(Source::Name(asked)) => is_named(device, asked) || may_be_made(asked),
        Some(Source::Number(major, minor)) => (block.major, block.minor) == (*major, *minor),
        // The tables tell which partitions are worth it.
        None => block.part_of.is_none() && !is_slow_or_empty(&block.name),
        Some(_) => !is_slow_or_empty(&block.name),
    }
}

/// `dm-0` is also `mapper/NAME`; what is made of others may have more names.
fn is_named(device: &Device, name: &str) -> bool {
    let block = &device.block;
    let mapped = name.strip_prefix("mapper/");
    let alias = device.aliases.iter().any(|alias| alias == name);
    block.name == name || alias || mapped.is_some() && mapped == block.mapped.as_deref()
}

/// Could a device of this name be made of others? (`mapper/x`, `vg/lv`, `md0`, `md/home`, `dm-3`.)
fn may_be_made(name: &str) -> bool {
    let counted = |prefix: &str| {
        let number = name.strip_prefix(prefix);
        number.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
    };
    name.contains('/') || counted("md") || counted("dm-")
}

/// Names of udev for what is made of others: `by-id/dm-name-…`, `by-id/md-uuid-…`.
fn is_made_link(link: &str) -> bool {
    let id = link.strip_prefix("by-id/");
    let made = |kind: &&str| id.is_some_and(|id| id.starts_with(kind));
    ["dm-name-", "dm-uuid-", "md-name-", "md-uuid-"]
        .iter()
        .any(made)
}

/// The devices that are what `source` names.
pub fn all_named<'d>(
    devices: &'d Devices,
    source: &Source,
    fits: &dyn Fn(&Device) -> bool,
) -> impl Iterator<Item = &'d Device> {
    devices.all().filter(move |d| {
        let is = identity_matches(Some(source), devices, d) == Some(true);
        is && d.block.sectors > 0 && fits(d)
    })
}

/// The device that is what `source` names: the first by name, where there are several that fit.
pub fn first_named<'d>(
    devices: &'d Devices,
    source: &Source,
    fits: &dyn Fn(&Device) -> bool,
) -> Option<&'d Device> {
    let by_name = |a: &&Device, b: &&Device| natural_order(&a.block.name, &b.block.name);
    all_named(devices, source, fits).min_by(by_name)
}

/// Does `root=` name this device, whatever is on it?
pub fn is_asked_by_name(source: Option<&Source>, device: &Device) -> bool {
    match source {
        Some(Source::Name(name)) => is_named(device, name),
        Some(Source::Link(link)) => has_alias_link(device, link),
        _ => false,
    }
}

fn has_alias_link(device: &Device, link: &str) -> bool {
    let is = |alias: &String| alias.strip_prefix("disk/") == Some(link);
    device.aliases.iter().any(is)
}

/// Devices that must be read because of others: the disk of a partition that was asked for (the
/// disk may be a member of something), and partitions that a table calls roots.
pub fn needed_besides(wish: &Wish, devices: &Devices) -> Vec<String> {
    let mut needed = needed_for_root(wish, devices);
    needed.extend(luks::needed(wish, devices));
    needed.extend(verity::needed(wish, devices));
    if let Some(resume) = &wish.resume {
        let may_be = |d: &&Device| may_be(Some(&resume.source), d);
        for device in devices.all().filter(may_be) {
            needed.push(device.block.name.clone());
            needed.extend(device.block.part_of.as_ref().map(|(disk, _)| disk.clone()));
        }
    }
    for source in mapping::sources(wish) {
        // Names and numbers tell by themselves; the disk's table tells the others.
        if !matches!(source, Source::Name(_) | Source::Number(..)) {
            let by_table = is_in_table(&source);
            let pieces = devices.all().filter(|d| may_be(Some(&source), d));
            let pieces = pieces.filter(|d| !by_table || d.block.part_of.is_none());
            needed.extend(pieces.map(|d| d.block.name.clone()));
        }
    }
    needed
}

/// Is it told by the table of a disk alone?
fn is_in_table(source: &Source) -> bool {
    matches!(
        source,
        Source::PartUuid(_) | Source::PartLabel(_) | Source::Beside { .. }
    )
}

fn needed_for_root(wish: &Wish, devices: &Devices) -> Vec<String> {
    let disk_of = |d: &Device| d.block.part_of.as_ref().map(|(disk, _)| disk.clone());
    match &wish.root {
        Some(Source::Name(_) | Source::Number(..)) => {
            let asked = |d: &&Device| {
                matches!(wish.root, Some(Source::Number(..))) && worth_reading(wish, d)
                    || is_asked_by_name(wish.root.as_ref(), d)
            };
            devices.all().filter(asked).filter_map(disk_of).listed()
        }
        Some(Source::Link(link)) => {
            let called = |d: &&Device| is_called(devices, d, link) == Some(true);
            let called = devices.all().filter(called);
            let names = |d: &Device| [Some(d.block.name.clone()), disk_of(d)];
            called.flat_map(names).flatten().listed()
        }
        None => {
            let roots = devices.all().filter(|d| is_discoverable(devices, d));
            roots.map(|d| d.block.name.clone()).listed()
        }
        _ => Vec::new(),
    }
}

/// Could udev have a name of its own for this disk?
pub fn may_be_linked(name: &str) -> bool {
    !is_slow_or_empty(name) && !name.starts_with("loop")
}

/// Does udev call this device so, below `/dev/disk/`? `None`: not known yet.
fn is_called(devices: &Devices, device: &Device, link: &str) -> Option<bool> {
    if has_alias_link(device, link) {
        return Some(true);
    }
    let (disk, tail) = match &device.block.part_of {
        None => (device, String::new()),
        Some((_, number)) => (devices.disk_of(device)?, links::of_partition("", *number)),
    };
    let Some(name) = link.strip_suffix(tail.as_str()) else {
        return Some(false);
    };
    if let Some(number) = name.strip_prefix("by-diskseq/") {
        return Some(number.parse() == Ok(disk.block.sequence));
    }
    let names = disk.links.as_ref()?;
    Some(names.iter().any(|own| own == name))
}

/// Does its disk's table call this partition a root?
fn is_discoverable(devices: &Devices, device: &Device) -> bool {
    let table = devices.disk_of(device).and_then(Device::table);
    table
        .zip(devices.entry_of(device))
        .is_some_and(|(table, entry)| discoverable::is_root(table, entry))
}

/// Does the entry of a root that was discovered forbid writing?
pub fn must_not_write(wish: &Wish, devices: &Devices, device: &str) -> bool {
    let entry = devices.by_name(device).and_then(|d| devices.entry_of(d));
    wish.root.is_none() && entry.is_some_and(discoverable::is_read_only)
}

/// Devices that are read only when named: RAM disks are empty, a floppy takes seconds to fail.
pub(super) fn is_slow_or_empty(name: &str) -> bool {
    ["ram", "fd", "zram"].iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Is this device what `root=` asks for, or, without it, a root by its partition's type?
pub fn answer(wish: &Wish, devices: &Devices, device: &Device) -> Answer {
    let is_it = |device| identity_matches(wish.root.as_ref(), devices, device);
    // What is inside of a container that was asked for is root.
    let inside = devices.below(device).map(is_it) == Some(Some(true));
    match is_it(device) {
        _ if inside => usable(wish, devices, device),
        Some(true) => usable(wish, devices, device),
        Some(false) => Answer::No,
        None => Answer::NotYet,
    }
}

/// `None`: cannot be told yet.
pub fn identity_matches(
    source: Option<&Source>,
    devices: &Devices,
    device: &Device,
) -> Option<bool> {
    let block = &device.block;
    match source {
        Some(Source::Unknown(_) | Source::Share(_) | Source::Remote) => Some(false),
        Some(Source::Link(link)) => is_called(devices, device, link),
        Some(Source::Name(name)) => Some(is_named(device, name)),
        Some(Source::Number(major, minor)) => Some((block.major, block.minor) == (*major, *minor)),
        None | Some(Source::PartUuid(_) | Source::PartLabel(_) | Source::Beside { .. }) => {
            if block.part_of.is_none() {
                return Some(false);
            }
            match &devices.disk_of(device)?.look {
                Look::Unseen | Look::Asked => None,
                Look::Failed(_) => Some(false),
                Look::Known(_) => Some(entry_matches(source, devices, device)),
            }
        }
        Some(Source::Uuid(_) | Source::Label(_)) => match &device.look {
            Look::Unseen | Look::Asked => None,
            Look::Failed(_) => Some(false),
            Look::Known(finding) => Some(finding.signature.as_ref().is_some_and(|s| {
                match source {
                    Some(Source::Uuid(uuid)) => s
                        .uuid
                        .as_ref()
                        .is_some_and(|u| u.eq_ignore_ascii_case(uuid)),
                    Some(Source::Label(label)) => s.label.as_ref() == Some(label),
                    _ => false,
                }
            })),
        },
    }
}

/// What the table of its disk says of a partition.
fn entry_matches(source: Option<&Source>, devices: &Devices, device: &Device) -> bool {
    let entry = devices.entry_of(device);
    match source {
        None => is_discoverable(devices, device),
        Some(Source::PartUuid(uuid)) => entry.is_some_and(|e| e.uuid.eq_ignore_ascii_case(uuid)),
        Some(Source::PartLabel(label)) => entry.is_some_and(|e| e.label.as_ref() == Some(label)),
        Some(Source::Beside { partuuid, offset }) => {
            let table = devices.disk_of(device).and_then(Device::table);
            let mut entries = table.map_or(&[][..], |t| &t.partitions).iter();
            let number = device.block.part_of.as_ref().map(|(_, number)| *number);
            entries.any(|e| {
                let there = e.number.checked_add_signed(*offset);
                there == number && e.uuid.eq_ignore_ascii_case(partuuid)
            })
        }
        Some(_) => false,
    }
}

/// Why a device does not count, whatever its bytes look like: it is a piece of something else.
pub fn shadow(wish: &Wish, devices: &Devices, device: &Device) -> Option<Answer> {
    match mapping::piece_of(wish, devices, device) {
        None => return Some(Answer::NotYet),
        Some(Some(mapping)) => {
            let name = &mapping.name;
            let text = format!("it is a piece of the mapping {name}");
            return Some(Answer::Unusable(text));
        }
        Some(None) => {}
    }
    match verity::piece_of(wish, devices, device) {
        None => return Some(Answer::NotYet),
        Some(Some(volume)) => {
            let name = &volume.name;
            let text = format!("it is a piece of the verity volume {name}");
            return Some(Answer::Unusable(text));
        }
        Some(None) => {}
    }
    if device.block.part_of.is_some() {
        // The disk may be reported after its partitions.
        let Some(disk) = devices.disk_of(device) else {
            return Some(Answer::NotYet);
        };
        match &disk.look {
            Look::Unseen | Look::Asked if disk.may_hold_something() => {
                return Some(Answer::NotYet);
            }
            _ if disk.is_container() => {
                let kind = disk.signature().map_or("container", |s| s.kind.as_str());
                let name = &disk.block.name;
                return Some(Answer::Unusable(format!(
                    "its disk {name} is a member of something else ({kind}): what looks like a \
                     partition there only shines through"
                )));
            }
            _ => {}
        }
    }
    None
}

fn usable(wish: &Wish, devices: &Devices, device: &Device) -> Answer {
    if let Some(shadow) = shadow(wish, devices, device) {
        return shadow;
    }
    let finding = match &device.look {
        Look::Unseen | Look::Asked => return Answer::NotYet,
        Look::Failed(_) if device.is_virtual() => return Answer::NotYet,
        Look::Failed(fault) => return Answer::Unusable(format!("it cannot be read: {fault}")),
        Look::Known(finding) => finding,
    };
    if device.is_container() {
        let kind = device.signature().map_or("container", |s| s.kind.as_str());
        return Answer::Unusable(format!("it is {kind}, a container, not a file system"));
    }
    if !wish.fstypes.is_empty() {
        return Answer::Usable(wish.fstypes.clone());
    }
    if !finding.ambivalent.is_empty() {
        let kinds = finding.ambivalent.joined(", ");
        return Answer::Unusable(format!(
            "it carries several signatures ({kinds}); say which one counts with rootfstype="
        ));
    }
    match &finding.signature {
        Some(s) if s.usage == crate::format::identity::Usage::Filesystem => {
            Answer::Usable(alloc::vec![s.kind.clone()])
        }
        Some(s) => Answer::Unusable(format!("it is {}, not a file system", s.kind)),
        None if finding.table.is_some() => Answer::Unusable(
            "it holds a partition table, not a file system: name one of its partitions".into(),
        ),
        None => Answer::Unusable(
            "no file system was recognised on it; if it holds one, name it with rootfstype=".into(),
        ),
    }
}

/// Names in the order a person would count them: `sda2` before `sda10`, `sdz` before `sdaa`.
pub fn natural_order(a: &str, b: &str) -> core::cmp::Ordering {
    fn key(name: &str) -> (usize, &str, u64) {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = name.get(stem.len()..).and_then(|n| n.parse().ok());
        (stem.len(), stem, number.unwrap_or(0))
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_as_people_count() {
        let mut names = ["sdaa", "sda10", "vda", "sda2", "sda", "nvme0n1p2", "sdz"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            ["sda", "sda2", "sda10", "sdz", "vda", "sdaa", "nvme0n1p2"]
        );
    }
}
