//! The parameters of each kind of segment, in the order in which lvm passes them.
//!
//! Source: lvm2 `libdm/libdm-deptree.c`, the kernel's `Documentation/admin-guide/device-mapper`.

use super::group::Logical;
use super::name;
use super::presence::enough;
use super::segment::{CacheSettings, CacheVolume, Integrity, Kind, Raid, Segment, Thin, ThinPool};
use super::table::{Builder, Mapping, Target, Word};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

type Line = (&'static str, Vec<Word>);

pub(super) fn number(n: u64) -> Word {
    Word::Text(n.to_string())
}

fn word(text: &str) -> Word {
    Word::Text(String::from(text))
}

/// Target name and parameters of `segment` of `lv`; what lies below is made first.
pub(super) fn of<'a>(
    b: &mut Builder<'a>,
    lv: &'a Logical,
    (number_of, segment): (usize, &'a Segment),
) -> Result<Line, String> {
    match &segment.kind {
        Kind::Striped { stripe, areas } => {
            let mut words = Vec::new();
            if areas.len() > 1 {
                words.extend([number(areas.len() as u64), number(*stripe)]);
            }
            for (place, area) in areas.iter().enumerate() {
                let (device, sector) = b.area(lv, area, (number_of, place))?;
                words.extend([device, number(sector)]);
            }
            Ok((if areas.len() > 1 { "striped" } else { "linear" }, words))
        }
        Kind::Mirror { region, log, areas } => mirror(b, lv, *region, log.as_deref(), areas),
        Kind::Raid(raid) => self::raid(b, lv, raid),
        Kind::ThinPool(pool) => {
            let device = thin_pool(b, lv, pool)?;
            Ok(("linear", alloc::vec![Word::Device(device), number(0)]))
        }
        Kind::Thin(thin) => self::thin(b, lv, thin),
        Kind::Cache {
            pool,
            origin,
            settings,
            on_volume,
        } => {
            let origin = below(b, origin)?;
            let (metadata, data, settings) = match on_volume {
                Some(volume) => cache_volume(b, pool, volume, settings)?,
                None => cache_pool(b, pool, settings)?,
            };
            Ok(("cache", cache(metadata, data, origin, &settings)))
        }
        Kind::WriteCache {
            origin,
            fast,
            block,
            settings,
        } => {
            let mut words = alloc::vec![
                word("s"),
                below(b, origin)?,
                below(b, fast)?,
                number(*block)
            ];
            words.extend(write_cache(settings));
            Ok(("writecache", words))
        }
        Kind::Integrity(integrity) => self::integrity(b, integrity),
        Kind::Error => Ok(("error", Vec::new())),
        Kind::Zero => Ok(("zero", Vec::new())),
        Kind::Snapshot { .. } | Kind::CachePool { .. } => Err(format!(
            "volume {} is not one that can be opened by itself",
            lv.name
        )),
        Kind::Other(kind) => Err(format!(
            "volume {} is of type {kind}, which is not opened here",
            lv.name
        )),
    }
}

fn below(b: &mut Builder<'_>, volume: &str) -> Result<Word, String> {
    let lv = b.logical(volume)?;
    Ok(Word::Device(b.plain(lv, "")?))
}

fn mirror<'a>(
    b: &mut Builder<'a>,
    lv: &'a Logical,
    region: u64,
    log: Option<&str>,
    areas: &[super::segment::Area],
) -> Result<Line, String> {
    let mut arguments = Vec::new();
    let kind = match log {
        Some(log) => {
            arguments.push(below(b, log)?);
            "disk"
        }
        None => "core",
    };
    arguments.push(number(region));
    let mut words = alloc::vec![word(kind), number(arguments.len() as u64)];
    words.append(&mut arguments);
    words.push(number(areas.len() as u64));
    for (place, area) in areas.iter().enumerate() {
        let (device, sector) = b.area(lv, area, (0, place))?;
        words.extend([device, number(sector)]);
    }
    words.extend([number(1), word("handle_errors")]);
    Ok(("mirror", words))
}

