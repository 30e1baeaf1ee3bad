//! Whose drivers are loaded when.
//!
//! Every module costs time (its signature is checked), so drivers come in tiers: what can be, or
//! lead to, a disk at once; what may still lead to one (USB) when nothing else is under way; the
//! rest when nothing has happened for a while. A machine whose root is on its first disk loads the
//! first tier and nothing else.

use super::action::Action;
use super::modules::resolve;
use super::ticket::{Purpose, Tickets};
use crate::base::table::Names;
use crate::base::text::{cut, cut_last};
use crate::format::share;
use alloc::string::String;
use alloc::vec::Vec;

/// More different modaliases than this are not served. (A large server has about 1,000.)
const MAX_ALIASES: usize = 16_384;

/// The buses, by their names in `/sys/bus`, whose devices may be of a tier before [`Tier::Idle`]
/// on every machine. With a device tree, disks also hang directly on the platform.
pub const LIKELY: &[&str] = &[
    "pci",
    "virtio",
    "usb",
    "scsi",
    "mmc",
    "nd",
    "vmbus",
    "xen",
    "firewire",
    "ccw",
    "css",
    "vio",
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    "platform",
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    "amba",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// A disk, or a bus that disks hang on.
    Now,
    /// A bus that often carries no disk: served when nothing else is under way.
    Quiet,
    /// Cannot carry a disk as far as we know; served when nothing has happened for a while.
    Idle,
}

#[derive(Default)]
pub struct Buses {
    /// Root is a share of the host: what may bring it goes first.
    pub shares: bool,
    /// A network is needed: what may be a card goes first.
    pub links: bool,
    /// Root is on no disk of this machine.
    pub no_disks: bool,
    seen: Names,
    quiet: Vec<String>,
    idle: Vec<String>,
}

impl Buses {
    /// A device with this modalias exists.
    pub fn appeared(&mut self, modalias: String, tickets: &mut Tickets, out: &mut Vec<Action>) {
        if self.seen.contains(&modalias) || self.seen.len() >= MAX_ALIASES {
            return;
        }
        match self.tier(&modalias) {
            Tier::Now => ask(&modalias, tickets, out),
            Tier::Quiet => self.quiet.push(modalias.clone()),
            Tier::Idle => self.idle.push(modalias.clone()),
        }
        self.seen.insert(&modalias);
    }

    /// Which tier a modalias belongs to in this boot.
    pub fn tier(&self, modalias: &str) -> Tier {
        match tier(modalias) {
            _ if self.shares && share::is_way(modalias) => Tier::Now,
            _ if self.links && is_card(modalias) => Tier::Now,
            Tier::Now if self.no_disks && !is_board(modalias) => Tier::Quiet,
            tier => tier,
        }
    }

    pub fn knows(&self, modalias: &str) -> bool {
        self.seen.contains(modalias)
    }

    /// The next tier that has somebody waiting.
    pub fn next_tier(&self) -> Option<Tier> {
        if !self.quiet.is_empty() {
            Some(Tier::Quiet)
        } else if !self.idle.is_empty() {
            Some(Tier::Idle)
        } else {
            None
        }
    }

    pub fn serve(&mut self, tier: Tier, tickets: &mut Tickets, out: &mut Vec<Action>) {
        let waiting = match tier {
            Tier::Now => return,
            Tier::Quiet => core::mem::take(&mut self.quiet),
            Tier::Idle => core::mem::take(&mut self.idle),
        };
        for modalias in waiting {
            ask(&modalias, tickets, out);
        }
    }

    /// A network is needed after all: what may be a card goes first, and now.
    pub fn serve_cards(&mut self, tickets: &mut Tickets, out: &mut Vec<Action>) {
        self.links = true;
        for waiting in [&mut self.quiet, &mut self.idle] {
            for modalias in waiting.extract_if(.., |modalias| is_card(modalias)) {
                ask(&modalias, tickets, out);
            }
        }
    }

    /// Everybody that may be, or lead to, a keyboard.
    pub fn serve_keyboards(&mut self, tickets: &mut Tickets, out: &mut Vec<Action>) {
        for waiting in [&mut self.quiet, &mut self.idle] {
            for modalias in waiting.extract_if(.., |modalias| leads_to_keyboard(modalias)) {
                ask(&modalias, tickets, out);
            }
        }
    }
}

fn ask(modalias: &str, tickets: &mut Tickets, out: &mut Vec<Action>) {
    resolve(modalias, Purpose::Device(modalias.into()), tickets, out);
}

/// Which tier a modalias belongs to. Sources: `scripts/mod/file2alias.c` (the forms), the PCI Code
/// and ID Assignment (classes), the virtio specification 1.2 §5 (device numbers).
pub fn tier(modalias: &str) -> Tier {
    let Some((bus, rest)) = modalias.split_once(':') else {
        return Tier::Idle;
    };
    match bus {
        "pci" => pci(rest),
        "virtio" => virtio(rest),
        "usb" => usb(rest),
        "scsi" | "mmc" | "nd" | "vmbus" | "xen" | "of" | "ieee1394" | "ccw" | "css" | "vio"
        | "nvme" | "ubi" | "mtd" | "ide" => Tier::Now,
        "platform" | "acpi" | "sdio" | "typec" | "tbsvc" | "pcmcia" => Tier::Quiet,
        _ => Tier::Idle,
    }
}

