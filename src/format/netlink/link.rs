//! Links: network devices as the kernel tells of them, and what is asked of them.
//!
//! Source: linux/if_link.h, linux/if.h, linux/if_arp.h, Documentation/networking/operstates.rst
//! (Linux 6.12).

use super::message::{Attributes, ne16, ne32};
use super::request::{self, CREATE, EXCLUSIVE, Request};
use crate::base::bytes::{self, array, until_nul};
use crate::format::net::address::Mac;
use alloc::string::String;

/// Types of messages (`RTM_*LINK`).
pub const NEW: u16 = 16;
pub const DEL: u16 = 17;
pub(super) const GET: u16 = 18;
const SET: u16 = 19;

/// `struct ifinfomsg`: family, padding, type (16 bits), index, flags, mask of changed flags.
pub(super) const HEADER: usize = 16;

/// Of `ifi_flags` (`IFF_*`).
const FLAG_UP: u32 = 1 << 0;
const FLAG_LOWER_UP: u32 = 1 << 16;

/// `ARPHRD_*`: what a link is.
pub const ETHERNET: u16 = 1;
pub const LOOPBACK: u16 = 772;

/// `IFLA_*`.
mod attribute {
    pub const ADDRESS: u16 = 1;
    pub const NAME: u16 = 3;
    pub const MTU: u16 = 4;
    pub const LINK: u16 = 5;
    pub const MASTER: u16 = 10;
    pub const OPERSTATE: u16 = 16;
    pub const LINKINFO: u16 = 18;
    pub const INFO_KIND: u16 = 1;
    pub const INFO_DATA: u16 = 2;
    pub const VLAN_ID: u16 = 1;
}

/// `IF_OPER_UNKNOWN`, of drivers that say nothing, and `IF_OPER_UP`.
const OPER_UNKNOWN: u8 = 0;
const OPER_UP: u8 = 6;

/// Longest name in bytes (`IFNAMSIZ` without its NUL).
const LONGEST_NAME: usize = 15;

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// `None`: it has none, or not one of Ethernet.
    pub mac: Option<Mac>,
    /// [`ETHERNET`], [`LOOPBACK`], or another number of linux/if_arp.h.
    pub kind: u16,
    /// It was raised.
    pub up: bool,
    /// It is up, and packets go through: the other end is there, and nothing (such as an
    /// authentication) is waited for.
    pub carrier: bool,
    /// Bytes of the largest packet.
    pub mtu: u32,
    /// What the kernel made it of: `vlan`, `bond`, `bridge`, `veth`, …. `None`: a driver's.
    pub made: Option<String>,
    /// Index of the bond or bridge that it belongs to.
    pub master: Option<u32>,
    /// Index of the link below (of a VLAN) or opposite (of a veth pair).
    pub below: Option<u32>,
    /// Number of the VLAN.
    pub vlan: Option<u16>,
}

impl Link {
    /// The body of a message of type [`NEW`] or [`DEL`].
    ///
    /// `None`: cut off, or about something else: ports of bridges (also when one leaves) and
    /// wireless events come in messages of the same types.
    pub fn parse(body: &[u8]) -> Option<Self> {
        if bytes::u8(body, 0)? != 0 {
            return None;
        }
        let attributes = Attributes::after(body, HEADER);
        let flags = ne32(body, 8)?;
        let up = flags & FLAG_UP != 0;
        let state = attributes.find(attribute::OPERSTATE);
        let state = state.and_then(|state| bytes::u8(state, 0));
        let works = matches!(state, None | Some(OPER_UNKNOWN | OPER_UP));
        let kind = ne16(body, 2)?;
        let mac = attributes.find(attribute::ADDRESS).filter(|m| m.len() == 6);
        let info = Attributes(attributes.find(attribute::LINKINFO).unwrap_or_default());
        let made = info.find(attribute::INFO_KIND).and_then(text);
        let data = Attributes(info.find(attribute::INFO_DATA).unwrap_or_default());
        let is_vlan = made.as_deref() == Some("vlan");
        let vlan = data.find(attribute::VLAN_ID).filter(|_| is_vlan);
        Some(Self {
            index: ne32(body, 4).filter(|index| *index > 0)?,
            name: attributes.find(attribute::NAME).and_then(text)?,
            mac: mac.and_then(|mac| array(mac, 0)).map(Mac),
            kind,
            up,
            carrier: up && flags & FLAG_LOWER_UP != 0 && works,
            mtu: attributes.u32(attribute::MTU)?,
            made,
            master: attributes.u32(attribute::MASTER),
            below: attributes.u32(attribute::LINK).filter(|below| *below > 0),
            vlan: vlan.and_then(|id| ne16(id, 0)),
        })
    }

