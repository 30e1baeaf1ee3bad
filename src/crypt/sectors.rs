//! Sectors encrypted with AES, as dm-crypt would decrypt them: XTS and CBC.
//!
//! Enough for the key slots of nearly every LUKS header, and for a look inside a volume. Other
//! ciphers are the kernel's business. Nothing encrypts here.
//! Source: kernel `drivers/md/dm-crypt.c`, `crypt_iv_*`; IEEE Std 1619-2007 for XTS.

use super::hash::{Hash, Hasher, LEN_MAX};
use crate::format::luks::cipher::Spec;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use alloc::boxed::Box;
use zeroize::{Zeroize, Zeroizing};

const BLOCK: usize = 16;
/// What the numbers of sectors count, in bytes.
const UNIT: usize = 512;

/// Either AES. One block at a time: there are few.
trait Aes {
    fn encrypt(&self, block: &mut [u8; BLOCK]);
    fn decrypt(&self, block: &mut [u8; BLOCK]);
}

macro_rules! aes {
    ($name:ty) => {
        impl Aes for $name {
            fn encrypt(&self, block: &mut [u8; BLOCK]) {
                let mut whole = Block::from(*block);
                self.encrypt_block(&mut whole);
                *block = whole.into();
            }

            fn decrypt(&self, block: &mut [u8; BLOCK]) {
                let mut whole = Block::from(*block);
                self.decrypt_block(&mut whole);
                *block = whole.into();
            }
        }
    };
}

aes!(Aes128);
aes!(Aes256);

fn aes(key: &[u8]) -> Option<Box<dyn Aes>> {
    match key.len() {
        16 => Some(Box::new(Aes128::new_from_slice(key).ok()?)),
        32 => Some(Box::new(Aes256::new_from_slice(key).ok()?)),
        _ => None,
    }
}

/// A cipher with its key.
pub struct Sectors {
    cipher: Box<dyn Aes>,
    mode: Mode,
    iv: Iv,
}

enum Mode {
    Cbc,
    /// With the key of the tweak.
    Xts(Box<dyn Aes>),
}

enum Iv {
    Plain,
    Plain64,
    Plain64Be,
    Essiv(Box<dyn Aes>),
}

impl Sectors {
    /// `None`: this cipher, or this length of key, is not known here.
    pub fn new(spec: &str, key: &[u8]) -> Option<Self> {
        let spec = Spec::read(spec).filter(|spec| spec.cipher == "aes")?;
        let iv = match spec.iv.split_once(':') {
            Some(("essiv", hash)) => Iv::Essiv(essiv(hash, key)?),
            None if spec.iv == "plain" => Iv::Plain,
            None if spec.iv == "plain64" => Iv::Plain64,
            None if spec.iv == "plain64be" => Iv::Plain64Be,
            _ => return None,
        };
        let (key, mode) = match spec.mode {
            "cbc" => (key, Mode::Cbc),
            "xts" => {
                let (data, tweak) = key.split_at(key.len() / 2);
                (data, Mode::Xts(aes(tweak)?))
            }
            _ => return None,
        };
        let cipher = aes(key)?;
        Some(Self { cipher, mode, iv })
    }

    /// Decrypts `data` in place: sectors of `size` bytes, whose first one begins at sector
    /// `first` of 512 bytes.
    pub fn decrypt(&self, first: u64, size: usize, data: &mut [u8]) {
        let step = (size / UNIT).max(1) as u64;
        let mut number = first;
        for sector in data.chunks_mut(size.max(BLOCK)) {
            let mut iv = Zeroizing::new(self.iv(number));
            let (blocks, _) = sector.as_chunks_mut();
            match &self.mode {
                Mode::Cbc => self.cbc(&mut iv, blocks),
                Mode::Xts(tweak) => {
                    tweak.encrypt(&mut iv);
                    self.xts(&mut iv, blocks);
                }
            }
            number = number.wrapping_add(step);
        }
    }

    fn iv(&self, number: u64) -> [u8; BLOCK] {
        let mut iv = u128::from(number).to_le_bytes();
        match &self.iv {
            Iv::Plain => iv = u128::from(number as u32).to_le_bytes(),
            Iv::Plain64 => {}
            Iv::Plain64Be => iv.reverse(),
            Iv::Essiv(cipher) => cipher.encrypt(&mut iv),
        }
        iv
    }

