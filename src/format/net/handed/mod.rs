//! The files from which the real system learns what was set up, so that it keeps the addresses
//! instead of asking for others: root may be behind them.
//!
//! | File | What it writes |
//! |---|---|
//! | `ipconfig` | `/run/net-LINK.conf`, as klibc's ipconfig does |
//! | `networkd` | `/run/systemd/network/69-landfall-LINK.network` |
//! | `udevd` | `/run/systemd/network/69-landfall-LINK.link` |
//! | `network_manager` | `/run/NetworkManager/system-connections/landfall-LINK.nmconnection` |
//! | `resolver` | `/run/landfall/resolv.conf`, and `/run/landfall/pnp` as `/proc/net/pnp` is |
//!
//! # What servers cannot do
//! What a lease says came over the network from anybody. Addresses are written from numbers. Names
//! are written if they consist of what names consist of ([`Name`]); none of these characters means
//! anything in any of the files. Other text (paths) is written to one file only, in quotes, and
//! not at all if a character of it is invisible. What does not pass is left out.
//!
//! # What the files rely on
//! NetworkManager recognizes an address of DHCP by its having an end
//! ([`Wanted::leased`](crate::format::netlink::address::Wanted::leased) gives it one): without, it
//! takes the profile for another one's, leaves the link alone, and renews nothing.
//!
//! # What is not written
//! `/run/systemd/netif/leases`: networkd's own notes, in a form that is nobody else's. Leases as
//! in dhclient.leases(5): they lie on root, which is not ours to write to.
//!
//! ifupdown's `/run/network/ifstate`: a link that it says is up gets none of what the stanza in
//! interfaces(5) says besides, and nobody renews its lease. As after initramfs-tools the stanza
//! says `manual`; or `dhcp` with `client no`: then dhclient renews the lease. Without `client no`
//! it has another identifier (RFC 4361), and is given a second address.

mod ipconfig;
mod network_manager;
mod networkd;
mod resolver;
mod udevd;

pub use ipconfig::net_conf;
pub use network_manager::connection;
pub use networkd::network;
pub use resolver::{pnp, resolv_conf};
pub use udevd::identity;

use super::address::{Mac, Network, Route};
use super::domain::Name;
use super::lease::Lease;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{Display, Write};
use core::net::IpAddr;

/// A name of a link is shorter than `IFNAMSIZ` bytes (linux/if.h).
const LINK_MAX: usize = 15;
/// Longest path that is handed on, in bytes: `PATH_MAX` is 4096, options of DHCP are shorter.
const TEXT_MAX: usize = 1024;

/// How one link was set up. What the words of the command line say stands here, and counts before
/// what the lease says.
#[derive(Clone, Copy, Debug)]
pub struct Handed<'a> {
    pub link: &'a str,
    pub mac: Mac,
    /// The link is known again by its name: it is made of others that have the same hardware
    /// address, or has got an address that is not its own. Else it is known by `mac`: the real
    /// system's udev gives most links other names.
    pub by_name: bool,
    /// It is made of others.
    pub made: bool,
    pub how: How<'a>,
    pub dns: &'a [IpAddr],
    /// The name servers of leases and routers do not count.
    pub ignore_dns: bool,
    pub search: &'a [String],
    /// What routers say, besides.
    pub router_dns: &'a [IpAddr],
    pub router_search: &'a [String],
    /// The default route among them. Those of other links are left out.
    pub routes: &'a [Route],
    pub hostname: Option<&'a Text>,
    pub mtu: Option<u32>,
    pub root_server: Option<IpAddr>,
    pub root_path: Option<&'a Text>,
    /// Seconds since the machine started.
    pub uptime_s: u64,
}

/// Where the addresses come from. Several may be for one link.
#[derive(Clone, Copy, Debug, Default)]
pub struct How<'a> {
    pub dhcp4: Option<&'a Lease>,
    pub dhcp6: Option<&'a Lease>,
    /// Those that the words say.
    pub fixed: &'a [Network],
    /// What the link has by advertisements of routers.
    pub advertised: Option<Network>,
}

impl<'a> How<'a> {
    pub fn dhcp4(lease: &'a Lease) -> Self {
        Self {
            dhcp4: Some(lease),
            ..Self::default()
        }
    }

    pub fn fixed(fixed: &'a [Network]) -> Self {
        Self {
            fixed,
            ..Self::default()
        }
    }

