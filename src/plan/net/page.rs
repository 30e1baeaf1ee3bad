//! What the page says of links and servers.

use super::super::Plan;
use super::{Known, Standing, meant};
use crate::base::list::Listed;
use crate::format::netlink::link::LOOPBACK;
use alloc::format;
use alloc::string::String;
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
        let lines: Vec<String> = lines.listed();
        match lines.is_empty() {
            true => alloc::vec!["no network link at all".into()],
            false => lines,
        }
    }

    fn link_line(&self, known: &Known) -> String {
        let link = &known.link;
        let mac = link.mac.map(|mac| format!(" {mac}")).unwrap_or_default();
        let how = match (known.standing, &known.address, &known.lease) {
            (Standing::Ready, Some(address), Some(lease)) => {
                format!("{address} by DHCP of {}", lease.server)
            }
            (Standing::Ready, Some(address), None) => format!("{address}"),
            (Standing::Ready, None, _) => "up, without an address".into(),
            (Standing::Waiting, ..) => "up, but no carrier: no cable, or nobody at its end".into(),
            (Standing::Leasing, ..) if !link.carrier => "the carrier was lost".into(),
            (Standing::Leasing, ..) => "no lease".into(),
            (Standing::Advertised, ..) => "no router has advertised a network".into(),
            _ if meant::setups_of(&self.wish.net, link).is_empty() => "not asked for".into(),
            (Standing::Untouched | Standing::Renaming | Standing::Renamed, ..)
            | (Standing::Raising, ..) => "not up yet".into(),
            (Standing::Addressing, ..) => "getting its address".into(),
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
        lines.extend(self.name_problems());
        lines.extend(self.target_problems());
        lines.extend(attempts.kernel.iter().map(|line| format!("kernel: {line}")));
        lines
    }
}
        lines.extend(self.net.odd.iter().cloned());
