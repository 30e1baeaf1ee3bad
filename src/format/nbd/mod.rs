//! Network block devices (NBD): what client and server say before the kernel takes over.
//!
//! | File | What it is |
//! |---|---|
//! | `reference` | how people and DHCP servers name an export |
//! | `greeting` | the first bytes of a server |
//! | `option` | what a client asks, one option at a time |
//! | `reply` | what a server answers to an option |
//! | `device` | what the kernel's driver is told over netlink, and says |
//!
//! Numbers of the protocol are big-endian. Source: doc/proto.md of the NBD project (2024): the
//! fixed newstyle handshake. Not here: TLS, structured replies (the kernel knows neither), and
//! requests for data, which are the kernel's.

pub mod device;
pub mod greeting;
pub mod option;
pub mod reference;
pub mod reply;

/// Longest name of an export, in bytes: no string of the protocol is longer.
pub const NAME_MAX: usize = 4096;

/// What a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Bytes.
    pub size: u64,
    pub flags: Flags,
    pub blocks: BlockSizes,
}

impl Export {
    /// The size of the device's logical blocks in bytes. File systems with smaller blocks cannot be
    /// mounted, so it is as small as the server allows, whatever it prefers. `wanted`: what the
    /// command line says, which cannot be less either.
    pub fn logical_block(&self, wanted: Option<u32>) -> u32 {
        let least = self.blocks.minimum.max(SECTOR);
        least.max(wanted.unwrap_or(0))
    }

    /// The bytes that whole blocks of this size hold.
    pub fn whole_blocks(&self, block: u32) -> u64 {
        let rest = self.size.checked_rem(u64::from(block)).unwrap_or(0);
        self.size.saturating_sub(rest)
    }
}

/// The smallest block that the kernel's driver takes, in bytes.
const SECTOR: u32 = 512;

/// The transmission flags (`NBD_FLAG_*`). The kernel takes them as the server sent them, and
/// ignores what it does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    pub const READ_ONLY: Self = Self(1 << 1);
    pub const FLUSH: Self = Self(1 << 2);
    pub const FUA: Self = Self(1 << 3);
    pub const ROTATIONAL: Self = Self(1 << 4);
    pub const TRIM: Self = Self(1 << 5);
    /// Several connections see the same data at any time.
    pub const MULTI_CONN: Self = Self(1 << 8);

    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    pub fn with(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }
}

/// What requests may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSizes {
    /// Offsets and lengths are multiples of it.
    pub minimum: u32,
    /// What costs the server least.
    pub preferred: u32,
    /// No request is longer.
    pub maximum: u32,
}

/// What counts where a server says nothing: proto.md, "Block size constraints".
impl Default for BlockSizes {
    fn default() -> Self {
        Self {
            minimum: 1,
            preferred: 4096,
            maximum: 32 << 20,
        }
    }
}

impl BlockSizes {
    /// The minimum a power of two up to 64 KiB, and nothing below it. Other rules of the document
    /// do not matter here.
    pub fn are_possible(&self) -> bool {
        let minimum = self.minimum;
        let whole = minimum.is_power_of_two() && minimum <= 64 << 10;
        whole && self.preferred >= minimum && self.maximum >= minimum.max(SECTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(minimum: u32, preferred: u32, maximum: u32) -> BlockSizes {
        BlockSizes {
            minimum,
            preferred,
            maximum,
        }
    }

    #[test]
    fn blocks_are_as_small_as_the_server_allows() {
        for (minimum, wanted, expected) in [
            (1, None, 512),
            (512, None, 512),
            (4096, None, 4096),
            (1, Some(1024), 1024),
            (4096, Some(1024), 4096),
        ] {
            let export = Export {
                size: 10_000,
                flags: Flags::default(),
                blocks: sizes(minimum, 65_536, 1 << 20),
            };
            assert_eq!(export.logical_block(wanted), expected);
        }
        let export = Export {
            size: 10_000,
            flags: Flags(0x103),
            blocks: BlockSizes::default(),
        };
        assert_eq!(export.whole_blocks(512), 9728);
        assert_eq!(export.whole_blocks(4096), 8192);
        assert_eq!(export.whole_blocks(0), 10_000);
        assert!(export.flags.has(Flags::READ_ONLY) && export.flags.has(Flags::MULTI_CONN));
        assert!(!export.flags.has(Flags::FLUSH));
        assert_eq!(export.flags.with(Flags::FUA), Flags(0x10b));
    }

    #[test]
    fn block_sizes_that_no_disk_has_are_known() {
        assert!(BlockSizes::default().are_possible());
        for (minimum, preferred, maximum, possible) in [
            (512, 4096, 1 << 25, true),
            (65_536, 65_536, u32::MAX, true),
            (0, 4096, 1 << 25, false),
            (3, 4096, 1 << 25, false),
            (131_072, 131_072, 1 << 25, false),
            (4096, 512, 1 << 25, false),
            (4096, 4096, 512, false),
            (1, 4096, 0, false),
        ] {
            let blocks = sizes(minimum, preferred, maximum);
            assert_eq!(blocks.are_possible(), possible, "{blocks:?}");
        }
    }
}
