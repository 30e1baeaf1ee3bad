//! A DHCPv4 client until it has a lease. Renewing it is the real system's.
//!
//! # One conversation
//! DISCOVER, OFFER, REQUEST, ACK (RFC 2131 §3.1): the first usable offer is taken. With the
//! REQUEST an ARP probe asks whether somebody has the address already; the lease is there when
//! the ACK is, and [`PROBE_MS`] have passed without a conflict.
//!
//! # A lease that ends
//! Where there is one ([`Options::extend`]), more of it is asked for (RFC 2131 §4.4.5). The RFC has
//! its server asked alone at first, and everybody later; here all are asked at once: the same
//! packet reaches the same server, without a way to it being known. The lease is there when an ACK
//! for the same address is. Nobody's word but that of its server ends it early.
//!
//! # What goes wrong
//! No offer: DISCOVER again, after [`super::wait_ms`]. No ACK after [`REQUESTS`]: all over again,
//! and the same server's offer counts only if no other came within the first wait; a server that
//! offers, but never acknowledges, else would win for ever. A NAK, or a conflict (which is told
//! the server, DECLINE): all over again after a pause that grows. Each time with another `xid`:
//! what arrives late does not count.
//!
//! # The end
//! Never by itself, unless the number of DISCOVERs is bounded, or a lease ends: the deadline is the
//! caller's. The fault names the last few things that went wrong.

use super::tries::Tries;
use super::{Heard, Step, wait_ms};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::net::address::Mac;
use crate::format::net::dhcp4::{
    Answer, CLIENT_PORT, Kind, Machine, Refused, Request, SERVER_PORT,
};
use crate::format::net::frame::{Arp, Datagram, UdpSum};
use crate::format::net::lease::Lease;
use crate::format::net::order::Extend;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddrV4};

/// How long a holder of the address has to answer the probe, in milliseconds. RFC 5227 §2.1.1
/// probes three times within up to seven seconds, for addresses that machines pick themselves.
/// A server knows whom it gave what to, and many ping an address before they offer it; a machine
/// on the same link answers ARP within a few milliseconds, and every boot has to wait.
pub const PROBE_MS: u64 = 100;

/// REQUESTs until the server counts as gone: 7 seconds.
const REQUESTS: u32 = 3;

/// Who asks, and how often.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub machine: Machine,
    /// DISCOVERs in all, at least one. `None`: until the caller gives up.
    pub tries: Option<u32>,
    /// No new lease is wanted, but more of this one.
    pub extend: Option<Extend>,
    /// For the `xid` and for the waits: anything that differs between machines and boots.
    pub seed: u64,
}

/// What a server offered.
#[derive(Clone, Copy)]
struct Offer {
    server: Ipv4Addr,
    address: Ipv4Addr,
}

enum Stage {
    /// Before the start, or after the end.
    Silent,
    /// `sent` DISCOVERs with this `xid`.
    Discovering {
        sent: u32,
        until: Millis,
    },
    Requesting {
        offer: Offer,
        sent: u32,
        until: Millis,
        /// A holder of the address would have answered the probe by then.
        probed: Millis,
        /// It is acknowledged.
        lease: Option<Box<Lease>>,
    },
    Pausing {
        until: Millis,
    },
    /// More of a lease is asked for.
    Extending {
        extend: Extend,
        until: Millis,
    },
}

pub struct Client {
    machine: Machine,
    extend: Option<Extend>,
    tries: Tries,
    began: Millis,
    xid: u32,
    /// Of the last DISCOVER; a REQUEST has the same (RFC 2131 §4.4.1).
    secs: u16,
    /// Offered, and then did not acknowledge.
    unreliable: Option<Ipv4Addr>,
    stage: Stage,
    out: Vec<Step>,
}

impl Client {
    pub fn new(options: Options) -> Self {
        Self {
            machine: options.machine,
            extend: options.extend,
            tries: Tries::new("DHCP", options.tries, options.seed),
            began: Millis(0),
            xid: 0,
            secs: 0,
            unreliable: None,
            stage: Stage::Silent,
            out: Vec::new(),
        }
    }

    /// Begins. `now` never runs backwards.
    pub fn start(&mut self, now: Millis) -> Vec<Step> {
        self.began = now;
        match self.extend {
            None => self.begin(now),
            Some(extend) => {
                self.xid = self.tries.dice.roll();
                self.extend(now, extend);
            }
        }
        core::mem::take(&mut self.out)
    }

    pub fn hear(&mut self, now: Millis, heard: Heard<'_>) -> Vec<Step> {
        match heard {
            Heard::Ip(packet, udp_sum) => self.hear_ip(now, packet, udp_sum),
            Heard::Arp(packet) => self.hear_arp(now, packet),
            Heard::Timer => {}
        }
        if self.deadline().is_some_and(|due| due <= now) {
            self.move_on(now);
        }
        core::mem::take(&mut self.out)
    }

