//! A DHCPv6 client until it has a lease. Renewing it is the real system's.
//!
//! # One conversation
//! SOLICIT, ADVERTISE, REQUEST, REPLY (RFC 8415 §18.2): of the offers of the first wait the one
//! whose server is to be preferred most is taken, later the first one. A server that gives at once
//! (rapid commit) ends it with its first answer. Then the link is given the address, and the kernel
//! finds out whether somebody has it already (RFC 4862 §5.4): the lease is there when nobody has.
//! Where only [`Options::information`] is wanted: INFORMATION-REQUEST, REPLY.
//!
//! # What goes wrong
//! No offer: SOLICIT again, after [`super::wait_ms`]; RFC 8415 §7.6 would let an hour pass between
//! two in the end (`SOL_MAX_RT`). No reply after [`REQUESTS`]: all over again, and another server's
//! offer counts before this one's. A refusal, or an address that somebody has
//! (which is told the server, DECLINE): all over again after a pause that grows. Each exchange has
//! a number of its own: what arrives late does not count. Nor does the first message wait for a
//! random time: the kernel's search for others with the link's own address did.
//!
//! # The end
//! Never by itself, unless the number of SOLICITs is bounded: the deadline is the caller's. The
//! fault names the last few things that went wrong.

use super::tries::Tries;
use super::wait_ms;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::net::dhcp6::{Answer, Kind, Machine, Refused, Request};
use crate::format::net::lease::Lease;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// REQUESTs until the server counts as gone: 7 seconds.
const REQUESTS: u32 = 3;

/// The preference of a server that wants no others to be waited for (§18.2.1).
const AT_ONCE: u8 = 255;

/// Who asks, for what, and how often.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub machine: Machine,
    /// Everything but an address.
    pub information: bool,
    /// First messages in all, at least one. `None`: until the caller gives up.
    pub tries: Option<u32>,
    /// For the numbers and for the waits: anything that differs between machines and boots.
    pub seed: u64,
}

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    Message {
        from: Ipv6Addr,
        bytes: &'a [u8],
    },
    /// The link has the address that was to be claimed; false: somebody else has.
    Claimed(bool),
    /// It is the deadline, or later.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To all servers.
    Send(Vec<u8>),
    /// Give the link this address, and find out whether somebody else has it. Answered by
    /// [`Heard::Claimed`].
    Claim(Ipv6Addr),
    Done(Box<Lease>),
    Failed(Fault),
}

/// What a server offered.
#[derive(Clone)]
struct Offer {
    server: Vec<u8>,
    /// Where it came from, for a person.
    from: Ipv6Addr,
    address: Ipv6Addr,
    preference: u8,
}

enum Stage {
    /// Before the start, or after the end.
    Silent,
    /// `sent` first messages with this number.
    Asking {
        sent: u32,
        until: Millis,
        /// The best offer of the first wait.
        best: Option<Offer>,
    },
    Requesting {
        offer: Offer,
        sent: u32,
        until: Millis,
    },
    Claiming {
        offer: Offer,
        lease: Box<Lease>,
    },
    Pausing {
        until: Millis,
    },
}

pub struct Client {
    machine: Machine,
    information: bool,
    tries: Tries,
    /// The number of the exchange, and its beginning.
    transaction: u32,
    began: Millis,
    /// Offered, and then did not give.
    unreliable: Vec<u8>,
    stage: Stage,
    out: Vec<Step>,
}

impl Client {
    pub fn new(options: Options) -> Self {
        Self {
            machine: options.machine,
            information: options.information,
            tries: Tries::new("DHCPv6", options.tries, options.seed),
            transaction: 0,
            began: Millis(0),
            unreliable: Vec::new(),
            stage: Stage::Silent,
            out: Vec::new(),
        }
    }

    /// Begins. `now` never runs backwards.
    pub fn start(&mut self, now: Millis) -> Vec<Step> {
        self.ask(now, 0);
        core::mem::take(&mut self.out)
    }

