//! What the kernel's driver is told over netlink, and what it says.
//!
//! The driver takes connected sockets and keeps them: no process has to stay. Not told is
//! `NBD_ATTR_BACKEND_IDENTIFIER` (Linux 5.14): whoever connects again later would have to know it,
//! and the tools of the real system do not. Attributes that a kernel does not know are ignored by
//! it. Source: linux/nbd-netlink.h, drivers/block/nbd.c (Linux 6.12).

use super::reference::Options;
use super::{Export, Flags};
use crate::format::netlink::generic::{self, Family};
use crate::format::netlink::message::{Attributes, Message};
use crate::format::netlink::request::{self, Request};

/// `NBD_GENL_FAMILY_NAME`, `NBD_GENL_VERSION`, `NBD_GENL_MCAST_GROUP_NAME`.
pub const FAMILY: &str = "nbd";
const VERSION: u8 = 1;
/// Whoever joins it is told of connections that broke.
pub const GROUP: &str = "nbd_mc_group";

/// `NBD_CMD_*`.
const CONNECT: u8 = 1;
const DISCONNECT: u8 = 2;
const RECONFIGURE: u8 = 3;
const LINK_DEAD: u8 = 4;
const STATUS: u8 = 5;

/// `NBD_ATTR_*`.
const INDEX: u16 = 1;
const SIZE_BYTES: u16 = 2;
const BLOCK_SIZE_BYTES: u16 = 3;
const TIMEOUT: u16 = 4;
const SERVER_FLAGS: u16 = 5;
const SOCKETS: u16 = 7;
const DEAD_CONN_TIMEOUT: u16 = 8;
const DEVICE_LIST: u16 = 9;

const SOCK_ITEM: u16 = 1;
const SOCK_FD: u16 = 1;
const DEVICE_ITEM: u16 = 1;
const DEVICE_INDEX: u16 = 1;
const DEVICE_CONNECTED: u16 = 2;

/// How long requests wait while no connection is left, in seconds, unless the command line says: a
/// day. With 0, the kernel's own default, every one fails at once, and a root is lost to a server
/// that starts again.
const WAIT_S: u64 = 86_400;

/// Makes the next free device of connected sockets, which the caller holds open until it is done.
/// Answered with its number: [`index`].
pub fn connect(family: &Family, sockets: &[i32], export: &Export, options: &Options) -> Request {
    let block = export.logical_block(options.block_size);
    let flags = match options.read_only {
        true => export.flags.with(Flags::READ_ONLY),
        false => export.flags,
    };
    command(family, CONNECT).with(|a| {
        number(a, SIZE_BYTES, export.whole_blocks(block));
        number(a, BLOCK_SIZE_BYTES, block.into());
        number(a, SERVER_FLAGS, flags.0.into());
        // Without it a request waits for its answer as long as the connection lives.
        if let Some(seconds) = options.timeout_s {
            number(a, TIMEOUT, seconds.into());
        }
        number(a, DEAD_CONN_TIMEOUT, wait_s(options));
        a.nested(SOCKETS, &items(sockets));
    })
}

/// New sockets for those that broke, as many as there are of both. Waiting requests go on.
pub fn reconfigure(family: &Family, index: u32, sockets: &[i32]) -> Request {
    command(family, RECONFIGURE).with(|a| {
        a.u32(INDEX, index);
        a.nested(SOCKETS, &items(sockets));
    })
}

/// Tells the server, and closes the sockets.
pub fn disconnect(family: &Family, index: u32) -> Request {
    command(family, DISCONNECT).with(|a| a.u32(INDEX, index))
}

/// Answered with [`is_connected`].
pub fn status(family: &Family, index: u32) -> Request {
    command(family, STATUS).with(|a| a.u32(INDEX, index))
}

/// The device that the answer to [`connect`] names.
pub fn index(message: &Message<'_>, family: &Family) -> Option<u32> {
    attributes_of(message, family, CONNECT)?.u32(INDEX)
}

/// The device of which a connection broke: what [`GROUP`] is told.
pub fn dead_link(message: &Message<'_>, family: &Family) -> Option<u32> {
    attributes_of(message, family, LINK_DEAD)?.u32(INDEX)
}

/// Has the device sockets, be they alive or broken? `None`: no answer about this one.
pub fn is_connected(message: &Message<'_>, family: &Family, index: u32) -> Option<bool> {
    let devices = attributes_of(message, family, STATUS)?.find(DEVICE_LIST)?;
    Attributes(devices).find_map(|item| {
        let device = Attributes(item.payload);
        let ours = item.kind == DEVICE_ITEM && device.u32(DEVICE_INDEX) == Some(index);
        let connected = device.find(DEVICE_CONNECTED).filter(|_| ours)?;
        Some(connected.first().is_some_and(|byte| *byte != 0))
    })
}

fn attributes_of<'a>(
    message: &Message<'a>,
    family: &Family,
    command: u8,
) -> Option<Attributes<'a>> {
    let (told, attributes) = generic::read(message, family.id)?;
    (told == command).then_some(attributes)
}

fn command(family: &Family, command: u8) -> Request {
    generic::request(family.id, command, VERSION)
}

fn wait_s(options: &Options) -> u64 {
    options.dead_connection_s.map_or(WAIT_S, u64::from)
}

fn number(attributes: &mut request::Attributes, kind: u16, value: u64) {
    attributes.bytes(kind, &value.to_ne_bytes());
}

fn items(sockets: &[i32]) -> request::Attributes {
    let mut items = request::Attributes::default();
    for socket in sockets {
        let mut item = request::Attributes::default();
        item.u32(SOCK_FD, socket.cast_unsigned());
        items.nested(SOCK_ITEM, &item);
    }
    items
}

#[cfg(test)]
mod tests;
