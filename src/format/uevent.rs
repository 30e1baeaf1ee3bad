//! What the kernel says about one device: a netlink uevent, or a device's `uevent` file in sysfs.
//!
//! Not a device database: nothing is remembered, nothing is named.
//! Source: lib/kobject_uevent.c and Documentation/ABI/testing/sysfs-uevent (Linux 6.12).

use alloc::string::String;

/// Longest message looked at. The kernel's own buffer is 2 KiB (`UEVENT_BUFFER_SIZE`) plus path.
pub const LONGEST: usize = 8192;

/// What happened to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Add,
    Remove,
    Change,
    Move,
    Online,
    Offline,
    Bind,
    Unbind,
    Other,
}

/// One device, as announced. Only what this program has a use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uevent {
    pub action: Action,
    /// Below `/sys`: `/devices/pci0000:00/…/block/vda/vda1`.
    pub devpath: String,
    pub subsystem: String,
    /// `disk` or `partition` for block devices.
    pub devtype: Option<String>,
    /// Below `/dev`: `vda1`, `cciss/c0d0`.
    pub devname: Option<String>,
    pub major: Option<u32>,
    pub minor: Option<u32>,
    /// The last one wins, as in udev (ACPI devices can have two).
    pub modalias: Option<String>,
    /// The driver that the device has.
    pub driver: Option<String>,
    /// The partition's number on its disk.
    pub partn: Option<u32>,
    /// Counts attached media since boot.
    pub diskseq: Option<u64>,
}

impl Uevent {
    fn new(action: Action, devpath: &str, subsystem: &str) -> Self {
        Self {
            action,
            devpath: devpath.into(),
            subsystem: subsystem.into(),
            devtype: None,
            devname: None,
            major: None,
            minor: None,
            modalias: None,
            driver: None,
            partn: None,
            diskseq: None,
        }
    }

    /// The kernel's name of the device with `!` as `/`: the last part of `devpath`.
    pub fn name(&self) -> String {
        last_part(&self.devpath).replace('!', "/")
    }

    /// The name of the device above in `devpath`: the disk of a partition.
    pub fn parent_name(&self) -> Option<String> {
        let (above, _) = self.devpath.rsplit_once('/')?;
        let name = last_part(above);
        (!name.is_empty()).then(|| name.replace('!', "/"))
    }

    fn take(&mut self, line: &[u8]) {
        let Some((key, value)) = core::str::from_utf8(line)
            .ok()
            .and_then(|l| l.split_once('='))
        else {
            return;
        };
        match key {
            "SUBSYSTEM" => self.subsystem = value.into(),
            "DEVTYPE" => self.devtype = Some(value.into()),
            "DEVNAME" if is_device_name(value) => self.devname = Some(value.into()),
            "MAJOR" => self.major = value.parse().ok(),
            "MINOR" => self.minor = value.parse().ok(),
            "MODALIAS" => self.modalias = Some(value.into()),
            "DRIVER" => self.driver = Some(value.into()),
            "PARTN" => self.partn = value.parse().ok(),
            "DISKSEQ" => self.diskseq = value.parse().ok(),
            _ => {}
        }
    }
}

/// One netlink message: `ACTION@DEVPATH`, NUL, then `KEY=value`, each ended by NUL.
///
/// `None` for anything else, and for the messages of a user-space udev (`libudev` magic).
pub fn parse(message: &[u8]) -> Option<Uevent> {
    let message = message.get(..message.len().min(LONGEST))?;
    let mut parts = message.split(|&b| b == 0);
    let head = core::str::from_utf8(parts.next()?).ok()?;
    let (action, devpath) = head.split_once('@')?;
    if !devpath.starts_with('/') {
        return None;
    }
    let mut event = Uevent::new(action_of(action), devpath, "");
    for part in parts {
        event.take(part);
    }
    Some(event)
}

