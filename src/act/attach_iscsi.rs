//! Gives the connection of an iSCSI session to the kernel, which shows the target's disks.
//!
//! # The order
//! [`connect`]; the login (a conversation, which whoever calls holds); [`give_to_kernel`];
//! [`show_disks`]. The kernel never hears of the login: it gets a socket on which the next message
//! is a command, and what both sides agreed on. From then on the socket is its own, and no process
//! has to stay.
//!
//! # When the connection breaks
//! The kernel does not log in again. Requests wait for the time that the reference says, a day if
//! nothing else is said; then they fail. Somebody else logs in again meanwhile: `iscsid` of the
//! real system takes over each session that it finds in `/sys/class/iscsi_session` when it starts,
//! whoever began it, with names, portal, users and passwords as they stand there, and with the
//! settings of its own records where it has one of the same target, group, portal and interface.
//! It begins with a login of its own, on a new connection; requests wait for the moment that this
//! takes. That is why the kernel is told the passwords: it shows them to root only. Without iscsid,
//! TCP's patience is all there is.
//! Sources: usr/iscsid.c (`sync_session`), usr/initiator.c (`iscsi_sync_session`) and README of
//! open-iscsi 2.1; drivers/scsi/scsi_transport_iscsi.c, libiscsi.c, iscsi_tcp.c (Linux 6.12).

use crate::base::fault::Fault;
use crate::base::hex;
use crate::base::secret::Secret;
use crate::format::iscsi::kernel::{self, Answer, Connection, Param};
use crate::format::iscsi::{Negotiated, Reference, reference};
use crate::format::netlink::message::Messages;
use crate::sys::dir::{self, Want};
use crate::sys::fail::{Fail, sentence};
use crate::sys::netlink::{LONGEST, Protocol, Received, Socket};
use crate::sys::poll::Poll;
use crate::sys::uevent::{self, Listener};
use crate::sys::{clock, proc_sys, random, tcp};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

/// The kernel answers within the call, once it has stopped what was under way.
const WAIT_MS: u64 = 15_000;

/// Events of others that are passed over while an answer is waited for.
const EVENTS_MAX: usize = 256;

/// What iscsid calls settings that nobody made: those by which it finds the session's record.
const INTERFACE: &str = "default";

/// Connects to a portal within `wait_ms`.
///
/// # Errors
/// Nobody answers in time, or somebody refuses.
pub fn connect(portal: SocketAddr, wait_ms: u64) -> Result<OwnedFd, Fault> {
    tcp::connect(portal, wait_ms, None).map_err(|fail| {
        let advice = match fail.errno {
            libc::ECONNREFUSED => ": the machine is there, but no iSCSI target on this port",
            libc::ETIMEDOUT | libc::EHOSTUNREACH => ": the machine does not answer",
            libc::ENETUNREACH => ": no link leads there: is an address set, and a route?",
            _ => "",
        };
        Fault::new(fail.errno, format!("{fail}{advice}"))
    })
}

/// Makes a session of a connection whose login is done: the number of its SCSI host. `portal` is
/// where the target was first asked for, not where it may have moved to; `initiator` is who was
/// logged in.
///
/// # Errors
/// The driver is not there, or refuses what it is told; nothing of the session stays then.
pub fn give_to_kernel(
    socket: &OwnedFd,
    portal: SocketAddr,
    agreed: &Negotiated,
    wanted: &Reference,
    initiator: &str,
) -> Result<u32, Fault> {
    let mut driver = Driver::open()?;
    let message = kernel::create_session(driver.transport, agreed.cmd_sn);
    let [session, host] = driver.ask(kernel::CREATE_SESSION, message, "make a session")?;
    let here = Connection {
        transport: driver.transport,
        session,
    };
    let number = u32::try_from(socket.as_raw_fd()).unwrap_or(u32::MAX);
    let params = params(portal, agreed, wanted, initiator);
    let started = driver.start(&here, number, &params);
    match started {
        Ok(()) => Ok(host),
        Err(fault) => {
            // What is not there cannot be stopped: that is no other fault.
            for (kind, message) in [
                (kernel::STOP_CONNECTION, here.stop()),
                (
                    kernel::DESTROY_CONNECTION,
                    here.about(kernel::DESTROY_CONNECTION),
                ),
                (kernel::DESTROY_SESSION, here.about(kernel::DESTROY_SESSION)),
            ] {
                let _ = driver.ask(kind, message, "end a session");
            }
            Err(fault)
        }
    }
}

