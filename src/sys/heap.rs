//! The heap of `init`: small, and enough for a program that ends soon. mmap(2), mremap(2).
//!
//! Blocks of up to [`SMALL_MAX`] bytes come in a few sizes, each with a list of free ones, and are
//! cut from chunks that are never given back. Larger ones are mappings of their own, so that the
//! kernel can move them without a copy. Nothing is stored beside a block: whoever frees it says how
//! large it is. The C library's heap would be 7 KB more.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// A block of more has a mapping of its own.
const SMALL_MAX: usize = 16 << 10;

/// Smallest block, and what every small block is aligned to.
const GRAIN: usize = 16;

/// 16, 32, 48, 64, 96, … 16 Ki: two sizes for each power of two, from number 1 on. 32 is there
/// twice: 24 would not be aligned.
const CLASSES: usize = 22;

/// Small blocks are cut from mappings of this many bytes.
const CHUNK: usize = 128 << 10;

const PAGE: usize = 4096;

struct State {
    /// The first free block of each size; each holds the address of the next.
    free: [*mut u8; CLASSES],
    /// What is left of the last chunk.
    next: *mut u8,
    left: usize,
}

pub struct Heap {
    busy: AtomicBool,
    state: UnsafeCell<State>,
}

// SAFETY: the state is only touched between `lock` and the end of `Guard`.
unsafe impl Sync for Heap {}

/// The number of the smallest size that holds `size` bytes, and that size. Sizes of a pair are
/// 2^n and 3·2^(n-1); `size` is at most [`SMALL_MAX`].
fn class(size: usize) -> (usize, usize) {
    let last = size.max(GRAIN) - 1;
    let bits = last.ilog2() as usize;
    let half = last >> (bits - 1) & 1;
    let bytes = (2 + half + 1) << (bits - 1);
    let class = (bits - 3) * 2 + half;
    // 24 would break the alignment of what follows it.
    (class, bytes.next_multiple_of(GRAIN))
}

/// Has it a place among the small ones?
fn is_small(layout: Layout) -> bool {
    layout.size() <= SMALL_MAX && layout.align() <= GRAIN
}

fn pages(size: usize) -> usize {
    size.wrapping_add(PAGE - 1) & !(PAGE - 1)
}

/// New memory from the kernel, or null.
fn map(bytes: usize) -> *mut u8 {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at a place of the kernel's choice.
    let at = unsafe { libc::mmap(ptr::null_mut(), bytes, rights, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    at.cast()
}

impl Heap {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            busy: AtomicBool::new(false),
            state: UnsafeCell::new(State {
                free: [ptr::null_mut(); CLASSES],
                next: ptr::null_mut(),
                left: 0,
            }),
        }
    }

    /// Does something with the state while no other thread does. Few threads, few allocations:
    /// whoever comes second lets the other one go on.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        while self.busy.swap(true, Ordering::Acquire) {
            // SAFETY: no arguments.
            unsafe { libc::sched_yield() };
        }
        // SAFETY: `busy` was clear and is ours: nobody else is here. `work` does not allocate.
        let result = work(unsafe { &mut *self.state.get() });
        self.busy.store(false, Ordering::Release);
        result
    }
}

impl State {
    fn take(&mut self, size: usize) -> *mut u8 {
        let (class, bytes) = class(size);
        let Some(first) = self.free.get_mut(class) else {
            return ptr::null_mut();
        };
        if !first.is_null() {
            let block = *first;
            // SAFETY: a free block holds the address of the next one: `give` wrote it, aligned.
            *first = unsafe { *block.cast() };
            return block;
        }
        if self.left < bytes {
            // What is left of the last chunk is less than a block: it stays unused.
            let chunk = map(CHUNK);
            if chunk.is_null() {
                return chunk;
            }
            (self.next, self.left) = (chunk, CHUNK);
        }
        let block = self.next;
        self.left -= bytes;
        // SAFETY: so much of the chunk is left.
        self.next = unsafe { block.add(bytes) };
        block
    }

    /// # Safety
    /// `block` is one that `take` gave for this size, and nobody uses it any more.
    unsafe fn give(&mut self, block: *mut u8, size: usize) {
        if let Some(first) = self.free.get_mut(class(size).0) {
            // SAFETY: it is ours now, at least `GRAIN` bytes, and so aligned.
            unsafe { *block.cast() = *first };
            *first = block;
        }
    }
}

