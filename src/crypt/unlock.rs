//! From a passphrase to the volume key, slot by slot.
//!
//! The steps are public, so that whoever has a kernel at hand can let it decrypt areas whose
//! cipher is not known here. Source: LUKS2 On-Disk Format Specification 1.1.3, section 4; LUKS1
//! On-Disk Format Specification 1.2.3, section 4.

use super::argon2::{self, Cost, Refusal};
use super::hash::Hash;
use super::sectors::Sectors;
use super::{Machine, antiforensic, pbkdf2};
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::format::luks::{Area, Digest, Header, Kdf, KeySlot, cipher};
use alloc::string::String;
use core::fmt;
use zeroize::Zeroize;

/// Shortest digest of a volume key: with less, a wrong key might pass.
const DIGEST_MIN: usize = 20;
/// Sectors of a slot's area, in bytes.
const AREA_SECTOR: usize = 512;

/// Where the areas of slots come from.
pub trait Areas {
    /// The encrypted bytes of an area.
    fn read(&mut self, area: &Area) -> Result<Secret, Fault>;

    /// The decrypted bytes, if there is a way to let somebody else decrypt them.
    fn decrypted(&mut self, area: &Area, key: &Secret) -> Result<Secret, Failure> {
        let _ = key;
        Err(Failure::Cipher(area.cipher.clone()))
    }
}

/// Why a slot, or all of them, did not give the volume key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The passphrase opens none of the slots that could be tried.
    Passphrase,
    /// No slot holds the volume's key, or none with the number that was asked for.
    NoSlot,
    Memory {
        needed_kib: u64,
        available_kib: u64,
    },
    Hash(String),
    Cipher(String),
    Kdf(String),
    /// The numbers in the header are none that can be computed with.
    Impossible,
    Read(Fault),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase => f.write_str("no key slot opens with this passphrase"),
            Self::NoSlot => f.write_str("the LUKS header has no key slot that could be tried"),
            Self::Memory {
                needed_kib,
                available_kib,
            } => write!(
                f,
                "its key derivation needs {} MiB of memory, and {} MiB are free",
                needed_kib.div_ceil(1024),
                available_kib / 1024
            ),
            Self::Hash(name) => write!(f, "its hash {name} is not known"),
            Self::Cipher(name) => write!(f, "its cipher {name} is not known here"),
            Self::Kdf(name) => write!(f, "its key derivation {name} is not known"),
            Self::Impossible => f.write_str("its header asks for what cannot be computed"),
            Self::Read(fault) => write!(f, "its key slots cannot be read: {fault}"),
        }
    }
}

/// A volume key and where it was.
pub struct Opened {
    pub slot: u32,
    pub key: Secret,
}

/// Tries the passphrase on each slot in turn; with `wanted` on that one only. A slot that cannot
/// be tried does not keep the others from it, but if all fail it is what is told.
pub fn open(
    header: &Header,
    wanted: Option<u32>,
    passphrase: &[u8],
    areas: &mut dyn Areas,
    machine: &dyn Machine,
) -> Result<Opened, Failure> {
    let opened = first_to_open(header, wanted, passphrase, areas, machine);
    wipe_stack();
    opened
}

/// Round keys and words of hashes were computed in frames that are left now, and whoever gives the
/// memory back does not clear it. Frames of this floor are a few KiB deep.
#[inline(never)]
fn wipe_stack() {
    let mut below = [0u8; 32 * 1024];
    below.zeroize();
    core::hint::black_box(&below);
}

fn first_to_open(
    header: &Header,
    wanted: Option<u32>,
    passphrase: &[u8],
    areas: &mut dyn Areas,
    machine: &dyn Machine,
) -> Result<Opened, Failure> {
    let mut failure = Failure::NoSlot;
    for (slot, digest) in header.candidates(wanted) {
        match open_slot(slot, digest, passphrase, areas, machine) {
            Ok(key) => {
                let slot = slot.number;
                return Ok(Opened { slot, key });
            }
            Err(Failure::Passphrase) if failure != Failure::NoSlot => {}
            Err(other) if matches!(failure, Failure::NoSlot | Failure::Passphrase) => {
                failure = other;
            }
            Err(_) => {}
        }
    }
    Err(failure)
}

