//! An answer as a lease: what is missing, what is out of range, and what counts then.

use super::answer::{Answer, is_host};
use super::code;
use super::routes::{class_prefix, routes};
use crate::base::bytes::{be16, until_nul};
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::net::address::{Network, prefix_of};
use crate::format::net::lease::{FOR_EVER, Lease};
use crate::format::net::search;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

/// A smaller MTU does not count. RFC 2132 §5.1 allows 68, but every machine takes packets of 576
/// bytes (RFC 791 §3.1), so a link that carries less is a server's mistake, and one that would
/// make root over the network crawl.
const MTU_MIN: u16 = 576;

impl Answer<'_> {
    /// What the server lets this machine have. `client_id`: what was sent.
    ///
    /// The error is a verb and what belongs to it, as in [`super::Refused`]: there is no address
    /// in the answer that a machine can have. All else may be missing.
    pub fn lease(&self, client_id: &[u8]) -> Result<Lease, &'static str> {
        if !is_host(self.address) {
            return Err("gives no address that a machine can have");
        }
        // Without a mask the address' class counts, as it does for the kernel's ip=.
        let prefix = match self.options.address(code::SUBNET_MASK) {
            Some(mask) => prefix_of(mask).filter(|bits| *bits > 0),
            None => Some(class_prefix(self.address)),
        };
        let prefix = prefix.ok_or("gives a netmask that is none")?;
        // A lease without an end is what BOOTP's were (RFC 1534 §2).
        let lifetime = self.options.time(code::ADDRESS_TIME).unwrap_or(FOR_EVER);
        if lifetime == 0 {
            return Err("gives an address for no time");
        }
        let (renew, rebind) = self.renewal(lifetime);
        let address = Network {
            address: self.address.into(),
            prefix,
        };
        let mtu = be16(&self.options.value(code::MTU_INTERFACE), 0);
        let (next_server, server_name) = self.next_server();
        Ok(Lease {
            address: Some(address),
            server: self.server.into(),
            lifetime,
            renew,
            rebind,
            routes: routes(address, &self.options),
            dns: self.servers(code::DOMAIN_SERVER),
            ntp: self.servers(code::NTP_SERVERS),
            hostname: self.options.name(code::HOSTNAME),
            domain: self.options.name(code::DOMAIN_NAME),
            search: search::names(&self.options.value(code::DOMAIN_SEARCH)),
            mtu: mtu.filter(|mtu| *mtu >= MTU_MIN).map(u32::from),
            root_path: self.options.text(code::ROOT_PATH),
            next_server: next_server.map(IpAddr::V4),
            server_name,
            boot_file: self
                .options
                .text(code::BOOTFILE_NAME)
                .or_else(|| field_text(self.file)),
            client_id: client_id.to_vec(),
        })
    }

    /// T1 and T2, in seconds. Where the server says nothing, or not T1 < T2 < end: a half and
    /// seven eighths (RFC 2131 §4.4.5).
    fn renewal(&self, lifetime: u32) -> (u32, u32) {
        if lifetime == FOR_EVER {
            return (FOR_EVER, FOR_EVER);
        }
        let rebind = self.options.time(code::REBINDING_TIME);
        let rebind = rebind.filter(|t2| (1..lifetime).contains(t2));
        let rebind = rebind.unwrap_or(lifetime.saturating_sub(lifetime / 8));
        let renew = self.options.time(code::RENEWAL_TIME);
        let renew = renew.filter(|t1| (1..rebind).contains(t1));
        (renew.unwrap_or(rebind.min(lifetime / 2)), rebind)
    }

    fn servers(&self, code: u8) -> Vec<IpAddr> {
        let all = self.options.addresses(code).into_iter();
        all.filter(|a| is_host(*a)).map(IpAddr::V4).listed()
    }

    /// Address and name of the next server. A name that is an address serves as one.
    fn next_server(&self) -> (Option<Ipv4Addr>, Option<Text>) {
        let name = self.options.name(code::SERVER_NAME);
        let name = name.or_else(|| field_text(self.sname));
        let spelled = name.as_ref().and_then(|n| n.as_str()?.parse().ok());
        let given = Some(self.next_server).filter(|a| is_host(*a));
        (given.or(spelled.filter(|a| is_host(*a))), name)
    }
}

/// A fixed field ends with NUL, or is full.
fn field_text(field: &[u8]) -> Option<Text> {
    let text = until_nul(field);
    (!text.is_empty()).then(|| text.into())
}
