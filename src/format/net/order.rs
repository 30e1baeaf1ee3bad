//! What is asked of a link, one step at a time.

use super::address::{Mac, Network, Route};
use super::handed::File;
use super::wanted::Made;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// One change of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Up, with this size of packets and this hardware address where they are given.
    Raise {
        mtu: Option<u32>,
        mac: Option<Mac>,
    },
    Address(Placement),
    /// It does not exist yet.
    Make(Made),
    Rename(String),
}

/// An address, and what is reached by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub address: Network,
    /// A server gave it for a time.
    pub leased: bool,
    /// The other end of a link between two.
    pub peer: Option<core::net::IpAddr>,
    pub routes: Vec<Route>,
    pub mtu: Option<u32>,
}

/// What is asked for over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    #[default]
    Dhcp4,
    /// DHCPv6: an address, and what else there is.
    Dhcp6,
    /// DHCPv6: what else there is. Routers give the addresses.
    Information,
}

/// A question for a lease of DHCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseOrder {
    pub asked: Asked,
    /// The kernel's number of the link.
    pub index: u32,
    pub mac: Mac,
    /// Of DHCPv4: the type, then the value. Empty: the hardware address.
    pub client_id: Vec<u8>,
    pub hostname: Option<Text>,
    pub vendor_class: Option<Text>,
    /// `None`: until somebody has waited long enough.
    pub tries: Option<u32>,
    /// Of DHCPv4: no new lease is wanted, but more of this one.
    pub extend: Option<Extend>,
}

/// A lease that is to last longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extend {
    pub address: core::net::Ipv4Addr,
    pub server: core::net::Ipv4Addr,
    /// Seconds until it ends.
    pub rest: u32,
}

/// A question for the addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupOrder {
    /// As typed.
    pub name: String,
    pub servers: Vec<core::net::IpAddr>,
    /// Domains in which a short name is looked for.
    pub search: Vec<String>,
    /// Are addresses of IPv4, and of IPv6, of use?
    pub families: (bool, bool),
}

/// What becomes of the network when the real system begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// By these the real system knows what was set up.
    pub files: Vec<File>,
    /// Links that root does not need: their addresses go, and they go down.
    pub lowered: Vec<String>,
}
