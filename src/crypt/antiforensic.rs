//! The anti-forensic splitter: a key spread over stripes, of which all are needed to get it back.
//! Source: LUKS1 On-Disk Format Specification 1.2.3, section 2.4.

use super::hash::{Hash, Hasher};
use crate::base::secret::Secret;

/// The key of `size` bytes that is spread over the stripes; `None` where they are not all there.
pub fn merge(stripes: &[u8], size: usize, count: usize, hash: Hash) -> Option<Secret> {
    let stripes = stripes.get(..size.checked_mul(count)?)?;
    if size == 0 {
        return None;
    }
    let (rest, last) = stripes.split_at(stripes.len().checked_sub(size)?);
    let mut key = Secret::zeros(size);
    for stripe in rest.chunks_exact(size) {
        xor(key.as_mut_bytes(), stripe);
        diffuse(key.as_mut_bytes(), hash);
    }
    xor(key.as_mut_bytes(), last);
    Some(key)
}

fn xor(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}

/// Replaces each piece by the hash of its number and itself; of the last one what fits.
fn diffuse(bytes: &mut [u8], hash: Hash) {
    for (number, piece) in (0u32..).zip(bytes.chunks_mut(hash.size())) {
        let mut hasher = Hasher::new(hash);
        hasher.update(&number.to_be_bytes());
        hasher.update(piece);
        let result = zeroize::Zeroizing::new(hasher.finish());
        piece
            .iter_mut()
            .zip(&*result)
            .for_each(|(to, from)| *to = *from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The other direction, from random stripes.
    fn split(key: &[u8], random: &[u8], hash: Hash) -> Vec<u8> {
        let mut sum = alloc::vec![0; key.len()];
        for stripe in random.chunks(key.len()) {
            xor(&mut sum, stripe);
            diffuse(&mut sum, hash);
        }
        xor(&mut sum, key);
        [random, &sum].concat()
    }

    #[test]
    fn what_was_split_comes_back() {
        for (size, count) in [(1, 2), (16, 4), (32, 3), (33, 5), (64, 10), (100, 1)] {
            let key: Vec<u8> = (0..size as u8).collect();
            let random: Vec<u8> = (0..size * (count - 1)).map(|n| (n * 31) as u8).collect();
            for hash in [Hash::Sha1, Hash::Sha256, Hash::Whirlpool] {
                let mut stripes = split(&key, &random, hash);
                let merged = merge(&stripes, size, count, hash).unwrap();
                assert!(merged.same(&key), "{size} {count} {hash:?}");
                stripes.extend([0; 13]);
                assert!(merge(&stripes, size, count, hash).unwrap().same(&key));
                assert!(merge(&stripes, size, count + 14, hash).is_none());
            }
        }
        assert!(merge(&[], 0, 0, Hash::Sha1).is_none());
        assert!(merge(&[1], 1, usize::MAX, Hash::Sha1).is_none());
        assert!(merge(&[1], 1, 0, Hash::Sha1).is_none());
    }
}