    /// Those of DHCP first.
    fn leases(self) -> impl Iterator<Item = &'a Lease> {
        self.dhcp4.into_iter().chain(self.dhcp6)
    }

    fn has_lease(self) -> bool {
        self.leases().next().is_some()
    }

    /// Does DHCPv6 give the address, and not only what else there is?
    fn address_by_dhcp6(self) -> Option<&'a Lease> {
        self.dhcp6.filter(|lease| lease.address.is_some())
    }

    /// Do routers have a part in it?
    fn by_routers(self) -> bool {
        self.dhcp6.is_some() || self.advertised.is_some()
    }
}

/// A file that is to be written, with the folders above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub mode: u32,
    pub bytes: Vec<u8>,
}

impl Handed<'_> {
    /// The name, if it can be part of a path and stand in each file without quotes.
    fn link(&self) -> Option<&str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let short = (1..=LINK_MAX).contains(&self.link.len());
        (short && self.link != "." && self.link != ".." && self.link.bytes().all(plain))
            .then_some(self.link)
    }

    /// What the first lease says that says it.
    fn leased<T>(&self, what: impl Fn(&Lease) -> Option<T>) -> Option<T> {
        self.how.leases().find_map(what)
    }

    fn networks(&self) -> impl Iterator<Item = Network> {
        let leased = self.how.leases().filter_map(|lease| lease.address);
        let fixed = self.how.fixed.iter().copied();
        fixed.chain(leased).chain(self.how.advertised)
    }

    /// The routes of the words that are this link's.
    fn own_routes(&self) -> impl Iterator<Item = &Route> {
        let here = |link: &String| link == self.link;
        let routes = self.routes.iter();
        routes.filter(move |route| route.link.as_ref().is_none_or(here))
    }

    /// The router of the default route, the words' first.
    fn gateway(&self, v6: bool) -> Option<IpAddr> {
        let leased = self.how.leases().flat_map(|lease| &lease.routes);
        let mut all = self.own_routes().chain(leased);
        all.find(|route| is_default(route) && route.to.address.is_ipv6() == v6)?
            .via
    }

    /// Can the router be reached only because the route says so?
    fn is_outside(&self, router: IpAddr) -> bool {
        let near = match router {
            IpAddr::V4(_) => false,
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        !near && !self.networks().any(|here| here.holds(router))
    }

    /// Name servers, each once.
    fn all_dns(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        let leased = self.how.leases().flat_map(|lease| &lease.dns);
        let told = leased.chain(self.router_dns).filter(|_| !self.ignore_dns);
        for server in self.dns.iter().chain(told) {
            if !all.contains(server) {
                all.push(*server);
            }
        }
        all
    }

    /// Domains in which short names are looked for, each once. Where nobody says any: this
    /// machine's domain.
    fn all_search(&self) -> Vec<Name> {
        let mut all = Vec::new();
        let leased = self.how.leases().flat_map(|lease| &lease.search);
        let told = leased.chain(self.router_search);
        for domain in self.search.iter().chain(told) {
            all.extend(Name::parse(domain).ok().filter(|name| !all.contains(name)));
        }
        if all.is_empty() {
            all.extend(self.domain());
        }
        all
    }

    fn domain(&self) -> Option<Name> {
        self.leased(|lease| name(lease.domain.as_ref()))
    }

    fn hostname(&self) -> Option<Name> {
        let leased = || self.leased(|lease| name(lease.hostname.as_ref()));
        name(self.hostname).or_else(leased)
    }

    fn mtu(&self) -> Option<u32> {
        self.mtu.or_else(|| self.leased(|lease| lease.mtu))
    }

    fn root_server(&self) -> Option<IpAddr> {
        let leased = || self.leased(|lease| lease.next_server);
        self.root_server.or_else(leased)
    }
}

fn is_default(route: &Route) -> bool {
    route.to.prefix == 0
}

fn name(text: Option<&Text>) -> Option<Name> {
    Name::parse(text?.as_str()?).ok()
}

/// Text whose every character can be seen.
fn visible(text: &Text) -> Option<&str> {
    let text = text.as_str().filter(|text| text.len() <= TEXT_MAX)?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// A file in the making: sections, and a line for each key.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn section(&mut self, name: &str) {
        let blank = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{blank}[{name}]");
    }

    /// The value is an address, a number, or a text that was looked through.
    fn key(&mut self, key: &str, value: &dyn Display) {
        let _ = writeln!(self.0, "{key}={value}");
    }

    fn file(self, path: String, mode: u32) -> File {
        File {
            path,
            mode,
            bytes: self.0.into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
