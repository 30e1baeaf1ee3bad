//! Argon2i and Argon2id, version 1.3. RFC 9106.
//!
//! Why not the `argon2` crate: it fills lanes one after the other, or with the threads of a
//! library of its own. Here each lane of a slice is a job, and who has threads runs them at once.
//!
//! The memory is one list of blocks for each segment, so that the lanes of one slice can be
//! written at once while all the others are read, without a lock and without `unsafe`.

mod block;
mod fill;

use super::hash::{Hash, Hasher};
use super::{Job, Machine};
use crate::base::list::Listed;
use crate::base::secret::Secret;
use alloc::boxed::Box;
use alloc::vec::Vec;
use block::{Block, LEN};
use fill::{Lane, Segment};
use zeroize::Zeroize;

/// Slices of a pass; lanes wait for each other at their ends.
const SLICES: usize = 4;
const VERSION: u32 = 0x13;
/// More lanes than any header has; cryptsetup stops at 4.
const LANES_MAX: u32 = 255;

/// What the key costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Argon2id rather than Argon2i.
    pub id: bool,
    pub passes: u32,
    pub memory_kib: u32,
    pub lanes: u32,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The cost is none that Argon2 knows.
    Cost,
    /// The memory is not to be had.
    Memory,
}

/// Fills `key` from `password`.
pub fn argon2(
    cost: Cost,
    password: &[u8],
    salt: &[u8],
    key: &mut [u8],
    machine: &dyn Machine,
) -> Result<(), Refusal> {
    let lanes = usize::try_from(cost.lanes).unwrap_or(usize::MAX);
    let least = cost.lanes.saturating_mul(8);
    if !(1..=LANES_MAX).contains(&cost.lanes) || cost.passes == 0 || cost.memory_kib < least {
        return Err(Refusal::Cost);
    }
    let blocks = usize::try_from(cost.memory_kib).map_err(|_| Refusal::Memory)?;
    let segment_len = blocks / lanes / SLICES;
    let mut memory = reserve(lanes, segment_len, machine)?;
    let seed = seed(cost, password, salt, key.len());
    if let Some(first) = memory.first_mut() {
        for (lane, segment) in (0..).zip(first) {
            let block = |column: u32| {
                let mut bytes = zeroize::Zeroizing::new([0; LEN]);
                let place = [column.to_le_bytes(), u32::to_le_bytes(lane)].concat();
                long_hash(&[seed.as_bytes(), &place], &mut *bytes);
                Block::from_bytes(&bytes)
            };
            segment.extend([block(0), block(1)]);
        }
    }
    for pass in 0..cost.passes {
        for slice in 0..SLICES {
            fill_slice(cost, pass, slice, segment_len, &mut memory, machine);
        }
    }
    let mut last = Block::zero();
    for segment in memory.last().into_iter().flatten() {
        segment.last().into_iter().for_each(|block| last.xor(block));
    }
    long_hash(&[&*last.to_bytes()], key);
    last.wipe();
    wipe(&mut memory, machine);
    Ok(())
}

type Memory = [Vec<Segment>; SLICES];

/// Room for all blocks; none of it is touched.
fn reserve(lanes: usize, segment_len: usize, machine: &dyn Machine) -> Result<Memory, Refusal> {
    let mut memory = Memory::default();
    for slice in &mut memory {
        for _ in 0..lanes {
            let mut segment = Segment::new();
            let room = segment.try_reserve_exact(segment_len);
            room.map_err(|_| Refusal::Memory)?;
            let len = size_of::<Block>() * segment_len;
            machine.reserved(segment.as_ptr().addr(), len);
            slice.push(segment);
        }
    }
    Ok(memory)
}

fn fill_slice(
    cost: Cost,
    pass: u32,
    slice: usize,
    segment_len: usize,
    memory: &mut Memory,
    machine: &dyn Machine,
) {
    let (before, rest) = memory.split_at_mut(slice);
    let Some((current, after)) = rest.split_first_mut() else {
        return;
    };
    let (before, after) = (&*before, &*after);
    let job = |(number, segment)| -> Job {
        let segment: &mut Segment = segment;
        let mut lane = Lane {
            cost,
            pass,
            slice,
            number,
            segment_len,
            before,
            after,
        };
        Box::new(move || lane.fill(segment))
    };
    let mut jobs: Vec<Job> = current.iter_mut().enumerate().map(job).listed();
    machine.at_once(&mut jobs);
}

fn wipe(memory: &mut Memory, machine: &dyn Machine) {
    let segments = memory.iter_mut().flatten();
    let wipe = |segment| -> Job {
        let segment: &mut Segment = segment;
        Box::new(move || segment.iter_mut().for_each(Block::wipe))
    };
    let mut jobs: Vec<Job> = segments.map(wipe).listed();
    machine.at_once(&mut jobs);
}

/// H0: everything that went in. RFC 9106, section 3.2, step 1.
fn seed(cost: Cost, password: &[u8], salt: &[u8], key_len: usize) -> Secret {
    let kind = if cost.id { 2 } else { 1 };
    let len = |bytes: &[u8]| bytes.len() as u32;
    let mut hasher = Hasher::new(Hash::Blake2b(64));
    let number = |hasher: &mut Hasher, n: u32| hasher.update(&n.to_le_bytes());
    let costs = [
        cost.lanes,
        key_len as u32,
        cost.memory_kib,
        cost.passes,
        VERSION,
        kind,
    ];
    costs.into_iter().for_each(|n| number(&mut hasher, n));
    for text in [password, salt] {
        number(&mut hasher, len(text));
        hasher.update(text);
    }
    // Neither a secret nor data besides.
    number(&mut hasher, 0);
    number(&mut hasher, 0);
    let mut result = hasher.finish();
    let seed = Secret::copy_of(&result);
    result.zeroize();
    seed
}

