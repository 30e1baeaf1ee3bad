//! What device-mapper targets write at the head of their devices: identity only.
//!
//! Sources: cryptsetup wiki, "DMVerity", "Verity superblock format"; Linux 6.12
//! `drivers/md/dm-integrity.c`, `drivers/md/dm-snap-persistent.c`, `drivers/md/dm-vdo/`.

use super::fields::{FILESYSTEM, Format, Look, decimal, ensure, named};
use super::{Signature, Usage};

fn read_verity(look: &Look) -> Option<Signature> {
    let sb = look.fields(0, 512)?;
    ensure(sb.is(0, b"verity\0\0") && sb.le32(8)? == 1)?;
    named(decimal(1), sb.uuid(16), None, 0)
}

fn read_integrity(look: &Look) -> Option<Signature> {
    let sb = look.fields(0, 32)?;
    ensure(sb.is(0, b"integrt\0") && sb.u8(8)? != 0)?;
    named(decimal(sb.u8(8)?.into()), None, None, 0)
}

fn read_snapshot(look: &Look) -> Option<Signature> {
    look.magic(0, b"SnAp")?;
    named(None, None, None, 0)
}

fn read_vdo(look: &Look) -> Option<Signature> {
    let sb = look.fields(0, 56)?;
    ensure(sb.is(0, b"dmvdo001"))?;
    named(None, sb.uuid(40), None, 0)
}

pub(super) const VERITY: Format = Format {
    name: "DM_verity_hash",
    usage: Usage::Crypto,
    read: read_verity,
    ..FILESYSTEM
};

pub(super) const INTEGRITY: Format = Format {
    name: "DM_integrity",
    read: read_integrity,
    ..VERITY
};

pub(super) const SNAPSHOT: Format = Format {
    name: "DM_snapshot_cow",
    usage: Usage::Other,
    read: read_snapshot,
    ..FILESYSTEM
};

pub(super) const VDO: Format = Format {
    name: "vdo",
    read: read_vdo,
    ..SNAPSHOT
};
