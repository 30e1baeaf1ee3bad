//! The device that `veritysetup open` would make: name, UUID, table.
//!
//! Source: kernel `Documentation/admin-guide/device-mapper/verity.rst`; arguments stand in the
//! order of cryptsetup, so that its own tools take the volume for theirs.

use super::{Corruption, Options, Superblock, Volume};
use crate::base::hex;
use crate::format::dm_init::{Mapping, Target};
use crate::format::luks;
use alloc::format;
use alloc::string::String;

const SECTOR: u64 = 512;

/// A device below: as `MAJOR:MINOR`, and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Below {
    pub number: (u32, u32),
    pub size: u64,
}

/// The devices below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    pub data: Below,
    pub hash: Below,
    pub fec: Option<Below>,
}

/// What it is to be. `superblock`: where the options say that there is one. The error is the end
/// of a sentence about the volume.
pub fn mapping(
    volume: &Volume,
    superblock: Option<&Superblock>,
    devices: &Devices,
) -> Result<Mapping, String> {
    let Volume {
        options, root_hash, ..
    } = volume;
    let tree = match superblock {
        Some(read) => read.clone(),
        None => described(options, devices),
    };
    let digits = digest_size(&tree.algorithm).and_then(|size| size.checked_mul(2));
    if digits.is_some_and(|digits| digits != root_hash.len()) {
        let (have, kind) = (root_hash.len(), &tree.algorithm);
        return Err(format!(
            "its root hash has {have} digits, which is no {kind}"
        ));
    }
    let length = tree.data_blocks.checked_mul(tree.data_block.into());
    let room = devices.data.size;
    let length = length.filter(|bytes| *bytes <= room && *bytes > 0);
    let length = length.ok_or_else(|| {
        let (blocks, size) = (tree.data_blocks, tree.data_block);
        format!("its data device has {room} bytes, and not {blocks} blocks of {size}")
    })?;
    let too_far = || String::from("its tree lies at an offset that no device has");
    let start = start(options, &tree).ok_or_else(too_far)?;
    let mut arguments = format!(
        "{} {} {} {} {} {} {start} {} {root_hash} {}",
        tree.format,
        number(devices.data),
        number(devices.hash),
        tree.data_block,
        tree.hash_block,
        tree.data_blocks,
        tree.algorithm,
        match tree.salt.is_empty() {
            true => "-".into(),
            false => hex::encode(&tree.salt),
        },
    );
    let (count, features) = features(volume, &tree, devices).ok_or_else(too_far)?;
    if count > 0 {
        arguments.push_str(&format!(" {count}{features}"));
    }
    Ok(Mapping {
        name: volume.name.clone(),
        uuid: luks::table::uuid("VERITY", &tree.uuid, &volume.name),
        minor: None,
        read_only: true,
        signature: signature(volume, &tree),
        key_file: None,
        targets: alloc::vec![Target {
            start: 0,
            sectors: length / SECTOR,
            kind: "verity".into(),
            arguments,
        }],
    })
}

/// What the options say in place of a superblock.
fn described(options: &Options, devices: &Devices) -> Superblock {
    let room = devices.data.size.checked_div(options.data_block.into());
    Superblock {
        format: options.format,
        uuid: String::new(),
        algorithm: options.algorithm.clone(),
        data_block: options.data_block,
        hash_block: options.hash_block,
        data_blocks: options.data_blocks.or(room).unwrap_or(0),
        salt: options.salt.clone(),
    }
}

/// The first block of the tree: the next whole one behind the superblock.
fn start(options: &Options, tree: &Superblock) -> Option<u64> {
    let block = u64::from(tree.hash_block);
    match options.superblock {
        true => {
            let behind = options.hash_offset.checked_add(SECTOR)?;
            Some(behind.div_ceil(block))
        }
        false => options.hash_offset.checked_div(block),
    }
}

/// The optional arguments, and how many words they are.
fn features(volume: &Volume, tree: &Superblock, devices: &Devices) -> Option<(usize, String)> {
    let options = &volume.options;
    let mut words = String::new();
    let mut add = |word: &str| {
        words.push(' ');
        words.push_str(word);
    };
    match options.corruption {
        Corruption::Refuse => {}
        Corruption::Ignore => add("ignore_corruption"),
        Corruption::Restart => add("restart_on_corruption"),
        Corruption::Panic => add("panic_on_corruption"),
    }
    if options.ignore_zero_blocks {
        add("ignore_zero_blocks");
    }
    if options.check_at_most_once {
        add("check_at_most_once");
    }
    if let (Some(fec), Some(device)) = (&options.fec, devices.fec) {
        let at = fec.offset.checked_div(tree.hash_block.into())?;
        let same = device.number == devices.hash.number;
        // All of the hash device is covered, up to where the codes begin if they lie on it.
        let end = if same { fec.offset } else { devices.hash.size };
        let covered = end.checked_div(tree.data_block.into())?;
        let covered = covered.checked_sub(start(options, tree)?)?;
        let blocks = tree.data_blocks.checked_add(covered)?;
        let (device, roots) = (number(device), fec.roots);
        add(&format!(
            "use_fec_from_device {device} fec_start {at} fec_blocks {blocks} fec_roots {roots}"
        ));
    }
    if options.signature.is_some() {
        add("root_hash_sig_key_desc");
        add(&description(volume, tree));
    }
    Some((words.matches(' ').count(), words))
}

/// The name under which the kernel finds the signature in the keyring.
fn description(volume: &Volume, tree: &Superblock) -> String {
    let hyphen = if tree.uuid.is_empty() { "" } else { "-" };
    // It becomes one word of a table.
    let name = volume.name.replace(' ', "_");
    format!("cryptsetup:{}{hyphen}{name}", tree.uuid)
}

fn signature(volume: &Volume, tree: &Superblock) -> Option<crate::format::dm_init::Signature> {
    let source = volume.options.signature.clone()?;
    Some(crate::format::dm_init::Signature {
        description: description(volume, tree),
        source,
    })
}

fn number(below: Below) -> String {
    let (major, minor) = below.number;
    format!("{major}:{minor}")
}

/// Bytes of a digest; `None`: not known here.
fn digest_size(algorithm: &str) -> Option<usize> {
    Some(match algorithm {
        "sha1" | "ripemd160" | "rmd160" => 20,
        "sha224" => 28,
        "sha256" | "blake2b-256" | "blake2s-256" | "sm3" | "sha3-256" => 32,
        "sha384" => 48,
        "sha512" | "blake2b-512" | "whirlpool" | "sha3-512" => 64,
        _ => return None,
    })
}
