//! Is a service there? Connects to it by TCP and leaves again: a mount that waits for a server that
//! is off says nothing for minutes.

use crate::base::fault::Fault;
use crate::sys::tcp;
use std::net::{IpAddr, SocketAddr};

/// Milliseconds for one connection: two packets that are lost and sent again.
const WAIT_MS: u64 = 5_000;

pub fn reach(server: IpAddr, port: u16) -> Result<(), Fault> {
    let connected = tcp::connect(SocketAddr::new(server, port), WAIT_MS, None);
    connected.map(drop).map_err(|fail| {
        let advice = match fail.errno {
            libc::ECONNREFUSED => "the machine runs, but nothing listens there",
            libc::EHOSTUNREACH | libc::ETIMEDOUT => {
                "nobody there answers: the server is off, or its address is wrong"
            }
            libc::ENETUNREACH => "there is no way to the server's network: see the gateway",
            _ => "the server is not reached",
        };
        let text = format!("{server} port {port}: {advice} ({fail})");
        Fault::new(fail.errno, text)
    })
}