    fn cbc(&self, last: &mut [u8; BLOCK], blocks: &mut [[u8; BLOCK]]) {
        for block in blocks {
            let encrypted = *block;
            self.cipher.decrypt(block);
            xor(block, last);
            *last = encrypted;
        }
    }

    fn xts(&self, tweak: &mut [u8; BLOCK], blocks: &mut [[u8; BLOCK]]) {
        for block in blocks {
            xor(block, tweak);
            self.cipher.decrypt(block);
            xor(block, tweak);
            // Times x, in the field with x^128 + x^7 + x^2 + x + 1.
            let number = u128::from_le_bytes(*tweak);
            let carry = (number >> 127) * 0x87;
            *tweak = (number << 1 ^ carry).to_le_bytes();
        }
    }
}

/// The cipher of the IV: its key is the hash of the other key.
fn essiv(hash: &str, key: &[u8]) -> Option<Box<dyn Aes>> {
    let hash = Hash::by_name(hash)?;
    let mut hasher = Hasher::new(hash);
    hasher.update(key);
    let mut result: [u8; LEN_MAX] = hasher.finish();
    let cipher = aes(result.get(..hash.size())?);
    result.zeroize();
    cipher
}

fn xor(to: &mut [u8; BLOCK], with: &[u8; BLOCK]) {
    let sum = u128::from_ne_bytes(*to) ^ u128::from_ne_bytes(*with);
    *to = sum.to_ne_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_done_is_promised() {
        let known = |spec, len: usize| Sectors::new(spec, &alloc::vec![7; len]).is_some();
        for (spec, len) in [
            ("aes-xts-plain64", 32),
            ("aes-xts-plain64", 64),
            ("aes-xts-plain", 64),
            ("aes-cbc-essiv:sha256", 16),
            ("aes-cbc-essiv:sha256", 32),
            ("aes-cbc-plain", 32),
            ("aes-plain", 32),
            ("aes-cbc-plain64be", 16),
        ] {
            assert!(known(spec, len), "{spec} {len}");
        }
        for (spec, len) in [
            ("aes-xts-plain64", 48),
            ("aes-xts-plain64", 0),
            ("aes-xts-benbi", 64),
            ("aes-cbc-essiv:sha1", 32),
            ("aes-cbc-essiv:md5", 32),
            ("aes-ctr-plain64", 32),
            ("aes-ecb", 32),
            ("serpent-xts-plain64", 64),
            ("capi:xts(aes)-plain64", 64),
            ("", 32),
        ] {
            assert!(!known(spec, len), "{spec} {len}");
        }
    }

    /// IEEE Std 1619-2007, vectors 1 and 10.
    #[test]
    fn the_vectors_of_xts_come_out() {
        let cipher = Sectors::new("aes-xts-plain64", &[0; 32]).unwrap();
        let mut data = [
            0x91, 0x7c, 0xf6, 0x9e, 0xbd, 0x68, 0xb2, 0xec, 0x9b, 0x9f, 0xe9, 0xa3, 0xea, 0xdd,
            0xa6, 0x92, 0xcd, 0x43, 0xd2, 0xf5, 0x95, 0x98, 0xed, 0x85, 0x8c, 0x02, 0xc2, 0x65,
            0x2f, 0xbf, 0x92, 0x2e,
        ];
        cipher.decrypt(0, 512, &mut data);
        assert_eq!(data, [0; 32]);
        let mut key = [0; 64];
        let digits = *b"\x27\x18\x28\x18\x28\x45\x90\x45\x23\x53\x60\x28\x74\x71\x35\x26\
                        \x62\x49\x77\x57\x24\x70\x93\x69\x99\x59\x57\x49\x66\x96\x76\x27";
        let more = *b"\x31\x41\x59\x26\x53\x58\x97\x93\x23\x84\x62\x64\x33\x83\x27\x95\
                      \x02\x88\x41\x97\x16\x93\x99\x37\x51\x05\x82\x09\x74\x94\x45\x92";
        key[..32].copy_from_slice(&digits);
        key[32..].copy_from_slice(&more);
        let cipher = Sectors::new("aes-xts-plain64", &key).unwrap();
        let mut data = *b"\x1c\x3b\x3a\x10\x2f\x77\x03\x86\xe4\x83\x6c\x99\xe3\x70\xcf\x9b\
                          \xea\x00\x80\x3f\x5e\x48\x23\x57\xa4\xae\x12\xd4\x14\xa3\xe6\x3b";
        cipher.decrypt(0xff, 512, &mut data);
        assert_eq!(data, core::array::from_fn(|n| n as u8));
    }
}
