//! Which keyboards the kernel sees. sysfs, `class/input`; input-event-codes.h.
//!
//! Not whether a console listens to them: a serial line needs none.

use crate::base::text::{Joined, Text};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;
use std::os::fd::AsFd;

const INPUT: &str = "/sys/class/input";
/// Names are as long as their drivers like; this much of one is shown.
const NAME_MAX: usize = 80;
/// One word for 64 keys, of which there are less than 1,024.
const KEYS_MAX: usize = 512;

/// One sentence for the person who is about to type.
pub fn sentence() -> String {
    let names = names();
    if names.is_empty() {
        "no keyboard was found".into()
    } else {
        format!("keyboards: {}", names.joined(", "))
    }
}

/// What the drivers call them, in no order.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    let mut bytes = Vec::new();
    let Ok(inputs) = dir::open_path(INPUT.as_bytes(), Want::Directory) else {
        return names;
    };
    // A list that breaks off is like devices that vanish.
    let _ = dir::list(&inputs, &mut |entry, _| {
        let mut file = |name: &[u8], most| {
            let path = [entry.to_bytes(), name].concat();
            proc_sys::read_at(inputs.as_fd(), &path, most, &mut bytes).ok()?;
            Some(bytes.trim_ascii_end().to_vec())
        };
        let keys = file(b"/capabilities/key", KEYS_MAX);
        if keys.is_some_and(|keys| has_letters(&keys))
            && let Some(name) = file(b"/name", NAME_MAX)
        {
            names.push(Text(name).to_string());
        }
    });
    names
}

/// Words of a bitmap in hexadecimal, the lowest last. A keyboard has all of the first 31 keys:
/// escape, the digits, the letters down to `s`. (Power buttons and remote controls have few.)
fn has_letters(keys: &[u8]) -> bool {
    const FIRST_KEYS: u64 = 0xffff_fffe;
    let lowest = keys.rsplit(|&b| b == b' ').next().unwrap_or_default();
    let text = std::str::from_utf8(lowest).unwrap_or_default();
    u64::from_str_radix(text, 16).is_ok_and(|bits| bits & FIRST_KEYS == FIRST_KEYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyboard_has_letters() {
        for (keys, expected) in [
            // AT keyboard, power button, mouse, a 32-bit kernel's keyboard, nothing.
            (
                "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe",
                true,
            ),
            ("10000000000000 0", false),
            ("1f0000 0 0 0 0", false),
            ("4 2000000 fffffffe", true),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(has_letters(keys.as_bytes()), expected, "{keys}");
        }
    }
}
