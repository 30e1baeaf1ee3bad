//! Where the C library enters the program, before anything else runs. console(4), null(4).
//!
//! The kernel opens /dev/console for PID 1 where the image holds that node and the console has a
//! driver; where not, it starts PID 1 with nothing open. Rust's start code would want /dev/null,
//! and abort without it: the kernel panics before `main`. So that code is left out (2 KiB with its
//! handlers), and what is needed of it is here: the node is made in the (still writable) initramfs
//! and opened; writing to a pipe that nobody reads is an error and no signal.
//! Included by `src/main.rs` only.
#![allow(unsafe_code)]

use libc::{c_char, c_int};

/// The C library calls it.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, arguments: *const *const c_char) -> c_int {
    ensure();
    // SAFETY: a constant disposition is set and no handler; the arguments are those of `main`.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        landfall::sys::process::keep_arguments(arguments);
    }
    super::start()
}

fn ensure() {
    // SAFETY: plain system calls on constant strings and numbers; no allocation, no Rust runtime.
    unsafe {
        if libc::getpid() != 1 || libc::fcntl(2, libc::F_GETFD) != -1 {
            return;
        }
        libc::mkdir(c"/dev".as_ptr(), 0o755);
        libc::mknod(
            c"/dev/console".as_ptr(),
            libc::S_IFCHR | 0o600,
            libc::makedev(5, 1),
        );
        libc::mknod(
            c"/dev/null".as_ptr(),
            libc::S_IFCHR | 0o666,
            libc::makedev(1, 3),
        );
        // The lowest free number is taken each time, so this ends above 2 or with a refusal.
        loop {
            let mut fd = libc::open(c"/dev/console".as_ptr(), libc::O_RDWR | libc::O_NOCTTY);
            if fd < 0 {
                fd = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
            if fd > 2 {
                libc::close(fd);
            }
            if !(0..=2).contains(&fd) {
                return;
            }
        }
    }
}
