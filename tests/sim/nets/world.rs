//! What there is: the words, the cards and their cables, who answers on which network, and when.

use crate::rng::Rng;

/// Milliseconds after which root is given up, as the words say.
pub const DEADLINE: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nfs,
    Nbd,
}

/// What the server makes of those who reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Serves,
    /// Version 3 of NFS, and no other.
    OnlyOld,
    /// For ever.
    Refuses,
}

/// Where addresses come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The words have it.
    Words,
    Dhcp4,
    Dhcp6,
    /// Routers' advertisements alone.
    Auto6,
    /// Those, and DHCPv6 where they say so, or where there are none.
    Either6,
}

/// A router of IPv6.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    pub from: u64,
    /// What it advertises is good for addresses.
    pub prefix: bool,
    /// DHCPv6 is to be asked.
    pub managed: bool,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub kind: Kind,
    /// It listens from then on.
    pub from: u64,
    pub manner: Manner,
}

#[derive(Clone, Debug)]
pub struct Nic {
    pub index: u32,
    pub name: String,
    pub mac: String,
    /// Its driver finds it then.
    pub at: u64,
    /// It is pulled out.
    pub gone: Option<u64>,
    /// When the cable comes, goes, comes, ….
    pub cable: Vec<u64>,
    /// A DHCP server answers on its network from then on.
    pub dhcp: Option<u64>,
    pub router: Option<Router>,
    /// Its network leads to the server.
    pub leads: bool,
}

impl Nic {
    pub fn is_there(&self, now: u64) -> bool {
        self.at <= now && self.gone.is_none_or(|gone| now < gone)
    }

    pub fn has_carrier(&self, now: u64) -> bool {
        let changes = self.cable.iter().filter(|at| **at <= now).count();
        self.is_there(now) && changes % 2 == 1
    }

    /// From when on it can be given an address.
    fn addressed(&self, how: How) -> Option<u64> {
        let prefix = self.router.filter(|router| router.prefix);
        let prefix = prefix.map(|router| router.from);
        let told = self.router.filter(|router| router.managed);
        let told = told.and_then(|router| Some(router.from.max(self.dhcp?)));
        match how {
            How::Words => Some(0),
            How::Dhcp4 | How::Dhcp6 => self.dhcp,
            How::Auto6 => prefix,
            How::Either6 => [prefix, told, self.dhcp].into_iter().flatten().min(),
        }
    }

    /// When it has all that it will have, for good.
    fn settled(&self) -> Option<u64> {
        let lasting = self.gone.is_none() && self.cable.len() % 2 == 1;
        let cable = self.cable.last().filter(|_| lasting)?;
        Some(self.at.max(*cable))
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub words: String,
    /// They say that links are given up.
    pub impatient: bool,
    pub how: How,
    /// The one link that the words mean.
    pub only: Option<String>,
    pub nics: Vec<Nic>,
    pub server: Server,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = rng.between(1, 4) as u32;
        let nics: Vec<Nic> = (0..count).map(|n| nic(&mut rng, n)).collect();
        let kind = *rng.pick(&[Kind::Nfs, Kind::Nbd]);
        let manner = match rng.below(10) {
            0 => Manner::Refuses,
            1 if kind == Kind::Nfs => Manner::OnlyOld,
            _ => Manner::Serves,
        };
        let from = moment(&mut rng);
        let server = Server { kind, from, manner };
        let only = rng.chance(30).then(|| rng.pick(&nics).name.clone());
        let how = *rng.pick(&[
            How::Words,
            How::Dhcp4,
            How::Dhcp4,
            How::Dhcp6,
            How::Auto6,
            How::Either6,
        ]);
        let address = match how {
            How::Words | How::Dhcp4 => "192.0.2.9",
            _ => "[2001:db8::9]",
        };
        let root = match kind {
            Kind::Nfs => format!("root=nfs:{address}:/srv/root"),
            Kind::Nbd => format!("root=nbd:{address}:root"),
        };
        let link = only.as_deref().unwrap_or_default();
        let method = match how {
            How::Words | How::Dhcp4 => "dhcp",
            How::Dhcp6 => "dhcp6",
            How::Auto6 => "auto6",
            How::Either6 => "either6",
        };
        let ip = match (how, &only) {
            (How::Words, _) => format!("ip=192.0.2.7::192.0.2.1:24::{link}:none"),
            (_, Some(link)) => format!("ip={link}:{method}"),
            (_, None) => format!("ip={method}"),
        };
        let mut words = format!("{root} {ip} rd.timeout={}", DEADLINE / 1000);
        let before = words.len();
        if rng.chance(15) {
            words.push_str(" rd.net.timeout.carrier=3");
        }
        if rng.chance(15) {
            words.push_str(" rd.net.timeout.dhcp=9 rd.net.dhcp.retry=2");
        }
        let impatient = words.len() > before;
        Self {
            words,
            impatient,
            how,
            only,
            nics,
            server,
        }
    }

    pub fn is_meant(&self, nic: &Nic) -> bool {
        self.only.as_ref().is_none_or(|name| *name == nic.name)
    }

    /// When root could be mounted by somebody who knows the future, if at all.
    pub fn ready(&self) -> Option<u64> {
        if self.server.manner == Manner::Refuses || self.impatient {
            return None;
        }
        let leads = self.nics.iter().filter(|n| n.leads && self.is_meant(n));
        let ready = leads.filter_map(|nic| Some(nic.settled()?.max(nic.addressed(self.how)?)));
        // Without a router's word DHCPv6 is asked late.
        let patience = 12_000 * u64::from(self.how == How::Either6);
        Some((ready.min()? + patience).max(self.server.from))
    }
}

/// Mostly soon.
fn moment(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => 0,
        1 => rng.below(100),
        2 => rng.below(5_000),
        _ => rng.below(40_000),
    }
}

fn nic(rng: &mut Rng, number: u32) -> Nic {
    let at = moment(rng);
    let mut cable = Vec::new();
    let mut when = at + rng.below(3) * rng.below(10_000);
    for _ in 0..*rng.pick(&[0, 1, 1, 1, 1, 2, 3, 3, 5]) {
        cable.push(when);
        when += rng.between(1, 8_000);
    }
    Nic {
        index: number + 2,
        name: format!("eth{number}"),
        mac: format!("52:54:00:00:00:{number:02x}"),
        at,
        gone: rng.chance(10).then(|| at + rng.between(1, 20_000)),
        cable,
        dhcp: rng.chance(75).then(|| moment(rng)),
        router: rng.chance(60).then(|| Router {
            from: moment(rng),
            prefix: rng.chance(70),
            managed: rng.chance(50),
        }),
        leads: rng.chance(70),
    }
}
