//! What is laid over a root that stays as it is, so that a system can write without changing it.
//!
//! Documentation/filesystems/overlayfs.rst; systemd's kernel-command-line(7) (`systemd.volatile=`).
//! The places are those of dracut.cmdline(7), where tools of live systems look for them.

use super::mounts::Extra;
use crate::base::text::Text;

/// Where the file system is mounted on which changes are kept, or forgotten.
pub const UPPER: &str = "/run/overlayfs";
/// Where the one is mounted whose changes are shown, while new ones are forgotten.
pub const KEPT: &str = "/run/overlayfs-r";
/// Where root itself is, once something lies over it.
pub const LOWER: &str = "/run/rootfsbase";

/// The directory with the changes, unless another one is named.
pub const DIRECTORY: &str = "/overlay";

/// What lies over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An overlay over all of root.
    Overlay,
    /// Memory over `/var`.
    State,
    /// Memory over all but `/usr`.
    Usr,
}

/// One layer, as it is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub kind: Kind,
    /// Options of the file system in memory. `None`: changes go to what is mounted at [`UPPER`].
    pub memory: Option<Text>,
    /// Of an overlay: the directory with the changes, absolute, on the file system for them.
    pub directory: Text,
    /// What is in that directory at [`KEPT`] is shown as well.
    pub kept: bool,
}

/// A layer, and the device that is needed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    pub layer: Layer,
    pub upper: Option<Extra>,
}

/// Can this be part of what the kernel is told of an overlay? It takes commas, colons and
/// backslashes for something else.
pub fn is_plain(path: &[u8]) -> bool {
    let odd = |b: &u8| b",:\\".contains(b);
    !path.iter().any(odd) && !path.split(|&b| b == b'/').any(|step| step == b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_would_read_otherwise_is_not_plain() {
        assert!(is_plain(b"/overlay") && is_plain(b"/LiveOS/overlay-a b"));
        for odd in ["/a,b", "/a:b", "/a\\b", "/a/../b"] {
            assert!(!is_plain(odd.as_bytes()), "{odd}");
        }
    }
}
