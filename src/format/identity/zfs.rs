//! Member of a ZFS pool: the pool's and the device's number, and the pool's name.
//!
//! There are four labels. The first is always looked at; the others only where the device shows
//! nothing else, so that an ordinary device costs no reads for them: what an old pool left at the
//! end of a device that holds something else today does not matter.
//! Source: ZFS On-Disk Specification (2006), chapter 1; RFC 4506 for the encoding.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, ensure, label};

const LABEL: u64 = 256 * 1024;
/// Where in a label its name-value list lies, and how much of it is looked at. What matters here
/// comes first; the tree of devices after it may be long.
const PAIRS: u64 = 16 * 1024;
const PAIRS_LEN: usize = 4096;
const XDR: u8 = 1;
const UINT64: u32 = 8;
const STRING: u32 = 9;
const LIST: u32 = 19;
/// Spares and caches belong to no transaction group.
const SPARE_OR_CACHE: [u64; 2] = [3, 4];
const MAX_STATE: u64 = 7;

fn read_first(look: &Look) -> Option<Signature> {
    read_label(look, 0)
}

fn read_copies(look: &Look) -> Option<Signature> {
    let end = look.size() & !LABEL.saturating_sub(1);
    let copies = [
        LABEL,
        end.checked_sub(LABEL.saturating_mul(2))?,
        end.checked_sub(LABEL)?,
    ];
    // All are asked for before one is missing.
    let found = copies.map(|at| read_label(look, at));
    found.into_iter().flatten().next()
}

fn read_label(look: &Look, at: u64) -> Option<Signature> {
    let list = look.fields(at.checked_add(PAIRS)?, PAIRS_LEN)?;
    ensure(list.u8(0)? == XDR && list.u8(1)? <= 1 && list.be32(12)? != 0)?;
    let mut seen = Seen::default();
    let (mut at, mut depth) = (12usize, 0u32);
    while let Some(size) = list.be32(at) {
        let mut size = size as usize;
        if size == 0 {
            if depth == 0 {
                break;
            }
            // The end of an inner list is two words of zero.
            depth = depth.saturating_sub(1);
            size = 8;
        } else if let Some(name_len) = list.be32(at.saturating_add(8)) {
            let name_len = name_len as usize;
            let value_at = name_len.checked_next_multiple_of(4)?.checked_add(12)?;
            ensure(value_at.checked_add(4)? <= size)?;
            let Some(pair) = list.bytes(at, size).map(Fields) else {
                // The rest is not looked at, but an inner list is entered.
                break;
            };
            let value = Fields(pair.0.get(value_at..)?);
            match value.be32(0)? {
                0 => return None,
                LIST => {
                    depth = depth.saturating_add(1);
                    size = value_at.checked_add(16)?;
                }
                kind => seen.pair(pair.bytes(12, name_len)?, kind, value, depth)?,
            }
        }
        at = at.checked_add(size)?;
    }
    seen.signature()
}

/// What was found in the list.
#[derive(Default)]
struct Seen {
    state: Option<u64>,
    transaction: u64,
    device: u64,
    found: Signature,
}

impl Seen {
    /// One name and its value: kind, number of elements, and what the kind has.
    fn pair(&mut self, name: &[u8], kind: u32, value: Fields<'_>, depth: u32) -> Option<()> {
        if kind == STRING && name == b"name" && depth == 0 {
            let text = value.bytes(12, value.be32(8)? as usize)?;
            self.found.label = label(text);
        }
        if kind != UINT64 {
            return Some(());
        }
        let number = value.be64(8)?;
        match (name, depth) {
            (b"ashift", _) if number < 32 => self.found.block_size = 1 << number,
            (b"version", 0) => self.found.version = decimal(number),
            (b"pool_guid", 0) => self.found.uuid = decimal(number).filter(|_| number != 0),
            (b"guid", 0) => self.device = number,
            (b"state", 0) => self.state = Some(number),
            (b"txg", 0) => self.transaction = number,
            _ => {}
        }
        Some(())
    }

    /// A label counts if its device was taken into a pool.
    fn signature(mut self) -> Option<Signature> {
        let state = self.state.filter(|state| *state <= MAX_STATE)?;
        ensure(self.device != 0)?;
        ensure(self.transaction > 0 || SPARE_OR_CACHE.contains(&state))?;
        self.found.uuid_sub = decimal(self.device);
        Some(self.found)
    }
}

pub(super) const ZFS: Format = Format {
    name: "zfs_member",
    min_size: 64 << 20,
    read: read_first,
    ..FILESYSTEM
};

pub(super) const ZFS_COPIES: Format = Format {
    read: read_copies,
    ..ZFS
};
