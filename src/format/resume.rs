//! Where a hibernated system may lie, and whether one does.
//!
//! The kernel writes its image into swap space, and the name of that into the first page: then it
//! is no swap space any more until the image was read, or the space is formatted anew.
//! Source: kernel/power/swap.c (struct swsusp_header, HIBERNATE_SIG).

use super::identity::Range;
use super::wish::{Patience, Source};
use crate::base::text::Text;

/// Sizes of pages of the machines that Linux runs on; offsets are counted in them.
const PAGES: [u64; 3] = [4096, 16384, 65536];

/// It is the last thing in the page.
const NAME: &[u8; 10] = b"S1SUSPEND\0";

/// Where one may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    pub source: Source,
    /// `resume=` as typed, for messages.
    pub typed: Text,
    /// In pages of this machine.
    pub offset: u64,
    /// How long root waits for the device, when everything else is ready.
    pub patience: Patience,
}

impl Resume {
    /// The default: a second disk of the same machine is there by then.
    pub const WAIT_MS: u64 = 10_000;
}

/// Where the name stands, whatever the size of a page is, if swap space begins `offset` pages
/// after the beginning of the device.
pub fn places(offset: u64) -> [Range; 3] {
    PAGES.map(|page| {
        let behind = offset.saturating_add(1).saturating_mul(page);
        Range {
            at: behind.saturating_sub(NAME.len() as u64),
            len: NAME.len(),
        }
    })
}

/// Do these bytes, from one of these places, name an image?
pub fn is_image(bytes: &[u8]) -> bool {
    bytes == NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_ends_the_page_that_the_offset_counts() {
        assert_eq!(places(0).map(|range| range.at), [4086, 16374, 65526]);
        assert_eq!(places(34_816).map(|range| range.at)[0], 142_610_422);
        assert_eq!(places(u64::MAX).map(|range| range.at), [u64::MAX - 10; 3]);
        assert!(is_image(b"S1SUSPEND\0") && !is_image(b"SWAPSPACE2") && !is_image(b""));
    }
}
