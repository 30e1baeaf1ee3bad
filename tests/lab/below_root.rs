//! What root lies on, in one line: `vg-root(luks-UUID(raid1(disk1,disk2)))`.
//!
//! A mapped device by its name, an array by its level and how many members it lacks
//! (`raid1-1`), a loop device by its file, a disk by its serial number or its kernel name, a
//! partition as `…/1`. Sysfs alone is asked. Part of the reporting init.

use std::fs;
use std::path::{Path, PathBuf};

/// `mountinfo`: the text of proc(5).
pub fn below_root(mountinfo: &str) -> String {
    let root = mountinfo
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some("/"));
    let Some((left, right)) = root.and_then(|line| line.split_once(" - ")) else {
        return "(no root)".into();
    };
    let number = left.split(' ').nth(2).unwrap_or_default();
    let mut right = right.split(' ');
    let (fstype, source) = (
        right.next().unwrap_or_default(),
        right.next().unwrap_or_default(),
    );
    if fstype == "btrfs" {
        return btrfs(source);
    }
    told(Path::new(&format!("/sys/dev/block/{number}")))
}

/// Every device of the file system that has `source` among its devices.
fn btrfs(source: &str) -> String {
    let own = fs::canonicalize(source).ok();
    let own = own.as_deref().and_then(Path::file_name).unwrap_or_default();
    for entry in entries(Path::new("/sys/fs/btrfs")) {
        let devices = entries(&entry.join("devices"));
        if devices.iter().any(|device| device.file_name() == Some(own)) {
            return format!("btrfs({})", all(&devices));
        }
    }
    format!("(no btrfs has {source})")
}

fn told(device: &Path) -> String {
    let Ok(device) = fs::canonicalize(device) else {
        return format!("({} is not there)", device.display());
    };
    let below = entries(&device.join("slaves"));
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    if let Some(number) = read(&device.join("partition")) {
        return format!("{}/{number}", told(device.parent().unwrap_or(&device)));
    }
    let own = if let Some(name) = read(&device.join("dm/name")) {
        name
    } else if let Some(level) = read(&device.join("md/level")) {
        let lacks = read(&device.join("md/degraded")).filter(|lacks| lacks != "0");
        lacks.map_or(level.clone(), |lacks| format!("{level}-{lacks}"))
    } else if let Some(file) = read(&device.join("loop/backing_file")) {
        format!("loop:{file}")
    } else if let Some(serial) = read(&device.join("serial")).filter(|s| !s.is_empty()) {
        serial
    } else {
        name.into_owned()
    };
    match below.is_empty() {
        true => own,
        false => format!("{own}({})", all(&below)),
    }
}

fn all(devices: &[PathBuf]) -> String {
    let mut told: Vec<String> = devices.iter().map(|device| self::told(device)).collect();
    told.sort();
    told.join(",")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn read(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}
