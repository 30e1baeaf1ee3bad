//! A machine for these worlds: every answer takes its time, and comes in any order.

use super::laws::{CALM, CARRIER, KEPT, MEANT, ONCE, ROUND};
use super::world::{DEADLINE, Kind, Manner, Nic, World};
use crate::rng::Rng;
use crate::story::Decider;
use landfall::base::fault::Fault;
use landfall::base::millis::Millis;
use landfall::base::text::Text;
use landfall::format::identity::{Finding, Signature, Usage};
use landfall::format::kmod::Resolution;
use landfall::format::net::address::{Mac, Network};
use landfall::format::net::lease::Lease;
use landfall::format::net::order::{Asked, Change, Extend, LeaseOrder};
use landfall::format::netlink::link::{ETHERNET, Link};
use landfall::format::netlink::router::{Advert, Flags, Said};
use landfall::plan::action::{Action, Mount, NetAction};
use landfall::plan::event::{Block, Event, NetEvent, Ticket};
use landfall::plan::{trace, trace_read};
use std::collections::{BTreeMap, BTreeSet};

/// What happened.
#[derive(Debug, Default)]
pub struct Story {
    pub mounted: Option<u64>,
    pub page: Option<(u64, String)>,
    pub actions: u64,
    pub end: u64,
    pub breaches: Vec<(&'static str, String)>,
    pub lines: Vec<String>,
}

/// What comes at a moment.
enum Coming {
    Told(Box<Event>),
    /// A card, a cable: the kernel tells what there is now.
    Changed(usize),
    Gone(usize),
}

pub struct Machine<'w> {
    world: &'w World,
    plan: Box<dyn Decider>,
    rng: Rng,
    now: u64,
    /// By moment, and then in any order.
    coming: BTreeMap<(u64, u64), Coming>,
    watched: bool,
    up: BTreeSet<u32>,
    addressed: BTreeSet<u32>,
    /// What the kernel told last.
    told: BTreeMap<u32, bool>,
    leases: BTreeMap<Ticket, u32>,
    /// When the lease of a link ends. Nobody was asked for more of it yet.
    ends: BTreeMap<u32, u64>,
    /// More of the lease of this link was asked for.
    extending: BTreeMap<Ticket, u32>,
    story: Story,
}

impl<'w> Machine<'w> {
    pub fn new(world: &'w World, seed: u64, plan: Box<dyn Decider>) -> Self {
        let mut machine = Self {
            world,
            plan,
            rng: Rng::new(seed ^ 0x6e65_7473),
            now: 0,
            coming: BTreeMap::new(),
            watched: false,
            up: BTreeSet::new(),
            addressed: BTreeSet::new(),
            told: BTreeMap::new(),
            leases: BTreeMap::new(),
            ends: BTreeMap::new(),
            extending: BTreeMap::new(),
            story: Story::default(),
        };
        for (number, nic) in world.nics.iter().enumerate() {
            machine.at(nic.at, Coming::Changed(number));
            for change in &nic.cable {
                machine.at(*change, Coming::Changed(number));
            }
            if let Some(gone) = nic.gone {
                machine.at(gone, Coming::Gone(number));
            }
        }
        machine
    }

    pub fn boot(mut self) -> Story {
        let cmdline = Text::from(self.world.words.as_str());
        self.tell(Event::Boot { cmdline });
        let mut rings = 0;
        while self.story.mounted.is_none() && self.story.page.is_none() {
            let due = self.plan.deadline().map(|at| at.0.max(self.now));
            let next = self.coming.keys().next().copied();
            match (next, due) {
                (Some(key), due) if due.is_none_or(|due| key.0 <= due) => {
                    let coming = self.coming.remove(&key).expect("it is there");
                    self.now = self.now.max(key.0);
                    self.happen(coming);
                }
                (_, Some(due)) => {
                    rings = if due == self.now { rings + 1 } else { 0 };
                    self.law(CALM, rings < 10, "the timer rings and rings");
                    self.now = due;
                    self.tell(Event::Timer);
                }
                (_, None) => break,
            }
            if self.story.actions > 100_000 || rings > 10 {
                break;
            }
        }
        self.story.end = self.now;
        let over = self.ends.iter().find(|(_, end)| **end < self.now);
        if let Some(index) = over.map(|(index, _)| *index) {
            self.law(KEPT, false, &format!("the lease of link {index} is over"));
        }
        self.story
    }

    fn at(&mut self, when: u64, coming: Coming) {
        let chance = self.rng.next();
        self.coming.insert((when, chance), coming);
    }

