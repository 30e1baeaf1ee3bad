//! What is asked: names, concrete modaliases made from patterns, and random modprobe.d files.

use super::trees::Tree;
use landfall::format::kmod::of_path;

/// xorshift64*, so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn pick<'t>(&mut self, from: &'t [String]) -> &'t str {
        &from[self.below(from.len())]
    }
}

/// Modules and built-in modules, some of them spelt with dashes.
pub fn module_names(tree: &Tree) -> Vec<String> {
    let (dep, builtin) = (tree.read("modules.dep"), tree.read("modules.builtin"));
    let paths = dep.lines().filter_map(|line| line.split(':').next());
    let names = paths
        .chain(builtin.lines())
        .filter_map(|path| of_path(path.as_bytes()));
    let spelt = |(n, name): (usize, String)| match n % 3 {
        0 => name.replace('_', "-"),
        _ => name,
    };
    names.enumerate().map(spelt).collect()
}

/// `wanted` aliases drawn from the tree, their wildcards replaced, and a few that match nothing.
pub fn aliases(tree: &Tree, wanted: usize, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let text = tree.read("modules.alias");
    let second = |line: &str| line.split(' ').nth(1).map(String::from);
    let (plain, wild): (Vec<_>, Vec<_>) = text
        .lines()
        .filter(|line| line.starts_with("alias "))
        .filter_map(second)
        .partition(|alias| !alias.contains(['*', '?', '[']));
    let builtin = tree.read("modules.builtin.modinfo");
    let builtin = builtin.split('\0').filter_map(|f| f.split_once(".alias="));
    let builtin: Vec<String> = builtin.map(|(_, alias)| alias.into()).collect();
    let mut out = vec![
        "pci:v00001AF4d00001001svnonsense".into(),
        "usb:".into(),
        "*".into(),
    ];
    let mut draw = |from: &[String], wanted: usize| {
        for _ in 0..wanted.min(from.len()) {
            let pattern = dice.pick(from).to_string();
            out.push(instance(&pattern, &mut dice));
        }
    };
    draw(&plain, wanted / 4);
    draw(&builtin, wanted / 20);
    draw(&wild, wanted);
    let crypto: Vec<String> = plain
        .iter()
        .filter(|a| a.starts_with("crypto-"))
        .cloned()
        .collect();
    draw(&crypto, wanted / 10);
    out.extend(plain.into_iter().filter(|a| a.starts_with("fs-")));
    out
}

/// Modaliases of device-tree nodes: `of:NnameTtypeCcompatible…`, as `of_device_modalias` in
/// drivers/of/device.c makes them, with one to three compatible strings.
pub fn nodes(tree: &Tree, wanted: usize, seed: u64) -> Vec<String> {
    let text = tree.read("modules.alias");
    let compatible = |line: &str| {
        let alias = line.split(' ').nth(1)?.strip_prefix("of:N*T*C")?;
        (!alias.contains(['*', '?', '['])).then(|| alias.to_owned())
    };
    let mut known: Vec<String> = text.lines().filter_map(compatible).collect();
    known.push("vendor,unheard-of".into());
    let mut dice = Dice(seed);
    let node = |_| {
        let name = ["mmc", "pcie", "virtio_mmio", "usb-phy"][dice.below(4)];
        let kind = ["(null)", "(null)", "pci"][dice.below(3)];
        let compatible: Vec<&str> = (0..=dice.below(3)).map(|_| dice.pick(&known)).collect();
        format!("of:N{name}T{kind}C{}", compatible.join("C"))
    };
    (0..wanted).map(node).collect()
}

/// A text that the pattern matches, nearly always.
fn instance(pattern: &str, dice: &mut Dice) -> String {
    const FILL: [&str; 6] = ["", "0", "0000ABCD", "x-y_z", "/", "d*"];
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => out.push_str(FILL[dice.below(5)]),
            '?' => out.push(['a', '0', '/'][dice.below(3)]),
            '[' => {
                let class: Vec<char> = rest.by_ref().take_while(|&c| c != ']').collect();
                // Now and then one that may not be in it.
                out.push([class[0], class[0], class[0], '7'][dice.below(4)]);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A modprobe.d file over modules and aliases of the tree.
///
/// Left out, because modprobe and we mean to differ: what is about built-in modules (there is
/// nothing to load or to refuse), and commands for modules with soft dependencies (modprobe then
/// forgets the command).
pub fn config(tree: &Tree, seed: u64) -> String {
    let mut dice = Dice(seed);
    let (builtin, softdeps) = (tree.read("modules.builtin"), tree.read("modules.softdep"));
    let mut names = module_names(tree);
    names.truncate(names.len() - builtin.lines().count());
    let aliases = aliases(tree, 400, seed);
    let (commanded, soft) = names.split_at(names.len() / 2);
    let with_softdeps = |name: &String| {
        let name = name.replace('-', "_");
        softdeps
            .lines()
            .any(|line| line.split(' ').nth(1) == Some(&name))
    };
    let commanded: Vec<String> = commanded
        .iter()
        .filter(|n| !with_softdeps(n))
        .cloned()
        .collect();
    let mut lines = vec!["# random".to_string()];
    for n in 0..60 {
        let (a, b, c) = (dice.pick(&names), dice.pick(&names), dice.pick(&names));
        let (soft, commanded) = (dice.pick(soft), dice.pick(&commanded));
        let alias = dice.pick(&aliases).replace(['*', '[', ']', '?'], "");
        lines.push(match dice.below(9) {
            0 => format!("options {a} first={n} \\\n   second=\"{n}\""),
            1 => format!("options  {a}\tx{n}=1,2,3"),
            2 => format!("alias front-{n}* {a}\nalias front-{n}x {b}"),
            3 => format!("blacklist {a}\nalias black-{n} {a}"),
            4 => format!("softdep {soft} pre: {b} post: {c}"),
            5 => format!("softdep {soft} pre: {b} no-such-thing {alias}"),
            6 => format!("install {commanded} /bin/true"),
            7 => format!("install made-up-{n} /bin/true\n  blacklist\t{b}"),
            _ => format!("softdep {soft} post: {c} {alias}\noptions {c} late={n}"),
        });
    }
    lines.join("\n") + "\n"
}

/// Every word of the file as a query: names, aliases, and what is neither.
pub fn words_of(config: &str) -> Vec<String> {
    let words = config.split(|c: char| c.is_ascii_whitespace());
    let words = words.filter(|w| !w.is_empty() && !w.contains(['=', '"', '\\', '#']));
    words.map(|w| w.replace('*', "z")).collect()
}