/// Everything that the kernel, and iscsid after it, has to know.
fn params(
    portal: SocketAddr,
    agreed: &Negotiated,
    wanted: &Reference,
    initiator: &str,
) -> Vec<(Param, Secret)> {
    let group = agreed.portal_group.or(wanted.group).unwrap_or(1);
    let mut all = Vec::new();
    for (param, value) in [
        (Param::MaxRecv, agreed.max_recv),
        (Param::MaxXmit, agreed.max_xmit),
        (Param::HeaderDigest, agreed.header_digest.into()),
        (Param::DataDigest, agreed.data_digest.into()),
        (Param::InitialR2t, agreed.initial_r2t.into()),
        (Param::MaxR2t, agreed.max_outstanding_r2t),
        (Param::ImmediateData, agreed.immediate_data.into()),
        (Param::FirstBurst, agreed.first_burst),
        (Param::MaxBurst, agreed.max_burst),
        (Param::PduInOrder, agreed.pdu_in_order.into()),
        (Param::SequenceInOrder, agreed.sequence_in_order.into()),
        (Param::ErrorRecovery, agreed.error_recovery),
        (Param::ExpStatSn, agreed.exp_stat_sn),
        (Param::PortalGroup, group.into()),
        (Param::Port, portal.port().into()),
        (Param::RecoveryTime, wanted.recovery_s),
    ] {
        all.push((param, Secret::copy_of(value.to_string().as_bytes())));
    }
    let address = portal.ip().to_string();
    for (param, value) in [
        (Param::TargetName, wanted.target.as_bytes()),
        (Param::Address, address.as_bytes()),
        (Param::Initiator, initiator.as_bytes()),
        (Param::Interface, INTERFACE.as_bytes()),
        (Param::Alias, agreed.alias.as_bytes()),
        (Param::User, wanted.user.as_bytes()),
        (Param::UserIn, wanted.user_in.as_bytes()),
        (Param::Password, wanted.password.as_bytes()),
        (Param::PasswordIn, wanted.password_in.as_bytes()),
    ] {
        // The kernel shows what it was not told as it should be: as nothing.
        if !value.is_empty() {
            all.push((param, Secret::copy_of(value)));
        }
    }
    all
}

/// The kernel's driver, and its attention.
struct Driver {
    socket: Socket,
    transport: u64,
    buffer: Vec<u8>,
}

impl Driver {
    fn open() -> Result<Self, Fault> {
        let missing = |fail: Fail| {
            let text = format!("{fail}: the driver iscsi_tcp is not there");
            Fault::new(fail.errno, text)
        };
        let path = "/sys/class/iscsi_transport/tcp/handle";
        let handle = proc_sys::read(path, 32).map_err(missing)?;
        let handle = std::str::from_utf8(&handle).ok();
        let transport = handle.and_then(|handle| handle.trim().parse().ok());
        let transport = transport.ok_or_else(|| Fault::plain(format!("{path} holds no number")))?;
        let socket = Socket::open(Protocol::Iscsi, Some(WAIT_MS)).map_err(missing)?;
        // Newer kernels answer without it.
        let _ = socket.join(kernel::GROUP);
        Ok(Self {
            socket,
            transport,
            buffer: vec![0; LONGEST],
        })
    }

    /// Sends a message, which may hold a password, and waits for what comes of it.
    fn ask(&mut self, kind: u16, message: Vec<u8>, what: &str) -> Result<[u32; 2], Fault> {
        let message = Secret::from(message);
        self.socket.send(message.as_bytes())?;
        for _ in 0..EVENTS_MAX {
            let length = match self.socket.receive(&mut self.buffer)? {
                Received::Message(length) => length,
                Received::Foreign | Received::Overflow => continue,
                Received::Nothing => break,
            };
            let datagram = self.buffer.get(..length).unwrap_or_default();
            let answers = |message| kernel::answer(&message, kind);
            if let Some(Answer { errno, words }) = Messages(datagram).find_map(answers) {
                return match errno {
                    0 => Ok(words),
                    _ => Err(refusal(errno, what)),
                };
            }
        }
        Err(refusal(libc::ETIMEDOUT, what))
    }

    /// From a session without a connection to one that runs.
    fn start(
        &mut self,
        here: &Connection,
        socket: u32,
        params: &[(Param, Secret)],
    ) -> Result<(), Fault> {
        let kind = kernel::CREATE_CONNECTION;
        self.ask(kind, here.about(kind), "make a connection")?;
        let kind = kernel::BIND_CONNECTION;
        self.ask(kind, here.bind(socket), "take a connection")?;
        for (param, value) in params {
            let message = here.set(*param, value.as_bytes());
            let what = format!("set parameter {}", *param as u32);
            match self.ask(kernel::SET_PARAM, message, &what) {
                // Of a later kernel: it does without.
                Err(fault) if fault.errno == libc::ENOSYS => {}
                outcome => drop(outcome?),
            }
        }
        let kind = kernel::START_CONNECTION;
        self.ask(kind, here.about(kind), "start a connection")?;
        Ok(())
    }
}

fn refusal(errno: i32, what: &str) -> Fault {
    let why = sentence(errno);
    let text = format!("the kernel's iSCSI does not {what}: {why} ({errno})");
    Fault::new(errno, text)
}

