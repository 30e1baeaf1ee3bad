//! Files that say how things are called and opened: of the image, or of the real system.

use super::cmdline::CRYPTTAB;
use alloc::vec::Vec;

/// mdadm.conf(5) "FILES": Debian's place, then everybody's.
const MDADM_CONFS: [&str; 2] = ["etc/mdadm/mdadm.conf", "etc/mdadm.conf"];
const HOSTNAME: &str = "etc/hostname";

/// All of them, by their paths below the root directory.
pub const ALL: [&str; 4] = [CRYPTTAB, MDADM_CONFS[0], MDADM_CONFS[1], HOSTNAME];

/// Their contents; empty: there is none.
#[derive(Default)]
pub struct ImageFiles {
    /// crypttab(5)
    pub crypttab: Vec<u8>,
    pub naming: Naming,
}

/// How arrays are called.
#[derive(Default)]
pub struct Naming {
    /// mdadm.conf(5)
    pub conf: Vec<u8>,
    /// hostname(5)
    pub hostname: Vec<u8>,
}

impl ImageFiles {
    /// `read`: the contents of a file, by its path.
    pub fn read(read: &mut dyn FnMut(&str) -> Vec<u8>) -> Self {
        Self {
            crypttab: read(CRYPTTAB),
            naming: Naming::read(read),
        }
    }
}

impl Naming {
    /// `read`: the contents of a file, by its path.
    pub fn read(read: &mut dyn FnMut(&str) -> Vec<u8>) -> Self {
        let [debians, everybodys] = MDADM_CONFS;
        let mut conf = read(debians);
        if conf.is_empty() {
            conf = read(everybodys);
        }
        Self {
            conf,
            hostname: read(HOSTNAME),
        }
    }
}
