//! What the firmware left of its own boot over a network: the links that it used, and the servers
//! that it had disks of. Tables hold it: `ibft` and `nbft`.

use super::wanted::{Setup, Which};
use crate::base::bytes::array;
use crate::base::text::Text;
use crate::format::remote::target::Target;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firmware {
    pub links: Vec<Used>,
    /// What it booted from stands first.
    pub targets: Vec<Target>,
    /// What is not served here, or makes no sense: sentences.
    pub odd: Vec<String>,
}

/// One address of a link that the firmware used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Its link is named by the hardware address.
    pub setup: Setup,
    /// The address belongs to this VLAN on that link.
    pub vlan: Option<u16>,
    /// It booted over this one; over others it may reach the same disks.
    pub booted: bool,
}

impl Used {
    pub fn is_over(&self, which: &Which) -> bool {
        self.setup.link.as_ref() == Some(which)
    }
}

/// An address as both tables hold it: of IPv6, or one of IPv4 mapped to it. `None`: zeros, which
/// stand for none.
pub fn address(bytes: &[u8], at: usize) -> Option<IpAddr> {
    given(Ipv6Addr::from(array::<16>(bytes, at)?).to_canonical())
}

/// The same, where it is read already.
pub fn given(address: IpAddr) -> Option<IpAddr> {
    Some(address).filter(|address| !address.is_unspecified())
}

/// A host's name, or nothing where it could be something else.
pub fn hostname(text: &str) -> Option<Text> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let good = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    good.then(|| Text::from(text))
}
