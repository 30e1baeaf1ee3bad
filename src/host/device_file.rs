//! Reads a block device, or the image of one in a file, for identification. Nothing is written.
//!
//! What to read is decided by `format::identity`. A piece of a device is read as if it were a
//! device of its own: that is how a partition inside of an image is identified.
//!
//! Sector size: Documentation/ABI/stable/sysfs-block, `queue/logical_block_size`.

use crate::base::fault::Fault;
use crate::format::identity::{Finding, Range, View, identify_with};
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The unit of partition tables in image files, which have no sectors of their own.
const FILE_SECTOR: u32 = 512;

/// An open device or image.
pub struct DeviceFile {
    file: File,
    /// As it was named, for messages.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Logical sector size in bytes.
    pub sector: u32,
    pub is_device: bool,
}

impl DeviceFile {
    /// Opens a regular file or a block device for reading.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let cannot = |error: io::Error| {
            let errno = error.raw_os_error().unwrap_or(0);
            Fault::new(errno, format!("cannot read {name}: {error}"))
        };
        let mut how = File::options();
        // A pipe without a writer, or a drive without a medium, must not be waited for.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        how.read(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
        let mut file = how.open(path).map_err(cannot)?;
        let meta = file.metadata().map_err(cannot)?;
        let is_device = meta.file_type().is_block_device();
        if !is_device && !meta.is_file() {
            let text = format!("cannot read {name}: it is neither a file nor a block device");
            return Err(Fault::plain(text));
        }
        let size = file.seek(SeekFrom::End(0)).map_err(cannot)?;
        let sector = match is_device {
            true => sector_of(meta.rdev()).unwrap_or(FILE_SECTOR),
            false => FILE_SECTOR,
        };
        Ok(Self {
            file,
            name,
            size,
            sector,
            is_device,
        })
    }

    /// What the whole device is.
    pub fn identify(&self) -> Result<Finding, Fault> {
        self.identify_piece(0, self.size)
    }

    /// What `len` bytes from byte `start` on are, taken for a device.
    ///
    /// What cannot be read might have told of a container, so a read error spoils every answer
    /// but a container.
    pub fn identify_piece(&self, start: u64, len: u64) -> Result<Finding, Fault> {
        let len = len.min(self.size.saturating_sub(start));
        let view = View::new(len, self.sector);
        identify_as(&self.name, view, &mut |range| self.read(start, range))
    }

    /// Bytes of the piece that begins at byte `start`.
    pub fn read(&self, start: u64, range: Range) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; range.len];
        self.file
            .read_exact_at(&mut bytes, start.saturating_add(range.at))?;
        Ok(bytes)
    }

    /// The format of virtual disks that the file is in, if it is not a plain image.
    pub fn packed_format(&self) -> Option<&'static str> {
        const MAGICS: [(&[u8], &str); 4] = [
            (b"QFI\xfb", "qcow2"),
            (b"KDMV", "vmdk"),
            (b"vhdxfile", "vhdx"),
            (b"conectix", "vpc"),
        ];
        let mut head = [0; 8];
        self.file.read_exact_at(&mut head, 0).ok()?;
        let found = MAGICS.iter().find(|(magic, _)| head.starts_with(magic));
        found.map(|(_, name)| *name)
    }
}

/// Identifies what `read` brings the bytes of, under this name.
pub fn identify_as(
    name: &str,
    view: View,
    read: &mut dyn FnMut(Range) -> io::Result<Vec<u8>>,
) -> Result<Finding, Fault> {
    identify_with(view, read).map_err(|(range, error)| {
        let (len, at) = (range.len, range.at);
        let text = format!("cannot read {name} ({len} bytes at {at}): {error}");
        Fault::new(error.raw_os_error().unwrap_or(0), text)
    })
}

/// A device, or the disk that it is a partition of.
fn sector_of(rdev: u64) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(rdev), rustix::fs::minor(rdev));
    let device = format!("/sys/dev/block/{major}:{minor}");
    let read = |queue: &str| {
        let text = std::fs::read_to_string(format!("{device}/{queue}/logical_block_size")).ok()?;
        text.trim().parse().ok()
    };
    // `..` of the link's target is the disk's directory.
    read("queue").or_else(|| read("../queue"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_disk_is_refused_by_name() {
        for (path, why) in [
            ("/no/such", "cannot read /no/such: No such file"),
            ("/proc/self", "neither a file nor a block device"),
            ("/dev/null", "neither a file nor a block device"),
        ] {
            let fault = DeviceFile::open(Path::new(path)).err().unwrap();
            assert!(fault.text.contains(why), "{fault}");
        }
    }
}
