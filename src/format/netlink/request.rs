//! A message to the kernel: `struct nlmsghdr`, the header of its family, attributes.
//!
//! Source: linux/netlink.h, Documentation/userspace-api/netlink/intro.rst (Linux 6.12).

use crate::base::text::Text;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Flags of requests (`NLM_F_*`).
const REQUEST: u16 = 0x01;
const ACK: u16 = 0x04;
pub const DUMP: u16 = 0x300;
pub const REPLACE: u16 = 0x100;
pub const EXCLUSIVE: u16 = 0x200;
pub const CREATE: u16 = 0x400;

/// The attribute holds attributes. Families that are checked strictly insist on it.
const NESTED: u16 = 1 << 15;

const HEADER: usize = 16;

/// What is to be asked of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    kind: u16,
    flags: u16,
    /// Behind `struct nlmsghdr`.
    body: Attributes,
}

impl Request {
    /// `header` is what the family puts before the attributes, a multiple of 4 bytes.
    pub fn new(kind: u16, flags: u16, header: &[u8]) -> Self {
        let mut body = Attributes::default();
        body.0.extend_from_slice(header);
        body.pad();
        Self { kind, flags, body }
    }

    /// Everything of one kind; the answer ends with a message of its own.
    pub fn dump(kind: u16, header: &[u8]) -> Self {
        Self::new(kind, DUMP, header)
    }

    pub fn with(mut self, add: impl FnOnce(&mut Attributes)) -> Self {
        add(&mut self.body);
        self
    }

    pub fn attributes(&mut self) -> &mut Attributes {
        &mut self.body
    }

    /// The message as it is sent. Its answers carry `sequence`; whether it was done is answered,
    /// too.
    pub fn message(&self, sequence: u32) -> Vec<u8> {
        let length = self.body.0.len().saturating_add(HEADER);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let flags = self.flags | REQUEST | ACK;
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&self.kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        // The sender's port: the kernel knows it.
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.body.0);
        bytes
    }
}

/// Attributes one behind the other: `struct nlattr`, each at a multiple of 4 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<u8>);

impl Attributes {
    /// What is longer than an attribute can be (65,531 bytes) is left out: the kernel then says
    /// that it is missing.
    pub fn bytes(&mut self, kind: u16, payload: &[u8]) {
        let length = payload.len().saturating_add(4);
        if let Ok(length) = u16::try_from(length) {
            self.0.extend_from_slice(&length.to_ne_bytes());
            self.0.extend_from_slice(&kind.to_ne_bytes());
            self.0.extend_from_slice(payload);
            self.pad();
        }
    }

    pub fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub fn u16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    pub fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// A string, ended by NUL.
    pub fn text(&mut self, kind: u16, value: &str) {
        let mut ended = Text::from(value).0;
        ended.push(0);
        self.bytes(kind, &ended);
    }

    pub fn address(&mut self, kind: u16, value: IpAddr) {
        match value {
            IpAddr::V4(address) => self.bytes(kind, &address.octets()),
            IpAddr::V6(address) => self.bytes(kind, &address.octets()),
        }
    }

    pub fn nested(&mut self, kind: u16, inside: &Attributes) {
        self.bytes(kind | NESTED, &inside.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn pad(&mut self) {
        let whole = self.0.len().next_multiple_of(4);
        self.0.resize(whole, 0);
    }
}
