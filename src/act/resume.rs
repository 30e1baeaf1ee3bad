//! Has the kernel go on with a system that hibernates.
//!
//! The offset comes first: what is written to `resume` begins at once, and only returns if it
//! failed; of why, the kernel's log tells. Source: Documentation/admin-guide/pm/, kernel/power/
//! hibernate.c (`resume_store`, `resume_offset_store`).

use super::kernel_lines;
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::sys::fail::Fail;
use crate::sys::kmsg::Reader;
use crate::sys::proc_sys;

const OFFSET: &str = "/sys/power/resume_offset";
const RESUME: &str = "/sys/power/resume";

/// Returns only if it was not resumed: why, and what the kernel said.
pub fn resume((major, minor): (u32, u32), offset: u64) -> (Fault, Vec<Text>) {
    let mut log = Reader::from_now().ok();
    let outcome = proc_sys::write(OFFSET, format!("{offset}").as_bytes())
        .and_then(|()| proc_sys::write(RESUME, format!("{major}:{minor}").as_bytes()));
    let (errno, why) = match &outcome {
        Ok(()) => (0, "the kernel could not go on with it".into()),
        Err(fail) => (fail.errno, explain(fail)),
    };
    let text = format!(
        "the system that hibernated on {major}:{minor} was not resumed: {why}; the machine is \
         booted anew"
    );
    let said = log.as_mut().map(kernel_lines::of_hibernation);
    (Fault::new(errno, text), said.unwrap_or_default())
}

fn explain(fail: &Fail) -> String {
    let advice = match fail.errno {
        libc::ENOENT => "this kernel cannot hibernate",
        libc::EPERM => "the kernel is locked down, which forbids it (see kernel_lockdown(7))",
        libc::ENXIO | libc::ENODEV | libc::EINVAL => "the kernel does not know the device",
        _ => "see the kernel's lines",
    };
    format!("{fail}: {advice}")
}
