//! Which formats there are, in which order they are asked, and what their answers amount to.
//!
//! The rules are libblkid's low-level ones (`blkid -p`): the first container wins and hides what
//! shines through it; of everything else there must be one, or the device is ambivalent.

use super::fields::{Format, Look, ensure};
use super::{Finding, Range, Signature, Step, Usage, View};
use super::{bcache, bitlocker, dm, exfat, f2fs, firmware_raid, iso9660, jfs, minix, nilfs2};
use super::{btrfs, ext, luks, lvm, md, swap, table, vfat, xfs};
use super::{ntfs, readonly, reiserfs, ubi, udf, zfs};
use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;

/// libblkid's order. A container ends the search; of the others at most one may be there, but for
/// tolerant ones. On a floppy the first one wins.
static FORMATS: &[Format] = &[
    md::MD,
    firmware_raid::DDF,
    firmware_raid::INTEL,
    bcache::BCACHE,
    bcache::BCACHEFS,
    lvm::LVM2,
    dm::VERITY,
    dm::INTEGRITY,
    luks::LUKS,
    ubi::UBI,
    bitlocker::BITLOCKER,
    vfat::VFAT,
    swap::SWSUSPEND,
    swap::SWAP,
    xfs::XFS,
    ext::EXT,
    ext::JBD,
    reiserfs::REISERFS,
    jfs::JFS,
    udf::UDF,
    iso9660::ISO9660,
    zfs::ZFS,
    ntfs::NTFS,
    readonly::CRAMFS,
    readonly::ROMFS,
    minix::MINIX,
    readonly::SQUASHFS,
    btrfs::BTRFS,
    ubi::UBIFS,
    nilfs2::NILFS2,
    exfat::EXFAT,
    f2fs::F2FS,
    readonly::EROFS,
];

/// Every superblock at a fixed place near the head lies in here; btrfs ends it.
const HEAD: u64 = 68 * 1024;
/// An extended partition is 1 KiB for the kernel, and nothing of its own is in it.
const SMALLEST: u64 = 1024;
/// A floppy: no arrays, no doubts.
const TINY: u64 = 1440 * 1024;
/// Two reads with no more than this between them become one.
const GAP: u64 = 4096;
/// All that one device may cost. The formats bound themselves well below; this is the backstop.
const MAX_HELD: usize = 2 << 20;
const MAX_ANSWERS: usize = 600;

/// Identifies the device behind `view`. Call again after each [`Step::Read`], with every range of
/// it added or lost. Ends after a bounded number of rounds: each adds an answer, and answers and
/// bytes are bounded. What the bounds cut off counts as absent.
pub fn identify(view: &View) -> Step {
    if view.size <= SMALLEST {
        return Step::Done(Finding::default());
    }
    if view.answers() == 0 {
        return Step::Read(merge(first_look(view.size)));
    }
    let look = Look::at(view);
    let (mut signature, ambivalent) = superblock(&look);
    let mut table = table::read(&look);
    let missing = look.missing();
    let lengths = missing.iter().map(|range| range.len);
    let bytes = lengths.fold(view.held(), usize::saturating_add);
    if !missing.is_empty() && bytes <= MAX_HELD && view.answers() <= MAX_ANSWERS {
        return Step::Read(merge(missing));
    }
    if signature.as_ref().is_some_and(|s| s.usage == Usage::Raid) {
        // The table of a member is that of the array. Only where pvcreate would have wiped it,
        // it is newer than the volume and the volume is what is left of old times.
        let newer = table.take_if(|t| t.at < lvm::WIPED && is_lvm(&signature));
        if newer.is_some() {
            signature = None;
        }
        table = newer;
    }
    Step::Done(Finding {
        signature,
        table: table.map(|t| t.table),
        ambivalent,
    })
}

/// Identifies what `read` brings the bytes of.
///
/// # Errors
/// The first range that could not be read, and why. What was in it might have told of a container
/// (an array keeps its superblock at the end): that spoils every answer but a container.
pub fn identify_with<E>(
    mut view: View,
    read: &mut dyn FnMut(Range) -> Result<Vec<u8>, E>,
) -> Result<Finding, (Range, E)> {
    let mut failed = None;
    let finding = loop {
        let ranges = match identify(&view) {
            Step::Done(finding) => break finding,
            Step::Read(ranges) => ranges,
        };
        for range in ranges {
            match read(range) {
                Ok(bytes) => view.add(range.at, bytes),
                Err(error) => {
                    view.lose(range);
                    failed.get_or_insert((range, error));
                }
            }
        }
    };
    let usage = finding.signature.as_ref().map(|s| s.usage);
    match failed {
        Some(failed) if !matches!(usage, Some(Usage::Raid | Usage::Crypto)) => Err(failed),
        _ => Ok(finding),
    }
}

fn is_lvm(signature: &Option<Signature>) -> bool {
    signature.as_ref().is_some_and(|s| s.kind == lvm::LVM2.name)
}

/// The signature, or the names of those that exclude each other.
fn superblock(look: &Look) -> (Option<Signature>, Vec<String>) {
    let tiny = look.size() <= TINY;
    let (mut all, mut strict) = (Vec::new(), false);
    for format in FORMATS {
        let Some(found) = read(look, format, tiny) else {
            continue;
        };
        let container = matches!(found.usage, Usage::Raid | Usage::Crypto);
        strict |= !container && !format.tolerant;
        all.push(found);
        if container || tiny {
            break;
        }
    }
    if all.len() > 1 && strict {
        return (None, all.into_iter().map(|s| s.kind).listed());
    }
    (all.into_iter().next(), Vec::new())
}

