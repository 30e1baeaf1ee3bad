//! What the real system's udev shall know of mapped devices and of arrays: that they were made on
//! purpose.
//!
//! udev's rules for the device mapper take the events of a coldplug for real only if the database
//! says that the device was activated before; otherwise nothing on it is found again. So do those
//! of LVM for an array: no other volume of a group on it would be activated. The record is one that
//! udev keeps (its file has the sticky bit) when the initramfs is left. Source: lvm2's
//! 10-dm.rules.in and 69-dm-lvm.rules.in, systemd's src/libsystemd/sd-device/device-private.c
//! (device_update_db), udev(7) "db_persist".

use crate::sys::dm::udev;
use crate::sys::{clock, dir};

const FOLDER: &str = "/run/udev/data";
/// devices.txt: 9 block, metadisk (RAID) devices.
const MD_MAJOR: u32 = 9;
/// Of the rules whose flags these are.
const RULES_VERSION: u32 = 2;
/// Kept when the initramfs is left.
const MODE: u32 = 0o1644;

/// A mapped device of this name, UUID and number, made with these flags of [`udev`]. That it cannot
/// be written is nothing to stop for: a system without udev has no use for it.
pub fn mapped(name: &str, uuid: &str, number: (u32, u32), flags: u16) {
    keep(number, &mapped_properties(name, uuid, flags));
}

/// An array that was started, by its name: `md127`.
pub fn array(device: &str) {
    if let Some(minor) = device.strip_prefix("md").and_then(|n| n.parse().ok()) {
        keep((MD_MAJOR, minor), "E:LVM_MD_PV_ACTIVATED=1\n");
    }
}

/// `I`: since when it is known; `V`: of the form.
fn keep((major, minor): (u32, u32), properties: &str) {
    let place = format!("{FOLDER}/b{major}:{minor}");
    for folder in ["/run/udev", FOLDER] {
        let _ = dir::make(folder);
    }
    let microseconds = clock::since_boot().0.saturating_mul(1000).max(1);
    let text = format!("I:{microseconds}\n{properties}V:1\n");
    if let Err(fail) = dir::write_file_with_mode(&place, text.as_bytes(), MODE) {
        log::debug!("{fail}");
    }
}

/// `E`: a property.
fn mapped_properties(name: &str, uuid: &str, flags: u16) -> String {
    let mut text = String::new();
    let mut property = |key: &str, value: &str| {
        // A line break in a name would begin another line.
        if !value.contains('\n') {
            text.push_str(&format!("E:{key}={value}\n"));
        }
    };
    let all = [
        (udev::DISABLE_DM_RULES, "DM_UDEV_DISABLE_DM_RULES_FLAG"),
        (
            udev::DISABLE_SUBSYSTEM_RULES,
            "DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG",
        ),
        (udev::DISABLE_DISK_RULES, "DM_UDEV_DISABLE_DISK_RULES_FLAG"),
        (
            udev::DISABLE_OTHER_RULES,
            "DM_UDEV_DISABLE_OTHER_RULES_FLAG",
        ),
        // The name that version 3 of the rules (lvm2 2.03.25) reads back.
        (
            udev::DISABLE_OTHER_RULES,
            "DM_COOKIE_DISABLE_OTHER_RULES_FLAG",
        ),
        (udev::LOW_PRIORITY, "DM_UDEV_LOW_PRIORITY_FLAG"),
        (udev::PRIMARY_SOURCE, "DM_UDEV_PRIMARY_SOURCE_FLAG"),
    ];
    for (_, key) in all.iter().filter(|(flag, _)| flags & flag != 0) {
        property(key, "1");
    }
    // libdevmapper asks this of udev wherever udev runs, and so do all tools that use it.
    property("DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG", "1");
    property("DM_NAME", name);
    property("DM_UUID", uuid);
    property("DM_SUSPENDED", "0");
    property("DM_UDEV_RULES", "1");
    property("DM_UDEV_RULES_VSN", &RULES_VERSION.to_string());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_that_the_device_was_made_on_purpose() {
        let text = mapped_properties("vg-root", "LVM-abc", udev::PRIMARY_SOURCE);
        let expected = "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n\
                        E:DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG=1\nE:DM_NAME=vg-root\n\
                        E:DM_UUID=LVM-abc\nE:DM_SUSPENDED=0\nE:DM_UDEV_RULES=1\n\
                        E:DM_UDEV_RULES_VSN=2\n";
        assert_eq!(text, expected);
        let hidden = mapped_properties("a\nE:X=1", "", udev::HIDDEN);
        assert!(
            hidden.contains("E:DM_UDEV_DISABLE_DISK_RULES_FLAG=1\n"),
            "{hidden}"
        );
        assert!(
            hidden.contains("E:DM_COOKIE_DISABLE_OTHER_RULES_FLAG=1\n"),
            "{hidden}"
        );
        assert!(!hidden.contains("E:X=1"), "{hidden}");
    }
}
