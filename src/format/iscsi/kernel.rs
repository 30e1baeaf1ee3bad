//! Messages to the kernel's initiator, `struct iscsi_uevent`, and its answers.
//!
//! Each message is answered by itself, with what came of it filled in. Numbers are in the order of
//! bytes of the machine.
//! Source: include/scsi/iscsi_if.h; `iscsi_if_rx` in drivers/scsi/scsi_transport_iscsi.c (Linux
//! 6.12).

use crate::base::bytes::slice;
use crate::format::netlink::message::{Message, ne32};
use alloc::vec::Vec;
use core::mem::{offset_of, size_of};

/// `enum iscsi_uevent_e`.
pub const CREATE_SESSION: u16 = 11;
pub const DESTROY_SESSION: u16 = 12;
pub const CREATE_CONNECTION: u16 = 13;
pub const DESTROY_CONNECTION: u16 = 14;
pub const BIND_CONNECTION: u16 = 15;
pub const SET_PARAM: u16 = 16;
pub const START_CONNECTION: u16 = 17;
pub const STOP_CONNECTION: u16 = 18;

/// An answer's type where something went wrong.
const ERROR: u32 = 103;

/// The group that hears of events (`ISCSI_NL_GRP_ISCSID`). Old kernels answer to it, too.
pub const GROUP: u32 = 1;

/// Why a connection is stopped: for good.
const STOP_TERMINATE: u32 = 1;

/// Requests that a session, and a disk of it, may have under way.
const COMMANDS: u16 = 128;
const QUEUE: u16 = 32;

/// `enum iscsi_param`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    MaxRecv = 0,
    MaxXmit = 1,
    HeaderDigest = 2,
    DataDigest = 3,
    InitialR2t = 4,
    MaxR2t = 5,
    ImmediateData = 6,
    FirstBurst = 7,
    MaxBurst = 8,
    PduInOrder = 9,
    SequenceInOrder = 10,
    ErrorRecovery = 11,
    ExpStatSn = 14,
    TargetName = 15,
    PortalGroup = 16,
    Address = 17,
    Port = 18,
    RecoveryTime = 19,
    User = 22,
    UserIn = 23,
    Password = 24,
    PasswordIn = 25,
    Interface = 32,
    Initiator = 34,
    Alias = 36,
}

/// What stands at the start of a message: `struct iscsi_uevent` without its unions.
#[repr(C)]
struct Head {
    kind: u32,
    error: u32,
    transport: u64,
}

/// The longest message of the first union (`struct msg_bind_conn`), as long as
/// `struct msg_stop_conn`.
#[repr(C)]
struct Bind {
    session: u32,
    connection: u32,
    socket: u64,
    leading: u32,
}

/// The longest answer of the second union (`struct msg_recv_req`).
#[repr(C)]
struct Received {
    session: u32,
    connection: u32,
    handle: u64,
}

#[repr(C)]
struct Event {
    head: Head,
    asked: Bind,
    answer: Received,
}

const LENGTH: usize = size_of::<Event>();
const ASKED: usize = offset_of!(Event, asked);
const ANSWER: usize = offset_of!(Event, answer);

// The length never changes: newer messages put what is longer behind it.
const _: () = assert!(LENGTH == 56 && ASKED == 16 && ANSWER == 40);
const _: () = assert!(size_of::<Event>() == LENGTH && size_of::<Head>() == ASKED);
const _: () = assert!(offset_of!(Head, error) == 4 && offset_of!(Head, transport) == 8);
const _: () = assert!(offset_of!(Bind, connection) == 4 && offset_of!(Bind, leading) == 16);
const _: () = assert!(offset_of!(Bind, socket) == 8 && size_of::<Bind>() == 24);
const _: () = assert!(offset_of!(Received, handle) == 8 && size_of::<Received>() == 16);

/// `struct nlmsghdr`.
const NETLINK_HEADER: usize = 16;

