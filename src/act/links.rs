//! Raises, lowers, renames and makes links.
//!
//! Links are named, not numbered: a name is what is typed and what is told.

use super::netlink::Conversation;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::address::Mac;
use crate::format::net::wanted::{Made, MadeOf};
use crate::format::netlink::link::{self, Link};
use crate::format::netlink::message::Messages;
use crate::format::netlink::request::{Attributes, Request};
use crate::format::netlink::router::{self, Advert};
use crate::format::netlink::{News, bond, news};
use crate::sys::netlink::Protocol;

/// All links, in the order in which they appeared.
pub fn list() -> Result<Vec<Link>, Fault> {
    listed(&mut Conversation::open(Protocol::Route)?)
}

/// What routers have said so far: whom to ask for more.
pub fn adverts() -> Result<Vec<Advert>, Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let asked = kernel.ask(&router::list());
    let answer = asked.map_err(|refusal| refusal.fault(&"list what routers said", ""))?;
    let said = |message| match news(&message) {
        Some(News::Advert(advert)) => Some(advert),
        _ => None,
    };
    Ok(Messages(&answer).filter_map(said).listed())
}

/// The link of this name. The error tells which there are.
pub fn find(name: &str) -> Result<Link, Fault> {
    find_with(&mut Conversation::open(Protocol::Route)?, name)
}

/// Gives a link an MTU (bytes) and a hardware address, and raises it.
///
/// A refused MTU is a warning: most networks work without. Loading firmware may take seconds.
pub fn raise(name: &str, mtu: Option<u32>, mac: Option<Mac>) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let link = find_with(&mut kernel, name)?;
    if let Some(mac) = mac.filter(|mac| link.mac != Some(*mac)) {
        // Many drivers take another address only while the link is down.
        if link.up {
            kernel.order(&link::switch(link.index, false), &format!("lower {name}"))?;
        }
        let what = format!("give {name} the hardware address {mac}");
        kernel.order(&link::set_mac(link.index, mac), &what)?;
    }
    set_mtu(&mut kernel, &link, mtu);
    switch_on(&mut kernel, &link)
}

/// Lowers it: its routes go, its addresses of IPv4 stay.
pub fn lower(name: &str) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let link = find_with(&mut kernel, name)?;
    kernel.order(&link::switch(link.index, false), &format!("lower {name}"))
}

pub fn rename(name: &str, new: &str) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let link = find_with(&mut kernel, name)?;
    let asked = kernel.ask(&link::rename(link.index, new));
    asked.map(drop).map_err(|refusal| {
        let advice = match refusal.errno {
            libc::EEXIST => ": another link has that name",
            libc::EBUSY => ": it is up, and this kernel renames links only while they are down",
            libc::EINVAL => ": a link cannot be called so",
            _ => "",
        };
        refusal.fault(&format!("rename {name} to {new}"), advice)
    })
}

/// Takes away a link that was made.
pub fn remove(name: &str) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let link = find_with(&mut kernel, name)?;
    kernel.order(&link::delete(link.index), &format!("remove {name}"))
}

/// Makes a link of others, down, with those others in it as far as they are there: one is enough.
/// To be done again when more of them appear. What is there already stays.
pub fn make(made: &Made) -> Result<(), Fault> {
    let mut kernel = Conversation::open(Protocol::Route)?;
    let links = listed(&mut kernel)?;
    let named = |name: &String| links.iter().find(|link| link.name == *name);
    let below = made.of.iter().filter_map(named).listed();
    for missing in made.of.iter().filter(|name| named(name).is_none()) {
        log::warn!(
            "{} is made without {missing}: there is no such link yet",
            made.name
        );
    }
    if below.is_empty() && !made.of.is_empty() {
        let names = made.of.joined(", ");
        let text = format!(
            "make {}: there is no link {names}{}",
            made.name,
            known(&links)
        );
        return Err(Fault::new(libc::ENODEV, text));
    }
    let there = links.iter().find(|link| link.name == made.name);
    match (&made.kind, below.as_slice()) {
        (MadeOf::Vlan(id), [below]) => make_vlan(&mut kernel, made, *id, below, there)?,
        (MadeOf::Vlan(_), _) => {
            let text = format!("make {}: a VLAN lies on one link", made.name);
            return Err(Fault::plain(text));
        }
        (MadeOf::Bond(typed), _) => make_bond(&mut kernel, made, typed, there, &links)?,
        (MadeOf::Bridge, _) => {
            let request = link::new_bridge(&made.name);
            create(&mut kernel, made, "bridge", "bridge", &request, there)?;
        }
    }
    let new = find_with(&mut kernel, &made.name)?;
    for port in below {
        match made.kind {
            MadeOf::Vlan(_) => switch_on(&mut kernel, port)?,
            _ => add_port(&mut kernel, &new, port)?,
        }
    }
    // Last: ports change it.
    set_mtu(&mut kernel, &new, made.mtu);
    Ok(())
}

fn make_vlan(
    kernel: &mut Conversation,
    made: &Made,
    id: u16,
    below: &Link,
    there: Option<&Link>,
) -> Result<(), Fault> {
    let same = |link: &Link| link.vlan == Some(id) && link.below == Some(below.index);
    match there {
        Some(link) if same(link) => Ok(()),
        Some(_) => {
            let text = format!("make {}: another link has that name", made.name);
            Err(Fault::new(libc::EEXIST, text))
        }
        None => {
            let request = link::new_vlan(&made.name, below.index, id);
            create(kernel, made, "vlan", "8021q", &request, None)
        }
    }
}

