//! What becomes of the network when the real system begins.
//!
//! Where root is behind it, links stay up and keep what they were given, and files tell the real
//! system of it, so that it goes on with the same addresses instead of asking for others. These are
//! the link over which root was mounted and what that goes through, links that words name, and
//! every one that serves where root comes from many machines or as a disk: there may be several
//! ways to those. All other links go down, and where root needs none of it, everything that was set
//! up does: two addresses, or a second lease, would be a surprise.

use super::super::Plan;
use super::{Known, Standing, meant};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::net::address::Network;
use crate::format::net::handed::{self, Handed, How};
use crate::format::net::lease::is_routed;
use crate::format::net::order::Left;
use crate::format::net::wanted::Setup;
use crate::format::remote::Remote;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

impl Plan {
    pub(in crate::plan) fn network_left(&self, now: Millis) -> Left {
        let needed = self.is_remote() || !self.wish.targets.is_empty();
        let mut left = Left::default();
        let mut told: Vec<(&Known, Vec<Setup>)> = Vec::new();
        for known in &self.net.links {
            let setups = meant::setups_of(&self.wish.net, &known.link);
            match known.standing {
                Standing::Untouched | Standing::Renaming | Standing::Renamed => {}
                _ if needed && self.stays(known) => told.push((known, setups)),
                // What is part of another link goes with that.
                _ if setups.is_empty() => {}
                _ if needed && meant::carries(&self.wish.net, &known.link) => {}
                _ => left.lowered.push(known.link.name.clone()),
            }
        }
        for (number, (known, setups)) in told.iter().enumerate() {
            let dns: Vec<IpAddr> = self.dns_of(setups);
            let has = |network: &Network| known.addresses.contains(network);
            let fixed = setups.iter().filter_map(|setup| setup.address);
            let fixed: Vec<Network> = fixed.filter(has).listed();
            let Some(handed) = self.handed(known, setups, &dns, &fixed, now) else {
                continue;
            };
            left.files.extend(handed::net_conf(&handed));
            left.files.extend(handed::network(&handed));
            left.files.extend(handed::identity(&handed));
            left.files.extend(handed::connection(&handed));
            if number == 0 {
                left.files.push(handed::pnp(&handed));
                left.files.push(handed::resolv_conf(&[handed]));
            }
        }
        left
    }

    /// Is root behind it, or is it there because a word says so?
    fn stays(&self, known: &Known) -> bool {
        let link = &known.link;
        let many = matches!(self.wish.remote, Some(Remote::Ceph(_)));
        let many = many || !self.wish.targets.is_empty();
        let is_root = many || self.net.attempts.is_over(link.index);
        known.place > 0 && (is_root || meant::is_named(&self.wish.net, link))
    }

    fn dns_of(&self, setups: &[Setup]) -> Vec<IpAddr> {
        let own = setups.iter().flat_map(|setup| setup.dns.iter());
        own.chain(&self.wish.net.dns).copied().listed()
    }

    /// `None`: the link has no address, or only the one that every link has.
    fn handed<'a>(
        &'a self,
        known: &'a Known,
        setups: &'a [Setup],
        dns: &'a [IpAddr],
        fixed: &'a [Network],
        now: Millis,
    ) -> Option<Handed<'a>> {
        let first = setups.first()?;
        let lease = |v6: bool| {
            let mut leases = known.leases.iter();
            leases.find(|lease| lease.server.is_ipv6() == v6)
        };
        let how = How {
            dhcp4: lease(false),
            dhcp6: lease(true),
            fixed,
            advertised: known.router.gave.filter(|given| is_routed(given.address)),
        };
        if known.addresses.iter().all(|own| !is_routed(own.address)) {
            return None;
        }
        const NO_DOMAINS: &[String] = &[];
        Some(Handed {
            link: &known.link.name,
            mac: known.link.mac?,
            by_name: known.link.made.is_some() || first.mac.is_some(),
            made: known.link.made.is_some(),
            how,
            dns,
            ignore_dns: self.wish.net.ignore_dns,
            search: NO_DOMAINS,
            router_dns: &known.router.servers,
            router_search: &known.router.search,
            routes: &known.routes,
            hostname: first.hostname.as_ref(),
            mtu: first.mtu,
            root_server: first.server,
            root_path: None,
            uptime_s: now.0 / 1000,
        })
    }
}
