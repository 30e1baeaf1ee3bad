//! Draws the boot chart: one bar for each job in a row of its own, rows grouped by what they were
//! for, lines from what was waited for to what waited. Labels stand beside bars, where they cannot
//! meet; a line behind a label is interrupted by a white edge around the letters.
//!
//! Source: W3C Scalable Vector Graphics 1.1.

use crate::host::chart_axis::Axis;
use crate::host::chart_jobs::{Job, Jobs, Kind, Verdict};
use std::fmt::Write;

const WIDTH: f64 = 1280.0;
/// The plot's left and right edge.
const LEFT: f64 = 250.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 138.0;
const ROW: f64 = 23.0;
const BAR: f64 = 13.0;
const GROUP_GAP: f64 = 12.0;
/// A generous guess at the width of a letter of the labels.
const LETTER: f64 = 6.7;
/// Jobs of no time are seen all the same.
const THIN: f64 = 3.0;

pub const INK: &str = "#1f2937";
pub const SOFT: &str = "#6b7280";
const LINE: &str = "#e5e7eb";
const THREAD: &str = "#ea580c";
const WRONG: &str = "#dc2626";
const LANDED: &str = "#7c3aed";

/// The chart of a trace, as an SVG document.
pub fn draw(jobs: &Jobs) -> String {
    let end = jobs.last.saturating_sub(jobs.first);
    let since = |at: u64| at.saturating_sub(jobs.first);
    let busy: Vec<_> = jobs
        .all
        .iter()
        .map(|j| (since(j.start), since(j.end)))
        .collect();
    let mut drawing = Drawing {
        jobs,
        axis: Axis::new(&busy, end, LEFT, RIGHT - LEFT),
        rows: vec![0.0; jobs.all.len()],
        bottom: TOP,
        svg: String::new(),
    };
    let groups = drawing.place();
    let bottom = drawing.bottom;
    let height = bottom + 56.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, 'Segoe UI', 'Noto Sans', \
         'DejaVu Sans', Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"{INK}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    drawing.head();
    drawing.bands(&groups);
    drawing.time();
    drawing.threads(false);
    drawing.threads(true);
    drawing.bars();
    drawing.foot();
    svg.push_str(&drawing.svg);
    svg.push_str("</svg>\n");
    svg
}

struct Drawing<'a> {
    jobs: &'a Jobs,
    axis: Axis,
    /// The middle of each job's row.
    rows: Vec<f64>,
    bottom: f64,
    svg: String,
}

/// A group's title and the top and bottom of its rows.
type Band<'a> = (&'a str, f64, f64);

