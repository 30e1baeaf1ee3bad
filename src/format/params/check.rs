//! Words about the programs of the image that are run: checkers of file systems, and hooks.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 6] = [
    Parameter {
        names: &["fsck.mode"],
        values: "`=auto`, `=force`, `=skip`",
        default: "`auto`",
        effect: "Where the image holds the checker of root's or `/usr`'s file system: whether it \
                  is run when it thinks it must look, looks at what is marked clean as well, or \
                  is not run.",
        gathers: false,
        tests: &[
            "checks_are_asked_for_and_switched_off",
            "boot_checks_what_was_not_unmounted",
        ],
        read: Reading::check_mode,
    },
    Parameter {
        names: &["fsck.repair"],
        values: "`=preen`, `=yes`, `=no`",
        default: "`preen`",
        effect: "What a check repairs: what is safe, everything, nothing.",
        gathers: false,
        tests: &[
            "what_a_check_repairs_is_said",
            "boot_stops_before_errors_that_are_left",
        ],
        read: Reading::check_repair,
    },
    Parameter {
        names: &["fastboot", "rd.skipfsck"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "As `fsck.mode=skip`.",
        gathers: false,
        tests: &["checks_are_asked_for_and_switched_off"],
        read: Reading::check_skip,
    },
    Parameter {
        names: &["forcefsck"],
        values: "",
        default: "off",
        effect: "As `fsck.mode=force`.",
        gathers: false,
        tests: &["checks_are_asked_for_and_switched_off"],
        read: Reading::check_force,
    },
    Parameter {
        names: &["fsckfix"],
        values: "",
        default: "off",
        effect: "As `fsck.repair=yes`.",
        gathers: false,
        tests: &["what_a_check_repairs_is_said"],
        read: Reading::check_fix,
    },
    Parameter {
        names: &["landfall.hooks"],
        values: "`=1`, `=0`",
        default: "`1`",
        effect: "Whether the hooks of the image run.",
        gathers: false,
        tests: &["hooks_are_switched_off", "boot_runs_no_hook_where_told_so"],
        read: Reading::hooks,
    },
];
