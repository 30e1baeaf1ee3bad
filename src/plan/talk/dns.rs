//! A name's addresses from servers of DNS, over UDP.
//!
//! # Sockets
//! The machine has an address by now: each [`Step::Ask`] goes through a UDP socket of its own,
//! not bound, connected to the server's port 53, and bound to the link (`SO_BINDTODEVICE`) where
//! the server's address is link-local. The kernel picks a random port, and passes on what comes
//! from that server and port to that port only (RFC 5452 §9.2); what no server can foresee
//! besides is the id. Each question has its own socket, since some servers answer only the first
//! that comes from a port. Sockets stay open until the end: late answers count.
//!
//! # One conversation
//! For each name that the typed one may stand for, one after the other: all wanted families are
//! asked for side by side. The servers are asked in turn, three times around, for 1, 2 and 4
//! seconds each. A server that says it cannot tell is left at once for the next, but no round is
//! quicker than the last one's wait. NXDOMAIN ends the name. When there are addresses of one
//! family, the other has [`OTHER_MS`] more.
//!
//! # The end
//! Addresses, the first family's first; or no name is left; or no server answered for a name: the
//! next would be no better; or [`LOOKUP_MS`] are over. Whatever is heard, no more than
//! [`ROUNDS`] questions for each server, name and family are asked.
//!
//! Sources: resolv.conf(5) (servers in turn, search domains), RFC 5452, RFC 8305 §3 (waiting for
//! the other family).

use super::troubles::Troubles;
use super::{Dice, wait_ms};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::net::dns::{self, Answer, Family};
use crate::format::net::domain::Name;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

/// The longest that a lookup takes, in milliseconds.
pub const LOOKUP_MS: u64 = 30_000;

/// How long the other family's addresses are waited for, in milliseconds. Both answers come from
/// the same server; where the other is not there by then it was lost, or never comes.
pub const OTHER_MS: u64 = 200;

/// How often each server is asked about a name.
pub const ROUNDS: usize = 3;

/// Servers and search domains that count, the first: resolvers know as many (resolv.conf(5)).
const SERVERS_MAX: usize = 3;
const SEARCH_MAX: usize = 6;

