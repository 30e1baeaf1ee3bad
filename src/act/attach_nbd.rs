//! Gives an export of an NBD server to the kernel, which shows it as a block device.
//!
//! # The order
//! [`connect`]; the handshake (a conversation, which whoever calls holds); for an export that takes
//! several connections, the same again for each; [`give_to_kernel`] with all sockets. From then on
//! they are the kernel's: no process has to stay, and none is killed with the initramfs. The device
//! is there all the time as `/dev/nbdN`, with a size of 0; that it has one now is a `change`.
//!
//! # When a connection breaks
//! The driver says so to whoever listens ([`watch_nbd`](super::watch_nbd)), and lets requests wait,
//! for a day. Who listens connects again, holds the same handshake, and passes the sockets to
//! [`reconfigure`]: what waited goes on. After the switch to the real root that is done by a small
//! process which [stays](super::stay_behind).

use super::netlink::Conversation;
use crate::base::fault::Fault;
use crate::format::nbd::device::{self, FAMILY};
use crate::format::nbd::reference::Options;
use crate::format::nbd::{BlockSizes, Export};
use crate::format::netlink::generic::Family;
use crate::format::netlink::message::Messages;
use crate::format::netlink::request::Request;
use crate::sys::fail::Fail;
use crate::sys::netlink::Protocol;
use crate::sys::proc_sys;
use crate::sys::tcp::{self, Watchfulness};
use std::fmt::Display;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

/// A broken connection, which is made again, shall be known soon: within 20 seconds.
const WATCHFUL: Watchfulness = Watchfulness {
    idle_s: 10,
    interval_s: 5,
    unanswered_ms: 20_000,
};

/// The driver's requests are not longer than this, in bytes (drivers/block/nbd.c, `max_sectors`).
const LONGEST_REQUEST: u32 = 128 << 10;

/// One connection to the server.
///
/// # Errors
/// Nobody answers within `wait_ms`, or somebody refuses.
pub fn connect(server: SocketAddr, wait_ms: u64) -> Result<OwnedFd, Fault> {
    tcp::connect(server, wait_ms, Some(&WATCHFUL)).map_err(|fail| {
        let advice = advice_of_network(&fail);
        Fault::new(fail.errno, format!("{fail}{advice}"))
    })
}

fn advice_of_network(fail: &Fail) -> &'static str {
    match fail.errno {
        libc::ECONNREFUSED => ": the machine is there, but no NBD server on this port",
        libc::ETIMEDOUT | libc::EHOSTUNREACH => ": the machine does not answer",
        libc::ENETUNREACH => ": no link leads there: is an address set, and a route?",
        _ => "",
    }
}

/// Makes a block device of connections whose handshake is done: its number.
///
/// # Errors
/// The driver is not there, or refuses what it is told.
pub fn give_to_kernel(
    sockets: &[OwnedFd],
    export: &Export,
    options: &Options,
) -> Result<u32, Fault> {
    let mut driver = Driver::open()?;
    let request = device::connect(&driver.family, &numbers(sockets), export, options);
    let block = export.logical_block(options.block_size);
    let advice = match block {
        0..=4096 => "",
        _ => ": its blocks are larger than this kernel's pages",
    };
    let what = &"make a network block device";
    let answer = driver.ask(&request, what, advice)?;
    let index = Messages(&answer).find_map(|message| device::index(&message, &driver.family));
    let index =
        index.ok_or_else(|| Fault::plain(format!("{what}: the kernel does not say which")))?;
    shorten_requests(index, &export.blocks);
    Ok(index)
}

/// A server that takes short requests only is not sent longer ones.
fn shorten_requests(index: u32, blocks: &BlockSizes) {
    if blocks.maximum < LONGEST_REQUEST {
        let path = format!("/sys/block/nbd{index}/queue/max_sectors_kb");
        let value = (blocks.maximum >> 10).to_string();
        if let Err(fail) = proc_sys::write(&path, value.as_bytes()) {
            log::warn!("{fail}: the server takes no longer requests");
        }
    }
}

