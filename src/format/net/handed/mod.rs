//! The files from which the real system learns what was set up, so that it keeps the addresses
//! instead of asking for others: root may be behind them.
//!
//! | File | What it writes |
//! |---|---|
//! | `ipconfig` | `/run/net-LINK.conf`, as klibc's ipconfig does |
//! | `networkd` | `/run/systemd/network/69-landfall-LINK.network` |
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
//! Both daemons recognize an address of DHCP by its lifetime, and its routes by their protocol
//! (`RTPROT_DHCP`): who sets them up has to give them both, else NetworkManager takes its own
//! profile for another one, and networkd the routes for somebody's.
//!
//! # What is not written
//! `/run/systemd/netif/leases`: networkd's own notes, in a form that is nobody else's. Leases as
//! in dhclient.leases(5): they lie on root, which is not ours to write to. ifupdown has no file
//! for what is up already; its configuration on root says `manual` for such a link.

mod ipconfig;
mod network_manager;
mod networkd;
mod resolver;

pub use ipconfig::net_conf;
pub use network_manager::connection;
pub use networkd::network;
pub use resolver::{pnp, resolv_conf};

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
    pub how: How<'a>,
    pub dns: &'a [IpAddr],
    /// The lease's name servers do not count.
    pub ignore_dns: bool,
    pub search: &'a [String],
    /// The default route among them. Those of other links are left out.
    pub routes: &'a [Route],
    pub hostname: Option<&'a Text>,
    pub mtu: Option<u32>,
    pub root_server: Option<IpAddr>,
    pub root_path: Option<&'a Text>,
    /// Seconds since the machine started.
    pub uptime_s: u64,
}

/// Where the addresses come from.
#[derive(Clone, Copy, Debug)]
pub enum How<'a> {
    Dhcp4(&'a Lease),
    Static(&'a [Network]),
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

    fn lease(&self) -> Option<&Lease> {
        match self.how {
            How::Dhcp4(lease) => Some(lease),
            How::Static(_) => None,
        }
    }

    fn networks(&self) -> &[Network] {
        match self.how {
            How::Dhcp4(lease) => core::slice::from_ref(&lease.address),
            How::Static(networks) => networks,
        }
    }

    /// The routes of the words that are this link's.
    fn own_routes(&self) -> impl Iterator<Item = &Route> {
        let here = |link: &String| link == self.link;
        let routes = self.routes.iter();
        routes.filter(move |route| route.link.as_ref().is_none_or(here))
    }

    /// The router of the default route, the words' first.
    fn gateway(&self, v6: bool) -> Option<IpAddr> {
        let leased = self.lease().map_or(&[][..], |lease| &lease.routes);
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
        !near && !self.networks().iter().any(|here| here.holds(router))
    }

    /// Name servers, each once.
    fn all_dns(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        let leased = self.lease().filter(|_| !self.ignore_dns);
        let leased = leased.map_or(&[][..], |lease| &lease.dns);
        for server in self.dns.iter().chain(leased) {
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
        let leased = self.lease().map_or(&[][..], |lease| &lease.search);
        for domain in self.search.iter().chain(leased) {
            all.extend(Name::parse(domain).ok().filter(|name| !all.contains(name)));
        }
        if all.is_empty() {
            all.extend(self.domain());
        }
        all
    }

    fn domain(&self) -> Option<Name> {
        name(self.lease()?.domain.as_ref())
    }

    fn hostname(&self) -> Option<Name> {
        name(self.hostname).or_else(|| name(self.lease()?.hostname.as_ref()))
    }

    fn mtu(&self) -> Option<u32> {
        self.mtu.or(self.lease()?.mtu)
    }

    fn root_server(&self) -> Option<IpAddr> {
        self.root_server.or(self.lease()?.next_server)
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