    pub fn hear(&mut self, now: Millis, heard: Heard<'_>) -> Vec<Step> {
        match heard {
            Heard::Message { from, bytes } => self.hear_message(now, from, bytes),
            Heard::Claimed(ours) => self.claimed(now, ours),
            Heard::Timer => {}
        }
        if self.deadline().is_some_and(|due| due <= now) {
            self.move_on(now);
        }
        core::mem::take(&mut self.out)
    }

    /// When to call back with [`Heard::Timer`], if nothing else is heard. `None` also while an
    /// address is being claimed: whoever does that knows when it ends.
    pub fn deadline(&self) -> Option<Millis> {
        match &self.stage {
            Stage::Silent | Stage::Claiming { .. } => None,
            Stage::Asking { until, .. }
            | Stage::Requesting { until, .. }
            | Stage::Pausing { until } => Some(*until),
        }
    }

    /// The end, because the caller waits no longer: why there is no lease.
    pub fn give_up(&mut self) -> Fault {
        self.stage = Stage::Silent;
        self.so_far()
    }

    /// Why there is no lease yet.
    pub fn so_far(&self) -> Fault {
        self.tries.so_far()
    }

    /// The wait is over.
    fn move_on(&mut self, now: Millis) {
        match core::mem::replace(&mut self.stage, Stage::Silent) {
            Stage::Silent | Stage::Claiming { .. } => {}
            Stage::Asking {
                best: Some(offer), ..
            } => self.request(now, offer, 0),
            Stage::Asking { sent, .. } => self.ask(now, sent),
            Stage::Pausing { .. } => self.ask(now, 0),
            Stage::Requesting { offer, sent, .. } if sent < REQUESTS => {
                self.request(now, offer, sent);
            }
            Stage::Requesting { offer, .. } => {
                let Offer { from, address, .. } = offer;
                self.tries.trouble(format!(
                    "{from} offered {address}, and did not give it then"
                ));
                self.unreliable = offer.server;
                self.ask(now, 0);
            }
        }
    }

    /// The next first message, after `sent` of them; the end, if there were enough.
    fn ask(&mut self, now: Millis, sent: u32) {
        if self.tries.is_over() {
            return self.fail();
        }
        self.tries.begin();
        let request = match self.information {
            true => Request::Information,
            false => Request::Solicit,
        };
        self.say(now, request, sent == 0);
        // The first wait is for all servers, and longer than that of any other client (§18.2.1).
        let least = if sent == 0 {
            wait_ms(0).saturating_add(1)
        } else {
            0
        };
        let wait = self.tries.wait(sent).max(least);
        self.stage = Stage::Asking {
            sent: sent.saturating_add(1),
            until: now.plus(wait),
            best: None,
        };
    }

    /// The next REQUEST, after `sent` of them.
    fn request(&mut self, now: Millis, offer: Offer, sent: u32) {
        let (server, address) = (&offer.server, offer.address);
        self.say(now, Request::Select { server, address }, sent == 0);
        self.stage = Stage::Requesting {
            offer,
            sent: sent.saturating_add(1),
            until: now.plus(self.tries.wait(sent)),
        };
    }

    fn hear_message(&mut self, now: Millis, from: Ipv6Addr, bytes: &[u8]) {
        if self.deadline().is_none() {
            return;
        }
        match Answer::parse(bytes, self.transaction, &self.machine.duid) {
            Ok(answer) => self.hear_answer(now, from, &answer),
            Err(Refused::Unusable(why)) => self.refuse(from, why),
            Err(Refused::NotForUs(_)) => {}
        }
    }

