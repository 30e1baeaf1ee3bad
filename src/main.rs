//! PID 1. The kernel runs it as `/init`, and again as its modprobe: see [`landfall::init`].

// Without unwinding nothing needs the unwinder, and with these stubs 300 KiB of it stay out.
#[cfg(all(panic = "abort", target_env = "musl", not(test)))]
#[path = "sys/unwind_stubs.rs"]
mod unwind_stubs;

#[cfg(all(target_env = "musl", not(test)))]
#[path = "sys/first_fds.rs"]
mod first_fds;

fn main() {
    landfall::init::main()
}
