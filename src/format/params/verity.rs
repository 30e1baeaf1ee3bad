//! Words about dm-verity.

use super::{Parameter, Reading};

pub(super) const ROOT_HASH: Parameter = Parameter {
    names: &["roothash"],
    values: "`=HEX`",
    default: "none",
    effect: "Root is `/dev/mapper/root`, made by dm-verity with this root hash, whatever \
              `root=` says; its devices are the partitions whose UUIDs are the first and the \
              last 128 bits of it.",
    gathers: false,
    tests: &[
        "a_root_hash_makes_root_a_volume_of_dm_verity",
        "boot_from_dm_verity_by_the_root_hash_alone",
    ],
    read: Reading::root_hash,
};

pub(super) const DATA: Parameter = Parameter {
    names: &["systemd.verity_root_data"],
    values: "`=DEVICE`",
    default: "by `roothash=`",
    effect: "The device that holds the data of root, in any form that `root=` takes.",
    gathers: false,
    tests: &["devices_of_a_verity_root_may_be_named"],
    read: Reading::verity_data,
};

pub(super) const HASH: Parameter = Parameter {
    names: &["systemd.verity_root_hash"],
    values: "`=DEVICE`",
    default: "by `roothash=`",
    effect: "The device that holds the tree of hashes of root.",
    gathers: false,
    tests: &["devices_of_a_verity_root_may_be_named"],
    read: Reading::verity_hash,
};

pub(super) const OPTIONS: Parameter = Parameter {
    names: &["systemd.verity_root_options"],
    values: "`=OPTION[,OPTION…]`",
    default: "none",
    effect: "Options as in veritytab(5): `superblock=`, `format=`, `data-block-size=`, \
              `hash-block-size=`, `data-blocks=`, `hash-offset=`, `salt=`, `hash=`, \
              `fec-device=`, `fec-offset=`, `fec-roots=`, `ignore-corruption`, \
              `restart-on-corruption`, `panic-on-corruption`, `ignore-zero-blocks`, \
              `check-at-most-once`, `root-hash-signature=`.",
    gathers: false,
    tests: &[
        "options_of_a_verity_root_are_read_and_odd_ones_named",
        "boot_from_dm_verity_without_a_superblock",
    ],
    read: Reading::verity_options,
};

pub(super) const SWITCH: Parameter = Parameter {
    names: &["systemd.verity", "rd.systemd.verity"],
    values: "bare, `=1`, `=0`",
    default: "on",
    effect: "Switched off, `roothash=` and the image's veritytab(5) are passed over, and root \
              is what `root=` says, unchecked.",
    gathers: false,
    tests: &["verity_may_be_switched_off"],
    read: Reading::verity_switch,
};

pub(super) const USR_HASH: Parameter = Parameter {
    names: &["usrhash"],
    values: "`=HEX`",
    default: "none",
    effect: "`/dev/mapper/usr` is made by dm-verity with this root hash before root is mounted, \
              and there is no boot without it. Its devices are found as those of `roothash=`. \
              Mounting it is left to the real init.",
    gathers: false,
    tests: &[
        "a_hash_for_usr_is_another_volume_and_not_root",
        "boot_makes_the_volume_of_usrhash_before_root_is_mounted",
    ],
    read: Reading::root_hash,
};

pub(super) const USR_DATA: Parameter = Parameter {
    names: &["systemd.verity_usr_data"],
    values: "`=DEVICE`",
    default: "by `usrhash=`",
    effect: "The device that holds the data of `/usr`, in any form that `root=` takes.",
    gathers: false,
    tests: &["a_hash_for_usr_is_another_volume_and_not_root"],
    read: Reading::verity_data,
};

pub(super) const USR_TREE: Parameter = Parameter {
    names: &["systemd.verity_usr_hash"],
    values: "`=DEVICE`",
    default: "by `usrhash=`",
    effect: "The device that holds the tree of hashes of `/usr`.",
    gathers: false,
    tests: &["a_hash_for_usr_is_another_volume_and_not_root"],
    read: Reading::verity_hash,
};

pub(super) const USR_OPTIONS: Parameter = Parameter {
    names: &["systemd.verity_usr_options"],
    values: "`=OPTION[,OPTION…]`",
    default: "none",
    effect: "As `systemd.verity_root_options=`, of `/usr`.",
    gathers: false,
    tests: &["a_hash_for_usr_is_another_volume_and_not_root"],
    read: Reading::verity_options,
};