    fn later(&mut self, event: Event) {
        let when = self.now + self.rng.below(20);
        self.at(when, Coming::Told(event.into()));
    }

    fn answer(&mut self, event: NetEvent) {
        self.later(Event::Net(event));
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Told(event) => self.tell(*event),
            Coming::Changed(number) => self.tell_link(number),
            Coming::Gone(number) => {
                let index = self.world.nics[number].index;
                self.up.remove(&index);
                self.addressed.remove(&index);
                self.ends.remove(&index);
                let lost = self.leases.iter().filter(|(_, of)| **of == index);
                let lost: Vec<Ticket> = lost.map(|(ticket, _)| *ticket).collect();
                for ticket in lost {
                    let fault = Fault::new(19, "the link has left");
                    self.answer(NetEvent::LeaseFailed { ticket, fault });
                }
                if self.watched {
                    self.told.remove(&index);
                    self.tell(Event::Net(NetEvent::LinkGone { index }));
                }
            }
        }
    }

    fn tell_link(&mut self, number: usize) {
        let nic = &self.world.nics[number];
        if self.watched && nic.is_there(self.now) {
            let link = self.link(nic);
            let carrier = link.carrier;
            let before = self.told.insert(nic.index, carrier);
            self.tell(Event::Net(NetEvent::Link(link.into())));
            if carrier && before != Some(true) {
                self.hear_router(nic);
            }
        }
    }

    /// What comes of itself on a link that has a carrier now: its own address, a router's word.
    fn hear_router(&mut self, nic: &'w Nic) {
        let index = nic.index;
        let own = NetEvent::Address {
            index,
            network: network(&format!("fe80::{index}/64")),
        };
        let when = self.now + self.rng.below(1_500);
        self.at(when, Coming::Told(Event::Net(own).into()));
        let Some(router) = nic.router else {
            return;
        };
        // The kernel asks thrice, every four seconds; routers also speak unasked.
        let when = router.from.max(self.now) + self.rng.below(4_000);
        if !nic.has_carrier(when) {
            return;
        }
        let flags = Said::Flags(Flags {
            managed: router.managed,
            other: false,
        });
        let said = Advert {
            link: index,
            said: flags,
        };
        let said = NetEvent::Advert(said.into());
        self.at(when, Coming::Told(Event::Net(said).into()));
        if router.prefix {
            let network = network(&format!("2001:db8::{index}/64"));
            let event = NetEvent::Address { index, network };
            let when = when + self.rng.below(1_500);
            self.at(when, Coming::Told(Event::Net(event).into()));
        }
    }

    fn link(&self, nic: &Nic) -> Link {
        let up = self.up.contains(&nic.index);
        Link {
            index: nic.index,
            name: nic.name.clone(),
            mac: Mac::parse(&nic.mac),
            kind: ETHERNET,
            up,
            carrier: up && nic.has_carrier(self.now),
            mtu: 1500,
            made: None,
            master: None,
            below: None,
            vlan: None,
        }
    }

    fn tell(&mut self, event: Event) {
        let now = Millis(self.now);
        let line = trace::event_line(&event);
        if let Event::Net(_) = &event {
            let again = trace_read::answered(&line).or_else(|| trace_read::event(&line));
            self.law(ROUND, again.as_ref() == Some(&event), &line);
        }
        match &event {
            Event::Net(NetEvent::Leased { ticket, lease }) => {
                let index = self.leases.remove(ticket);
                let index = index.or_else(|| self.extending.remove(ticket));
                let end = self.now + u64::from(lease.lifetime) * 1000;
                self.ends.extend(index.map(|index| (index, end)));
            }
            Event::Net(NetEvent::LeaseFailed { ticket, .. }) => {
                self.leases.remove(ticket);
                self.extending.remove(ticket);
            }
            _ => {}
        }
        if let Event::Net(NetEvent::Address { index, network }) = &event
            && !network.to_string().starts_with("fe80")
        {
            self.addressed.insert(*index);
        }
        self.story.lines.push(trace::event_record(now, &event));
        for action in self.plan.handle(now, event) {
            self.story.lines.push(trace::action_record(now, &action));
            self.story.actions += 1;
            self.act(action);
        }
    }

    fn law(&mut self, law: &'static str, holds: bool, why: &str) {
        if !holds {
            self.story
                .breaches
                .push((law, format!("{} ms: {why}", self.now)));
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Walk { ticket, .. } => self.later(Event::Walked { ticket }),
            Action::Resolve { ticket, .. } => {
                let resolution = Box::new(Resolution {
                    builtin: true,
                    ..Resolution::default()
                });
                self.later(Event::Resolved { ticket, resolution });
            }
            Action::Probe { ticket, .. } => {
                let finding = Box::new(ext4());
                self.later(Event::Probed { ticket, finding });
            }
            Action::Links { ticket, .. } => {
                let names = Vec::new();
                self.later(Event::Linked { ticket, names });
            }
            Action::Net { ticket, order } => {
                let action = Action::Net { ticket, order };
                let line = trace::action_line(&action);
                let is_it = trace_read::action(&line).as_ref() == Some(&action);
                let Action::Net { ticket, order } = action else {
                    return;
                };
                self.law(ROUND, is_it, &line);
                self.network(ticket, order);
            }
            Action::Mount { ticket, mount } => self.mount(ticket, &mount),
            Action::Abandon { ticket } => {
                self.leases.remove(&ticket);
                let answered = |event: &Event| match event {
                    Event::Net(NetEvent::Leased { ticket, .. }) => Some(*ticket),
                    _ => None,
                };
                self.coming.retain(|_, coming| match coming {
                    Coming::Told(event) => answered(event) != Some(ticket),
                    _ => true,
                });
            }
            Action::FindInit { ticket, .. } => {
                let path = Text::from("/sbin/init");
                self.later(Event::InitFound { ticket, path });
            }
            Action::Page { lines } => self.story.page = Some((self.now, lines.join("\n"))),
            _ => {}
        }
    }

    fn nic(&self, name: &str) -> Option<&'w Nic> {
        let there = |nic: &&Nic| nic.name == name && nic.is_there(self.now);
        self.world.nics.iter().find(there)
    }

    fn network(&mut self, ticket: Ticket, order: NetAction) {
        match order {
            NetAction::WatchLinks => {
                self.watched = true;
                for number in 0..self.world.nics.len() {
                    self.tell_link(number);
                }
                self.answer(NetEvent::LinksListed { ticket });
            }
            // No word of these worlds asks for it.
            NetAction::ReadFirmware => self.law(MEANT, false, "firmware"),
            NetAction::Configure { link, change } => self.configure(ticket, &link, &change),
            NetAction::Lease { link, order } => self.lease(ticket, &link, &order),
            NetAction::Lookup(_) => {
                let addresses = vec!["192.0.2.9".parse().expect("an address")];
                self.answer(NetEvent::Found { ticket, addresses });
            }
            NetAction::Reach { .. } => match self.reaches() {
                Ok(()) => self.answer(NetEvent::Reached { ticket }),
                Err(fault) => self.slowly(NetEvent::ReachFailed { ticket, fault }),
            },
            NetAction::Connect { .. } => match self.reaches().and_then(|()| self.manner()) {
                Ok(()) => self.connect(ticket),
                Err(fault) => self.slowly(NetEvent::ConnectFailed { ticket, fault }),
            },
        }
    }

    /// Who does not answer is known late.
    fn slowly(&mut self, event: NetEvent) {
        let when = self.now + self.rng.below(3) * self.rng.below(3_000);
        self.at(when, Coming::Told(Event::Net(event).into()));
    }

    fn connect(&mut self, ticket: Ticket) {
        let device = Some("nbd0".into());
        self.answer(NetEvent::Connected { ticket, device });
        self.later(Event::Block(Box::new(Block {
            name: "nbd0".into(),
            major: 43,
            minor: 0,
            sectors: 8192,
            part_of: None,
            sequence: 1,
            mapped: None,
        })));
    }

    /// Is the server there, by any of the links that have addresses?
    fn reaches(&self) -> Result<(), Fault> {
        let leads = |nic: &&Nic| {
            let carrier = nic.has_carrier(self.now);
            carrier && nic.leads && self.addressed.contains(&nic.index)
        };
        match self.world.nics.iter().any(|nic| leads(&nic)) {
            false => Err(Fault::new(113, "nobody answers")),
            true if self.world.server.from > self.now => Err(Fault::new(111, "nobody listens")),
            true => Ok(()),
        }
    }

    fn manner(&self) -> Result<(), Fault> {
        match self.world.server.manner {
            Manner::Refuses => Err(Fault::new(13, "the server refuses")),
            _ => Ok(()),
        }
    }

    fn configure(&mut self, ticket: Ticket, name: &str, change: &Change) {
        let Some(nic) = self.nic(name) else {
            let fault = Fault::new(19, "there is no such link");
            return self.answer(NetEvent::ConfigureFailed { ticket, fault });
        };
        self.law(MEANT, self.world.is_meant(nic), name);
        let number = self
            .world
            .nics
            .iter()
            .position(|other| other.index == nic.index);
        match change {
            Change::Raise { .. } => {
                self.up.insert(nic.index);
                let when = self.now + self.rng.below(20);
                self.at(when, Coming::Changed(number.expect("it is one of them")));
            }
            Change::Address(_) => {
                self.addressed.insert(nic.index);
            }
            Change::Make(_) | Change::Rename(_) => {}
        }
        self.answer(NetEvent::Configured { ticket });
    }

    /// Whoever asks goes on asking until there is an answer.
    fn lease(&mut self, ticket: Ticket, name: &str, order: &LeaseOrder) {
        if let Some(extend) = &order.extend {
            return self.extend(ticket, order.index, extend);
        }
        let told = self.told.get(&order.index) == Some(&true);
        self.law(CARRIER, told, name);
        let asked = self.leases.values().any(|index| *index == order.index);
        self.law(ONCE, !asked, name);
        let Some(nic) = self.nic(name) else {
            let fault = Fault::new(19, "there is no such link");
            return self.answer(NetEvent::LeaseFailed { ticket, fault });
        };
        self.leases.insert(ticket, nic.index);
        let Some(from) = nic.dhcp else {
            return;
        };
        let mut when = self.now.max(from) + self.rng.below(1_000);
        // The client's own tries: at most eight seconds apart.
        while !nic.has_carrier(when) && when < 2 * DEADLINE {
            when += self.rng.between(1_000, 8_000);
        }
        let lease = Box::new(lease(nic.index, order.asked, self.rng.between(20, 100)));
        let event = Event::Net(NetEvent::Leased { ticket, lease });
        self.at(when, Coming::Told(event.into()));
    }

    /// One server in eight will not hear of it; some answer late.
    fn extend(&mut self, ticket: Ticket, index: u32, extend: &Extend) {
        let asked = self.extending.values().any(|other| *other == index);
        self.law(ONCE, !asked, "more of a lease");
        self.ends.remove(&index);
        self.extending.insert(ticket, index);
        let rest = u64::from(extend.rest) * 1000;
        let event = if self.rng.below(8) == 0 {
            let fault = Fault::plain("no DHCP server answered");
            NetEvent::LeaseFailed { ticket, fault }
        } else {
            let lease = Box::new(lease(index, Asked::Dhcp4, self.rng.between(20, 100)));
            NetEvent::Leased { ticket, lease }
        };
        let when = self.now + self.rng.below(rest.max(1));
        self.at(when, Coming::Told(Event::Net(event).into()));
    }

    fn mount(&mut self, ticket: Ticket, mount: &Mount) {
        let old = mount.options.as_bytes().starts_with(b"vers=3");
        let version = match self.world.server.manner {
            Manner::OnlyOld if !old => Err(Fault::new(93, "the server does not speak this")),
            _ => Ok(()),
        };
        let served = match self.world.server.kind {
            Kind::Nfs => self.reaches().and_then(|()| self.manner()).and(version),
            Kind::Nbd => Ok(()),
        };
        match served {
            Ok(()) => {
                self.story.mounted = Some(self.now);
                self.later(Event::Mounted { ticket });
            }
            Err(fault) => self.later(Event::MountFailed {
                ticket,
                fault,
                kernel: Vec::new(),
            }),
        }
    }
}

