//! Flash memory: what the kernel says of MTD devices and of UBI's volumes on them.
//!
//! They are character devices; they have a name and a length, and nothing else that a block device
//! has. Documentation/ABI/testing/sysfs-devices-mtd (class/mtd) and sysfs-class-ubi.

use crate::act::coldplug;
use crate::base::fault::Fault;
use crate::format::identity::{Finding, View};
use crate::format::uevent::Uevent;
use crate::sys::proc_sys;

/// UBI's volumes are read as if they had sectors of this length.
const SECTOR: u32 = 512;

/// What a device is called, `ubi0_1` or `mtd2`, in the class that has it: the class's name.
pub fn class_of(device: &str) -> Option<&'static str> {
    let numeral = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if device.strip_prefix("mtd").is_some_and(numeral) {
        return Some("mtd");
    }
    let (on, volume) = device.strip_prefix("ubi")?.split_once('_')?;
    (numeral(on) && numeral(volume)).then_some("ubi")
}

/// Its length in 512-byte sectors; 0: it is gone.
pub fn size_sectors(device: &str) -> u64 {
    size_bytes(device) / u64::from(SECTOR)
}

fn size_bytes(device: &str) -> u64 {
    let file = match class_of(device) {
        Some("mtd") => "size",
        _ => "data_bytes",
    };
    let text = attribute(device, file).unwrap_or_default();
    text.parse().unwrap_or(0)
}

/// What root= calls it: `ubi0:NAME`, `mtd:NAME`.
pub fn names(device: &str) -> Vec<String> {
    let Some(name) = attribute(device, "name") else {
        return Vec::new();
    };
    let on = device.split('_').next().unwrap_or_default();
    let on = if on.starts_with("ubi") { on } else { "mtd" };
    vec![format!("{on}:{name}")]
}

fn attribute(device: &str, file: &str) -> Option<String> {
    let class = class_of(device)?;
    let value = proc_sys::read(&format!("/sys/class/{class}/{device}/{file}"), 256).ok()?;
    let value = String::from_utf8(value).ok()?;
    Some(value.trim_end_matches('\n').into())
}

/// Identifies what is on it. An MTD device without a file system that is known is an empty finding.
pub fn probe(device: &str) -> Result<Finding, Fault> {
    let view = View::new(size_bytes(device), SECTOR);
    super::probe_device::probe_view(&format!("/dev/{device}"), view)
}

/// Calls `each` for every device there is.
pub fn walk(each: &mut dyn FnMut(Uevent)) {
    for class in ["mtd", "ubi"] {
        coldplug::class(class, each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_in_flash_memory_are_told_by_their_names() {
        for (name, class) in [
            ("mtd0", Some("mtd")),
            ("mtd0ro", None),
            ("mtdblock0", None),
            ("mtd", None),
            ("ubi0", None),
            ("ubi0_12", Some("ubi")),
            ("ubi_ctrl", None),
            ("ubiblock0_0", None),
        ] {
            assert_eq!(class_of(name), class, "{name}");
        }
        assert!(names("ubi77_7").is_empty());
        assert_eq!(size_sectors("mtd77"), 0);
    }
}
