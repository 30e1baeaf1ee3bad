//! Member of a ZFS pool: the pool's and the device's number, and the pool's name.
//!
//! Only the first of the four labels. The two at the end of a device are what an old pool leaves
//! behind on one that holds something else today.
//! Source: ZFS On-Disk Specification (2006), chapter 1; RFC 4506 for the encoding.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, decimal, ensure, label};

/// Where in a label its name-value list lies, and how much of it is looked at. What matters here
/// comes first; the tree of devices after it may be long.
const PAIRS: u64 = 16 * 1024;
const PAIRS_LEN: usize = 4096;
/// Encoding XDR; the byte after it is the order of bytes of the machine that wrote it.
const XDR: u8 = 1;
/// Kinds of values.
const UINT64: u32 = 8;
const STRING: u32 = 9;
const LIST: u32 = 19;
/// Spares and caches belong to no transaction group.
const SPARE: u64 = 3;
const CACHE: u64 = 4;
const MAX_STATE: u64 = 7;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let list = look.fields(PAIRS, PAIRS_LEN)?;
    ensure(list.u8(0)? == XDR && list.u8(1)? <= 1)?;
    let number = |name: &[u8]| value(list, name, UINT64, false)?.be64(8);
    let (state, device) = (number(b"state")?, number(b"guid")?);
    let in_pool = state == SPARE || state == CACHE || number(b"txg")? > 0;
    ensure(state <= MAX_STATE && device != 0 && in_pool)?;
    out.set_id(number(b"pool_guid").map(decimal));
    out.uuid_sub = Some(decimal(device));
    out.version = number(b"version").map(decimal);
    let shift = value(list, b"ashift", UINT64, true).and_then(|v| v.be64(8));
    out.block_size = shift.filter(|&n| n < 32).map_or(0, |n| 1 << n);
    let name = value(list, b"name", STRING, false);
    out.label = name.and_then(|v| label(v.bytes(12, v.be32(8)? as usize)?));
    Some(())
}

/// The value of `name`: its kind, the number of elements, and what the kind has. `inner`: may
/// lie in a list in the list.
fn value<'a>(list: Fields<'a>, name: &[u8], kind: u32, inner: bool) -> Option<Fields<'a>> {
    let (mut at, mut depth) = (12usize, 0u32);
    loop {
        let mut size = list.be32(at)? as usize;
        if size == 0 {
            // The end of a list is two words of zero.
            depth = depth.checked_sub(1)?;
            size = 8;
        } else {
            let pair = Fields(list.0.get(at..)?);
            let name_len = pair.be32(8)? as usize;
            let value_at = name_len.checked_next_multiple_of(4)?.checked_add(12)?;
            let value = Fields(pair.0.get(value_at..)?);
            let this = value.be32(0)?;
            if this == LIST {
                depth = depth.checked_add(1)?;
                size = value_at.checked_add(16)?;
            } else if this == kind && (inner || depth == 0) && pair.bytes(12, name_len)? == name {
                return Some(value);
            }
        }
        at = at.checked_add(size)?;
    }
}

pub(super) const ZFS: Format = Format {
    name: "zfs_member",
    min_size: 64 << 20,
    read,
    ..FILESYSTEM
};
