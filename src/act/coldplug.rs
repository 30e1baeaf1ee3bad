//! What exists already: one walk over /sys, in the words of the uevents that were missed.
//!
//! Not a recursion over /sys/devices: the lists of the buses and of the block class name every
//! device that a driver or a file system can be found by. sysfs(5),
//! Documentation/admin-guide/sysfs-rules.rst.

use crate::base::fault::Fault;
use crate::base::text::below_sys;
use crate::format::uevent::{self, Uevent};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;
use std::os::fd::{AsFd, OwnedFd};

const BUSES: &str = "/sys/bus";
const BLOCK: &str = "/sys/class/block";

/// Buses whose devices never have a modalias, however many there are (a memory block for every
/// 128 MiB, a work queue, a clock).
const SILENT: [&[u8]; 9] = [
    b"clockevents",
    b"clocksource",
    b"container",
    b"edac",
    b"event_source",
    b"machinecheck",
    b"memory",
    b"node",
    b"workqueue",
];

/// Every device has the same modalias here: that of the machine.
const ONE_IS_ENOUGH: &[u8] = b"cpu";

/// Calls `each` for every device with a modalias on these buses (`None`: on all), then for every
/// block device, whole disks before partitions. Devices that vanish meanwhile are left out: their
/// uevents tell.
pub fn walk(only: Option<&[&str]>, each: &mut dyn FnMut(Uevent)) -> Result<(), Fault> {
    match only {
        Some(names) => some_buses(names, each)?,
        None => all_buses(each)?,
    }
    blocks(each)
}

fn some_buses(names: &[&str], each: &mut dyn FnMut(Uevent)) -> Result<(), Fault> {
    let buses = directory(BUSES)?;
    let mut file = Vec::new();
    for name in names {
        // A bus that this kernel does not know has no devices.
        if let Ok(devices) = dir::open_at(&buses, format!("{name}/devices").as_bytes()) {
            bus_devices(&devices, name, &mut file, each);
        }
    }
    Ok(())
}

fn all_buses(each: &mut dyn FnMut(Uevent)) -> Result<(), Fault> {
    let buses = directory(BUSES)?;
    let mut file = Vec::new();
    dir::list(&buses, &mut |name, _| {
        let bus = name.to_bytes();
        let devices = [bus, b"/devices"].concat();
        if !SILENT.contains(&bus)
            && let Ok(devices) = dir::open_at(&buses, &devices)
        {
            let name = String::from_utf8_lossy(bus);
            bus_devices(&devices, &name, &mut file, each);
        }
    })?;
    Ok(())
}

fn bus_devices(devices: &OwnedFd, bus: &str, file: &mut Vec<u8>, each: &mut dyn FnMut(Uevent)) {
    let mut enough = false;
    // A list that breaks off is like devices that vanish.
    let _ = dir::list(devices, &mut |name, _| {
        if enough || !read_uevent(devices, name.to_bytes(), file) || !has_modalias(file) {
            return;
        }
        if let Some(devpath) = devpath(devices, name.to_bytes()) {
            enough = bus.as_bytes() == ONE_IS_ENOUGH;
            each(uevent::parse_file(&devpath, bus, file));
        }
    });
}

/// Calls `each` for every device of a class; a kernel without the class has none.
pub fn class(name: &str, each: &mut dyn FnMut(Uevent)) {
    let Ok(class) = dir::open_path(format!("/sys/class/{name}").as_bytes(), Want::Directory) else {
        return;
    };
    let mut file = Vec::new();
    // A list that breaks off is like devices that vanish.
    let _ = dir::list(&class, &mut |entry, _| {
        if read_uevent(&class, entry.to_bytes(), &mut file)
            && let Some(devpath) = devpath(&class, entry.to_bytes())
        {
            each(uevent::parse_file(&devpath, name, &file));
        }
    });
}

fn blocks(each: &mut dyn FnMut(Uevent)) -> Result<(), Fault> {
    let class = directory(BLOCK)?;
    let mut file = Vec::new();
    let mut partitions = Vec::new();
    dir::list(&class, &mut |name, _| {
        if !read_uevent(&class, name.to_bytes(), &mut file) {
            return;
        }
        let Some(devpath) = devpath(&class, name.to_bytes()) else {
            return;
        };
        let device = uevent::parse_file(&devpath, "block", &file);
        if device.devtype.as_deref() == Some("partition") {
            partitions.push(device);
        } else {
            each(device);
        }
    })?;
    partitions.into_iter().for_each(each);
    Ok(())
}