fn raid(b: &mut Builder<'_>, lv: &Logical, raid: &Raid) -> Result<Line, String> {
    if raid.reshaping {
        return Err(format!(
            "volume {} is being reshaped: let lvm finish that first",
            lv.name
        ));
    }
    let there = b.presence.images(raid);
    if !enough(raid, &there) {
        let (found, of) = (there.iter().filter(|&&is| is).count(), there.len());
        return Err(format!(
            "{found} of {of} images of volume {} are there, which is not enough for {}",
            lv.name, raid.level
        ));
    }
    if there.contains(&false) && is_guarded(b, raid) {
        return Err(format!(
            "an image of volume {} is missing, and with integrity below it takes no replacement: \
             lvmraid(7) tells how to take integrity off",
            lv.name
        ));
    }
    let mut options = raid_options(b, raid);
    let level = match raid.level.as_str() {
        // The kernel knows no raid0_meta: that is raid0 with metadata devices.
        "raid0_meta" => "raid0",
        "raid5" => "raid5_ls",
        "raid6" => "raid6_zr",
        "raid10_near" => "raid10",
        level => level,
    };
    let count = options.len().saturating_add(1) as u64;
    let mut words = alloc::vec![word(level), number(count), number(raid.stripe)];
    words.append(&mut options);
    words.push(number(raid.members.len() as u64));
    let above = b.redundant;
    b.redundant = true;
    for (metadata, data) in &raid.members {
        words.extend(member(b, metadata.as_deref(), data)?);
    }
    b.redundant = above;
    Ok(("raid", words))
}

/// dm-integrity reads its superblock before anything else: it does not run on what is missing.
fn is_guarded(b: &Builder<'_>, raid: &Raid) -> bool {
    let mut images = raid.members.iter().map(|(_, data)| b.group.logical(data));
    images.any(|image| {
        let segments = image.map_or(&[][..], |image| &image.segments);
        segments
            .iter()
            .any(|s| matches!(s.kind, Kind::Integrity(_)))
    })
}

/// In the order of the kernel's document: lvm keeps to it.
fn raid_options(b: &Builder<'_>, raid: &Raid) -> Vec<Word> {
    let mut options = Vec::new();
    let images = || raid.members.iter().map(|(_, data)| b.group.logical(data));
    for (at, _) in (0..)
        .zip(images())
        .filter(|(_, i)| i.is_some_and(|i| i.rebuild))
    {
        options.extend([word("rebuild"), number(at)]);
    }
    let pair = |options: &mut Vec<Word>, key: &str, value: u64| {
        if value > 0 {
            options.extend([word(key), number(value)]);
        }
    };
    pair(&mut options, "min_recovery_rate", raid.min_recovery);
    pair(&mut options, "max_recovery_rate", raid.max_recovery);
    for (at, _) in (0..)
        .zip(images())
        .filter(|(_, i)| i.is_some_and(|i| i.write_mostly))
    {
        options.extend([word("write_mostly"), number(at)]);
    }
    pair(&mut options, "max_write_behind", raid.writebehind);
    pair(&mut options, "region_size", raid.region);
    let copies = if raid.copies > 1 && raid.level.starts_with("raid10") {
        raid.copies
    } else {
        0
    };
    pair(&mut options, "raid10_copies", copies);
    options
}

/// Metadata and data device; dashes for an image that was taken out for a while.
fn member(b: &mut Builder<'_>, metadata: Option<&str>, data: &str) -> Result<[Word; 2], String> {
    let image = b.logical(data)?;
    if image.visible && !image.writable {
        return Ok([word("-"), word("-")]);
    }
    let metadata = match metadata {
        Some(name) => below(b, name)?,
        None => word("-"),
    };
    Ok([metadata, below(b, data)?])
}

/// The pool proper; the volume with the pool's name only lies on it.
fn thin_pool(b: &mut Builder<'_>, lv: &Logical, pool: &ThinPool) -> Result<String, String> {
    if pool.messages {
        return Err(format!(
            "pool {} was not told of its last change: let lvm open it once",
            lv.name
        ));
    }
    let mut features = Vec::new();
    if !pool.zero {
        features.push(word("skip_block_zeroing"));
    }
    match pool.discards.as_str() {
        "ignore" => features.push(word("ignore_discard")),
        "nopassdown" => features.push(word("no_discard_passdown")),
        _ => {}
    }
    let mut words = alloc::vec![
        below(b, &pool.metadata)?,
        below(b, &pool.data)?,
        number(pool.chunk),
        number(0),
        number(features.len() as u64),
    ];
    words.append(&mut features);
    let target = Target {
        start: 0,
        length: b.sectors(lv)?,
        kind: "thin-pool",
        words,
    };
    b.add(lv, "tpool", alloc::vec![target])
}

fn thin(b: &mut Builder<'_>, lv: &Logical, thin: &Thin) -> Result<Line, String> {
    if thin.merging {
        return Err(format!(
            "volume {} is being merged, which would write",
            lv.name
        ));
    }
    let lv = b.logical(&thin.pool)?;
    let [
        Segment {
            kind: Kind::ThinPool(pool),
            ..
        },
    ] = lv.segments.as_slice()
    else {
        return Err(format!("volume {} is not a thin pool", thin.pool));
    };
    let pool = thin_pool(b, lv, pool)?;
    let mut words = alloc::vec![Word::Device(pool), number(thin.device)];
    if let Some(origin) = &thin.external_origin {
        let origin = b.logical(origin)?;
        words.push(Word::Device(b.plain(origin, "real")?));
    }
    Ok(("thin", words))
}