/// Tries the passphrase on one slot.
pub fn open_slot(
    slot: &KeySlot,
    digest: &Digest,
    passphrase: &[u8],
    areas: &mut dyn Areas,
    machine: &dyn Machine,
) -> Result<Secret, Failure> {
    let area = &slot.area;
    if cipher::is_null(&area.cipher) {
        // Not encrypted: any passphrase would do, so only none is taken.
        if !passphrase.is_empty() {
            return Err(Failure::Passphrase);
        }
        let stripes = areas.read(area).map_err(Failure::Read)?;
        return volume_key(slot, digest, &stripes);
    }
    let key = area_key(slot, passphrase, machine)?;
    let stripes = match Sectors::new(&area.cipher, key.as_bytes()) {
        None => areas.decrypted(area, &key)?,
        Some(cipher) => {
            let mut stripes = areas.read(area).map_err(Failure::Read)?;
            cipher.decrypt(0, AREA_SECTOR, stripes.as_mut_bytes());
            stripes
        }
    };
    volume_key(slot, digest, &stripes)
}

/// The key of a slot's area.
pub fn area_key(
    slot: &KeySlot,
    passphrase: &[u8],
    machine: &dyn Machine,
) -> Result<Secret, Failure> {
    let mut key = Secret::zeros(slot.area.key_size);
    match &slot.kdf {
        Kdf::Pbkdf2 {
            hash,
            iterations,
            salt,
        } => {
            let out = key.as_mut_bytes();
            pbkdf2::pbkdf2(known(hash)?, passphrase, salt, possible(*iterations)?, out);
        }
        Kdf::Argon2 {
            id,
            passes,
            memory_kib,
            lanes,
            salt,
        } => {
            let cost = Cost {
                id: *id,
                passes: *passes,
                memory_kib: *memory_kib,
                lanes: *lanes,
            };
            let too_much = Failure::Memory {
                needed_kib: u64::from(*memory_kib),
                available_kib: machine.memory_kib(),
            };
            if u64::from(*memory_kib) > machine.memory_kib() {
                return Err(too_much);
            }
            let done = argon2::argon2(cost, passphrase, salt, key.as_mut_bytes(), machine);
            done.map_err(|refusal| match refusal {
                Refusal::Cost => Failure::Impossible,
                Refusal::Memory => too_much,
            })?;
        }
        Kdf::Other(name) => return Err(Failure::Kdf(name.clone())),
    }
    Ok(key)
}

/// The volume key, from the decrypted area of a slot; [`Failure::Passphrase`] if it is not the
/// right one.
pub fn volume_key(slot: &KeySlot, digest: &Digest, stripes: &Secret) -> Result<Secret, Failure> {
    let count = usize::try_from(slot.stripes).map_err(|_| Failure::Impossible)?;
    let hash = known(&slot.af_hash)?;
    let key = antiforensic::merge(stripes.as_bytes(), slot.key_size, count, hash);
    let key = key.ok_or(Failure::Impossible)?;
    match is_key(digest, &key)? {
        true => Ok(key),
        false => Err(Failure::Passphrase),
    }
}

/// Whether this is the key that the digest was made of.
pub fn is_key(digest: &Digest, key: &Secret) -> Result<bool, Failure> {
    let hash = known(&digest.hash)?;
    let len = digest.value.len();
    if !(DIGEST_MIN..=hash.size().max(DIGEST_MIN)).contains(&len) {
        return Err(Failure::Impossible);
    }
    let mut found = Secret::zeros(len);
    let iterations = possible(digest.iterations)?;
    let out = found.as_mut_bytes();
    pbkdf2::pbkdf2(hash, key.as_bytes(), &digest.salt, iterations, out);
    Ok(found.same(&digest.value))
}

fn known(hash: &str) -> Result<Hash, Failure> {
    Hash::by_name(hash).ok_or_else(|| Failure::Hash(hash.into()))
}

fn possible(iterations: u32) -> Result<u32, Failure> {
    match iterations {
        0 => Err(Failure::Impossible),
        some => Ok(some),
    }
}
