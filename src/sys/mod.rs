//! One file per kernel interface. Each names its header or man page, asserts the layouts it
//! relies on and translates errno into [`fail::Fail`].
//!
//! No policy, no retries (but `EINTR`), no knowledge of what a call is for. The only floor with
//! `unsafe`, lifted file by file. (`unwind_stubs` and `entry` belong to the program alone:
//! `src/main.rs` includes them.)

pub mod block;
pub mod btrfs;
pub mod clock;
pub mod console;
pub mod dir;
pub mod dm;
pub mod fail;
pub mod heap;
pub mod keyring;
pub mod kmsg;
pub mod loop_device;
pub mod make;
pub mod map;
pub mod md;
pub mod memory;
pub mod memory_file;
pub mod mknod;
pub mod module;
pub mod mount;
pub mod mount_context;
pub mod netlink;
pub mod nvme;
pub mod packet;
mod path;
pub mod poll;
pub mod proc_sys;
pub mod process;
pub mod random;
pub mod reboot;
pub mod signal;
pub mod socket;
mod socket_option;
pub mod tcp;
pub mod threads;
pub mod tty;
pub mod udp;
pub mod uevent;
