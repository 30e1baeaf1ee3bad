//! What the page says of links and servers.

use super::super::Plan;
use super::{Known, Standing, meant};
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::address::Network;
use crate::format::net::wanted::Which;
use crate::format::netlink::link::LOOPBACK;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Plan {
    /// Each link, with how far it came.
    pub(in crate::plan) fn links_seen(&self) -> Vec<String> {
        if !self.wish.needs_net() {
            return Vec::new();
        }
        let real = |known: &&Known| known.link.kind != LOOPBACK;
        let lines = self
            .net
            .links
            .iter()
            .filter(real)
            .map(|known| self.link_line(known));
        let mut lines: Vec<String> = lines.listed();
        lines.extend(self.links_missing());
        match lines.is_empty() {
            true => alloc::vec!["no network link at all".into()],
            false => lines,
        }
    }

    /// Links that words name and that are not there; links that were to be made of such.
    fn links_missing(&self) -> Vec<String> {
        let is_there = |which: &Which| {
            let mut links = self.net.links.iter();
            links.any(|known| meant::is(which, &known.link))
        };
        let named = |name: &String| Which::Name(name.clone());
        let mut lines = Vec::new();
        for made in &self.wish.net.made {
            let missing = made.of.iter().filter(|name| !is_there(&named(name)));
            let missing = missing.listed();
            if !is_there(&named(&made.name)) {
                let why = match missing.is_empty() {
                    true => "it was not made".into(),
                    false => format!("it was not made: {} is not there", missing.joined(", ")),
                };
                lines.push(format!("{:<12}: {why}", made.name));
            }
        }
        for setup in &self.wish.net.setups {
            let made = |name: &String| self.wish.net.made.iter().any(|m| m.name == *name);
            let name = match &setup.link {
                Some(Which::Name(name)) if !made(name) => name.clone(),
                Some(Which::Mac(mac)) => mac.to_string(),
                _ => continue,
            };
            if !setup.link.as_ref().is_some_and(is_there) {
                lines.push(format!(
                    "{name:<12}: there is no such link, and ip= names it"
                ));
            }
        }
        lines
    }

    fn link_line(&self, known: &Known) -> String {
        let link = &known.link;
        let mac = link.mac.map(|mac| format!(" {mac}")).unwrap_or_default();
        let first = known.addresses.first();
        let leased = |address: &Network| {
            let mut leases = known.leases.iter();
            leases.find(|lease| lease.address.as_ref() == Some(address))
        };
        let how = match (known.standing, first, first.and_then(leased)) {
            (Standing::Ready | Standing::Leasing | Standing::Advertised, ..) if !link.carrier => {
                "the carrier was lost".into()
            }
            (Standing::Ready, Some(address), Some(lease)) => {
                format!("{address} by DHCP of {}", lease.server)
            }
            (Standing::Ready, Some(address), None) => format!("{address}"),
            (Standing::Ready, None, _) => "up, without an address".into(),
            (Standing::Waiting | Standing::NoCarrier, ..) => {
                "up, but no carrier: no cable, or nobody at its end".into()
            }
            (Standing::Leasing, Some(address), None) => format!("{address}, and no lease"),
            (Standing::Leasing, ..) => "no lease".into(),
            (Standing::Advertised, ..) => "no router has advertised a network".into(),
            _ if meant::setups_of(&self.wish.net, link).is_empty() => "not asked for".into(),
            (Standing::Untouched | Standing::Renaming | Standing::Renamed, ..)
            | (Standing::Raising, ..) => "not up yet".into(),
            (Standing::Addressing { .. }, ..) => "getting its address".into(),
            (Standing::Failed, ..) => "failed".into(),
        };
        let trouble = known.trouble.as_ref();
        let trouble = trouble.map(|text| format!(" ({text})")).unwrap_or_default();
        format!("{:<12}{mac}: {how}{trouble}", link.name)
    }

    /// The servers have spoken.
    pub(in crate::plan) fn remote_refused(&self) -> Vec<String> {
        let what = self.wish.remote.as_ref();
        let what = what.map(|remote| format!("{remote} was not mounted"));
        let mut lines: Vec<String> = what.into_iter().listed();
        lines.extend(self.remote_problems());
        lines
    }

    /// Why root could not be mounted over the network: the last round.
    pub(in crate::plan) fn remote_problems(&self) -> Vec<String> {
        let attempts = &self.net.attempts;
        let mut lines = Vec::new();
        for (what, fault) in &attempts.failed {
            let line = format!("{what}: {fault}");
            // The same for every version is said once.
            if !lines
                .iter()
                .any(|known: &String| known.ends_with(&fault.text))
            {
                lines.push(line);
            }
        }
        lines.extend(self.net.odd.iter().cloned());
        lines.extend(self.name_problems());
        lines.extend(self.target_problems());
        lines.extend(attempts.kernel.iter().map(|line| format!("kernel: {line}")));
        lines
    }
}
