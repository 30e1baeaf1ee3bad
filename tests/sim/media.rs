//! What lies on simulated disks: file systems, tables, members of containers.

use crate::rng::Rng;
use crate::world::{Disk, Medium, Part};
use landfall::base::text::Text;
use landfall::format::identity::{Finding, Partition, Signature, Table, Usage};
use landfall::format::wish::Source;

const SECTORS: u64 = 2_097_152;
const INITS: [&str; 3] = ["/usr/lib/systemd/systemd", "/sbin/init", "/bin/sh"];

pub fn uuid(rng: &mut Rng) -> String {
    let (a, b) = (rng.next(), rng.next());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}

fn signature(kind: &str, usage: Usage, uuid: String, label: Option<Text>) -> Signature {
    Signature {
        kind: kind.into(),
        usage,
        version: None,
        uuid: Some(uuid),
        uuid_sub: None,
        label,
        block_size: 4096,
        devices: 0,
    }
}

/// A member of an array, a volume group, or an encrypted container.
pub fn member(rng: &mut Rng, shown: Option<String>) -> Signature {
    let (kind, usage) = *rng.pick(&[
        ("linux_raid_member", Usage::Raid),
        ("LVM2_member", Usage::Raid),
        ("crypto_LUKS", Usage::Crypto),
    ]);
    let own = uuid(rng);
    signature(kind, usage, shown.unwrap_or(own), None)
}

fn filesystem(rng: &mut Rng) -> Signature {
    let kind = *rng.pick(&["ext4", "ext4", "xfs", "btrfs", "vfat", "ext2"]);
    // vfat's are short and upper case, as libblkid prints them.
    let own = match kind {
        "vfat" => format!("{:04X}-{:04X}", rng.below(0x10000), rng.below(0x10000)),
        _ => uuid(rng),
    };
    let label = match rng.below(5) {
        0 => Some(Text::from(format!("root {:x}", rng.next()))),
        1 => Some(Text::from(format!("l{:x}", rng.next()))),
        _ => None,
    };
    signature(kind, Usage::Filesystem, own, label)
}

fn content(rng: &mut Rng) -> Finding {
    let mut finding = Finding::default();
    match rng.below(10) {
        0 => {}
        1 => finding.signature = Some(signature("swap", Usage::Other, uuid(rng), None)),
        2 => finding.signature = Some(member(rng, None)),
        3 => finding.ambivalent = vec!["ext4".into(), "linux_raid_member".into()],
        _ => finding.signature = Some(filesystem(rng)),
    }
    finding
}

/// Type and attributes; a few are roots by their type, and a few of those are marked.
fn gpt_entry(rng: &mut Rng) -> (&'static str, u64) {
    if rng.chance(88) {
        return ("0fc63daf-8483-4772-8e79-3d69d8477de4", 0);
    }
    let flags = match rng.below(6) {
        0 => 1 << 63,
        1 => 1 << 60,
        _ => 0,
    };
    (landfall::format::discoverable::ROOT, flags)
}

/// One disk's content. `lean`: no partitions to speak of, for worlds with many disks.
pub fn medium(rng: &mut Rng, lean: bool) -> Medium {
    let wants = match rng.below(3) {
        0 => vec![("crypto-crc32c".to_string(), rng.chance(60))],
        1 => vec![
            ("crypto-xxhash64".into(), false),
            ("net-pf-38".into(), false),
        ],
        _ => Vec::new(),
    };
    let inits = INITS
        .iter()
        .filter(|_| rng.chance(70))
        .map(|i| i.to_string())
        .collect();
    let mut medium = Medium {
        sectors: SECTORS,
        finding: Finding::default(),
        parts: Vec::new(),
        wants,
        inits,
    };
    if rng.chance(30) {
        medium.finding = content(rng);
        return medium;
    }
    let gpt = rng.chance(60);
    let disk_uuid = if gpt {
        uuid(rng)
    } else {
        format!("{:08x}", rng.below(1 << 32))
    };
    let most = if lean { 1 } else { 4 };
    let mut partitions = Vec::new();
    for number in 1..=rng.between(0, most) as u32 {
        let (kind, flags) = if gpt { gpt_entry(rng) } else { ("0x83", 0) };
        let label = (gpt && rng.chance(40)).then(|| Text::from(format!("p{:x}", rng.next())));
        partitions.push(Partition {
            number,
            uuid: if gpt {
                uuid(rng)
            } else {
                format!("{disk_uuid}-{number:02x}")
            },
            label,
            kind: kind.into(),
            start: 2048 * u64::from(number),
            sectors: 2048,
            flags,
        });
        medium.parts.push(Part {
            number,
            sectors: 2048,
            finding: content(rng),
        });
    }
    let kind = if gpt { "gpt" } else { "dos" };
    medium.finding.table = Some(Table {
        kind: kind.into(),
        uuid: Some(disk_uuid),
        partitions,
    });
    medium
}

