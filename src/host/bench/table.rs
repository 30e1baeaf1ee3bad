//! The results as a table for people and as JSON for programs.

use super::discipline::Discipline;
use super::figures::{Figures, Moments};
use super::results::{Results, Row};
use super::setting::FILE_SYSTEM;
use serde_json::{Value, json};
use std::fmt::Write;

/// The table. Columns are as wide as what stands in them.
pub fn text(results: &Results) -> String {
    let mut rows = vec![head(results.discipline)];
    for row in &results.rows {
        rows.push(match row.best() {
            Some(best) => cells(results, row, best),
            None => vec![row.name.into(), "failed".into()],
        });
    }
    let mut out = format!(
        "kernel {}, root on {FILE_SYSTEM} {}, best of {}, {}\n\n",
        results.version,
        results.discipline.place(),
        results.wanted,
        results.clock()
    );
    out.push_str(&aligned(&rows));
    out.push_str(match results.discipline {
        Discipline::Disk => NOTES,
        Discipline::Network => NETWORK_NOTES,
    });
    out.push_str(COMMON_NOTES);
    for (name, why) in &results.left_out {
        let _ = writeln!(out, "{name} is left out: {why}");
    }
    for row in results.rows.iter().filter(|row| row.failed.is_some()) {
        let why = row.failed.as_deref().unwrap_or_default();
        let _ = writeln!(out, "{} failed: {why}", row.name);
    }
    out
}

const NOTES: &str = "
ms: from the kernel's start of /init to the real init, without idle waits for this machine's disk
spread: how much longer the longest run was
";
const NETWORK_NOTES: &str = "
link-root ms: from the card's link to the mounted root, by the kernel's log
median: of all runs; spread: how much longer the longest run was
all ms: from the kernel's start of /init to the real init, in the run with the best link-root
";
const COMMON_NOTES: &str = "\
unpack: the kernel's, before that; image: with zstd -19; free: memory when the real init starts
left: what is left of the initramfs in memory by then
";

fn head(discipline: Discipline) -> Vec<String> {
    let times: &[&str] = match discipline {
        Discipline::Disk => &["ms", "x floor", "spread ms"],
        Discipline::Network => &[
            "link-root ms",
            "x landfall",
            "median ms",
            "spread ms",
            "all ms",
        ],
    };
    let facts: &[&str] = &["unpack ms", "image KiB", "free MiB", "left KiB", "modules"];
    let words = [&[""], times, facts].concat();
    words.into_iter().map(String::from).collect()
}

fn cells(results: &Results, row: &Row, best: &Figures) -> Vec<String> {
    let time = |ns: Option<u64>| ns.map_or("-".into(), ms);
    let mib =
        |kib: Option<u64>| kib.map_or("-".into(), |kib| format!("{:.1}", kib as f64 / 1024.0));
    let left = best.left_bytes;
    let mut cells = vec![row.name.into(), ms(best.compared())];
    let times = results.of_base(row);
    cells.push(times.map_or("-".into(), |x| format!("{x:.3}")));
    if results.discipline == Discipline::Network {
        cells.push(time(row.median()));
    }
    cells.push(time(row.spread()));
    if results.discipline == Discipline::Network {
        cells.push(ms(best.initramfs));
    }
    cells.extend([
        time(best.unpack),
        row.image_bytes.div_ceil(1024).to_string(),
        mib(best.memory_free_kib),
        left.map_or("-".into(), |bytes| bytes.div_ceil(1024).to_string()),
        best.modules.map_or("-".into(), |n| n.to_string()),
    ]);
    cells
}

/// The first column to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (number, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match number {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// Nanoseconds as milliseconds with one digit.
pub fn ms(ns: u64) -> String {
    format!("{:.1}", ns as f64 / 1e6)
}

/// Everything, times in nanoseconds.
pub fn json(results: &Results) -> String {
    let rows: Vec<Value> = results
        .rows
        .iter()
        .map(|row| json_row(results, row))
        .collect();
    let left_out = results.left_out.iter();
    let left_out: Vec<Value> = left_out
        .map(|(name, why)| json!({ "name": name, "why": why }))
        .collect();
    let all = json!({
        "root": results.discipline.place(),
        "kernel": results.version,
        "compiler": results.compiler,
        "cpus": results.cpus,
        "runs_wanted": results.wanted,
        "contestants": rows,
        "left_out": left_out,
    });
    format!("{all:#}\n")
}