/// A device's `uevent` file in sysfs: `KEY=value` lines. The file names neither path nor subsystem.
pub fn parse_file(devpath: &str, subsystem: &str, file: &[u8]) -> Uevent {
    let mut event = Uevent::new(Action::Add, devpath, subsystem);
    for line in file
        .get(..file.len().min(LONGEST))
        .unwrap_or(file)
        .split(|&b| b == b'\n')
    {
        event.take(line);
    }
    event
}

fn action_of(word: &str) -> Action {
    match word {
        "add" => Action::Add,
        "remove" => Action::Remove,
        "change" => Action::Change,
        "move" => Action::Move,
        "online" => Action::Online,
        "offline" => Action::Offline,
        "bind" => Action::Bind,
        "unbind" => Action::Unbind,
        _ => Action::Other,
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name that stays below `/dev`.
fn is_device_name(name: &str) -> bool {
    !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;

    const PARTITION: &[u8] = b"add@/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1\0\
        ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1\0\
        SUBSYSTEM=block\0MAJOR=254\0MINOR=1\0DEVNAME=vda1\0DEVTYPE=partition\0DISKSEQ=9\0\
        PARTN=1\0SEQNUM=1234\0";

    #[test]
    fn a_partition_is_read_with_its_numbers_and_its_disk() {
        let event = parse(PARTITION).unwrap();
        assert_eq!(event.action, Action::Add);
        assert_eq!(event.subsystem, "block");
        assert_eq!(event.devtype.as_deref(), Some("partition"));
        assert_eq!(event.devname.as_deref(), Some("vda1"));
        assert_eq!((event.major, event.minor), (Some(254), Some(1)));
        assert_eq!((event.partn, event.diskseq), (Some(1), Some(9)));
        assert_eq!(event.name(), "vda1");
        assert_eq!(event.parent_name().as_deref(), Some("vda"));
    }

    #[test]
    fn a_bus_device_has_its_modalias() {
        let message = b"add@/devices/pci0/virtio1\0SUBSYSTEM=virtio\0MODALIAS=virtio:d2v1\0";
        let event = parse(message).unwrap();
        assert_eq!(event.modalias.as_deref(), Some("virtio:d2v1"));
        assert_eq!(event.devname, None);
    }

    #[test]
    fn the_file_form_says_the_same_as_the_message() {
        let file = b"MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\nDISKSEQ=9\nPARTN=1\n";
        let path = "/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1";
        assert_eq!(Some(parse_file(path, "block", file)), parse(PARTITION));
    }

    #[test]
    fn foreign_and_broken_messages_are_not_events() {
        for bad in [
            &b""[..],
            b"\0",
            b"libudev\0\xfe\xed\xca\xfe",
            b"add",
            b"add@devices",
            b"add@/\xff\0",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_device_name_cannot_leave_dev() {
        for name in ["../etc/passwd", "a/../../b", "/vda", "", "a//b", "."] {
            let text = alloc::format!("add@/x\0DEVNAME={name}\0");
            assert_eq!(parse(text.as_bytes()).unwrap().devname, None, "{name}");
        }
    }

    #[test]
    fn slashes_in_names_are_written_with_an_exclamation_mark_in_sysfs() {
        let event = parse(b"add@/devices/x/block/cciss!c0d0/cciss!c0d0p1\0").unwrap();
        assert_eq!(event.name(), "cciss/c0d0p1");
        assert_eq!(event.parent_name().as_deref(), Some("cciss/c0d0"));
    }

    #[test]
    fn mutated_messages_never_panic_and_keep_their_bounds() {
        let mut seed = 0x5eed_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below as u64) as usize
        };
        for _ in 0..20_000 {
            let mut message = PARTITION.to_vec();
            for _ in 0..=random(4) {
                let at = random(message.len());
                message[at] = random(256) as u8;
            }
            message.truncate(random(message.len() + 1));
            if let Some(event) = parse(&message) {
                assert!(event.devpath.starts_with('/'));
                assert!(event.devpath.len() + event.subsystem.len() <= message.len());
                let _ = (event.name(), event.parent_name());
            }
            let _ = parse_file("/x", "block", &message);
        }
        let long = alloc::vec![b'A'; 1 << 20];
        assert_eq!(parse(&long), None);
    }
}