    pub fn is_loopback(&self) -> bool {
        self.kind == LOOPBACK
    }
}

fn text(payload: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(until_nul(payload)).ok()?;
    (!text.is_empty()).then(|| text.into())
}

/// Can a link be called so? (`dev_valid_name` in net/core/dev.c.)
pub fn is_name(name: &str) -> bool {
    let odd = |b: u8| matches!(b, b'/' | b':' | 0x0b) || b.is_ascii_whitespace() || b == 0;
    !matches!(name, "" | "." | "..") && name.len() <= LONGEST_NAME && !name.bytes().any(odd)
}

/// All links.
pub fn list() -> Request {
    Request::dump(GET, &header(0, 0, 0))
}

/// Raises or lowers it.
pub fn switch(index: u32, up: bool) -> Request {
    let flags = if up { FLAG_UP } else { 0 };
    Request::new(SET, 0, &header(index, flags, FLAG_UP))
}

pub fn set_mtu(index: u32, bytes: u32) -> Request {
    change(index).with(|all| all.u32(attribute::MTU, bytes))
}

pub fn set_mac(index: u32, mac: Mac) -> Request {
    change(index).with(|all| all.bytes(attribute::ADDRESS, &mac.0))
}

pub fn rename(index: u32, name: &str) -> Request {
    change(index).with(|all| all.text(attribute::NAME, name))
}

/// Puts it under a bond or a bridge; 0 takes it out.
pub fn set_master(index: u32, master: u32) -> Request {
    change(index).with(|all| all.u32(attribute::MASTER, master))
}

/// Makes the VLAN `id` on the link `below`.
pub fn new_vlan(name: &str, below: u32, id: u16) -> Request {
    let mut data = request::Attributes::default();
    data.u16(attribute::VLAN_ID, id);
    let mut request = make(CREATE | EXCLUSIVE, name, "vlan", &data);
    request.attributes().u32(attribute::LINK, below);
    request
}

/// Makes a bond with options as [`super::bond::options`] gives them.
pub fn new_bond(name: &str, options: &request::Attributes) -> Request {
    make(CREATE | EXCLUSIVE, name, "bond", options)
}

/// Gives options to a bond that is there: loading the driver makes one, `bond0`.
pub fn change_bond(name: &str, options: &request::Attributes) -> Request {
    make(0, name, "bond", options)
}

pub fn new_bridge(name: &str) -> Request {
    let none = request::Attributes::default();
    make(CREATE | EXCLUSIVE, name, "bridge", &none)
}

/// Takes away a link that was made.
pub fn delete(index: u32) -> Request {
    Request::new(DEL, 0, &header(index, 0, 0))
}

fn make(flags: u16, name: &str, kind: &str, data: &request::Attributes) -> Request {
    let mut info = request::Attributes::default();
    info.text(attribute::INFO_KIND, kind);
    if !data.is_empty() {
        info.nested(attribute::INFO_DATA, data);
    }
    Request::new(NEW, flags, &header(0, 0, 0)).with(|all| {
        all.text(attribute::NAME, name);
        all.nested(attribute::LINKINFO, &info);
    })
}

fn change(index: u32) -> Request {
    Request::new(SET, 0, &header(index, 0, 0))
}

/// `struct ifinfomsg`.
fn header(index: u32, flags: u32, mask: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let words = [0, index, flags, mask].map(u32::to_ne_bytes);
    for (byte, value) in header.iter_mut().zip(words.as_flattened()) {
        *byte = *value;
    }
    header
}
