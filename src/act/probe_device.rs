//! Identifies a block device, or an image of one in a file, by its bytes. Reads only.
//!
//! What to read is decided by `format::identity`.

use crate::act::flash;
use crate::act::read_device::{Below, Errno, fault, open, read};
use crate::base::fault::Fault;
use crate::format::identity::{Finding, Range, View, identify_with};
use crate::format::lens::Lens;
use crate::sys::fail::Fail;
use crate::sys::{block, dir, proc_sys};
use std::os::fd::AsFd;

/// The unit of partition tables in image files, which have no sectors of their own.
const FILE_SECTOR: u32 = 512;

/// Identifies `/dev/DEVICE`. `device` is the kernel's name with `/` for `!`. With a lens it does
/// not run yet, and is seen through what lies below it.
pub fn probe(device: &str, lens: Option<&Lens>) -> Result<Finding, Fault> {
    if let Some(lens) = lens {
        let mut below = Below::new(lens);
        let view = View::new(lens.bytes, lens.sector);
        return look(&mut |range| below.read(range), view, device);
    }
    if flash::class_of(device).is_some() {
        return flash::probe(device);
    }
    // The kernel tells partitions from disks by a file that only they have.
    let number = format!("/sys/class/block/{}/partition", device.replace('/', "!"));
    let partition = proc_sys::read(&number, 32).is_ok();
    probe_path(&format!("/dev/{device}"), partition)
}

/// Identifies the image of a device in a regular file, or the device itself.
pub fn probe_file(path: &str) -> Result<Finding, Fault> {
    probe_path(path, false)
}

/// Identifies what a device or file holds whose length is known already.
pub fn probe_view(name: &str, view: View) -> Result<Finding, Fault> {
    let file = open(name)?;
    look(&mut |range| read(&file, range), view, name)
}

fn probe_path(name: &str, partition: bool) -> Result<Finding, Fault> {
    let file = open(name)?;
    let kind = dir::status(&file)?;
    // An empty drive claims a size, and answers each read with a page of complaints.
    if name.starts_with("/dev/sr") && block::has_no_disc(file.as_fd()) {
        return Err(Fail::new("read", name, libc::ENOMEDIUM).into());
    }
    let sector = match kind.is_file() {
        true => FILE_SECTOR,
        false => block::sector_bytes(file.as_fd(), name)?,
    };
    let size = block::size_bytes(file.as_fd(), name)?;
    let mut view = View::new(size, sector);
    view.partition = partition;
    look(&mut |range| read(&file, range), view, name)
}

fn look(
    read: &mut dyn FnMut(Range) -> Result<Vec<u8>, Errno>,
    view: View,
    name: &str,
) -> Result<Finding, Fault> {
    identify_with(view, read).map_err(|(range, error)| {
        let what = format!("{name} ({} bytes at {})", range.len, range.at);
        fault(&what, error)
    })
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_the_object_and_what_was_tried() {
        let check = |answer: Result<Finding, Fault>, errno: i32, start: &str| {
            let fault = answer.expect_err(start);
            assert_eq!(fault.errno, errno, "{fault}");
            assert!(fault.text.starts_with(start), "{fault}");
        };
        check(probe("no/such", None), libc::ENOENT, "open /dev/no/such: ");
        check(
            probe("zero", None),
            libc::ENOTTY,
            "ioctl(BLKSSZGET) /dev/zero: ",
        );
        let directory = probe_file("/proc/self");
        check(directory, libc::ENOTTY, "ioctl(BLKSSZGET) /proc/self: ");
    }

    #[test]
    fn a_read_error_spoils_every_answer_but_a_container() {
        // /proc/self/mem is a file of any size whose first page cannot be read.
        let file = open("/proc/self/mem").expect("own memory");
        let fault = look(&mut |r| read(&file, r), View::new(1 << 30, 512), "mem")
            .expect_err("nothing there");
        assert_eq!(fault.errno, libc::EIO);
        assert!(
            fault.text.starts_with("read mem (69632 bytes at 0): "),
            "{fault}"
        );
    }
}
