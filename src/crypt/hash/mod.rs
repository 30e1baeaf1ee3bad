//! Hashes, by the names under which LUKS headers ask for them.
//!
//! SHA-1 and SHA-2 are what nearly every header uses: they come from crates that use the CPU's
//! instructions. MD5, which no header may name, is from a crate, too. The others are written here
//! for size alone, 6 KiB instead of 60; all of them give the same answers as OpenSSL and the
//! kernel, to which the tests hold them.

mod blake2;
mod keccak;
mod ripemd160;
mod sm3;
pub(super) mod whirlpool;

use alloc::vec::Vec;
use zeroize::Zeroize;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// For iSCSI's logins only: no header may ask for it.
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    /// With so many bytes of result: 28, 32, 48 or 64.
    Sha3(u8),
    Ripemd160,
    Whirlpool,
    /// With so many bytes of result, up to 64.
    Blake2b(u8),
    /// With so many bytes of result, up to 32.
    Blake2s(u8),
    Sm3,
}

/// Longest result, in bytes.
pub const LEN_MAX: usize = 64;
/// Longest block, in bytes: that of SHA3-224.
const BLOCK_MAX: usize = 144;

const NAMES: [(&str, Hash); 23] = [
    ("sha1", Hash::Sha1),
    ("sha224", Hash::Sha224),
    ("sha256", Hash::Sha256),
    ("sha384", Hash::Sha384),
    ("sha512", Hash::Sha512),
    ("sha3-224", Hash::Sha3(28)),
    ("sha3-256", Hash::Sha3(32)),
    ("sha3-384", Hash::Sha3(48)),
    ("sha3-512", Hash::Sha3(64)),
    ("ripemd160", Hash::Ripemd160),
    // The kernel's names for the same two.
    ("rmd160", Hash::Ripemd160),
    ("wp512", Hash::Whirlpool),
    ("whirlpool", Hash::Whirlpool),
    ("blake2b-160", Hash::Blake2b(20)),
    ("blake2b-256", Hash::Blake2b(32)),
    ("blake2b-384", Hash::Blake2b(48)),
    ("blake2b-512", Hash::Blake2b(64)),
    // As OpenSSL says it.
    ("blake2b512", Hash::Blake2b(64)),
    ("blake2s-160", Hash::Blake2s(20)),
    ("blake2s-224", Hash::Blake2s(28)),
    ("blake2s-256", Hash::Blake2s(32)),
    ("blake2s256", Hash::Blake2s(32)),
    ("sm3", Hash::Sm3),
];

impl Hash {
    /// The hash of this name, in letters of any size.
    pub fn by_name(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, hash)| *hash)
    }

    /// Bytes of the result.
    pub fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 | Self::Ripemd160 => 20,
            Self::Sha224 => 28,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 | Self::Whirlpool => 64,
            Self::Sha3(len) | Self::Blake2b(len) | Self::Blake2s(len) => len.into(),
        }
    }

    /// Bytes that are taken in at once; HMAC pads its key to this.
    pub fn block_len(self) -> usize {
        match self {
            Self::Sha384 | Self::Sha512 | Self::Blake2b(_) => 128,
            Self::Sha3(len) => 200 - 2 * usize::from(len),
            _ => 64,
        }
    }

    /// How lengths are written at the end, and in how many bytes.
    fn length_field(self) -> (Order, usize) {
        match self {
            Self::Md5 | Self::Ripemd160 => (Order::Little, 8),
            Self::Sha384 | Self::Sha512 => (Order::Big, 16),
            Self::Whirlpool => (Order::Big, 32),
            _ => (Order::Big, 8),
        }
    }

    fn start(self) -> [u64; 25] {
        let mut state = [0; 25];
        let mut set = |words: &[u64]| state.iter_mut().zip(words).for_each(|(s, w)| *s = *w);
        match self {
            // MD5 has the first four words of SHA-1.
            Self::Md5 | Self::Sha1 | Self::Ripemd160 => set(&SHA1_START),
            Self::Sha224 => set(&SHA224_START),
            Self::Sha256 => set(&SHA512_START.map(|word| word >> 32)),
            Self::Sha384 => set(&SHA384_START),
            Self::Sha512 => set(&SHA512_START),
            Self::Blake2b(len) => set(&blake2::start(SHA512_START, len)),
            Self::Blake2s(len) => set(&blake2::start(SHA512_START.map(|word| word >> 32), len)),
            Self::Sm3 => set(&sm3::START),
            Self::Sha3(_) | Self::Whirlpool => {}
        }
        state
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

// FIPS 180-4, section 5.3. The words of SHA-256 are the upper halves of those of SHA-512.
const SHA1_START: [u64; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];
const SHA224_START: [u64; 8] = [
    0xc105_9ed8,
    0x367c_d507,
    0x3070_dd17,
    0xf70e_5939,
    0xffc0_0b31,
    0x6858_1511,
    0x64f9_8fa7,
    0xbefa_4fa4,
];
const SHA384_START: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];
const SHA512_START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// A hash under way. What it holds is wiped when it goes.
#[derive(Clone)]
pub struct Hasher {
    hash: Hash,
    /// Words of 32 bits take one place each, too.
    state: [u64; 25],
    block: [u8; BLOCK_MAX],
    filled: usize,
    /// Bytes taken in.
    total: u64,
}

