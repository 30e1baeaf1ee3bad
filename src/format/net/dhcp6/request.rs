//! A client's messages (RFC 8415 §18.2).

use super::{code, kind};
use crate::base::text::Text;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

/// What is asked for. Not how long to be silent (`SOL_MAX_RT`): nobody here is so silent that a
/// server could want it longer.
const PARAMETERS: [u16; 5] = [
    code::NAME_SERVERS,
    code::DOMAIN_SEARCH,
    code::SIMPLE_TIME_SERVERS,
    code::TIME_SERVERS,
    code::BOOT_FILE_URL,
];

/// Whose words the vendor class is of. This project has no number of its own in the registry of
/// enterprises; this one is nobody's.
const ENTERPRISE: u32 = 0;

/// Longest vendor class, in bytes.
const CLASS_MAX: usize = 255;

/// What the machine says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub duid: Vec<u8>,
    /// Which link wants an address.
    pub iaid: u32,
    pub vendor_class: Option<Text>,
}

/// What is said to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Who has an address? Whoever likes may give it at once (rapid commit).
    Solicit,
    /// The server of this DUID: its offer is taken.
    Select { server: &'a [u8], address: Ipv6Addr },
    /// Who knows what else there is?
    Information,
    /// Somebody else has the address.
    Decline { server: &'a [u8], address: Ipv6Addr },
}

impl Request<'_> {
    /// The message. `transaction`: 24 bits that answers have to repeat; `elapsed`: hundredths of a
    /// second since the first message of this kind.
    pub fn build(self, machine: &Machine, transaction: u32, elapsed: u16) -> Vec<u8> {
        let (kind, server, address) = match self {
            Self::Solicit => (kind::SOLICIT, None, None),
            Self::Select { server, address } => (kind::REQUEST, Some(server), Some(address)),
            Self::Information => (kind::INFORMATION_REQUEST, None, None),
            Self::Decline { server, address } => (kind::DECLINE, Some(server), Some(address)),
        };
        let asks = kind != kind::DECLINE;
        let mut out = Vec::new();
        let [_, number @ ..] = transaction.to_be_bytes();
        out.push(kind);
        out.extend_from_slice(&number);
        option(&mut out, code::CLIENT_ID, &machine.duid);
        if let Some(server) = server {
            option(&mut out, code::SERVER_ID, server);
        }
        option(&mut out, code::ELAPSED_TIME, &elapsed.to_be_bytes());
        if asks {
            let parameters = PARAMETERS.map(u16::to_be_bytes);
            option(&mut out, code::OPTION_REQUEST, parameters.as_flattened());
        }
        if let Some(class) = machine.vendor_class.as_ref().filter(|_| asks) {
            option(&mut out, code::VENDOR_CLASS, &vendor_class(class));
        }
        if kind == kind::SOLICIT {
            option(&mut out, code::RAPID_COMMIT, &[]);
        }
        if kind != kind::INFORMATION_REQUEST {
            option(&mut out, code::IA_NA, &association(machine.iaid, address));
        }
        out
    }
}

/// The link, no wishes about times, and the address that is spoken of.
fn association(iaid: u32, address: Option<Ipv6Addr>) -> Vec<u8> {
    let mut value = iaid.to_be_bytes().to_vec();
    value.resize(12, 0);
    if let Some(address) = address {
        let mut inside = address.octets().to_vec();
        inside.resize(24, 0);
        option(&mut value, code::IA_ADDRESS, &inside);
    }
    value
}

/// The enterprise, and one text with its length.
fn vendor_class(class: &Text) -> Vec<u8> {
    let bytes = class.as_bytes();
    let bytes = bytes.get(..CLASS_MAX).unwrap_or(bytes);
    let mut value = ENTERPRISE.to_be_bytes().to_vec();
    let length = u16::try_from(bytes.len()).unwrap_or(0);
    value.extend_from_slice(&length.to_be_bytes());
    value.extend_from_slice(bytes);
    value
}

/// What is longer than an option can be is left out.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    if let Ok(length) = u16::try_from(value.len()) {
        out.extend_from_slice(&code.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(value);
    }
}
