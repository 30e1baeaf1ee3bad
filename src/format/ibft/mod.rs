//! The iSCSI Boot Firmware Table, as the kernel's module `iscsi_ibft` shows it: one folder for each
//! structure, one file for each field.
//!
//! The kernel finds the table by ACPI as well as in the memory below 1 MiB, where a PC's option
//! ROMs leave it. Passwords are not read here: whoever logs in reads them, at that moment.
//! Sources: Documentation/ABI/testing/sysfs-ibft, drivers/firmware/iscsi_ibft.c and
//! drivers/scsi/iscsi_boot_sysfs.c (Linux 6.12); the table itself is IBM's "iSCSI Boot Firmware
//! Table (iBFT)" 1.02.

use super::iscsi::Reference;
use super::iscsi::reference;
use super::net::address::{Mac, Network, prefix_of};
use super::net::firmware::{self, Firmware, Used, given};
use super::net::wanted::{Method, Setup, Which};
use super::remote::Host;
use super::remote::target::Target;
use crate::base::list::Listed;
use crate::base::order::sorted;
use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

/// Where the kernel shows it.
pub const FOLDER: &str = "/sys/firmware/ibft";

/// The module that shows it.
pub const DRIVER: &str = "iscsi_ibft";

/// More structures of a kind are not looked at. (The table has room for two, and an extension.)
pub const EACH: usize = 16;

/// Where a target's password is, and the one by which it proves itself.
pub const PASSWORD: &str = "chap-secret";
pub const PASSWORD_IN: &str = "rev-chap-name-secret";

/// The firmware booted by way of this one. (The other flag says that the structure is filled in,
/// which some firmware forgets.)
const BOOTED: u32 = 2;

/// The origin of an address: `NL_PREFIX_ORIGIN`.
const BY_DHCP: u32 = 3;
const BY_ROUTER: u32 = 4;

/// What all of it means, in the order of the folders' names. `file` is a file's value, without the
/// end of its line: `target0/flags`.
pub fn read(folders: &[String], file: &dyn Fn(&str) -> Option<String>) -> Firmware {
    let mut found = Firmware::default();
    let initiator = file("initiator/initiator-name");
    let initiator = initiator.filter(|name| reference::name(name).is_ok());
    for folder in sorted(folders, &String::cmp) {
        let field = |name: &str| file(&format!("{folder}/{name}")).filter(|v| !v.is_empty());
        let flags = number(field("flags"));
        if flags == Some(0) {
            continue;
        }
        let booted = flags.unwrap_or(0) & BOOTED != 0;
        if folder.starts_with("ethernet") {
            match link(&field) {
                Some(used) if found.links.len() < EACH => found.links.push(Used { booted, ..used }),
                _ => found
                    .odd
                    .push(format!("iBFT: {folder} has no address; it is left out")),
            }
        }
        let Some(number) = folder.strip_prefix("target").and_then(|n| n.parse().ok()) else {
            continue;
        };
        match target(&field) {
            Ok(target) if found.targets.len() < EACH => {
                let target = Target::Iscsi(alloc::boxed::Box::new(Reference {
                    firmware: Some(number),
                    initiator: initiator.clone().unwrap_or_default(),
                    ..target
                }));
                let at = if booted { 0 } else { found.targets.len() };
                found.targets.insert(at, target);
            }
            Ok(_) => {}
            Err(why) => found
                .odd
                .push(format!("iBFT: {folder} {why}; it is left out")),
        }
    }
    found
}

fn link(field: &dyn Fn(&str) -> Option<String>) -> Option<Used> {
    let address = |name| given(field(name)?.parse().ok()?);
    let setup = Setup {
        link: Some(Which::Mac(Mac::parse(&field("mac")?)?)),
        hostname: field("hostname").as_deref().and_then(firmware::hostname),
        ..Setup::default()
    };
    let own = address("ip-addr");
    let origin = number(field("origin")).unwrap_or(0);
    let leased = address("dhcp").is_some() || origin == BY_DHCP;
    let method = match own {
        Some(IpAddr::V6(_)) if origin == BY_ROUTER => Method::Auto6,
        Some(IpAddr::V6(_)) if leased => Method::Dhcp6,
        _ if leased => Method::Dhcp4,
        _ => Method::Static,
    };
    let setup = match method {
        Method::Static => Setup {
            method,
            address: Some(network(own?, field)?),
            gateway: address("gateway"),
            dns: ["primary-dns", "secondary-dns"]
                .into_iter()
                .filter_map(address)
                .listed(),
            ..setup
        },
        _ => Setup { method, ..setup },
    };
    let vlan = number(field("vlan")).and_then(|vlan| u16::try_from(vlan).ok());
    Some(Used {
        setup,
        vlan: vlan.filter(|vlan| (1..4095).contains(vlan)),
        booted: false,
    })
}

/// An address with its mask, which older kernels show in the old form alone.
fn network(address: IpAddr, field: &dyn Fn(&str) -> Option<String>) -> Option<Network> {
    let prefix = number(field("prefix-len")).and_then(|prefix| u8::try_from(prefix).ok());
    let by_mask = || match field("subnet-mask") {
        Some(mask) => prefix_of(mask.trim().parse().ok()?),
        None => None,
    };
    Network::new(address, prefix.or_else(by_mask)?)
}

/// The error is the end of a sentence.
fn target(field: &dyn Fn(&str) -> Option<String>) -> Result<Reference, &'static str> {
    let name = field("target-name").ok_or("has no name")?;
    let host: Option<IpAddr> = field("ip-addr").and_then(|text| given(text.parse().ok()?));
    let proofs = number(field("chap-type")).unwrap_or(0);
    let user = |name, least| field(name).filter(|_| proofs >= least).unwrap_or_default();
    let port = number(field("port")).and_then(|port| u16::try_from(port).ok());
    let lun = match field("lun") {
        Some(text) => lun_of(&text).ok_or("has a LUN that is none")?,
        None => 0,
    };
    Ok(Reference {
        host: Some(Host::Address(host.ok_or("has no address")?)),
        port: port.filter(|port| *port > 0).unwrap_or(super::iscsi::PORT),
        lun,
        target: reference::name(&name)?.into(),
        user: user("chap-name", 1),
        user_in: user("rev-chap-name", 2),
        ..Reference::default()
    })
}

fn number(text: Option<String>) -> Option<u32> {
    text?.trim().parse().ok()
}

/// The kernel writes each of the eight bytes in as few digits as it takes, and nothing between
/// them. Only the first two are ever used, and no byte but zero begins with a zero; what remains
/// open is decided by what targets do: the first byte is 0, or a method (40 to 7f) with the
/// number's higher bits.
fn lun_of(text: &str) -> Option<u64> {
    let digits = text.strip_suffix("000000")?;
    let at = match (digits.len(), digits.as_bytes()) {
        (3, [b'4'..=b'7', ..]) | (4, _) => 2,
        _ => 1,
    };
    let (high, low) = digits.split_at_checked(at)?;
    let byte = |digits| u8::from_str_radix(digits, 16).ok();
    Some(u64::from(u16::from_be_bytes([byte(high)?, byte(low)?])))
}

#[cfg(test)]
mod tests;
