//! Words about a system that hibernates.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 5] = [
    Parameter {
        names: &["resume"],
        values: "any device form of `root=`",
        default: "with EFI, where systemd hibernated to (`HibernateLocation`); else none",
        effect: "Where a hibernated system may lie: swap space, or, with `resume_offset=`, the \
                  file system that holds the swap file. Whether there is one is known before \
                  anything is mounted; where there is, the kernel goes on with it.",
        gathers: false,
        tests: &["resume_names_a_device_and_a_place_in_it"],
        read: Reading::resume,
    },
    Parameter {
        names: &["resume_offset"],
        values: "`=PAGES`",
        default: "none: swap space begins with the device",
        effect: "Where the swap file begins on the device of `resume=`, in pages, as \
                  `filefrag -v` tells (of btrfs: `btrfs inspect-internal map-swapfile -r`).",
        gathers: false,
        tests: &["resume_names_a_device_and_a_place_in_it"],
        read: Reading::resume_offset,
    },
    Parameter {
        names: &["noresume", "nohibernate"],
        values: "",
        default: "a system that hibernates is resumed",
        effect: "The machine is booted anew, whatever lies on the device of `resume=` or is left \
                  in EFI: what was not saved in the hibernated system is lost.",
        gathers: false,
        tests: &["noresume_is_honoured_in_each_form"],
        read: Reading::noresume,
    },
    Parameter {
        names: &["hibernate"],
        values: "`=noresume`, `=no`",
        default: "a system that hibernates is resumed",
        effect: "The same. Other values are the kernel's own affair.",
        gathers: true,
        tests: &["noresume_is_honoured_in_each_form"],
        read: Reading::hibernate,
    },
    Parameter {
        names: &["resumewait", "resumedelay"],
        values: "bare (`resumewait`), `=SECONDS` (`resumedelay`)",
        default: "10 s",
        effect: "How long root, when everything else is ready, waits for the device of `resume=` \
                  to appear; bare: as long as it takes.",
        gathers: false,
        tests: &["resumewait_and_resumedelay_say_how_long"],
        read: Reading::resumewait,
    },
];
