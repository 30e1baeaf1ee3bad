//! The parameters that are honoured: one table. Each row says what a word does and does it.
//!
//! Words that are not in the table belong to somebody else and are passed over in silence.
//! README's section is generated from the table; every row names the test that proves it.
//!
//! Sources: Documentation/admin-guide/kernel-parameters.rst for the kernel's own words,
//! dracut.cmdline(7), initramfs-tools(7), kernel-command-line(7) and modules-load.d(5) for others.

mod reading;

use super::cmdline::Word;
use super::wish::Wish;
use reading::Reading;

/// One row of the table.
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
    /// The test that fails without this row.
    pub test: &'static str,
    read: fn(&mut Reading, &Word<'_>),
}

/// What the words ask for. Never fails: what is odd becomes a complaint in the wish.
pub fn read<'a>(words: impl Iterator<Item = Word<'a>>) -> Wish {
    let mut reading = Reading::default();
    for word in words {
        let names = |row: &&Parameter| row.names.iter().any(|name| word.is(name));
        if let Some(row) = PARAMETERS.iter().find(names) {
            (row.read)(&mut reading, &word);
        }
    }
    reading.finish()
}

/// For words that are read elsewhere: the row documents them and names the test over there.
fn elsewhere(_: &mut Reading, _: &Word<'_>) {}

/// All of them, in the order of the README.
pub static PARAMETERS: &[Parameter] = &[
    Parameter {
        names: &["root"],
        values: "`=UUID=…`, `=LABEL=…`, `=PARTUUID=…[/PARTNROFF=N]`, `=PARTLABEL=…`, \
                  `=/dev/NAME`, `=/dev/disk/by-uuid/…` (`by-label`, `by-partuuid`, \
                  `by-partlabel`, `by-id`, `by-path`, `by-diskseq`), `=ID=…`, `=MAJOR:MINOR`, \
                  `=HEX`, `=ubi[N]:NAME`, `=ubiN_M`, `=mtd:NAME`, `=mtdN`, `=fstab`, `=gpt-auto`",
        default: "`gpt-auto`: the only GPT partition whose type is root of this architecture",
        effect: "The device that holds the root file system; case, quotes and braces around a \
                  UUID do not matter.",
        gathers: false,
        test: "root_is_the_last_device_named",
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
        test: "clones_are_refused_only_where_that_was_asked",
        read: Reading::clones,
    },
    Parameter {
        names: &["ubi.mtd"],
        values: "`=MTD[,…]`",
        default: "none",
        effect: "Flash memory that UBI is attached to, by number, name or path: `ubi` is loaded \
                  with it, once all of them are there, where `root=` is a volume of UBI.",
        gathers: true,
        test: "flash_memory_for_ubi_gathers",
        read: Reading::ubi_mtd,
    },
    Parameter {
        names: &["rootfstype"],
        values: "`=TYPE[,TYPE…]`",
        default: "what the bytes say",
        effect: "File system types to try, in order; `auto` and `tmpfs` (which is meant for the \
                  initramfs) are dropped.",
        gathers: false,
        test: "rootfstype_is_a_list_without_auto_and_tmpfs",
        read: Reading::fstypes,
    },
    Parameter {
        names: &["rootflags"],
        values: "`=OPTIONS`",
        default: "none",
        effect: "Mount options of root; `ro` or `rw` among them beats the words `ro` and `rw`.",
        gathers: false,
        test: "rootflags_are_kept_and_decide_about_writing",
        read: Reading::flags,
    },
    Parameter {
        names: &["ro", "rw"],
        values: "",
        default: "`ro`",
        effect: "Mounts root read-only or writable.",
        gathers: false,
        test: "the_last_of_ro_and_rw_wins_and_ro_is_the_default",
        read: Reading::read_write,
    },
    Parameter {
        names: &["init"],
        values: "`=PATH`",
        default: "the kernel's list: `/sbin/init`, `/etc/init`, `/bin/init`, `/bin/sh`",
        effect: "The program to run on the new root; the path is looked up inside it.",
        gathers: false,
        test: "init_is_a_path_on_the_new_root",
        read: Reading::init,
    },
    Parameter {
        names: &["rootwait"],
        values: "bare, `=SECONDS`",
        default: "90 s",
        effect: "How long root may take to appear, counted from the start of `/init`; bare: as \
                  long as it takes.",
        gathers: false,
        test: "rootwait_waits_for_ever_or_that_long",
        read: Reading::rootwait,
    },
    Parameter {
        names: &["rd.timeout"],
        values: "`=SECONDS`",
        default: "90 s",
        effect: "The same deadline, as dracut spells it; `0`: as long as it takes. Of `rootwait`, \
                  `rd.timeout` and `rd.retry` the last one counts.",
        gathers: false,
        test: "rd_timeout_sets_the_deadline_and_0_is_for_ever",
        read: Reading::timeout,
    },
    Parameter {
        names: &["rd.retry"],
        values: "`=SECONDS`",
        default: "90 s",
        effect: "The same deadline, as older dracut spells it.",
        gathers: false,
        test: "rd_retry_sets_the_deadline",
        read: Reading::retry,
    },
    Parameter {
        names: &["rootdelay"],
        values: "`=SECONDS`",
        default: "0",
        effect: "Extends the deadline to at least this; it never delays a root that is there.",
        gathers: false,
        test: "rootdelay_extends_the_deadline_and_never_shortens_it",
        read: Reading::rootdelay,
    },
    Parameter {
        names: &["panic"],
        values: "`=SECONDS`",
        default: "`0`",
        effect: "After a failed boot: positive: reboot after so long, negative: reboot at once, \
                 `0`: halt. No shell opens, unless `rd.shell` stands behind it.",
        gathers: false,
        test: "panic_says_how_a_failed_boot_ends_and_locks_the_shell",
        read: Reading::panic,
    },
    Parameter {
        names: &["rd.shell"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "Opens a shell on the console after a failure, if the image holds one.",
        gathers: false,
        test: "rd_shell_is_off_unless_asked_for",
        read: Reading::shell,
    },
    Parameter {
        names: &["rd.emergency"],
        values: "`=reboot`, `=poweroff`, `=halt`",
        default: "what `panic=` says",
        effect: "What to do after a failure when no shell is allowed; `panic=` still sets the \
                  delay of a reboot.",
        gathers: false,
        test: "rd_emergency_chooses_the_end_and_panic_its_delay",
        read: Reading::emergency,
    },
    Parameter {
        names: &["quiet"],
        values: "",
        default: "off",
        effect: "Says warnings and errors only; of `quiet`, `debug` and `loglevel=` the last one \
                  counts.",
        gathers: false,
        test: "the_last_of_quiet_debug_and_loglevel_sets_the_tone",
        read: Reading::quiet,
    },
    Parameter {
        names: &["debug"],
        values: "",
        default: "off",
        effect: "Says everything, the trace of the boot included.",
        gathers: false,
        test: "the_last_of_quiet_debug_and_loglevel_sets_the_tone",
        read: Reading::debug,
    },
    Parameter {
        names: &["loglevel"],
        values: "`=0` … `=10`",
        default: "`7`",
        effect: "Up to 4 as `quiet`, above 7 as `debug`.",
        gathers: false,
        test: "the_last_of_quiet_debug_and_loglevel_sets_the_tone",
        read: Reading::loglevel,
    },
    Parameter {
        names: &["rd.debug"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "As `debug`, but beats `quiet` and `loglevel=`, and leaves the kernel's own tone \
                  alone.",
        gathers: false,
        test: "rd_debug_beats_quiet",
        read: Reading::rd_debug,
    },
    Parameter {
        names: &["landfall.trace"],
        values: "`=/dev/NAME`",
        default: "none",
        effect: "A terminal (a second serial port, `/dev/hvc0`) that is told the trace of the \
                  boot as well, once, when it hands over or gives up. Nothing but a terminal is \
                  written to.",
        gathers: false,
        test: "the_trace_goes_to_the_terminal_named_last",
        read: Reading::trace,
    },
    Parameter {
        names: &["rd.modules_load", "modules_load", "rd.driver.pre"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules to load at once, whether or not a device asks for them.",
        gathers: true,
        test: "modules_to_load_gather_from_every_spelling",
        read: Reading::load,
    },
    Parameter {
        names: &["rd.driver.post"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules to load after those that devices ask for: when root is found, or nothing \
                 is under way any more.",
        gathers: true,
        test: "modules_for_later_gather_apart",
        read: Reading::load_last,
    },
    Parameter {
        names: &["modprobe.blacklist", "rd.driver.blacklist"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules that no device may cause to be loaded; what another module needs, or \
                 what is asked for by name, is loaded all the same.",
        gathers: true,
        test: "blacklists_come_from_files_and_from_the_command_line",
        read: elsewhere,
    },
    Parameter {
        names: &["module_blacklist"],
        values: "`=MODULE[,MODULE…]`",
        default: "none",
        effect: "Modules that are not loaded at all: the kernel itself refuses them.",
        gathers: true,
        test: "blacklists_come_from_files_and_from_the_command_line",
        read: elsewhere,
    },
    Parameter {
        names: &["virtio_mmio.device"],
        values: "`=SIZE@BASE:IRQ[:ID]`",
        default: "none",
        effect: "A virtio device that no bus announces, as `-M microvm` has them: given to its \
                 driver, which is loaded at once.",
        gathers: true,
        test: "virtio_devices_on_the_command_line_want_their_driver",
        read: Reading::virtio_mmio,
    },
    Parameter {
        names: &["MODULE.OPTION"],
        values: "bare, `=VALUE`",
        default: "what modprobe.d says",
        effect: "Given to that module when it is loaded, as the kernel does for those built in.",
        gathers: true,
        test: "options_add_up_files_first",
        read: elsewhere,
    },
];

#[cfg(test)]
mod tests;