type Halves = (Word, Word, CacheSettings);

fn cache_pool(b: &mut Builder<'_>, pool: &str, settings: &CacheSettings) -> Result<Halves, String> {
    let lv = b.logical(pool)?;
    let [
        Segment {
            kind:
                Kind::CachePool {
                    data,
                    metadata,
                    settings: own,
                },
            ..
        },
    ] = lv.segments.as_slice()
    else {
        return Err(format!("volume {pool} is not a cache pool"));
    };
    // Settings that are not with the cached volume are with the pool.
    let settings = CacheSettings {
        cleaner: settings.cleaner,
        ..own.clone()
    };
    Ok((below(b, metadata)?, below(b, data)?, settings))
}

fn cache_volume(
    b: &mut Builder<'_>,
    volume: &str,
    at: &CacheVolume,
    settings: &CacheSettings,
) -> Result<Halves, String> {
    let lv = b.logical(volume)?;
    let device = b.plain(lv, "")?;
    let mut part = |layer: &str, (start, length): (u64, u64)| {
        let words = alloc::vec![Word::Device(device.clone()), number(start)];
        Word::Device(b.add_part(Mapping {
            name: name::device(&b.group.name, volume, layer),
            uuid: name::uuid(&b.group.id, &lv.id, layer),
            read_only: false,
            minor: None,
            targets: alloc::vec![Target {
                start: 0,
                length,
                kind: "linear",
                words
            }],
        }))
    };
    Ok((
        part("cmeta", at.metadata),
        part("cdata", at.data),
        settings.clone(),
    ))
}

/// What dm-cache takes by itself, in sectors moved at a time; it is not passed.
const THRESHOLD: u64 = 2048;

fn cache(metadata: Word, data: Word, origin: Word, s: &CacheSettings) -> Vec<Word> {
    let mut features = Vec::new();
    if s.format == 2 {
        features.push(word("metadata2"));
    }
    features.push(word(match s.mode.as_str() {
        mode @ ("writeback" | "passthrough") if !s.cleaner => mode,
        _ => "writethrough",
    }));
    let mut words = alloc::vec![metadata, data, origin, number(s.chunk)];
    words.push(number(features.len() as u64));
    words.append(&mut features);
    words.push(word(match s.policy.as_str() {
        _ if s.cleaner => "cleaner",
        "" => "mq",
        policy => policy,
    }));
    let tunables = if s.cleaner { &[][..] } else { &s.tunables };
    let is_threshold = |key: &str| key == "migration_threshold";
    let asked = tunables.iter().find(|(key, _)| is_threshold(key));
    // Less than eight chunks at a time, and nothing would move.
    let least = s.chunk.saturating_mul(8);
    let threshold = asked.map_or(THRESHOLD, |(_, value)| *value).max(least);
    let mut passed = Vec::new();
    if threshold != THRESHOLD {
        passed.extend([word("migration_threshold"), number(threshold)]);
    }
    // The policy of today takes nothing else.
    let plain = s.policy == "smq";
    for (key, value) in tunables
        .iter()
        .filter(|(key, _)| !plain && !is_threshold(key))
    {
        passed.extend([word(key), number(*value)]);
    }
    words.push(number(passed.len() as u64));
    words.append(&mut passed);
    words
}

fn write_cache(settings: &[(String, u64)]) -> Vec<Word> {
    let mut words = Vec::new();
    for (key, value) in settings {
        match key.as_str() {
            "fua" | "nofua" | "cleaner" | "metadata_only" if *value == 0 => {}
            "fua" | "nofua" | "cleaner" | "metadata_only" => words.push(word(key)),
            _ => words.extend([word(key), number(*value)]),
        }
    }
    words.insert(0, number(words.len() as u64));
    words
}

fn integrity(b: &mut Builder<'_>, i: &Integrity) -> Result<Line, String> {
    let mut options = alloc::vec![
        word("fix_padding"),
        Word::Text(format!("block_size:{}", i.block)),
        Word::Text(format!("internal_hash:{}", i.hash)),
    ];
    let origin = below(b, &i.origin)?;
    if let Some(metadata) = &i.metadata {
        let device = b.logical(metadata)?;
        let device = b.plain(device, "")?;
        options.push(Word::Keyed("meta_device", device));
    }
    if i.recalculate {
        options.push(word("recalculate"));
    }
    for (key, value) in &i.settings {
        options.push(match key.as_str() {
            "allow_discards" => word(key),
            _ => Word::Text(format!("{key}:{value}")),
        });
    }
    let mut words = alloc::vec![origin, number(0), number(i.tag), word(&i.mode)];
    words.push(number(options.len() as u64));
    words.append(&mut options);
    Ok(("integrity", words))
}
