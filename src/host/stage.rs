//! The devices of a rehearsed boot: images as disks of a virtual machine, or this machine's own.
//!
//! Images become vda, vdb, … behind virtio, with the partitions of their tables, as the kernel
//! announces them (names: `drivers/block/virtio_blk.c` and `block/partitions/core.c`, Linux 6.6).
//! This machine's devices are those of /sys/class/block. Reads only.

use crate::base::fault::Fault;
use crate::format::identity::{Finding, Partition, Range};
use crate::format::uevent;
use crate::host::device_file::DeviceFile;
use crate::host::failure::Failure;
use crate::host::identify::kernel_sectors;
use crate::plan::event::Block;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// virtio_blk takes a free major number; on most machines it is this one.
const VIRTIO_MAJOR: u32 = 254;
const MINORS: u32 = 16;
/// Partitions beyond the minors of a disk (`BLOCK_EXT_MAJOR`).
const EXTENDED_MAJOR: u32 = 259;

/// One disk with all its partitions.
pub struct Disk {
    /// Path in sysfs and modalias of each device between the machine and the disk.
    pub buses: Vec<(String, String)>,
    /// The disk, then its partitions.
    pub blocks: Vec<Block>,
    /// Where an image is read; `None`: `/dev/NAME` is.
    image: Option<DeviceFile>,
    /// First sector of each of `blocks`.
    starts: Vec<u64>,
}

pub struct Stage {
    pub disks: Vec<Disk>,
}

impl Stage {
    /// Each image becomes a disk.
    pub fn of_images(paths: &[PathBuf]) -> Result<Self, Failure> {
        let disks = paths.iter().enumerate().map(|(i, path)| {
            let fault = |fault: Fault| Failure::new(fault.into_text());
            let image = DeviceFile::open(path).map_err(fault)?;
            if let Some(format) = image.packed_format() {
                return Err(Failure::new(format!(
                    "{} is a {format} image: only plain ones can be read; \
                     'qemu-img convert -O raw' makes one",
                    image.name
                )));
            }
            let finding = image.identify().map_err(fault)?;
            Ok(disk_of(image, &finding, u32::try_from(i).unwrap_or(0)))
        });
        let disks = disks.collect::<Result<_, _>>()?;
        Ok(Self { disks })
    }

    /// This machine's block devices; empty ones (unused loop devices) are left out.
    pub fn of_this_machine() -> Result<Self, Failure> {
        const CLASS: &str = "/sys/class/block";
        let cannot = |e| Failure::new(format!("cannot list {CLASS}: {e}"));
        let entries = fs::read_dir(CLASS).map_err(cannot)?;
        let mut blocks: Vec<Block> = entries
            .filter_map(|entry| own_block(&entry.ok()?.path()))
            .filter(|block| block.sectors > 0)
            .collect();
        // Disks before their partitions, as a walk reports them.
        blocks.sort_by_key(|b| (b.part_of.is_some(), b.major, b.minor));
        let starts = vec![0; blocks.len()];
        let disk = Disk {
            buses: Vec::new(),
            blocks,
            image: None,
            starts,
        };
        Ok(Self { disks: vec![disk] })
    }

    /// Names that the disk has in `/dev/disk`. An image hangs on no bus; one that is given twice is
    /// one disk on two paths, and has the same World Wide Name on both.
    pub fn links(&self, name: &str) -> Vec<String> {
        let file = |disk: &Disk| fs::canonicalize(&disk.image.as_ref()?.name).ok();
        let own = self.find(name).ok().and_then(|(disk, _)| file(disk));
        let same = |disk: &&Disk| own.is_some() && file(disk) == own;
        let twice = self.disks.iter().filter(same).count() > 1;
        let shown = own.filter(|_| twice);
        let link = shown.map(|file| format!("by-id/wwn-{}", file.display()));
        link.into_iter().collect()
    }

    /// What lies on the device of this name.
    pub fn identify(&self, name: &str) -> Result<Finding, Fault> {
        let (disk, i) = self.find(name)?;
        match (&disk.image, disk.starts.get(i), disk.blocks.get(i)) {
            (Some(image), Some(start), Some(block)) => {
                let bytes = |sectors: u64| sectors.saturating_mul(512);
                image.identify_piece(bytes(*start), image_bytes(image, block))
            }
            _ => DeviceFile::open(Path::new(&format!("/dev/{name}")))?.identify(),
        }
    }

    fn find(&self, name: &str) -> Result<(&Disk, usize), Fault> {
        let find = |disk: &Disk| disk.blocks.iter().position(|b| b.name == name);
        let found = self.disks.iter().find_map(|d| Some((d, find(d)?)));
        found.ok_or_else(|| Fault::plain(format!("there is no {name}")))
    }

