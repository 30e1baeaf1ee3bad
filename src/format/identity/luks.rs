//! LUKS 1 and 2: identity only, from the primary header.
//!
//! The header's checksum is not looked at: a damaged container is still a container, and what is
//! in it is for whoever opens it to judge. The second header of LUKS2 is not searched: without the
//! first one the device may as well have been given to something else.
//! Source: LUKS1 On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1.

use super::fields::{Format, Look, ensure};
use super::{Signature, Usage};

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    let header = look.fields(0, 512)?;
    ensure(header.is(0, b"LUKS\xba\xbe"))?;
    let version = header.be16(6)?;
    // hdr_offset: a header that was copied elsewhere is none.
    ensure(version != 2 || header.be64(256)? == 0)?;
    out.set_number(version.into());
    if version <= 2 {
        out.set_id(header.text(168, 40));
    }
    if version == 2 {
        out.set_label(header, 24, 48);
    }
    Some(())
}

pub(super) const LUKS: Format = Format {
    name: "crypto_LUKS",
    usage: Usage::Crypto,
    tolerant: false,
    min_size: 0,
    read,
};
