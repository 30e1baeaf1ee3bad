//! A worker's conversation with a server of blocks, until the kernel has its connection.

use crate::act::{attach_nbd, connect_nvme, discover_aoe};
use crate::base::fault::Fault;
use crate::format::nbd::Export;
use crate::format::nbd::reference::Reference;
use crate::format::remote::target::Target;
use crate::plan::talk::nbd::{Handshake, Heard, Options, Step};
use crate::sys::clock;
use crate::sys::tcp::{self, Received};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// Milliseconds for each step with a server that is there.
const WAIT_MS: u64 = 10_000;

/// The disk's name, where it is known; the kernel announces it.
pub fn connect(target: &Target, server: Option<IpAddr>) -> Result<Option<String>, Fault> {
    match (target, server) {
        (Target::Aoe, _) => discover_aoe::discover().map(|()| None),
        (Target::Nvme(wanted), Some(server)) => {
            connect_nvme::connect(server, wanted).map(|()| None)
        }
        (Target::Nbd(wanted), Some(server)) => nbd(wanted, server).map(Some),
        (_, None) => Err(Fault::plain("connect: the server has no address")),
    }
}

fn nbd(wanted: &Reference, server: IpAddr) -> Result<String, Fault> {
    let address = SocketAddr::new(server, wanted.port);
    let (export, first) = shake_hands(wanted, address)?;
    let mut sockets = vec![first];
    let more = wanted.options.connections.unwrap_or(1).saturating_sub(1);
    if export.flags.has(crate::format::nbd::Flags::MULTI_CONN) {
        for _ in 0..more {
            sockets.push(shake_hands(wanted, address)?.1);
        }
    }
    attach_nbd::give_to_kernel(&sockets, &export, &wanted.options)
}

fn shake_hands(wanted: &Reference, address: SocketAddr) -> Result<(Export, OwnedFd), Fault> {
    let socket = attach_nbd::connect(address, WAIT_MS, wanted.options.persist)?;
    let mut client = Handshake::new(Options {
        server: address.to_string(),
        export: wanted.export.clone(),
    });
    let mut buffer = vec![0; 4096];
    let mut steps = client.start(clock::since_boot());
    loop {
        for step in steps {
            match step {
                Step::Send(bytes) => tcp::send(&socket, &bytes, WAIT_MS)?,
                Step::Done(export) => return Ok((export, socket)),
                Step::Failed(fault) => return Err(fault),
            }
        }
        let due = client.deadline().unwrap_or_else(clock::since_boot);
        let wait_ms = clock::since_boot().until(due);
        let heard = match tcp::receive(&socket, &mut buffer, wait_ms)? {
            Received::Bytes(length) => Heard::Bytes(buffer.get(..length).unwrap_or_default()),
            Received::Closed => Heard::Closed,
            Received::Nothing => Heard::Timer,
        };
        steps = client.hear(clock::since_boot(), heard);
    }
}
