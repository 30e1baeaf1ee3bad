//! What a boot's console says happened, and when: marks, a verdict, a timeline.
//!
//! Not a log parser: it knows the kernel's few sentences below and whatever begins with
//! `landfall:`. Time is the guest's own (`printk.time=1`), so a slow host does not distort it.

use std::fmt::Write;

/// The kernel's line when it starts /init (init/main.c: `run_init_process`).
const RUN_INIT: &str = "Run ";
const AS_INIT: &str = " as init process";
const PANIC: &str = "Kernel panic - not syncing";
const OURS: &str = "landfall: ";
/// The last line of landfall before the exec.
pub const HANDING_OVER: &str = "handing over to ";

/// One thing that happened. Time in microseconds of the guest's log clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: u64,
    pub who: Who,
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Kernel,
    Landfall,
}

/// How the boot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Neither reached nor lost.
    Open,
    /// landfall handed over, and nothing of it was heard since.
    ReachedInit,
    GaveUp,
    Panicked,
}

/// Everything of note, in order.
#[derive(Default)]
pub struct Story {
    pub marks: Vec<Mark>,
    standing: Option<Standing>,
    landfall_spoke: bool,
}

/// More marks than a person reads are counted, not kept.
const MARK_LIMIT: usize = 500;

impl Story {
    /// Reads one console line.
    pub fn line(&mut self, line: &str) {
        let (at, text) = match printk(line) {
            Some((at, text)) => (Some(at), text),
            None => (None, line.trim_start()),
        };
        if text.starts_with(PANIC) {
            self.standing = Some(Standing::Panicked);
            self.mark(at, Who::Kernel, text);
        } else if let Some(said) = text.strip_prefix(OURS) {
            self.landfall_spoke = true;
            self.landfall(at, said);
        } else if text.starts_with(GAVE_UP) {
            self.landfall(at, text);
        } else if text.starts_with("Linux version ") {
            self.mark(at, Who::Kernel, "starts");
        } else if text.starts_with("Freeing initrd memory") {
            self.mark(at, Who::Kernel, "has unpacked the initramfs");
        } else if text.starts_with(RUN_INIT) && text.ends_with(AS_INIT) {
            let path = text.trim_start_matches(RUN_INIT).trim_end_matches(AS_INIT);
            self.mark(at, Who::Kernel, &format!("runs {path}"));
        }
    }

    pub fn standing(&self) -> Standing {
        self.standing.unwrap_or(Standing::Open)
    }

    /// Did landfall say anything at all?
    pub fn heard_landfall(&self) -> bool {
        self.landfall_spoke
    }

    fn landfall(&mut self, at: Option<u64>, said: &str) {
        if said.starts_with(HANDING_OVER) {
            self.standing = Some(Standing::ReachedInit);
        } else if said.starts_with(GAVE_UP) {
            self.standing = Some(Standing::GaveUp);
        } else if self.standing == Some(Standing::GaveUp) {
            // The rest of the page: to be read above, not steps of a boot.
            return;
        }
        self.mark(at, Who::Landfall, said);
    }

    fn mark(&mut self, at: Option<u64>, who: Who, what: &str) {
        // A line without a time happened when the line before it did, as far as we can tell.
        let before = self.marks.last().map_or(0, |mark| mark.at);
        if self.marks.len() < MARK_LIMIT {
            self.marks.push(Mark {
                at: at.unwrap_or(before),
                who,
                what: what.to_owned(),
            });
        }
    }

    /// The table: when, how long until the next mark, a bar for it, what.
    pub fn timeline(&self) -> String {
        let mut out = String::new();
        let steps = self.steps();
        let longest = steps.iter().map(|(_, took)| *took).max().unwrap_or(0);
        let _ = writeln!(out, "{:>10}  {:>10}  {:<24}  event", "at s", "then ms", "");
        for (mark, took) in steps {
            let who = match mark.who {
                Who::Kernel => "kernel",
                Who::Landfall => "landfall",
            };
            let bar = bar(took, longest);
            let at = decimal(mark.at, 1_000_000);
            let ms = decimal(took, 1000);
            let _ = writeln!(out, "{at:>10}  {ms:>10}  {bar:<24}  {who}: {}", mark.what);
        }
        out
    }

