//! `by-path`: names made of the way to a disk, from the machine's buses down.
//!
//! Not named: tapes and keyboards, which hold no root, and the s390 crypto bus.

use super::Node;
use crate::base::list::Listed;
use crate::base::text::{Joined, below_sys, cut};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What a bus is called in a path, and whether it tells the transport, too: not every bus that has
/// addresses tells devices behind it apart.
const BUSES: [(&str, bool); 9] = [
    ("pci", false),
    ("acpi", false),
    ("xen", false),
    ("platform", true),
    ("amba", true),
    ("scm", true),
    ("ccw", true),
    ("ccwgroup", true),
    ("iucv", true),
];

/// A path while it is made, and what was found on the way.
#[derive(Default)]
struct Way {
    /// The nearest part first.
    parts: Vec<String>,
    /// The ATA part as it was written before systemd 250, and its place.
    ata: Option<(usize, String)>,
    /// The USB part with the bus's revision, as systemd 256 writes it, and its place.
    usb: Option<(usize, String)>,
    transport: bool,
    addressed: bool,
}

impl Way {
    fn add(&mut self, part: String) {
        self.parts.push(part);
    }

    fn joined(&self, other: Option<&(usize, String)>) -> String {
        let parts = self.parts.iter().enumerate().rev();
        let part = |(i, own)| match other {
            Some((at, text)) if *at == i => text,
            _ => own,
        };
        let parts: Vec<&str> = parts.map(part).map(String::as_str).listed();
        parts.joined("-")
    }
}

/// Adds `by-path/…` of a whole disk.
pub fn add(disk: &Node<'_>, names: &mut Vec<String>) {
    let virtual_one = cut(disk.path, "/virtual/").is_some();
    if virtual_one && cut(disk.path, "/nvme-subsystem/").is_none() {
        return;
    }
    let Some(way) = walk(disk) else {
        return;
    };
    let mut add = |path: &str| names.push(format!("by-path/{path}"));
    let path = way.joined(None);
    if let Some((_, number)) = cut(disk.name(), "boot")
        && disk.name().starts_with("mmcblk")
    {
        return add(&format!("{path}-boot{number}"));
    }
    add(&path);
    for other in [&way.ata, &way.usb].into_iter().flatten() {
        add(&way.joined(Some(other)));
    }
    if disk.name().starts_with("vd") && path.starts_with("pci-") {
        add(&format!("virtio-{path}"));
    }
}

fn walk(disk: &Node<'_>) -> Option<Way> {
    let mut way = Way::default();
    let controller;
    let mut at = disk.parent();
    while let Some(node) = at {
        let subsystem = node.subsystem().unwrap_or_default();
        let from = match subsystem.as_str() {
            "scsi" => scsi(&node, &mut way)?,
            "usb" => usb(&node, &mut way),
            "virtio" => {
                way.transport = true;
                node.last_of("virtio")
            }
            "nvme" => {
                nvme(disk, &mut way);
                node.last_of("nvme")
            }
            "nvme-subsystem" => {
                controller = real_controller(disk)?;
                nvme(disk, &mut way);
                let sysfs = disk.sysfs;
                return rest(
                    Node {
                        sysfs,
                        path: &controller,
                    },
                    way,
                );
            }
            "spi" => {
                if let Some((_, number)) = node.name().rsplit_once('.') {
                    way.add(format!("cs-{number}"));
                }
                node.last_of("spi")
            }
            "cciss" => {
                let (_, number) = node.name().split_once('d')?;
                way.add(format!("cciss-disk{number}"));
                way.transport = true;
                node.last_of("cciss")
            }
            bus => known_bus(node, bus, &mut way),
        };
        at = from.parent();
    }
    (way.addressed && way.transport).then_some(way)
}

/// Goes on from another branch of the tree, where only buses are left.
fn rest(from: Node<'_>, mut way: Way) -> Option<Way> {
    let mut at = Some(from.last_of("nvme"));
    while let Some(node) = at {
        let bus = node.subsystem().unwrap_or_default();
        at = known_bus(node, &bus, &mut way).parent();
    }
    (way.addressed && way.transport).then_some(way)
}

fn known_bus<'a>(node: Node<'a>, bus: &str, way: &mut Way) -> Node<'a> {
    let Some((_, transport)) = BUSES.iter().find(|(name, _)| *name == bus) else {
        return node;
    };
    way.add(format!("{bus}-{}", node.name()));
    way.transport |= transport;
    way.addressed = true;
    node.last_of(bus)
}

fn nvme(disk: &Node<'_>, way: &mut Way) {
    if let Some(number) = disk.text("nsid") {
        way.add(format!("nvme-{number}"));
        way.transport = true;
        way.addressed = true;
    }
}

/// The controller behind a disk that may have several: the one with the disk's own number.
fn real_controller(disk: &Node<'_>) -> Option<String> {
    let digits = disk.name().strip_prefix("nvme")?;
    let number: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let link = disk.sysfs.link(&format!("/class/nvme/nvme{number}"))?;
    let path = format!("/{}", below_sys(&link));
    (!path.starts_with("/devices/virtual/")).then_some(path)
}

