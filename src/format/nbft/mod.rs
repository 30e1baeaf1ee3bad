//! The NVMe Boot Firmware Table: what the firmware reached over NVMe/TCP, and how.
//!
//! A header and a control descriptor say where lists of descriptors lie; these say where, in a
//! heap behind them, what has no fixed length lies. Little-endian; addresses are of IPv6, or of
//! IPv4 mapped to it.
//!
//! Not served: security profiles (keys that only a management controller knows), and other
//! transports than TCP, of which revision 1.0 has none.
//! Source: NVM Express Boot Specification, revision 1.0, §2.1 (figures 8 to 25).

use super::net::address::{Mac, Network};
use super::net::firmware::{self, Firmware, Used, address};
use super::net::wanted::{Method, Setup, Which};
use super::remote::Host;
use super::remote::nvme::{Controller, DISCOVERY};
use super::remote::target::Target;
use crate::base::bytes::{array, le16, le32, slice, u8, until_nul};
use crate::base::hex;
use crate::base::list::Listed;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

/// Real ones have less than 2 KiB.
pub const LONGEST: usize = 64 << 10;

/// More servers are not connected to.
const TARGETS_MAX: usize = 32;

// Kinds of descriptors (figure 5).
const CONTROL: u8 = 1;
const HOST: u8 = 2;
const INTERFACE: u8 = 3;
const NAMESPACE: u8 = 4;
const DISCOVERY_CONTROLLER: u8 = 6;
const TRANSPORT: u8 = 7;

/// The only transport: TCP.
const TCP: u8 = 3;

/// The first flag of every descriptor: it is filled in.
const VALID: u16 = 1;

/// Where the control descriptor lies, behind the header.
const CONTROL_AT: usize = 64;

/// A table's meaning. The error is the end of a sentence about the table.
pub fn parse(bytes: &[u8]) -> Result<Firmware, &'static str> {
    let table = Table::open(bytes)?;
    let mut found = Firmware::default();
    let (nqn, id) = table.host()?;
    let interfaces = table.interfaces();
    found.links = interfaces.iter().map(|i| i.used.clone()).listed();
    let mut targets = table.namespaces(&interfaces, &mut found.odd);
    targets.extend(table.discovery(&interfaces, &mut found.odd));
    for mut controller in targets {
        (controller.host_nqn, controller.host_id) = (nqn.clone(), id.clone());
        let target = Target::Nvme(controller);
        if found.targets.len() < TARGETS_MAX && !found.targets.contains(&target) {
            found.targets.push(target);
        }
    }
    Ok(found)
}

struct Table<'a> {
    bytes: &'a [u8],
    /// Where the heap begins and ends.
    heap: (usize, usize),
}

/// A link of the firmware's, with an address.
struct Interface {
    index: u8,
    used: Used,
}

