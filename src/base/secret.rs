//! Bytes that must not stay: passphrases, keys, and what is computed from them.
//!
//! They are wiped when they go out of use, and cannot be printed, compared by `==` or cloned by
//! accident. Keeping their pages from being swapped out is not done here: that takes a system
//! call.

use alloc::vec::Vec;
use zeroize::Zeroize;

/// Secret bytes. There is neither `Debug` nor `Display` nor `Clone`.
#[derive(Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// `len` zero bytes, to be filled.
    pub fn zeros(len: usize) -> Self {
        Self(alloc::vec![0; len])
    }

    /// Room for `len` bytes.
    pub fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len))
    }

    /// A copy of `bytes`; wiping the original is up to its owner.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds bytes at the end. Where there is no room left everything moves, and the place it
    /// moves from is wiped.
    pub fn push(&mut self, bytes: &[u8]) {
        let len = self.0.len().saturating_add(bytes.len());
        if len > self.0.capacity() {
            let mut larger = Vec::with_capacity(len.max(self.0.len().saturating_mul(2)));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// Forgets everything from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.0.get_mut(len..) {
            rest.zeroize();
        }
        self.0.truncate(len);
    }

    /// Whether the bytes are these, in a time that depends only on how many there are.
    pub fn same(&self, other: &[u8]) -> bool {
        let pairs = self.0.iter().zip(other);
        let different = pairs.fold(0, |sum, (a, b)| core::hint::black_box(sum | (a ^ b)));
        self.0.len() == other.len() && different == 0
    }
}

/// Takes over bytes that were secret all along.
impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_grows_shrinks_and_compares() {
        let mut secret = Secret::with_capacity(2);
        for part in ["ab", "", "cdefgh"] {
            secret.push(part.as_bytes());
        }
        assert_eq!(secret.as_bytes(), b"abcdefgh");
        secret.truncate(20);
        secret.truncate(3);
        assert!(secret.same(b"abc") && !secret.same(b"abd") && !secret.same(b"ab"));
        assert!(!secret.same(b"abcd") && Secret::default().same(b""));
    }
}
