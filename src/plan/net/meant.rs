//! Which links are meant, and what each is given.

use crate::base::list::Listed;
use crate::format::net::address::Mac;
use crate::format::net::firmware::Used;
use crate::format::net::wanted::{MadeOf, Method, Setup, Wanted, Which};
use crate::format::netlink::link::{ETHERNET, Link};
use alloc::string::String;
use alloc::vec::Vec;

/// What this link is given: its own words, or those for every link. Nothing: it is left alone.
pub(super) fn setups_of(wanted: &Wanted, link: &Link) -> Vec<Setup> {
    if link.kind != ETHERNET || link.mac.is_none() || link.master.is_some() {
        return Vec::new();
    }
    if is_below(wanted, link, true) {
        return Vec::new();
    }
    let own = |setup: &&Setup| setup.link.as_ref().is_some_and(|which| is(which, link));
    let own: Vec<Setup> = wanted.setups.iter().filter(own).cloned().listed();
    let left = left_for(wanted, link);
    if !own.is_empty() {
        return resolved(own, wanted, &left);
    }
    let up = Setup {
        method: Method::Up,
        ..Setup::default()
    };
    let ours = wanted.made.iter().any(|made| made.name == link.name);
    // Links that somebody else made (for guests, as tunnels) are meant by name or not at all.
    let foreign = link.made.is_some() && !ours;
    if !left.is_empty() && !wanted.off {
        return left;
    }
    let booted = wanted.boot_link.is_none_or(|mac| Some(mac) == link.mac) || ours;
    if is_below(wanted, link, false) {
        return alloc::vec![up];
    }
    if foreign || !booted {
        return Vec::new();
    }
    if wanted.off {
        return alloc::vec![up];
    }
    if wanted.awaits_firmware {
        return Vec::new();
    }
    match wanted.setups.is_empty() {
        true if wanted.firmware.is_empty() => {
            let method = wanted.usual;
            alloc::vec![Setup {
                method,
                ..Setup::default()
            }]
        }
        // Links that the firmware did not use are left alone.
        true => Vec::new(),
        false => {
            let all = |setup: &&Setup| setup.link.is_none() && setup.method != Method::Firmware;
            wanted.setups.iter().filter(all).cloned().listed()
        }
    }
}

/// Is it a port of a link that is to be made, or the link below a VLAN?
fn is_below(wanted: &Wanted, link: &Link, as_port: bool) -> bool {
    let is = |kind: &MadeOf| matches!(kind, MadeOf::Vlan(_)) != as_port;
    let mut made = wanted.made.iter().filter(|made| is(&made.kind));
    made.any(|made| made.of.iter().any(|name| goes_by(name, link)))
}

/// Do the words give it nothing, but for a VLAN whose packets go through it?
pub(super) fn carries(wanted: &Wanted, link: &Link) -> bool {
    is_below(wanted, link, false) && !is_named(wanted, link)
}

/// Has it words of its own?
pub(super) fn is_named(wanted: &Wanted, link: &Link) -> bool {
    let own = |setup: &Setup| setup.link.as_ref().is_some_and(|which| is(which, link));
    wanted.setups.iter().any(own) || !left_for(wanted, link).is_empty()
}

/// What the firmware left for this link.
fn left_for(wanted: &Wanted, link: &Link) -> Vec<Setup> {
    let here = |used: &&Used| {
        // A VLAN has the hardware address of the link that it is on.
        let real = link.made.is_none() || used.setup.link.as_ref().is_some_and(is_name);
        real && used.vlan.is_none() && used.setup.link.as_ref().is_some_and(|w| is(w, link))
    };
    let left = wanted.firmware.iter().filter(here);
    left.map(|used| used.setup.clone()).listed()
}

fn is_name(which: &Which) -> bool {
    matches!(which, Which::Name(_))
}

/// The firmware's words in the place of `ibft`, which stays where there are none.
fn resolved(own: Vec<Setup>, wanted: &Wanted, left: &[Setup]) -> Vec<Setup> {
    let mut all = Vec::new();
    for setup in own {
        match setup.method {
            Method::Firmware if wanted.awaits_firmware => return Vec::new(),
            Method::Firmware if !left.is_empty() => all.extend(left.iter().cloned()),
            _ => all.push(setup),
        }
    }
    all
}

pub(super) fn is(which: &Which, link: &Link) -> bool {
    match which {
        Which::Name(name) => goes_by(name, link),
        Which::Mac(mac) => Some(*mac) == link.mac,
    }
}

/// Is this the link's name, or the one that udev would make of its hardware address? (Its other
/// names tell where a card sits, and take udev's rules to be made.)
pub(super) fn goes_by(name: &str, link: &Link) -> bool {
    let by_mac = || link.made.is_none() && link.mac.is_some() && Mac::of_name(name) == link.mac;
    link.name == name || by_mac()
}

/// The name that `ifname=` gives this link, where it has another.
pub(super) fn name_of(wanted: &Wanted, link: &Link) -> Option<String> {
    let of_this = |(_, mac): &&(String, _)| Some(*mac) == link.mac;
    let (name, _) = wanted.names.iter().find(of_this)?;
    (link.made.is_none() && *name != link.name).then(|| name.clone())
}
