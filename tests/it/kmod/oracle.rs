//! modprobe(8) as the oracle: `--show-depends` for many queries in few runs.

use super::trees::Tree;
use landfall::format::kmod::{Catalog, Module, Resolution};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// An `install` line shows itself without being run: it marks where the next answer begins.
const MARK: &str = "landfall_mark";

pub struct Modprobe<'t> {
    tree: &'t Tree,
    config: PathBuf,
}

impl<'t> Modprobe<'t> {
    pub fn new(tree: &'t Tree, config: &str) -> Self {
        let name = format!("landfall-modprobe-{}-{:p}", std::process::id(), tree);
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("a.conf"), config).unwrap();
        fs::write(dir.join("zz.conf"), format!("install {MARK} {MARK}\n")).unwrap();
        Self { tree, config: dir }
    }

    /// The modules that answer each query, in modprobe's order, blacklisted or not.
    pub fn names(&self, queries: &[String]) -> Vec<Vec<String>> {
        self.ask("--resolve-alias", queries)
    }

    /// What loading each query would do, line by line.
    pub fn show_depends(&self, queries: &[String]) -> Vec<Vec<String>> {
        self.ask("--show-depends", queries)
    }

    fn ask(&self, what: &str, queries: &[String]) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        for some in queries.chunks(100) {
            let mut command = Command::new("modprobe");
            command
                .arg("-d")
                .arg(&self.tree.root)
                .args(["-S", &self.tree.version]);
            command
                .arg("-C")
                .arg(&self.config)
                .args(["-a", "-q", what, "--"]);
            for query in some {
                command.args([query, MARK]);
            }
            let shown = command
                .output()
                .expect("modprobe (package kmod) runs")
                .stdout;
            let mut lines = Vec::new();
            for line in String::from_utf8(shown).unwrap().lines() {
                let line = line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
                if line.contains(MARK) {
                    out.push(std::mem::take(&mut lines));
                } else {
                    lines.push(line);
                }
            }
        }
        assert_eq!(out.len(), queries.len(), "modprobe answers every query");
        out
    }
}

impl Drop for Modprobe<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.config);
    }
}

/// Compares what loading `ours` would do with the lines of modprobe.
pub fn agree(catalog: &Catalog, ours: &Resolution, theirs: &[String]) -> Result<(), String> {
    let mut plan = Plan {
        catalog,
        ours,
        lines: Vec::new(),
    };
    for name in &ours.answers {
        plan.probe(name, &mut BTreeSet::new());
    }
    for name in &ours.blacklisted {
        // modprobe shows the command in place of a module, after what that would need.
        if catalog.refusal(name).is_some() {
            let found = theirs.iter().any(|line| line.starts_with("install "));
            // Of one that is blacklisted as well it shows nothing at all.
            let silent = theirs.is_empty() && catalog.config.blacklisted(name.as_bytes());
            return if found || silent {
                Ok(())
            } else {
                Err("nothing refuses it".into())
            };
        }
    }
    if ours.answers.is_empty() && ours.blacklisted.is_empty() {
        let builtin = theirs.iter().any(|line| line.starts_with("builtin "));
        if builtin != ours.builtin {
            return Err(format!("built in: {builtin}, we say {}", ours.builtin));
        }
    }
    let real = theirs.iter().filter(|line| !line.starts_with("builtin "));
    let (mut real, mut lines) = (once(real.cloned()), once(plan.lines.into_iter()));
    let choice = |m: &Module| m.before.iter().chain(&m.after).any(|names| names.len() > 1);
    if ours.answers.len() > 1 || ours.modules.iter().any(choice) {
        // Ours are sorted by speed.
        real.sort();
        lines.sort();
    }
    let refused = |lines: &[String]| lines.iter().any(|line| line.starts_with("install "));
    if refused(&real) && !refused(&lines) {
        // A refused soft dependency: modprobe loads what it would have needed, we do not.
        real.retain(|line| lines.contains(line));
    }
    if real == lines {
        Ok(())
    } else {
        Err(format!("\n  modprobe: {real:#?}\n  landfall: {lines:#?}"))
    }
}

/// Repetitions are left out: a loaded module is not loaded again.
fn once(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    lines.filter(|line| seen.insert(line.clone())).collect()
}

/// The order of loading that follows from a resolution, as lines of modprobe.
struct Plan<'a> {
    catalog: &'a Catalog<'a>,
    ours: &'a Resolution,
    lines: Vec<String>,
}

impl Plan<'_> {
    fn probe(&mut self, name: &str, seen: &mut BTreeSet<String>) {
        if !seen.insert(name.into()) {
            return;
        }
        let module = self.ours.modules.iter().find(|m| m.name == name);
        let module = module.expect("every name is described").clone();
        for need in &module.needs {
            self.with_softdeps(need, seen);
        }
        self.with_softdeps(name, seen);
    }

    fn with_softdeps(&mut self, name: &str, seen: &mut BTreeSet<String>) {
        let module = self.ours.modules.iter().find(|m| m.name == name);
        let module = module.expect("every name is described").clone();
        for soft in module.before.iter().flatten() {
            self.probe(soft, seen);
        }
        self.lines.push(self.line(&module));
        for soft in module.after.iter().flatten() {
            self.probe(soft, seen);
        }
    }

    fn line(&self, module: &Module) -> String {
        if self.catalog.refusal(&module.name).is_some() {
            return "install /bin/true".into();
        }
        let path = self.catalog.path_of(&module.name).expect("it has a file");
        let options = self.catalog.options_for(&module.name);
        let line = format!("insmod {path} {}", String::from_utf8(options).unwrap());
        line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    }
}
