//! Words about what is mounted besides root.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 6] = [
    Parameter {
        names: &["mount.usr"],
        values: "any device form of `root=`",
        default: "what `usrhash=` makes; else the `/usr` of the real root's fstab",
        effect: "What is mounted on `/usr` of the new root before its init is looked for.",
        gathers: false,
        tests: &[
            "usr_is_named_by_its_words_or_by_those_of_root",
            "boot_with_usr_and_more_on_other_devices",
        ],
        read: Reading::usr,
    },
    Parameter {
        names: &["mount.usrfstype"],
        values: "`=TYPE[,TYPE…]`",
        default: "as `rootfstype=`, where another of these words is there",
        effect: "The types that `/usr` may have. Without `mount.usr=` it is what `root=` names.",
        gathers: false,
        tests: &["usr_is_named_by_its_words_or_by_those_of_root"],
        read: Reading::usr_types,
    },
    Parameter {
        names: &["mount.usrflags"],
        values: "`=OPTIONS`",
        default: "as `rootflags=`, where another of these words is there",
        effect: "Mount options of `/usr`, such as its subvolume. Without `mount.usr=` it is what \
                  `root=` names. `/usr` is as writable as root, unless `ro` or `rw` stands here.",
        gathers: false,
        tests: &["usr_is_named_by_its_words_or_by_those_of_root"],
        read: Reading::usr_flags,
    },
    Parameter {
        names: &["rd.fstab", "fstab"],
        values: "`=0`, `=1`",
        default: "`1`",
        effect: "Whether the real root's `/etc/fstab` is heeded: its `/usr`, what it marks with \
                  `x-initrd.mount`, and, without `rootflags=`, options of root that cannot be \
                  given to it later.",
        gathers: false,
        tests: &["fstab_may_be_left_alone"],
        read: Reading::fstab,
    },
    Parameter {
        names: &["rd.systemd.mount-extra"],
        values: "`=WHAT:/sysroot/WHERE[:TYPE[:OPTIONS]]`",
        default: "none",
        effect: "Mounted below the new root as well. A colon within a part is written `\\:`.",
        gathers: true,
        tests: &["more_mounts_are_named_by_words"],
        read: Reading::mount_extra,
    },
    Parameter {
        names: &["systemd.mount-extra"],
        values: "`=WHAT:WHERE[:TYPE[:OPTIONS]]`",
        default: "none",
        effect: "The same, for `/usr` and what has the option `x-initrd.mount`; the rest is the \
                  real system's.",
        gathers: true,
        tests: &["more_mounts_are_named_by_words"],
        read: Reading::mount_later,
    },
];
