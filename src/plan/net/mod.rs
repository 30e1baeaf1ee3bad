//! Networks: links come up, get their addresses, and root is mounted over the first that serves.
//!
//! | File | What it is |
//! |---|---|
//! | `meant` | which links are meant, and what each is given |
//! | `links` | each link from down to ready, all side by side |
//! | `firmware` | what the firmware left of its own boot |
//! | `leases` | who is asked for what, and what becomes of the answer |
//! | `extending` | leases that end before the boot does |
//! | `routers` | what routers of IPv6 give |
//! | `names` | servers that are known by name |
//! | `retry` | when something is tried again |
//! | `root` | root on a server: which, over which link, in which version |
//! | `served` | what root on a server is, over one link |
//! | `targets` | servers of blocks: connected to, until their disks are there |
//! | `leaving` | what becomes of it all when the real system begins |
//! | `patience` | how long links are waited for |
//! | `page` | what the page says of all that |
//!
//! Nothing of it happens where root needs no network and nobody asked for one: not even the
//! drivers of network cards are loaded then.

mod extending;
mod firmware;
mod leases;
mod leaving;
mod links;
mod meant;
mod names;
mod page;
mod patience;
pub(super) mod retry;
mod root;
mod routers;
mod served;
mod targets;

use super::Plan;
use super::action::{Action, Level, NetAction};
use super::event::NetEvent;
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::net::address::{Network, Route};
use crate::format::net::lease::Lease;
use crate::format::netlink::link::Link;
use alloc::string::String;
use alloc::vec::Vec;
use extending::Extension;
use names::Named;
use root::Attempts;
use routers::Router;
use targets::Connection;

/// More are not looked at. (A large machine has a few dozen, with those of its guests hundreds.)
const MAX_LINKS: usize = 1024;

/// How far a link has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// As the kernel found it.
    #[default]
    Untouched,
    Renaming,
    /// It has its name, or will not get it.
    Renamed,
    Raising,
    /// Up; a carrier is waited for.
    Waiting,
    /// Up, and given up for want of a carrier; with one it is waited for again.
    NoCarrier,
    /// A server is asked for a lease.
    Leasing,
    /// Router advertisements are waited for.
    Advertised,
    /// It is given an address: that of a lease, or what the words say.
    Addressing {
        leased: bool,
    },
    Ready,
    Failed,
}

struct Known {
    link: Link,
    standing: Standing,
    /// What went wrong last.
    trouble: Option<String>,
    /// One of DHCP at most, and one of DHCPv6.
    leases: Vec<Lease>,
    extension: Option<Extension>,
    /// In the order in which it got them. Those that only the kernel knows are not among them.
    addresses: Vec<Network>,
    /// Those that the words say.
    routes: Vec<Route>,
    router: Router,
    /// When it is given up where it stands.
    until: Option<(Standing, Millis)>,
    /// A carrier came, and was there before.
    regained: bool,
    /// Which of its setups is in turn.
    next: usize,
    /// The how-manieth to be ready; the first one goes first. 0: it is not.
    place: u32,
    /// Root was tried over it in this round.
    tried: bool,
}

#[derive(Default)]
pub(super) struct Net {
    asked: bool,
    /// Every link that existed was told.
    listed: bool,
    links: Vec<Known>,
    /// So many are ready.
    ready: u32,
    firmware_asked: bool,
    /// What else went wrong: sentences.
    odd: Vec<String>,
    /// Of how many others each link that is to be made was made.
    made: Vec<usize>,
    attempts: Attempts,
    targets: Vec<Connection>,
    names: Vec<Named>,
}

impl Net {
    fn known(&self, index: u32) -> Option<&Known> {
        self.links.iter().find(|known| known.link.index == index)
    }

    /// What was put off until now is put off no longer, whether it can be done now or not: a time
    /// that has passed is nothing to wait for.
    fn wake(&mut self, now: Millis) {
        self.targets.iter_mut().for_each(|target| target.wake(now));
        self.names.iter_mut().for_each(|named| named.wake(now));
        if self.attempts.retry.comes(now) {
            self.attempts.failed.clear();
            self.attempts.kernel.clear();
            self.forget_tries();
        }
    }

    /// Root may be tried over every link again.
    fn forget_tries(&mut self) {
        self.links.iter_mut().for_each(|known| known.tried = false);
    }