impl Hasher {
    pub fn new(hash: Hash) -> Self {
        Self {
            hash,
            state: hash.start(),
            block: [0; BLOCK_MAX],
            filled: 0,
            total: 0,
        }
    }

    pub fn update(&mut self, mut bytes: &[u8]) {
        self.total = self.total.wrapping_add(bytes.len() as u64);
        let len = self.hash.block_len();
        while !bytes.is_empty() {
            // A full block waits for more: the last one may need other treatment.
            if self.filled == len {
                self.compress(self.total - bytes.len() as u64, false);
                self.filled = 0;
            }
            let room = self.block.get_mut(self.filled..len).unwrap_or_default();
            let (head, rest) = bytes.split_at(room.len().min(bytes.len()));
            room.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
            self.filled += head.len();
            bytes = rest;
        }
    }

    /// Takes in a full block now. More has to follow.
    pub(super) fn settle(&mut self) {
        if self.filled == self.hash.block_len() {
            self.compress(self.total, false);
            self.filled = 0;
        }
    }

    /// The words of the state.
    pub(super) fn words(&self) -> &[u64; 25] {
        &self.state
    }

    /// Hashes what is in `result`, a result of this hash that fills less than a block, behind what
    /// `start` took in, which ends with a block. `self` has done so once, by [`Self::finished`].
    pub(super) fn again(&mut self, start: &Self, result: &mut [u8; LEN_MAX]) {
        self.state = start.state;
        let size = self.hash.size();
        if let (Some(message), Some(room)) = (result.get(..size), self.block.get_mut(..size)) {
            room.copy_from_slice(message);
        }
        self.compress(self.total, true);
        self.write_words(result);
    }

    /// The result, in the first [`Hash::size`] bytes.
    pub fn finish(mut self) -> [u8; LEN_MAX] {
        self.finished()
    }

    /// The same; the last block stays as it was.
    pub(super) fn finished(&mut self) -> [u8; LEN_MAX] {
        let len = self.hash.block_len();
        let (total, spare) = (self.total, len - self.filled);
        match self.hash {
            Hash::Blake2b(_) | Hash::Blake2s(_) => self.zero_rest(),
            Hash::Sha3(_) => {
                self.end_with(0x06);
                self.xor(len - 1, 0x80);
            }
            _ => {
                let (order, field) = self.hash.length_field();
                self.end_with(0x80);
                // What is left of the block after the mark; a full block got a new one.
                let left = if spare == 0 { len - 1 } else { spare - 1 };
                if left < field {
                    self.compress(total, false);
                    self.filled = 0;
                    self.zero_rest();
                }
                self.write_length(order, len);
            }
        }
        self.compress(total, true);
        let mut result = [0; LEN_MAX];
        self.write_words(&mut result);
        result
    }

