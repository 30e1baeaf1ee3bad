//! Servers that are known by name: looked up once a link serves, and again until that succeeds.

use super::super::Plan;
use super::super::action::{Action, NetAction};
use super::super::event::Ticket;
use super::super::ticket::Job;
use super::retry::Retry;
use super::{Known, meant};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::net::order::LookupOrder;
use crate::format::remote::Host;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// One name, and what is known of it.
#[derive(Default)]
pub(super) struct Named {
    name: String,
    addresses: Vec<IpAddr>,
    asked: bool,
    pub(super) retry: Retry,
    trouble: Option<String>,
}

impl Named {
    /// What was put off is asked again as soon as somebody wants to know it.
    pub(super) fn wake(&mut self, now: Millis) {
        self.asked &= !self.retry.comes(now);
    }
}

impl Plan {
    /// All addresses of a name; none: it was not looked up yet.
    pub(super) fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        let named = self.net.names.iter().find(|named| named.name == name);
        named.map_or(Vec::new(), |named| named.addresses.clone())
    }

    /// Where this server is. `None`: it is being looked up, or will be.
    pub(super) fn address_of(&mut self, host: &Host) -> Option<IpAddr> {
        let name = match host {
            Host::Address(address) => return Some(*address),
            Host::Name(name) => name,
        };
        let found = self.net.names.iter().position(|named| named.name == *name);
        let at = found.unwrap_or(self.net.names.len());
        if found.is_none() {
            self.net.names.push(Named {
                name: name.clone(),
                ..Named::default()
            });
        }
        let named = self.net.names.get_mut(at)?;
        if let Some(address) = named.addresses.first() {
            return Some(*address);
        }
        if named.asked {
            return None;
        }
        let order = self.lookup_order(name);
        if order.families == (false, false) {
            return None;
        }
        let named = self.net.names.get_mut(at)?;
        if order.servers.is_empty() {
            named.trouble = Some("nothing says who knows names: see nameserver=".into());
            return None;
        }
        named.asked = true;
        let ticket = self.tickets.issue(Job::Lookup(at));
        let order = NetAction::Lookup(order.into());
        self.out.push(Action::Net { ticket, order });
        None
    }

    /// Who is asked, by the words and the leases of the links that serve.
    fn lookup_order(&self, name: &str) -> LookupOrder {
        let mut servers = self.wish.net.dns.clone();
        let mut search = Vec::new();
        let mut families = (false, false);
        for known in self.net.links.iter().filter(|known| known.place > 0) {
            self.add_servers(known, &mut servers, &mut search);
            for network in &known.addresses {
                match network.address {
                    IpAddr::V4(_) => families.0 = true,
                    IpAddr::V6(_) => families.1 = true,
                }
            }
        }
        LookupOrder {
            name: name.into(),
            servers,
            search,
            families,
        }
    }

    fn add_servers(&self, known: &Known, servers: &mut Vec<IpAddr>, search: &mut Vec<String>) {
        let setups = meant::setups_of(&self.wish.net, &known.link);
        let said = setups.iter().flat_map(|setup| setup.dns.iter());
        let leased = known.leases.iter().flat_map(|lease| &lease.dns);
        let counts = !self.wish.net.ignore_dns;
        let told = leased.chain(&known.router.servers).filter(|_| counts);
        for server in said.chain(told) {
            if !servers.contains(server) {
                servers.push(*server);
            }
        }
        for lease in &known.leases {
            search.extend(lease.search.iter().cloned());
            let domain = lease.domain.as_ref().and_then(|domain| domain.as_str());
            search.extend(domain.map(String::from));
        }
        search.extend(known.router.search.iter().cloned());
    }

    pub(super) fn looked_up(
        &mut self,
        now: Millis,
        ticket: Ticket,
        result: Result<Vec<IpAddr>, Fault>,
    ) {
        let Some(Job::Lookup(at)) = self.tickets.close(ticket) else {
            return;
        };
        let Some(named) = self.net.names.get_mut(at) else {
            return;
        };
        match result {
            Ok(addresses) => (named.addresses, named.trouble) = (addresses, None),
            Err(fault) => {
                named.trouble = Some(fault.into_text());
                named.retry.put_off(now);
            }
        }
    }

    /// For the page: names that have no address.
    pub(super) fn name_problems(&self) -> Vec<String> {
        let open = self
            .net
            .names
            .iter()
            .filter(|named| named.addresses.is_empty());
        let line = |named: &Named| {
            let trouble = named
                .trouble
                .as_deref()
                .unwrap_or("it is not looked up yet");
            format!("the address of {}: {trouble}", named.name)
        };
        open.map(line).listed()
    }
}