fn json_row(results: &Results, row: &Row) -> Value {
    let runs: Vec<Value> = row.runs.iter().map(json_run).collect();
    let base = format!("of_{}", results.discipline.base());
    json!({
        "name": row.name,
        "words": row.words,
        "image_bytes": row.image_bytes,
        "best": row.best().map(json_run),
        base: results.of_base(row),
        "median_ns": row.median(),
        "spread_ns": row.spread(),
        "runs": runs,
        "failed": row.failed,
    })
}

fn json_run(run: &Figures) -> Value {
    json!({
        "initramfs_ns": run.initramfs,
        "link_ns": run.moments.map(|moments| moments.link),
        "mounted_ns": run.moments.map(|moments| moments.mounted),
        "link_to_root_ns": run.moments.map(Moments::link_to_root),
        "disk_wait_ns": run.disk_wait,
        "unpack_ns": run.unpack,
        "total_ns": run.total,
        "memory_free_kib": run.memory_free_kib,
        "memory_available_kib": run.memory_available_kib,
        "modules": run.modules,
        "last_pid": run.last_pid,
        "strangers": run.strangers,
        "left_entries": run.left_entries,
        "left_bytes": run.left_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let row = |name, times: &[u64]| {
            let mut row = Row::new(name, "x".into(), 2049);
            row.runs = times
                .iter()
                .map(|&initramfs| Figures {
                    initramfs,
                    memory_free_kib: Some(1536),
                    ..Figures::default()
                })
                .collect();
            row
        };
        let mut broken = row("busybox", &[]);
        broken.failed = Some("it fell over".into());
        Results {
            discipline: Discipline::Disk,
            version: "6.1.0".into(),
            compiler: "cc",
            wanted: 2,
            cpus: None,
            rows: vec![
                row("floor", &[500_000_000, 400_000_000]),
                row("landfall", &[300_000_000]),
                broken,
            ],
            left_out: vec![("dracut", "no such thing".into())],
        }
    }

    #[test]
    fn the_best_run_counts_and_what_is_missing_is_said() {
        let text = text(&results());
        let expected = "
           ms  x floor  spread ms  unpack ms  image KiB  free MiB  left KiB  modules
floor      400.0    1.000      100.0          -          3       1.5         -        -
landfall   300.0    0.750        0.0          -          3       1.5         -        -
busybox   failed
";
        let expected = expected.replace("\n           ms", "\n              ms");
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains("dracut is left out: no such thing\n"));
        assert!(text.contains("busybox failed: it fell over\n"));
    }

    #[test]
    fn roots_on_servers_are_compared_from_link_to_mount() {
        let mut results = results();
        results.discipline = Discipline::Network;
        results.rows.retain(|row| row.name != "floor");
        let run = |mounted| Figures {
            initramfs: 900_000_000,
            moments: Some(Moments {
                link: 100_000_000,
                mounted,
            }),
            ..Figures::default()
        };
        let mut dracut = Row::new("dracut", "x".into(), 1);
        dracut.runs = [700_000_000, 500_000_000, 600_000_000].map(run).to_vec();
        results.rows.push(dracut);
        results.rows[0].runs = vec![run(200_000_000)];
        let text = text(&results);
        let line = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let words = line.unwrap_or_default().split_whitespace().skip(1);
            words.take(5).collect::<Vec<_>>()
        };
        let landfall = ["100.0", "1.000", "100.0", "0.0", "900.0"];
        assert_eq!(line("landfall"), landfall, "{text}");
        let dracut = ["400.0", "4.000", "500.0", "200.0", "900.0"];
        assert_eq!(line("dracut  "), dracut, "{text}");
        assert!(text.contains(", root on ext4 on NBD, "), "{text}");
        let value: Value = serde_json::from_str(&json(&results)).unwrap();
        let dracut = &value["contestants"][2];
        assert_eq!(dracut["of_landfall"], 4.0);
        assert_eq!(dracut["median_ns"], 500_000_000);
        assert_eq!(dracut["best"]["link_to_root_ns"], 400_000_000);
    }

    #[test]
    fn programs_get_every_run_in_nanoseconds() {
        let value: Value = serde_json::from_str(&json(&results())).unwrap();
        let floor = &value["contestants"][0];
        assert_eq!(floor["best"]["initramfs_ns"], 400_000_000);
        assert_eq!(floor["runs"][0]["initramfs_ns"], 500_000_000);
        assert_eq!(floor["spread_ns"], 100_000_000);
        assert_eq!(value["contestants"][1]["of_floor"], 0.75);
        assert_eq!(value["contestants"][2]["failed"], "it fell over");
        assert_eq!(value["left_out"][0]["name"], "dracut");
    }
}