// SAFETY: blocks do not overlap: each is cut once from a chunk that only this heap has, and is on
// one list or in use; or it is a mapping of its own. They are as long as the layout says, and
// aligned to `GRAIN` or to a page. Nothing here unwinds.
unsafe impl GlobalAlloc for Heap {
    /// # Safety
    /// What [`GlobalAlloc`] demands of a caller.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_small(layout) {
            return self.with(|state| state.take(layout.size()));
        }
        if layout.align() > PAGE {
            return ptr::null_mut();
        }
        map(pages(layout.size()))
    }

    /// # Safety
    /// What [`GlobalAlloc`] demands of a caller.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the rules of `alloc`.
        let block = unsafe { self.alloc(layout) };
        if is_small(layout) && !block.is_null() {
            // SAFETY: it is this long, and nobody else's.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    /// # Safety
    /// What [`GlobalAlloc`] demands of a caller.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_small(layout) {
            // SAFETY: the caller got it here, by the same layout, and does not use it any more.
            self.with(|state| unsafe { state.give(block, layout.size()) });
        } else {
            // SAFETY: the same; it is a mapping of this length.
            unsafe { libc::munmap(block.cast(), pages(layout.size())) };
        }
    }

    /// # Safety
    /// What [`GlobalAlloc`] demands of a caller.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller says that `size` is a valid one with this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_small(layout), is_small(wanted)) {
            (true, true) if class(layout.size()) == class(size) => return block,
            (false, false) => {
                let (old, new) = (pages(layout.size()), pages(size));
                // SAFETY: a mapping of this length that only the caller has; it may move.
                let at = unsafe { libc::mremap(block.cast(), old, new, libc::MREMAP_MAYMOVE) };
                return match at == libc::MAP_FAILED {
                    true => ptr::null_mut(),
                    false => at.cast(),
                };
            }
            _ => {}
        }
        // SAFETY: `wanted` is not empty, as the caller promises.
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            // SAFETY: both are at least this long and do not overlap; the old one came from here.
            unsafe {
                new.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_hold_what_was_asked_and_no_more_than_half_as_much_again() {
        let mut last = (1, GRAIN);
        for size in 0..=SMALL_MAX {
            let (class, bytes) = class(size);
            assert!(
                bytes >= size && bytes % GRAIN == 0 && class < CLASSES,
                "{size}"
            );
            assert!(bytes <= size * 3 / 2 + GRAIN, "{size}: {bytes}");
            assert!(
                (class, bytes) == last || class > last.0 && bytes >= last.1,
                "{size}"
            );
            last = (class, bytes);
        }
        assert_eq!(
            (class(1), class(16), class(17)),
            ((1, 16), (1, 16), (2, 32))
        );
        assert_eq!(class(SMALL_MAX), (CLASSES - 1, SMALL_MAX));
    }

    /// Sizes and orders from a seed: every block keeps its bytes until it is freed.
    #[test]
    fn blocks_keep_what_is_in_them() {
        let heap = Heap::new();
        let mut seed = 7_u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let check = |&(at, layout, mark): &(*mut u8, Layout, u8)| {
            // SAFETY: a block of this heap, this long, all of it written.
            let bytes = unsafe { std::slice::from_raw_parts(at, layout.size()) };
            assert!(bytes.iter().all(|b| *b == mark), "{layout:?}");
        };
        for round in 0..20_000 {
            let size = match next(20) {
                0 => 1 + next(300_000),
                _ => 1 + next(600),
            };
            let mark = round as u8;
            // SAFETY: layouts are not empty, each block is freed once with the layout it has.
            unsafe {
                match next(3) {
                    0 if !blocks.is_empty() => {
                        let block = blocks.swap_remove(next(blocks.len()));
                        check(&block);
                        heap.dealloc(block.0, block.1);
                    }
                    1 if !blocks.is_empty() => {
                        let at = next(blocks.len());
                        let (old, layout, was) = blocks[at];
                        let new = heap.realloc(old, layout, size);
                        let kept = layout.size().min(size);
                        let layout = Layout::from_size_align(size, layout.align()).unwrap();
                        check(&(new, Layout::from_size_align(kept, 1).unwrap(), was));
                        new.write_bytes(mark, size);
                        blocks[at] = (new, layout, mark);
                    }
                    _ => {
                        let align = [1, 8, 16, 64, 4096][next(5)];
                        let layout = Layout::from_size_align(size, align).unwrap();
                        let at = heap.alloc_zeroed(layout);
                        assert!(at.addr().is_multiple_of(align), "{layout:?}");
                        check(&(at, layout, 0));
                        at.write_bytes(mark, size);
                        blocks.push((at, layout, mark));
                    }
                }
            }
            if blocks.len() > 500 {
                blocks.iter().for_each(check);
            }
        }
        blocks.iter().for_each(check);
    }

    #[test]
    fn threads_take_turns() {
        let heap = &Heap::new();
        std::thread::scope(|threads| {
            for mark in 0..4 {
                threads.spawn(move || {
                    let layout = Layout::from_size_align(40, 8).unwrap();
                    for _ in 0..10_000 {
                        // SAFETY: as above.
                        unsafe {
                            let at = heap.alloc(layout);
                            at.write_bytes(mark, 40);
                            let bytes = std::slice::from_raw_parts(at, 40);
                            assert!(bytes.iter().all(|b| *b == mark));
                            heap.dealloc(at, layout);
                        }
                    }
                });
            }
        });
    }
}
