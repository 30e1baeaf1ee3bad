//! This machine's name, as hostname(5) of the image has it: for logs, and for a real system that
//! has none of its own.

use crate::sys::proc_sys;

const PLACE: &str = "/proc/sys/kernel/hostname";

/// What the kernel calls a machine that nobody named.
const NOBODY: &[u8] = b"(none)\n";

/// Sets it, unless it was set (the kernel's `hostname=`). `file`: the first line that is no comment
/// counts.
pub fn take(file: &[u8]) {
    let Some(name) = first_name(file) else {
        return;
    };
    if proc_sys::read(PLACE, 128).is_ok_and(|known| known == NOBODY)
        && let Err(fail) = proc_sys::write(PLACE, name)
    {
        log::warn!("{fail}");
    }
}

fn first_name(file: &[u8]) -> Option<&[u8]> {
    let mut lines = file.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty() && !line.starts_with(b"#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_no_comment_is_the_name() {
        assert_eq!(first_name(b"# of\n\n  quay \nother\n"), Some(&b"quay"[..]));
        assert_eq!(first_name(b"quay"), Some(&b"quay"[..]));
        assert_eq!(first_name(b"#\n \n"), None);
    }
}
