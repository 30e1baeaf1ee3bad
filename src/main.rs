//! PID 1. The kernel runs it as `/init`, and again as its modprobe: see [`landfall::init`].
#![cfg_attr(all(target_env = "musl", not(test)), no_main)]

// Without unwinding nothing needs the unwinder, and with these stubs 300 KiB of it stay out.
#[cfg(all(panic = "abort", target_env = "musl", not(test)))]
#[path = "sys/unwind_stubs.rs"]
mod unwind_stubs;

#[cfg(all(target_env = "musl", not(test)))]
#[path = "sys/entry.rs"]
mod entry;

#[cfg(all(target_env = "musl", not(test)))]
#[global_allocator]
static HEAP: landfall::sys::heap::Heap = landfall::sys::heap::Heap::new();

fn start() -> ! {
    landfall::init::main()
}

#[cfg(not(all(target_env = "musl", not(test))))]
fn main() {
    start()
}
