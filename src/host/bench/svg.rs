//! The results as a picture: one row for each contestant around the moment when the kernel starts
//! /init. To the right the time until the real init, to the left what the kernel spent on unpacking
//! the image. Every bar says its own figure, so there is no scale and no legend to look up. Where
//! root is on a server, what is before the link and after the mount of root is paler.
//!
//! Source: W3C Scalable Vector Graphics 1.1.

use super::contestants::Contestant;
use super::discipline::Discipline;
use super::figures::Figures;
use super::results::{Results, Row};
use super::setting::FILE_SYSTEM;
use super::table::ms;
use crate::host::chart_svg::{INK, SOFT, plain};
use std::fmt::Write;

const WIDTH: f64 = 1280.0;
const MARGIN: f64 = 28.0;
/// Where the longest bars end, to the left and to the right: room for names and figures is kept.
const LEFT: f64 = 470.0;
const RIGHT: f64 = 930.0;
/// The right edge of what stands behind the bars.
const FACTS: f64 = WIDTH - MARGIN;
const TOP: f64 = 150.0;
const ROW: f64 = 46.0;
const BAR: f64 = 20.0;

const OWN_NAME: &str = "landfall";
const OWN: &str = "#ea580c";
const FLOOR: &str = "#0d9488";
const OTHER: &str = "#64748b";
const UNPACK: &str = "#cbd5e1";
/// How much is seen of what is not compared.
const PALE: &str = "0.35";
const WRONG: &str = "#dc2626";

/// The picture of `results`, as an SVG document.
pub fn draw(results: &Results) -> String {
    let height = TOP + results.rows.len() as f64 * ROW + 64.0;
    let mut drawing = Drawing {
        results,
        scale: Scale::of(results),
        bottom: TOP + results.rows.len() as f64 * ROW,
        svg: String::new(),
    };
    drawing.head();
    drawing.floor_line();
    for (number, row) in drawing.sorted().into_iter().enumerate() {
        drawing.row(row, TOP + number as f64 * ROW);
    }
    drawing.foot();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, 'Segoe UI', 'Noto Sans', \
         'DejaVu Sans', Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"{INK}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
        drawing.svg
    )
}

/// Nanoseconds to places. `zero` is where the kernel starts /init.
struct Scale {
    zero: f64,
    per_ns: f64,
}

impl Scale {
    fn of(results: &Results) -> Self {
        let best = || results.rows.iter().filter_map(Row::best);
        let unpack = best().filter_map(|b| b.unpack).max().unwrap_or(0) as f64;
        let initramfs = best().map(|b| b.initramfs).max().unwrap_or(0) as f64;
        let per_ns = (RIGHT - LEFT) / (unpack + initramfs).max(1.0);
        Self {
            zero: LEFT + unpack * per_ns,
            per_ns,
        }
    }

    fn wide(&self, ns: u64) -> f64 {
        ns as f64 * self.per_ns
    }
}

struct Drawing<'a> {
    results: &'a Results,
    scale: Scale,
    bottom: f64,
    svg: String,
}

