//! `landfall chart`: the picture is well-formed, complete, and nothing in it covers other things.

use super::{stderr, stdout};
use crate::small_tree::{Scratch, landfall};
use landfall::host::chart::svg;
use std::fs;
use std::path::Path;

/// One element: name, attributes, and the text directly inside.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    fn number(&self, name: &str) -> f64 {
        let text = self.attribute(name);
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} in {self:?}"))
    }
}

/// Reads a document of elements, quoted attributes and text; panics where it is not well-formed.
fn elements(document: &str) -> Vec<Element> {
    let (mut all, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut rest = document.trim_end();
    while let Some((text, tail)) = rest.split_once('<') {
        check_text(text);
        if let Some(&inside) = open.last() {
            all[inside].text.push_str(text);
        }
        let (tag, after) = tail.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().expect("something is open");
            assert_eq!(all[closed].name, name);
        } else {
            assert!(!open.is_empty() || all.is_empty(), "one root element");
            let body = tag.strip_suffix('/').unwrap_or(tag);
            all.push(element(body));
            if body == tag {
                open.push(all.len() - 1);
            }
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.is_empty(), "open: {open:?}, {rest}");
    all
}

fn element(body: &str) -> Element {
    let (name, mut rest) = body.split_once(' ').unwrap_or((body, ""));
    let mut attributes: Vec<(String, String)> = Vec::new();
    while let Some((key, tail)) = rest.trim_start().split_once("=\"") {
        let (value, after) = tail.split_once('"').expect("a value ends");
        check_text(value);
        assert!(
            attributes.iter().all(|(k, _)| k != key),
            "{key} twice: {body}"
        );
        attributes.push((key.into(), value.into()));
        rest = after;
    }
    assert!(rest.trim().is_empty(), "{rest} in {body}");
    Element {
        name: name.into(),
        attributes,
        text: String::new(),
    }
}

fn check_text(text: &str) {
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(odd) && !text.contains('>'), "{text}");
    for entity in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;"];
        assert!(known.iter().any(|k| entity.starts_with(k)), "&{entity}");
    }
}

/// Actions that are jobs: those with a ticket, but for lookups.
fn jobs_of(trace: &str) -> usize {
    let verbs = trace.lines().filter_map(|line| line.split_once(" > "));
    let quiet = [
        "resolve",
        "say",
        "page",
        "reply",
        "end",
        "reboot",
        "watch-drives",
        "leave-shutdown",
        "fallback",
        "show",
    ];
    let verbs = verbs.filter_map(|(_, action)| action.split(' ').next());
    verbs.filter(|verb| !quiet.contains(verb)).count()
}

/// Where a label begins and ends, guessed at the width of narrow letters, and its line.
fn place(label: &Element) -> (f64, f64, f64) {
    let wide = label.text.chars().count() as f64 * 6.0;
    let x = label.number("x");
    let start = match label.attribute("text-anchor") {
        "end" => x - wide,
        "middle" => x - wide / 2.0,
        _ => x,
    };
    (start, start + wide, label.number("y"))
}

fn check(trace: &str, name: &str) {
    let all = elements(&svg(trace));
    let of = |class: &str| -> Vec<&Element> {
        all.iter()
            .filter(|e| e.attribute("class") == class)
            .collect()
    };
    let (width, height) = (all[0].number("width"), all[0].number("height"));
    let (bars, labels) = (of("job"), of("label"));
    assert_eq!(bars.len(), jobs_of(trace), "{name}");
    assert_eq!(labels.len(), bars.len(), "{name}");
    let mut rows: Vec<f64> = bars.iter().map(|bar| bar.number("y")).collect();
    rows.sort_by(f64::total_cmp);
    assert!(
        rows.windows(2).all(|w| w[1] - w[0] > 15.0),
        "{name}: rows meet"
    );
    for bar in &bars {
        let (x, wide) = (bar.number("x"), bar.number("width"));
        assert!(x >= 249.9 && x + wide <= width - 36.0, "{name}: {bar:?}");
        let y = bar.number("y");
        let groups = of("group");
        let within = groups
            .iter()
            .filter(|g| y > g.number("y") && y < g.number("y") + g.number("height"));
        assert_eq!(within.count(), 1, "{name}: {bar:?} belongs to one group");
    }
    let texts: Vec<&Element> = all.iter().filter(|e| e.name == "text").collect();
    for (i, a) in texts.iter().enumerate() {
        let (start, end, y) = place(a);
        let large = a.attribute("font-size") == "24";
        assert!(
            start > 0.0 && (end < width || large) && y < height,
            "{name}: {a:?}"
        );
        for b in texts.iter().skip(i + 1) {
            let (other, until, line) = place(b);
            let meet = (line - y).abs() < 11.0 && other < end && start < until;
            assert!(!meet, "{name}: {a:?} covers {b:?}");
        }
    }
}

