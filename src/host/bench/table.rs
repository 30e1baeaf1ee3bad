//! The results as a table for people and as JSON for programs.

use super::figures::Figures;
use super::results::{Results, Row};
use serde_json::{Value, json};
use std::fmt::Write;

/// The table. Columns are as wide as what stands in them.
pub fn text(results: &Results) -> String {
    let head = [
        "",
        "ms",
        "x floor",
        "spread ms",
        "unpack ms",
        "image KiB",
        "free MiB",
        "left KiB",
        "modules",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    for row in &results.rows {
        rows.push(match row.best() {
            Some(best) => cells(results, row, best),
            None => vec![row.name.into(), "failed".into()],
        });
    }
    let mut out = format!(
        "kernel {}, root on ext4 on virtio-blk, best of {}, {}\n\n",
        results.version,
        results.wanted,
        results.clock()
    );
    out.push_str(&aligned(&rows));
    out.push_str(NOTES);
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
unpack: the kernel's, before that; image: with zstd -19; free: memory when the real init starts
left: what is left of the initramfs in memory by then
";

fn cells(results: &Results, row: &Row, best: &Figures) -> Vec<String> {
    let spread = row.spread().unwrap_or(0);
    let mib =
        |kib: Option<u64>| kib.map_or("-".into(), |kib| format!("{:.1}", kib as f64 / 1024.0));
    let left = best.left_bytes;
    vec![
        row.name.into(),
        ms(best.initramfs),
        results
            .of_floor(row)
            .map_or("-".into(), |x| format!("{x:.3}")),
        ms(spread),
        best.unpack.map_or("-".into(), ms),
        row.image_bytes.div_ceil(1024).to_string(),
        mib(best.memory_free_kib),
        left.map_or("-".into(), |bytes| bytes.div_ceil(1024).to_string()),
        best.modules.map_or("-".into(), |n| n.to_string()),
    ]
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
    json!({
        "name": row.name,
        "image_bytes": row.image_bytes,
        "best": row.best().map(json_run),
        "of_floor": results.of_floor(row),
        "spread_ns": row.spread(),
        "runs": runs,
        "failed": row.failed,
    })
}

fn json_run(run: &Figures) -> Value {
    json!({
        "initramfs_ns": run.initramfs,
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
