//! LLVM's counters: one byte for each edge of the program, counted up when it is passed.
//!
//! Source: clang's documentation, "SanitizerCoverage", inline 8-bit counters.
#![allow(unsafe_code)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

static START: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);
/// For each edge the kinds of counts that were seen.
static SEEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Called before `main` by the code that LLVM adds, once for each object.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let length = (stop as usize).saturating_sub(start as usize);
    if length > LENGTH.load(Ordering::SeqCst) {
        START.store(start, Ordering::SeqCst);
        LENGTH.store(length, Ordering::SeqCst);
    }
}

fn counters<'a>() -> &'a mut [u8] {
    let (start, length) = (START.load(Ordering::SeqCst), LENGTH.load(Ordering::SeqCst));
    if start.is_null() {
        return &mut [];
    }
    // SAFETY: LLVM's counters live as long as the program, and only the thread that runs inputs
    // looks at them.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}

pub fn clear() {
    counters().fill(0);
}

/// Did the last input pass an edge, or pass one so often, as none before?
pub fn anything_new() -> bool {
    let mut seen = SEEN.lock().expect("no panic holds it");
    let counters = counters();
    seen.resize(counters.len(), 0);
    let mut new = false;
    // Most are never passed.
    let passed = |counts: &[u8]| counts.iter().any(|count| *count != 0);
    let groups = seen.chunks_mut(64).zip(counters.chunks(64));
    let groups = groups.filter(|(_, counts)| passed(counts));
    for (seen, count) in groups.flat_map(|(seen, counts)| seen.iter_mut().zip(counts)) {
        // 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more.
        let kind = match *count {
            0 => 0,
            1..=3 => 1 << (*count - 1),
            4..=7 => 8,
            8..=15 => 16,
            16..=31 => 32,
            32..=127 => 64,
            _ => 128u8,
        };
        new |= kind & !*seen != 0;
        *seen |= kind;
    }
    new
}

/// Edges that any input has passed.
pub fn reached() -> usize {
    let seen = SEEN.lock().expect("no panic holds it");
    seen.iter().filter(|kinds| **kinds != 0).count()
}