#[test]
fn every_scenario_has_a_chart_with_one_bar_for_each_job() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut count = 0;
    for entry in fs::read_dir(scenarios).unwrap() {
        let path = entry.unwrap().path();
        check(
            &fs::read_to_string(&path).unwrap(),
            &path.display().to_string(),
        );
        count += 1;
    }
    assert!(count >= 5, "the scenarios are gone");
}

#[test]
fn odd_traces_still_make_a_picture() {
    check("", "empty");
    check("5 > walk 1\n", "nothing ended");
    let hostile = "0 < boot <&\"'>\\x1b\\x00\\xff ro\n0 > load 1 <&\\x22\\x27>\\x1b\n\
                   1 < load-failed 1 errno=2 text=<&\\x22\\x00>\n2 > hand-over 3 /<b>&\n";
    check(hostile, "hostile");
    let long = "x".repeat(400);
    check(
        &format!("0 < boot {long}\n0 > load 1 {long}\n9 > probe 2 {long}\n"),
        "long",
    );
    check(
        &format!("0 > walk 1\n{} < walked 1\n{0} > walk 2\n", u64::MAX),
        "late",
    );
}

#[test]
fn the_critical_path_leads_from_the_first_job_to_the_hand_over() {
    let trace = include_str!("../../scenarios/virtio_ext4_by_uuid.txt");
    let all = elements(&svg(trace));
    let bold = |e: &&Element| e.attribute("font-weight") == "600";
    let labels = all.iter().filter(|e| e.attribute("class") == "label");
    let critical: Vec<&str> = labels.filter(bold).map(|e| e.text.as_str()).collect();
    let expected = [
        "look at all devices  1 ms",
        "load virtio  4 ms",
        "load virtio_ring  4 ms",
        "load virtio_pci  5 ms",
        "load virtio_blk  6 ms",
        "read vda  1 ms",
        "load crc32c_intel failed: no such hardware",
        "load crc32c_generic  3 ms",
        "load ext4  32 ms",
        "mount vda as ext4  3 ms",
        "look for init on it  1 ms",
        "hand over to /sbin/init",
    ];
    assert_eq!(critical, expected);
    assert!(all.iter().any(|e| e.text == "64 ms to /sbin/init"));
}

#[test]
fn the_chart_is_written_whole_or_not_at_all() {
    let scratch = Scratch::new();
    scratch.write("trace", "0 < boot x\n0 > walk 1\n1 < walked 1\n");
    let drawn = landfall(&scratch.0, &["chart", "trace", "-o", "out.svg"]);
    assert!(drawn.status.success(), "{}", stderr(&drawn));
    let file = fs::read_to_string(scratch.path("out.svg")).unwrap();
    assert_eq!(file, stdout(&landfall(&scratch.0, &["chart", "trace"])));
    scratch.write("rubbish", "hello\n");
    let bad = landfall(&scratch.0, &["chart", "rubbish", "-o", "out.svg"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stderr(&bad).contains("nothing to draw"));
    assert_eq!(fs::read_to_string(scratch.path("out.svg")).unwrap(), file);
}
