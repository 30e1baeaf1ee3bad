//! What the command line asks of links and addresses.

use super::address::{Mac, Network, Route};
use super::firmware::Used;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Everything that the words say about the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `rd.neednet=1`: links come up even where root does not need them.
    pub always: bool,
    /// `ip=off` or `ip=none`, and no other `ip=` behind it: links are brought up, nobody is asked
    /// for an address.
    pub off: bool,
    /// What every link is given where no `ip=` says it: DHCP. Of IPv6 where only that can lead to
    /// root: `root=dhcp6`, or a server whose address is of IPv6.
    pub usual: Method,
    /// `ip=`, in order. None: the usual on every link. Several may be about one link: all of them
    /// hold.
    pub setups: Vec<Setup>,
    /// `nameserver=`, besides those of `ip=`.
    pub dns: Vec<IpAddr>,
    /// `rd.peerdns=0`: name servers of leases do not count.
    pub ignore_dns: bool,
    /// `rd.route=`.
    pub routes: Vec<Route>,
    /// `vlan=`, `bond=`, `bridge=`: each name once.
    pub made: Vec<Made>,
    /// `ifname=`: this name for the link with this hardware address. Each name once.
    pub names: Vec<(String, Mac)>,
    /// `BOOTIF=`: the link that the firmware booted from.
    pub boot_link: Option<Mac>,
    /// `bootdev=`: the link that root is behind, where several are set up.
    pub boot_device: Option<Which>,
    /// The iBFT counts for links, and is not known yet.
    pub awaits_firmware: bool,
    /// What the firmware left of links, where it counts.
    pub firmware: Vec<Used>,
    /// `rd.iscsi.mp`: all of the iBFT's links count, and not only those that it booted over.
    pub all_of_firmware: bool,
    /// `rd.nvmf.nonbft`: the NBFT does not count.
    pub ignore_nbft: bool,
    /// `carrier_timeout=` of the kernel, `rd.net.timeout.carrier=`: milliseconds until a link
    /// without a carrier is given up.
    pub carrier_ms: Option<u64>,
    /// `rd.net.timeout.dhcp=`: milliseconds for one server's answer.
    pub dhcp_ms: Option<u64>,
    /// `rd.net.dhcp.retry=`: how often all servers are asked before a link is given up.
    pub dhcp_tries: Option<u32>,
    /// `rd.net.dhcp.vendor-class=`, `dhcpclass=` of the kernel. At most 255 bytes.
    pub vendor_class: Option<Text>,
}

/// One `ip=`: what one link, or every link, is given. (One that lists several methods is several
/// of these; the first has what else it says.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// `None`: every link.
    pub link: Option<Which>,
    pub method: Method,
    /// What the word says itself. It holds at once; where the method asks as well, what is
    /// answered is added to it.
    pub address: Option<Network>,
    /// The kernel's `server-ip`: who exports root.
    pub server: Option<IpAddr>,
    /// The other end of a point-to-point link. The prefix of `address` is then this one's.
    pub peer: Option<IpAddr>,
    pub gateway: Option<IpAddr>,
    /// Up to the first dot, and what is behind it: the kernel calls that the NIS domain, others
    /// take both together for the name. At most 64 bytes each.
    pub hostname: Option<Text>,
    pub nis_domain: Option<Text>,
    pub dns: Vec<IpAddr>,
    pub ntp: Vec<IpAddr>,
    pub mtu: Option<u32>,
    /// The hardware address that the link shall have.
    pub mac: Option<Mac>,
    /// `ip=dhcp,TYPE,VALUE`: the type, then the value as bytes.
    pub client_id: Option<Vec<u8>>,
}

impl Setup {
    /// Does it need the kernel's IPv6?
    pub fn is_of_ipv6(&self) -> bool {
        let six = [
            Method::Dhcp6,
            Method::Auto6,
            Method::Either6,
            Method::LinkLocal,
        ];
        six.contains(&self.method) || self.address.is_some_and(|own| own.address.is_ipv6())
    }
}

/// How a link is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Name(String),
    Mac(Mac),
}

/// Where the address comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The word itself.
    Static,
    /// The link is brought up without an address.
    Up,
    #[default]
    Dhcp4,
    /// `dhcp6`: DHCPv6, routes by router advertisements.
    Dhcp6,
    /// `auto6`: router advertisements alone (SLAAC).
    Auto6,
    /// `either6`: router advertisements, and DHCPv6 where they say so.
    Either6,
    /// `link6`, `link-local`: an address of the link alone.
    LinkLocal,
    /// `ibft`: what the firmware left.
    Firmware,
}

/// A link that is made of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub name: String,
    pub kind: MadeOf,
    /// The links below, by name.
    pub of: Vec<String>,
    pub mtu: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// The VLAN's number, 0 to 4094.
    Vlan(u16),
    /// Options as bonding's documentation names them: `mode=active-backup`, …. Lists in their
    /// values are parted by commas.
    Bond(Vec<(String, String)>),
    Bridge,
}
