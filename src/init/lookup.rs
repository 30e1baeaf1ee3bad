//! A worker's conversation with name servers: the plan's machine, joined with sockets.

use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::net::dns::{ANSWER_MAX, Family, PORT};
use crate::format::net::order::LookupOrder;
use crate::plan::talk::dns::{Heard, Lookup, Options, Step};
use crate::sys::fail::Fail;
use crate::sys::poll::Poll;
use crate::sys::{clock, random, udp};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// The addresses of a name, in the order in which they are to be tried.
pub fn look_up(order: &LookupOrder) -> Result<Vec<IpAddr>, Fault> {
    let (v4, v6) = order.families;
    let families = [(v4, Family::V4), (v6, Family::V6)];
    let mut lookup = Lookup::new(Options {
        servers: order.servers.clone(),
        name: order.name.clone(),
        search: order.search.clone(),
        families: families
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, f)| *f)
            .collect(),
        seed: random::seed(),
    });
    let poll = Poll::new()?;
    // Each question has its own socket, and its number is the token.
    let mut sockets: Vec<(u32, OwnedFd)> = Vec::new();
    let mut steps = lookup.start(clock::since_boot());
    let mut ready = Vec::new();
    loop {
        let now = clock::since_boot();
        for step in std::mem::take(&mut steps) {
            match step {
                Step::Ask { ask, server, query } => {
                    let sent = send(&poll, ask, server, &query);
                    match sent {
                        Ok(socket) => sockets.push((ask, socket)),
                        Err(fail) => {
                            let why = fail.to_string();
                            steps.extend(lookup.hear(now, Heard::Lost { ask, why: &why }));
                        }
                    }
                }
                Step::Done(addresses) => return Ok(addresses),
                Step::Failed(fault) => return Err(fault),
            }
        }
        if !steps.is_empty() {
            continue;
        }
        let wait_ms = lookup.deadline().map(|at| clock::since_boot().until(at));
        poll.wait(wait_ms, &mut ready)?;
        let now = clock::since_boot();
        for (ask, socket) in &sockets {
            if ready.iter().any(|ready| ready.token == u64::from(*ask)) {
                steps.extend(hear(&mut lookup, now, *ask, socket));
            }
        }
        steps.extend(lookup.hear(now, Heard::Timer));
    }
}

fn send(poll: &Poll, ask: u32, server: IpAddr, query: &[u8]) -> Result<OwnedFd, Fail> {
    let socket = udp::connect(SocketAddr::new(server, PORT))?;
    udp::send(&socket, query)?;
    poll.add(&socket, u64::from(ask))?;
    Ok(socket)
}

fn hear(lookup: &mut Lookup, now: Millis, ask: u32, socket: &OwnedFd) -> Vec<Step> {
    let mut buffer = vec![0; ANSWER_MAX + 1];
    match udp::receive(socket, &mut buffer) {
        Ok(Some(length)) => {
            let message = buffer.get(..length).unwrap_or_default();
            lookup.hear(now, Heard::Answer { ask, message })
        }
        Ok(None) => Vec::new(),
        Err(fail) => {
            let why = fail.to_string();
            lookup.hear(now, Heard::Lost { ask, why: &why })
        }
    }
}