/// The length of a block device in 512-byte sectors. `None`: it is gone.
pub fn block_size_sectors(name: &str) -> Option<u64> {
    let path = format!("{BLOCK}/{}/size", name.replace('/', "!"));
    let text = proc_sys::read(&path, 32).ok()?;
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// What the device mapper calls one of its devices. `None`: it is none, or is gone.
pub fn mapped_name(name: &str) -> Option<String> {
    if !name.starts_with("dm-") {
        return None;
    }
    let text = proc_sys::read(&format!("{BLOCK}/{name}/dm/name"), 256).ok()?;
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    std::str::from_utf8(text).ok().map(String::from)
}

fn directory(path: &str) -> Result<OwnedFd, Fault> {
    dir::open_path(path.as_bytes(), Want::Directory).map_err(|fail| {
        let text = format!("{fail}: devices cannot be listed; the kernel needs CONFIG_SYSFS");
        Fault::new(fail.errno, text)
    })
}

fn read_uevent(dir: &OwnedFd, name: &[u8], file: &mut Vec<u8>) -> bool {
    let path = [name, b"/uevent"].concat();
    proc_sys::read_at(dir.as_fd(), &path, uevent::LONGEST, file).is_ok()
}

fn has_modalias(file: &[u8]) -> bool {
    file.split(|&b| b == b'\n')
        .any(|line| line.starts_with(b"MODALIAS="))
}

/// `../../../devices/pci0000:00/…` is `/devices/pci0000:00/…` below /sys.
fn devpath(dir: &OwnedFd, name: &[u8]) -> Option<String> {
    let link = String::from_utf8(dir::link_text(dir.as_fd(), name).ok()?).ok()?;
    let path = below_sys(&link);
    Some(format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn found() -> Vec<Uevent> {
        let mut all = Vec::new();
        walk(None, &mut |event| all.push(event)).unwrap();
        all
    }

    /// The slow way: look at every `uevent` file below /sys/devices.
    fn slow(dir: &Path, each: &mut dyn FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                slow(&path, each);
            } else if entry.file_name() == "uevent"
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                each(dir, &text);
            }
        }
    }

    /// What the slow way finds: paths and names of block devices, modaliases of bus devices.
    fn expected() -> (BTreeSet<(String, String)>, BTreeSet<String>) {
        let (mut blocks, mut aliases) = (BTreeSet::new(), BTreeSet::new());
        slow(Path::new("/sys/devices"), &mut |dir, text| {
            let path = dir.to_str().unwrap().trim_start_matches("/sys").to_string();
            let value = |key: &str| text.lines().find_map(|l| l.strip_prefix(key));
            let subsystem = std::fs::read_link(dir.join("subsystem")).unwrap_or_default();
            let is_bus = subsystem
                .parent()
                .is_some_and(|above| above.ends_with("bus"));
            if subsystem.ends_with("class/block") {
                blocks.insert((path, value("DEVNAME=").unwrap().to_string()));
            } else if is_bus && let Some(alias) = value("MODALIAS=") {
                aliases.insert(alias.to_string());
            }
        });
        (blocks, aliases)
    }

    #[test]
    fn every_block_device_and_every_modalias_of_a_bus_is_found() {
        // Other programs may plug loop devices meanwhile: look again, up to a bound.
        let mut pairs = std::iter::repeat_with(|| {
            let found = found();
            let blocks = found.iter().filter(|event| event.subsystem == "block");
            let blocks = blocks.map(|e| (e.devpath.clone(), e.devname.clone().unwrap()));
            let aliases = found.iter().filter_map(|event| event.modalias.clone());
            ((blocks.collect(), aliases.collect()), expected())
        });
        let (ours, expected) = pairs
            .by_ref()
            .take(5)
            .find(|(ours, expected)| ours == expected)
            .unwrap_or_else(|| pairs.next().unwrap());
        assert!(!expected.0.is_empty());
        assert_eq!(ours, expected);
    }

    #[test]
    fn disks_come_before_partitions_with_numbers_and_size() {
        let found = found();
        let kinds = found.iter().filter(|event| event.subsystem == "block");
        let kinds: Vec<_> = kinds.map(|event| event.devtype.clone().unwrap()).collect();
        assert!(kinds.is_sorted());
        for event in found.iter().filter(|event| event.subsystem == "block") {
            assert!(event.major.is_some() && event.minor.is_some(), "{event:?}");
            let name = event.name();
            assert!(block_size_sectors(&name).is_some(), "{name}");
        }
        assert_eq!(block_size_sectors("nonesuch"), None);
    }
}
