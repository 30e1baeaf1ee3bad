//! The devices of a trace: what each is, in a word or two, and which job brought it about.

use crate::host::chart_jobs::Job;

/// A device that was announced.
pub enum Device {
    /// Its place in sysfs.
    At(String),
    /// A block device, by its name.
    Block(String),
    Unknown,
}

/// Which module makes block devices of which names (`Documentation/admin-guide/devices.txt`).
const DISK_DRIVERS: [(&str, &str); 8] = [
    ("sd", "sd_mod"),
    ("vd", "virtio_blk"),
    ("sr", "sr_mod"),
    ("nvme", "nvme"),
    ("mmcblk", "mmc_block"),
    ("pmem", "nd_pmem"),
    ("xvd", "xen_blkfront"),
    ("md", "md_mod"),
];

impl Device {
    /// Does this job bring it about? The closer above it, the more likely.
    pub fn comes_by(&self, job: &Job) -> Option<usize> {
        match self {
            Self::At(path) => {
                let above = job.drives.as_deref()?;
                let below = path.strip_prefix(above)?.starts_with('/');
                below.then_some(above.len())
            }
            Self::Block(name) => {
                let module = job.what.strip_prefix("load ")?;
                let fits =
                    |(stem, driver): &&(&str, &str)| name.starts_with(stem) && *driver == module;
                DISK_DRIVERS.iter().find(fits).map(|_| 0)
            }
            Self::Unknown => None,
        }
    }
}

/// What a modalias stands for, in a word or two (forms: `scripts/mod/file2alias.c`).
pub fn device_kind(alias: &str) -> &'static str {
    let (bus, rest) = alias.split_once(':').unwrap_or((alias, ""));
    let class = rest.rsplit_once("bc").map_or("", |(_, class)| class);
    match bus {
        "pci" if class.starts_with("01") => "disk controller",
        "pci" if class.starts_with("0C") || class.starts_with("0c") => "bus controller",
        "pci" => "PCI device",
        "virtio" if rest.starts_with("d00000002") => "virtio disk",
        "virtio" if rest.starts_with("d00000008") => "virtio SCSI",
        "virtio" => "virtio device",
        "usb" => "USB device",
        "scsi" => "SCSI device",
        _ => "device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::chart_jobs::read;

    #[test]
    fn a_device_comes_by_the_driver_above_it_or_of_its_kind() {
        let trace = "0 > walk 1\n0 < bus /a/b pci:x\n0 < bus /a/b/c usb:y\n0 < walked 1\n\
                     0 > resolve 2 pci:x\n0 < resolved 2 answers=sd_mod module=sd_mod:::\n\
                     0 > load 3 sd_mod\n";
        let jobs = read(trace);
        let load = jobs.all.iter().find(|j| j.what == "load sd_mod").unwrap();
        let by = |device: Device| device.comes_by(load);
        assert_eq!(by(Device::At("/a/b/c".into())), Some(4));
        assert_eq!(by(Device::At("/a/bc".into())), None);
        assert_eq!(by(Device::Block("sdc2".into())), Some(0));
        assert_eq!(by(Device::Block("vda".into())), None);
        assert_eq!(by(Device::Unknown), None);
    }
}
