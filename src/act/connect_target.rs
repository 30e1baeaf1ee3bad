//! Connects to a server of blocks, whatever its kind.

use super::connect_nvme;
use crate::base::fault::Fault;
use crate::format::remote::target::Target;
use crate::sys::proc_sys;
use std::net::IpAddr;

/// The disk's name, where it is known; the kernel announces it.
pub fn connect(target: &Target, server: Option<IpAddr>) -> Result<Option<String>, Fault> {
    match (target, server) {
        (Target::Aoe, _) => discover_aoe().map(|()| None),
        (Target::Nvme(wanted), Some(server)) => {
            connect_nvme::connect(server, wanted).map(|()| None)
        }
        (_, None) => Err(Fault::plain("connect: the server has no address")),
    }
}

/// Asks on all links who serves disks by ATA over Ethernet: Documentation/admin-guide/aoe.
fn discover_aoe() -> Result<(), Fault> {
    const DISCOVER: &str = "/dev/etherd/discover";
    proc_sys::write(DISCOVER, b"1").map_err(|fail| {
        let text = format!(
            "{fail}: disks of ATA over Ethernet are not looked for: is the driver aoe in the image?"
        );
        Fault::new(fail.errno, text)
    })
}
