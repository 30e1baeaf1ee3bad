//! What a server lets a machine have, whatever protocol it came by.

use super::address::{Network, Route};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// One lease. What the server did not say is empty or `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub address: Network,
    /// Who gave it (DHCP's server identifier).
    pub server: IpAddr,
    /// Seconds; `u32::MAX` is for ever (RFC 2131 §3.3).
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
    /// As the server wrote it: `server:/path`, `iscsi:…`, `nbd:…`.
    pub root_path: Option<Text>,
    /// The next server in the process of booting (`siaddr`, or a `server_name` that is an address).
    pub next_server: Option<IpAddr>,
    /// The name of the server for booting, as it stands (the TFTP server's name).
    pub server_name: Option<Text>,
    pub boot_file: Option<Text>,
    /// What this machine called itself, as sent: the type first (RFC 2132 §9.14). The real
    /// system's client must say the same to get the same address.
    pub client_id: Vec<u8>,
}