impl<'a> Drawing<'a> {
    /// The quickest first; who did not arrive, last.
    fn sorted(&self) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = self.results.rows.iter().collect();
        rows.sort_by_key(|row| row.best().map_or(u64::MAX, |best| best.initramfs));
        rows
    }

    fn text(&mut self, x: f64, y: f64, style: &str, text: &str) {
        let text = plain(text);
        let _ = writeln!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{text}</text>"
        );
    }

    fn bar(&mut self, x: f64, y: f64, width: f64, style: &str) {
        let width = width.max(1.0);
        let _ = writeln!(
            self.svg,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{BAR}\" rx=\"2\" {style}/>"
        );
    }

    /// What the initramfs took; the part that is compared stands out.
    fn bars(&mut self, best: &Figures, y: f64, fill: &str) {
        let (zero, all) = (self.scale.zero, self.scale.wide(best.initramfs));
        let Some(moments) = best.moments else {
            return self.bar(zero, y, all, &format!("fill=\"{fill}\""));
        };
        let pale = format!("fill=\"{fill}\" fill-opacity=\"{PALE}\"");
        self.bar(zero, y, all, &pale);
        let (from, wide) = (moments.link, moments.link_to_root());
        let (x, wide) = (zero + self.scale.wide(from), self.scale.wide(wide));
        self.bar(x, y, wide, &format!("fill=\"{fill}\""));
    }

    fn line(&mut self, x: f64, from: f64, style: &str) {
        let to = self.bottom;
        let _ = writeln!(
            self.svg,
            "<line x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\" {style}/>"
        );
    }

    fn head(&mut self) {
        let big = "font-size=\"24\" font-weight=\"600\"";
        self.text(MARGIN, 46.0, big, &title(self.results));
        let second = format!(
            "Kernel {}, the same {FILE_SYSTEM} {} for all, {}. Best of {}.",
            self.results.version,
            self.results.discipline.place(),
            self.results.clock(),
            self.results.wanted
        );
        self.text(MARGIN, 72.0, "", &second);
        let zero = self.scale.zero;
        let y = TOP - 34.0;
        let style = format!("text-anchor=\"end\" fill=\"{SOFT}\"");
        self.text(zero - 10.0, y, &style, "the kernel unpacks the image ◀");
        let style = format!("fill=\"{SOFT}\"");
        self.text(
            zero + 10.0,
            y,
            &style,
            "▶ the initramfs works, until the real init starts",
        );
        let style = format!("text-anchor=\"end\" fill=\"{SOFT}\"");
        self.text(FACTS, y, &style, "image · memory free then");
        self.line(zero, TOP - 26.0, &format!("stroke=\"{INK}\""));
    }

    /// Where everybody would be who had to find out nothing.
    fn floor_line(&mut self) {
        if let Some(floor) = self.floor().and_then(Row::best) {
            let x = self.scale.zero + self.scale.wide(floor.initramfs);
            let style = format!("stroke=\"{FLOOR}\" stroke-dasharray=\"3 4\"");
            self.line(x, TOP - 8.0, &style);
        }
    }

    fn floor(&self) -> Option<&'a Row> {
        let disk = self.results.discipline == Discipline::Disk;
        self.results.base().filter(|_| disk)
    }

    fn row(&mut self, row: &Row, y: f64) {
        let own = row.name.starts_with(OWN_NAME);
        let weight = if own { "font-weight=\"700\"" } else { "" };
        self.text(
            MARGIN,
            y + 15.0,
            &format!("font-size=\"15\" {weight}"),
            row.name,
        );
        let about = Contestant::ALL.iter().find(|c| c.name() == row.name);
        let about = about.map_or("", |c| c.about(self.results.discipline));
        let style = format!("font-size=\"11\" fill=\"{SOFT}\"");
        self.text(MARGIN, y + 31.0, &style, about);
        let Some(best) = row.best() else {
            let style = format!("fill=\"{WRONG}\"");
            self.text(
                self.scale.zero + 10.0,
                y + 15.0,
                &style,
                "did not reach the real init",
            );
            return;
        };
        let fill = match row.name {
            _ if own => OWN,
            name if name.starts_with("floor") => FLOOR,
            _ => OTHER,
        };
        let zero = self.scale.zero;
        if let Some(unpack) = best.unpack {
            let x = zero - self.scale.wide(unpack);
            self.bar(x, y, zero - x, &format!("fill=\"{UNPACK}\""));
            let style = format!("text-anchor=\"end\" fill=\"{SOFT}\"");
            self.text(x - 7.0, y + 15.0, &style, &format!("{} ms", ms(unpack)));
        }
        let wide = self.scale.wide(best.initramfs);
        self.bars(best, y, fill);
        let mut figure = format!("{} ms", ms(best.compared()));
        if let Some(times) = self.results.of_base(row) {
            let _ = write!(figure, " · {times:.2} × {}", self.results.discipline.base());
        }
        // A white edge keeps the floor's line out of the letters.
        let style = format!(
            "{weight} stroke=\"#ffffff\" stroke-width=\"4\" paint-order=\"stroke\" \
             stroke-linejoin=\"round\""
        );
        self.text(zero + wide + 8.0, y + 15.0, &style, &figure);
        let facts = facts(row, best.memory_free_kib);
        self.text(
            FACTS,
            y + 15.0,
            &format!("text-anchor=\"end\" fill=\"{SOFT}\""),
            &facts,
        );
    }

    fn foot(&mut self) {
        let mut y = self.bottom + 28.0;
        let style = format!("fill=\"{SOFT}\"");
        if self.results.discipline == Discipline::Network {
            let text = "Full colour, and the figures: from the card's link to the mounted root.";
            self.text(MARGIN, y, &style, text);
            y += 20.0;
        }
        if self.floor().is_some() {
            let text = "Dotted: the floor, an init that knows every answer before it starts.";
            self.text(MARGIN, y, &style, text);
            y += 20.0;
        }
        let names: Vec<&str> = self.results.left_out.iter().map(|out| out.0).collect();
        if !names.is_empty() {
            let text = format!("Left out, as something was missing: {}.", names.join(", "));
            self.text(MARGIN, y, &style, &text);
        }
    }
}

