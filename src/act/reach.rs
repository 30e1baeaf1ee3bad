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

/// The same with whoever answers first, in this order.
pub fn reach_one(doors: &[SocketAddr]) -> Result<(), Fault> {
    let mut errno = 0;
    let mut text = String::from("nobody answers");
    for door in doors {
        match reach(door.ip(), door.port()) {
            Ok(()) => return Ok(()),
            Err(fault) => {
                errno = fault.errno;
                text.push_str("; ");
                text.push_str(&fault.text);
            }
        }
    }
    Err(Fault::new(errno, text))
}

/// What a Ceph cluster means by an error. `has_key`: it was shown one.
pub fn explain_ceph(errno: i32, has_key: bool) -> Option<&'static str> {
    Some(match errno {
        libc::EACCES | libc::EPERM if has_key => {
            "the cluster does not let this user in, or not so far: see its key, its \
             capabilities, and ms_mode="
        }
        libc::EACCES | libc::EPERM | libc::EINVAL if !has_key => {
            "the cluster may want a key, and there is none: see rd.ceph.secret=, or put the user's \
             keyring into the image, in /etc/ceph"
        }
        libc::EINVAL => "the kernel does not take one of these words: see its lines",
        libc::ETIMEDOUT => "the monitors do not answer, or not by this protocol: see ms_mode=",
        libc::ECONNREFUSED => "nothing listens there",
        _ => return None,
    })
}
