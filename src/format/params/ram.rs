//! Words about roots in RAM, and about the RAM disk of a classic initrd.

use super::{Parameter, Reading};

pub(super) const ARCHIVE: Parameter = Parameter {
    names: &["landfall.archive"],
    values: "`=PATH`",
    default: "none",
    effect: "With `root=tmpfs`, or no `root=` at all: the file of the image that root is unpacked \
              from, into memory: cpio (newc) or tar, as it is or packed by gzip, xz or zstd. \
              `rootflags=` are tmpfs's own options, as `size=`.",
    gathers: false,
    tests: &[
        "an_archive_is_unpacked_into_memory",
        "boot_an_archive_of_the_image_into_ram",
    ],
    read: Reading::archive,
};

pub(super) const ROOT: Parameter = Parameter {
    names: &["landfall.root"],
    values: "any form of `root=`",
    default: "what `root=` says",
    effect: "Root, whatever `root=` says, which is another program's word then: the kernel's own \
              for the RAM disk of a classic initrd (`root=/dev/ram0`).",
    gathers: false,
    tests: &["landfall_has_a_word_of_its_own_for_root"],
    read: Reading::own_root,
};
