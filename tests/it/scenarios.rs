//! Scenarios: for these events, are these the actions?
//!
//! Each file under `tests/scenarios/` is a trace: `TIME < EVENT` is told, `TIME > ACTION` must
//! follow. `#` begins a comment. What is only said (`say`, `page`) is compared in files that hold
//! such lines. `LANDFALL_BLESS=1` rewrites the `>` lines from what the plan does: read the diff.

use landfall::base::millis::Millis;
use landfall::plan::action::Action;
use landfall::plan::{Plan, trace, trace_read};
use std::fs;
use std::path::{Path, PathBuf};

/// The file as it would be if the plan's answers were right, compared with the file as it is.
fn replay(text: &str, name: &Path) -> String {
    let mut plan = Plan::new();
    let mut out = String::new();
    let spoken = text.contains(" > say ") || text.contains(" > page ");
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", name.display(), number + 1);
        if line.is_empty() || line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let (time, rest) = line
            .split_once(' ')
            .unwrap_or_else(|| panic!("{place}: no time"));
        let now = Millis(
            time.parse()
                .unwrap_or_else(|_| panic!("{place}: {time} is no time")),
        );
        if rest.starts_with("> ") {
            continue;
        }
        let told = rest
            .strip_prefix("< ")
            .unwrap_or_else(|| panic!("{place}: neither < nor >"));
        let event = trace_read::event(told).unwrap_or_else(|| panic!("{place}: not understood"));
        if told == "timer" {
            let due = plan.deadline();
            assert!(
                due.is_some_and(|d| d <= now),
                "{place}: timer, but due is {due:?}"
            );
        }
        out.push_str(line);
        out.push('\n');
        for action in plan.handle(now, event) {
            let silent = matches!(action, Action::Say { .. } | Action::Page { .. });
            if spoken || !silent {
                out.push_str(&trace::action_record(now, &action));
                out.push('\n');
            }
        }
        let due = plan.deadline();
        assert!(
            due.is_none_or(|d| d > now),
            "{place}: due {due:?} is not in the future"
        );
    }
    out
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "txt"));
    files.sort();
    files
}

#[test]
fn every_scenario_is_answered_as_written() {
    let files = files();
    assert!(files.len() >= 5, "the scenarios are gone");
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let answered = replay(&text, &file);
        if std::env::var_os("LANDFALL_BLESS").is_some() {
            fs::write(&file, &answered).unwrap();
        } else if answered != text {
            let first = answered.lines().zip(text.lines()).find(|(a, b)| a != b);
            wrong.push(format!("{}: {first:#?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "answered, written:\n{}", wrong.join("\n"));
}
