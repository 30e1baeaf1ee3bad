//! What a client asks a server, one option at a time.
//!
//! Source: doc/proto.md of the NBD project, "Option types". `NBD_OPT_STARTTLS` is not here: TLS is
//! not supported.

use super::greeting::OPTION_MAGIC;
use alloc::vec::Vec;

/// Numbers of options (`NBD_OPT_*`).
pub const EXPORT_NAME: u32 = 1;
pub const ABORT: u32 = 2;
pub const LIST: u32 = 3;
pub const GO: u32 = 7;

/// `NBD_INFO_BLOCK_SIZE`: whoever asks for it also keeps to it.
pub const INFO_BLOCK_SIZE: u16 = 3;

/// The export of this name, without a word if it cannot be had: for servers that know no `GO`.
pub fn export_name(name: &str) -> Vec<u8> {
    option(EXPORT_NAME, &[name.as_bytes()])
}

/// The export of this name and its block sizes, or the reason.
pub fn go(name: &str) -> Vec<u8> {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let [high, low] = INFO_BLOCK_SIZE.to_be_bytes();
    // One piece of information is asked for.
    let asked = [0, 1, high, low];
    option(GO, &[&length.to_be_bytes(), name.as_bytes(), &asked])
}

/// The names of all exports.
pub fn list() -> Vec<u8> {
    option(LIST, &[])
}

/// The end, politely.
pub fn abort() -> Vec<u8> {
    option(ABORT, &[])
}

fn option(number: u32, data: &[&[u8]]) -> Vec<u8> {
    let data = data.concat();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut bytes = OPTION_MAGIC.to_vec();
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&data);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_as_the_document_has_them() {
        assert_eq!(export_name("ab"), b"IHAVEOPT\0\0\0\x01\0\0\0\x02ab");
        assert_eq!(export_name(""), b"IHAVEOPT\0\0\0\x01\0\0\0\0");
        let asked = b"IHAVEOPT\0\0\0\x07\0\0\0\x0a\0\0\0\x02ab\0\x01\0\x03";
        assert_eq!(go("ab"), asked);
        let default = b"IHAVEOPT\0\0\0\x07\0\0\0\x08\0\0\0\0\0\x01\0\x03";
        assert_eq!(go(""), default);
        assert_eq!(list(), b"IHAVEOPT\0\0\0\x03\0\0\0\0");
        assert_eq!(abort(), b"IHAVEOPT\0\0\0\x02\0\0\0\0");
    }
}
