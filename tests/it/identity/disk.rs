//! A disk in memory: the pages of an image that are not zero, and what reading it costs.

use landfall::format::identity::{Finding, Range, Step, View, identify};
use std::collections::BTreeMap;
use std::path::Path;

const PAGE: usize = 4096;

/// A sparse disk.
#[derive(Clone)]
pub struct Disk {
    pub size: u64,
    pub sector: u32,
    pages: BTreeMap<u64, [u8; PAGE]>,
}

impl Disk {
    pub fn new(size: u64) -> Self {
        Self {
            size,
            sector: 512,
            pages: BTreeMap::new(),
        }
    }

    /// The parts of an image file that identification looks at.
    pub fn of_file(path: &Path, sector: u32) -> Self {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::open(path).expect("open image");
        let mut disk = Self::new(file.metadata().expect("size of image").len());
        disk.sector = sector;
        let seen = std::cell::RefCell::new(Vec::new());
        identify_with(disk.size, sector, &|range| {
            let mut bytes = vec![0; range.len];
            file.read_exact_at(&mut bytes, range.at)
                .expect("read image");
            seen.borrow_mut().push((range.at, bytes.clone()));
            bytes
        });
        for (at, bytes) in seen.into_inner() {
            disk.write(at, &bytes);
        }
        disk
    }

    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            let at = at + i as u64;
            let page = at / PAGE as u64;
            if byte != 0 || self.pages.contains_key(&page) {
                let page = self.pages.entry(page).or_insert([0; PAGE]);
                page[at as usize % PAGE] = byte;
            }
        }
    }

    pub fn read(&self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let first = at / PAGE as u64;
        let last = (at + len as u64) / PAGE as u64;
        for (&page, content) in self.pages.range(first..=last) {
            let start = page * PAGE as u64;
            let (from, to) = (start.max(at), (start + PAGE as u64).min(at + len as u64));
            if from < to {
                let source = &content[(from - start) as usize..(to - start) as usize];
                bytes[(from - at) as usize..(to - at) as usize].copy_from_slice(source);
            }
        }
        bytes
    }

    /// Bytes that are worth bending: those of pages that are not zero.
    pub fn hot(&self) -> Vec<u64> {
        self.pages.keys().map(|page| page * PAGE as u64).collect()
    }

    pub fn identify(&self) -> Finding {
        identify_with(self.size, self.sector, &|range| {
            self.read(range.at, range.len)
        })
    }

    pub fn save(&self, path: &Path) {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::create(path).expect("create image");
        file.set_len(self.size).expect("size image");
        for (page, bytes) in &self.pages {
            let at = page * PAGE as u64;
            let len = (self.size.saturating_sub(at) as usize).min(PAGE);
            file.write_all_at(&bytes[..len], at).expect("write image");
        }
    }
}

/// Runs the engine and holds it to its promises: every range inside the device, nothing asked
/// twice, rounds and bytes bounded.
fn identify_with(size: u64, sector: u32, read: &dyn Fn(Range) -> Vec<u8>) -> Finding {
    const MAX_ROUNDS: usize = 700;
    const MAX_BYTES: usize = (2 << 20) + (128 << 10);
    let mut view = View::new(size, sector);
    for _ in 0..MAX_ROUNDS {
        let ranges = match identify(&view) {
            Step::Done(finding) => {
                assert!(view.held() <= MAX_BYTES, "{} bytes", view.held());
                return finding;
            }
            Step::Read(ranges) => ranges,
        };
        assert!(!ranges.is_empty(), "a round without a question");
        for range in ranges {
            assert!(range.len > 0 && range.end() <= size, "{range:?} of {size}");
            assert!(view.bytes(range.at, range.len).is_err(), "{range:?} twice");
            view.add(range.at, read(range));
        }
    }
    panic!("more than {MAX_ROUNDS} rounds");
}

/// Numbers that look random and are the same each time (splitmix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