fn make_bond(
    kernel: &mut Conversation,
    made: &Made,
    typed: &[(String, String)],
    there: Option<&Link>,
    links: &[Link],
) -> Result<(), Fault> {
    let index_of = |name: &str| links.iter().find(|l| l.name == name).map(|l| l.index);
    let has_ports = there.is_some_and(|bond| {
        let port = |link: &Link| link.master == Some(bond.index);
        links.iter().any(port)
    });
    // With ports in it most options are fixed. The preferred port may appear late.
    let now = |(name, value): &&(String, String)| match name.as_str() {
        "primary" => index_of(value).is_some(),
        _ => !has_ports,
    };
    let typed = typed.iter().filter(now).cloned().listed();
    let refuse = |why| Fault::plain(format!("make {}: {why}", made.name));
    let options = bond::options(&typed, &index_of).map_err(refuse)?;
    let request = link::new_bond(&made.name, &options);
    let is_new = there.is_none();
    match create(kernel, made, "bond", "bonding", &request, there) {
        // The driver makes one, bond0, when it is loaded, which was now.
        Err(fault) if fault.errno != libc::EEXIST || !is_new => Err(fault),
        Ok(()) if is_new || options.is_empty() => Ok(()),
        _ => change_bond(kernel, made, &options),
    }
}

fn change_bond(kernel: &mut Conversation, made: &Made, options: &Attributes) -> Result<(), Fault> {
    let what = format!("give the bond {} its options", made.name);
    kernel.order(&link::change_bond(&made.name, options), &what)
}

/// A link of this kind and name. `there`: what has the name already.
fn create(
    kernel: &mut Conversation,
    made: &Made,
    kind: &str,
    module: &str,
    request: &Request,
    there: Option<&Link>,
) -> Result<(), Fault> {
    let what = format!("make the {kind} {}", made.name);
    match there {
        Some(link) if link.made.as_deref() == Some(kind) => return Ok(()),
        Some(_) => {
            let text = format!("{what}: another link has that name");
            return Err(Fault::new(libc::EEXIST, text));
        }
        None => {}
    }
    let asked = kernel.ask(request);
    asked.map(drop).map_err(|refusal| {
        let advice = match refusal.errno {
            libc::EOPNOTSUPP => {
                format!(": the kernel cannot make any; its module, {module}, is not in the image")
            }
            libc::EINVAL if !link::is_name(&made.name) => ": a link cannot be called so".into(),
            _ => String::new(),
        };
        refusal.fault(&what, &advice)
    })
}

/// Puts `port` into a bond, which raises it itself, or a bridge.
fn add_port(kernel: &mut Conversation, to: &Link, port: &Link) -> Result<(), Fault> {
    let bond = to.made.as_deref() == Some("bond");
    if port.master != Some(to.index) {
        if bond && port.up {
            let what = format!("lower {} to put it into {}", port.name, to.name);
            kernel.order(&link::switch(port.index, false), &what)?;
        }
        let what = format!("put {} into {}", port.name, to.name);
        kernel.order(&link::set_master(port.index, to.index), &what)?;
    }
    match bond {
        true => Ok(()),
        false => switch_on(kernel, port),
    }
}

fn switch_on(kernel: &mut Conversation, link: &Link) -> Result<(), Fault> {
    let asked = kernel.ask(&link::switch(link.index, true));
    asked.map(drop).map_err(|refusal| {
        let advice = match refusal.errno {
            libc::ENOENT => ": its driver misses a file: is its firmware in the image?",
            libc::ENETDOWN => ": the link below is down",
            libc::ERFKILL => ": its radio is switched off (rfkill)",
            _ => "",
        };
        refusal.fault(&format!("raise {}", link.name), advice)
    })
}

fn set_mtu(kernel: &mut Conversation, link: &Link, mtu: Option<u32>) {
    let Some(mtu) = mtu.filter(|mtu| *mtu != link.mtu) else {
        return;
    };
    let what = format!("set the MTU of {} to {mtu} bytes", link.name);
    if let Err(fault) = kernel.order(&link::set_mtu(link.index, mtu), &what) {
        log::warn!("{fault}: it stays at {}", link.mtu);
    }
}

pub(super) fn listed(kernel: &mut Conversation) -> Result<Vec<Link>, Fault> {
    let asked = kernel.ask(&link::list());
    let answer = asked.map_err(|refusal| refusal.fault(&"list the links", ""))?;
    let of_links = |message| match news(&message) {
        Some(News::Link(link)) => Some(link),
        _ => None,
    };
    Ok(Messages(&answer).filter_map(of_links).listed())
}

pub(super) fn find_with(kernel: &mut Conversation, name: &str) -> Result<Link, Fault> {
    let mut links = listed(kernel)?;
    match links.iter().position(|link| link.name == name) {
        Some(at) => Ok(links.swap_remove(at)),
        None => {
            let text = format!("there is no link {name}{}", known(&links));
            Err(Fault::new(libc::ENODEV, text))
        }
    }
}

/// Which links there are, but for the machine's own loop.
fn known(links: &[Link]) -> String {
    let real = links.iter().filter(|link| !link.is_loopback());
    let names = real.map(|link| link.name.as_str()).listed();
    match names.is_empty() {
        true => ", nor any other: a driver is missing, or the module for it".into(),
        false => format!("; there are {}", names.joined(", ")),
    }
}