/// New connections for those of `nbdINDEX` that broke; spare ones are closed by whoever calls.
///
/// # Errors
/// The device has no connections to replace, or is not there.
pub fn reconfigure(index: u32, sockets: &[OwnedFd]) -> Result<(), Fault> {
    let mut driver = Driver::open()?;
    let request = device::reconfigure(&driver.family, index, &numbers(sockets));
    let what = format_args!("connect nbd{index} again");
    driver.ask(&request, &what, "").map(drop)
}

/// Ends the connections of `nbdINDEX`. Requests that still wait fail. Without connections: nothing.
///
/// # Errors
/// There is no such device.
pub fn disconnect(index: u32) -> Result<(), Fault> {
    let mut driver = Driver::open()?;
    let request = device::disconnect(&driver.family, index);
    let what = format_args!("disconnect nbd{index}");
    driver.ask(&request, &what, "").map(drop)
}

/// Has `nbdINDEX` been given connections, be they alive or broken? False, too, where there is no
/// such device.
///
/// # Errors
/// The driver is not there.
pub fn is_attached(index: u32) -> Result<bool, Fault> {
    let mut driver = Driver::open()?;
    let request = device::status(&driver.family, index);
    let what = format_args!("ask for nbd{index}");
    let answer = driver.ask(&request, &what, "")?;
    let told = |message| device::is_connected(&message, &driver.family, index);
    Ok(Messages(&answer).find_map(told).unwrap_or(false))
}

/// The sockets stay open as long as the caller's list lives, which is until the kernel has them.
fn numbers(sockets: &[OwnedFd]) -> Vec<i32> {
    sockets.iter().map(AsRawFd::as_raw_fd).collect()
}

/// The kernel's driver, ready to be asked.
struct Driver {
    kernel: Conversation,
    family: Family,
}

impl Driver {
    fn open() -> Result<Self, Fault> {
        let mut kernel = Conversation::open(Protocol::Generic)?;
        let family = family(&mut kernel, FAMILY)?;
        Ok(Self { kernel, family })
    }

    fn ask(
        &mut self,
        request: &Request,
        what: &dyn Display,
        advice: &str,
    ) -> Result<Vec<u8>, Fault> {
        let answer = self.kernel.ask(request);
        answer.map_err(|refusal| refusal.fault(what, advice))
    }
}

/// A family of generic netlink, as this kernel has it.
pub(super) fn family(kernel: &mut Conversation, name: &str) -> Result<Family, Fault> {
    let what = format_args!("ask the kernel for its driver {name}");
    let answer = kernel.ask(&Family::ask(name)).map_err(|refusal| {
        let advice = match refusal.errno {
            libc::ENOENT => ": it has none: its module is not loaded, or not in the image",
            _ => "",
        };
        refusal.fault(&what, advice)
    })?;
    let family = Family::parse(&answer);
    family.ok_or_else(|| Fault::plain(format!("{what}: its answer makes no sense")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_their_names() {
        let mut kernel = Conversation::open(Protocol::Generic).unwrap();
        // The family of families is always there, and has one group.
        let control = family(&mut kernel, "nlctrl").unwrap();
        assert_eq!(control.id, 0x10);
        assert!(control.group("notify").is_some());
        let fault = family(&mut kernel, "landfall").unwrap_err();
        assert_eq!(fault.errno, libc::ENOENT);
        assert!(fault.text.contains("its module is not loaded"), "{fault}");
    }

    #[test]
    fn a_server_that_is_not_there_is_told_with_advice() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        drop(listener);
        let fault = connect(server, 5000).unwrap_err();
        assert_eq!(fault.errno, libc::ECONNREFUSED);
        assert!(fault.text.contains("no NBD server on this port"), "{fault}");
    }
}
