//! Linux software RAID: what members' superblocks say, which members make an array, how it starts.
//!
//! Nothing is read here: [`Version::place`] names the bytes to bring, [`read`] understands them,
//! [`judge`] weighs the members of one array, [`start`] lists the kernel calls, [`Array`] looks
//! through an array that does not run.
//!
//! Source: kernel `include/uapi/linux/raid/md_p.h`, `Documentation/admin-guide/md.rst`, md(4).

mod array;
mod firmware;
mod level;
mod naming;
mod start;
mod superblock;
mod through;
mod version0;
mod version1;

pub use array::{Left, State, Verdict, judge};
pub use firmware::refusal as firmware_refusal;
pub use level::Level;
pub use naming::{Named, Naming, Preferred, map};
pub use start::{Step, is_running, start, state_file};
pub use superblock::{Features, Id, Reshape, Role, SIZE, Superblock, Version, read};
pub use through::Array;

/// The superblock that counts where old ones of other versions were left: the one of the array
/// that was made last.
pub fn newest(found: impl IntoIterator<Item = Superblock>) -> Option<Superblock> {
    let later = |best: Superblock, sb: Superblock| {
        if sb.created > best.created { sb } else { best }
    };
    found.into_iter().reduce(later)
}

#[cfg(test)]
mod tests;
