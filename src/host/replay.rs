//! `landfall replay`: tells the plan what a trace says happened, and compares what it wants now
//! with what it wanted then.

use crate::base::millis::Millis;
use crate::host::chart::read_trace;
use crate::host::failure::Failure;
use crate::host::output;
use crate::plan::action::Action;
use crate::plan::{Plan, trace, trace_read};
use lexopt::Arg;
use std::path::PathBuf;
use std::process::ExitCode;

pub const HELP: &str = "\
Replays a trace: would landfall decide the same again?

Usage: landfall replay TRACE

TRACE is a file as each boot leaves it in /run/landfall/trace; '-' is standard input. What
happened ('TIME < EVENT') is told to the plan of this version; where what it wants differs from
the 'TIME > ACTION' lines, both are shown. What is only said is compared if the trace has it.

exit status
  0  the same
  1  there are differences, or the file cannot be read
  2  the command line is wrong
";

/// What came of a replay.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    pub events: usize,
    pub actions: usize,
    /// Lines for a person: the place, then `-` what the trace has and `+` what is wanted now.
    pub differences: Vec<String>,
}

/// Replays a whole trace. `Err`: the line (from 1) that is none.
pub fn replay(text: &str) -> Result<Replayed, (usize, String)> {
    let spoken = text.contains(" > say ") || text.contains(" > page ");
    let mut out = Replayed::default();
    let mut plan = Plan::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = number.saturating_add(1);
        let bad = |what: &str| (place, format!("{what} in '{:.60}'", shown(line)));
        let (time, told) = line.split_once(" < ").ok_or_else(|| bad("no event"))?;
        let now = time.parse().map(Millis).map_err(|_| bad("no time"))?;
        let event = trace_read::event(told).ok_or_else(|| bad("not understood"))?;
        let mut then: Vec<&str> = Vec::new();
        let silent = |line: &str| line.is_empty() || line.starts_with('#');
        while let Some((_, next)) = lines.next_if(|(_, l)| l.contains(" > ") || silent(l)) {
            then.extend(Some(next).filter(|next| !silent(next)));
        }
        let mut wanted = plan.handle(now, event);
        wanted.retain(|a| spoken || !matches!(a, Action::Say { .. } | Action::Page { .. }));
        let wanted: Vec<String> = wanted
            .iter()
            .map(|a| trace::action_record(now, a))
            .collect();
        out.events = out.events.saturating_add(1);
        out.actions = out.actions.saturating_add(wanted.len());
        if wanted != then {
            out.differences
                .push(format!("line {place}: {}", shown(line)));
            out.differences.extend(compare(&then, &wanted));
        }
    }
    Ok(out)
}

/// A line of the file without what a terminal would obey.
fn shown(line: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    line.chars().take(2000).map(plain).collect()
}

/// Lines that only one side has; if both have the same lines, all of them in their order.
fn compare(then: &[&str], wanted: &[String]) -> Vec<String> {
    let gone = then.iter().filter(|t| !wanted.iter().any(|w| w == *t));
    let new = wanted.iter().filter(|w| !then.contains(&w.as_str()));
    let mut lines: Vec<String> = gone.map(|t| format!("  - {}", shown(t))).collect();
    lines.extend(new.map(|w| format!("  + {w}")));
    if lines.is_empty() {
        lines.extend(then.iter().map(|t| format!("  - {}", shown(t))));
        lines.extend(wanted.iter().map(|w| format!("  + {w}")));
    }
    lines
}

/// `args` stands after the word `replay`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut path = None;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return output::print(HELP),
            Arg::Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let path = path.ok_or_else(|| {
        Failure::usage("no trace given; usage: landfall replay TRACE (see --help)")
    })?;
    let replayed = replay(&read_trace(&path)?).map_err(|(line, what)| {
        let place = path.display();
        Failure::new(format!("{place}, line {line}: {what}: this is no trace"))
    })?;
    let (events, actions) = (replayed.events, replayed.actions);
    if replayed.differences.is_empty() {
        let text = format!("the same: {events} events lead to the same {actions} actions\n");
        return output::print(&text);
    }
    let mut text = replayed.differences.join("\n");
    text.push_str(
        "\nit differs: '-' is what the trace has, '+' what this version wants; \
                   what comes after the first difference may follow from it\n",
    );
    output::print(&text)?;
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_with_their_place() {
        let trace =
            "0 < boot root=/dev/vda\n0 > walk 1 likely\n# x\n0 < walked 1\n0 > walk 2 all\n";
        let same = replay(trace).unwrap();
        assert_eq!((same.events, same.actions), (2, 2));
        assert_eq!(same.differences, [""; 0]);
        let other = replay(&trace.replace("walk 1", "walk 9")).unwrap();
        let expected = [
            "line 1: 0 < boot root=/dev/vda",
            "  - 0 > walk 9 likely",
            "  + 0 > walk 1 likely",
        ];
        assert_eq!(other.differences, expected);
    }

    #[test]
    fn lines_that_are_no_trace_are_named() {
        for (text, line) in [("x", 1), ("0 < boot \nrubbish", 2), ("0 < what", 1)] {
            assert_eq!(replay(text).unwrap_err().0, line, "{text}");
        }
    }
}
