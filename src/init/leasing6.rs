//! A worker's conversation with DHCPv6 servers: the plan's machine, joined with a socket of the
//! link's own address, and with the kernel, which knows whose an address is.

use crate::act::claim_address;
use crate::base::fault::Fault;
use crate::format::net::address::Network;
use crate::format::net::dhcp6::{CLIENT_PORT, Machine, SERVER_PORT, SERVERS, duid_of, iaid_of};
use crate::format::net::lease::Lease;
use crate::format::net::order::{Asked, LeaseOrder};
use crate::format::netlink::address::Wanted;
use crate::plan::talk::dhcp6::{Client, Heard, Options, Step};
use crate::sys::poll::Poll;
use crate::sys::{clock, random, udp};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::OwnedFd;

/// Longest message that is taken: no datagram is longer.
const LONGEST: usize = 64 << 10;

const NO_OWN: &str = "the link has no address of its own yet: is IPv6 switched off?";

/// How long the link's own address is waited for until that is told, in milliseconds.
const WAIT_MS: u64 = 5_000;

/// Runs to the end, which may never come: whoever asked ends this process. `tell` hears why
/// there is no lease yet, before each wait.
pub fn lease(
    link: &str,
    order: &LeaseOrder,
    tell: &mut dyn FnMut(Fault),
) -> Result<Box<Lease>, Fault> {
    let own = own_address(order.index, tell)?;
    let socket = udp::bind(SocketAddrV6::new(own, CLIENT_PORT, 0, order.index))?;
    let poll = Poll::new()?;
    poll.add(&socket, 0)?;
    let mut client = Client::new(Options {
        machine: Machine {
            duid: duid_of(order.mac),
            iaid: iaid_of(order.mac),
            vendor_class: order.vendor_class.clone(),
        },
        information: order.asked == Asked::Information,
        tries: order.tries,
        seed: random::seed(),
    });
    let servers = SocketAddrV6::new(SERVERS, SERVER_PORT, 0, order.index);
    let mut steps = client.start(clock::since_boot());
    let mut ready = Vec::new();
    loop {
        for step in std::mem::take(&mut steps) {
            match step {
                // What a link does not take is lost, as any packet may be: it is sent again.
                Step::Send(message) => {
                    if let Err(fail) = udp::send_to(&socket, &message, servers) {
                        log::debug!("{fail}");
                    }
                }
                Step::Claim(address) => {
                    let ours = claim(link, address)?;
                    steps.extend(client.hear(clock::since_boot(), Heard::Claimed(ours)));
                }
                Step::Done(lease) => return Ok(lease),
                Step::Failed(fault) => return Err(fault),
            }
        }
        if !steps.is_empty() {
            continue;
        }
        tell(client.so_far());
        let wait_ms = client.deadline().map(|at| clock::since_boot().until(at));
        poll.wait(wait_ms, &mut ready)?;
        hear(&socket, &mut |heard| {
            steps.extend(client.hear(clock::since_boot(), heard))
        });
        steps.extend(client.hear(clock::since_boot(), Heard::Timer));
    }
}

fn own_address(index: u32, tell: &mut dyn FnMut(Fault)) -> Result<Ipv6Addr, Fault> {
    loop {
        match claim_address::own_address(index, WAIT_MS)? {
            Some(own) => return Ok(own),
            None => tell(Fault::plain(NO_OWN)),
        }
    }
}

fn claim(link: &str, address: Ipv6Addr) -> Result<bool, Fault> {
    let network = Network {
        address: address.into(),
        prefix: 128,
    };
    claim_address::claim(link, &Wanted::from(network).leased())
}

/// Takes everything that is there.
fn hear(socket: &OwnedFd, each: &mut dyn FnMut(Heard<'_>)) {
    let mut buffer = vec![0; LONGEST];
    // An error is what somebody said of a datagram that was sent: it is told once.
    while let Ok(Some((length, from))) = udp::receive_from(socket, &mut buffer) {
        let bytes = buffer.get(..length).unwrap_or_default();
        each(Heard::Message { from, bytes });
    }
}
