//! modprobe.d files and what the kernel command line adds to them.
//!
//! Nothing is run: `install NAME /bin/true` and `… /bin/false` mean that the module is not wanted,
//! every other command is reported and the module is loaded as if it had none.
//!
//! Sources: modprobe.d(5); `module_blacklist=` and `MODULE.PARAMETER` in the kernel's
//! Documentation/admin-guide/kernel-parameters.rst; `rd.driver.blacklist=` in dracut.cmdline(7).

use super::glob::{matches, same};
use super::names::{canonical, words};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A directive: the name (or pattern) it is about, and the rest of the line.
struct Rule {
    name: Vec<u8>,
    rest: Vec<u8>,
}

#[derive(Default)]
pub struct Config {
    aliases: Vec<Rule>,
    options: Vec<Rule>,
    softdeps: Vec<Rule>,
    weakdeps: Vec<Rule>,
    installs: Vec<Rule>,
    /// Not loaded when an alias leads to it.
    blacklist: Vec<Vec<u8>>,
    /// Not loaded at all: the kernel refuses it by `module_blacklist=`.
    refused: Vec<Vec<u8>>,
    /// Lines that were not understood or are not acted on: one sentence each.
    pub complaints: Vec<String>,
}

impl Config {
    /// Adds one modprobe.d file. `file` is its name, for complaints.
    pub fn file(&mut self, file: &str, text: &[u8]) {
        let mut rest = text;
        let mut line = Vec::new();
        while take_line(&mut rest, &mut line) {
            self.line(file, &line);
        }
    }

    fn line(&mut self, file: &str, line: &[u8]) {
        let (verb, rest) = split_word(line);
        if verb.is_empty() || verb.starts_with(b"#") {
            return;
        }
        let (name, rest) = split_word(rest);
        let rule = Rule {
            name: canonical(name),
            rest: rest.to_vec(),
        };
        let complete = !name.is_empty() && (!rest.is_empty() || verb == b"blacklist");
        match verb {
            _ if !complete => self.complain(file, "is not a complete directive", line),
            b"alias" => self.aliases.push(rule),
            b"options" => self.options.push(rule),
            b"softdep" => self.softdeps.push(rule),
            b"weakdep" => self.weakdeps.push(rule),
            b"blacklist" => self.blacklist.push(rule.name),
            b"install" => {
                if said_no(&rule.rest).is_none() {
                    self.complain(file, "is not run: no commands run here", line);
                }
                self.installs.push(rule);
            }
            b"remove" => {}
            _ => self.complain(file, "is not known to modprobe.d(5)", line),
        }
    }

    fn complain(&mut self, file: &str, what: &str, line: &[u8]) {
        // A file of nonsense says so a few times, not a thousand.
        if self.complaints.len() < 16 {
            let line = Text::from(line.get(..200).unwrap_or(line));
            self.complaints.push(format!("{file}: `{line}` {what}"));
        }
    }

    /// Adds one word of the kernel command line, split as the kernel does it.
    ///
    /// `modprobe.blacklist=A,B`, `rd.driver.blacklist=A,B`, `module_blacklist=A,B`, `MODULE.PARAM`,
    /// `MODULE.PARAM=VALUE`; everything else is not about modules. Call it after all files: the
    /// kernel takes the last of two values for one parameter.
    pub fn word(&mut self, key: &[u8], value: Option<&[u8]>) {
        #[cfg(test)]
        if crate::format::params::is_off(key) {
            return;
        }
        // The kernel's own, where it is built in; ours, where it is not.
        if same(key, b"dm-mod.create") || same(key, b"dm-mod.waitfor") {
            return;
        }
        let names = || {
            let names = value.unwrap_or(b"").split(|&b| b == b',');
            names.filter(|n| !n.is_empty()).map(canonical)
        };
        if same(key, b"modprobe.blacklist") || same(key, b"rd.driver.blacklist") {
            self.blacklist.extend(names());
        } else if same(key, b"module_blacklist") {
            // One variable of the kernel: a second word replaces the first.
            self.refused = names().listed();
        } else if let Some((module, parameter)) = split_once(key, b'.')
            && !module.is_empty()
            && !parameter.is_empty()
            && !parameter.contains(&b'.')
        {
            self.options.push(Rule {
                name: canonical(module),
                rest: assignment(parameter, value),
            });
        }
    }

    /// Modules that `alias` lines give for `key` (canonical), in the order of the files.
    pub fn aliases<'c>(&'c self, key: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
        let rules = self.aliases.iter().filter(|r| matches(&r.name, key));
        rules.filter_map(|r| words(&r.rest).next())
    }

    /// All options of a module in their order, separated by blanks. An option of an alias counts
    /// for the module that an `alias` line gives it.
    pub fn options(&self, module: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for rule in &self.options {
            let of_alias = |alias: &Rule| {
                alias.name == rule.name
                    && words(&alias.rest).next().is_some_and(|m| same(m, module))
            };
            if same(&rule.name, module) || self.aliases.iter().any(of_alias) {
                if !out.is_empty() {
                    out.push(b' ');
                }
                out.extend(rule.rest.iter().map(|&b| if b == b'\t' { b' ' } else { b }));
            }
        }
        out
    }

    /// Soft dependencies of a module: (before, after). Only the first line that names it counts.
    pub fn softdeps(&self, module: &[u8]) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut rules = self.softdeps.iter();
        let Some(rule) = rules.find(|r| matches(&r.name, module)) else {
            return (before, after);
        };
        let mut list: Option<&mut Vec<&[u8]>> = None;
        for word in words(&rule.rest) {
            match (word, &mut list) {
                (b"pre:", _) => list = Some(&mut before),
                (b"post:", _) => list = Some(&mut after),
                (_, Some(list)) => list.push(word),
                (_, None) => {}
            }
        }
        (before, after)
    }

    /// Modules that this one may ask for later: an image should hold them.
    pub fn weakdeps<'c>(&'c self, module: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
        let rules = self.weakdeps.iter().filter(|r| matches(&r.name, module));
        rules.take(1).flat_map(|r| words(&r.rest))
    }

    pub fn blacklisted(&self, module: &[u8]) -> bool {
        self.blacklist.iter().any(|name| same(name, module))
    }

    /// Is there an `install` line for this name?
    pub fn commanded(&self, name: &[u8]) -> bool {
        self.installs.iter().any(|r| same(&r.name, name))
    }

    /// Why this module is not loaded, whoever asks for it.
    pub fn refusal(&self, module: &[u8]) -> Option<&'static str> {
        if self.refused.iter().any(|name| same(name, module)) {
            return Some("module_blacklist= on the kernel command line forbids it");
        }
        let mut rules = self.installs.iter();
        said_no(&rules.find(|r| same(&r.name, module))?.rest)
    }
}

