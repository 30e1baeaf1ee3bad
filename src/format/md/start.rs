//! The kernel calls that start an array from its members: what, in which order. Who makes them is
//! elsewhere.
//!
//! The kernel reads the superblocks itself and leaves out what is not fresh; it is told only of
//! which version they are. Arrays start "auto-read-only": nothing is written, and nothing is
//! synchronised, before something writes to the array.
//!
//! Source: kernel `Documentation/admin-guide/md.rst`, `include/uapi/linux/raid/md_u.h`,
//! `drivers/md/md.c` (md_ioctl, add_named_array).

use super::array::Verdict;
use super::naming::kernel_name;
use super::superblock::Superblock;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// One call. Ioctls go to the device that [`Step::Write`] to `new_array` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have the module with this alias loaded.
    Module(&'static str),
    /// Write a text to a file of sysfs.
    Write { file: String, text: String },
    /// `SET_ARRAY_INFO` with a `mdu_array_info_t` that is zero but for the two versions.
    SetArrayInfo { major: u32, minor: u32 },
    /// `ADD_NEW_DISK` with a `mdu_disk_info_t` that is zero but for the device's numbers.
    AddNewDisk { major: u32, minor: u32 },
    /// `RUN_ARRAY`. The kernel says ENOTSUPP (524) of a level 0 whose layout nobody noted:
    /// `raid0.default_layout=` tells it.
    RunArray,
}

const START_READ_ONLY: &str = "/sys/module/md_mod/parameters/start_ro";
const NEW_ARRAY: &str = "/sys/module/md_mod/parameters/new_array";

/// Starts the array as `/dev/md{number}`. `speaker`: the superblock of [`Verdict::speaker`];
/// `device`: the number of a member by its place in the list that was judged. `None`: one has none.
pub fn start(
    speaker: &Superblock,
    verdict: &Verdict,
    number: u32,
    device: &dyn Fn(usize) -> Option<(u32, u32)>,
) -> Option<Vec<Step>> {
    let write = |file: &str, text: &str| Step::Write {
        file: String::from(file),
        text: String::from(text),
    };
    let (major, minor) = speaker.version.numbers();
    let mut steps = alloc::vec![Step::Module("md-mod")];
    steps.extend(speaker.level.module().map(Step::Module));
    steps.push(write(START_READ_ONLY, "1"));
    steps.push(write(NEW_ARRAY, &kernel_name(number)));
    steps.push(Step::SetArrayInfo { major, minor });
    for &member in &verdict.add {
        let (major, minor) = device(member)?;
        steps.push(Step::AddNewDisk { major, minor });
    }
    steps.push(Step::RunArray);
    Some(steps)
}

/// The states in `array_state` in which an array can be read: `md.rst`, "array_state".
pub fn is_running(array_state: &str) -> bool {
    let running = [
        "readonly",
        "read-auto",
        "clean",
        "active",
        "write-pending",
        "active-idle",
    ];
    running.contains(&array_state.trim_ascii())
}

/// The file that says so.
pub fn state_file(number: u32) -> String {
    format!("/sys/block/{}/md/array_state", kernel_name(number))
}
