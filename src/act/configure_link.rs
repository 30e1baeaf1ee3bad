//! Changes one network link, as it is asked for.

use super::{addresses, claim_address, links};
use crate::base::fault::Fault;
use crate::format::net::order::{Change, Placement};
use crate::format::netlink::address::Wanted;

/// The metric of every route: that of the usual clients for leases, which take these over.
const METRIC: u32 = 1024;

pub fn configure(link: &str, change: &Change) -> Result<(), Fault> {
    match change {
        Change::Raise { mtu, mac } => links::raise(link, *mtu, *mac),
        Change::Address(place) => address(link, place),
        Change::Make(made) => links::make(made),
        Change::Rename(name) => links::rename(link, name),
    }
}

/// A route that cannot be added is a warning: root may be reached without it.
fn address(link: &str, place: &Placement) -> Result<(), Fault> {
    if place.mtu.is_some() {
        links::raise(link, place.mtu, None)?;
    }
    let wanted = Wanted {
        peer: place.peer,
        ..Wanted::from(place.address)
    };
    let wanted = if place.leased {
        wanted.leased()
    } else {
        wanted
    };
    match place.address.address.is_ipv6() {
        true => claim(link, &wanted)?,
        false => addresses::add_address(link, &wanted)?,
    }
    if let Err(fault) = addresses::add_routes(link, &place.routes, Some(METRIC)) {
        log::warn!("{fault}");
    }
    Ok(())
}

/// Root's server would answer the other machine.
fn claim(link: &str, wanted: &Wanted) -> Result<(), Fault> {
    if claim_address::claim(link, wanted)? {
        return Ok(());
    }
    let network = wanted.network;
    let text = format!("give {link} the address {network}: another machine on the link has it");
    Err(Fault::new(libc::EADDRINUSE, text))
}