/// What is to be seen, where there is something to compare.
fn title(results: &Results) -> String {
    let own = results.rows.iter().find(|row| row.name == OWN_NAME);
    let took = own.and_then(Row::best).map(|best| ms(best.compared()));
    if let (Some(took), Discipline::Network) = (&took, results.discipline) {
        return format!("landfall mounts a root on a server {took} ms after the link is up");
    }
    match (took, own.and_then(|own| results.of_base(own))) {
        (Some(took), Some(times)) => {
            format!("landfall reaches the real init in {took} ms: {times:.2} × the floor")
        }
        _ => "From the start of /init to the real init".into(),
    }
}

/// `729 KiB · 425 MiB free`.
fn facts(row: &Row, free_kib: Option<u64>) -> String {
    let kib = row.image_bytes.div_ceil(1024);
    let size = match kib {
        0..10_000 => format!("{kib} KiB"),
        _ => format!("{:.1} MiB", kib as f64 / 1024.0),
    };
    match free_kib {
        Some(free) => format!("{size} · {:.1} MiB", free as f64 / 1024.0),
        None => size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::bench::figures::Moments;

    fn results() -> Results {
        let mut results = Results {
            discipline: Discipline::Disk,
            version: "6.1.0 & <more>".into(),
            compiler: "cc",
            wanted: 3,
            cpus: None,
            rows: Vec::new(),
            left_out: vec![("dracut", "no such thing".into())],
        };
        for (name, initramfs) in [("dracut", 900), ("floor", 300), ("landfall", 330)] {
            let mut row = Row::new(name, "x".into(), 1 << 20);
            row.runs.push(Figures {
                initramfs: initramfs * 1_000_000,
                unpack: Some(100_000_000),
                ..Figures::default()
            });
            results.rows.push(row);
        }
        results
    }

    #[test]
    fn every_bar_says_its_own_figure_and_the_quickest_comes_first() {
        let svg = draw(&results());
        let place = |text: &str| {
            svg.find(text)
                .unwrap_or_else(|| panic!("no {text} in {svg}"))
        };
        assert!(place("330.0 ms · 1.10 × floor") < place("900.0 ms · 3.00 × floor"));
        assert!(place(">floor<") < place(">landfall<"));
        assert_eq!(svg.matches("class=\"bar\"").count(), 6);
        assert!(svg.contains("in 330.0 ms: 1.10 × the floor<"));
        assert!(svg.contains("6.1.0 &amp; &lt;more&gt;"));
        assert!(svg.contains("Left out, as something was missing: dracut."));
    }

    #[test]
    fn what_is_compared_of_a_root_on_a_server_stands_out() {
        let mut results = results();
        results.discipline = Discipline::Network;
        for row in &mut results.rows {
            let end = row.runs[0].initramfs;
            row.runs[0].moments = Some(Moments {
                link: end / 3,
                mounted: end / 2,
            });
        }
        let svg = draw(&results);
        // Unpacked, all, and the part.
        assert_eq!(svg.matches("class=\"bar\"").count(), 9);
        assert_eq!(svg.matches("fill-opacity").count(), 3);
        assert!(svg.contains(">150.0 ms · 2.73 × landfall<"), "{svg}");
        assert!(svg.contains("55.0 ms after the link is up<"), "{svg}");
        assert!(!svg.contains("Dotted"), "{svg}");
    }

    #[test]
    fn bars_keep_the_room_of_the_figures_free() {
        let results = results();
        let scale = Scale::of(&results);
        let ends = scale.zero + scale.wide(900_000_000);
        assert!((ends - RIGHT).abs() < 0.01, "{ends}");
        let begins = scale.zero - scale.wide(100_000_000);
        assert!((begins - LEFT).abs() < 0.01, "{begins}");
    }

    #[test]
    fn who_did_not_arrive_is_last_and_said_to_be() {
        let mut results = results();
        results.rows[1].runs.clear();
        let svg = draw(&results);
        let at = svg.find("did not reach the real init").unwrap();
        assert!(svg.find(">landfall<").unwrap() < at);
        assert!(!svg.contains("× floor"));
    }
}