fn usb<'a>(node: &Node<'a>, way: &mut Way) -> Node<'a> {
    way.transport = true;
    let named = node.is_type("usb_interface") || node.is_type("usb_device");
    let Some((_, port)) = node.name().split_once('-').filter(|_| named) else {
        return *node;
    };
    let hub = node.last_of("usb");
    way.add(format!("usb-0:{port}"));
    if let Some(revision) = usb_revision(&hub) {
        let place = way.parts.len().saturating_sub(1);
        way.usb = Some((place, format!("usbv{revision}-0:{port}")));
    }
    hub
}

/// A host controller has one root hub for each revision of USB.
fn usb_revision(hub: &Node<'_>) -> Option<u8> {
    match hub.text("bDeviceProtocol")?.as_str() {
        "00" if hub.text("speed")? == "480" => Some(2),
        "00" => Some(1),
        "01" | "02" => Some(2),
        "03" => Some(3),
        _ => None,
    }
}

/// The part of a SCSI device's path that its transport tells. `None`: no path can be told.
fn scsi<'a>(node: &Node<'a>, way: &mut Way) -> Option<Node<'a>> {
    way.transport = true;
    if !node.is_type("scsi_device") {
        return Some(*node);
    }
    let within = |part: &str| cut(node.path, part).is_some();
    if within("/rport-") {
        let port = transport(node, "fc_transport", "scsi_target", "port_name")?;
        way.add(format!("fc-{port}-{}", lun(node)?));
        way.addressed = true;
    } else if within("/end_device-") {
        way.add(format!("{}-{}", sas(node)?, lun(node)?));
        way.addressed = true;
    } else if within("/session") {
        way.add(format!("{}-{}", iscsi(node)?, lun(node)?));
        way.addressed = true;
    } else if within("/ata") {
        ata(node, way)?;
    } else if within("/vmbus_") || within("/VMBUS") {
        let host = node.parent_of_type("scsi", "scsi_host")?;
        let id = host.parent()?.text("device_id")?;
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        way.add(format!("vmbus-{id}-{}", lun(node)?));
    } else {
        return plain_scsi(node, way);
    }
    Some(*node)
}

/// `HOST:CHANNEL:TARGET:LUN`.
fn address(node: &Node<'_>) -> Option<[u32; 4]> {
    let mut numbers = node.name().split(':').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?, next()?])
}

/// Hosts are numbered over all controllers; a path counts them from the controller's first.
fn plain_scsi<'a>(node: &Node<'a>, way: &mut Way) -> Option<Node<'a>> {
    let host = node.parent_of_type("scsi", "scsi_host")?;
    let [number, channel, target, lun] = address(node)?;
    let siblings = host.sysfs.list(host.above()?.path);
    let numbers = siblings.iter().filter_map(|n| n.strip_prefix("host"));
    let first: u32 = numbers.filter_map(|n| n.parse().ok()).min()?;
    let number = number.saturating_sub(first);
    way.add(format!("scsi-{number}:{channel}:{target}:{lun}"));
    Some(host)
}

/// Up to 255 units are counted; beyond, it is the number's bytes in SCSI's order.
fn lun(node: &Node<'_>) -> Option<String> {
    let [.., lun] = address(node)?;
    Some(match lun {
        0..=255 => format!("lun-{lun}"),
        _ => format!("lun-0x{:04x}{:04x}00000000", lun & 0xffff, lun >> 16),
    })
}

fn ata(node: &Node<'_>, way: &mut Way) -> Option<()> {
    let port = node.parent_of_type("scsi", "scsi_host")?.parent()?;
    let number = port.text(&format!("ata_port/{}/port_no", port.name()))?;
    let [_, channel, target, _] = address(node)?;
    way.ata = Some((way.parts.len(), format!("ata-{number}")));
    way.add(match channel {
        0 => format!("ata-{number}.{target}"),
        // Behind a port multiplier.
        _ => format!("ata-{number}.{channel}.0"),
    });
    Some(())
}

/// What the transport's class says of the nearest device above of this type.
fn transport(node: &Node<'_>, class: &str, kind: &str, value: &str) -> Option<String> {
    let above = node.parent_of_type("scsi", kind)?;
    above.text(&format!("{class}/{}/{value}", above.name()))
}

/// A disk on a SAS phy, or on a port of several; behind an expander or not.
fn sas(node: &Node<'_>) -> Option<String> {
    let end = node.parent_of_type("scsi", "scsi_target")?.parent()?;
    let own = |value: &str| end.text(&format!("sas_device/{}/{value}", end.name()));
    let port = end.parent()?;
    let phys = port.text(&format!("sas_port/{}/num_phys", port.name()))?;
    if phys != "1" {
        return Some(format!("sas-{}", own("sas_address")?));
    }
    let phy = own("phy_identifier")?;
    let expander = port.parent()?;
    let address = expander.text(&format!("sas_device/{}/sas_address", expander.name()));
    Some(match address {
        Some(address) => format!("sas-exp{address}-phy{phy}"),
        None => format!("sas-phy{phy}"),
    })
}

fn iscsi(node: &Node<'_>) -> Option<String> {
    let mut above = node.parents();
    let session = above.find(|n| n.name().starts_with("session"))?;
    let number = session.name().strip_prefix("session")?.to_string();
    let own = format!("iscsi_session/session{number}/targetname");
    let target = session.text(&own)?;
    let link = format!("connection{number}:0");
    let connection = format!("{link}/iscsi_connection/{link}");
    let address = session.text(&format!("{connection}/persistent_address"))?;
    let port = session.text(&format!("{connection}/persistent_port"))?;
    Some(format!("ip-{address}:{port}-iscsi-{target}"))
}
