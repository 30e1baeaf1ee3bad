//! Descriptors 0 to 2 before anything else runs. console(4), null(4), environ(7).
//!
//! The kernel opens /dev/console for PID 1 where the image holds that node and the console has a
//! driver; where not, it starts PID 1 with nothing open. Rust's start code then wants /dev/null,
//! and aborts without it: the kernel panics before `main`. So this runs earlier, as the C
//! library's first constructor, makes the node in the (still writable) initramfs and opens it.
//! Included by `src/main.rs` only.
#![allow(unsafe_code)]

/// The C library calls every function in this section before `main`.
// SAFETY: the section holds pointers to functions of this type, and this is one.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = ensure;

extern "C" fn ensure() {
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
