//! Images that are made once and mounted read-only: squashfs, EROFS, cramfs, romfs.
//!
//! Sources: Linux 6.12 `fs/squashfs/squashfs_fs.h`, `fs/erofs/erofs_fs.h`,
//! `include/uapi/linux/cramfs_fs.h`, `include/uapi/linux/romfs_fs.h`.

use super::Signature;
use super::checksum::crc32c;
use super::fields::{FILESYSTEM, Format, Look, ensure};

const EROFS_SUPERBLOCK: u64 = 1024;
const EROFS_FEATURE_SB_CSUM: u32 = 1;

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
        let sum = crc32c(block.0, 4);
        ensure(sum == sb.le32(4)?)?;
    }
    out.set_uuid(sb, 48);
    out.set_label(sb, 64, 16);
    Some(())
}

/// Either byte order; the name does not depend on it. The checksum covers the whole image and is
/// not looked at.
fn read_cramfs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 76)?;
    ensure(sb.is(0, b"\x45\x3d\xcd\x28") || sb.is(0, b"\x28\xcd\x3d\x45"))?;
    out.set_label(sb, 48, 16);
    Some(())
}

/// Its sum over the first 512 bytes adds little to a magic of eight, and is not looked at.
fn read_romfs(look: &Look, out: &mut Signature) -> Option<()> {
    let sb = look.fields(0, 32)?;
    ensure(sb.is(0, b"-rom1fs-"))?;
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