    /// How long it is, in bytes.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        let (disk, i) = self.find(name).ok()?;
        let block = disk.blocks.get(i)?;
        Some(match &disk.image {
            Some(image) => image_bytes(image, block),
            None => block.sectors.saturating_mul(512),
        })
    }

    /// Bytes of the device of this name.
    pub fn read(&self, name: &str, range: Range) -> io::Result<Vec<u8>> {
        let (disk, i) = self
            .find(name)
            .map_err(|f| io::Error::other(f.into_text()))?;
        match (&disk.image, disk.starts.get(i)) {
            (Some(image), Some(start)) => image.read(start.saturating_mul(512), range),
            _ => {
                let path = format!("/dev/{name}");
                let device = DeviceFile::open(Path::new(&path));
                device
                    .map_err(|f| io::Error::other(f.into_text()))?
                    .read(0, range)
            }
        }
    }

    /// The device with this number, as `MAJOR:MINOR`.
    pub fn name_of(&self, number: &str) -> Option<String> {
        let mut blocks = self.disks.iter().flat_map(|disk| &disk.blocks);
        let found = blocks.find(|b| format!("{}:{}", b.major, b.minor) == number);
        found.map(|b| b.name.clone())
    }

    /// The file behind a disk and its name, for whoever asks what is what.
    pub fn images(&self) -> impl Iterator<Item = (&str, &Block)> {
        self.disks.iter().filter_map(|disk| {
            let image = disk.image.as_ref()?;
            Some((image.name.as_str(), disk.blocks.first()?))
        })
    }
}

/// A disk is all of its image; a file need not end at a sector.
fn image_bytes(image: &DeviceFile, block: &Block) -> u64 {
    match block.part_of {
        None => image.size,
        Some(_) => block.sectors.saturating_mul(512),
    }
}

fn disk_of(image: DeviceFile, finding: &Finding, number: u32) -> Disk {
    let name = format!("vd{}", letters(number));
    let whole = Block {
        name: name.clone(),
        major: VIRTIO_MAJOR,
        minor: number.saturating_mul(MINORS),
        sectors: image.size / 512,
        part_of: None,
        sequence: u64::from(number).saturating_add(1),
        mapped: None,
    };
    let (mut blocks, mut starts) = (vec![whole.clone()], vec![0]);
    for entry in finding.table.iter().flat_map(|t| &t.partitions) {
        if let Some(partition) = partition_of(&whole, entry, format!("{name}{}", entry.number)) {
            blocks.push(partition);
            starts.push(entry.start);
        }
    }
    let slot = number.saturating_add(4);
    let controller = format!("/devices/pci0000:00/0000:00:{slot:02x}.0");
    let buses = vec![
        (
            controller.clone(),
            "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00".into(),
        ),
        (
            format!("{controller}/virtio{number}"),
            "virtio:d00000002v00001AF4".into(),
        ),
    ];
    Disk {
        buses,
        blocks,
        image: Some(image),
        starts,
    }
}

/// A partition as the kernel shows it: none outside of the disk, none longer than it.
pub fn partition_of(disk: &Block, entry: &Partition, name: String) -> Option<Block> {
    let room = disk.sectors.checked_sub(entry.start).filter(|&n| n > 0)?;
    let (major, minor) = match entry.number < MINORS {
        true => (disk.major, disk.minor.saturating_add(entry.number)),
        false => (EXTENDED_MAJOR, disk.minor.saturating_add(entry.number)),
    };
    Some(Block {
        name,
        major,
        minor,
        sectors: kernel_sectors(entry).min(room),
        part_of: Some((disk.name.clone(), entry.number)),
        sequence: disk.sequence,
        mapped: None,
    })
}

/// `a` … `z`, `aa` …, as the kernel counts disks.
fn letters(number: u32) -> String {
    let letter = |n: u32| char::from(b'a'.saturating_add((n % 26) as u8));
    match number.checked_sub(26) {
        None => letter(number).to_string(),
        Some(rest) => format!("{}{}", letters(rest / 26), letter(number)),
    }
}

fn own_block(path: &Path) -> Option<Block> {
    let link = fs::canonicalize(path).ok()?;
    let devpath = link.to_str()?.strip_prefix("/sys")?;
    let said = uevent::parse_file(devpath, "block", &fs::read(path.join("uevent")).ok()?);
    let size = fs::read_to_string(path.join("size")).ok()?;
    let number = |partn| Some((said.parent_name()?, partn));
    let mapped = fs::read_to_string(path.join("dm/name")).ok();
    Some(Block {
        name: said.devname.clone()?,
        major: said.major?,
        minor: said.minor?,
        sectors: size.trim().parse().ok()?,
        part_of: said.partn.and_then(number),
        sequence: said.diskseq.unwrap_or(0),
        mapped: mapped.map(|name| name.trim_end().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_counted_as_the_kernel_does() {
        for (number, expected) in [(0, "a"), (25, "z"), (26, "aa"), (27, "ab"), (702, "aaa")] {
            assert_eq!(letters(number), expected);
        }
    }
}
