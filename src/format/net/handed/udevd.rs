//! `/run/systemd/network/69-landfall-LINK.link`: the name and the hardware address that a link
//! keeps.
//!
//! Who reads it: systemd-udevd, when the real system has it look at all devices again. The first
//! file of all folders whose name sorts first and that matches counts: an administrator's comes
//! before.
//!
//! # Names
//! udev gives most links names of their places (`enp0s1`). Linux before 6.2 renames no link that
//! is up, and root may be behind this one. systemd 252 notes that the link is being renamed before
//! it tries, and leaves that note when it cannot: systemd-networkd then waits for the other name
//! for ever. So on such kernels the link is left its name, and has the name of its place besides
//! (`ip link show enp0s1`), which hinders nobody. Newer kernels rename links that are up: there the
//! file does not match, and the link gets the name that it has without us. Whoever wants another
//! name says `ifname=`.
//!
//! # Hardware addresses
//! A bridge has the address of what is plugged into it, which counts as a random one. By default
//! udev replaces those: the server would see another machine in the middle of a boot.
//!
//! Sources: systemd.link(5), systemd.net-naming-scheme(7); Linux bd039b5ea2a9 ("Allow live renaming
//! when an interface is up"), in 6.2.

use super::{File, Handed, Lines};
use alloc::format;

/// `None`: the link has a name that cannot be in a path.
pub fn identity(handed: &Handed<'_>) -> Option<File> {
    let link = handed.link()?;
    let mut out = Lines::default();
    out.section("Match");
    if handed.by_name {
        out.key("OriginalName", &link);
    } else {
        out.key("MACAddress", &handed.mac);
    }
    if handed.made {
        out.section("Link");
        out.key("NamePolicy", &"keep");
        out.key("MACAddressPolicy", &"none");
    } else {
        out.key("KernelVersion", &"<6.2");
        out.section("Link");
        out.key("AlternativeNamesPolicy", &"database onboard slot path");
    }
    Some(out.file(
        format!("/run/systemd/network/69-landfall-{link}.link"),
        0o644,
    ))
}
