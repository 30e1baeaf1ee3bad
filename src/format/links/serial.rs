//! `by-id`: names made of serial numbers and world wide names.

use super::{Node, in_link, in_serial, plain, vpd};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Adds `by-id/…` of a whole disk.
pub fn add(disk: &Node<'_>, names: &mut Vec<String>) {
    let mut add = |kind: &str, id: &str| names.push(format!("by-id/{kind}-{id}"));
    let numbered = |stem: &str| {
        let rest = disk.name().strip_prefix(stem)?;
        rest.bytes().next().filter(u8::is_ascii_digit)
    };
    if disk.name().starts_with("vd") {
        if let Some(serial) = disk.value("serial") {
            add("virtio", &in_link(&serial));
        }
    } else if numbered("nvme").is_some() {
        nvme(disk, &mut add);
    } else if disk.name().starts_with("sd") || numbered("sr").is_some() {
        scsi(disk, &mut add);
    } else if numbered("mmcblk").is_some() {
        card(disk, "mmc", &mut add);
    } else if numbered("mspblk").is_some() || numbered("msblk").is_some() {
        card(disk, "memstick", &mut add);
    } else if numbered("pmem").is_some() {
        let uuid = disk.value("uuid");
        if let Some(uuid) = uuid.or_else(|| inherited(disk, "uuid")) {
            add("pmem", &in_link(&uuid));
        }
    } else if numbered("dm-").is_some() {
        for (kind, file) in [("dm-name", "dm/name"), ("dm-uuid", "dm/uuid")] {
            if let Some(value) = disk.value(file) {
                add(kind, &in_link(&value));
            }
        }
    }
}

/// An attribute of the nearest device above that has it.
fn inherited(disk: &Node<'_>, name: &str) -> Option<Vec<u8>> {
    disk.parents().find_map(|node| node.value(name))
}

fn nvme(disk: &Node<'_>, add: &mut dyn FnMut(&str, &str)) {
    if let Some(wwid) = disk.value("wwid") {
        add("nvme", &in_link(&wwid));
    }
    let (model, serial) = (inherited(disk, "model"), inherited(disk, "serial"));
    let (Some(model), Some(serial)) = (model, serial) else {
        return;
    };
    let both = [model, serial].join(&b'_');
    add("nvme", &plain(&both, b""));
    // Since systemd 252 a second name tells namespaces of one controller apart.
    if let Some(number) = disk.value("nsid") {
        add("nvme", &plain(&[both, number].join(&b'_'), b""));
    }
}

/// SCSI disks, and all that the kernel shows as such: SATA and USB.
fn scsi(disk: &Node<'_>, add: &mut dyn FnMut(&str, &str)) {
    let Some(unit) = disk.parent_of_type("scsi", "scsi_device") else {
        return;
    };
    if let Some(serial) = usb(disk, &unit) {
        return add("usb", &serial);
    }
    let file = |name: &str| unit.file(name).unwrap_or_default();
    let value = |name: &str| unit.value(name).unwrap_or_default();
    let page83 = file("vpd_pg83");
    let vendor = value("vendor");
    let ata = (vendor == b"ATA").then(|| vpd::ata(&page83)).flatten();
    let (kind, named) = match ata {
        Some(named) => ("ata", Some(named)),
        None => {
            let named = vpd::scsi(&page83, &file("vpd_pg80"), &vendor, &value("model"));
            ("scsi", named)
        }
    };
    let Some(named) = named else {
        return;
    };
    add(kind, &named.serial);
    if let Some(wwn) = named.wwn {
        add("wwn", &format!("0x{wwn}"));
    }
}

/// `VENDOR_MODEL_SERIAL-TARGET:LUN` of a disk on USB; `None` for others.
fn usb(disk: &Node<'_>, unit: &Node<'_>) -> Option<String> {
    const STORAGE: &[u8] = b"08";
    let interface = disk.parent_of_type("usb", "usb_interface")?;
    let device = interface.parent_of_type("usb", "usb_device")?;
    // Of a mass storage device that speaks SCSI, what the disk says counts.
    let speaks = interface.value("bInterfaceSubClass");
    let storage = interface.value("bInterfaceClass").as_deref() == Some(STORAGE);
    let speaks_scsi = storage && matches!(speaks.as_deref(), Some(b"06" | b"02"));
    let told = |own: &str, product: &str, number: &str| {
        let own = unit.value(own).filter(|_| speaks_scsi);
        let told = own.map(|own| in_serial(&own)).filter(|own| !own.is_empty());
        let value = || device.value(product).or_else(|| device.value(number));
        told.unwrap_or_else(|| in_serial(&value().unwrap_or_default()))
    };
    let vendor = told("vendor", "manufacturer", "idVendor");
    let model = told("model", "product", "idProduct");
    let mut name = format!("{vendor}_{model}");
    let odd = |b: &u8| !(0x20..=0x7f).contains(b) || *b == b',';
    let serial = device.value("serial").filter(|s| !s.iter().any(odd));
    let serial = serial.map(|s| in_serial(&s)).filter(|s| !s.is_empty());
    if let Some(serial) = serial {
        name = format!("{name}_{serial}");
    }
    if speaks_scsi {
        let (_, within) = unit.name().split_once(':')?;
        let (_, instance) = within.split_once(':')?;
        name = format!("{name}-{instance}");
    }
    Some(name)
}

/// Memory cards. Their boot partitions are disks of their own, without such a name.
fn card(disk: &Node<'_>, kind: &str, add: &mut dyn FnMut(&str, &str)) {
    let whole = disk
        .name()
        .trim_start_matches(|c: char| c.is_ascii_lowercase());
    let (name, serial) = (inherited(disk, "name"), inherited(disk, "serial"));
    if let (true, Some(name), Some(serial)) =
        (whole.bytes().all(|b| b.is_ascii_digit()), name, serial)
    {
        add(kind, &format!("{}_{}", in_link(&name), in_link(&serial)));
    }
}