    /// When to call back with [`Heard::Timer`], if nothing else is heard.
    pub fn deadline(&self) -> Option<Millis> {
        match &self.stage {
            Stage::Silent => None,
            Stage::Requesting {
                probed,
                lease: Some(_),
                ..
            } => Some(*probed),
            Stage::Discovering { until, .. }
            | Stage::Requesting { until, .. }
            | Stage::Pausing { until }
            | Stage::Extending { until, .. } => Some(*until),
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
            Stage::Silent => {}
            Stage::Discovering { sent, .. } => self.discover(now, sent),
            Stage::Pausing { .. } => self.begin(now),
            Stage::Extending { extend, .. } => self.extend(now, extend),
            Stage::Requesting {
                lease: Some(lease), ..
            } => self.out.push(Step::Done(lease)),
            Stage::Requesting { offer, sent, .. } if sent < REQUESTS => {
                self.request(now, offer, sent);
            }
            Stage::Requesting { offer, .. } => {
                let Offer { server, address } = offer;
                self.tries.trouble(format!(
                    "{server} offered {address}, and did not acknowledge it"
                ));
                self.unreliable = Some(server);
                self.begin(now);
            }
        }
    }

    /// From the first DISCOVER on, as if nothing had been said.
    fn begin(&mut self, now: Millis) {
        self.xid = self.tries.dice.roll();
        self.discover(now, 0);
    }

    /// The next DISCOVER, after `sent` of them; the end, if there were enough.
    fn discover(&mut self, now: Millis, sent: u32) {
        if self.tries.is_over() {
            return self.fail();
        }
        self.tries.begin();
        let secs = self.began.until(now) / 1000;
        self.secs = u16::try_from(secs).unwrap_or(u16::MAX);
        self.say(Request::Discover);
        self.stage = Stage::Discovering {
            sent: sent.saturating_add(1),
            until: now.plus(self.tries.wait(sent)),
        };
    }

    /// The next REQUEST, after `sent` of them.
    fn request(&mut self, now: Millis, offer: Offer, sent: u32) {
        let Offer { server, address } = offer;
        self.say(Request::Select { server, address });
        self.probe(address);
        self.stage = Stage::Requesting {
            offer,
            sent: sent.saturating_add(1),
            until: now.plus(self.tries.wait(sent)),
            probed: now.plus(PROBE_MS),
            lease: None,
        };
    }

    /// Asks for more of a lease; the end, where it is over. The waits are half of what is left, as
    /// RFC 2131 §4.4.5 has them, and no shorter than the longest of the other waits.
    fn extend(&mut self, now: Millis, extend: Extend) {
        let ends = self.began.plus(u64::from(extend.rest).saturating_mul(1000));
        if now >= ends {
            return self.fail();
        }
        self.tries.begin();
        let address = extend.address;
        self.say_from(address, Request::Extend { address });
        let wait = (now.until(ends) / 2).max(wait_ms(u32::MAX));
        let until = now.plus(wait).min(ends);
        self.stage = Stage::Extending { extend, until };
    }

    fn hear_extension(&mut self, answer: &Answer<'_>, extend: Extend) {
        let server = answer.server;
        match answer.kind {
            Kind::Ack => match answer.lease(&self.machine.client_id) {
                Ok(lease) if is_of(&lease, extend.address) => {
                    self.stage = Stage::Silent;
                    self.out.push(Step::Done(Box::new(lease)));
                }
                Ok(_) => self.refuse(server, "is about another address"),
                Err(why) => self.refuse(server, why),
            },
            Kind::Nak if server == extend.server => {
                self.refused_by(extend.address, answer);
                self.fail();
            }
            _ => {}
        }
    }

    fn hear_ip(&mut self, now: Millis, packet: &[u8], udp_sum: UdpSum) {
        if matches!(self.stage, Stage::Silent) {
            return;
        }
        let datagram = Datagram::parse(packet, udp_sum);
        let Some(datagram) = datagram.filter(|d| d.to.port() == CLIENT_PORT) else {
            return;
        };
        match Answer::parse(datagram.payload, self.xid, self.machine.mac) {
            Ok(answer) => self.hear_answer(now, &answer),
            Err(Refused::Unusable(why)) => self.refuse(*datagram.from.ip(), why),
            Err(Refused::NotForUs(_)) => {}
        }
    }

