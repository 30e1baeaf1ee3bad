//! Reads the tables in which firmware leaves how it booted over a network.
//!
//! Sources: Documentation/ABI/testing/sysfs-firmware-acpi (`tables/`: a number stands behind the
//! name where there are several), Documentation/ABI/testing/sysfs-ibft.

use crate::base::secret::Secret;
use crate::format::iscsi::Reference;
use crate::format::iscsi::password::Password;
use crate::format::net::firmware::Firmware;
use crate::format::{ibft, nbft};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;

/// More tables of a kind are not looked for.
const TABLES_MAX: u32 = 8;

/// A value of sysfs is no longer than a page.
const VALUE_MAX: usize = 4096;

/// What the NVMe boot tables say. `None`: this machine has none.
pub fn nbft() -> Option<Firmware> {
    let mut found = None;
    for number in 0..=TABLES_MAX {
        let number = match number {
            0 => String::new(),
            number => number.to_string(),
        };
        let path = format!("/sys/firmware/acpi/tables/NBFT{number}");
        let table = dir::open_path(path.as_bytes(), Want::Contents);
        match table.and_then(|table| dir::read_all(table, nbft::LONGEST)) {
            Ok(bytes) => add(found.get_or_insert_default(), &path, &bytes),
            // The usual machine has none; of several, all have numbers.
            Err(_) if number.is_empty() => {}
            Err(_) => break,
        }
    }
    found
}

fn add(all: &mut Firmware, path: &str, bytes: &[u8]) {
    match nbft::parse(bytes) {
        Ok(one) => {
            all.links.extend(one.links);
            all.targets.extend(one.targets);
            all.odd.extend(one.odd);
        }
        Err(why) => all.odd.push(format!("{path} {why}; it does not count")),
    }
}

/// What the iSCSI boot table says; nothing where there is none, or not its driver.
pub fn ibft() -> Firmware {
    let mut folders = Vec::new();
    if let Ok(all) = dir::open_path(ibft::FOLDER.as_bytes(), Want::Directory) {
        let mut each = |name: &std::ffi::CStr, _| folders.extend(name.to_str().map(String::from));
        let _ = dir::list(&all, &mut each);
    }
    ibft::read(&folders, &|name| String::from_utf8(value(name)?).ok())
}

/// A file's value, without the end of its line.
fn value(name: &str) -> Option<Vec<u8>> {
    let mut text = proc_sys::read(&format!("{}/{name}", ibft::FOLDER), VALUE_MAX).ok()?;
    text.pop_if(|last| *last == b'\n');
    Some(text)
}

/// The target with the passwords that the firmware left for it, where those are the ones that
/// count.
pub fn with_passwords(wanted: &Reference) -> Reference {
    let mut known = wanted.clone();
    let Some(number) = wanted.firmware else {
        return known;
    };
    let password = |user: &str, file: &str| {
        let bytes = value(&format!("target{number}/{file}")).filter(|_| !user.is_empty());
        Password::new(Secret::from(bytes.unwrap_or_default()).as_bytes())
    };
    known.password = password(&wanted.user, ibft::PASSWORD);
    known.password_in = password(&wanted.user_in, ibft::PASSWORD_IN);
    known
}
