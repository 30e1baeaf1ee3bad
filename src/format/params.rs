//! The parameters that are honoured: one table. Each row says what a word does and does it.
//!
//! Words that are not in the table belong to somebody else and are passed over in silence.
//! README's section is generated from the table; every row names the tests that prove it.
//!
//! Sources: Documentation/admin-guide/kernel-parameters.rst for the kernel's own words,
//! dracut.cmdline(7), initramfs-tools(7), kernel-command-line(7) and modules-load.d(5) for others.

mod check;
mod layers;
mod loops;
mod luks;
mod mounts;
mod net;
mod ram;
mod reading;
mod remote;
mod rescue;
mod resume;
mod shutdown;
mod table;
mod verity;

use super::cmdline::Word;
use super::wish::Wish;
use reading::Reading;

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// Spellings that mean the same.
    pub names: &'static [&'static str],
    /// What may follow the name, `=` included.
    pub values: &'static str,
    /// What holds when the word is absent.
    pub default: &'static str,
    /// One sentence.
    pub effect: &'static str,
    /// Every occurrence counts. Otherwise the last one does.
    pub gathers: bool,
    /// Tests that fail without this row. The first one is seen to: the row is switched off, name
    /// by name, and the test run again.
    pub tests: &'static [&'static str],
    read: fn(&mut Reading, &Word<'_>),
}

/// What the words ask for. Never fails: what is odd becomes a complaint in the wish.
pub fn read<'a>(words: impl Iterator<Item = Word<'a>>) -> Wish {
    let mut reading = Reading::default();
    for word in words {
        #[cfg(test)]
        if is_off(word.key) {
            continue;
        }
        let names = |row: &&Reader| row.names.iter().any(|name| word.is(name));
        if let Some(row) = READERS.iter().find(names) {
            (row.read)(&mut reading, &word);
        }
    }
    reading.finish()
}