impl<'a> Table<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        if !bytes.starts_with(b"NBFT") {
            return Err("has no NBFT's signature");
        }
        let length = usize_at(bytes, 4).ok_or("is cut off")?;
        let bytes = slice(bytes, 0, length).ok_or("is cut off")?;
        let sum = bytes
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        if sum != 0 {
            return Err("has a wrong checksum");
        }
        if u8(bytes, 8) != Some(1) {
            return Err("has a revision that is not known here");
        }
        let begin = usize_at(bytes, 36).ok_or("is cut off")?;
        let length = usize_at(bytes, 40).ok_or("is cut off")?;
        let heap = (begin, begin.saturating_add(length));
        if heap.1 > bytes.len() {
            return Err("has a heap beyond its end");
        }
        let table = Self { bytes, heap };
        let control = table.descriptor(CONTROL_AT, 64, CONTROL);
        let control = control.ok_or("has no control descriptor")?;
        match u8(control, 6).unwrap_or(0) & 1 {
            0 => Err("holds nothing"),
            _ => Ok(table),
        }
    }

    /// One descriptor, if it is of that kind.
    fn descriptor(&self, at: usize, length: usize, kind: u8) -> Option<&'a [u8]> {
        slice(self.bytes, at, length).filter(|bytes| bytes.first() == Some(&kind))
    }

    /// A list of descriptors: where that stands in the control descriptor. `least`: as long as each
    /// of them is at least.
    fn list(&self, at: usize, least: usize, kind: u8) -> Vec<&'a [u8]> {
        let at = CONTROL_AT.saturating_add(at);
        let begin = usize_at(self.bytes, at).unwrap_or(0);
        let length = le16(self.bytes, at.saturating_add(4)).unwrap_or(0);
        let length = usize::from(length).max(least);
        let count = u8(self.bytes, at.saturating_add(7)).unwrap_or(0);
        let place = |number: u8| begin.checked_add(length.checked_mul(number.into())?);
        let one = |number| self.descriptor(place(number)?, least, kind);
        (0..count).filter_map(one).listed()
    }

    /// What the reference at `at` of a descriptor names in the heap. `None`: nothing.
    fn heap(&self, descriptor: &[u8], at: usize) -> Option<&'a [u8]> {
        let begin = usize_at(descriptor, at)?;
        let length = usize::from(le16(descriptor, at.checked_add(4)?)?);
        let end = begin.checked_add(length)?;
        let within = length > 0 && begin >= self.heap.0 && end <= self.heap.1;
        self.bytes.get(begin..end).filter(|_| within)
    }

    /// Text in the heap that may be a word for the kernel: without blanks and commas.
    fn text(&self, descriptor: &[u8], at: usize) -> Option<&'a str> {
        let text = core::str::from_utf8(until_nul(self.heap(descriptor, at)?)).ok()?;
        let plain = |b: u8| b.is_ascii_graphic() && b != b',';
        (!text.is_empty() && text.bytes().all(plain)).then_some(text)
    }

    /// This machine's name and number there.
    fn host(&self) -> Result<(String, String), &'static str> {
        let at = usize_at(self.bytes, CONTROL_AT + 8);
        let host = at.and_then(|at| self.descriptor(at, 32, HOST));
        let host = host.filter(|host| has_flag(u8(host, 1), VALID));
        let host = host.ok_or("has no host descriptor")?;
        let nqn = self.text(host, 18).unwrap_or_default();
        let id = array::<16>(host, 2).filter(|id| *id != [0; 16]);
        let id = id.and_then(|id| hex::as_uuid(&hex::encode(&id)));
        Ok((nqn.into(), id.unwrap_or_default()))
    }

    fn interfaces(&self) -> Vec<Interface> {
        let list = self.list(16, 32, INTERFACE).into_iter();
        list.filter_map(|raw| self.interface(raw)).listed()
    }

    fn interface(&self, raw: &[u8]) -> Option<Interface> {
        let index = u8(raw, 1)?;
        if !has_flag(u8(raw, 2), VALID) || u8(raw, 3) != Some(TCP) {
            return None;
        }
        let info = self.heap(raw, 16)?;
        let fits = info.len() >= 110 && info.first() == Some(&TRANSPORT);
        let flags = u8(info, 6).filter(|flags| fits && has_flag(Some(*flags), VALID))?;
        let own = address(info, 20);
        let vlan = le16(info, 17)?;
        let hostname = self.text(info, 104).and_then(firmware::hostname);
        let setup = Setup {
            link: Some(Which::Mac(Mac(array(info, 11)?))),
            hostname,
            ..Setup::default()
        };
        let setup = match (flags & 4 != 0, own) {
            // The origin of addresses that routers advertise (`NL_PREFIX_ORIGIN`).
            (_, Some(IpAddr::V6(_))) if u8(info, 19) == Some(4) => asking(setup, Method::Auto6),
            (true, _) if is_v4(info, 20) || is_v4(info, 88) => asking(setup, Method::Dhcp4),
            (true, _) => asking(setup, Method::Dhcp6),
            (false, own) => Setup {
                method: Method::Static,
                address: Some(Network::new(own?, u8(info, 36)?)?),
                gateway: address(info, 37),
                dns: [56, 72]
                    .into_iter()
                    .filter_map(|at| address(info, at))
                    .listed(),
                ..setup
            },
        };
        let used = Used {
            setup,
            vlan: Some(vlan).filter(|vlan| (1..4095).contains(vlan)),
            booted: true,
        };
        Some(Interface { index, used })
    }

    /// Subsystems that the firmware connected to, over each interface by which it did.
    fn namespaces(&self, interfaces: &[Interface], odd: &mut Vec<String>) -> Vec<Controller> {
        let mut found = Vec::new();
        for raw in self.list(24, 128, NAMESPACE) {
            let Some(flags) = le16(raw, 3).filter(|flags| flags & VALID != 0) else {
                continue;
            };
            let number = le16(raw, 1).unwrap_or(0);
            let controller = match self.subsystem(raw, flags) {
                Ok(Some(controller)) => controller,
                Ok(None) => continue,
                Err(why) => {
                    odd.push(format!("NBFT: subsystem {number} {why}"));
                    continue;
                }
            };
            let first = u8(raw, 46).into_iter();
            let others = self.heap(raw, 48).unwrap_or_default();
            for index in first
                .chain(others.iter().copied())
                .filter(|index| *index > 0)
            {
                found.push(over(&controller, interfaces, index));
            }
        }
        found
    }

    /// `None`: what it names is looked for by way of a discovery controller.
    fn subsystem(&self, raw: &[u8], flags: u16) -> Result<Option<Controller>, &'static str> {
        if u8(raw, 5) != Some(TCP) {
            return Err("is not reached over TCP, and not connected to");
        }
        if flags & 4 != 0 && u8(raw, 45) != Some(0) {
            return Err("wants keys of a security profile, and is not connected to");
        }
        let nqn = self.text(raw, 54).ok_or("has no name")?;
        if nqn == DISCOVERY {
            return Ok(None);
        }
        let host = self.heap(raw, 10).and_then(|bytes| address(bytes, 0));
        let host = host.ok_or("has no address")?;
        let port = self.text(raw, 16).unwrap_or_default();
        let digits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
        let port = Some(port).filter(|_| digits).ok_or("has no port")?;
        let digests = le16(raw, 6).filter(|flags| flags & VALID != 0);
        let digests = digests.unwrap_or(0);
        Ok(Some(Controller {
            port: port.into(),
            nqn: nqn.into(),
            header_digest: digests & 2 != 0,
            data_digest: digests & 4 != 0,
            ..Controller::at(Host::Address(host))
        }))
    }

    /// Discovery controllers that no subsystem was found by: what they list is asked for.
    fn discovery(&self, interfaces: &[Interface], odd: &mut Vec<String>) -> Vec<Controller> {
        let named = |raw: &[u8]| {
            let counts = has_flag(u8(raw, 3), VALID) && self.text(raw, 54) != Some(DISCOVERY);
            u8(raw, 8).filter(|_| counts)
        };
        let done = self
            .list(24, 128, NAMESPACE)
            .into_iter()
            .filter_map(named)
            .listed();
        let mut found = Vec::new();
        for raw in self.list(40, 32, DISCOVERY_CONTROLLER) {
            let index = u8(raw, 2).unwrap_or(0);
            if !has_flag(u8(raw, 1), VALID) || done.contains(&index) {
                continue;
            }
            let controller = self.text(raw, 6).and_then(by_uri);
            match controller.filter(|_| u8(raw, 4) == Some(0)) {
                Some(controller) => {
                    let index = u8(raw, 3).unwrap_or(0);
                    found.push(over(&controller, interfaces, index));
                }
                None => odd.push(format!(
                    "NBFT: discovery controller {index} has no address of TCP, or wants keys; it \
                     is not asked"
                )),
            }
        }
        found
    }
}

