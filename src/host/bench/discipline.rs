//! What is measured: how root is reached on a disk of the machine, or on a server.

use super::contestants::Contestant;
use super::setting::FILE_SYSTEM;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// virtio-blk.
    Disk,
    /// NBD, by a lease of DHCP.
    Network,
}

impl Discipline {
    /// Who can reach such a root, in the order of the table.
    pub fn contestants(self) -> &'static [Contestant] {
        match self {
            Self::Disk => &Contestant::ALL,
            Self::Network => &[
                Contestant::Landfall,
                Contestant::LandfallGeneric,
                Contestant::InitramfsTools,
                Contestant::Dracut,
            ],
        }
    }

    /// What a tool is told to pack.
    pub const fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Disk => &["virtio_pci", "virtio_blk", FILE_SYSTEM],
            Self::Network => &["e1000e", "af_packet", "nbd", FILE_SYSTEM],
        }
    }

    /// Where root is, after the file system's name.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Disk => "on virtio-blk",
            Self::Network => "on NBD, by a lease of DHCP",
        }
    }

    /// Whom everybody is compared with.
    pub const fn base(self) -> &'static str {
        match self {
            Self::Disk => "floor",
            Self::Network => "landfall",
        }
    }
}
