//! What one boot left behind: console, facts, the story they tell. With the usual questions.

use super::guest::tail;
use landfall::host::story::{Standing, Story};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub struct Outcome {
    /// The console, line by line.
    pub lines: Vec<String>,
    /// What the reporting init said, by name.
    pub facts: Map<String, Value>,
    /// The second serial port, as it came.
    pub report: String,
    pub story: Story,
    /// The guest ended by itself, in time.
    pub ended: bool,
    /// What QEMU said.
    pub complaints: String,
}

/// Joins the one-fact objects, one a line. Other lines are no facts.
pub fn facts(report: &str) -> Map<String, Value> {
    let mut facts = Map::new();
    for line in report.lines() {
        if let Ok(Value::Object(fact)) = serde_json::from_str(line) {
            facts.extend(fact);
        }
    }
    facts
}

impl Outcome {
    /// Fails the test, with everything that helps to see why.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        let Self {
            lines, complaints, ..
        } = self;
        panic!(
            "{why}\nQEMU said: {complaints:?}\nthe console's end:\n{}",
            tail(lines)
        )
    }

    #[track_caller]
    pub fn check(&self, holds: bool, why: &str) {
        if !holds {
            self.fail(why);
        }
    }

    /// A fact that is one text.
    #[track_caller]
    pub fn fact(&self, name: &str) -> &str {
        match self.facts.get(name) {
            Some(Value::String(text)) => text,
            _ => self.fail(&format!("the real init did not report {name:?}")),
        }
    }

    /// A fact that is a list of texts.
    #[track_caller]
    pub fn list(&self, name: &str) -> Vec<&str> {
        match self.facts.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            _ => self.fail(&format!("the real init did not report {name:?}")),
        }
    }

    /// The real init ran, reported everything and switched off.
    #[track_caller]
    pub fn assert_reached(&self) {
        let complete = self.facts.contains_key("complete");
        self.check(complete, "the real init was not reached");
        self.check(self.ended, "the guest did not switch off");
        let standing = self.story.standing();
        self.check(
            standing == Standing::ReachedInit,
            "landfall did not say that it hands over",
        );
    }

    /// The real root is this file system on this device, read-only or not.
    #[track_caller]
    pub fn assert_root(&self, source: &str, fstype: &str, mode: &str) {
        self.assert_reached();
        let found = self.mount("/");
        let wanted = format!("{source} {fstype} {mode}");
        self.check(
            found == wanted,
            &format!("root is {found:?}, wanted {wanted:?}"),
        );
    }

    /// `SOURCE TYPE ro|rw` of what is mounted there; proc(5), mountinfo.
    #[track_caller]
    pub fn mount(&self, at: &str) -> String {
        let line = self
            .fact("mountinfo")
            .lines()
            .rfind(|line| line.split(' ').nth(4) == Some(at));
        let Some((left, right)) = line.and_then(|line| line.split_once(" - ")) else {
            self.fail(&format!("nothing is mounted at {at}"));
        };
        let mode = left.split(' ').nth(5).unwrap_or_default();
        let mode = mode.split(',').next().unwrap_or_default();
        let mut right = right.split(' ');
        let fstype = right.next().unwrap_or_default();
        let source = right.next().unwrap_or_default();
        format!("{source} {fstype} {mode}")
    }

    /// landfall gave up, and the page says all this.
    #[track_caller]
    pub fn assert_gave_up(&self, parts: &[&str]) {
        let standing = self.story.standing();
        self.check(standing == Standing::GaveUp, "landfall did not give up");
        self.check(self.ended, "the guest did not end");
        for part in parts {
            let said = self.lines.iter().any(|line| line.contains(part));
            self.check(said, &format!("the page does not say {part:?}"));
        }
    }

    /// What the trace of the boot shows of its module loads.
    #[track_caller]
    pub fn loads(&self) -> Loads {
        Loads::read(self.fact("trace"))
    }

    #[track_caller]
    pub fn assert_module(&self, name: &str) {
        let modules = self.fact("modules");
        let there = modules
            .lines()
            .any(|line| line.split(' ').next() == Some(name));
        self.check(there, &format!("module {name} is not loaded"));
    }

    /// Kilobytes of a line of /proc/meminfo.
    #[track_caller]
    pub fn memory(&self, name: &str) -> u64 {
        let line = self
            .fact("meminfo")
            .lines()
            .find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        number.unwrap_or_else(|| self.fail(&format!("no {name} in meminfo")))
    }
}

/// The module loads of one boot.
#[derive(Debug, Default)]
pub struct Loads {
    /// Names, in the order of their beginning.
    pub begun: Vec<String>,
    /// Answers that say no.
    pub failed: Vec<String>,
    /// The most that were under way at one time.
    pub most_at_once: usize,
}

impl Loads {
    /// Lines `TIME > load TICKET NAME`, `TIME < loaded TICKET`, `TIME < load-failed TICKET …`.
    fn read(trace: &str) -> Self {
        let mut loads = Self::default();
        let mut open = BTreeSet::new();
        for line in trace.lines() {
            let mut words = line.split(' ').skip(2);
            let (verb, ticket) = (words.next(), words.next());
            match verb {
                Some("load") => {
                    open.insert(ticket);
                    loads.begun.extend(words.next().map(String::from));
                }
                Some("load-failed") => loads.failed.push(line.into()),
                Some("loaded") => {}
                _ => continue,
            }
            if verb != Some("load") {
                open.remove(&ticket);
            }
            loads.most_at_once = loads.most_at_once.max(open.len());
        }
        loads
    }
}