fn read(look: &Look, format: &Format, tiny: bool) -> Option<Signature> {
    ensure(look.size() >= format.min_size.into())?;
    ensure(!(tiny && format.usage == Usage::Raid))?;
    let mut found = Signature {
        usage: format.usage,
        ..Signature::default()
    };
    (format.read)(look, &mut found)?;
    if found.kind.is_empty() {
        found.kind.push_str(format.name);
    }
    Some(found)
}

/// Head and tail at once, so that an ordinary device takes one round.
fn first_look(size: u64) -> Vec<Range> {
    let head = Range {
        at: 0,
        len: usize::try_from(size.min(HEAD)).unwrap_or(0),
    };
    let tail = md::tail(size).into_iter().flatten();
    let tail = tail.chain(firmware_raid::first_look(size));
    tail.chain([head]).listed()
}

/// Brings ranges in order and joins neighbours. There are few of them.
fn merge(ranges: Vec<Range>) -> Vec<Range> {
    let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
    for mut range in ranges {
        // Swallow whatever is near, then take its place in the order.
        merged.retain(|other| {
            let near = |a: Range, b: Range| a.at <= b.end().saturating_add(GAP);
            let joins = near(range, *other) && near(*other, range);
            if joins {
                let (at, end) = (range.at.min(other.at), range.end().max(other.end()));
                let len = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
                range = Range { at, len };
            }
            !joins
        });
        let place = merged.partition_point(|other| other.at < range.at);
        merged.insert(place, range);
    }
    merged
}

#[cfg(test)]
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]
mod tests {
    use super::*;

    /// Identifies an image, counting rounds and checking that no range is asked for twice.
    fn identify_all(image: &[u8]) -> (Finding, usize) {
        let mut view = View::new(image.len() as u64, 512);
        for round in 0.. {
            let ranges = match identify(&view) {
                Step::Done(finding) => return (finding, round),
                Step::Read(ranges) => ranges,
            };
            for range in ranges {
                assert!(view.bytes(range.at, range.len).is_err(), "{range:?} again");
                let (start, end) = (range.at as usize, range.end() as usize);
                view.add(range.at, image[start..end].to_vec());
            }
        }
        unreachable!()
    }

    fn image_with(size: usize, pieces: &[(usize, &[u8])]) -> Vec<u8> {
        let mut image = alloc::vec![0; size];
        for (at, bytes) in pieces {
            image[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        image
    }

    const EXT2_MAGIC: (usize, &[u8]) = (1024 + 0x38, b"\x53\xef");
    const LUKS_MAGIC: (usize, &[u8]) = (0, b"LUKS\xba\xbe\x00\x01");
    const SWAP_MAGIC: (usize, &[u8]) = (4096 - 10, b"SWAP-SPACE");

    #[test]
    fn an_ordinary_device_takes_one_round() {
        for size in [1, 1024, 1025, 4096, 65536, 65537, 1 << 20, 2_000_000] {
            let (finding, rounds) = identify_all(&image_with(size, &[]));
            assert_eq!(finding, Finding::default());
            assert_eq!(rounds, usize::from(size > 1024), "{size}");
        }
    }

    #[test]
    fn containers_hide_contents_and_contents_exclude_each_other() {
        let check = |size: usize, pieces: &[(usize, &[u8])], kind: &str, ambivalent: &str| {
            let (finding, _) = identify_all(&image_with(size, pieces));
            let found = finding.signature.map(|s| s.kind).unwrap_or_default();
            assert_eq!(
                (&*found, &*finding.ambivalent.join(" ")),
                (kind, ambivalent)
            );
        };
        check(2 << 20, &[EXT2_MAGIC], "ext2", "");
        check(2 << 20, &[EXT2_MAGIC, LUKS_MAGIC], "crypto_LUKS", "");
        check(2 << 20, &[EXT2_MAGIC, SWAP_MAGIC], "", "swap ext2");
        check(1 << 20, &[EXT2_MAGIC, SWAP_MAGIC], "swap", "");
        let member = [b"\xfc\x4e\x2b\xa9".as_slice(), &[0; 8]].concat();
        check(
            2 << 20,
            &[EXT2_MAGIC, ((2 << 20) - 65536, &member)],
            "linux_raid_member",
            "",
        );
        check(
            1 << 20,
            &[EXT2_MAGIC, ((1 << 20) - 65536, &member)],
            "ext2",
            "",
        );
    }

    #[test]
    fn reads_that_touch_become_one() {
        let range = |at, len| Range { at, len };
        let merged = merge(alloc::vec![range(9000, 10), range(0, 100), range(50, 100)]);
        assert_eq!(merged, [range(0, 150), range(9000, 10)]);
        assert_eq!(
            merge(alloc::vec![range(100, 10), range(0, 10)]),
            [range(0, 110)]
        );
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let mut view = View::new(2 << 20, 512);
        let Step::Read(ranges) = identify(&view) else {
            panic!("nothing was read yet");
        };
        ranges.into_iter().for_each(|range| view.lose(range));
        assert!(matches!(identify(&view), Step::Done(f) if f == Finding::default()));
    }
}
