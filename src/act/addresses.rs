//! Gives links addresses and routes, and takes them away again.

use super::links::find_with;
use super::netlink::Conversation;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::format::net::address::Route;
use crate::format::netlink::address::{self, Address, Wanted};
use crate::format::netlink::message::Messages;
use crate::format::netlink::route::{self, Besides, Entry};
use crate::format::netlink::{News, link, news};
use crate::sys::netlink::Protocol;
use crate::sys::proc_sys;

/// The addresses of all links.
pub fn addresses() -> Result<Vec<Address>, Fault> {
    addresses_with(&mut Conversation::open(Protocol::Route)?)
}

/// The routes of all tables, those that the kernel made itself among them.
pub fn routes() -> Result<Vec<Entry>, Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let asked = kernel.ask(&route::list());
    let answer = asked.map_err(|refusal| refusal.fault(&"list the routes", ""))?;
    let of_routes = |message| match news(&message) {
        Some(News::Route(route)) => Some(route),
        _ => None,
    };
    Ok(Messages(&answer).filter_map(of_routes).listed())
}

/// Gives it to the link; where it is there already, its lifetime begins anew.
///
/// An address of IPv6 is tentative for a second or two, and may then turn out to be a duplicate:
/// see [`claim_address`](super::claim_address).
pub fn add_address(link: &str, wanted: &Wanted) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let index = find_with(&mut kernel, link)?.index;
    let asked = kernel.ask(&address::add(index, wanted));
    asked.map(drop).map_err(|refusal| {
        let six = wanted.network.address.is_ipv6();
        let advice = match refusal.errno {
            libc::EACCES | libc::EOPNOTSUPP if six => {
                ": IPv6 is switched off, or not in the kernel"
            }
            _ => "",
        };
        let what = format!("give {link} the address {}", wanted.network);
        refusal.fault(&what, advice)
    })
}

/// Takes it away from its link.
pub fn remove_address(address: &Address) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let what = format!("take the address {} away", address.network);
    kernel.order(&address::delete(address), &what)
}

/// Adds routes over `link`, or the link that a route names. One of the same network and metric
/// that is there already stays.
///
/// Neighbours come first: the others may lead through them. A gateway that no address explains is
/// taken to be on the link, as with addresses of 32 bits from some clouds. Each is tried; the
/// error is that of the first that fails.
pub fn add_routes(link: &str, routes: &[Route], metric: Option<u32>) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let mut outcome = Ok(());
    for neighbours in [true, false] {
        for route in routes.iter().filter(|r| r.via.is_none() == neighbours) {
            let name = route.link.as_deref().unwrap_or(link);
            let added = add_route(&mut kernel, name, route, metric);
            outcome = outcome.and(added);
        }
    }
    outcome
}

fn add_route(
    kernel: &mut Conversation,
    link: &str,
    route: &Route,
    metric: Option<u32>,
) -> Result<(), Fault> {
    let index = find_with(kernel, link)?.index;
    let mut besides = Besides {
        metric,
        ..Besides::default()
    };
    let mut asked = kernel.ask(&route::add(route, index, besides));
    let unreachable = |errno| matches!(errno, libc::ENETUNREACH | libc::EHOSTUNREACH);
    if asked
        .as_ref()
        .is_err_and(|refusal| unreachable(refusal.errno))
    {
        besides.force_link = true;
        asked = kernel.ask(&route::add(route, index, besides));
    }
    match asked {
        Err(refusal) if refusal.errno != libc::EEXIST => {
            let advice = match refusal.errno {
                libc::ENETDOWN => ": the link is down",
                libc::EACCES | libc::EOPNOTSUPP if route.to.address.is_ipv6() => {
                    ": IPv6 is switched off, or not in the kernel"
                }
                _ => "",
            };
            let via = route.via.map(|via| format!(" via {via}"));
            let via = via.unwrap_or_default();
            let what = format!("add the route to {}{via} over {link}", route.to);
            Err(refusal.fault(&what, advice))
        }
        _ => Ok(()),
    }
}

/// Takes all addresses from a link, and lowers it; with both, its routes go.
pub fn flush(link: &str) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let index = find_with(&mut kernel, link)?.index;
    let all = addresses_with(&mut kernel)?;
    for address in all.iter().filter(|address| address.link == index) {
        match kernel.ask(&address::delete(address)) {
            // It went with another of its network.
            Err(refusal) if refusal.errno != libc::EADDRNOTAVAIL => {
                let what = format!("take the address {} from {link}", address.network);
                return Err(refusal.fault(&what, ""));
            }
            _ => {}
        }
    }
    kernel.order(&link::switch(index, false), &format!("lower {link}"))
}

/// Settings of IPv6 that a link has: net.ipv6.conf in Documentation/networking/ip-sysctl.rst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Router advertisements: 0 are ignored, 1 count unless this machine forwards, 2 count.
    AcceptRa,
    /// 1: advertised networks give addresses.
    Autoconf,
    /// 1: the link has no IPv6 at all.
    Disable,
    /// How often an address is asked about before it is used; 0: it is used at once.
    DadTransmits,
    /// 1: the addresses stay when the link goes down.
    KeepAddresses,
}

pub fn set_ipv6(link: &str, setting: Setting, value: u32) -> Result<(), Fault> {
    let name = match setting {
        Setting::AcceptRa => "accept_ra",
        Setting::Autoconf => "autoconf",
        Setting::Disable => "disable_ipv6",
        Setting::DadTransmits => "dad_transmits",
        Setting::KeepAddresses => "keep_addr_on_down",
    };
    if !link::is_name(link) {
        return Err(Fault::plain(format!("no link can be called {link}")));
    }
    let path = format!("/proc/sys/net/ipv6/conf/{link}/{name}");
    proc_sys::write(&path, format!("{value}").as_bytes()).map_err(|fail| {
        let advice = match fail.errno {
            libc::ENOENT => ": there is no such link, or the kernel has no IPv6",
            _ => "",
        };
        Fault::new(fail.errno, format!("{fail}{advice}"))
    })
}

fn addresses_with(kernel: &mut Conversation) -> Result<Vec<Address>, Fault> {
    let asked = kernel.ask(&address::list());
    let answer = asked.map_err(|refusal| refusal.fault(&"list the addresses", ""))?;
    let of_addresses = |message| match news(&message) {
        Some(News::Address(address)) => Some(address),
        _ => None,
    };
    Ok(Messages(&answer).filter_map(of_addresses).listed())
}
