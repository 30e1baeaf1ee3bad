//! What an array is to be called: `/dev/mdN`, and its link below `/dev/md`.
//!
//! The rules are those of mdadm's incremental assembly, so that the real system finds its arrays
//! under the names that it would have given them. Source: mdadm(8) `--homehost`, mdadm.conf(5)
//! "HOMEHOST", "CREATE".

use super::superblock::{Superblock, Version};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::string::String;

/// What the array would like to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// `/dev/mdN`, if that is free. `None`: any free number, from 127 down.
    pub number: Option<u32>,
    /// Below `/dev/md`. A suffix `_0`, `_1`, … is wanted where [`Self::suffixed`], or on conflict.
    pub link: Text,
    /// The name says neither that it is of here nor of which other machine it is.
    pub suffixed: bool,
}

/// Minor numbers have 20 bits.
const MAX_NUMBER: u32 = (1 << 20) - 1;

/// `home`: this machine's name, as far as it is known. A name of another home is kept with that
/// home in front, and its number is not taken.
pub fn preferred(sb: &Superblock, home: &[u8]) -> Preferred {
    let name = sb.name.as_bytes();
    let colon = name.iter().position(|&b| b == b':');
    let host = colon.and_then(|at| name.get(..at));
    let rest = colon.and_then(|at| name.get(at.saturating_add(1)..));
    // Version 0.90 has no home in its name, only the number that it had.
    let own = sb.version == Version::V0
        || host.is_some_and(|host| host == b"any" || (!home.is_empty() && host == home));
    let name = if own { rest.unwrap_or(name) } else { name };
    Preferred {
        number: number(name).filter(|_| own),
        link: Text(name.iter().map(|&b| plain(b)).listed()),
        suffixed: !own && colon.is_none(),
    }
}

const fn plain(byte: u8) -> u8 {
    match byte {
        b'/' => b'-',
        b' ' | b'\t' => b'_',
        other => other,
    }
}

/// `5`, `md5`, `/dev/md5`, `/dev/md/5`.
fn number(name: &[u8]) -> Option<u32> {
    let cut = |name, prefix: &[u8]| <[u8]>::strip_prefix(name, prefix).unwrap_or(name);
    let digits = cut(cut(cut(name, b"/dev/"), b"md"), b"/");
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(digits).ok().filter(|_| plain)?;
    text.parse().ok().filter(|&number| number <= MAX_NUMBER)
}

/// `/dev/mdN` or `/dev/md_NAME` by the kernel's name: what `new_array` is told.
pub(super) fn kernel_name(number: u32) -> String {
    alloc::format!("md{number}")
}
