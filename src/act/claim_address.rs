//! Waits until an address of IPv6 can be used: the kernel asks the link first whether somebody else
//! has it, which takes a second or two (RFC 4862 §5.4).

use super::addresses::{add_address, addresses, remove_address};
use super::links::find;
use super::watch_links::{Heard, Watch};
use crate::base::fault::Fault;
use crate::format::netlink::News;
use crate::format::netlink::address::{Address, Wanted};
use crate::sys::clock;
use crate::sys::poll::Poll;
use std::net::{IpAddr, Ipv6Addr};

/// The kernel is through in two seconds. It is not where the link has lost its carrier, or has been
/// told to ask more often.
const WAIT_MS: u64 = 10_000;

/// Gives the address to the link; false: somebody else has it, and the link has it no more.
///
/// One about which nothing is known after [`WAIT_MS`] stays: it may still become usable.
pub fn claim(link: &str, wanted: &Wanted) -> Result<bool, Fault> {
    // Opened before: nothing can fall between.
    let mut watch = Watch::open()?;
    add_address(link, wanted)?;
    let index = find(link)?.index;
    let same = |address: &Address| {
        address.link == index && address.network.address == wanted.network.address
    };
    match settled(&mut watch, &same, WAIT_MS)? {
        Some(address) if address.is_duplicate() => {
            remove_address(&address)?;
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// The link's own address, with which it can speak before it has any other. `None`: not within so
/// many milliseconds. An error is also that somebody else has the address.
pub fn own_address(link: u32, wait_ms: u64) -> Result<Option<Ipv6Addr>, Fault> {
    let local = |address: &Address| match address.network.address {
        IpAddr::V6(v6) => address.link == link && v6.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    };
    let mut watch = Watch::open()?;
    let Some(address) = settled(&mut watch, &local, wait_ms)? else {
        return Ok(None);
    };
    match address.network.address {
        IpAddr::V6(_) if address.is_duplicate() => {
            let text = format!(
                "another machine has the link's own address, {}",
                address.network
            );
            Err(Fault::new(libc::EADDRINUSE, text))
        }
        IpAddr::V6(own) => Ok(Some(own)),
        IpAddr::V4(_) => Ok(None),
    }
}

/// The first address that is meant and about which the kernel has found out. A usable one counts
/// before a duplicate one.
fn settled(
    watch: &mut Watch,
    meant: &dyn Fn(&Address) -> bool,
    wait_ms: u64,
) -> Result<Option<Address>, Fault> {
    let until = clock::since_boot().plus(wait_ms);
    let poll = Poll::new()?;
    poll.add(&*watch, 0)?;
    let known = |address: &Address| meant(address) && !address.is_tentative();
    let mut all = addresses()?;
    loop {
        all.retain(known);
        let usable = all.iter().position(|address| !address.is_duplicate());
        if !all.is_empty() {
            return Ok(Some(all.swap_remove(usable.unwrap_or(0))));
        }
        let left = clock::since_boot().until(until);
        if left == 0 {
            return Ok(None);
        }
        poll.wait(Some(left), &mut Vec::new())?;
        loop {
            let mut tell = |news| {
                if let News::Address(address) = news {
                    all.push(address);
                }
            };
            match watch.look(&mut tell)? {
                Heard::Something => {}
                Heard::Overflow => all = addresses()?,
                Heard::Nothing => break,
            }
        }
    }
}
