//! DRBD with its metadata inside: they are the last 4 KiB, and what is replicated comes before.
//!
//! Source: drbd `drbd-headers/drbd_meta_data.h`, drbd-utils `user/shared/drbdmeta.c`.

use super::fields::{FILESYSTEM, Format, Look, ensure, named};
use super::{Signature, Usage};
use alloc::format;

const BLOCK: usize = 4096;

fn read(look: &Look) -> Option<Signature> {
    let metadata = look.fields(look.size().checked_sub(BLOCK as u64)?, BLOCK)?;
    // The version, its device's UUID, and what of the block is filled.
    let (version, uuid, end) = match metadata.be32(60)? {
        0x8374_026b | 0x8374_026c => ("v08", 40, 100),
        0x8374_026d => ("v09", 48, 1392),
        _ => return None,
    };
    ensure(metadata.be32(80)? as usize == BLOCK)?;
    ensure(metadata.0.get(end..)?.iter().all(|&b| b == 0))?;
    let uuid = metadata.be64(uuid)?;
    let uuid = (uuid != 0).then(|| format!("{uuid:x}"));
    named(Some(version.into()), uuid, None, 0)
}

pub(super) const DRBD: Format = Format {
    name: "drbd",
    usage: Usage::Raid,
    min_size: 0x10000,
    read,
    ..FILESYSTEM
};
