//! Computation on secrets: key derivation, anti-forensic merge, key slots. Pure: no I/O, no clock,
//! no thread of its own; what it held is wiped.
//!
//! | Here | what |
//! |---|---|
//! | `hash` | hashes, by the names that headers use |
//! | `pbkdf2`, `argon2` | keys from passphrases |
//! | `antiforensic` | a key that is spread over stripes |
//! | `chap` | answers that prove who somebody is, without the password |
//! | `sectors` | decrypting sectors, where the cipher is AES |
//! | `unlock` | from a passphrase to the volume key of a LUKS header |
#![forbid(unsafe_code)]

pub mod antiforensic;
pub mod argon2;
pub mod chap;
pub mod hash;
pub mod pbkdf2;
pub mod sectors;
pub mod unlock;

use alloc::boxed::Box;

/// Something to be done, once.
pub type Job<'a> = Box<dyn FnMut() + Send + 'a>;

/// What computations need of the machine that they run on.
pub trait Machine {
    /// How much memory may be used, in KiB.
    fn memory_kib(&self) -> u64;

    /// Runs all jobs to their ends, at the same time if it can.
    fn at_once(&self, jobs: &mut [Job]) {
        jobs.iter_mut().for_each(|job| job());
    }

    /// Hears of a large piece of memory, address and bytes, before it is touched. Argon2 spends a
    /// third of its time on finding pages: large ones help.
    fn reserved(&self, _address: usize, _len: usize) {}
}
