//! iSCSI up to the point where the kernel owns the connection: logins, and what the kernel is told.
//!
//! | File | What it is |
//! |---|---|
//! | `reference` | a disk as the command line or a lease names it |
//! | `password` | what proves who somebody is, and shows nowhere |
//! | `pdu` | the messages of a login |
//! | `text` | what they carry: lists of `KEY=VALUE` |
//! | `chap` | questions whose answers prove who somebody is |
//! | `status` | why a login was refused, in words; where a target has moved |
//! | `negotiated` | what both sides agreed on |
//! | `kernel` | messages to the kernel's initiator, and its answers |
//!
//! Sources: RFC 7143 (its predecessor is RFC 3720), RFC 1994 (CHAP), RFC 4173 (boot),
//! dracut.cmdline(7), include/scsi/iscsi_if.h (Linux 6.12).

pub mod chap;
pub mod kernel;
pub mod negotiated;
pub mod password;
pub mod pdu;
pub mod reference;
pub mod status;
pub mod text;

pub use negotiated::Negotiated;
pub use reference::Reference;

/// Registered with IANA.
pub const PORT: u16 = 3260;

/// Longest name of a target or an initiator, in bytes (RFC 7143 §4.2.7.1).
pub const NAME_MAX: usize = 223;

/// The kernel's driver.
pub const DRIVER: &str = "iscsi_tcp";

/// A session's identifier on the initiator's side, of the type "random" (RFC 7143 §11.12.5). The
/// same at each boot, so that a target that still keeps the session of a machine that lost its
/// power ends it at once; `number` tells sessions of one machine from each other. iscsid's are of
/// another type: when it takes a session over, it begins a new one.
pub fn session_id(number: u16) -> [u8; 6] {
    let [high, low] = number.to_be_bytes();
    // Rolled once.
    [0x80, 0x6a, 0x3d, 0x91, high, low]
}
