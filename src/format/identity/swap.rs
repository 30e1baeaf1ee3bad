//! Swap space, and the hibernation image that takes its name away while it lies there.
//!
//! The signature ends the first page, so its place tells the page size of the machine that wrote
//! it. Source: kernel `include/linux/swap.h` (union swap_header), `kernel/power/swap.c`; the other
//! suspenders' magics as libblkid knows them.

use super::fields::{Fields, Format, Read, ensure, first};
use super::{Signature, Usage, View};

const PAGE_SIZES: [u64; 5] = [4096, 8192, 16384, 32768, 65536];
/// The magics are the last ten bytes of the page.
const MAGIC_LEN: usize = 10;
/// Ten pages: what mkswap asks for at least.
const MIN_SIZE: u64 = 10 * 4096;
const TUX_ON_ICE: &[u8] = b"\xed\xc3\x02\xe9\x98\x56\xe5\x0c";

fn read_swap(view: &View) -> Read<Signature> {
    ensure(!Fields::of(view, 0, TUX_ON_ICE.len())?.is(0, TUX_ON_ICE))?;
    first(&PAGE_SIZES, |page| {
        let magic = magic(view, page)?;
        if magic.is(0, b"SWAP-SPACE") {
            // The first version has neither label nor UUID.
            return Ok(Signature {
                version: Some("0".into()),
                ..SWAP.signature()
            });
        }
        ensure(magic.is(0, b"SWAPSPACE2"))?;
        let header = Fields::of(view, 1024, 512)?;
        ensure(header.le32(0)? == 1 || header.be32(0)? == 1)?;
        ensure(header.le32(4)? != 0)?;
        named(view, &SWAP, "1")
    })
}

fn read_suspend(view: &View) -> Read<Signature> {
    if Fields::of(view, 0, TUX_ON_ICE.len())?.is(0, TUX_ON_ICE) {
        return named(view, &SWSUSPEND, "tuxonice");
    }
    first(&PAGE_SIZES, |page| {
        let magic = magic(view, page)?;
        for (bytes, version) in SUSPENDERS {
            if magic.is(0, bytes) {
                return named(view, &SWSUSPEND, version);
            }
        }
        ensure(false)?;
        named(view, &SWSUSPEND, "")
    })
}

fn magic(view: &View, page: u64) -> Read<Fields<'_>> {
    Fields::of(view, page.saturating_sub(MAGIC_LEN as u64), MAGIC_LEN)
}

/// UUID and label, where the words after them are zero as mkswap leaves them.
fn named(view: &View, format: &Format, version: &str) -> Read<Signature> {
    let header = Fields::of(view, 1024, 512)?;
    let mut found = format.signature();
    found.version = Some(version.into());
    if header.le64(172)? == 0 {
        found.uuid = header.uuid(12)?;
        found.label = header.label(28, 16)?;
    }
    Ok(found)
}

const SUSPENDERS: [(&[u8], &str); 4] = [
    (b"S1SUSPEND", "s1suspend"),
    (b"S2SUSPEND", "s2suspend"),
    (b"ULSUSPEND", "ulsuspend"),
    (b"LINHIB0001", "linhib0001"),
];

pub(super) const SWAP: Format = Format {
    name: "swap",
    usage: Usage::Other,
    tolerant: false,
    min_size: MIN_SIZE,
    read: read_swap,
};

pub(super) const SWSUSPEND: Format = Format {
    name: "swsuspend",
    usage: Usage::Other,
    tolerant: false,
    min_size: MIN_SIZE,
    read: read_suspend,
};