/// H': a hash of any length. RFC 9106, section 3.3.
fn long_hash(pieces: &[&[u8]], out: &mut [u8]) {
    const WHOLE: usize = 64;
    let hash = |len: usize, pieces: &[&[u8]]| {
        let mut hasher = Hasher::new(Hash::Blake2b(len.min(WHOLE) as u8));
        pieces.iter().for_each(|piece| hasher.update(piece));
        zeroize::Zeroizing::new(hasher.finish())
    };
    let len = (out.len() as u32).to_le_bytes();
    let mut first: Vec<&[u8]> = alloc::vec![&len];
    first.extend(pieces);
    let mut last = hash(out.len(), &first);
    let mut rest = out;
    // Half of each hash, until a whole one is enough.
    while rest.len() > WHOLE {
        let (head, tail) = rest.split_at_mut(WHOLE / 2);
        head.iter_mut()
            .zip(&*last)
            .for_each(|(to, from)| *to = *from);
        last = hash(tail.len(), &[&*last]);
        rest = tail;
    }
    rest.iter_mut()
        .zip(&*last)
        .for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn hex(key: &[u8]) -> String {
        key.iter().map(|b| format!("{b:02x}")).collect()
    }

    struct Alone;

    impl Machine for Alone {
        fn memory_kib(&self) -> u64 {
            u64::MAX
        }
    }

    struct Threads;

    impl Machine for Threads {
        fn memory_kib(&self) -> u64 {
            u64::MAX
        }

        fn at_once(&self, jobs: &mut [Job]) {
            std::thread::scope(|scope| {
                for job in jobs {
                    scope.spawn(job);
                }
            });
        }
    }

    /// As libargon2 and OpenSSL 3.5 compute them.
    #[test]
    fn keys_are_those_of_the_reference() {
        for (id, passes, memory_kib, lanes, expected) in REFERENCE {
            let cost = Cost {
                id: *id,
                passes: *passes,
                memory_kib: *memory_kib,
                lanes: *lanes,
            };
            for machine in [&Alone as &dyn Machine, &Threads] {
                let mut key = alloc::vec![0; expected.len() / 2];
                argon2(cost, b"password", b"somesalt12345678", &mut key, machine).unwrap();
                assert_eq!(hex(&key), *expected, "{cost:?}");
            }
        }
    }

    #[test]
    fn impossible_costs_are_refused() {
        let cost = Cost {
            id: true,
            passes: 1,
            memory_kib: 64,
            lanes: 2,
        };
        let try_it = |cost| argon2(cost, b"", b"", &mut [0; 32], &Alone);
        assert_eq!(try_it(cost), Ok(()));
        for cost in [
            Cost { passes: 0, ..cost },
            Cost { lanes: 0, ..cost },
            Cost { lanes: 9, ..cost },
            Cost {
                lanes: 256,
                memory_kib: 1 << 20,
                ..cost
            },
            Cost {
                memory_kib: 15,
                ..cost
            },
        ] {
            assert_eq!(try_it(cost), Err(Refusal::Cost), "{cost:?}");
        }
        assert_eq!(
            try_it(Cost {
                memory_kib: 16,
                ..cost
            }),
            Ok(())
        );
    }

    const REFERENCE: &[(bool, u32, u32, u32, &str)] = &[
        (
            true,
            1,
            64,
            1,
            "2a8bf2c64a9623c36221b9d54ec1c91ad59d6b4edac54aa825522e3e8b6a2027",
        ),
        (
            true,
            3,
            65,
            4,
            "c9e3b6d35ccb7f77f1c39f025484b5f6ceed0c5283beba3f84d5ec38cc650afd70d431739d35407892e163c964a2da910b06a49d2e2a527fe12f9bb1f2bc5d75",
        ),
        (
            true,
            4,
            777,
            3,
            "9783d32b507dc1ed28921afa23bd57a57eab54ec886707014eedbe1bf8610f6a",
        ),
        (
            false,
            1,
            64,
            1,
            "f3e6b9a746af5c0b42a28651952e8fa7a9e69d5928a92eea153a99da4bdf49ce",
        ),
        (
            false,
            3,
            100,
            2,
            "56742aece65f947c0226af21d288444468236b3cdd7299e73dfd9b71b27ae044716ca20af76cb3470154aa3b8a8eceec12a8c8e9d403fde2985c0b87dae8c1bd",
        ),
        (false, 2, 4000, 4, "35185f03160da718a3605ac7118769e5"),
        (
            true,
            2,
            4096,
            1,
            "38d2ee7a2ce816f1453bc4c5e475bbc724b56e12233e50364520773c4e519bdb68b03303c0780c493b239c135abdb31221fc50624a9dbefc87917f961b3db295063d86da8fe323596633463e94ac865698c5afa54521aff4d007fcb25e2fd3de2207830b",
        ),
        (
            true,
            5,
            32,
            4,
            "1ec40aa7be95312d497a48ff63190ab30b5b3f26023216a1da102465f37ae9baf976d54336fe2f070cf6c56dcbf285cf4ae25e3c26f356cc3122f7dd9d97028291",
        ),
        (true, 2, 8, 1, "b538e5bd"),
    ];
}
