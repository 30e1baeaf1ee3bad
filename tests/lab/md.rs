//! Superblocks of array members, built by hand: making arrays needs kernel drivers.
//! Layout: kernel `include/uapi/linux/raid/md_p.h`, `struct mdp_superblock_1`.

pub const MD_MAGIC: u32 = 0xa92b_4efc;

/// A superblock of version 1.x at byte `at`, checksum included.
pub fn md_1(at: u64, name: &str) -> Vec<u8> {
    let mut sb = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| sb[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MD_MAGIC.to_le_bytes());
    put(4, &1u32.to_le_bytes());
    put(16, b"array-uuid-bytes");
    put(32, name.as_bytes());
    put(72, &1u32.to_le_bytes());
    put(92, &2u32.to_le_bytes());
    put(144, &(at / 512).to_le_bytes());
    put(168, b"disk-uuid-bytes!");
    put(220, &2u32.to_le_bytes());
    put(256, &[0, 0, 1, 0]);
    let words = sb[..260].chunks_exact(4);
    let words: Vec<_> = words
        .map(|w| u32::from_le_bytes(w.try_into().expect("4")))
        .collect();
    let sum = folded_sum(&words);
    sb[216..220].copy_from_slice(&sum.to_le_bytes());
    sb
}

/// The checksum of an md superblock whose own field is zero.
pub fn folded_sum(words: &[u32]) -> u32 {
    let sum: u64 = words.iter().map(|&word| u64::from(word)).sum();
    (sum as u32).wrapping_add((sum >> 32) as u32)
}
