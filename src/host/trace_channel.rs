//! The trace of a guest's boot, on its way out of the guest: a serial port of its own, which QEMU
//! writes to a file. `landfall.trace=` tells `/init` to use it.
//!
//! The console may be silent (`quiet`), the trace is not: it says for sure whether the boot landed.

use super::failure::{Failure, Tried};
use super::story::Standing;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than this nobody reads: `/init` stops at 1 MiB.
const MAX_BYTES: u64 = 8 << 20;

pub struct Channel {
    path: PathBuf,
    heard: String,
}

impl Channel {
    /// An empty file that QEMU will write to; gone when this is dropped.
    pub fn new() -> Result<Self, Failure> {
        let name = format!("landfall-trace-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // What an earlier process of this number left behind. A link is not followed.
        let _ = std::fs::remove_file(&path);
        File::create_new(&path).or_cannot(|| format!("create {}", path.display()))?;
        Ok(Self {
            path,
            heard: String::new(),
        })
    }

    /// What `qemu::Machine::trace` takes.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Reads what has come since. True if anything has.
    pub fn listen(&mut self) -> bool {
        let before = self.heard.len();
        let mut bytes = Vec::new();
        let file = File::open(&self.path);
        let read = file.and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        if read.is_ok() {
            self.heard = records(&String::from_utf8_lossy(&bytes));
        }
        self.heard.len() != before
    }

    /// What was heard so far.
    pub fn trace(&self) -> &str {
        &self.heard
    }

    pub fn standing(&self) -> Standing {
        standing(&self.heard)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The lines that may be of a trace. The terminal ends them in CR LF; and after the hand-over, or
/// before /init, somebody else may find a use for it.
fn records(heard: &str) -> String {
    let lines = heard.split_inclusive('\n').map(|l| l.replace('\r', ""));
    let record = |l: &String| l.starts_with(|c: char| c.is_ascii_digit() || c == '#');
    lines.filter(record).collect()
}

/// How the boot stands by its trace, whose last line may not be complete.
fn standing(trace: &str) -> Standing {
    let whole = trace.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let mut standing = Standing::Open;
    for line in whole.lines() {
        let what = line.split_once(' ').map_or("", |(_, what)| what);
        let is = |verb: &str| what.strip_prefix(verb).is_some_and(|t| t.starts_with(' '));
        if is("> hand-over") {
            standing = Standing::ReachedInit;
        } else if is("> page") || is("> end") {
            standing = Standing::GaveUp;
        }
    }
    standing
}

/// Milliseconds from the first record of a trace to its last hand-over.
pub fn in_initramfs_ms(trace: &str) -> Option<u64> {
    let time = |line: &str| line.split_once(' ')?.0.parse::<u64>().ok();
    let first = trace.lines().find_map(time)?;
    let last = trace.lines().rfind(|line| line.contains(" > hand-over "))?;
    time(last)?.checked_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_says_how_the_boot_stands() {
        let check = |trace: &str, expected: Standing| assert_eq!(standing(trace), expected);
        check("", Standing::Open);
        check("1 < boot root=> hand-over x\n", Standing::Open);
        let landed = "100 < boot x\n130 > hand-over 9 /sbin/init\n";
        check(landed, Standing::ReachedInit);
        check("130 > hand-over 9 /sb", Standing::Open);
        check(&format!("{landed}131 > page line=x\n"), Standing::GaveUp);
        assert_eq!(in_initramfs_ms(landed), Some(30));
        assert_eq!(in_initramfs_ms("100 < boot x\n"), None);
    }

    #[test]
    fn what_comes_is_read_and_its_file_goes() {
        let mut channel = Channel::new().unwrap();
        let file = channel.file().to_path_buf();
        assert!(!channel.listen());
        std::fs::write(&file, "{}\r\n1 < boot x\r\n2 > page line=a\r\nlogin: ").unwrap();
        assert!(channel.listen());
        assert_eq!(channel.trace(), "1 < boot x\n2 > page line=a\n");
        assert_eq!(channel.standing(), Standing::GaveUp);
        drop(channel);
        assert!(!file.exists());
    }
}