impl<'a> Drawing<'a> {
    /// Gives every job its row.
    fn place(&mut self) -> Vec<Band<'a>> {
        let mut bands = Vec::new();
        let mut y = TOP;
        let mut order: Vec<usize> = (0..self.jobs.groups.len()).collect();
        let begins = |group: usize| self.jobs.all.iter().position(|j| j.group == group);
        order.sort_by_key(|group| begins(*group));
        for group in order {
            let top = y;
            let of_group = |(_, job): &(usize, &Job)| job.group == group;
            for (i, _) in self.jobs.all.iter().enumerate().filter(of_group) {
                if let Some(row) = self.rows.get_mut(i) {
                    *row = y + ROW / 2.0;
                }
                y += ROW;
            }
            if y > top {
                let title = self.jobs.groups.get(group).map_or("", String::as_str);
                bands.push((title, top, y));
                y += GROUP_GAP;
            }
        }
        self.bottom = y.max(TOP + ROW) - GROUP_GAP;
        bands
    }

    fn x(&self, at: u64) -> f64 {
        self.axis.x(at.saturating_sub(self.jobs.first))
    }

    fn text(&mut self, x: f64, y: f64, style: &str, text: &str) {
        let text = plain(text);
        let _ = writeln!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\"{style}>{text}</text>"
        );
    }

    fn head(&mut self) {
        let jobs = self.jobs;
        let last = jobs.gave_up.unwrap_or(jobs.last);
        let took = last.saturating_sub(jobs.first);
        let title = match &jobs.verdict {
            Verdict::HandedOver(init) => format!("{} to {init}", duration(took)),
            Verdict::GaveUp(why) if why.is_empty() => format!("Gave up after {}", duration(took)),
            Verdict::GaveUp(why) => format!("Gave up after {}: {why}", duration(took)),
            Verdict::Unknown => format!("The first {} of a boot", duration(took)),
        };
        let big = " font-size=\"24\" font-weight=\"600\"";
        self.text(28.0, 44.0, big, &cut(&title, 90));
        let mut second = summary(jobs);
        if jobs.first > 0 {
            let before = duration(jobs.first);
            let _ = write!(second, " The kernel had run for {before} before.");
        }
        self.text(28.0, 68.0, " font-size=\"13\"", &second);
        let asked = cut(&jobs.cmdline, 170);
        self.text(28.0, 88.0, &format!(" fill=\"{SOFT}\""), &asked);
    }

    fn bands(&mut self, groups: &[Band<'_>]) {
        for (title, top, bottom) in groups {
            let (y, height) = (top - 3.0, bottom - top + 6.0);
            let _ = writeln!(
                self.svg,
                "<rect class=\"group\" x=\"16\" y=\"{y:.1}\" width=\"{:.1}\" \
                 height=\"{height:.1}\" rx=\"6\" fill=\"#f8fafc\"/>",
                WIDTH - 32.0
            );
            let style = " font-weight=\"600\" font-size=\"13\"";
            self.text(28.0, top + ROW / 2.0 + 4.5, style, &cut(title, 30));
        }
    }

    /// Marks of the axis, and folds.
    fn time(&mut self) {
        let (top, bottom) = (TOP - 8.0, self.bottom + 6.0);
        let marks = self.axis.marks();
        for ms in marks {
            let x = self.axis.x(ms);
            let _ = writeln!(
                self.svg,
                "<line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" \
                 stroke=\"{LINE}\"/>"
            );
            let style = format!(" fill=\"{SOFT}\" text-anchor=\"middle\"");
            self.text(x, top - 6.0, &style, &duration(ms));
        }
        let folds: Vec<_> = self
            .axis
            .pieces
            .iter()
            .filter(|p| p.folded)
            .copied()
            .collect();
        for fold in folds {
            let (x, height) = (fold.x + 8.0, bottom - top);
            let _ = writeln!(
                self.svg,
                "<rect class=\"fold\" x=\"{x:.1}\" y=\"{top}\" width=\"{:.1}\" \
                 height=\"{height:.1}\" fill=\"#fef3c7\" fill-opacity=\"0.7\"/>",
                fold.width - 16.0
            );
            let middle = fold.x + fold.width / 2.0;
            let style = " fill=\"#92400e\" text-anchor=\"middle\"";
            let text = format!("{} idle", duration(fold.to - fold.from));
            self.text(middle, bottom + 16.0, style, &text);
        }
        self.ending(top, bottom);
    }

    /// The line where the boot landed, or gave up.
    fn ending(&mut self, top: f64, bottom: f64) {
        let (at, colour, what) = match (&self.jobs.verdict, self.jobs.gave_up) {
            (Verdict::HandedOver(_), _) => (self.jobs.last, LANDED, "the real init takes over"),
            (Verdict::GaveUp(_), Some(at)) => (at, WRONG, "gave up"),
            _ => return,
        };
        let x = self.x(at);
        let _ = writeln!(
            self.svg,
            "<line class=\"ending\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" \
             stroke=\"{colour}\" stroke-width=\"2\"/>"
        );
        let style = format!(" fill=\"{colour}\" text-anchor=\"end\" font-weight=\"600\"");
        self.text(x.max(LEFT), bottom + 34.0, &style, what);
    }

    /// Lines from what was waited for to what waited.
    fn threads(&mut self, critical: bool) {
        for (i, job) in self.jobs.all.iter().enumerate() {
            let Some(cause) = job.cause else { continue };
            if job.critical != critical {
                continue;
            }
            let place = |job: usize| self.rows.get(job).copied().unwrap_or(TOP);
            let (y0, y1) = (place(cause.job), place(i));
            let (x0, x1) = (self.x(cause.at), self.x(job.start));
            let down = if y1 > y0 { 1.0 } else { -1.0 };
            let (colour, width) = match critical {
                true => (THREAD, "2"),
                false => ("#9ca3af", "1"),
            };
            let (y0, edge) = (y0 + down * BAR / 2.0, y1 - down * BAR / 2.0);
            let path = match x1 - x0 > 6.0 {
                true => format!("M{x0:.1} {y0:.1}V{y1:.1}H{:.1}", x1 - 5.0),
                false => {
                    let x = x0.max(x1) + 1.0;
                    format!("M{x:.1} {y0:.1}V{:.1}", edge - down * 4.0)
                }
            };
            let dashes = if cause.idle {
                " stroke-dasharray=\"4 4\""
            } else {
                ""
            };
            let _ = writeln!(
                self.svg,
                "<path class=\"waited\" d=\"{path}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"{width}\"{dashes}/>"
            );
            let tip = match x1 - x0 > 6.0 {
                true => format!("M{:.1} {:.1}l6 4l-6 4z", x1 - 6.0, y1 - 4.0),
                false => {
                    let (x, y) = (x0.max(x1) + 1.0, edge);
                    format!("M{x:.1} {y:.1}l-3.5 {0:.1}h7z", -down * 5.5)
                }
            };
            let _ = writeln!(self.svg, "<path d=\"{tip}\" fill=\"{colour}\"/>");
        }
    }

    fn bars(&mut self) {
        let decided = self.jobs.all.iter().any(|j| j.critical);
        for (i, job) in self.jobs.all.iter().enumerate() {
            let y = self.rows.get(i).copied().unwrap_or(TOP);
            let (x0, x1) = (self.x(job.start), self.x(job.end));
            let width = (x1 - x0).max(THIN);
            let strength = match (job.critical, decided) {
                (true, _) => "1",
                (false, true) => "0.38",
                (false, false) => "0.75",
            };
            let fill = match &job.failed {
                Some(_) => WRONG,
                None => colour(job.kind),
            };
            let _ = writeln!(
                self.svg,
                "<rect class=\"job\" x=\"{x0:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
                 height=\"{BAR}\" rx=\"2\" fill=\"{fill}\" fill-opacity=\"{strength}\"/>",
                y - BAR / 2.0
            );
            self.label(job, x0, x0 + width, y + 4.2);
        }
    }

    /// Behind the bar, or before it, or on it: where there is room.
    fn label(&mut self, job: &Job, x0: f64, x1: f64, y: f64) {
        let mut label = job.what.clone();
        match (&job.failed, job.answered) {
            (Some(why), _) => {
                // `load x failed: x: no such device` says one thing twice.
                let name = job.what.rsplit(' ').next().unwrap_or_default();
                let said = why.strip_prefix(name).and_then(|w| w.strip_prefix(": "));
                label.push_str(&format!(" failed: {}", said.unwrap_or(why)));
            }
            (None, true) => label.push_str(&format!("  {}", duration(job.end - job.start))),
            (None, false) if job.kind == Kind::HandOver => {}
            (None, false) => label.push_str("  not ended"),
        }
        let label = cut(&label, 80);
        let wide = label.chars().count() as f64 * LETTER;
        let weight = if job.critical {
            " font-weight=\"600\""
        } else {
            ""
        };
        let ink = if job.failed.is_some() { WRONG } else { INK };
        let halo = " stroke=\"#f8fafc\" stroke-width=\"3\" paint-order=\"stroke\" \
                    stroke-linejoin=\"round\"";
        let (x, anchor, ink, halo) = if x1 + 8.0 + wide <= RIGHT {
            (x1 + 8.0, "start", ink, halo)
        } else if x0 - 10.0 - wide >= LEFT - 10.0 {
            (x0 - 10.0, "end", ink, halo)
        } else {
            (
                x0 + 6.0,
                "start",
                if job.critical { "#ffffff" } else { INK },
                "",
            )
        };
        let style =
            format!(" class=\"label\" text-anchor=\"{anchor}\" fill=\"{ink}\"{halo}{weight}");
        self.text(x, y, &style, &label);
    }

    fn foot(&mut self) {
        let Verdict::HandedOver(_) = self.jobs.verdict else {
            return;
        };
        let y = self.bottom + 40.0;
        let _ = writeln!(
            self.svg,
            "<path d=\"M28 {:.1}H58\" stroke=\"{THREAD}\" stroke-width=\"2\"/>",
            y - 4.0
        );
        let text = "each step waited for the one before: only what lies on this line made the \
                    boot take as long as it did; pale bars ran beside it";
        self.text(66.0, y, &format!(" fill=\"{SOFT}\""), text);
    }
}

fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Walk => "#475569",
        Kind::Load => "#2563eb",
        Kind::Probe => "#0d9488",
        Kind::Mount => "#15803d",
        Kind::HandOver => LANDED,
        Kind::Other => "#a16207",
    }
}

/// Where the time went, in a sentence.
fn summary(jobs: &Jobs) -> String {
    let loaded = |j: &&Job| j.kind == Kind::Load && j.answered && j.failed.is_none();
    let loads = jobs.all.iter().filter(loaded).count();
    let counted = match loads {
        0 => "No module was loaded.".to_string(),
        1 => "1 module was loaded.".to_string(),
        n => format!("{n} modules were loaded."),
    };
    let parts = jobs.breakdown();
    let worked: u64 = parts.iter().map(|(_, ms)| ms).sum();
    let waited = jobs.last.saturating_sub(jobs.first).saturating_sub(worked);
    let parts = parts
        .iter()
        .map(|(kind, ms)| format!("{} {}", activity(*kind), duration(*ms)));
    let waited = (waited >= WORTH_SAYING_MS).then(|| format!("waiting {}", duration(waited)));
    let parts: Vec<String> = parts.chain(waited).collect();
    match worked == 0 {
        true => counted,
        false => format!("Of these: {}. {counted}", parts.join(", ")),
    }
}

/// Shorter pauses are roundings.
const WORTH_SAYING_MS: u64 = 20;

fn activity(kind: Kind) -> &'static str {
    match kind {
        Kind::Walk => "listing devices",
        Kind::Load => "loading modules",
        Kind::Probe => "reading disks",
        Kind::Mount => "mounting root",
        Kind::HandOver => "handing over",
        Kind::Other => "the rest",
    }
}

/// `64 ms`, `1.25 s`, `90 s`.
fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => {
            let seconds = format!("{}.{:02}", ms / 1000, ms % 1000 / 10);
            format!("{} s", seconds.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

fn cut(text: &str, letters: usize) -> String {
    match text.chars().count() > letters {
        true => text.chars().take(letters - 1).chain(['…']).collect(),
        false => text.into(),
    }
}

/// Text of an XML document. Control characters are not allowed in one.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1 s"),
            (1250, "1.25 s"),
            (90_000, "90 s"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }
}
