//! `/run/landfall/resolv.conf` and `/run/landfall/pnp`: who is asked for names.
//!
//! Who reads them: nobody by himself. `/etc/resolv.conf` of a system without a network daemon may
//! be a link to either, as systems whose root is on NFS link it to `/proc/net/pnp`, which the
//! kernel fills where it does `ip=` itself; scripts take `bootserver` from that one.
//! Sources: resolv.conf(5); Linux, Documentation/admin-guide/nfs/nfsroot.rst (`/proc/net/pnp`).

use super::{File, Handed, Lines};
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::domain::Name;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// More do not count for the C libraries (`MAXNS`).
const SERVERS_MAX: usize = 3;
/// Domains, and bytes of their line: more do not count for the older ones and for musl.
const SEARCH_MAX: usize = 6;
const SEARCH_BYTES_MAX: usize = 240;

/// Of all links, in the order in which they count.
pub fn resolv_conf(all: &[Handed<'_>]) -> File {
    let mut out = Lines("# Written by landfall: what the network said in the initramfs.\n".into());
    let mut domains: Vec<Name> = Vec::new();
    let mut servers = Vec::new();
    for handed in all {
        for name in handed.all_search() {
            let bytes: usize = domains
                .iter()
                .map(|n| n.as_str().len().saturating_add(1))
                .sum();
            let fits = bytes.saturating_add(name.as_str().len()) <= SEARCH_BYTES_MAX;
            if fits && domains.len() < SEARCH_MAX && !domains.contains(&name) {
                domains.push(name);
            }
        }
        for server in handed.all_dns() {
            if servers.len() < SERVERS_MAX && !servers.contains(&server) {
                servers.push(server);
            }
        }
    }
    if !domains.is_empty() {
        let domains = domains.iter().map(Name::as_str).listed();
        let _ = writeln!(out.0, "search {}", domains.joined(" "));
    }
    for server in servers {
        let _ = writeln!(out.0, "nameserver {server}");
    }
    out.file("/run/landfall/resolv.conf".into(), 0o644)
}

/// Of the link that root is behind.
pub fn pnp(handed: &Handed<'_>) -> File {
    let mut text = String::new();
    text.push_str(match handed.how.has_lease() {
        true => "#PROTO: DHCP\n",
        false => "#MANUAL\n",
    });
    if let Some(domain) = handed.domain() {
        let _ = writeln!(text, "domain {}", domain.as_str());
    }
    for server in handed.all_dns().iter().take(SERVERS_MAX) {
        let _ = writeln!(text, "nameserver {server}");
    }
    if let Some(server) = handed.root_server() {
        let _ = writeln!(text, "bootserver {server}");
    }
    Lines(text).file("/run/landfall/pnp".into(), 0o644)
}
