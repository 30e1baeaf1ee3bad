//! LUKS 1 and 2: identity only, from the primary header.
//!
//! The header's checksum is not looked at: a damaged container is still a container, and what is
//! in it is for whoever opens it to judge. The second header of LUKS2 is not searched: without the
//! first one the device may as well have been given to something else.
//! Source: LUKS1 On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1.

use super::fields::{Fields, Format, Read, ensure};
use super::{Signature, Usage, View};
use alloc::string::ToString;

fn read(view: &View) -> Read<Signature> {
    let header = Fields::of(view, 0, 512)?;
    ensure(header.is(0, b"LUKS\xba\xbe"))?;
    let version = header.be16(6)?;
    let mut found = LUKS.signature();
    found.version = Some(version.to_string());
    if version == 2 {
        // hdr_offset: a header that was copied elsewhere is none.
        ensure(header.be64(256)? == 0)?;
        found.label = header.label(24, 48)?;
    }
    if version == 1 || version == 2 {
        found.uuid = header.text_uuid(168, 40)?;
    }
    Ok(found)
}

pub(super) const LUKS: Format = Format {
    name: "crypto_LUKS",
    usage: Usage::Crypto,
    tolerant: false,
    min_size: 0,
    read,
};