    fn by_index(&mut self, index: u32) -> Option<&mut Known> {
        self.links
            .iter_mut()
            .find(|known| known.link.index == index)
    }

    fn heard(&mut self, link: Link) {
        if let Some(known) = self.by_index(link.index) {
            known.regained |= link.carrier && !known.link.carrier;
            known.link = link;
        } else if self.links.len() < MAX_LINKS {
            self.links.push(Known {
                link,
                standing: Standing::Untouched,
                trouble: None,
                leases: Vec::new(),
                extension: None,
                addresses: Vec::new(),
                routes: Vec::new(),
                router: Router::default(),
                until: None,
                regained: false,
                next: 0,
                place: 0,
                tried: false,
            });
        }
    }
}

impl Plan {
    pub(super) fn take_of_network(&mut self, now: Millis, event: NetEvent) {
        match event {
            NetEvent::Reached { ticket } => self.reached(ticket, Ok(())),
            NetEvent::ReachFailed { ticket, fault } => self.reached(ticket, Err(fault)),
            NetEvent::Found { ticket, addresses } => self.looked_up(now, ticket, Ok(addresses)),
            NetEvent::LookupFailed { ticket, fault } => self.looked_up(now, ticket, Err(fault)),
            NetEvent::Connected { ticket, device } => self.connected(now, ticket, Ok(device)),
            NetEvent::ConnectFailed { ticket, fault } => self.connected(now, ticket, Err(fault)),
            NetEvent::Nbft(left) => self.heed_nbft(*left),
            NetEvent::FirmwareRead { ticket, left } => self.firmware_read(now, ticket, *left),
            NetEvent::Link(link) => self.hear_of(*link),
            NetEvent::LinkGone { index } => {
                self.net.links.retain(|known| known.link.index != index);
            }
            NetEvent::LinksListed { ticket } => {
                let asked = self.tickets.close(ticket) == Some(Job::WatchLinks);
                self.net.listed |= asked;
            }
            NetEvent::Address { index, network } => self.address_heard(now, index, network),
            NetEvent::AddressGone { index, network } => self.address_gone(index, network),
            NetEvent::Advert(advert) => self.advert_heard(now, *advert),
            NetEvent::Configured { ticket } => self.configured(now, ticket, Ok(())),
            NetEvent::ConfigureFailed { ticket, fault } => {
                self.configured(now, ticket, Err(fault));
            }
            NetEvent::LeaseNews { ticket, text } => {
                if let Some(Job::Lease(index)) = self.tickets.job(ticket) {
                    let index = *index;
                    self.trouble(index, text);
                }
            }
            NetEvent::Leased { ticket, lease } => self.leased(now, ticket, Ok(lease)),
            NetEvent::LeaseFailed { ticket, fault } => self.leased(now, ticket, Err(fault)),
        }
    }

    /// Brings every link forward, and root where it lies behind one.
    pub(super) fn network(&mut self, now: Millis) {
        if !self.wish.needs_net() {
            return;
        }
        if !core::mem::replace(&mut self.net.asked, true) {
            let ticket = self.tickets.issue(Job::WatchLinks);
            let order = NetAction::WatchLinks;
            self.out.push(Action::Net { ticket, order });
        }
        self.read_firmware();
        self.net.wake(now);
        self.mind_links(now);
        self.bring_up(now);
        // What has just begun may have a bound.
        self.mind_links(now);
        self.extend_leases(now);
        self.connect_targets();
        self.mount_remote(now);
    }

    fn trouble(&mut self, index: u32, text: String) {
        if let Some(known) = self.net.by_index(index) {
            known.trouble = Some(text);
        }
    }

    /// When something about the network is to be tried again, or given up.
    pub(super) fn network_due(&self) -> Option<Millis> {
        let again = self
            .net
            .targets
            .iter()
            .filter_map(|target| target.retry.again);
        let names = self.net.names.iter().filter_map(|named| named.retry.again);
        let attempts = self.net.attempts.retry.again;
        let routers = self.net.links.iter().filter_map(Known::patience);
        let links = self.links_due().into_iter().chain(routers);
        again.chain(names).chain(attempts).chain(links).min()
    }

    fn warn(&mut self, fault: &Fault) {
        self.say(Level::Warning, fault.text.clone());
    }
}