fn network(text: &str) -> Network {
    Network::parse(text).expect("a network")
}

/// `lifetime`: of IPv4, in seconds.
fn lease(index: u32, asked: Asked, lifetime: u64) -> Lease {
    let own = format!("192.0.2.{}/24", 100 + index);
    let own6 = format!("2001:db8::1:{index}/128");
    let (server, address, lifetime) = match asked {
        Asked::Dhcp4 => ("192.0.2.1", Some(own), lifetime),
        Asked::Dhcp6 => ("fe80::1", Some(own6), 86_400),
        Asked::Information => ("fe80::1", None, 86_400),
    };
    let lifetime = u32::try_from(lifetime).expect("some time");
    Lease {
        address: address.map(|text| network(&text)),
        server: server.parse().expect("an address"),
        lifetime,
        renew: lifetime / 2,
        rebind: lifetime / 8 * 7,
        routes: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        hostname: None,
        domain: None,
        search: Vec::new(),
        mtu: None,
        root_path: None,
        next_server: None,
        server_name: None,
        boot_file: None,
        client_id: Vec::new(),
    }
}

fn ext4() -> Finding {
    Finding {
        signature: Some(Signature {
            kind: "ext4".into(),
            usage: Usage::Filesystem,
            uuid: Some("1".into()),
            ..Signature::default()
        }),
        ..Finding::default()
    }
}
