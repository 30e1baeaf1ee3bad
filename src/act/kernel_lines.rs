//! What the kernel logged while a job was done: errno is one number for many causes.

use crate::base::text::Text;
use crate::sys::kmsg::Reader;

/// Most lines that are kept, from the last one backwards.
const MOST_LINES: usize = 16;

/// Least urgent level that is kept: 5, notice. File systems report errors at 3 and 4.
const KEPT_LEVEL: u8 = 5;

/// The kernel's own lines since the mark, oldest first, each once.
pub fn since(log: &mut Reader) -> Vec<Text> {
    let mut lines = Vec::new();
    while let Ok(Some(record)) = log.next_record() {
        let text = Text(record.text);
        if record.facility == 0 && record.level <= KEPT_LEVEL && !lines.contains(&text) {
            if lines.len() == MOST_LINES {
                lines.remove(0);
            }
            lines.push(text);
        }
    }
    lines
}
