//! Images that are made once and mounted read-only: squashfs, EROFS, cramfs, romfs.
//!
//! Sources: Linux 6.12 `fs/squashfs/squashfs_fs.h`, `fs/erofs/erofs_fs.h`,
//! `include/uapi/linux/cramfs_fs.h`, `include/uapi/linux/romfs_fs.h`.

use super::Signature;
use super::checksum::{crc32, crc32c};
use super::fields::{FILESYSTEM, Format, Look, ensure};

const EROFS_SUPERBLOCK: u64 = 1024;
const EROFS_FEATURE_SB_CSUM: u32 = 1;
/// CRAMFS_FLAG_FSID_VERSION_2: there is a checksum over the whole image.
const CRAMFS_CHECKSUM: u32 = 1;
/// A larger cramfs is believed without a look at its checksum.
const CRAMFS_CHECKED: u32 = 64 * 1024;
/// romfs sums up this much of itself at most.
const ROMFS_CHECKED: u32 = 512;

/// Version 4. The kernel mounts no other.
fn read_squashfs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 96)?;
    ensure(sb.is(0, b"hsqs") && sb.le16(28)? >= 4)?;
    out.set_dotted(sb.le16(28)?.into(), sb.le16(30)?.into());
    Some(())
}

/// Is there the magic of an EROFS? Its inode count may look like the magic of a Minix.
pub(super) fn erofs_magic(look: &Look) -> Option<()> {
    look.magic(EROFS_SUPERBLOCK, b"\xe2\xe1\xf5\xe0")
}

fn read_erofs(look: &Look, out: &mut Signature) -> Option<()> {
    erofs_magic(look)?;
    let sb = look.fields(EROFS_SUPERBLOCK, 128)?;
    let log = sb.u8(12)?;
    ensure((9..=16).contains(&log))?;
    out.block_size = 1 << log;
    if sb.le32(8)? & EROFS_FEATURE_SB_CSUM != 0 {
        // Up to the end of the first block, with zero in place of the checksum.
        let len = out.block_size.checked_sub(1024)? as usize;
        let block = look.fields(EROFS_SUPERBLOCK, len)?;
        let sum = crc32c(&[block.bytes(0, 4)?, &[0; 4], block.0.get(8..)?]);
        ensure(sum == sb.le32(4)?)?;
    }
    out.set_uuid(sb, 48);
    out.set_label(sb, 64, 16);
    Some(())
}

fn read_cramfs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 76)?;
    let little = sb.is(0, b"\x45\x3d\xcd\x28");
    ensure(little || sb.is(0, b"\x28\xcd\x3d\x45"))?;
    let word = |at| if little { sb.le32(at) } else { sb.be32(at) };
    let size = word(4)?;
    if word(8)? & CRAMFS_CHECKSUM != 0 && size <= CRAMFS_CHECKED {
        let image = look.fields(0, size as usize)?;
        let sum = crc32(&[image.bytes(0, 32)?, &[0; 4], image.0.get(36..)?]);
        ensure(!sum == word(32)?)?;
    }
    out.set_label(sb, 48, 16);
    Some(())
}

fn read_romfs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 32)?;
    ensure(sb.is(0, b"-rom1fs-"))?;
    let len = sb.be32(8)?.min(ROMFS_CHECKED);
    let words = look.fields(0, len as usize)?.0.chunks(4);
    let word = |w: &[u8]| w.try_into().map_or(1, u32::from_be_bytes);
    ensure(words.map(word).fold(0, u32::wrapping_add) == 0)?;
    out.set_label(sb, 16, 16);
    out.block_size = 1024;
    Some(())
}

pub(super) const SQUASHFS: Format = Format {
    name: "squashfs",
    read: read_squashfs,
    ..FILESYSTEM
};

pub(super) const EROFS: Format = Format {
    name: "erofs",
    read: read_erofs,
    ..FILESYSTEM
};

pub(super) const CRAMFS: Format = Format {
    name: "cramfs",
    read: read_cramfs,
    ..FILESYSTEM
};

pub(super) const ROMFS: Format = Format {
    name: "romfs",
    read: read_romfs,
    ..FILESYSTEM
};