    /// Marks the end of the message, in a block of its own if need be.
    fn end_with(&mut self, mark: u8) {
        if self.filled == self.hash.block_len() {
            self.compress(self.total, false);
            self.filled = 0;
        }
        self.zero_rest();
        self.xor(self.filled, mark);
    }

    fn zero_rest(&mut self) {
        let rest = self.block.get_mut(self.filled..).unwrap_or_default();
        rest.fill(0);
    }

    fn xor(&mut self, at: usize, bits: u8) {
        if let Some(byte) = self.block.get_mut(at) {
            *byte ^= bits;
        }
    }

    fn write_length(&mut self, order: Order, len: usize) {
        let bits = self.total.wrapping_mul(8);
        let bytes = match order {
            Order::Big => bits.to_be_bytes(),
            Order::Little => bits.to_le_bytes(),
        };
        let end = self.block.get_mut(len - 8..len).unwrap_or_default();
        end.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    }

    /// Takes in the block. `total`: bytes of the message up to its end.
    fn compress(&mut self, total: u64, last: bool) {
        let block = &self.block;
        match self.hash {
            Hash::Md5 => narrow(&mut self.state, |state| {
                md5::block_api::compress(state, &[start_of(block)]);
            }),
            Hash::Sha1 => narrow(&mut self.state, |state| {
                sha1_compress(state, &start_of(block));
            }),
            Hash::Sha224 | Hash::Sha256 => narrow(&mut self.state, |state| {
                sha256_compress(state, &start_of(block));
            }),
            Hash::Sha384 | Hash::Sha512 => wide(&mut self.state, |state| {
                sha512_compress(state, &start_of(block));
            }),
            Hash::Ripemd160 => narrow(&mut self.state, |state| {
                ripemd160::compress(state, &words(block, u32::from_le_bytes));
            }),
            Hash::Sm3 => narrow(&mut self.state, |state| {
                sm3::compress(state, &words(block, u32::from_be_bytes));
            }),
            Hash::Blake2s(_) => narrow(&mut self.state, |state| {
                let words = words(block, u32::from_le_bytes);
                blake2::compress_s(state, &words, total, last);
            }),
            Hash::Blake2b(_) => wide(&mut self.state, |state| {
                let words = words(block, u64::from_le_bytes);
                blake2::compress_b(state, &words, total, last);
            }),
            Hash::Whirlpool => wide(&mut self.state, |state| {
                whirlpool::compress(state, &words(block, u64::from_be_bytes));
            }),
            Hash::Sha3(_) => {
                let words: [u64; BLOCK_MAX / 8] = words(block, u64::from_le_bytes);
                let rate = self.hash.block_len() / 8;
                let pairs = self.state.iter_mut().zip(&words).take(rate);
                pairs.for_each(|(state, word)| *state ^= word);
                keccak::permute(&mut self.state);
            }
        }
    }