/// Is any of these flags set?
fn has_flag(flags: Option<u8>, flag: u16) -> bool {
    u16::from(flags.unwrap_or(0)) & flag != 0
}

/// Is the address there one of IPv4, even where it is zeros?
fn is_v4(bytes: &[u8], at: usize) -> bool {
    let mapped = slice(bytes, at, 12).and_then(|head| head.strip_prefix(&[0; 10]));
    mapped == Some(&[0xff, 0xff])
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(le32(bytes, at)?).ok()
}

fn asking(setup: Setup, method: Method) -> Setup {
    Setup { method, ..setup }
}

/// The same from the address that the interface had, if it has that again.
fn over(controller: &Controller, interfaces: &[Interface], index: u8) -> Controller {
    let interface = interfaces.iter().find(|known| known.index == index);
    let own = interface.and_then(|known| known.used.setup.address);
    Controller {
        own: own.map(|own| own.address.to_string()).unwrap_or_default(),
        ..controller.clone()
    }
}

/// `nvme+tcp://ADDRESS[:PORT]/`.
fn by_uri(uri: &str) -> Option<Controller> {
    let rest = uri.strip_prefix("nvme+tcp://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    // Colons are parts of addresses of IPv6, which stand in brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let digits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    Some(Controller {
        port: port.into(),
        ..Controller::at(Host::parse(host).filter(|_| digits)?)
    })
}

#[cfg(test)]
mod tests;
