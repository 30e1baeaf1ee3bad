//! Tables that firmware leaves, as firmware would: the NVMe boot table and the iSCSI boot table.
//!
//! Made from the specifications, and of nothing else: unit tests of the parsers include this file.
//! Sources: NVM Express Boot Specification, revision 1.0, figures 8 to 24; IBM's "iSCSI Boot
//! Firmware Table (iBFT)" 1.02.
#![allow(dead_code, clippy::arithmetic_side_effects)]

use std::net::{IpAddr, Ipv6Addr};

/// One link that the firmware used.
#[derive(Clone)]
pub struct Link {
    pub mac: [u8; 6],
    pub vlan: u16,
    /// Which server the address is from.
    pub dhcp: Option<IpAddr>,
    /// `NL_PREFIX_ORIGIN`: 1 by hand, 3 by DHCP, 4 by a router.
    pub origin: u8,
    pub address: IpAddr,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    pub dns: Option<IpAddr>,
}

impl Link {
    pub fn at(mac: [u8; 6], address: &str, prefix: u8) -> Self {
        Self {
            mac,
            vlan: 0,
            dhcp: None,
            origin: 1,
            address: address.parse().unwrap(),
            prefix,
            gateway: None,
            dns: None,
        }
    }

    /// The same by DHCP.
    pub fn leased(self, server: &str) -> Self {
        Self {
            dhcp: Some(server.parse().unwrap()),
            origin: 3,
            ..self
        }
    }
}

fn address(address: Option<IpAddr>) -> [u8; 16] {
    match address {
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().octets(),
        Some(IpAddr::V6(v6)) => v6.octets(),
        None => Ipv6Addr::UNSPECIFIED.octets(),
    }
}

/// What is filled in bit by bit, with a heap behind it.
struct Table {
    bytes: Vec<u8>,
}

impl Table {
    /// The head that every table of ACPI has, up to byte 36.
    fn new(signature: &[u8; 4], length: usize) -> Self {
        let mut table = Self {
            bytes: vec![0; length],
        };
        table.put(0, signature);
        table.put(8, &[1]);
        table.put(10, b"LANDFAL TESTS");
        table
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Lays `bytes` behind everything; where that is.
    fn heap(&mut self, bytes: &[u8]) -> usize {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() - bytes.len()
    }

    /// With its length and checksum.
    fn done(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap();
        self.put(4, &length.to_le_bytes());
        self.put(9, &[0]);
        let sum = self.bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
        self.put(9, &[sum.wrapping_neg()]);
        self.bytes
    }
}

/// One subsystem that the firmware connected to.
#[derive(Clone)]
pub struct Subsystem {
    pub flags: u16,
    pub digests: u16,
    pub address: IpAddr,
    pub port: String,
    pub nqn: String,
    /// Which links, by number from 1: the first one, and others.
    pub link: u8,
    pub other_links: Vec<u8>,
    /// The discovery controller that knew it, by number from 1.
    pub discovery: u8,
    pub security: u8,
}

impl Subsystem {
    pub fn at(address: &str, port: u16, nqn: &str) -> Self {
        Self {
            flags: 1,
            digests: 0,
            address: address.parse().unwrap(),
            port: port.to_string(),
            nqn: nqn.into(),
            link: 1,
            other_links: Vec::new(),
            discovery: 0,
            security: 0,
        }
    }
}

#[derive(Clone, Default)]
pub struct Nbft {
    pub host_nqn: String,
    pub host_id: [u8; 16],
    pub hostname: String,
    pub links: Vec<Link>,
    pub subsystems: Vec<Subsystem>,
    /// Discovery controllers: the link, and the URI.
    pub discovery: Vec<(u8, String)>,
}

impl Nbft {
    pub fn bytes(&self) -> Vec<u8> {
        let (control, host) = (64, 128);
        let links = 160;
        let subsystems = links + 32 * self.links.len();
        let discovery = subsystems + 128 * self.subsystems.len();
        let heap = discovery + 32 * self.discovery.len();
        let mut table = Table::new(b"NBFT", heap);
        table.put(control, &[1, 1, 0, 0, 64, 0, 1]);
        refer(&mut table, control + 8, host, 32);
        list(&mut table, control + 16, (links, 32, self.links.len()));
        list(
            &mut table,
            control + 24,
            (subsystems, 128, self.subsystems.len()),
        );
        list(
            &mut table,
            control + 40,
            (discovery, 32, self.discovery.len()),
        );
        table.put(host, &[2, 0b111]);
        table.put(host + 2, &self.host_id);
        text(&mut table, host + 18, &self.host_nqn);
        for (number, link) in self.links.iter().enumerate() {
            self.link(&mut table, links + 32 * number, number, link);
        }
        for (number, subsystem) in self.subsystems.iter().enumerate() {
            put_subsystem(&mut table, subsystems + 128 * number, number, subsystem);
        }
        for (number, (link, uri)) in self.discovery.iter().enumerate() {
            let at = discovery + 32 * number;
            table.put(at, &[6, 1, byte(number + 1), *link]);
            text(&mut table, at + 6, uri);
            text(&mut table, at + 12, "nqn.2014-08.org.nvmexpress.discovery");
        }
        let length = u32::try_from(table.bytes.len() - heap).unwrap();
        table.put(36, &u32::try_from(heap).unwrap().to_le_bytes());
        table.put(40, &length.to_le_bytes());
        table.done()
    }

