//! Words about what lies over root, and about live media.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 8] = [
    Parameter {
        names: &[
            "rd.overlay",
            "rd.overlayfs",
            "rd.live.overlay",
            "rd.live.overlay.overlayfs",
            "overlaytmpfs",
        ],
        values: "bare, `=1`, `=0`, `=tmpfs[:OPTIONS]`, `=DEVICE[:DIRECTORY]`",
        default: "off; of a live medium, in memory",
        effect: "Whether an overlay lies over root, which is mounted read-only then, below \
                  `/run/rootfsbase`, and stays as it is. Changes are forgotten (`tmpfs`, with its \
                  mount options), or kept in a directory of a device (any form of `root=`; \
                  `/overlay` on it, unless one is named); without that device the boot fails.",
        gathers: false,
        tests: &[
            "changes_go_to_memory_or_to_a_device",
            "boot_with_an_overlay_in_memory",
            "boot_keeps_what_was_changed_on_a_device",
        ],
        read: Reading::overlay,
    },
    Parameter {
        names: &["rd.overlay.readonly", "rd.live.overlay.readonly"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "The changes on the device of `rd.overlay=` are shown, but new ones are forgotten.",
        gathers: false,
        tests: &[
            "changes_of_a_device_may_be_shown_only",
            "boot_keeps_what_was_changed_on_a_device",
        ],
        read: Reading::overlay_kept,
    },
    Parameter {
        names: &["overlaytmpfsflags"],
        values: "`=OPTIONS`",
        default: "none",
        effect: "Mount options of memory for changes, such as `size=50%`.",
        gathers: false,
        tests: &["memory_for_changes_has_options"],
        read: Reading::overlay_flags,
    },
    Parameter {
        names: &["systemd.volatile"],
        values: "bare, `=yes`, `=no`, `=state`, `=overlay`",
        default: "`no`",
        effect: "What the system forgets when it ends: all but `/usr` (`yes`), `/var` (`state`), \
                  every change (`overlay`). Root itself is mounted read-only.",
        gathers: false,
        tests: &[
            "a_volatile_system_is_made_in_three_ways",
            "boot_of_a_volatile_system",
        ],
        read: Reading::volatile,
    },
    Parameter {
        names: &["rd.live.image"],
        values: "bare, `=1`, `=0`",
        default: "on where `root=live:…`",
        effect: "What `root=` names is a live medium: root is an image in a file on it, and an \
                  overlay lies over that.",
        gathers: false,
        tests: &["a_live_medium_holds_an_image"],
        read: Reading::live_image,
    },
    Parameter {
        names: &["rd.live.dir"],
        values: "`=DIRECTORY`",
        default: "`LiveOS`",
        effect: "The directory of a live medium that the image lies in.",
        gathers: false,
        tests: &[
            "a_live_medium_holds_an_image",
            "boot_of_a_live_medium_from_a_cd_and_a_stick",
        ],
        read: Reading::live_directory,
    },
    Parameter {
        names: &["rd.live.squashimg"],
        values: "`=FILE`",
        default: "`squashfs.img`",
        effect: "The image's name there: a file system of any type.",
        gathers: false,
        tests: &[
            "a_live_medium_holds_an_image",
            "boot_of_a_live_medium_from_a_cd_and_a_stick",
        ],
        read: Reading::live_file,
    },
    Parameter {
        names: &["rd.live.ram", "toram"],
        values: "bare, `=1`, `=0`",
        default: "off",
        effect: "The image of a live medium, or what `loop=` names, is copied to memory; the \
                  medium is not needed any more then.",
        gathers: false,
        tests: &[
            "an_image_may_be_copied_to_memory",
            "boot_of_a_live_medium_copied_to_memory",
        ],
        read: Reading::live_ram,
    },
];
