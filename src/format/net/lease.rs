//! What a server lets a machine have, whatever protocol it came by.

use super::address::{Network, Route};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// A lifetime that does not end (RFC 2131 §3.3, RFC 8415 §7.7).
pub const FOR_EVER: u32 = u32::MAX;

/// One lease. What the server did not say is empty or `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// `None`: the link has others, and the server tells only what else there is (RFC 8415 §6.1).
    pub address: Option<Network>,
    /// Who gave it: DHCP's server identifier, of DHCPv6 where the answer came from.
    pub server: IpAddr,
    /// Seconds; see also [`FOR_EVER`].
    pub lifetime: u32,
    /// Seconds from the answer until it is to be renewed (T1), and until anybody may be asked (T2).
    pub renew: u32,
    pub rebind: u32,
    /// The default route among them. Sorted as they are to be added.
    pub routes: Vec<Route>,
    pub dns: Vec<IpAddr>,
    pub ntp: Vec<IpAddr>,
    pub hostname: Option<Text>,
    /// The domain of this machine's own name.
    pub domain: Option<Text>,
    /// Domains in which short names are looked for.
    pub search: Vec<String>,
    pub mtu: Option<u32>,
    /// As the server wrote it: `server:/path`, `iscsi:…`, `nbd:…`. DHCPv6 has no such option: there
    /// it is what the URL of the boot file says, where that names a root.
    pub root_path: Option<Text>,
    /// The next server in the process of booting (`siaddr`, or a `server_name` that is an address).
    pub next_server: Option<IpAddr>,
    /// The name of the server for booting, as it stands (the TFTP server's name).
    pub server_name: Option<Text>,
    pub boot_file: Option<Text>,
    /// What this machine called itself, as sent: the type first (RFC 2132 §9.14), or the DUID (RFC
    /// 8415 §11). The real system's client must say the same to get the same address.
    pub client_id: Vec<u8>,
}

impl Lease {
    /// Who serves what is booted, where the lease says nothing else. An address that is good on one
    /// link alone is of no use for that: whoever is told of it is not told of the link.
    pub fn boot_server(&self) -> Option<IpAddr> {
        self.next_server
            .or(Some(self.server).filter(|server| is_routed(*server)))
    }
}

/// Is it good on more links than one?
pub fn is_routed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    }
}
