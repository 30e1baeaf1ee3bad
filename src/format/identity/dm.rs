//! What device-mapper targets write at the head of their devices: identity only.
//!
//! Sources: cryptsetup wiki, "DMVerity", "Verity superblock format"; Linux 6.12
//! `drivers/md/dm-integrity.c` (struct superblock).

use super::fields::{FILESYSTEM, Format, Look, ensure};
use super::{Signature, Usage};

fn read_verity(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 512)?;
    ensure(sb.is(0, b"verity\0\0\x01\0\0\0"))?;
    out.set_version("1");
    out.set_uuid(sb, 16);
    Some(())
}

fn read_integrity(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 32)?;
    ensure(sb.is(0, b"integrt\0") && sb.u8(8)? != 0)?;
    out.set_number(sb.u8(8)?.into());
    Some(())
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