    fn hear_answer(&mut self, now: Millis, from: Ipv6Addr, answer: &Answer<'_>) {
        let lease = match self.information {
            true => answer.information(&self.machine, from),
            false => answer.lease(&self.machine, from),
        };
        match (&self.stage, answer.kind) {
            (Stage::Asking { .. }, Kind::Reply) if self.information => match lease {
                Ok(lease) => self.done(lease.into()),
                Err(why) => self.refuse(from, &why),
            },
            (Stage::Asking { .. }, _) if self.information => {}
            (Stage::Asking { .. }, Kind::Advertise) => match lease {
                Ok(lease) => self.offered(now, offer_of(answer, from, &lease)),
                Err(why) => self.refuse(from, &why),
            },
            (Stage::Asking { .. }, Kind::Reply) if answer.rapid => match lease {
                Ok(lease) => self.claim(answer, from, lease),
                Err(why) => self.refuse(from, &why),
            },
            (Stage::Requesting { offer, .. }, Kind::Reply) if offer.server == answer.server => {
                match lease {
                    Ok(lease) => self.claim(answer, from, lease),
                    Err(why) => {
                        self.refuse(from, &why);
                        self.unreliable = answer.server.to_vec();
                        self.pause(now);
                    }
                }
            }
            // Late, twice, or of a server that was not chosen.
            _ => {}
        }
    }

    fn offered(&mut self, now: Millis, offer: Offer) {
        let reliable = |offer: &Offer| offer.server != self.unreliable;
        let Stage::Asking { sent, best, .. } = &self.stage else {
            return;
        };
        let rank = |offer: &Offer| (reliable(offer), offer.preference);
        if *sent > 1 || rank(&offer) == (true, AT_ONCE) {
            return self.request(now, offer, 0);
        }
        let better = best.as_ref().is_none_or(|best| rank(&offer) > rank(best));
        if let Stage::Asking { best, .. } = &mut self.stage
            && better
        {
            *best = Some(offer);
        }
    }

    fn claim(&mut self, answer: &Answer<'_>, from: Ipv6Addr, lease: Lease) {
        let offer = offer_of(answer, from, &lease);
        self.out.push(Step::Claim(offer.address));
        let lease = lease.into();
        self.stage = Stage::Claiming { offer, lease };
    }

    /// The kernel has found out whose the address is.
    fn claimed(&mut self, now: Millis, ours: bool) {
        match core::mem::replace(&mut self.stage, Stage::Silent) {
            Stage::Claiming { lease, .. } if ours => self.done(lease),
            Stage::Claiming { offer, .. } => {
                let Offer { from, address, .. } = offer;
                self.tries.trouble(format!(
                    "{address}, which {from} gave, is in use by another machine"
                ));
                let server = &offer.server;
                self.say(now, Request::Decline { server, address }, true);
                self.pause(now);
            }
            other => self.stage = other,
        }
    }

    /// All over again in a while; see [`Tries::pause`].
    fn pause(&mut self, now: Millis) {
        if self.tries.is_over() {
            return self.fail();
        }
        self.stage = Stage::Pausing {
            until: now.plus(self.tries.pause()),
        };
    }

    fn done(&mut self, lease: Box<Lease>) {
        self.stage = Stage::Silent;
        self.out.push(Step::Done(lease));
    }

    fn fail(&mut self) {
        let fault = self.give_up();
        self.out.push(Step::Failed(fault));
    }

    fn refuse(&mut self, from: Ipv6Addr, why: &str) {
        self.tries.trouble(format!("the answer of {from} {why}"));
    }

    /// `new`: the first message of an exchange.
    fn say(&mut self, now: Millis, request: Request<'_>, new: bool) {
        if new {
            self.transaction = self.tries.dice.roll() >> 8;
            self.began = now;
        }
        let elapsed = u16::try_from(self.began.until(now) / 10).unwrap_or(u16::MAX);
        let message = request.build(&self.machine, self.transaction, elapsed);
        self.out.push(Step::Send(message));
    }
}

fn offer_of(answer: &Answer<'_>, from: Ipv6Addr, lease: &Lease) -> Offer {
    let address = match lease.address.map(|network| network.address) {
        Some(IpAddr::V6(address)) => address,
        _ => Ipv6Addr::UNSPECIFIED,
    };
    Offer {
        server: answer.server.to_vec(),
        from,
        address,
        preference: answer.preference,
    }
}

#[cfg(test)]
mod tests;
