//! Words about a file that root is in.

use super::{Parameter, Reading};

pub(super) const LOOP: Parameter = Parameter {
    names: &["loop"],
    values: "`=FILE`, `=SOURCE:FILE`",
    default: "none",
    effect: "Root is in a file. `FILE` alone: `root=` names the device that it lies on, and the \
              file system in it is root; that device's is later found below `/host`, where root \
              has such a directory, or below `/run/landfall/host`. `SOURCE:FILE` (any form of \
              `root=` before the colon): `root=` names something in the file, as a partition by \
              `PARTUUID=`.",
    gathers: false,
    tests: &[
        "a_file_may_hold_root",
        "boot_from_a_file_on_a_file_system",
        "boot_from_a_partition_in_a_file",
    ],
    read: Reading::loop_file,
};

pub(super) const FLAGS: Parameter = Parameter {
    names: &["loopflags"],
    values: "`=OPTIONS`",
    default: "none",
    effect: "Where `loop=` is given, mount options of what `rootflags=` is not about: of the file \
              system in the file or, after `loop=SOURCE:FILE`, of the one that it lies on. `ro` \
              or `rw` among them beats all other words; both are mounted alike.",
    gathers: false,
    tests: &["words_for_both_file_systems_of_a_file_are_kept_apart"],
    read: Reading::loop_flags,
};

pub(super) const TYPES: Parameter = Parameter {
    names: &["loopfstype"],
    values: "`=TYPE[,TYPE…]`",
    default: "what the bytes say",
    effect: "The same for types, beside `rootfstype=`.",
    gathers: false,
    tests: &["words_for_both_file_systems_of_a_file_are_kept_apart"],
    read: Reading::loop_types,
};
