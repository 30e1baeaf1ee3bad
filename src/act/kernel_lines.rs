//! What the kernel logged while a job was done: errno is one number for many causes.

use crate::base::list::Listed;
use crate::base::text::{Text, cut};
use crate::sys::kmsg::Reader;

/// Most lines that are kept, from the last one backwards.
const MOST_LINES: usize = 16;

/// Least urgent level that is kept: 5, notice. File systems report errors at 3 and 4.
const KEPT_LEVEL: u8 = 5;

/// The kernel's own lines since the mark, oldest first, each once.
pub fn since(log: &mut Reader) -> Vec<Text> {
    collect(log, &|level, _| level <= KEPT_LEVEL, Whose::Kernel)
}

/// What the client of Ceph said since the mark, however quietly, but for its good news.
pub fn of_ceph(log: &mut Reader) -> Vec<Text> {
    const GOOD: [&str; 3] = ["session established", " fsid ", ": loaded"];
    collect(
        log,
        &|_, text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            let ours = ["rbd: ", "libceph: "]
                .iter()
                .any(|who| text.starts_with(who));
            ours && !GOOD.iter().any(|word| cut(text, word).is_some())
        },
        Whose::Kernel,
    )
}

/// What the kernel said of a hibernated system since the mark, however quietly.
pub fn of_hibernation(log: &mut Reader) -> Vec<Text> {
    collect(
        log,
        &|_, text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            text.starts_with("PM: ")
        },
        Whose::Kernel,
    )
}

/// The last lines, whoever wrote them.
pub fn last() -> Vec<String> {
    let log = Reader::from_start();
    let lines = log.map(|mut log| collect(&mut log, &|_, _| true, Whose::Any));
    lines
        .unwrap_or_default()
        .iter()
        .map(Text::to_string)
        .listed()
}

/// Whose lines are read.
#[derive(PartialEq, Eq)]
enum Whose {
    Kernel,
    Any,
}

fn collect(log: &mut Reader, keep: &dyn Fn(u8, &[u8]) -> bool, whose: Whose) -> Vec<Text> {
    let mut lines = Vec::new();
    while let Ok(Some(record)) = log.next_record() {
        let kept =
            (record.facility == 0 || whose == Whose::Any) && keep(record.level, &record.text);
        let text = Text(record.text);
        if kept && !lines.contains(&text) {
            if lines.len() == MOST_LINES {
                lines.remove(0);
            }
            lines.push(text);
        }
    }
    lines
}
