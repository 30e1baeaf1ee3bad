//! A worker's conversation with DHCP servers: the plan's machine, joined with a link's sockets.

use crate::base::fault::Fault;
use crate::format::net::address::Mac;
use crate::format::net::dhcp4::{Machine, client_id_of};
use crate::format::net::frame::UdpSum;
use crate::format::net::lease::Lease;
use crate::format::net::order::LeaseOrder;
use crate::plan::talk::dhcp4::{Client, Options};
use crate::plan::talk::{Heard, Step};
use crate::sys::packet::{EtherType, Received, Socket};
use crate::sys::poll::Poll;
use crate::sys::{clock, random};

/// Longest packet that is taken: no link here has longer ones.
const LONGEST: usize = 9216;

const IPV4: u64 = 0;
const ARP: u64 = 1;

struct Line {
    ip: Socket,
    arp: Socket,
}

/// Runs to the end, which may never come: whoever asked ends this process. `tell` hears why
/// there is no lease yet, before each wait.
pub fn lease(order: &LeaseOrder, tell: &mut dyn FnMut(Fault)) -> Result<Box<Lease>, Fault> {
    let line = Line {
        ip: Socket::open(order.index, EtherType::Ipv4)?,
        arp: Socket::open(order.index, EtherType::Arp)?,
    };
    let poll = Poll::new()?;
    poll.add(&line.ip, IPV4)?;
    poll.add(&line.arp, ARP)?;
    let client_id = match order.client_id.is_empty() {
        true => client_id_of(order.mac),
        false => order.client_id.clone(),
    };
    let mut client = Client::new(Options {
        machine: Machine {
            mac: order.mac,
            client_id,
            hostname: order.hostname.clone(),
            vendor_class: order.vendor_class.clone(),
            broadcast: false,
        },
        tries: order.tries,
        extend: order.extend,
        seed: random::seed(),
    });
    let mut steps = client.start(clock::since_boot());
    let mut ready = Vec::new();
    loop {
        for step in steps.drain(..) {
            match step {
                Step::SendIp { to, packet } => send(&line.ip, to, &packet),
                Step::SendArp { to, packet } => send(&line.arp, to, &packet),
                Step::Done(lease) => return Ok(lease),
                Step::Failed(fault) => return Err(fault),
            }
        }
        tell(client.so_far());
        let wait_ms = client.deadline().map(|at| clock::since_boot().until(at));
        poll.wait(wait_ms, &mut ready)?;
        let now = clock::since_boot();
        for (socket, kind) in [(&line.ip, IPV4), (&line.arp, ARP)] {
            if ready.iter().any(|ready| ready.token == kind) {
                hear(socket, kind, &mut |heard| {
                    steps.extend(client.hear(now, heard))
                });
            }
        }
        steps.extend(client.hear(now, Heard::Timer));
    }
}

/// What a link does not take is lost, as any packet may be: it is sent again.
fn send(socket: &Socket, to: Mac, packet: &[u8]) {
    if let Err(fail) = socket.send(to.0, packet) {
        log::debug!("{fail}");
    }
}

/// Takes everything that is there.
fn hear(socket: &Socket, kind: u64, each: &mut dyn FnMut(Heard<'_>)) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let packet = match socket.receive(&mut buffer) {
            Ok(Received::Packet(packet)) => packet,
            Ok(Received::Foreign) => continue,
            // A link that went down is told once, and may come back.
            Ok(Received::Nothing) | Err(_) => return,
        };
        let bytes = buffer.get(..packet.length).unwrap_or_default();
        let sum = match packet.checksum_pending {
            true => UdpSum::LeftToCard,
            false => UdpSum::Made,
        };
        each(match kind {
            ARP => Heard::Arp(bytes),
            _ => Heard::Ip(bytes, sum),
        });
    }
}