    /// The state as bytes.
    fn write_words(&self, to: &mut [u8; LEN_MAX]) {
        let (narrow, order) = match self.hash {
            Hash::Sha384 | Hash::Sha512 | Hash::Whirlpool => (false, Order::Big),
            Hash::Sha3(_) | Hash::Blake2b(_) => (false, Order::Little),
            Hash::Md5 | Hash::Ripemd160 | Hash::Blake2s(_) => (true, Order::Little),
            _ => (true, Order::Big),
        };
        let little = order == Order::Little;
        if narrow {
            let (words, _) = to.as_chunks_mut::<4>();
            for (to, word) in words.iter_mut().zip(&self.state) {
                let word = *word as u32;
                *to = if little { word } else { word.swap_bytes() }.to_le_bytes();
            }
        } else {
            let (words, _) = to.as_chunks_mut::<8>();
            for (to, word) in words.iter_mut().zip(&self.state) {
                *to = if little { *word } else { word.swap_bytes() }.to_le_bytes();
            }
        }
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

/// Runs `f` on the state of a hash with words of 32 bits.
fn narrow<const N: usize>(state: &mut [u64; 25], f: impl FnOnce(&mut [u32; N])) {
    let mut words = [0; N];
    // Each place holds a word of 32 bits.
    words
        .iter_mut()
        .zip(&*state)
        .for_each(|(to, from)| *to = *from as u32);
    f(&mut words);
    state
        .iter_mut()
        .zip(words)
        .for_each(|(to, from)| *to = from.into());
    words.zeroize();
}

/// Runs `f` on the state of a hash with words of 64 bits.
fn wide(state: &mut [u64; 25], f: impl FnOnce(&mut [u64; 8])) {
    if let Some(state) = state.first_chunk_mut() {
        f(state);
    }
}

fn start_of<const N: usize>(block: &[u8; BLOCK_MAX]) -> [u8; N] {
    block.first_chunk().copied().unwrap_or([0; N])
}

/// The words of a block.
fn words<const SIZE: usize, const N: usize, T: Copy + Default>(
    block: &[u8; BLOCK_MAX],
    read: impl Fn([u8; SIZE]) -> T,
) -> [T; N] {
    let mut words = [T::default(); N];
    let (chunks, _) = block.as_chunks::<SIZE>();
    words
        .iter_mut()
        .zip(chunks)
        .for_each(|(word, chunk)| *word = read(*chunk));
    words
}

pub(super) fn sha1_compress(state: &mut [u32; 5], block: &[u8; 64]) {
    sha1::block_api::compress(state, core::slice::from_ref(block));
}

pub(super) fn sha256_compress(state: &mut [u32; 8], block: &[u8; 64]) {
    sha2::block_api::compress256(state, core::slice::from_ref(block));
}

pub(super) fn sha512_compress(state: &mut [u64; 8], block: &[u8; 128]) {
    sha2::block_api::compress512(state, core::slice::from_ref(block));
}

/// The hash called `name` of all `pieces`, one after the other; `None`: it is not known.
pub fn digest(name: &str, pieces: &[&[u8]]) -> Option<Vec<u8>> {
    Hash::by_name(name).map(|hash| digest_by(hash, pieces))
}

/// The same by a hash that is known.
pub fn digest_by(hash: Hash, pieces: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Hasher::new(hash);
    pieces.iter().for_each(|piece| hasher.update(piece));
    let mut result = hasher.finish().to_vec();
    result.truncate(hash.size());
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The hash of the hashes of every message from 0 to 300 bytes, as OpenSSL 3.0 and Python's
    /// hashlib compute it.
    #[test]
    fn every_hash_agrees_with_openssl_at_every_length() {
        let message: Vec<u8> = (0..300u32).map(|i| ((i * 7 + 3) % 251) as u8).collect();
        for (name, expected) in OPENSSL {
            let all = (0..=300).map(|len| digest(name, &[&message[..len]]).unwrap());
            let all: Vec<u8> = all.flatten().collect();
            assert_eq!(hex(&digest(name, &[&all]).unwrap()), *expected, "{name}");
        }
    }

    /// RFC 1321, appendix A.5; and the hash of the hashes of every length, by Python's hashlib.
    #[test]
    fn md5_is_that_of_rfc_1321() {
        let digits = "1234567890".repeat(8);
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "abcdefghijklmnopqrstuvwxyz",
                "c3fcd3d76192e4007dfb496cca67e13b",
            ),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "d174ab98d277d9f5a5611c2c9f419d9f",
            ),
            (&digits, "57edf4a22be3c955ac49da2e2107b67a"),
        ] {
            let found = digest_by(Hash::Md5, &[text.as_bytes()]);
            assert_eq!(hex(&found), expected, "{text}");
        }
        let message: Vec<u8> = (0..300u32).map(|i| ((i * 7 + 3) % 251) as u8).collect();
        let all = (0..=300).map(|len| digest_by(Hash::Md5, &[&message[..len]]));
        let all: Vec<u8> = all.flatten().collect();
        let expected = "abc0aa471912ceaff92a309ecafa2ca2";
        assert_eq!(hex(&digest_by(Hash::Md5, &[&all])), expected);
    }

    #[test]
    fn pieces_do_not_matter() {
        let message = [7; 1000];
        for (name, _) in NAMES {
            let whole = digest(name, &[&message]);
            for piece in [1, 63, 64, 65, 128, 144, 500] {
                let pieces: Vec<&[u8]> = message.chunks(piece).collect();
                assert_eq!(digest(name, &pieces), whole, "{name} in pieces of {piece}");
            }
        }
        assert_eq!(Hash::by_name("SHA256"), Some(Hash::Sha256));
        assert!(digest("md5", &[]).is_none() && digest("", &[]).is_none());
    }

    const OPENSSL: &[(&str, &str)] = &[
        ("sha1", "9f7cfaef13864a9302f9db8fccb5c57767f3f2b9"),
        (
            "sha224",
            "ba2b1b765dd148819453c6c1fbe0b704cd90f254fbe0b2a9b91da79e",
        ),
        (
            "sha256",
            "f3020111b64a62a31251a1fe087e6b70729bffa197e5b9bff5e767adf7bbfccf",
        ),
        (
            "sha384",
            "447d18e604429502a5d081acf559e3cb7f61c9c5501efc7b594fb292173df1be8e45fbf5db9cf9981eded6de9f354e3e",
        ),
        (
            "sha512",
            "1f787ad9f667486f149e74bc25a6e07accf5bede2a3bd6fffbf9e6881e0e359e42cc2f8990a81a82494841ee951d90d1bc36c37b02d6d4bc15e81cab4fbe2f99",
        ),
        (
            "sha3-224",
            "108c126158be82a60ae77fbcf10c6816b01b7410130aa82df5d406ee",
        ),
        (
            "sha3-256",
            "469ad8a155ec88571ed44d4b9b6a2d4f7c0e49873ec5e260d81a08b86259a97b",
        ),
        (
            "sha3-384",
            "c9ce83420200dfe2949b921b5ecf77c3cb27805da19b7b62a871facdb01d79eae3e31df4ce50647fd08ca61dbd466459",
        ),
        (
            "sha3-512",
            "76216f8068fd233fb576978bb96fe626aa58967b6ef4f957d9e0b13980e4bce8b09fa999ac2dc7ed66501f889839c4da82b806280bbb99c32474227152079688",
        ),
        ("ripemd160", "a52c3c66ee518192338ecc1bab79cb7518b0d797"),
        (
            "whirlpool",
            "05c81c60998d7f36bc4b9ef1df33514661d7982aafc519b517033932140491f33933aa6c7babeb7981993f8e26e37d5cbbda4068e3dc8473fcd8f8507ea1adcd",
        ),
        ("blake2b-160", "b4328577cc270159a197c201fc90888a3ccdf0e2"),
        (
            "blake2b-256",
            "5ff8f0f69c09e61feb88c42f23c9fa6ab082827f8d04a5b6048d789690167a5e",
        ),
        (
            "blake2b-384",
            "09bbc7837c1f9934738cb86d31f36a0a30ee2d9e3579b7e614c1e23fac4ce296c3a90cc528ad3cababd53e96cccbf75f",
        ),
        (
            "blake2b-512",
            "28fc3ea9bd1c7bca51c5b6e702fe8d77332a02c0bd2a738a17da880f73f3e6a788054e657fa891cba26d4d0bf9d12f75e2bf44cf5dd3518a79aff4f6c7aaf8bf",
        ),
        ("blake2s-160", "2c8bce4b74b4a042956612129991448b3eb62ed7"),
        (
            "blake2s-224",
            "635073615890629c14668259edca579060b0e9700bfecd63ecccd600",
        ),
        (
            "blake2s-256",
            "6079fa6a9b83a42af3b09ee660bf9c451dd3c6a80e42b53f1169c893a679e6f3",
        ),
        (
            "sm3",
            "c424c18bf7b76fba72702e9c0f37749852de18f3626d239bdcce0c1198431121",
        ),
    ];
}
