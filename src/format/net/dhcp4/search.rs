//! Domains in which short names are looked for: names of DNS, compressed among themselves.
//!
//! Sources: RFC 3397; RFC 1035 §3.1 and §4.1.4 (compression).

use crate::base::bytes::{be16, slice, u8};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// More do not count; resolvers of today take no more either, or as few as 6.
const NAMES_MAX: usize = 32;
/// Longest name with dots, in bytes: 255 in a packet (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;

/// The names, as far as they can be read. One with other characters than host names have is left
/// out: these names go into a file that programs read.
pub(super) fn names(value: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while names.len() < NAMES_MAX {
        let Some((name, next)) = name(value, at) else {
            break;
        };
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if !name.0.is_empty() && name.0.iter().all(plain) {
            names.extend(name.as_str().map(String::from));
        }
        at = next;
    }
    names
}

/// The name at `at`, and where the next one begins.
fn name(value: &[u8], at: usize) -> Option<(Text, usize)> {
    let mut name = Vec::new();
    let mut here = at;
    let mut next = None;
    // Each pointer leads to before the one that was followed last: it ends.
    let mut before = at;
    loop {
        let length = u8(value, here)?;
        let behind = here.checked_add(1)?;
        match length {
            0 => return Some((Text(name), next.unwrap_or(behind))),
            1..64 => {
                let label = slice(value, behind, length.into())?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                here = behind.checked_add(length.into())?;
                if name.len() > NAME_MAX || label.contains(&b'.') {
                    return None;
                }
            }
            0xc0.. => {
                let target = usize::from(be16(value, here)? & 0x3fff);
                next = next.or(here.checked_add(2));
                if target >= before {
                    return None;
                }
                before = target;
                here = target;
            }
            _ => return None,
        }
    }
}
