//! Bytes to meaning. Total functions over bytes: no I/O, no panic, no unsafe; no trust in a length.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod base64;
pub mod bootconfig;
pub mod ceph;
pub mod cmdline;
pub mod crypttab;
pub mod discoverable;
pub mod dm_init;
pub mod efi_variable;
pub mod fstab;
pub mod ibft;
pub mod identity;
pub mod image_files;
pub mod integrity;
pub mod iscsi;
pub mod json;
pub mod kmod;
pub mod lens;
pub mod links;
pub mod loop_file;
pub mod luks;
pub mod lvm2;
pub mod made_device;
pub mod md;
pub mod mount_options;
pub mod mountinfo;
pub mod mounts;
pub mod nbd;
pub mod nbft;
pub mod net;
pub mod netlink;
pub mod packed;
pub mod params;
pub mod parity;
pub mod program;
pub mod remote;
pub mod resume;
pub mod share;
pub mod source;
pub mod through;
pub mod uevent;
pub mod verity;
pub mod wish;
pub mod xz;
