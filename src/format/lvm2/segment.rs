//! A stretch of a logical volume: of which kind, lying on what.
//!
//! Source: the importers of lvm2: `lib/striped/striped.c`, `lib/mirror/mirrored.c`,
//! `lib/raid/raid.c`, `lib/thin/thin.c`, `lib/snapshot/snapshot.c`, `lib/cache_segtype/cache.c`,
//! `lib/writecache/writecache.c`, `lib/integrity/integrity.c`.

use super::config::{Section, Value};
use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;

/// What a stretch lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Name of a physical volume, or of a logical one in the same group.
    pub on: String,
    /// First extent on it.
    pub extent: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First extent within the volume, and how many.
    pub start: u64,
    pub count: u64,
    pub kind: Kind,
}

/// Sizes are in sectors, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One area: linear.
    Striped {
        stripe: u64,
        areas: Vec<Area>,
    },
    /// dm's old mirror. Areas are logical volumes.
    Mirror {
        region: u64,
        log: Option<String>,
        areas: Vec<Area>,
    },
    Raid(Raid),
    ThinPool(ThinPool),
    Thin(Thin),
    /// The volume that holds this segment only ties the two together.
    Snapshot {
        origin: String,
        cow: String,
        chunk: u64,
        merging: bool,
    },
    CachePool {
        data: String,
        metadata: String,
        settings: CacheSettings,
    },
    Cache {
        pool: String,
        origin: String,
        settings: CacheSettings,
        on_volume: Option<CacheVolume>,
    },
    WriteCache {
        origin: String,
        fast: String,
        block: u64,
        settings: Vec<(String, u64)>,
    },
    Integrity(Integrity),
    Error,
    Zero,
    /// A kind that is not opened here, by lvm's name for it.
    Other(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raid {
    /// `raid1`, `raid5_ls`, …
    pub level: String,
    pub stripe: u64,
    pub region: u64,
    pub writebehind: u64,
    pub min_recovery: u64,
    pub max_recovery: u64,
    pub copies: u64,
    pub data_offset: u64,
    /// A reshape is under way.
    pub reshaping: bool,
    /// Logical volumes in pairs: metadata, data. Empty metadata: raid0 without.
    pub members: Vec<(Option<String>, String)>,
}

impl Raid {
    /// raid10: how many copies there are of each stripe. Two, where the text does not say.
    pub fn copies(&self) -> u64 {
        if self.copies == 0 { 2 } else { self.copies }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinPool {
    pub data: String,
    pub metadata: String,
    pub transaction: u64,
    pub chunk: u64,
    /// `ignore`, `nopassdown` or `passdown`.
    pub discards: String,
    pub zero: bool,
    pub crop_metadata: Option<u64>,
    /// Changes that the pool was to be told, and may not have been: `create`, `delete`.
    pub messages: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thin {
    pub pool: String,
    pub device: u64,
    pub external_origin: Option<String>,
    pub merging: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheSettings {
    pub chunk: u64,
    pub mode: String,
    pub policy: String,
    pub cleaner: bool,
    pub format: u64,
    pub tunables: Vec<(String, u64)>,
}

/// A cache volume holds metadata and data in one: where in it each lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheVolume {
    pub metadata: (u64, u64),
    pub data: (u64, u64),
    pub ids: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrity {
    pub origin: String,
    pub metadata: Option<String>,
    pub sectors: u64,
    pub mode: String,
    pub tag: u64,
    pub block: u64,
    pub hash: String,
    pub recalculate: bool,
    pub settings: Vec<(String, u64)>,
}

/// `None`: something that every segment of its kind has is missing or makes no sense.
pub fn read(s: &Section) -> Option<Segment> {
    Some(Segment {
        start: s.number("start_extent")?,
        count: s.number("extent_count")?,
        kind: kind(s)?,
    })
}

fn kind(s: &Section) -> Option<Kind> {
    let name = word(s, "type")?;
    // Behind a plus sign lvm notes features that an older lvm must not overlook.
    let (plain, features) = name.split_once('+').unwrap_or((&name, ""));
    Some(match plain {
        "striped" => Kind::Striped {
            stripe: size(s, "stripe_size"),
            areas: areas(s, "stripes")?,
        },
        "mirror" => Kind::Mirror {
            region: size(s, "region_size"),
            log: word(s, "mirror_log"),
            areas: areas(s, "mirrors")?,
        },
        "thin-pool" => Kind::ThinPool(thin_pool(s)?),
        "thin" => Kind::Thin(thin(s)?),
        "snapshot" => snapshot(s)?,
        "cache-pool" => Kind::CachePool {
            data: word(s, "data")?,
            metadata: word(s, "metadata")?,
            settings: cache_settings(s),
        },
        "cache" => cache(s)?,
        "writecache" => write_cache(s)?,
        "integrity" => Kind::Integrity(integrity(s)?),
        "error" => Kind::Error,
        "zero" => Kind::Zero,
        level if level.starts_with("raid") && features.is_empty() => Kind::Raid(raid(s, level)?),
        _ => Kind::Other(name),
    })
}

fn word(s: &Section, key: &str) -> Option<String> {
    s.text(key)?.as_str().map(String::from)
}

fn size(s: &Section, key: &str) -> u64 {
    s.number(key).unwrap_or(0)
}

/// `["pv0", 0, "pv1", 17]`: name and extent by turns.
fn areas(s: &Section, key: &str) -> Option<Vec<Area>> {
    let mut areas = Vec::new();
    for pair in s.list(key).chunks(2) {
        let [Value::Text(on), Value::Number(extent)] = pair else {
            return None;
        };
        let (on, extent) = (String::from(on.as_str()?), u64::try_from(*extent).ok()?);
        areas.push(Area { on, extent });
    }
    (!areas.is_empty()).then_some(areas)
}

fn raid(s: &Section, level: &str) -> Option<Raid> {
    let names = |key| s.list(key).iter().map(name).all_some();
    let mut members = Vec::new();
    let data_only = names("raid0_lvs")?;
    if data_only.is_empty() {
        for pair in names("raids")?.chunks(2) {
            let [metadata, data] = pair else { return None };
            members.push((Some(metadata.clone()), data.clone()));
        }
    } else {
        members.extend(data_only.into_iter().map(|data| (None, data)));
    }
    let reshaping = s.number("reshape_count").is_some() || s.number("data_offset").is_some();
    (!members.is_empty()).then(|| Raid {
        level: String::from(level),
        stripe: size(s, "stripe_size"),
        region: size(s, "region_size"),
        writebehind: size(s, "writebehind"),
        min_recovery: size(s, "min_recovery_rate"),
        max_recovery: size(s, "max_recovery_rate"),
        copies: size(s, "data_copies"),
        data_offset: size(s, "data_offset"),
        reshaping,
        members,
    })
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => text.as_str().map(String::from),
        _ => None,
    }
}

fn thin_pool(s: &Section) -> Option<ThinPool> {
    Some(ThinPool {
        data: word(s, "pool")?,
        metadata: word(s, "metadata")?,
        transaction: s.number("transaction_id")?,
        chunk: s.number("chunk_size")?,
        discards: word(s, "discards").unwrap_or_else(|| String::from("ignore")),
        zero: s.number("zero_new_blocks").unwrap_or(0) != 0,
        crop_metadata: s.number("crop_metadata"),
        messages: s
            .sections
            .iter()
            .any(|m| m.name.as_bytes().starts_with(b"message")),
    })
}

fn thin(s: &Section) -> Option<Thin> {
    Some(Thin {
        pool: word(s, "thin_pool")?,
        device: s.number("device_id")?,
        external_origin: word(s, "external_origin"),
        merging: s.text("merge").is_some(),
    })
}

fn snapshot(s: &Section) -> Option<Kind> {
    let merging = word(s, "merging_store");
    Some(Kind::Snapshot {
        origin: word(s, "origin")?,
        chunk: s.number("chunk_size")?,
        merging: merging.is_some(),
        cow: merging.or_else(|| word(s, "cow_store"))?,
    })
}

fn cache_settings(s: &Section) -> CacheSettings {
    CacheSettings {
        chunk: size(s, "chunk_size"),
        mode: word(s, "cache_mode").unwrap_or_default(),
        policy: word(s, "policy").unwrap_or_default(),
        cleaner: size(s, "cleaner") != 0,
        format: size(s, "metadata_format"),
        tunables: s
            .section("policy_settings")
            .map(numbers)
            .unwrap_or_default(),
    }
}

fn numbers(s: &Section) -> Vec<(String, u64)> {
    let number = |(key, value): &(_, Value)| match value {
        Value::Number(n) => Some((as_name(key)?, u64::try_from(*n).ok()?)),
        _ => None,
    };
    s.values.iter().filter_map(number).listed()
}

fn as_name(text: &crate::base::text::Text) -> Option<String> {
    text.as_str().map(String::from)
}

fn cache(s: &Section) -> Option<Kind> {
    let on_volume = match s.number("metadata_start") {
        None => None,
        Some(start) => Some(CacheVolume {
            metadata: (start, s.number("metadata_len")?),
            data: (s.number("data_start")?, s.number("data_len")?),
            ids: word(s, "metadata_id").zip(word(s, "data_id")),
        }),
    };
    Some(Kind::Cache {
        pool: word(s, "cache_pool")?,
        origin: word(s, "origin")?,
        settings: cache_settings(s),
        on_volume,
    })
}

fn write_cache(s: &Section) -> Option<Kind> {
    const KNOWN: [&str; 10] = [
        "high_watermark",
        "low_watermark",
        "writeback_jobs",
        "autocommit_blocks",
        "autocommit_time",
        "fua",
        "nofua",
        "cleaner",
        "max_age",
        "metadata_only",
    ];
    Some(Kind::WriteCache {
        origin: word(s, "origin")?,
        fast: word(s, "writecache")?,
        block: s.number("writecache_block_size")?,
        settings: settings(s, &KNOWN),
    })
}

/// Those of `known` that are there, in the order of `known`: it is that of the table.
fn settings(s: &Section, known: &[&str]) -> Vec<(String, u64)> {
    let there = |key: &&str| Some((String::from(*key), s.number(key)?));
    known.iter().filter_map(there).listed()
}

fn integrity(s: &Section) -> Option<Integrity> {
    const KNOWN: [&str; 8] = [
        "journal_sectors",
        "interleave_sectors",
        "buffer_sectors",
        "journal_watermark",
        "commit_time",
        "bitmap_flush_interval",
        "sectors_per_bit",
        "allow_discards",
    ];
    Some(Integrity {
        origin: word(s, "origin")?,
        metadata: word(s, "meta_dev"),
        sectors: s.number("data_sectors")?,
        mode: word(s, "mode")?,
        tag: s.number("tag_size")?,
        block: s.number("block_size")?,
        hash: word(s, "internal_hash")?,
        recalculate: size(s, "recalculate") != 0,
        settings: settings(s, &KNOWN),
    })
}