/// `v…d…sv…sd…bcBBscSSiII`: base class and sub-class tell.
fn pci(rest: &str) -> Tier {
    let class = cut_last(rest, "bc").map_or("", |(_, class)| class);
    let base = class.get(0..2).unwrap_or("");
    let sub = class.get(4..6).unwrap_or("");
    match (base, sub) {
        // Mass storage; SD host controllers (system peripherals).
        ("01", _) | ("08", "05") => Tier::Now,
        // USB and FireWire hosts.
        ("0C" | "0c", "03" | "00") => Tier::Quiet,
        _ => Tier::Idle,
    }
}

/// `dDDDDDDDDvVVVVVVVV`: block, SCSI host, persistent memory.
fn virtio(rest: &str) -> Tier {
    match rest.get(0..9) {
        Some("d00000002" | "d00000008" | "d0000001B" | "d0000001b") => Tier::Now,
        _ => Tier::Idle,
    }
}

/// `…icIIiscSSipPPin…`: interface class 8 is mass storage.
fn usb(rest: &str) -> Tier {
    if usb_class(rest) == Some("08") {
        Tier::Now
    } else {
        Tier::Idle
    }
}

fn usb_class(rest: &str) -> Option<&str> {
    cut(rest, "ic")?.1.get(0..2)
}

/// Can this be a network card, or what one hangs on? Base class 02 of PCI; 02 (CDC), 0A and E0 of
/// USB's interfaces, and FF, which is anybody's; device 1 of virtio.
fn is_card(modalias: &str) -> bool {
    let Some((bus, rest)) = modalias.split_once(':') else {
        return false;
    };
    match bus {
        "pci" => cut_last(rest, "bc").is_some_and(|(_, class)| class.starts_with("02")),
        "virtio" => rest.starts_with("d00000001v"),
        "usb" => matches!(
            usb_class(rest),
            Some("02" | "0A" | "0a" | "E0" | "e0" | "FF" | "ff")
        ),
        _ => false,
    }
}

/// What is told by the board rather than found on a bus: what a node of a device tree drives, only
/// that tree says.
fn is_board(modalias: &str) -> bool {
    ["of:", "vmbus:", "xen:", "ccw:", "css:", "vio:"]
        .iter()
        .any(|bus| modalias.starts_with(bus))
}

/// May a device with this modalias be a keyboard, or have one behind it? Those of laptops hang on
/// I2C and SPI controllers that ACPI, the platform or PCI name.
pub fn leads_to_keyboard(modalias: &str) -> bool {
    let Some((bus, rest)) = modalias.split_once(':') else {
        return false;
    };
    match bus {
        "hid" | "serio" | "i2c" | "spi" | "acpi" | "platform" | "ssam" => true,
        // Input devices (09), serial buses (0C: USB, I2C), and I2C by its old name (11 80).
        "pci" => match cut_last(rest, "bc").map_or("", |(_, class)| class) {
            class if class.starts_with("11sc80") => true,
            class => matches!(class.get(0..2), Some("09" | "0C" | "0c")),
        },
        "virtio" => rest.starts_with("d00000012"),
        "usb" => usb_class(rest) == Some("03"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_come_first_usb_next_the_rest_last() {
        for (modalias, expected) in [
            (
                "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00",
                Tier::Now,
            ),
            (
                "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01",
                Tier::Now,
            ),
            (
                "pci:v00001B36d00000007sv00001AF4sd00001100bc08sc05i01",
                Tier::Now,
            ),
            (
                "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
                Tier::Quiet,
            ),
            (
                "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00",
                Tier::Idle,
            ),
            ("virtio:d00000002v00001AF4", Tier::Now),
            ("virtio:d00000001v00001AF4", Tier::Idle),
            (
                "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
                Tier::Now,
            ),
            (
                "usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip02in00",
                Tier::Idle,
            ),
            (
                "cpu:type:x86,ven0000fam0006mod0055:feature:,0000",
                Tier::Idle,
            ),
            ("scsi:t-0x00", Tier::Now),
            ("", Tier::Idle),
            ("pci:", Tier::Idle),
            ("usb:é", Tier::Idle),
        ] {
            assert_eq!(tier(modalias), expected, "{modalias}");
        }
    }
    #[test]
    fn keyboards_are_found_on_every_bus_that_has_them() {
        for (modalias, expected) in [
            ("hid:b0003g0001v00000627p00000001", true),
            ("serio:ty06pr00id00ex00", true),
            ("acpi:PNP0303:", true),
            ("usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00", true),
            ("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", false),
            ("virtio:d00000012v00001AF4", true),
            ("virtio:d00000001v00001AF4", false),
            (
                "pci:v00001AF4d00001052sv00001AF4sd00001100bc09sc00i00",
                true,
            ),
            (
                "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
                true,
            ),
            (
                "pci:v00008086d00009D60sv00001028sd00000704bc11sc80i00",
                true,
            ),
            (
                "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00",
                false,
            ),
            ("cpu:type:x86,ven0000fam0006mod0055:feature:,0000", false),
            ("", false),
        ] {
            assert_eq!(leads_to_keyboard(modalias), expected, "{modalias}");
        }
    }
}