/// For words that are read elsewhere: the row documents them and names the test over there.
fn elsewhere(_: &mut Reading, _: &Word<'_>) {}

/// All of them, in the order of the README.
pub static PARAMETERS: &[Parameter] = &ALL;
static ALL: [Parameter; HERE + luks::ROWS.len()] = table::rows(&GROUPS, &luks::ROWS);

/// Those that are read here.
const GROUPS: [&[Parameter]; 8] = [
    &ROWS,
    &layers::ROWS,
    &check::ROWS,
    &rescue::ROWS,
    &resume::ROWS,
    &mounts::ROWS,
    &shutdown::ROWS,
    &net::ROWS,
];
const HERE: usize = table::count(&GROUPS);

/// What `/init` has of a row: the rest, which only people read, would be 16 KiB of it.
#[derive(Clone, Copy)]
struct Reader {
    names: &'static [&'static str],
    read: fn(&mut Reading, &Word<'_>),
}

static READERS: [Reader; HERE] = table::readers(table::rows(&GROUPS, &[]));

const ROWS: [Parameter; 58] = [
    Parameter {
        names: &["root"],
        values: "`=UUID=…`, `=LABEL=…`, `=PARTUUID=…[/PARTNROFF=N]`, `=PARTLABEL=…`, \
                  `=/dev/NAME`, `=/dev/disk/by-uuid/…` (`by-label`, `by-partuuid`, \
                  `by-partlabel`, `by-id`, `by-path`, `by-diskseq`), `=ID=…`, `=MAJOR:MINOR`, \
                  `=HEX`, `=ubi[N]:NAME`, `=ubiN_M`, `=mtd:NAME`, `=mtdN`, `=virtiofs:TAG`, \
                  `=virtfs:TAG` (9p), `=TAG` where `rootfstype=` says `virtiofs` or `9p`, \
                  `=/dev/nfs`, `=nfs:[SERVER:]PATH[:OPTIONS]`, `=nfs4:…`, `=SERVER:/PATH`, \
                  `=cifs://[USER[:PASSWORD]@]SERVER/SHARE[,OPTIONS]`, `=dhcp`, \
                  `=nbd:SERVER:PORT[/EXPORT][:TYPE[:FLAGS[:NBDOPTIONS]]]`, \
                  `=nbd:SERVER:EXPORT`, `=nbd://SERVER[:PORT]/EXPORT`, \
                  `=iscsi:[USER:PASSWORD@]SERVER:[PROTOCOL]:[PORT]:[LUN]:TARGET`, `=iscsi`, \
                  `=rbd:MON[,MON…]:POOL[/NAMESPACE]/IMAGE[@SNAPSHOT][:OPTIONS[:FLAGS]]`, \
                  `=ceph:MON[,MON…]:/PATH[:OPTIONS]`, `=tmpfs`, `=fstab`, \
                  `=gpt-auto`, `=live:…` (any form of a device)",
        default: "the image itself where it is a system; else `gpt-auto`: the only GPT \
                  partition whose type is root of this architecture",
        effect: "The device that holds the root file system; case, quotes and braces around a \
                  UUID do not matter.",
        gathers: false,
        tests: &[
            "root_is_the_last_device_named",
            "boot_ext4_by_uuid_on_virtio",
            "boot_xfs_by_label_on_virtio_scsi",
            "boot_ext4_by_path_on_virtio_scsi",
            "boot_by_the_device_number_in_the_kernels_forms",
            "boot_gpt_auto_waits_for_a_late_disk",
            "boot_virtiofs_by_its_tag_among_others",
            "boot_9p_writable_as_dracut_names_it",
            "boot_rbd_by_the_name_of_its_image",
        ],
        read: Reading::root,
    },
    Parameter {
        names: &["landfall.clones"],
        values: "`=first`, `=refuse`",
        default: "`first`",
        effect: "Where several devices answer `root=`: the one on the disk that the machine was \
                  booted from is taken, or the first by its place in the machine, and all are \
                  named; or none is, once every driver was tried.",
        gathers: false,
        tests: &[
            "clones_are_refused_only_where_that_was_asked",
            "boot_refuses_clones_across_buses_where_that_was_asked",
        ],
        read: Reading::clones,
    },
    Parameter {
        names: &["landfall.degraded"],
        values: "`=never`, `=ask`, `=SECONDS`",
        default: "`30`",
        effect: "When an array or a volume starts without a member that it can do without: \
                  never, when somebody at a console says yes, or so long after it first could \
                  (always within the patience for root).",
        gathers: false,
        tests: &[
            "degraded_starts_after_seconds_or_never",
            "boot_a_mirror_without_its_other_half",
        ],
        read: Reading::degraded,
    },
    Parameter {
        names: &["rd.lvm"],
        values: "`=0`",
        default: "volume groups are looked into where root may be in one",
        effect: "Volume groups are left alone.",
        gathers: false,
        tests: &["volume_groups_and_arrays_can_be_left_alone"],
        read: Reading::lvm,
    },
    Parameter {
        names: &["rd.md"],
        values: "`=0`",
        default: "arrays are looked into where root may be on one",
        effect: "Arrays of md are left alone.",
        gathers: false,
        tests: &["volume_groups_and_arrays_can_be_left_alone"],
        read: Reading::md,
    },
    Parameter {
        names: &["ubi.mtd"],
        values: "`=MTD[,…]`",
        default: "none",
        effect: "Flash memory that UBI is attached to, by number, name or path: `ubi` is loaded \
                  with it, once all of them are there, where `root=` is a volume of UBI.",
        gathers: true,
        tests: &["flash_memory_for_ubi_gathers"],
        read: Reading::ubi_mtd,
    },
    ram::ARCHIVE,
    ram::ROOT,
    remote::NFSROOT,
    remote::NETROOT,
    remote::NVME,
    remote::NVME_HOST,
    remote::CIFS,
    remote::ISCSI,
    remote::FIRMWARE_LINKS,
    remote::FIRMWARE_ALL,
    remote::FIRMWARE_DISKS,
    remote::NO_NBFT,
    remote::CEPH,
    remote::RBDROOT,
    Parameter {
        names: &["rootfstype"],
        values: "`=TYPE[,TYPE…]`",
        default: "what the bytes say",
        effect: "File system types to try, in order; `auto` and `tmpfs` (which is meant for the \
                  initramfs) are dropped.",
        gathers: false,
        tests: &[
            "rootfstype_is_a_list_without_auto_and_tmpfs",
            "boot_tries_the_types_that_were_asked_for_in_order",
        ],
        read: Reading::fstypes,
    },
    Parameter {
        names: &["rootflags"],
        values: "`=OPTIONS`",
        default: "none",
        effect: "Mount options of root; `ro` or `rw` among them beats the words `ro` and `rw`.",
        gathers: false,
        tests: &[
            "rootflags_are_kept_and_decide_about_writing",
            "boot_with_the_vocabulary_of_mount",
            "boot_btrfs_by_subvolume",
            "boot_without_replaying_a_journal",
        ],
        read: Reading::flags,
    },
    Parameter {
        names: &["ro", "rw"],
        values: "",
        default: "`ro`",
        effect: "Mounts root read-only or writable; a write-protected one is mounted read-only.",
        gathers: false,
        tests: &[
            "the_last_of_ro_and_rw_wins_and_ro_is_the_default",
            "boot_writable_where_rw_was_asked",
            "boot_of_a_write_protected_root_is_read_only",
        ],
        read: Reading::read_write,
    },
    loops::LOOP,
    loops::FLAGS,
    loops::TYPES,
    Parameter {
        names: &["init"],
        values: "`=PATH`",
        default: "the kernel's list: `/sbin/init`, `/etc/init`, `/bin/init`, `/bin/sh`",
        effect: "The program to run on the new root; the path is looked up inside it.",
        gathers: false,
        tests: &[
            "init_is_a_path_on_the_new_root",
            "boot_another_init_with_its_arguments",
        ],
        read: Reading::init,
    },
    Parameter {
        names: &["rootwait"],
        values: "bare, `=SECONDS`",
        default: "90 s",
        effect: "How long root may take to appear, counted from the start of `/init`; bare: as \
                  long as it takes.",
        gathers: false,
        tests: &[
            "rootwait_waits_for_ever_or_that_long",
            "boot_waits_for_the_second_half_of_a_mapping",
        ],
        read: Reading::rootwait,
    },
    Parameter {
        names: &["rd.timeout"],
        values: "`=SECONDS`",
        default: "90 s",
        effect: "The same deadline, as dracut spells it; `0`: as long as it takes. Of `rootwait`, \
                  `rd.timeout` and `rd.retry` the last one counts.",
        gathers: false,
        tests: &[
            "rd_timeout_sets_the_deadline_and_0_is_for_ever",
            "boot_wrong_uuid_ends_at_the_deadline_with_the_page",
        ],
        read: Reading::timeout,
    },
    Parameter {
        names: &["rd.retry"],
        values: "`=SECONDS`",
        default: "90 s",
        effect: "The same deadline, as older dracut spells it.",
        gathers: false,
        tests: &["rd_retry_sets_the_deadline"],
        read: Reading::retry,
    },
    Parameter {
        names: &["rootdelay"],
        values: "`=SECONDS`",
        default: "0",
        effect: "Extends the deadline to at least this; it never delays a root that is there.",
        gathers: false,
        tests: &["rootdelay_extends_the_deadline_and_never_shortens_it"],
        read: Reading::rootdelay,
    },
    Parameter {
        names: &["panic"],
        values: "`=SECONDS`",
        default: "`0`",
        effect: "After a failed boot: positive: reboot after so long, negative: reboot at once, \
                 `0`: halt. No shell opens, unless `rd.shell` stands behind it.",
        gathers: false,
        tests: &[
            "panic_says_how_a_failed_boot_ends_and_locks_the_shell",
            "boot_opens_no_shell_where_panic_locks_it",
        ],
        read: Reading::panic,
    },
    Parameter {
        names: &["rd.shell"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "Opens a shell on the console after a failure, if the image holds one.",
        gathers: false,
        tests: &[
            "rd_shell_is_off_unless_asked_for",
            "boot_goes_on_when_the_shell_is_left",
            "boot_opens_no_shell_unasked",
        ],
        read: Reading::shell,
    },
    Parameter {
        names: &["rd.emergency"],
        values: "`=reboot`, `=poweroff`, `=halt`",
        default: "what `panic=` says",
        effect: "What to do after a failure when no shell is allowed; `panic=` still sets the \
                  delay of a reboot.",
        gathers: false,
        tests: &[
            "rd_emergency_chooses_the_end_and_panic_its_delay",
            "boot_follows_the_policy_where_the_image_holds_no_shell",
        ],
        read: Reading::emergency,
    },
    Parameter {
        names: &["dm-mod.create"],
        values: "`=NAME,UUID,MINOR,ro\\|rw,START SECTORS TYPE …[,…][;…]`",
        default: "none",
        effect: "Mapped devices to make, in this order, each as soon as all devices in its table \
                  are there; those may also be given by `PARTUUID=` and the like, and targets are \
                  those that the kernel allows here.",
        gathers: false,
        tests: &[
            "mappings_are_read_and_one_mistake_spoils_them",
            "mappings_are_made_in_order_and_root_is_on_them",
            "boot_from_halves_on_two_disks",
            "boot_names_the_half_that_is_missing",
            "boot_shows_what_the_kernel_says_of_a_bad_table",
        ],
        read: Reading::mappings,
    },
    Parameter {
        names: &["dm-mod.waitfor"],
        values: "`=DEVICE[,DEVICE…]`",
        default: "none",
        effect: "Devices that must be there before the first mapped device is made.",
        gathers: false,
        tests: &[
            "mappings_are_read_and_one_mistake_spoils_them",
            "a_mapping_waits_for_its_last_piece_and_the_page_says_so",
        ],
        read: Reading::map_after,
    },
    verity::ROOT_HASH,
    verity::DATA,
    verity::HASH,
    verity::OPTIONS,
    verity::SWITCH,
    verity::USR_HASH,
    verity::USR_DATA,
    verity::USR_TREE,
    verity::USR_OPTIONS,
    Parameter {
        names: &["landfall.veritytab"],
        values: "`=\"NAME DATA HASH ROOTHASH [OPTIONS]\"`",
        default: "the lines of the image's `/etc/veritytab`",
        effect: "A volume of dm-verity to be set up as `/dev/mapper/NAME`, as a line of \
                  veritytab(5) says it.",
        gathers: true,
        tests: &["lines_of_veritytab_are_volumes"],
        read: Reading::verity_line,
    },
    Parameter {
        names: &["landfall.integritytab"],
        values: "`=\"NAME DEVICE [KEYFILE|- [OPTIONS]]\"`",
        default: "the lines of the image's `/etc/integritytab`",
        effect: "A volume of dm-integrity to be set up as `/dev/mapper/NAME`, as a line of \
                  integritytab(5) says it; a key is a file of the image.",
        gathers: true,
        tests: &[
            "lines_of_integritytab_are_volumes",
            "boot_from_dm_integrity",
            "boot_from_keyed_dm_integrity",
        ],
        read: Reading::integrity_line,
    },
    Parameter {
        names: &["quiet"],
        values: "",
        default: "off",
        effect: "Says warnings and errors only; of `quiet`, `debug` and `loglevel=` the last one \
                  counts.",
        gathers: false,
        tests: &["the_last_of_quiet_debug_and_loglevel_sets_the_tone"],
        read: Reading::quiet,
    },
    Parameter {
        names: &["debug"],
        values: "",
        default: "off",
        effect: "Says everything, the trace of the boot included.",
        gathers: false,
        tests: &["the_last_of_quiet_debug_and_loglevel_sets_the_tone"],
        read: Reading::debug,
    },
    Parameter {
        names: &["loglevel"],
        values: "`=0` … `=10`",
        default: "`7`",
        effect: "Up to 4 as `quiet`, above 7 as `debug`.",
        gathers: false,
        tests: &["the_last_of_quiet_debug_and_loglevel_sets_the_tone"],
        read: Reading::loglevel,
    },
    Parameter {
        names: &["rd.debug"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "As `debug`, but beats `quiet` and `loglevel=`, and leaves the kernel's own tone \
                  alone.",
        gathers: false,
        tests: &["rd_debug_beats_quiet"],
        read: Reading::rd_debug,
    },
    Parameter {
        names: &["landfall.trace"],
        values: "`=/dev/NAME`",
        default: "none",
        effect: "A terminal (a second serial port, `/dev/hvc0`) that is told the trace of the \
                  boot as well, when it hands over, gives up or resumes a system that hibernates. \
                  Nothing but a terminal is written to.",
        gathers: false,
        tests: &["the_trace_goes_to_the_terminal_named_last"],
        read: Reading::trace,
    },
    Parameter {
        names: &["rd.modules_load", "modules_load", "rd.driver.pre"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules to load at once, whether or not a device asks for them.",
        gathers: true,
        tests: &[
            "modules_to_load_gather_from_every_spelling",
            "boot_loads_modules_that_words_and_files_name",
        ],
        read: Reading::load,
    },
    Parameter {
        names: &["rd.driver.post"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules to load after those that devices ask for: when root is found, or nothing \
                 is under way any more.",
        gathers: true,
        tests: &[
            "modules_for_later_gather_apart",
            "boot_loads_modules_that_words_and_files_name",
        ],
        read: Reading::load_last,
    },
    Parameter {
        names: &["modprobe.blacklist", "rd.driver.blacklist"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules that no device may cause to be loaded; what another module needs, or \
                 what is asked for by name, is loaded all the same.",
        gathers: true,
        tests: &[
            "blacklists_come_from_files_and_from_the_command_line",
            "boot_without_modules_that_words_forbid",
        ],
        read: elsewhere,
    },
    Parameter {
        names: &["module_blacklist"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules that are not loaded at all: the kernel itself refuses them.",
        gathers: true,
        tests: &[
            "blacklists_come_from_files_and_from_the_command_line",
            "boot_without_modules_that_words_forbid",
        ],
        read: elsewhere,
    },
    Parameter {
        names: &["virtio_mmio.device"],
        values: "`=SIZE@BASE:IRQ[:ID]`",
        default: "none",
        effect: "A virtio device that no bus announces, as `-M microvm` has them: given to its \
                 driver, which is loaded at once.",
        gathers: true,
        tests: &["virtio_devices_on_the_command_line_want_their_driver"],
        read: Reading::virtio_mmio,
    },
    Parameter {
        names: &["MODULE.OPTION"],
        values: "bare, `=VALUE`",
        default: "what modprobe.d says",
        effect: "Given to that module when it is loaded, as the kernel does for those built in.",
        gathers: true,
        tests: &[
            "options_add_up_files_first",
            "boot_gives_options_to_modules",
        ],
        read: elsewhere,
    },
];

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::is_off;