    fn hear_answer(&mut self, now: Millis, answer: &Answer<'_>) {
        let server = answer.server;
        if let Stage::Extending { extend, .. } = self.stage {
            return self.hear_extension(answer, extend);
        }
        match (&self.stage, answer.kind) {
            (Stage::Discovering { sent, .. }, Kind::Offer) => {
                let others_first = *sent == 1 && self.unreliable == Some(server);
                match answer.lease(&[]) {
                    Err(why) => self.refuse(server, why),
                    Ok(_) if others_first => {}
                    Ok(_) => {
                        let address = answer.address;
                        self.request(now, Offer { server, address }, 0);
                    }
                }
            }
            (Stage::Requesting { offer, lease, .. }, Kind::Ack | Kind::Nak)
                if offer.server == server && lease.is_none() =>
            {
                let offered = offer.address;
                match answer.kind {
                    Kind::Nak => self.refused(now, offered, answer),
                    _ => match answer.lease(&self.machine.client_id) {
                        Err(why) => self.refuse(server, why),
                        Ok(lease) => self.acknowledged(now, offered, lease),
                    },
                }
            }
            // Late, twice, or of a server that was not chosen.
            _ => {}
        }
    }

    /// The ACK is there.
    fn acknowledged(&mut self, now: Millis, offered: Ipv4Addr, given: Lease) {
        // Not what was offered, but nothing forbids it: somebody may have that one, too.
        let another = match given.address.map(|network| network.address) {
            Some(IpAddr::V4(address)) if address != offered => Some(address),
            _ => None,
        };
        if let Some(address) = another {
            self.probe(address);
        }
        if let Stage::Requesting {
            offer,
            probed,
            lease,
            ..
        } = &mut self.stage
        {
            if let Some(address) = another {
                offer.address = address;
                *probed = now.plus(PROBE_MS);
            }
            *lease = Some(Box::new(given));
        }
    }

    /// The NAK is there.
    fn refused(&mut self, now: Millis, offered: Ipv4Addr, answer: &Answer<'_>) {
        self.refused_by(offered, answer);
        self.unreliable = Some(answer.server);
        self.pause(now);
    }

    fn refused_by(&mut self, address: Ipv4Addr, answer: &Answer<'_>) {
        let server = answer.server;
        self.tries.trouble(match answer.message() {
            Some(text) => format!("{server} refused {address}: {text}"),
            None => format!("{server} refused {address}"),
        });
    }

    /// Only who says that the address is its own has it. Another's probe counts for RFC 5227
    /// §2.1.1, but two machines do not pick an address at the same time where a server gives them,
    /// and switches that keep a list of who is there probe each new address. The server has the
    /// REQUEST by now, whether its ACK is here or not: it knows what is declined.
    fn hear_arp(&mut self, now: Millis, packet: &[u8]) {
        let Stage::Requesting { offer, .. } = &self.stage else {
            return;
        };
        let Offer { server, address } = *offer;
        let claim = Arp::parse(packet)
            .filter(|arp| arp.sender == address && arp.sender_mac != self.machine.mac);
        if let Some(claim) = claim {
            let holder = claim.sender_mac;
            self.tries.trouble(format!(
                "{address}, which {server} offered, is in use by {holder}"
            ));
            self.say(Request::Decline { server, address });
            self.pause(now);
        }
    }

    /// All over again in a while. RFC 2131 §3.1 wants 10 seconds after a DECLINE, so that a server
    /// that offers what others have is not flooded; see [`Tries::pause`].
    fn pause(&mut self, now: Millis) {
        if self.tries.is_over() {
            return self.fail();
        }
        self.stage = Stage::Pausing {
            until: now.plus(self.tries.pause()),
        };
    }

    fn fail(&mut self) {
        let fault = self.give_up();
        self.out.push(Step::Failed(fault));
    }

    fn refuse(&mut self, from: Ipv4Addr, why: &str) {
        self.tries.trouble(format!("the answer of {from} {why}"));
    }

    /// To all servers.
    fn say(&mut self, request: Request) {
        self.say_from(Ipv4Addr::UNSPECIFIED, request);
    }

    fn say_from(&mut self, own: Ipv4Addr, request: Request) {
        let datagram = Datagram {
            from: SocketAddrV4::new(own, CLIENT_PORT),
            to: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
            payload: &request.build(&self.machine, self.xid, self.secs),
        };
        if let Some(packet) = datagram.build() {
            let to = Mac::BROADCAST;
            self.out.push(Step::SendIp { to, packet });
        }
    }

    fn probe(&mut self, address: Ipv4Addr) {
        self.out.push(Step::SendArp {
            to: Mac::BROADCAST,
            packet: Arp::probe(self.machine.mac, address).build(),
        });
    }
}

fn is_of(lease: &Lease, address: Ipv4Addr) -> bool {
    let given = lease.address.map(|network| network.address);
    given == Some(IpAddr::V4(address))
}

#[cfg(test)]
mod tests;
