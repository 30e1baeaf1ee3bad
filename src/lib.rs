//! landfall: one static `/init` for Linux initramfs images, and the host tool around it.
//!
//! # The house
//! Imports run downwards only. The compiler proves it: `tests/fence/` builds the floors alone.
//!
//! | Floor | What it is | May use | Deliberately absent |
//! |---|---|---|---|
//! | [`base`] | words: text, uuids, time, bytes, faults, secrets | core, alloc | std, unsafe, policy |
//! | [`format`] | bytes to meaning: superblocks, tables, module indexes, command line, uevents | base | I/O, panics, unsafe, trust in a length |
//! | [`crypt`] | computation on secrets | base, format | std, I/O, threads; nothing outlives its use |
//! | [`plan`] | decides: events in, actions out | base, format's types | I/O, clock, threads, secret bytes |
//! | [`sys`] | one file per kernel interface | base, libc, rustix, nix | policy, retries |
//! | [`act`] | does one job per function | base, format, crypt, sys | knowledge of the plan |
//! | [`init`] | the loop that joins plan and act; worker processes; hand-over | all above | decisions |
//! | [`host`] | image builder, QEMU runner, inspector | base, format, crypt, plan | anything linked into `init` |
//!
//! # Where is …?
//! The same subject keeps its name on each floor: `format::identity` (what a superblock says),
//! `act::probe_device` (reading it), `plan::device` (what it means for the boot).
//!
//! | Subject | format | plan | act | sys |
//! |---|---|---|---|---|
//! | kernel modules | `kmod` | `modules` | `load_module` | `module` |
//! | block devices | `identity` | `device` | `probe_device` | `block` |
//! | root | `wish` | `root` | `mount_root` | `mount` |
//! | checks of file systems | `check` | `check` | `check_device` | `process` |
//! | hooks: programs of the user's | `hook` | `hooks` | `run_hook`, `run_program` | `process` |
//! | `/usr`, more besides root | `mounts`, `fstab` | `mounts` | `read_fstab`, `mount_root` | `mount` |
//! | layers over root | `layers` | `layers` | `layer` | `mount` |
//! | root in RAM | `archive` | `ram` | `find_init`, `unpack_archive` | `make` |
//! | command line | `cmdline`, `params` | – | – | – |
//! | LUKS (`crypt` unlocks) | `luks`, `crypttab` | `luks` | `unlock_luks`, `key_file` | `dm`, `keyring` |
//! | questions | – | `luks` | `ask` | `tty`, `memory` |
//! | LVM | `lvm2`, `through` | `stack` | `create_mapping` | `dm` |
//! | RAID | `md`, `parity`, `through` | `stack` | `assemble_array` | `md` |
//! | what lies below what does not run | `lens` | `stack` | `read_device` | – |
//! | verity, integrity | `verity`, `integrity` | `verity`, `integrity` | `create_mapping` | `dm` |
//! | btrfs on several devices | `identity` | `btrfs` | – | `btrfs` |
//! | mapped devices | `dm_init` | `mapping` | `create_mapping` | `dm` |
//! | shares of a VM's host | `share` | `shares` | `share_tag`, `mount_root` | `mount_context` |
//! | roots and disks on servers | `remote` | `net` | `reach`, `connect_nvme`, `discover_aoe` | `nvme`, `tcp` |
//! | what the real system is told | `net` | `net` | `leave_network` | – |
//! | addresses, leases, servers | `net` | `talk` | – | – |
//! | network block devices | `nbd`, `netlink` | `talk` | `attach_nbd`, `watch_nbd` | `tcp`, `netlink` |
//! | images and file systems of Ceph | `ceph` | `net` | `map_rbd`, `ceph_key` | `keyring` |
//! | disks of iSCSI targets (`crypt::chap` proves) | `iscsi` | `talk` | `attach_iscsi` | `tcp`, `netlink` |
//! | what firmware left of its own boot | `ibft`, `nbft` | `net` | `firmware_tables` | – |
//! | uevents | `uevent` | – | `coldplug` | `uevent` |
//! | links, addresses | `netlink`, `net` | – | `links`, `addresses`, `claim_address`, `watch_links` | `netlink`, `packet`, `udp` |
//! | failure, a second choice | – | `give_up`, `fallback` | `end` | `reboot` |
//! | the rescue console | – | `rescue` | `ask` | `tty` |
//! | the end of the real system | `mountinfo` | `shutdown` | `take_down`, `leave_shutdown` | `reboot` |

extern crate alloc;

pub mod act;
pub mod base;
pub mod crypt;
pub mod format;
#[cfg(feature = "host")]
pub mod host;
pub mod init;
pub mod plan;
pub mod sys;