/// The file system type of the only device that this source fits.
pub fn kind_of(source: &Source, disks: &[Disk]) -> Option<String> {
    for disk in disks {
        let mut ways = Vec::new();
        ways_to(&disk.name, &disk.medium.finding, None, &mut ways);
        for part in &disk.medium.parts {
            let table = disk.medium.finding.table.as_ref();
            let name = disk.part_name(part.number);
            let place = table.map(|t| (t, part.number));
            ways_to(&name, &part.finding, place, &mut ways);
        }
        let Some((_, _, device)) = ways.into_iter().find(|(s, ..)| s == source) else {
            continue;
        };
        let part = disk
            .medium
            .parts
            .iter()
            .find(|p| disk.part_name(p.number) == device);
        let finding = part.map_or(&disk.medium.finding, |p| &p.finding);
        return finding.signature.as_ref().map(|s| s.kind.clone());
    }
    None
}

/// A way to ask for one of the file systems that are there, and how a person types it.
pub fn present(rng: &mut Rng, disks: &mut [Disk]) -> Option<(Option<Source>, String)> {
    let mut ways = Vec::new();
    for disk in disks.iter() {
        ways_to(&disk.name, &disk.medium.finding, None, &mut ways);
        for part in &disk.medium.parts {
            let table = disk.medium.finding.table.as_ref();
            let name = disk.part_name(part.number);
            let place = table.map(|t| (t, part.number));
            ways_to(&name, &part.finding, place, &mut ways);
        }
    }
    if ways.is_empty() {
        return None;
    }
    let (source, typed, device) = ways.swap_remove(rng.index(ways.len()));
    // Whoever asks for a root has an init there, nearly always.
    let host = disks.iter_mut().find(|d| device.starts_with(&d.name))?;
    if rng.chance(95) {
        host.medium.inits = INITS.iter().map(|i| i.to_string()).collect();
    }
    let shout = rng.chance(10) && matches!(source, Source::Uuid(_) | Source::PartUuid(_));
    let typed = match (shout, typed.split_once('=')) {
        (true, Some((key, value))) => format!("{key}={}", value.to_ascii_uppercase()),
        _ => typed,
    };
    Some((Some(source), typed))
}

fn ways_to(
    name: &str,
    finding: &Finding,
    place: Option<(&Table, u32)>,
    ways: &mut Vec<(Source, String, String)>,
) {
    let Some(signature) = finding
        .signature
        .as_ref()
        .filter(|s| s.usage == Usage::Filesystem)
    else {
        return;
    };
    let mut add = |source: Source, typed: String| ways.push((source, typed, name.to_string()));
    add(Source::Name(name.into()), format!("/dev/{name}"));
    if let Some(uuid) = &signature.uuid {
        add(
            Source::Uuid(uuid.to_ascii_lowercase()),
            format!("UUID={uuid}"),
        );
        add(
            Source::Uuid(uuid.to_ascii_lowercase()),
            format!("/dev/disk/by-uuid/{uuid}"),
        );
    }
    if let Some(label) = &signature.label {
        add(Source::Label(label.clone()), format!("LABEL={label}"));
    }
    let entries = place.map_or(&[][..], |(table, _)| &table.partitions);
    let entry = place.and_then(|(_, number)| entries.iter().find(|p| p.number == number));
    if let (Some(entry), Some(first)) = (entry, entries.first()) {
        let offset = entry.number as i32 - first.number as i32;
        if offset != 0 {
            let (partuuid, typed) = (first.uuid.clone(), &first.uuid);
            let typed = format!("PARTUUID={typed}/PARTNROFF={offset}");
            add(Source::Beside { partuuid, offset }, typed);
        }
        add(
            Source::PartUuid(entry.uuid.clone()),
            format!("PARTUUID={}", entry.uuid),
        );
        if let Some(label) = &entry.label {
            add(
                Source::PartLabel(label.clone()),
                format!("PARTLABEL={label}"),
            );
        }
    }
}