/// What a command means that loads nothing.
fn said_no(command: &[u8]) -> Option<&'static str> {
    let mut words = words(command);
    let program = words.next()?;
    let (name, plain) = (
        program.rsplit(|&b| b == b'/').next()?,
        words.next().is_none(),
    );
    match name {
        b"true" | b":" if plain => Some("an install line in modprobe.d replaces it by /bin/true"),
        b"false" if plain => Some("an install line in modprobe.d replaces it by /bin/false"),
        _ => None,
    }
}

/// One logical line: `\` joins it with the next one; before any other byte it disappears.
fn take_line(rest: &mut &[u8], line: &mut Vec<u8>) -> bool {
    line.clear();
    if rest.is_empty() {
        return false;
    }
    while let Some((&byte, tail)) = rest.split_first() {
        *rest = tail;
        match byte {
            b'\n' => break,
            b'\\' => {
                if let Some((&next, tail)) = rest.split_first() {
                    *rest = tail;
                    if next != b'\n' {
                        line.push(next);
                    }
                }
            }
            _ => line.push(byte),
        }
    }
    true
}

/// The first word, and what follows it without the blanks around.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let line = trim(line);
    let end = line.iter().position(blank).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    (word, trim(rest))
}

/// Without the blanks at both ends. A carriage return at the end is not part of a line either.
fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&b| b == at)?;
    Some((bytes.get(..at)?, bytes.get(at..)?.get(1..)?))
}

/// `parameter=value` as the kernel reads it: blanks need quotes around the value.
fn assignment(parameter: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut out = parameter.to_vec();
    if let Some(value) = value {
        let blank = value.iter().any(u8::is_ascii_whitespace);
        let quote: &[u8] = if blank && !value.starts_with(b"\"") {
            b"\""
        } else {
            b""
        };
        for part in [b"=", quote, value, quote] {
            out.extend_from_slice(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let mut config = Config::default();
        config.file("x.conf", text.as_bytes());
        config
    }

    #[test]
    fn options_add_up_files_first() {
        let mut config = config(
            "options a-b x=1 \\\n  y=2\n # no\noptions c z=9\noptions a_b\ty=3\tq\n\
             alias front a-b\noptions front f=1\noptions a_b",
        );
        config.word(b"a-b.x", Some(b"4"));
        config.word(b"a_b.s", Some(b"two words"));
        config.word(b"a_b.t", Some(b"\"kept as is\""));
        config.word(b"a_b.flag", None);
        config.word(b"a_b.c.d", Some(b"1"));
        config.word(b"root", Some(b"a_b.x"));
        let got = config.options(b"a_b");
        let expected = "x=1   y=2 y=3 q f=1 x=4 s=\"two words\" t=\"kept as is\" flag";
        assert_eq!(core::str::from_utf8(&got), Ok(expected));
        assert_eq!(config.complaints.len(), 1);
    }

    #[test]
    fn softdeps_count_once() {
        let config = config("softdep a* pre: b c post: d\nsoftdep ab pre: z\nsoftdep q gcm\n");
        assert_eq!(
            config.softdeps(b"ab"),
            (alloc::vec![&b"b"[..], b"c"], alloc::vec![&b"d"[..]])
        );
        assert_eq!(config.softdeps(b"q"), (Vec::new(), Vec::new()));
    }

    #[test]
    fn blacklists_come_from_files_and_from_the_command_line() {
        let mut config = config("blacklist a-b\n");
        config.word(b"modprobe.blacklist", Some(b"c,d-e"));
        config.word(b"rd.driver.blacklist", Some(b"f"));
        config.word(b"module_blacklist", Some(b"replaced"));
        config.word(b"module_blacklist", Some(b"g,,h"));
        for name in ["a_b", "c", "d_e", "f"] {
            assert!(config.blacklisted(name.as_bytes()), "{name}");
            assert!(config.refusal(name.as_bytes()).is_none(), "{name}");
        }
        assert!(config.refusal(b"replaced").is_none());
        assert!(config.refusal(b"g").is_some() && config.refusal(b"h").is_some());
        assert!(config.options(b"modprobe").is_empty() && config.options(b"rd").is_empty());
    }

    #[test]
    fn commands_are_not_run_but_true_and_false_are_understood() {
        let text = "install a /bin/true\ninstall b /usr/bin/false\n\
            install c modprobe --ignore-install c; true\nremove d rm -rf /\ninclude /x y\n";
        let config = config(text);
        assert!(config.refusal(b"a").is_some() && config.refusal(b"b").is_some());
        assert!(config.refusal(b"c").is_none() && config.commanded(b"c"));
        assert_eq!(config.complaints.len(), 2, "{:?}", config.complaints);
    }
}
