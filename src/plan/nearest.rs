//! Which of the identities that were seen is nearest to the one asked for: for the failure page.

use super::device::{Device, Devices};
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::links;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Identities longer than this are compared by their beginning. (A GPT label has 36 characters.)
const MAX_LEN: usize = 64;

/// More differing characters than this are no slip of the pen.
const MAX_DISTANCE: usize = 8;

/// One thing a device can be called by, and how that is written on the command line.
struct Called {
    device: String,
    key: &'static str,
    value: String,
}

/// One sentence about the identity that is most like the one asked for, if any is like it.
pub fn sentence(source: &Source, devices: &Devices) -> Option<String> {
    let (key, asked) = match source {
        Source::Uuid(uuid) => ("UUID", uuid.clone()),
        Source::Label(label) => ("LABEL", label.to_string()),
        Source::PartUuid(uuid) | Source::Beside { partuuid: uuid, .. } => {
            ("PARTUUID", uuid.clone())
        }
        Source::PartLabel(label) => ("PARTLABEL", label.to_string()),
        Source::Link(link) => ("link", link.clone()),
        Source::Name(name) => ("name", name.clone()),
        Source::Number(..) | Source::Share(_) | Source::Remote | Source::Unknown(_) => {
            return None;
        }
    };
    let named = all_names(devices);
    let distance = |c: &Called| distance(&asked, &c.value);
    let other_key = named.iter().find(|c| c.key != key && distance(c) == 0);
    if let Some(Called {
        device,
        key: theirs,
        value,
    }) = other_key
    {
        return Some(format!(
            "{device} has this as its {theirs}, not its {key}: {theirs}={value}"
        ));
    }
    let same_key = named.iter().filter(|c| c.key == key && !asked.is_empty());
    let best = same_key.min_by_key(|c| distance(c))?;
    let differs = distance(best);
    let limit = MAX_DISTANCE.min(asked.len() / 2);
    let Called { device, value, .. } = best;
    match differs {
        0 => None,
        1 if limit > 0 => Some(format!(
            "{device} has {key}={value} (one character differs)"
        )),
        n if n <= limit => Some(format!(
            "{device} has {key}={value} ({n} characters differ)"
        )),
        _ => None,
    }
}

fn all_names(devices: &Devices) -> Vec<Called> {
    let mut named = Vec::new();
    for device in devices.all() {
        let mut add = |key: &'static str, value: Option<String>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                named.push(Called {
                    device: device.block.name.clone(),
                    key,
                    value,
                });
            }
        };
        add("name", Some(device.block.name.clone()));
        add("UUID", device.signature().and_then(|s| s.uuid.clone()));
        add(
            "LABEL",
            device
                .signature()
                .and_then(|s| s.label.as_ref())
                .map(ToString::to_string),
        );
        let disk = devices.disk_of(device).unwrap_or(device);
        for link in disk.links.iter().flatten() {
            let number = device.block.part_of.as_ref().map(|(_, number)| *number);
            let part = |number| links::of_partition(link, number);
            add("link", Some(number.map_or(link.clone(), part)));
        }
        let entry = devices.entry_of(device);
        add("PARTUUID", entry.map(|p| p.uuid.clone()));
        add(
            "PARTLABEL",
            entry
                .and_then(|p| p.label.as_ref())
                .map(ToString::to_string),
        );
    }
    named
}

/// How a device is written in a list: what its bytes say.
pub fn describe(device: &Device, devices: &Devices) -> String {
    use super::device::Look;
    let mut text = match &device.look {
        Look::Unseen if device.block.sectors == 0 => "no medium".to_string(),
        Look::Unseen if device.is_opaque() => "not started: only then it shows".to_string(),
        Look::Unseen => "not read".to_string(),
        Look::Asked => "being read, no answer yet".to_string(),
        Look::Failed(fault) => format!("cannot be read: {fault}"),
        Look::Known(finding) => match (&finding.signature, &finding.table) {
            (Some(s), _) => s.kind.clone(),
            (None, Some(table)) => {
                format!(
                    "{} table with {} partitions",
                    table.kind,
                    table.partitions.len()
                )
            }
            (None, None) if !finding.ambivalent.is_empty() => {
                format!("ambiguous: {}", finding.ambivalent.joined(" and "))
            }
            (None, None) => "nothing recognised".to_string(),
        },
    };
    for called in all_names(devices)
        .iter()
        .filter(|c| c.device == device.block.name)
    {
        if called.key != "name" {
            text.push_str(&format!(" {}={}", called.key, called.value));
        }
    }
    text
}

/// Levenshtein distance, case folded, over at most [`MAX_LEN`] bytes of each.
fn distance(a: &str, b: &str) -> usize {
    let fold = |s: &str| -> Vec<u8> {
        s.bytes()
            .take(MAX_LEN)
            .map(|c| c.to_ascii_lowercase())
            .listed()
    };
    let (a, b) = (fold(a), fold(b));
    let mut row: Vec<usize> = (0..=b.len()).listed();
    for (i, ca) in a.iter().enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX);
            let swap = at(&row, j).saturating_add(usize::from(ca != cb));
            let drop = at(&row, j.saturating_add(1)).saturating_add(1);
            let add = at(&next, j).saturating_add(1);
            next.push(swap.min(drop).min(add));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_counted() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("abc", "ABC", 0),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
