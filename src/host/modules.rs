//! `landfall modules`: what would be loaded for a name or a modalias, in the form of
//! `modprobe --show-depends`.

use crate::format::kmod::{Catalog, of_path};
use crate::host::failure::Failure;
use crate::host::load_order::{self, Step};
use crate::host::module_index::ModuleIndex;
use crate::host::output;
use lexopt::{Arg, ValueExt};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub const HELP: &str = "\
Says which kernel modules would be loaded for a name, an alias or a modalias, in order.

Usage: landfall modules [--tree DIR] [--kernel VERSION] NAME|MODALIAS...

      --tree DIR         the directory above lib/modules and etc/modprobe.d (default: /)
      --image IMAGE      look into this initramfs image instead
      --kernel VERSION   whose modules (default: the only ones there, or the running kernel's)
  -h, --help             this text

Lines are those of 'modprobe --show-depends': 'insmod PATH OPTIONS' and 'builtin NAME'. A line
that begins with '#' says why the next one is not always loaded, or what is left out and why.
What was listed before is not listed again.

exit status
  0  everything is known
  1  a name leads nowhere, or the tree cannot be read
  2  the command line is wrong
";

#[derive(Default)]
struct Options {
    tree: Option<PathBuf>,
    image: Option<PathBuf>,
    kernel: Option<String>,
    names: Vec<String>,
}

/// `args` stands after the word `modules`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut options = Options::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return output::print(HELP),
            Arg::Long("tree" | "modules-root") => options.tree = Some(args.value()?.into()),
            Arg::Long("image") => options.image = Some(args.value()?.into()),
            Arg::Long("kernel") => options.kernel = Some(args.value()?.string()?),
            Arg::Value(name) => options.names.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.names.is_empty() {
        let text = "nothing to look up; usage: landfall modules [--tree DIR] NAME|MODALIAS...";
        return Err(Failure::usage(text));
    }
    let index = open(&options)?;
    let catalog = index.catalog();
    for complaint in catalog.complaints.iter().chain(&catalog.config.complaints) {
        eprintln!("landfall: {complaint}");
    }
    let (mut text, mut unknown) = (String::new(), Vec::new());
    let mut listed = BTreeSet::new();
    for name in &options.names {
        match answer(&catalog, name, &mut listed) {
            Some(lines) => text.push_str(&lines),
            None => unknown.push(name),
        }
    }
    output::print(&text)?;
    for name in &unknown {
        let (version, directory) = (&index.version, &index.directory);
        eprintln!("landfall: nothing of kernel {version} answers '{name}' ({directory})");
    }
    Ok(ExitCode::from(u8::from(!unknown.is_empty())))
}

fn open(options: &Options) -> Result<ModuleIndex, Failure> {
    let kernel = options.kernel.as_deref();
    match (&options.tree, &options.image) {
        (Some(_), Some(_)) => Err(Failure::usage("either --tree or --image, not both")),
        (_, Some(image)) => ModuleIndex::of_image(image, kernel)?
            .ok_or_else(|| Failure::new(format!("no kernel's modules are in {}", image.display()))),
        (Some(root), None) => ModuleIndex::of_tree(root, kernel),
        (None, None) => ModuleIndex::of_tree(Path::new("/"), kernel),
    }
}

/// The lines for one name. `None`: it leads nowhere.
fn answer(catalog: &Catalog<'_>, name: &str, listed: &mut BTreeSet<String>) -> Option<String> {
    let found = catalog.resolve(name.as_bytes());
    let mut text = String::new();
    for left_out in &found.blacklisted {
        let why = match catalog.refusal(left_out) {
            Some(why) => format!("is not loaded: {why}"),
            None => format!("answers {name} but is blacklisted"),
        };
        text.push_str(&format!("# {left_out} {why}\n"));
    }
    if found.builtin {
        let own = of_path(name.as_bytes()).filter(|own| catalog.is_builtin(own.as_bytes()));
        let shown = own.unwrap_or_else(|| name.to_string());
        text.push_str(&format!("builtin {shown}\n"));
    }
    for step in load_order::order(&found) {
        if listed.insert(step.module.clone()) {
            text.push_str(&lines(catalog, &step));
        }
    }
    let known = found.builtin || !found.answers.is_empty() || !found.blacklisted.is_empty();
    known.then_some(text)
}

fn lines(catalog: &Catalog<'_>, step: &Step) -> String {
    let name = &step.module;
    let mut text = String::new();
    if !step.instead_of.is_empty() {
        let others = step.instead_of.join(" and ");
        text.push_str(&format!("# only if {others} cannot be loaded:\n"));
    }
    match catalog.path_of(name) {
        Some(path) => {
            let options = catalog.options_for(name);
            // modprobe(8) ends every option with a blank.
            let end = if options.is_empty() { "" } else { " " };
            let options = String::from_utf8_lossy(&options);
            text.push_str(&format!("insmod {path} {options}{end}\n"));
        }
        None => text.push_str(&format!("# {name} is not in this tree\n")),
    }
    text
}
