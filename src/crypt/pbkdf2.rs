//! HMAC and PBKDF2. RFC 2104; RFC 8018, section 5.2.
//!
//! Millions of iterations are wanted, of two blocks each: for SHA-1, SHA-2 and Whirlpool the loop
//! works on the bare compression functions, everything around them being the same in each.

use super::hash::{
    Hash, Hasher, LEN_MAX, sha1_compress, sha256_compress, sha512_compress, whirlpool,
};
use crate::base::secret::Secret;
use zeroize::{Zeroize, Zeroizing};

/// A keyed hash, ready for messages.
struct Hmac {
    hash: Hash,
    inner: Hasher,
    outer: Hasher,
}

impl Hmac {
    fn new(hash: Hash, key: &[u8]) -> Self {
        let len = hash.block_len();
        let mut padded = Secret::zeros(len);
        if key.len() > len {
            let mut hasher = Hasher::new(hash);
            hasher.update(key);
            let short = Zeroizing::new(hasher.finish());
            copy(
                padded.as_mut_bytes(),
                short.get(..hash.size()).unwrap_or(&[]),
            );
        } else {
            copy(padded.as_mut_bytes(), key);
        }
        let mut keyed = |pad: u8| {
            padded.as_mut_bytes().iter_mut().for_each(|b| *b ^= pad);
            let mut hasher = Hasher::new(hash);
            hasher.update(padded.as_bytes());
            hasher.settle();
            hasher
        };
        let inner = keyed(0x36);
        let outer = keyed(0x36 ^ 0x5c);
        Self { hash, inner, outer }
    }

    fn of(&self, pieces: &[&[u8]]) -> [u8; LEN_MAX] {
        let mut inner = self.inner.clone();
        pieces.iter().for_each(|piece| inner.update(piece));
        let middle = Zeroizing::new(inner.finish());
        let mut outer = self.outer.clone();
        outer.update(middle.get(..self.hash.size()).unwrap_or(&[]));
        outer.finish()
    }
}

fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

fn xor(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}

/// Fills `key` from `password`. `iterations` of 0 count as 1.
pub fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
    let hmac = Hmac::new(hash, password);
    for (number, part) in (1u32..).zip(key.chunks_mut(hash.size())) {
        let mut last = hmac.of(&[salt, &number.to_be_bytes()]);
        let mut sum = last;
        let more = iterations.saturating_sub(1);
        match hash {
            Hash::Sha1 => sha1_loop(&hmac, more, &last, &mut sum),
            Hash::Sha224 | Hash::Sha256 => sha256_loop(&hmac, more, &last, &mut sum),
            Hash::Sha384 | Hash::Sha512 => sha512_loop(&hmac, more, &last, &mut sum),
            Hash::Whirlpool => whirlpool_loop(&hmac, more, &last, &mut sum),
            _ => any_loop(&hmac, more, &last, &mut sum),
        }
        copy(part, &sum);
        last.zeroize();
        sum.zeroize();
    }
}

/// Adds the results of so many iterations after `first` to `sum`, whatever the hash whose
/// results fill less than a block.
fn any_loop(hmac: &Hmac, iterations: u32, first: &[u8; LEN_MAX], sum: &mut [u8; LEN_MAX]) {
    let size = hmac.hash.size();
    let mut last = *first;
    let mut work = hmac.inner.clone();
    work.update(last.get(..size).unwrap_or(&[]));
    work.finished().zeroize();
    for _ in 0..iterations {
        work.again(&hmac.inner, &mut last);
        work.again(&hmac.outer, &mut last);
        xor(sum, &last);
    }
    last.zeroize();
}

