//! UBI and UBIFS on raw flash (or in an image of one): identity only.
//!
//! Source: Linux 6.12 `drivers/mtd/ubi/ubi-media.h`, `fs/ubifs/ubifs-media.h`.

use super::checksum::{NOWHERE, crc32};
use super::fields::{FILESYSTEM, Format, Look, decimal, ensure};
use super::{Signature, Usage};
use alloc::format;

/// The erase counter of the first block: the sequence number of the image is the UUID.
fn read_ubi(look: &Look, out: &mut Signature) -> Option<()> {
    let header = look.fields(0, 64)?;
    ensure(header.is(0, b"UBI#"))?;
    ensure(crc32(header.bytes(0, 60)?, NOWHERE) == header.be32(60)?)?;
    let image = header.be32(24)?;
    if image != 0 {
        out.set_id(Some(decimal(image.into())));
    }
    out.set_number(header.u8(4)?.into());
    Some(())
}

fn read_ubifs(look: &Look, out: &mut Signature) -> Option<()> {
    look.magic(0, b"\x31\x18\x10\x06")?;
    let node = look.fields(0, 4096)?;
    ensure(crc32(node.0.get(8..)?, NOWHERE) == node.le32(4)?)?;
    out.version = Some(format!("w{}r{}", node.le32(80)?, node.le32(124)?));
    out.set_uuid(node, 108);
    Some(())
}

pub(super) const UBI: Format = Format {
    name: "ubi",
    usage: Usage::Raid,
    read: read_ubi,
    ..FILESYSTEM
};

pub(super) const UBIFS: Format = Format {
    name: "ubifs",
    read: read_ubifs,
    ..FILESYSTEM
};
