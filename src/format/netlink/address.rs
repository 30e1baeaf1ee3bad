//! Addresses of links.
//!
//! Source: rtnetlink(7), linux/if_addr.h (Linux 6.12).

use super::message::{self, Attributes, ne32};
use super::request::{CREATE, REPLACE, Request};
use crate::base::bytes;
use crate::format::net::address::Network;
use core::net::{IpAddr, Ipv4Addr};

/// Types of messages (`RTM_*ADDR`).
pub const NEW: u16 = 20;
pub const DEL: u16 = 21;
const GET: u16 = 22;

/// `struct ifaddrmsg`: family, prefix, flags, scope (8 bits each), index of the link.
const HEADER: usize = 8;

/// `AF_INET` and `AF_INET6`, linux/socket.h.
pub(super) const INET: u8 = 2;
pub(super) const INET6: u8 = 10;

/// `IFA_*`.
mod attribute {
    pub const ADDRESS: u16 = 1;
    pub const LOCAL: u16 = 2;
    pub const BROADCAST: u16 = 4;
    pub const CACHEINFO: u16 = 6;
    pub const FLAGS: u16 = 8;
}

/// `IFA_F_*`.
const DAD_FAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;
const PERMANENT: u32 = 0x80;

/// `RT_SCOPE_LINK`, linux/rtnetlink.h.
const SCOPE_LINK: u8 = 253;

/// For ever, in seconds.
pub const FOR_EVER: u32 = u32::MAX;

/// The kernel does not count so far where `long` has 32 bits (`addrconf_timeout_fixup`,
/// net/addrconf.h): it would be over within weeks.
const LONGEST: Option<u32> = match usize::BITS {
    64 => Some(FOR_EVER - 1),
    _ => None,
};

/// Seconds from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Then it is taken away.
    pub valid: u32,
    /// Then nothing new begins with it.
    pub preferred: u32,
}

/// An address of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The link's index.
    pub link: u32,
    pub network: Network,
    /// The other end of a link between two.
    pub peer: Option<IpAddr>,
    /// Good within this link alone: `fe80::…`, `169.254.…`.
    pub local: bool,
    flags: u32,
    pub lifetime: Lifetime,
}

impl Address {
    /// The body of a message of type [`NEW`] or [`DEL`].
    ///
    /// `None`: cut off, or no address of IPv4 or IPv6.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let family = bytes::u8(body, 0)?;
        let attributes = Attributes::after(body, HEADER);
        let find = |kind| {
            let address = attributes.find(kind).and_then(message::address);
            address.filter(|address| family_of(*address) == family)
        };
        // IFA_ADDRESS is the other end where there is one, and else the address itself.
        let far = find(attribute::ADDRESS);
        let near = find(attribute::LOCAL).or(far)?;
        let times = attributes.find(attribute::CACHEINFO).unwrap_or_default();
        let flags = attributes.u32(attribute::FLAGS);
        Some(Self {
            link: ne32(body, 4)?,
            network: Network::new(near, bytes::u8(body, 1)?)?,
            peer: far.filter(|far| *far != near),
            local: bytes::u8(body, 3)? == SCOPE_LINK,
            // The attribute holds more of them.
            flags: flags.or(bytes::u8(body, 2).map(u32::from))?,
            lifetime: Lifetime {
                preferred: ne32(times, 0).unwrap_or(FOR_EVER),
                valid: ne32(times, 4).unwrap_or(FOR_EVER),
            },
        })
    }

    /// It cannot be used yet: the link is asked whether somebody else has it (RFC 4862).
    pub fn is_tentative(&self) -> bool {
        self.flags & TENTATIVE != 0 && !self.is_duplicate()
    }

    /// Somebody else has it: it will never be usable.
    pub fn is_duplicate(&self) -> bool {
        self.flags & DAD_FAILED != 0
    }

    /// It was given without a lifetime.
    pub fn is_permanent(&self) -> bool {
        self.flags & PERMANENT != 0
    }
}

/// What a link is to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub network: Network,
    /// The other end of a link between two; the prefix is then the other end's.
    pub peer: Option<IpAddr>,
    /// `None`: the last address of the network, as is usual.
    pub broadcast: Option<Ipv4Addr>,
    /// `None`: for ever.
    pub lifetime: Option<Lifetime>,
}

impl From<Network> for Wanted {
    fn from(network: Network) -> Self {
        Self {
            network,
            peer: None,
            broadcast: None,
            lifetime: None,
        }
    }
}

impl Wanted {
    /// An address of a lease. Root would hang on its time, if nobody renews it: it stays for 136
    /// years. By an end, however far, the real system's daemons know that it is of a lease; they
    /// take it over, with its times.
    pub fn leased(self) -> Self {
        Self {
            lifetime: LONGEST.map(|seconds| Lifetime {
                valid: seconds,
                preferred: seconds,
            }),
            ..self
        }
    }

    /// Networks of 31 and 32 bits, and links between two, have no broadcast address (RFC 3021).
    fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.network.address {
            IpAddr::V4(address) if self.peer.is_none() && self.network.prefix < 31 => {
                let host = u32::MAX.checked_shr(self.network.prefix.into())?;
                let last = Ipv4Addr::from(u32::from(address) | host);
                Some(self.broadcast.unwrap_or(last))
            }
            _ => None,
        }
    }
}

/// All addresses of all links.
pub fn list() -> Request {
    Request::dump(GET, &[0; HEADER])
}

/// Adds it; of one that is there already, the lifetime begins anew.
pub fn add(link: u32, wanted: &Wanted) -> Request {
    let mut request = about(NEW, CREATE | REPLACE, link, wanted.network, wanted.peer);
    let all = request.attributes();
    if let Some(broadcast) = wanted.broadcast() {
        all.address(attribute::BROADCAST, broadcast.into());
    }
    if let Some(lifetime) = wanted.lifetime {
        // Preferred longer than valid is refused. Two times of the kernel's own follow.
        let preferred = lifetime.preferred.min(lifetime.valid);
        let times = [preferred, lifetime.valid, 0, 0].map(u32::to_ne_bytes);
        all.bytes(attribute::CACHEINFO, times.as_flattened());
    }
    request
}

pub fn delete(address: &Address) -> Request {
    about(DEL, 0, address.link, address.network, address.peer)
}

fn about(kind: u16, flags: u16, link: u32, network: Network, peer: Option<IpAddr>) -> Request {
    let address = network.address;
    let [a, b, c, d] = link.to_ne_bytes();
    let header = [family_of(address), network.prefix, 0, 0, a, b, c, d];
    Request::new(kind, flags, &header).with(|all| {
        all.address(attribute::LOCAL, address);
        all.address(attribute::ADDRESS, peer.unwrap_or(address));
    })
}

pub(super) fn family_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { INET } else { INET6 }
}