/// Has the kernel look for all disks of a session, and waits up to `wait_ms` for the one that is
/// wanted: its kernel name. `None`: it is not there, or not yet; others may be.
///
/// # Errors
/// There is no such host.
pub fn show_disks(host: u32, lun: u64, wait_ms: u64) -> Result<Option<String>, Fault> {
    let until = clock::since_boot().plus(wait_ms);
    // Before the first disk is announced.
    let events = Listener::open()?;
    let poll = Poll::new()?;
    poll.add(&events, 0)?;
    let path = format!("/sys/class/scsi_host/host{host}/scan");
    proc_sys::write(&path, b"- - -")?;
    let mut ready = Vec::new();
    let mut buffer = vec![0; uevent::LONGEST];
    loop {
        let wait_ms = clock::since_boot().until(until);
        let disk = disk(host, lun);
        if disk.is_some() || wait_ms == 0 {
            return Ok(disk);
        }
        poll.wait(Some(wait_ms), &mut ready)?;
        while events.receive(&mut buffer)? != Received::Nothing {}
    }
}

/// The kernel name of a disk, if it has one already. A session's disks are those of the only target
/// of its host.
fn disk(host: u32, lun: u64) -> Option<String> {
    let path = format!("/sys/class/scsi_device/{host}:0:0:{lun}/device/block");
    let folder = dir::open_path(path.as_bytes(), Want::Directory).ok()?;
    let mut found = None;
    let mut take = |name: &std::ffi::CStr, _| found = name.to_str().ok().map(String::from);
    dir::list(&folder, &mut take).ok()?;
    found
}

/// What this machine calls itself: as it was told, as the image says, as the firmware says that
/// booted from the same target, or by the number that the machine has from its maker.
pub fn initiator(wanted: &Reference) -> String {
    if !wanted.initiator.is_empty() {
        return wanted.initiator.clone();
    }
    let text = |path: &str| {
        let text = proc_sys::read(path, 4096).ok()?;
        String::from_utf8(text).ok()
    };
    let formed = |name: &str| reference::name(name.trim()).ok().map(String::from);
    let of_image = || {
        let text = text("/etc/iscsi/initiatorname.iscsi")?;
        let mut lines = text.lines();
        lines.find_map(|line| formed(line.trim().strip_prefix("InitiatorName=")?))
    };
    let of_firmware = || formed(&text("/sys/firmware/ibft/initiator/initiator-name")?);
    let of_maker = || {
        let uuid = text("/sys/class/dmi/id/product_uuid")?;
        let digits = |c: &char| c.is_ascii_hexdigit();
        let digits: String = uuid.to_ascii_lowercase().chars().filter(digits).collect();
        // The end differs from machine to machine, if anything does.
        let at = digits.len().checked_sub(15)?;
        digits.get(at..).map(String::from)
    };
    let rolled = || {
        let digits = hex::encode(&random::seed().to_be_bytes());
        digits.chars().skip(1).collect()
    };
    // Type 3 of naa. is for names that somebody gives himself (RFC 3980).
    let own = || format!("naa.3{}", of_maker().unwrap_or_else(rolled));
    of_image().or_else(of_firmware).unwrap_or_else(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_told_everything_once_and_as_text() {
        let mut wanted = Reference::parse("iscsi:me:one@192.0.2.1::::iqn.2026-01.a:b").unwrap();
        let agreed = Negotiated {
            header_digest: true,
            exp_stat_sn: u32::MAX,
            ..Negotiated::default()
        };
        let portal = "[2001:db8::1]:3260".parse().unwrap();
        let told = params(portal, &agreed, &wanted, "iqn.2026-01.a:me");
        let value = |param: Param| {
            let mut found = told.iter().filter(|(p, _)| *p == param);
            let value = found.next().map(|(_, value)| value.as_bytes().to_vec());
            assert!(found.next().is_none());
            value.map(|value| String::from_utf8(value).unwrap())
        };
        for (param, expected) in [
            (Param::HeaderDigest, "1"),
            (Param::DataDigest, "0"),
            (Param::InitialR2t, "1"),
            (Param::ExpStatSn, "4294967295"),
            (Param::PortalGroup, "1"),
            (Param::Address, "2001:db8::1"),
            (Param::Port, "3260"),
            (Param::RecoveryTime, "86400"),
            (Param::User, "me"),
            (Param::Password, "one"),
            (Param::Initiator, "iqn.2026-01.a:me"),
        ] {
            assert_eq!(value(param).as_deref(), Some(expected));
        }
        assert_eq!(value(Param::PasswordIn), None);
        wanted.initiator = "iqn.2026-01.a:other".into();
        assert_eq!(initiator(&wanted), "iqn.2026-01.a:other");
        let own = initiator(&Reference::default());
        assert_eq!(reference::name(&own), Ok(own.as_str()));
    }

    #[test]
    fn a_driver_that_is_missing_is_named() {
        if std::path::Path::new("/sys/class/iscsi_transport/tcp").exists() {
            return;
        }
        let socket = OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let portal = "192.0.2.1:3260".parse().unwrap();
        let (agreed, wanted) = (Negotiated::default(), Reference::default());
        let given = give_to_kernel(&socket, portal, &agreed, &wanted, "iqn.a");
        let why = given.unwrap_err().into_text();
        assert!(
            why.ends_with(": the driver iscsi_tcp is not there"),
            "{why}"
        );
    }
}
