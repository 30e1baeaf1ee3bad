//! Words about the rescue console, the stops at which it opens, and a second choice for root.

use super::{Parameter, Reading};
use crate::format::wish::Stop;

pub(super) const ROWS: [Parameter; 3] = [
    Parameter {
        names: &["landfall.rescue"],
        values: "`=on`, `=SECONDS`, `=off`",
        default: "only at the stops of `rd.break=`",
        effect: "Opens the rescue console after a failure. Untouched for 60 seconds, or so many, \
                 it closes, and the boot goes on, or ends, as without it. None opens once an \
                 encrypted volume is open.",
        gathers: false,
        tests: &[
            "rescue_is_on_off_or_a_number_of_seconds",
            "boot_is_repaired_at_the_rescue_console",
        ],
        read: Reading::rescue,
    },
    Parameter {
        names: &["rd.break", "rdbreak", "break"],
        values: "bare, `=POINT[,…]`: `cmdline`, `pre-udev`, `pre-trigger`, `top`, `modules` \
                 (before anything is looked for), `initqueue`, `pre-mount`, `premount`, `mount`, \
                 `mountroot` (before root is mounted from a device), `pre-pivot`, `cleanup`, \
                 `bottom`, `init` (before root's init is run)",
        default: "none; bare: `init`, of `break`: `premount`",
        effect: "Stops there, and opens the rescue console.",
        gathers: true,
        tests: &[
            "breaks_have_the_points_of_others",
            "boot_stops_where_it_is_asked_to",
        ],
        read: Reading::stop,
    },
    Parameter {
        names: &["landfall.fallback"],
        values: "`=SPEC`, as of `root=`",
        default: "none",
        effect: "Another root, looked for with new patience where root cannot be had; not where \
                 that is locked, checked by dm-verity, or in a file.",
        gathers: false,
        tests: &[
            "fallback_is_another_root",
            "boot_falls_back_to_another_root",
        ],
        read: Reading::fallback,
    },
];

/// The points of dracut.cmdline(7) and initramfs-tools(7).
const POINTS: [(Stop, &str); 3] = [
    (Stop::Start, " cmdline pre-udev pre-trigger top modules "),
    (
        Stop::Mount,
        " initqueue pre-mount premount mount mountroot ",
    ),
    (Stop::HandOver, " pre-pivot cleanup bottom init "),
];

pub(super) fn stop(point: &str) -> Option<Stop> {
    let is = |(_, points): &&(Stop, &str)| points.split(' ').any(|known| known == point);
    let found = POINTS.iter().find(is)?;
    (!point.is_empty()).then_some(found.0)
}
