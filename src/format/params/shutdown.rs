//! The word about the end of the real system.

use super::{Parameter, Reading};

pub(super) const ROWS: [Parameter; 1] = [Parameter {
    names: &["landfall.shutdown"],
    values: "`=0`, `=1`",
    default: "`1` where anything runs that the device mapper, md or a loop device made",
    effect: "Whether this program is left as `/run/initramfs/shutdown`, to take down what root \
              lies on when the real system ends.",
    gathers: false,
    tests: &[
        "shutdown_is_left_where_somebody_says_so",
        "boot_ends_with_clean_disks_below_busybox",
    ],
    read: Reading::shutdown,
}];
