//! The first bytes of a server: which handshake it speaks.
//!
//! Source: doc/proto.md of the NBD project, "Handshake".

use crate::base::bytes::be16;

/// `NBDMAGIC`, with which every server begins.
const MAGIC: &[u8] = b"NBDMAGIC";
/// Of the newstyle handshake. Each option begins with it, too.
pub const OPTION_MAGIC: &[u8; 8] = b"IHAVEOPT";
/// Of the oldstyle handshake (`cliserv_magic`).
const OLD_MAGIC: &[u8] = b"\x00\x00\x42\x02\x81\x86\x12\x53";

/// The whole greeting, in bytes.
pub const LENGTH: usize = 18;

const FIXED: u16 = 1;
const NO_ZEROES: u16 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    Newstyle {
        /// Errors are answered, and more than one option can be sent.
        fixed: bool,
        /// The server can leave out the zeroes behind the answer to `NBD_OPT_EXPORT_NAME`.
        no_zeroes: bool,
    },
    /// No names of exports, no options: servers before 2010, or told to be like them.
    Oldstyle,
    /// No NBD server.
    Foreign,
}

/// `None`: there are too few bytes to tell.
pub fn read(bytes: &[u8]) -> Option<Greeting> {
    let first = bytes.get(..8)?;
    if first != MAGIC {
        return Some(Greeting::Foreign);
    }
    let second = bytes.get(8..16)?;
    if second == OLD_MAGIC {
        return Some(Greeting::Oldstyle);
    }
    if second != OPTION_MAGIC {
        return Some(Greeting::Foreign);
    }
    let flags = be16(bytes, 16)?;
    Some(Greeting::Newstyle {
        fixed: flags & FIXED != 0,
        no_zeroes: flags & NO_ZEROES != 0,
    })
}

/// What a client answers to a newstyle greeting: what it supports of what was offered.
pub fn client_flags(fixed: bool, no_zeroes: bool) -> [u8; 4] {
    let fixed = if fixed { FIXED } else { 0 };
    let no_zeroes = if no_zeroes { NO_ZEROES } else { 0 };
    u32::from(fixed | no_zeroes).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_the_handshake() {
        let newstyle = |fixed, no_zeroes| Greeting::Newstyle { fixed, no_zeroes };
        for (bytes, expected) in [
            (&b"NBDMAGICIHAVEOPT\0\x03"[..], newstyle(true, true)),
            (b"NBDMAGICIHAVEOPT\0\x01", newstyle(true, false)),
            (b"NBDMAGICIHAVEOPT\0\0", newstyle(false, false)),
            (b"NBDMAGICIHAVEOPT\xff\xfe", newstyle(false, true)),
            (b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53", Greeting::Oldstyle),
            (b"NBDMAGICHAVENOTT", Greeting::Foreign),
            (b"SSH-2.0-", Greeting::Foreign),
        ] {
            assert_eq!(read(bytes), Some(expected));
            for length in 0..bytes.len() {
                assert_eq!(read(&bytes[..length]), None);
            }
        }
        assert_eq!(client_flags(true, true), [0, 0, 0, 3]);
        assert_eq!(client_flags(false, true), [0, 0, 0, 2]);
        assert_eq!(client_flags(true, false), [0, 0, 0, 1]);
    }
}