    /// Each mark with the microseconds until the next one.
    fn steps(&self) -> Vec<(&Mark, u64)> {
        let next = self.marks.iter().skip(1).map(|mark| Some(mark.at));
        let pairs = self.marks.iter().zip(next.chain([None]));
        pairs
            .map(|(mark, next)| (mark, next.unwrap_or(mark.at).saturating_sub(mark.at)))
            .collect()
    }

    /// Microseconds from the kernel's start of /init to the hand-over, if both were seen.
    pub fn in_initramfs(&self) -> Option<u64> {
        let start = self
            .marks
            .iter()
            .find(|m| m.who == Who::Kernel && m.what.starts_with("runs "))?;
        let end = self
            .marks
            .iter()
            .rfind(|m| m.who == Who::Landfall && m.what.starts_with(HANDING_OVER))?;
        end.at.checked_sub(start.at)
    }
}

/// The first words of landfall's failure page (`plan::give_up`).
pub const GAVE_UP: &str = "this system could not be started";

/// `[    1.234567] text`, also `[    1.234567][    T1] text` → (microseconds, text).
pub fn printk(line: &str) -> Option<(u64, &str)> {
    let (time, mut text) = line.trim_start().strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = time.trim_start().split_once('.')?;
    if micros.len() != 6 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    let micros: u64 = micros.parse().ok()?;
    if let Some((caller, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']'))
        && matches!(caller.trim_start().as_bytes().first(), Some(b'T' | b'C'))
    {
        text = rest;
    }
    let at = seconds.checked_mul(1_000_000)?.checked_add(micros)?;
    Some((at, text.strip_prefix(' ').unwrap_or(text)))
}

const BAR_WIDTH: u64 = 24;

fn bar(part: u64, whole: u64) -> String {
    let eighths = (part * BAR_WIDTH * 8).checked_div(whole).unwrap_or(0);
    let mut out = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
    let rest = usize::try_from(eighths % 8).unwrap_or(0);
    if let Some(last) = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(rest) {
        out.push_str(last);
    }
    out
}

/// Three digits after the point.
fn decimal(value: u64, unit: u64) -> String {
    let thousandths = value.saturating_mul(1000) / unit.max(1);
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// Microseconds as milliseconds with one digit, for sentences.
pub fn in_ms(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str]) -> Story {
        let mut story = Story::default();
        for line in lines {
            story.line(line);
        }
        story
    }

    #[test]
    fn kernel_times_are_read_in_each_of_their_forms() {
        let check = |line: &str, expected: Option<(u64, &str)>| {
            assert_eq!(printk(line), expected, "{line}");
        };
        check("[    1.234567] a b", Some((1_234_567, "a b")));
        check("[12345.000001] a", Some((12_345_000_001, "a")));
        check("[    0.500000][    T1] a", Some((500_000, "a")));
        check("[    0.500000] [drm] a", Some((500_000, "[drm] a")));
        check("[  OK  ] Started x", None);
        check("no time", None);
        check("[99999999999999999999.000000] x", None);
    }

    #[test]
    fn the_way_to_the_real_init_is_measured() {
        let story = told(&[
            "[    0.000000] Linux version 6.1.0",
            "[    0.800000] Run /init as init process",
            "[    0.802000] landfall: mounted root vda1",
            "[    0.810500] landfall: handing over to /sbin/init",
        ]);
        assert_eq!(story.standing(), Standing::ReachedInit);
        assert_eq!(story.in_initramfs(), Some(10_500));
        assert_eq!(in_ms(10_500), "10.5 ms");
        let table = story.timeline();
        let row = format!("     0.000     800.000  {}  kernel: starts", "█".repeat(24));
        assert!(table.contains(&row), "{table}");
    }

    #[test]
    fn what_came_last_decides() {
        let over = "[    0.810500] landfall: handing over to /sbin/init";
        let panic = "Kernel panic - not syncing: Attempted to kill init!";
        assert_eq!(told(&[over, panic]).standing(), Standing::Panicked);
        assert_eq!(told(&["hello"]).standing(), Standing::Open);
        assert_eq!(
            told(&["landfall: this system could not be started"]).standing(),
            Standing::GaveUp
        );
        let failed = told(&[over, "landfall: this system could not be started"]);
        assert_eq!(failed.standing(), Standing::GaveUp);
    }
}
