//! Domains in which short names are looked for, as servers and routers name them: one name of
//! DNS behind the other (RFC 3397, 3646 §4, 8106 §5.2).

use crate::format::net::domain::{self, Name};
use alloc::string::String;
use alloc::vec::Vec;

/// More do not count; resolvers of today take no more either, or as few as 6.
const NAMES_MAX: usize = 32;

/// The names, as far as they can be read. One with other characters than host names have is left
/// out: these names go into a file that programs read.
pub fn names(value: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while names.len() < NAMES_MAX {
        let Some((name, next)) = domain::read(value, at) else {
            break;
        };
        if let Some(text) = name.as_str().filter(|text| Name::parse(text).is_ok()) {
            names.push(text.into());
        }
        at = next;
    }
    names
}
