//! A worker's conversation with a server of blocks, until the kernel has its connection.

use super::keeping::{self, Kept};
use crate::act::watch_nbd::Watch;
use crate::act::{attach_iscsi, attach_nbd, connect_nvme, discover_aoe, firmware_tables, map_rbd};
use crate::base::fault::Fault;
use crate::crypt::chap;
use crate::format::iscsi::status::Address;
use crate::format::iscsi::{self, Negotiated};
use crate::format::nbd::reference::Reference;
use crate::format::nbd::{Export, Flags};
use crate::format::remote::Host;
use crate::format::remote::target::Target;
use crate::plan::talk::iscsi as talk;
use crate::plan::talk::nbd::{Handshake, Heard, Options, Step};
use crate::sys::clock;
use crate::sys::random;
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
        (Target::Iscsi(wanted), Some(server)) => iscsi(wanted, server),
        (Target::Rbd(wanted), _) => map_rbd::map(wanted).map(Some),
        (_, None) => Err(Fault::plain("connect: the server has no address")),
    }
}

fn nbd(wanted: &Reference, server: IpAddr) -> Result<String, Fault> {
    // A connection that breaks right away is known, too.
    let watch = Watch::open()?;
    let address = SocketAddr::new(server, wanted.port);
    let (export, first) = shake_hands(&wanted.export, address)?;
    let mut sockets = vec![first];
    let connections = match export.flags.has(Flags::MULTI_CONN) {
        true => wanted.options.connections.unwrap_or(1),
        false => 1,
    };
    for _ in 1..connections {
        sockets.push(shake_hands(&wanted.export, address)?.1);
    }
    let index = attach_nbd::give_to_kernel(&sockets, &export, &wanted.options)?;
    let kept = Kept {
        index,
        server: address,
        name: wanted.export.clone(),
        export,
        connections,
    };
    // A root that does not outlive its server's restart is still a root.
    if let Err(fault) = keeping::start(&kept, &watch) {
        log::warn!("nbd{index} will not be connected again if it breaks: {fault}");
    }
    Ok(format!("nbd{index}"))
}

/// A connection whose handshake is done: the kernel may have it.
pub fn shake_hands(name: &str, address: SocketAddr) -> Result<(Export, OwnedFd), Fault> {
    let socket = attach_nbd::connect(address, WAIT_MS)?;
    let mut client = Handshake::new(Options {
        server: address.to_string(),
        export: name.into(),
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

/// A login that was moved elsewhere goes on there.
fn iscsi(wanted: &iscsi::Reference, server: IpAddr) -> Result<Option<String>, Fault> {
    let wanted = &firmware_tables::with_passwords(wanted);
    if let Some(why) = wanted.problem() {
        return Err(Fault::plain(format!("{wanted} {why}")));
    }
    let portal = SocketAddr::new(server, wanted.port);
    let initiator = attach_iscsi::initiator(wanted);
    let (mut there, mut moves) = (portal, 0);
    let (agreed, socket) = loop {
        match log_in(wanted, there, &initiator, moves)? {
            LoggedIn::Here(agreed, socket) => break (agreed, socket),
            LoggedIn::Moved(to) => (there, moves) = (to, moves + 1),
        }
    };
    let host = attach_iscsi::give_to_kernel(&socket, portal, &agreed, wanted, &initiator)?;
    attach_iscsi::show_disks(host, wanted.lun, WAIT_MS)
}

enum LoggedIn {
    Here(Box<Negotiated>, OwnedFd),
    Moved(SocketAddr),
}

fn log_in(
    wanted: &iscsi::Reference,
    portal: SocketAddr,
    initiator: &str,
    moves: u32,
) -> Result<LoggedIn, Fault> {
    let socket = attach_iscsi::connect(portal, WAIT_MS)?;
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let seeds = [random::seed(), random::seed()];
    let mut login = talk::Login::new(talk::Options {
        server: portal.to_string(),
        target: wanted.target.clone(),
        initiator: initiator.into(),
        user: some(&wanted.user),
        user_in: some(&wanted.user_in),
        isid: iscsi::session_id(0),
        challenge: seeds.iter().flat_map(|seed| seed.to_ne_bytes()).collect(),
        moves,
    });
    let mut buffer = vec![0; 4096];
    let mut steps = login.start(clock::since_boot());
    loop {
        let mut next = Vec::new();
        for step in steps {
            let now = clock::since_boot();
            match step {
                talk::Step::Send(bytes) => tcp::send(&socket, &bytes, WAIT_MS)?,
                talk::Step::Prove(question) => {
                    let proof = chap::answer(&question, &wanted.password);
                    next = login.hear(now, talk::Heard::Proof(&proof));
                }
                talk::Step::Verify { question, answer } => {
                    let right = chap::is_answer(&question, &wanted.password_in, &answer);
                    next = login.hear(now, talk::Heard::Verified(right));
                }
                talk::Step::Done(agreed) => return Ok(LoggedIn::Here(agreed, socket)),
                talk::Step::Moved(to) => return Ok(LoggedIn::Moved(moved_to(&to)?)),
                talk::Step::Failed(fault) => return Err(fault),
            }
        }
        steps = next;
        if !steps.is_empty() {
            continue;
        }
        let due = login.deadline().unwrap_or_else(clock::since_boot);
        let wait_ms = clock::since_boot().until(due);
        // What comes after the login is for the kernel.
        let most = login.wanted().min(buffer.len());
        let room = buffer.get_mut(..most).unwrap_or_default();
        steps = match tcp::receive(&socket, room, wait_ms)? {
            Received::Bytes(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                login.hear(clock::since_boot(), talk::Heard::Bytes(bytes))
            }
            Received::Closed => login.hear(clock::since_boot(), talk::Heard::Closed),
            Received::Nothing => login.hear(clock::since_boot(), talk::Heard::Timer),
        };
    }
}

fn moved_to(to: &Address) -> Result<SocketAddr, Fault> {
    match &to.host {
        Host::Address(address) => Ok(SocketAddr::new(*address, to.port)),
        Host::Name(name) => {
            let text = format!("the iSCSI target has moved to {name}, and that is no address");
            Err(Fault::plain(text))
        }
    }
}
