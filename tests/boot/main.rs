//! Real boots: does a real kernel, with real disks, reach the real init?
//!
//! Each test is a story of one machine. Guests report facts as JSON on a second serial port;
//! console text is matched only where a person would read it.
//! `cargo test --features boot --test boot`; at most two guests run at a time.

#[path = "../lab/mod.rs"]
mod lab;

mod aarch64;
mod accelerator;
mod arrays;
mod bench;
mod block_servers;
mod btrfs;
mod buses;
mod ceph;
mod checks;
mod clones;
mod cpus;
mod failures;
mod fallback;
mod firmware_tables;
mod flash;
mod foreign;
mod forms;
mod handover;
mod hibernation;
mod hibernation_debian;
mod hooks;
mod integrity;
mod ipv6;
mod keyboards;
mod keys;
mod late;
mod layers;
mod links;
mod live;
mod loops;
mod luks;
mod lvm;
mod mapped;
mod members;
mod modules;
mod mounting;
mod mounts;
mod net_daemons;
mod net_hostile;
mod net_lasting;
mod net_links;
mod net_silent;
mod net_stacks;
mod nfs;
mod ram;
mod rescue;
mod roots;
mod secrets;
mod server_lab;
mod shares;
mod shell;
mod shutdown;
mod stack;
mod stacks;
mod stacks_explained;
mod systemd;
mod taken_over;
mod tool;
mod unlock_times;
mod verity;
mod volumes;
mod words;