    fn link(&self, table: &mut Table, at: usize, number: usize, link: &Link) {
        table.put(at, &[3, byte(number + 1), 1, 3]);
        let info = table.heap(&[0; 128]);
        refer(table, at + 16, info, 128);
        let flags = 1 | 2 | (u8::from(link.dhcp.is_some()) << 2);
        table.put(info, &[7, 1, 3, 1, byte(number + 1), 0, flags]);
        table.put(info + 11, &link.mac);
        table.put(info + 17, &link.vlan.to_le_bytes());
        table.put(info + 19, &[link.origin]);
        table.put(info + 20, &address(Some(link.address)));
        table.put(info + 36, &[link.prefix]);
        table.put(info + 37, &address(link.gateway));
        table.put(info + 56, &address(link.dns));
        table.put(info + 88, &address(link.dhcp));
        text(table, info + 104, &self.hostname);
    }
}

fn put_subsystem(table: &mut Table, at: usize, number: usize, subsystem: &Subsystem) {
    table.put(at, &[4, byte(number + 1), 0]);
    table.put(at + 3, &subsystem.flags.to_le_bytes());
    table.put(at + 5, &[3]);
    table.put(at + 6, &subsystem.digests.to_le_bytes());
    table.put(at + 8, &[subsystem.discovery]);
    let place = table.heap(&address(Some(subsystem.address)));
    refer(table, at + 10, place, 16);
    text(table, at + 16, &subsystem.port);
    table.put(at + 24, &1u32.to_le_bytes());
    table.put(at + 45, &[subsystem.security, subsystem.link]);
    let place = table.heap(&subsystem.other_links);
    refer(table, at + 48, place, subsystem.other_links.len());
    text(table, at + 54, &subsystem.nqn);
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap()
}

/// Where something lies, and how long it is.
fn refer(table: &mut Table, at: usize, place: usize, length: usize) {
    table.put(at, &u32::try_from(place).unwrap().to_le_bytes());
    table.put(at + 4, &u16::try_from(length).unwrap().to_le_bytes());
}

/// Text in the heap, with a NUL that its length does not count.
fn text(table: &mut Table, at: usize, text: &str) {
    if !text.is_empty() {
        let place = table.heap(text.as_bytes());
        table.heap(&[0]);
        refer(table, at, place, text.len());
    }
}

fn list(table: &mut Table, at: usize, (place, length, count): (usize, u16, usize)) {
    table.put(at, &u32::try_from(place).unwrap().to_le_bytes());
    table.put(at + 4, &length.to_le_bytes());
    table.put(at + 6, &[1, byte(count)]);
}

/// The disk that the firmware booted from by iSCSI.
#[derive(Clone, Default)]
pub struct Ibft {
    pub initiator: String,
    pub links: Vec<Link>,
    pub address: Option<IpAddr>,
    pub port: u16,
    pub lun: u8,
    pub target: String,
    /// This machine's name and password, and those by which the target proves itself.
    pub proof: Option<[String; 2]>,
    pub proof_in: Option<[String; 2]>,
}

impl Ibft {
    pub fn bytes(&self) -> Vec<u8> {
        let (control, initiator, link, target) = (48, 72, 152, 256);
        let second = 320;
        let mut table = Table::new(b"iBFT", 432);
        let second_at = if self.links.len() > 1 { second } else { 0 };
        table.put(control, &[1, 1, 18, 0, 0, 0, 0, 0]);
        for (at, place) in [(8, initiator), (10, link), (12, target), (14, second_at)] {
            table.put(control + at, &u16::try_from(place).unwrap().to_le_bytes());
        }
        table.put(initiator, &[2, 1, 74, 0, 0, 3]);
        named(&mut table, initiator + 70, &self.initiator);
        for (number, used) in self.links.iter().enumerate() {
            let at = [link, second][number];
            // Only the first one was booted over.
            let flags = if number == 0 { 3 } else { 1 };
            table.put(at, &[3, 1, 102, 0, byte(number), flags]);
            table.put(at + 6, &address(Some(used.address)));
            table.put(at + 22, &[used.prefix, used.origin]);
            table.put(at + 24, &address(used.gateway));
            table.put(at + 40, &address(used.dns));
            table.put(at + 72, &address(used.dhcp));
            table.put(at + 88, &used.vlan.to_le_bytes());
            table.put(at + 90, &used.mac);
        }
        table.put(target, &[4, 1, 54, 0, 0, 3]);
        table.put(target + 6, &address(self.address));
        table.put(target + 22, &self.port.to_le_bytes());
        table.put(target + 24, &[0, self.lun]);
        let kind = u8::from(self.proof.is_some()) + u8::from(self.proof_in.is_some());
        table.put(target + 32, &[kind, 0]);
        named(&mut table, target + 34, &self.target);
        for (at, proof) in [(38, &self.proof), (46, &self.proof_in)] {
            if let Some([name, password]) = proof {
                named(&mut table, target + at, name);
                named(&mut table, target + at + 4, password);
            }
        }
        table.done()
    }
}

/// The length of a text, and where it lies.
fn named(table: &mut Table, at: usize, text: &str) {
    let place = table.heap(text.as_bytes());
    table.heap(&[0]);
    table.put(at, &u16::try_from(text.len()).unwrap().to_le_bytes());
    table.put(at + 2, &u16::try_from(place).unwrap().to_le_bytes());
}