macro_rules! fast_loop {
    ($name:ident, $word:ty, $words:literal, $block:literal, $compress:path) => {
        /// Adds the results of so many iterations after `first` to `sum`.
        fn $name(hmac: &Hmac, iterations: u32, first: &[u8; LEN_MAX], sum: &mut [u8; LEN_MAX]) {
            const SIZE: usize = size_of::<$word>();
            let len = hmac.hash.size();
            let start = |hasher: &Hasher| {
                let mut words = [0; $words];
                let places = words.iter_mut().zip(hasher.words());
                places.for_each(|(word, place)| *word = *place as $word);
                words
            };
            let (mut inner, mut outer) = (start(&hmac.inner), start(&hmac.outer));
            // The second and last block of both messages: a result, the mark, zeros, the length.
            let mut block = [0; $block];
            copy(&mut block, first.get(..len).unwrap_or(&[]));
            let (_, end) = block.split_at_mut(len);
            copy(end, &[0x80]);
            let bits = ($block + len as u64) * 8;
            copy(
                end.last_chunk_mut::<8>().map_or(&mut [], |e| e),
                &bits.to_be_bytes(),
            );
            let mut total: [$word; $words] = [0; $words];
            let mut state = inner;
            for _ in 0..iterations {
                for start in [&inner, &outer] {
                    state = *start;
                    $compress(&mut state, &block);
                    let (chunks, _) = block.as_chunks_mut::<SIZE>();
                    let places = chunks.iter_mut().zip(&state).take(len / SIZE);
                    places.for_each(|(to, word)| *to = word.to_be_bytes());
                }
                total
                    .iter_mut()
                    .zip(&state)
                    .for_each(|(t, word)| *t ^= word);
            }
            for (to, word) in sum.chunks_exact_mut(SIZE).zip(&total) {
                xor(to, &word.to_be_bytes());
            }
            inner.zeroize();
            outer.zeroize();
            state.zeroize();
            total.zeroize();
            block.zeroize();
        }
    };
}

fast_loop!(sha1_loop, u32, 5, 64, sha1_compress);
fast_loop!(sha256_loop, u32, 8, 64, sha256_compress);
fast_loop!(sha512_loop, u64, 8, 128, sha512_compress);

