//! The cyclic redundancy checks of superblocks, reflected, a nibble at a time.
//!
//! A 16-entry table is made for each call: it costs 64 steps and no space in the binary, and
//! superblocks are small. Source: polynomials of IEEE 802.3 and of RFC 3720, appendix B.4.

/// IEEE 802.3: GPT, LVM2, f2fs, nilfs2 and others.
const CRC32: u32 = 0xedb8_8320;
/// Castagnoli: ext4, xfs, btrfs, erofs.
const CRC32C: u32 = 0x82f6_3b78;

/// No four bytes count as zero.
pub(super) const NOWHERE: usize = usize::MAX;

/// CRC-32 with an initial value of all ones, not inverted at the end. The four bytes at `hole`,
/// where the checksum itself lies, count as zero.
pub(super) fn crc32(bytes: &[u8], hole: usize) -> u32 {
    crc(CRC32, u32::MAX, bytes, hole)
}

/// CRC-32 with another initial value, not inverted at the end.
pub(super) fn crc32_from(start: u32, bytes: &[u8], hole: usize) -> u32 {
    crc(CRC32, start, bytes, hole)
}

/// CRC-32C with an initial value of all ones, not inverted at the end.
pub(super) fn crc32c(bytes: &[u8], hole: usize) -> u32 {
    crc(CRC32C, u32::MAX, bytes, hole)
}

fn crc(polynomial: u32, start: u32, bytes: &[u8], hole: usize) -> u32 {
    let table: [u32; 16] = core::array::from_fn(|nibble| {
        (0..4).fold(nibble as u32, |c, _| {
            (c >> 1) ^ (polynomial & (c & 1).wrapping_neg())
        })
    });
    let step = |c: u32| (c >> 4) ^ table.get(c as usize & 15).copied().unwrap_or(0);
    let mut c = start;
    for (i, &byte) in bytes.iter().enumerate() {
        let in_hole = i.checked_sub(hole).is_some_and(|n| n < 4);
        let byte = if in_hole { 0 } else { byte };
        c = step(step(c ^ u32::from(byte)));
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue_come_out() {
        assert_eq!(!crc32(b"123456789", NOWHERE), 0xcbf4_3926);
        assert_eq!(!crc32c(b"123456789", NOWHERE), 0xe306_9283);
        assert_eq!(crc32(b"1234....9", 4), crc32(b"1234\0\0\0\x009", NOWHERE));
    }
}
