//! The trace of this boot: kept in memory, written once when the boot ends.

use crate::act::trace_file;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::plan::action::Action;
use crate::plan::event::Event;
use crate::plan::trace;

/// An ordinary boot needs half of it.
const USUAL_BYTES: usize = 64 << 10;

/// So many lines are shown on a console.
const SHOWN_LINES: usize = 20;

/// The trace is cut here.
const MAX_BYTES: usize = 1 << 20;

pub struct Record {
    text: String,
    /// `rd.debug`: every record is also said.
    pub loud: bool,
    /// `landfall.trace=`: who is told as well.
    pub listener: Option<String>,
    /// How much the listener was told already.
    told: usize,
}

impl Record {
    pub fn new() -> Self {
        Self {
            // What an ordinary boot needs, at once: growing copies, and touches pages twice.
            text: String::with_capacity(USUAL_BYTES),
            loud: false,
            listener: None,
            told: 0,
        }
    }

    pub fn event(&mut self, now: Millis, event: &Event) {
        self.add(&trace::event_record(now, event));
    }

    pub fn action(&mut self, now: Millis, action: &Action) {
        self.add(&trace::action_record(now, action));
    }

    /// Leaves the trace for the real system, or for the person at the shell; tells the listener
    /// what is new.
    pub fn write(&mut self) {
        if let Err(fault) = trace_file::write(&self.text) {
            log::warn!("the trace is lost: {fault}");
        }
        let news = self.text.get(self.told..).unwrap_or_default();
        if let Some(listener) = &self.listener {
            if let Err(fault) = trace_file::tell(listener, news) {
                log::warn!("the trace is not told any further: {fault}");
                self.listener = None;
            }
            self.told = self.text.len();
        }
    }

    /// The last lines, oldest first.
    pub fn last(&self) -> Vec<String> {
        let lines = self.text.lines().count();
        let last = self.text.lines().skip(lines.saturating_sub(SHOWN_LINES));
        last.map(String::from).listed()
    }

    fn add(&mut self, line: &str) {
        if self.loud {
            log::debug!("{line}");
        }
        if self.text.len() + line.len() < MAX_BYTES {
            self.text.push_str(line);
            self.text.push('\n');
        } else if !self.text.ends_with("# full\n") {
            self.text.push_str("# full\n");
        }
    }
}
