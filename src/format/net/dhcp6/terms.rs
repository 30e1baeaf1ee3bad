//! An answer as a lease: what is missing, what is out of range, and what counts then.

use super::answer::Answer;
use super::options::{self, Options, is_host};
use super::{Machine, code, status};
use crate::base::bytes::{array, be32};
use crate::base::text::{Text, cut};
use crate::format::net::address::Network;
use crate::format::net::lease::{FOR_EVER, Lease};
use crate::format::net::search;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// Bytes of the text that comes with a refusal, at most: it is for a person, in one line.
const MESSAGE_MAX: usize = 160;

/// Of an IA_NA: IAID, T1, T2; then options. Of an IAADDR: address, two times; then options.
const ASSOCIATION: usize = 12;
const ADDRESS: usize = 24;

/// What of [`code::TIME_SERVERS`] is the address of a server (RFC 5908 §4.1).
const TIME_SERVER_ADDRESS: u16 = 1;

/// An address, and how long it is good, in seconds.
struct Given {
    address: Ipv6Addr,
    valid: u32,
    renew: u32,
    rebind: u32,
}

impl Answer<'_> {
    /// What the server lets this machine have. `from`: where the answer came from.
    ///
    /// The error is a verb and what belongs to it, as in [`super::Refused`]: there is no address
    /// in the answer that this machine can have. All else may be missing.
    pub fn lease(&self, machine: &Machine, from: Ipv6Addr) -> Result<Lease, String> {
        check(self.options)?;
        let own = |value: &&[u8]| be32(value, 0) == Some(machine.iaid);
        let mut associations = self.options.all(code::IA_NA).filter(own);
        let mut why = "gives no address that a machine can have".into();
        let given = associations.find_map(|value| {
            let given = address_in(value);
            given.map_err(|refusal| why = refusal).ok()
        });
        let given = given.ok_or(why)?;
        let mut lease = self.told(machine, from);
        // One machine: who else is on the link, routers tell.
        lease.address = Some(Network {
            address: given.address.into(),
            prefix: 128,
        });
        lease.lifetime = given.valid;
        (lease.renew, lease.rebind) = (given.renew, given.rebind);
        Ok(lease)
    }

    /// What else there is, without an address. The error is as with [`Answer::lease`].
    pub fn information(&self, machine: &Machine, from: Ipv6Addr) -> Result<Lease, String> {
        check(self.options)?;
        Ok(self.told(machine, from))
    }

    /// Everything but the address.
    fn told(&self, machine: &Machine, from: Ipv6Addr) -> Lease {
        let search = self.options.find(code::DOMAIN_SEARCH);
        let url = self.options.text(code::BOOT_FILE_URL);
        Lease {
            address: None,
            server: from.into(),
            lifetime: FOR_EVER,
            renew: FOR_EVER,
            rebind: FOR_EVER,
            routes: Vec::new(),
            dns: self.options.servers(code::NAME_SERVERS),
            ntp: self.time_servers(),
            hostname: None,
            domain: None,
            search: search::names(search.unwrap_or_default()),
            mtu: None,
            root_path: url.as_ref().and_then(root_of),
            next_server: None,
            server_name: None,
            boot_file: url,
            client_id: machine.duid.clone(),
        }
    }

    fn time_servers(&self) -> Vec<IpAddr> {
        let mut all = self.options.servers(code::SIMPLE_TIME_SERVERS);
        for value in self.options.all(code::TIME_SERVERS) {
            let addresses = Options(value).all(TIME_SERVER_ADDRESS);
            let server = addresses.filter_map(options::server).next();
            all.extend(server.filter(|server| !all.contains(server)));
        }
        all
    }
}

/// The first usable address of an IA_NA.
fn address_in(value: &[u8]) -> Result<Given, String> {
    let inside = Options(value.get(ASSOCIATION..).unwrap_or_default());
    check(inside)?;
    let mut why = "gives no address that a machine can have".into();
    let mut addresses = inside.all(code::IA_ADDRESS);
    let found = addresses.find_map(|value| {
        let usable = usable(value);
        usable.map_err(|refusal| why = refusal).ok()
    });
    let (address, preferred, valid) = found.ok_or(why)?;
    let time = |at| be32(value, at).filter(|seconds| *seconds > 0);
    let (renew, rebind) = (time(4), time(8));
    // The usual ones, where the server leaves them open, or mixes them up (§14.2, §21.4).
    let part = |of: u32, tenths: u32| match of {
        FOR_EVER => FOR_EVER,
        of => (of / 10).saturating_mul(tenths),
    };
    let rebind = rebind.filter(|t2| *t2 <= valid);
    let rebind = rebind.unwrap_or_else(|| part(preferred, 8));
    let renew = renew.filter(|t1| *t1 <= rebind);
    Ok(Given {
        address,
        valid,
        renew: renew.unwrap_or_else(|| part(preferred, 5).min(rebind)),
        rebind,
    })
}

/// An IAADDR: the address, and how long it is preferred and valid.
fn usable(value: &[u8]) -> Result<(Ipv6Addr, u32, u32), String> {
    check(Options(value.get(ADDRESS..).unwrap_or_default()))?;
    let address = array::<16>(value, 0).map(Ipv6Addr::from);
    let address = address.filter(|address| is_host(*address));
    let times = be32(value, 16).zip(be32(value, 20));
    let (Some(address), Some((preferred, valid))) = (address, times) else {
        return Err("gives no address that a machine can have".into());
    };
    match valid {
        0 => Err("gives an address for no time".into()),
        _ => Ok((address, preferred.min(valid), valid)),
    }
}

/// Does the status among these options say that it went well?
fn check(options: Options<'_>) -> Result<(), String> {
    let (code, mut text) = options.status();
    let why = match code {
        status::SUCCESS => return Ok(()),
        status::NO_ADDRESSES => "has no address for this machine",
        status::NO_BINDING => "does not know this machine",
        status::NOT_ON_LINK => "says that the address does not fit this link",
        status::USE_MULTICAST => "wants to be asked with all others",
        _ => "refuses",
    };
    text.0.truncate(MESSAGE_MAX);
    Err(match text.0.is_empty() {
        true => why.into(),
        false => format!("{why}: {text}"),
    })
}

/// The root that a boot file's URL names, as a root-path would.
fn root_of(url: &Text) -> Option<Text> {
    let text = url.as_str()?;
    // RFC 2224: the path begins behind the server's name.
    if let Some(rest) = text.strip_prefix("nfs://") {
        let (server, path) = cut(rest, "/")?;
        return Some(Text::from(format!("nfs:{server}:/{path}")));
    }
    const KINDS: [&str; 6] = ["nfs:", "nfs4:", "iscsi:", "nbd:", "rbd:", "ceph:"];
    let is_root = KINDS.iter().any(|kind| text.starts_with(kind));
    is_root.then(|| url.clone())
}
