//! Root in flash memory: when UBI is loaded, so that it attaches itself.
//!
//! The kernel's `ubi` attaches to what `ubi.mtd=` names when it starts, and to nothing later. As a
//! module it must therefore start when all of that is there. It announces its volumes before they
//! can be opened (ENODEV): they are there when it has started. drivers/mtd/ubi/build.c.

use super::Plan;
use super::device::Device;
use super::modules;
use super::ticket::Purpose;
use crate::base::text::Text;
use crate::format::wish::Source;

impl Plan {
    /// Asks for the driver of UBI once its flash memory is there.
    pub(super) fn attach_ubi(&mut self) {
        let volume = match &self.wish.root {
            Some(Source::Name(name) | Source::Link(name)) => name.starts_with("ubi"),
            _ => false,
        };
        if !volume || self.ubi_asked {
            return;
        }
        let Self {
            devices,
            tickets,
            out,
            ..
        } = self;
        devices.ask_links(tickets, out, &|d| is_flash(d));
        let mut flash = devices.all().filter(|d| is_flash(d));
        let there = match self.wish.ubi_mtd.as_slice() {
            [] => flash.next().is_some(),
            wanted => {
                let is_there = |mtd: &Text| devices.all().any(|d| is_flash(d) && is_named(d, mtd));
                wanted.iter().all(is_there)
            }
        };
        if there {
            self.ubi_asked = true;
            let purpose = Purpose::Wished("ubi".into());
            modules::resolve("ubi", purpose, &mut self.tickets, &mut self.out);
        }
    }
}

/// A volume, `ubi0_1`.
pub(super) fn is_volume(device: &Device) -> bool {
    device.block.name.starts_with("ubi")
}

fn is_flash(device: &Device) -> bool {
    number(device).is_some()
}

/// `mtd2`: 2.
fn number(device: &Device) -> Option<u32> {
    device.block.name.strip_prefix("mtd")?.parse().ok()
}

/// Is this what `ubi.mtd=` calls so: a number, a name, or the path of its device?
fn is_named(device: &Device, mtd: &Text) -> bool {
    let Some(typed) = mtd.as_str() else {
        return false;
    };
    let path = typed.strip_prefix("/dev/");
    let mut links = device.links.iter().flatten();
    path == Some(device.block.name.as_str())
        || typed.parse().is_ok_and(|n| number(device) == Some(n))
        || links.any(|l| l.strip_prefix("mtd:") == Some(typed))
}
