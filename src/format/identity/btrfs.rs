//! btrfs: identity of the file system and of this one of its devices.
//!
//! Whether all devices are there is not seen here: the kernel is asked that. Of the four kinds of
//! checksum only CRC-32C is verified; the others are strong hashes that would cost more code than
//! the sixteen bits of extra doubt are worth. Zoned devices keep the superblock elsewhere and are
//! not recognised. Source: btrfs on-disk format, kernel `include/uapi/linux/btrfs_tree.h` (6.6).

use super::checksum::{NOWHERE, crc32c};
use super::fields::{Format, Look, ensure};
use super::{Signature, Usage};

const SUPERBLOCK: u64 = 64 * 1024;
const CSUM_CRC32C: u16 = 0;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(SUPERBLOCK, 4096)?;
    ensure(sb.is(64, b"_BHRfS_M"))?;
    let sector = sb.le32(144)?;
    ensure(sector.is_power_of_two())?;
    if sb.le16(196)? == CSUM_CRC32C {
        ensure(!crc32c(sb.bytes(32, 4096 - 32)?, NOWHERE) == sb.le32(0)?)?;
    }
    out.set_uuid(sb, 32);
    out.uuid_sub = sb.uuid(267);
    out.set_label(sb, 299, 256);
    out.block_size = sector;
    out.devices = u16::try_from(sb.le64(136)?).unwrap_or(u16::MAX);
    Some(())
}

pub(super) const BTRFS: Format = Format {
    name: "btrfs",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 1 << 20,
    read,
};
