//! Swap space, and the hibernation image that takes its name away while it lies there.
//!
//! The signature ends the first page, so its place tells the page size of the machine that wrote
//! it. Source: kernel `include/linux/swap.h` (union swap_header), `kernel/power/swap.c`; the other
//! suspenders' magics as libblkid knows them.

use super::fields::{Fields, Format, Look, ensure};
use super::{Signature, Usage};

const PAGE_SIZES: [u64; 5] = [4096, 8192, 16384, 32768, 65536];
/// The magics are the last ten bytes of the page.
const MAGIC_LEN: usize = 10;
/// Ten pages: what mkswap asks for at least.
const MIN_SIZE: u32 = 10 * 4096;
const TUX_ON_ICE: &[u8] = b"\xed\xc3\x02\xe9\x98\x56\xe5\x0c";

fn read_swap(look: &Look, out: &mut Signature) -> Option<()> {
    ensure(!look.fields(0, TUX_ON_ICE.len())?.is(0, TUX_ON_ICE))?;
    PAGE_SIZES.iter().find_map(|page| {
        let magic = magic(look, *page)?;
        if magic.is(0, b"SWAP-SPACE") {
            // The first version has neither label nor UUID.
            out.set_version("0");
            return Some(());
        }
        ensure(magic.is(0, b"SWAPSPACE2"))?;
        let header = look.fields(1024, 512)?;
        ensure(header.le32(0)? == 1 || header.be32(0)? == 1)?;
        ensure(header.le32(4)? != 0)?;
        report(look, out, "1")
    })
}

fn read_suspend(look: &Look, out: &mut Signature) -> Option<()> {
    if look.fields(0, TUX_ON_ICE.len())?.is(0, TUX_ON_ICE) {
        return report(look, out, "tuxonice");
    }
    PAGE_SIZES.iter().find_map(|page| {
        let magic = magic(look, *page)?;
        let known = SUSPENDERS.iter().find(|(bytes, _)| magic.is(0, bytes));
        report(look, out, known?.1)
    })
}

fn magic<'a>(look: &Look<'a>, page: u64) -> Option<Fields<'a>> {
    look.fields(page.saturating_sub(MAGIC_LEN as u64), MAGIC_LEN)
}

/// UUID and label, where the words after them are zero as mkswap leaves them.
fn report(look: &Look, out: &mut Signature, version: &str) -> Option<()> {
    let header = look.fields(1024, 512)?;
    out.set_version(version);
    if header.le64(172)? == 0 {
        out.set_uuid(header, 12);
        out.set_label(header, 28, 16);
    }
    Some(())
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
