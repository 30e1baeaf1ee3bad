//! Starts one array of md by the steps that `format::md` lists.
//!
//! One attempt; what a failed one made is taken apart again. Arrays start auto-read-only: the
//! kernel writes nothing before something writes to the array. md.rst, "start_ro".

use super::{kernel_lines, udev_record};
use crate::base::fault::Fault;
use crate::format::md::Step;
use crate::sys::fail::Fail;
use crate::sys::kmsg::Reader;
use crate::sys::md::Array;
use crate::sys::proc_sys;

/// The kernel's ENOTSUPP, which no C library names.
const ENOTSUPP: i32 = 524;

/// Starts `/dev/DEVICE`.
pub fn assemble(device: &str, steps: &[Step]) -> Result<(), Fault> {
    let mut log = Reader::from_now().ok();
    let mut array = None;
    let Err(fail) = attempt(device, steps, &mut array) else {
        udev_record::array(device);
        return Ok(());
    };
    if let Some(array) = array {
        let _ = array.stop();
    }
    let mut text = format!("{fail}{}", advice(&fail));
    for line in log.as_mut().map(kernel_lines::since).unwrap_or_default() {
        text.push_str(&format!("; the kernel says: {line}"));
    }
    Err(Fault::new(fail.errno, text))
}

fn attempt(device: &str, steps: &[Step], array: &mut Option<Array>) -> Result<(), Fail> {
    let path = format!("/dev/{device}");
    for step in steps {
        match step {
            Step::Module(_) => continue,
            Step::Write { file, text } => {
                proc_sys::write(file, text.as_bytes())?;
                continue;
            }
            Step::SetArrayInfo { .. } | Step::AddNewDisk { .. } | Step::RunArray => {}
        }
        let array = match array {
            Some(array) => array,
            None => array.insert(Array::open(&path)?),
        };
        match step {
            Step::SetArrayInfo { major, minor } => array.set_version(*major, *minor)?,
            Step::AddNewDisk { major, minor } => array.add(*major, *minor).map_err(|fail| {
                Fail::new(fail.call, format!("{path} {major}:{minor}"), fail.errno)
            })?,
            _ => array.run()?,
        }
    }
    Ok(())
}

fn advice(fail: &Fail) -> &'static str {
    match (fail.call, fail.errno) {
        ("ioctl(ADD_NEW_DISK)", libc::EBUSY) => ": something else holds this member",
        ("ioctl(RUN_ARRAY)", ENOTSUPP) => {
            ": nobody noted the layout of this array of level 0: raid0.default_layout= tells it"
        }
        ("ioctl(RUN_ARRAY)", libc::EINVAL) => ": the module of its level may not be in the image",
        ("open", libc::ENOENT) => ": the kernel has no md: its module md-mod is not in the image",
        _ => "",
    }
}
