//! One job per function: ordinary arguments in, an ordinary result out.
//!
//! Knows nothing of the plan: which job is done when is decided there and joined in `init`.
//! A refusal is a [`Fault`](crate::base::fault::Fault) that says what was tried, on which object,
//! why it failed and what helps.

pub mod addresses;
pub mod ask;
pub mod assemble_array;
pub mod attach_iscsi;
pub mod attach_loop;
pub mod attach_nbd;
pub mod ceph_key;
pub mod check_device;
pub mod claim_address;
pub mod coldplug;
pub mod configure_link;
pub mod connect_nvme;
pub mod console_log;
pub mod create_mapping;
pub mod decompress;
pub mod device_links;
pub mod discover_aoe;
pub mod early_mounts;
pub mod efi_variables;
pub mod empty_initramfs;
pub mod end;
pub mod faster_signatures;
pub mod find_init;
pub mod firmware_tables;
pub mod flash;
pub mod free_memory;
pub mod gather_words;
pub mod hand_over;
pub mod host_name;
pub mod initrd_time;
pub mod kernel_lines;
pub mod key_file;
pub mod keyboards;
pub mod layer;
pub mod leave_network;
pub mod leave_shutdown;
pub mod links;
pub mod load_module;
pub mod map_rbd;
pub mod mdadm_map;
pub mod modprobe_client;
pub mod module_catalog;
pub mod mount_root;
pub mod netlink;
pub mod probe_device;
pub mod reach;
pub mod read_device;
pub mod read_fstab;
pub mod resume;
pub mod run_hook;
pub mod run_program;
pub mod share_tag;
pub mod shell;
pub mod stay_behind;
pub mod take_down;
pub mod trace_file;
mod udev_record;
pub mod unlock_luks;
pub mod unpack_archive;
pub mod watch_drives;
pub mod watch_links;
pub mod watch_nbd;
