//! The table of parameters: README's section is made from it, every row names a test that exists,
//! and no command line whatever is more than a wish with complaints.

use crate::tidy::{has_test, rust_files, top};
use landfall::format::cmdline::words;
use landfall::format::params::{PARAMETERS, Parameter};
use landfall::format::wish::Wish;
use std::fmt::Write;
use std::fs;

const BEGIN: &str =
    "<!-- parameters: made from src/format/params.rs; LANDFALL_BLESS=1 rewrites -->\n";
const END: &str = "<!-- end of parameters -->\n";

fn row(parameter: &Parameter) -> String {
    let names: Vec<String> = parameter.names.iter().map(|n| format!("`{n}`")).collect();
    let tests: Vec<String> = parameter.tests.iter().map(|t| format!("`{t}`")).collect();
    let every = if parameter.gathers {
        " Every occurrence counts."
    } else {
        ""
    };
    let cells = [
        names.join(", "),
        parameter.values.into(),
        parameter.default.into(),
        format!("{}{every}", parameter.effect),
        tests.join(", "),
    ];
    format!("| {} |", cells.map(|c| c.replace('|', "\\|")).join(" | "))
}

fn section() -> String {
    let mut text = String::from(
        "\n| Word | Values | Default | Effect | Fail without it |\n|---|---|---|---|---|\n",
    );
    for parameter in PARAMETERS {
        writeln!(text, "{}", row(parameter)).expect("a string takes text");
    }
    text.push('\n');
    text
}

/// `readme` with the text between the marks replaced.
fn with_section(readme: &str, section: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{section}{END}{after}"))
}

#[test]
fn the_readme_shows_the_table_as_it_is() {
    let path = top().join("README.md");
    let readme = fs::read_to_string(&path).expect("README.md is readable");
    let fresh = with_section(&readme, &section()).expect("README.md holds both marks");
    if std::env::var_os("LANDFALL_BLESS").is_some() {
        fs::write(&path, &fresh).expect("README.md is writable");
    } else {
        assert!(
            fresh == readme,
            "README.md is out of date: LANDFALL_BLESS=1 rewrites it"
        );
    }
}

#[test]
fn every_row_names_a_test_that_exists() {
    let files = rust_files();
    assert!(!has_test(&files, "no_such_test"));
    for parameter in PARAMETERS {
        assert!(!parameter.tests.is_empty(), "{:?}", parameter.names);
        for test in parameter.tests {
            let there = has_test(&files, test);
            assert!(there, "{:?}: no test {test}", parameter.names);
        }
    }
}

#[test]
fn every_name_stands_once_and_every_row_says_something() {
    let names: Vec<&str> = PARAMETERS.iter().flat_map(|p| p.names).copied().collect();
    for (n, name) in names.iter().enumerate() {
        let same = |other: &&str| other.replace('-', "_") == name.replace('-', "_");
        assert!(!names[..n].iter().any(same), "`{name}` stands twice");
    }
    for parameter in PARAMETERS {
        let whole = parameter.effect.ends_with('.') && !parameter.default.is_empty();
        assert!(whole, "{:?}: an effect is a sentence", parameter.names);
    }
}

/// xorshift64*: the same seed, the same lines, on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// A line of known names, odd values and loose bytes.
fn odd_line(dice: &mut Dice) -> Vec<u8> {
    let names: Vec<&str> = PARAMETERS.iter().flat_map(|p| p.names).copied().collect();
    let values: &[&[u8]] = &[
        b"",
        b"=",
        b"=\"",
        b"=\"a b\"",
        b"=-1",
        b"=99999999999999999999",
        b"=0x",
        b"=,",
        b"=a,,b",
        b"=UUID=",
        b"=LABEL=\\x",
        b"=LABEL=\"",
        b"=/dev/",
        b"=/dev/disk/by-",
        b"={}",
        b"=\xff\xc3",
        b"=192.0.2.1:192.0.2.2::24:h.d:eth0:",
        b"=[2001:db8::1/64]",
        b"=eth0:dhcp,auto6:1500:52:54:00:12:34:56",
        b"=::[::",
        b"=10.0.0.0/8:10.0.0.1:eth0",
    ];
    let glue: &[&[u8]] = &[
        b" ", b"  ", b"\"", b"\n", b"\t", b"\x0b", b"=", b" -- ", b"\0", b"'",
    ];
    let mut line = Vec::new();
    for _ in 0..dice.below(12) {
        match dice.below(8) {
            0 => line.push(dice.below(256) as u8),
            _ => line.extend(dice.pick(&names).bytes()),
        }
        line.extend(dice.pick(values));
        let plain = dice.below(3) > 0;
        line.extend(dice.pick(if plain { &glue[..1] } else { glue }));
    }
    line
}

#[test]
fn any_line_of_bytes_becomes_a_wish() {
    const LINES: u64 = 20_000;
    for seed in 1..=LINES {
        let line = odd_line(&mut Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let size =
            |w: landfall::format::cmdline::Word<'_>| w.key.len() + w.value.map_or(0, <[u8]>::len);
        let total: usize = words(&line).map(size).sum();
        assert!(
            total <= line.len(),
            "seed {seed}: words are longer than the line"
        );
        let wish = Wish::from_cmdline(&line);
        assert_eq!(wish, Wish::from_cmdline(&line), "seed {seed}");
        let words = words(&line).count();
        assert!(
            wish.complaints.len() <= line.len() + 1,
            "seed {seed}: {words} words"
        );
        // What was said before is not changed by a word that belongs to somebody else.
        let mut longer = b"somebody.elses=word ".to_vec();
        longer.extend(&line);
        assert_eq!(wish, Wish::from_cmdline(&longer), "seed {seed}");
    }
}