/// Who is asked for what.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub servers: Vec<IpAddr>,
    /// As typed. With a dot at its end it is whole; without any dot the search domains count.
    /// An address is its own result.
    pub name: String,
    pub search: Vec<String>,
    /// In the order in which addresses are wanted.
    pub families: Vec<Family>,
    /// For the ids and the waits: what nobody outside can know.
    pub seed: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// A datagram, at the socket of this question; at most [`dns::ANSWER_MAX`] bytes are needed.
    Answer { ask: u32, message: &'a [u8] },
    /// The question could not be sent, or a router says that it was in vain; why, for a person.
    Lost { ask: u32, why: &'a str },
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the query to the server's port 53 by a new socket, which is `ask`'s from now on.
    Ask {
        ask: u32,
        server: IpAddr,
        query: Vec<u8>,
    },
    /// At least one address, each once.
    Done(Vec<IpAddr>),
    Failed(Fault),
}

/// What is known of one family's addresses.
enum Known {
    Nothing,
    Addresses(Vec<IpAddr>),
    /// There are none, or nobody can tell.
    None,
}

/// The questions about the present name for one family.
struct Lane {
    family: Family,
    /// How many were asked before this one.
    turn: usize,
    /// The present one, and how long it is waited for.
    ask: u32,
    until: Millis,
    /// The server cannot tell, and the next one is not asked before the wait is over.
    in_vain: bool,
    known: Known,
}

/// What was asked. The number of the question is its place.
struct Asked {
    id: u16,
    server: IpAddr,
    family: Family,
    /// The place of the name.
    name: usize,
}

pub struct Lookup {
    typed: String,
    servers: Vec<IpAddr>,
    families: Vec<Family>,
    names: Vec<Name>,
    /// The place of the present one.
    name: usize,
    /// One a family; none before the start and after the end.
    lanes: Vec<Lane>,
    asked: Vec<Asked>,
    /// Did a server say something about the present name?
    answered: bool,
    /// The others' time is over then.
    others: Option<Millis>,
    ends: Millis,
    dice: Dice,
    troubles: Troubles,
    out: Vec<Step>,
}

impl Lookup {
    pub fn new(options: Options) -> Self {
        let mut servers = once(&options.servers);
        servers.truncate(SERVERS_MAX);
        let mut troubles = Troubles::default();
        let names = names(&options.name, &options.search, &mut troubles);
        Self {
            typed: options.name,
            servers,
            families: once(&options.families),
            names,
            name: 0,
            lanes: Vec::new(),
            asked: Vec::new(),
            answered: false,
            others: None,
            ends: Millis(0),
            dice: Dice::new(options.seed),
            troubles,
            out: Vec::new(),
        }
    }

    /// Begins. `now` never runs backwards.
    pub fn start(&mut self, now: Millis) -> Vec<Step> {
        self.ends = now.plus(LOOKUP_MS);
        if let Ok(address) = self.typed.parse() {
            return vec![Step::Done(vec![address])];
        }
        if self.servers.is_empty() {
            self.troubles.add("no DNS server is known".into());
            self.fail();
        } else {
            self.begin(now);
        }
        core::mem::take(&mut self.out)
    }

    pub fn hear(&mut self, now: Millis, heard: Heard<'_>) -> Vec<Step> {
        match heard {
            Heard::Answer { ask, message } => self.hear_answer(now, ask, message),
            Heard::Lost { ask, why } => {
                if let Some((at, asked)) = self.of(ask) {
                    let server = asked.server;
                    self.useless(now, at, ask, format!("{server}: {why}"));
                }
            }
            Heard::Timer => {}
        }
        if self.deadline().is_some_and(|due| due <= now) {
            self.move_on(now);
        }
        core::mem::take(&mut self.out)
    }

    /// When to call back with [`Heard::Timer`], if nothing else is heard.
    pub fn deadline(&self) -> Option<Millis> {
        let open = self.lanes.iter().filter(|lane| lane.is_open());
        let first = open.map(|lane| lane.until).min()?;
        let others = self.others.unwrap_or(self.ends);
        Some(first.min(others).min(self.ends))
    }

    /// The end, because the caller waits no longer: why there is no address.
    pub fn give_up(&mut self) -> Fault {
        self.lanes.clear();
        let typed = Text::from(self.typed.as_str());
        let why = self.troubles.told();
        let why = why.unwrap_or_else(|| "no DNS server answered".into());
        Fault::plain(format!("no address for {typed}: {why}"))
    }

    /// The family's place and the question, if it is about the present name and still open.
    fn of(&self, ask: u32) -> Option<(usize, &Asked)> {
        let asked = self.asked.get(usize::try_from(ask).ok()?)?;
        let is = |lane: &Lane| lane.family == asked.family && lane.is_open();
        let at = self.lanes.iter().position(is)?;
        (asked.name == self.name).then_some((at, asked))
    }

    fn hear_answer(&mut self, now: Millis, ask: u32, message: &[u8]) {
        let Some((at, asked)) = self.of(ask) else {
            return;
        };
        let Some(name) = self.names.get(self.name) else {
            return;
        };
        let (server, family) = (asked.server, asked.family);
        let Some(answer) = dns::answer(message, asked.id, name, family) else {
            return;
        };
        self.answered = true;
        let name = name.as_str();
        match answer {
            Answer::Addresses(all) => self.know(at, Known::Addresses(all)),
            Answer::NoAddress => {
                let text = format!("{name} has no {family} address, says {server}");
                self.troubles.add(text);
                self.know(at, Known::None);
            }
            Answer::NoName => {
                let text = format!("there is no {name}, says {server}");
                self.troubles.add(text);
                // Where one family is there, the name is: the server means the other.
                (0..self.lanes.len()).for_each(|at| self.know(at, Known::None));
            }
            Answer::Useless(why) => {
                self.useless(now, at, ask, format!("{server} {why}"));
                return;
            }
        }
        self.settle(now);
    }

    /// What is known once stays.
    fn know(&mut self, at: usize, known: Known) {
        if let Some(lane) = self.lanes.get_mut(at).filter(|lane| lane.is_open()) {
            lane.known = known;
        }
    }

    /// The question was in vain: the next one at once, unless that begins another round.
    fn useless(&mut self, now: Millis, at: usize, ask: u32, trouble: String) {
        self.troubles.add(trouble);
        let servers = self.servers.len();
        let Some(lane) = self.lanes.get_mut(at).filter(|lane| lane.ask == ask) else {
            return;
        };
        lane.in_vain = true;
        let next = lane.turn.saturating_add(1);
        if next.checked_rem(servers) != Some(0) || next >= servers.saturating_mul(ROUNDS) {
            self.ask(now, at, next);
            self.settle(now);
        }
    }

    /// Waits are over.
    fn move_on(&mut self, now: Millis) {
        let over = self.ends <= now;
        if over {
            let text = format!("it took longer than {} s", LOOKUP_MS / 1000);
            self.troubles.add(text);
            // The end, whatever other names there are.
            self.names.truncate(self.name);
        }
        let over = over || self.others.is_some_and(|due| due <= now);
        for at in 0..self.lanes.len() {
            let due = |lane: &&Lane| lane.is_open() && (over || lane.until <= now);
            let Some(lane) = self.lanes.get(at).filter(due) else {
                continue;
            };
            let next = lane.turn.saturating_add(1);
            let silent = self.asked.get(lane.ask as usize).filter(|_| !lane.in_vain);
            if let Some(asked) = silent {
                let text = format!("{} did not answer", asked.server);
                self.troubles.add(text);
            }
            if over {
                self.know(at, Known::None);
            } else {
                self.ask(now, at, next);
            }
        }
        self.settle(now);
    }

    /// Is the present name at its end?
    fn settle(&mut self, now: Millis) {
        let mut all = Vec::new();
        for lane in &self.lanes {
            if let Known::Addresses(some) = &lane.known {
                all.extend_from_slice(some);
            }
        }
        if self.lanes.iter().any(Lane::is_open) {
            if !all.is_empty() && self.others.is_none() {
                self.others = Some(now.plus(OTHER_MS));
            }
        } else if !all.is_empty() {
            self.lanes.clear();
            self.out.push(Step::Done(all));
        } else if self.answered {
            self.name = self.name.saturating_add(1);
            self.begin(now);
        } else {
            self.fail();
        }
    }

    /// The questions about the present name; the end, if there is none.
    fn begin(&mut self, now: Millis) {
        self.lanes.clear();
        self.answered = false;
        self.others = None;
        if self.name >= self.names.len() || self.families.is_empty() {
            return self.fail();
        }
        for family in self.families.iter().copied() {
            self.lanes.push(Lane {
                family,
                turn: 0,
                ask: u32::MAX,
                until: now,
                in_vain: false,
                known: Known::Nothing,
            });
        }
        (0..self.lanes.len()).for_each(|at| self.ask(now, at, 0));
    }

    /// The question after `turn` others, or none if there were enough.
    fn ask(&mut self, now: Millis, at: usize, turn: usize) {
        let round = turn.checked_div(self.servers.len()).unwrap_or(ROUNDS);
        let place = turn.checked_rem(self.servers.len()).unwrap_or(0);
        let (Some(lane), Some(name), Some(server)) = (
            self.lanes.get_mut(at),
            self.names.get(self.name),
            self.servers.get(place).copied(),
        ) else {
            return;
        };
        if round >= ROUNDS {
            lane.known = Known::None;
            return;
        }
        let id = u16::try_from(self.dice.roll() >> 16).unwrap_or(0);
        let wait = wait_ms(u32::try_from(round).unwrap_or(0));
        lane.turn = turn;
        lane.in_vain = false;
        lane.ask = u32::try_from(self.asked.len()).unwrap_or(u32::MAX);
        lane.until = now.plus(self.dice.around(wait));
        self.out.push(Step::Ask {
            ask: lane.ask,
            server,
            query: dns::query(id, name, lane.family),
        });
        self.asked.push(Asked {
            id,
            server,
            family: lane.family,
            name: self.name,
        });
    }

    fn fail(&mut self) {
        let fault = self.give_up();
        self.out.push(Step::Failed(fault));
    }
}

impl Lane {
    fn is_open(&self) -> bool {
        matches!(self.known, Known::Nothing)
    }
}

/// Each item once.
fn once<T: Copy + PartialEq>(items: &[T]) -> Vec<T> {
    let mut all = Vec::new();
    for item in items {
        if !all.contains(item) {
            all.push(*item);
        }
    }
    all
}

/// What the typed name may stand for, in the order in which it is tried: a name without dots in
/// each search domain, then as it is.
fn names(typed: &str, search: &[String], troubles: &mut Troubles) -> Vec<Name> {
    let mut names = Vec::new();
    let domains = if typed.contains('.') { &[] } else { search };
    for domain in domains.iter().take(SEARCH_MAX) {
        names.push(format!("{typed}.{domain}"));
    }
    names.push(typed.into());
    let parsed = names.iter().filter_map(|name| match Name::parse(name) {
        Ok(name) => Some(name),
        Err(why) => {
            let name = Text::from(name.as_str());
            troubles.add(format!("{name} {why}"));
            None
        }
    });
    parsed.listed()
}

#[cfg(test)]
mod tests;