/// Adds the results of so many iterations after `first` to `sum`. What the first block of each
/// message is encrypted with is the same in all of them, and worked out once.
fn whirlpool_loop(hmac: &Hmac, iterations: u32, first: &[u8; LEN_MAX], sum: &mut [u8; LEN_MAX]) {
    let mut starts = [&hmac.inner, &hmac.outer].map(|hasher| {
        let state = *hasher.words().first_chunk().unwrap_or(&[0; 8]);
        (whirlpool::schedule(&state), state)
    });
    // A result is a block; behind it come the mark, zeros, and the length of both blocks in bits.
    let end = [1 << 63, 0, 0, 0, 0, 0, 0, 2 * 512];
    let mut last = [0; 8];
    let (bytes, _) = first.as_chunks::<8>();
    let places = last.iter_mut().zip(bytes);
    places.for_each(|(word, bytes)| *word = u64::from_be_bytes(*bytes));
    for _ in 0..iterations {
        for (keys, start) in &starts {
            let mut state = *start;
            whirlpool::compress_with(keys, &mut state, &last);
            whirlpool::compress(&mut state, &end);
            last = state;
        }
        let (places, _) = sum.as_chunks_mut::<8>();
        for (place, word) in places.iter_mut().zip(&last) {
            xor(place, &word.to_be_bytes());
        }
    }
    last.zeroize();
    for (keys, state) in &mut starts {
        keys.iter_mut().for_each(Zeroize::zeroize);
        state.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn check(name: &str, password: &str, salt: &str, iterations: u32, expected: &str) {
        let mut key = alloc::vec![0; expected.len() / 2];
        let hash = Hash::by_name(name).unwrap();
        pbkdf2(
            hash,
            password.as_bytes(),
            salt.as_bytes(),
            iterations,
            &mut key,
        );
        let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, expected, "{name} {iterations}");
    }

    #[test]
    fn the_examples_of_rfc_6070_come_out() {
        check(
            "sha1",
            "password",
            "salt",
            1,
            "0c60c80f961f0e71f3a9b524af6012062fe037a6",
        );
        check(
            "sha1",
            "password",
            "salt",
            4096,
            "4b007901b765489abead49d926f721d065a429c1",
        );
        let long = "passwordPASSWORDpassword";
        let salt = "saltSALTsaltSALTsaltSALTsaltSALTsalt";
        check(
            "sha1",
            long,
            salt,
            4096,
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
        );
        check(
            "sha1",
            "pass\0word",
            "sa\0lt",
            4096,
            "56fa6aa75548099dcc37d7f03425e0c3",
        );
    }

    /// As Python's `hashlib.pbkdf2_hmac` computes them, in each case over several blocks.
    #[test]
    fn every_hash_agrees_with_openssl() {
        let long = "a password that is longer than one block of most hashes, \
                    because then it is hashed itself before it is used at all, \
                    and that is another branch than for short ones";
        for (name, short, hashed) in OPENSSL {
            check(name, "password", "salt", 100, short);
            check(name, long, "pepper", 3, hashed);
        }
    }

    const OPENSSL: &[(&str, &str, &str)] = &[
        (
            "sha1",
            "8595d7aea0e7c952a35af9a838cc6b393449307cfcc7bd340e7e32ee901156509cd8f76e53cf8cc0",
            "b96392340951f3d5b190f8a9cacf336fcd8acc30043618cce1d634782bcf246ec31c31eac1c01399",
        ),
        (
            "sha224",
            "94caada0587cd9bec0aa1d6eb1a4da672122d1152458e36e38647fb64e51cfaffe1a74af200c1f20",
            "0409940cb5b87490bdd8ebe14b9f1eeb2f4cb31d280131eb68225760e6262b828e448a797f874606",
        ),
        (
            "sha256",
            "07e6997180cf7f12904f04100d405d34888fdf62af6d506a0ecc23b196fe99d8675294ec5aa7944b",
            "a7565803602f6da00e7ff2503f6cd67092395c43fce37f8bae092314630d42a8f03834c61bfd3ffc",
        ),
        (
            "sha384",
            "fd59f4c5847bbcf1ca33174a7d63ae50c5adeef45d94a36f730b13ebe352ae801b7e6bca0e71eb40",
            "c8c9c9e118f6f6aaa386b33e17504caedf49ad1da5b3b65abbc199df54a9946dec109dda781c2232",
        ),
        (
            "sha512",
            "fef7276b107040a0a713bcbec9fd3e191cc6153249e245a3e1a22087dbe616060bbfc8411c6363f3",
            "6f9073f3209da3ed5bd45b0574051693e74ce2c2ab3f353a59377de1991ea96da0d2cdab40238976",
        ),
        (
            "sha3-256",
            "3662b9455cde6979b1d5d866df806e1fe15954073e07c7c2acf2c80205074e46d2226ae0253297f8",
            "3b3027786ce04ff3ebbc3d939bc1076ded55b834689590aa82664d973cf6da24d5f0755d583be32f",
        ),
        (
            "sha3-512",
            "2d05fe8b703b8cea448d1560821d640bda9d4a950f233f2ed51b50b9a7b38592eb6cf85b7a0bfeca",
            "9ba962cce67769af20ac035f1eb408b11e9e997c4576b43c2dccade7069f903946824860651b3950",
        ),
        (
            "ripemd160",
            "d22022689f0cc2e6f621b5e49801c99b08b73293221b996f92a12610efddb89d5d78fbbbe3be7215",
            "8276659a854c42fa270eeedd34821f00d97f842c1051d14b43883be094d31e1a3e6f1859fb10e1f6",
        ),
        (
            "whirlpool",
            "3ea4526352911b348f3ecbaec74fd5b1a882400dbe9384d308e0fd6768f0788d9b92f310d6ada726a93938a7c8ea4e8a902b1a0b707c9479d09beb7ca03eef871e2806f18e194c87a8ae85560b48d1ad",
            "f640f1b5d0ffbf9c7bc23c1963b2cc27e3615aa34b7047204320c6fc49161b0b3dea427637261e35bba01ea501d94bd4311d26fcfc5b86fe6a066ad7365d56e329ad3ecbe9477831d2511f4dbe9cc44e",
        ),
        (
            "blake2b-512",
            "0e7603a81b6f68f623fd803ae4428d9bf23c62208b704beeefdbfa2b2efc7d06e8596733e224d884",
            "3ff855fa620ea6c61cc86b3c79497967aa16dad179db14a2f3fa47263ab09b90451ee2210bab9126",
        ),
        (
            "blake2s-256",
            "d5bf05f8bcc13c7ccb32d8e442142cb84928f6ab6dac038ebb5a8c7ada3fe5d3693555f1761951d4",
            "bfc0f21894e13481a106d200ca80c1511a9778f5c8919c2741c9bfeaa6e88cf18d92b55c5a18a7d2",
        ),
        (
            "sm3",
            "d8e7cbab3c11a2f91052e2bfc7597bc178824bd108d1864f0fec9cde6d4f4ccc13516831fa320298",
            "81a0c613b02ac851d061a42832d5623dc05920534d2661e84772c54db08f3fd936e0d801c00e9697",
        ),
    ];
}