/// A session of the kernel, by its number, and its only connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The driver, as `/sys/class/iscsi_transport/tcp/handle` names it.
    pub transport: u64,
    pub session: u32,
}

/// A message of this type about `fields`, words of 32 bits, and with `more` behind it.
fn message(kind: u16, transport: u64, fields: &[u32], more: &[u8]) -> Vec<u8> {
    let length = NETLINK_HEADER
        .saturating_add(LENGTH)
        .saturating_add(more.len());
    // A password may be in it: nothing is copied to grow.
    let mut bytes = Vec::with_capacity(length);
    let whole = u32::try_from(length).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&whole.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    // Flags, number and sender: the driver looks at none of them.
    bytes.resize(NETLINK_HEADER, 0);
    bytes.extend_from_slice(&u32::from(kind).to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&transport.to_ne_bytes());
    for field in fields {
        bytes.extend_from_slice(&field.to_ne_bytes());
    }
    bytes.resize(NETLINK_HEADER.saturating_add(LENGTH), 0);
    bytes.extend_from_slice(more);
    bytes
}

/// A new session whose first command has this number.
pub fn create_session(transport: u64, cmd_sn: u32) -> Vec<u8> {
    let [a, b] = COMMANDS.to_ne_bytes();
    let [c, d] = QUEUE.to_ne_bytes();
    let sizes = u32::from_ne_bytes([a, b, c, d]);
    message(CREATE_SESSION, transport, &[cmd_sn, sizes], &[])
}

impl Connection {
    /// A message about the connection, number 0 of its session.
    pub fn about(&self, kind: u16) -> Vec<u8> {
        message(kind, self.transport, &[self.session, 0], &[])
    }

    /// The connection is this socket of the process that sends the message.
    pub fn bind(&self, socket: u32) -> Vec<u8> {
        let [a, b, c, d, e, f, g, h] = u64::from(socket).to_ne_bytes();
        let halves = [[a, b, c, d], [e, f, g, h]].map(u32::from_ne_bytes);
        let [first, second] = halves;
        // The only connection is the leading one.
        let fields = [self.session, 0, first, second, 1];
        message(BIND_CONNECTION, self.transport, &fields, &[])
    }

    /// One parameter, as text.
    pub fn set(&self, param: Param, value: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(value.len().saturating_add(1));
        text.extend_from_slice(value);
        text.push(0);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let fields = [self.session, 0, param as u32, length];
        let bytes = message(SET_PARAM, self.transport, &fields, &text);
        zeroize::Zeroize::zeroize(&mut text);
        bytes
    }

    /// No more of it: its requests fail.
    pub fn stop(&self) -> Vec<u8> {
        let fields = [self.session, 0, 0, 0, STOP_TERMINATE];
        message(STOP_CONNECTION, self.transport, &fields, &[])
    }
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 0: it was done.
    pub errno: i32,
    /// The words of the answer: of a new session its number and its host's.
    pub words: [u32; 2],
}

/// The answer to a message of type `asked`. `None`: it is about something else.
pub fn answer(message: &Message, asked: u16) -> Option<Answer> {
    if message.kind != asked {
        return None;
    }
    let body = slice(message.body, 0, LENGTH)?;
    let failed = ne32(body, 0)? == ERROR;
    let error = ne32(body, offset_of!(Head, error))?.cast_signed();
    let words = [ne32(body, ANSWER)?, ne32(body, ANSWER.checked_add(4)?)?];
    let [first, _] = words;
    // Two kinds of messages tell their outcome where others have numbers.
    let code = match asked {
        _ if failed => error,
        BIND_CONNECTION | START_CONNECTION => first.cast_signed(),
        _ => 0,
    };
    let errno = match code.checked_neg() {
        Some(errno) if errno >= 0 => errno,
        // Positive, or too low: as no kernel says it.
        _ => i32::MAX,
    };
    // An error that has no number is one nevertheless.
    let errno = if failed { errno.max(1) } else { errno };
    Some(Answer { errno, words })
}

#[cfg(test)]
mod tests;
