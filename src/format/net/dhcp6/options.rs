//! Options one behind the other: of a message, or of another option (RFC 8415 §21.1).
//!
//! An option that runs past the end ends the list; what came before counts.

use super::code;
use crate::base::bytes::{array, be16, slice};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// Servers of one kind; more do not count.
const SERVERS_MAX: usize = 16;

#[derive(Clone, Copy)]
pub(super) struct Options<'a>(pub &'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (be16(self.0, 0)?, be16(self.0, 2)?);
        let value = slice(self.0, 4, length.into())?;
        self.0 = self.0.get(value.len().saturating_add(4)..)?;
        Some((code, value))
    }
}

impl<'a> Options<'a> {
    pub fn all(self, code: u16) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |(found, _)| *found == code)
            .map(|(_, value)| value)
    }

    /// Each stands once, unless it may be several.
    pub fn find(self, code: u16) -> Option<&'a [u8]> {
        self.all(code).next()
    }

    /// What a server says about how it went, and the text that comes with it. Nothing is success.
    pub fn status(self) -> (u16, Text) {
        let value = self.find(code::STATUS).unwrap_or_default();
        let text = value.get(2..).unwrap_or_default();
        (be16(value, 0).unwrap_or(0), Text::from(text))
    }

    /// Those of a list that a machine can reach.
    pub fn servers(self, code: u16) -> Vec<IpAddr> {
        let lists = self.all(code).flat_map(|value| value.chunks(16));
        let servers = lists.filter_map(server);
        servers.take(SERVERS_MAX).listed()
    }

    /// Some servers end text with NUL.
    pub fn text(self, code: u16) -> Option<Text> {
        let mut value = self.find(code)?;
        while let Some(shorter) = value.strip_suffix(&[0]) {
            value = shorter;
        }
        (!value.is_empty()).then(|| Text::from(value))
    }
}

/// An address that many links know: a server's.
pub(super) fn server(value: &[u8]) -> Option<IpAddr> {
    let address = Ipv6Addr::from(array::<16>(value, 0)?);
    is_host(address).then_some(IpAddr::V6(address))
}

/// Can a machine have this address, given by a server? Not "nobody", many machines at once, or
/// itself; nor one that a link has without being given it, or one of IPv4 in disguise.
pub(super) fn is_host(address: Ipv6Addr) -> bool {
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !special && !address.is_unicast_link_local() && address.to_ipv4_mapped().is_none()
}
