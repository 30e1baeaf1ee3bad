//! Which device is root, and the steps from finding it to handing over.
//!
//! A device *answers* the wish when its identity is the one asked for. It is *usable* when it also
//! is a file system in its own right: not a member of an array, not an encrypted container, not
//! ambivalent, and not a partition of a disk that is itself a member of something.

use super::device::{Device, Devices, Look};
use crate::format::wish::{Source, Wish};
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

/// Could reading this device help to answer the wish?
pub fn worth_reading(wish: &Wish, devices: &[String], device: &Device) -> bool {
    let name = device.block.name.as_str();
    match &wish.root {
        None | Some(Source::Unknown(_)) => false,
        Some(Source::Name(asked)) => asked == name || devices.iter().any(|d| d == name),
        Some(_) => !is_slow_or_empty(name),
    }
}

/// Devices that are read only when named: RAM disks are empty, a floppy takes seconds to fail.
fn is_slow_or_empty(name: &str) -> bool {
    ["ram", "fd", "zram"].iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Is this device what `root=` asks for?
pub fn answer(wish: &Wish, devices: &Devices, device: &Device) -> Answer {
    let Some(source) = &wish.root else {
        return Answer::No;
    };
    match identity_matches(source, devices, device) {
        Some(true) => usable(wish, devices, device),
        Some(false) => Answer::No,
        None => Answer::NotYet,
    }
}

/// `None`: cannot be told yet.
fn identity_matches(source: &Source, devices: &Devices, device: &Device) -> Option<bool> {
    match source {
        Source::Unknown(_) => Some(false),
        Source::Name(name) => Some(device.block.name == *name),
        Source::PartUuid(_) | Source::PartLabel(_) => {
            let Some(disk) = device
                .block
                .part_of
                .as_ref()
                .map(|_| devices.disk_of(device))
            else {
                return Some(false);
            };
            match &disk?.look {
                Look::Unseen | Look::Asked => None,
                Look::Failed(_) => Some(false),
                Look::Known(_) => {
                    Some(devices.entry_of(device).is_some_and(|entry| match source {
                        Source::PartUuid(uuid) => entry.uuid.eq_ignore_ascii_case(uuid),
                        Source::PartLabel(label) => entry.label.as_ref() == Some(label),
                        _ => false,
                    }))
                }
            }
        }
        Source::Uuid(_) | Source::Label(_) => match &device.look {
            Look::Unseen | Look::Asked => None,
            Look::Failed(_) => Some(false),
            Look::Known(finding) => Some(finding.signature.as_ref().is_some_and(|s| {
                match source {
                    Source::Uuid(uuid) => s
                        .uuid
                        .as_ref()
                        .is_some_and(|u| u.eq_ignore_ascii_case(uuid)),
                    Source::Label(label) => s.label.as_ref() == Some(label),
                    _ => false,
                }
            })),
        },
    }
}

fn usable(wish: &Wish, devices: &Devices, device: &Device) -> Answer {
    if device.block.part_of.is_some() {
        // The disk may be reported after its partitions.
        let Some(disk) = devices.disk_of(device) else {
            return Answer::NotYet;
        };
        match &disk.look {
            Look::Unseen | Look::Asked if disk.block.sectors > 0 => return Answer::NotYet,
            _ if disk.is_container() => {
                let kind = disk.signature().map_or("container", |s| s.kind.as_str());
                let name = &disk.block.name;
                return Answer::Unusable(format!(
                    "its disk {name} is a member of something else ({kind}): what looks like a \
                     partition there only shines through"
                ));
            }
            _ => {}
        }
    }
    let finding = match &device.look {
        Look::Unseen | Look::Asked => return Answer::NotYet,
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
        let kinds = finding.ambivalent.join(", ");
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
