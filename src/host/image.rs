//! `landfall image`: packs an initramfs image.

pub use crate::host::image_args::HELP;

use crate::base::bytes::slice;
use crate::format::bootconfig;
use crate::format::program::{self, Program};
use crate::host::arch::Arch;
use crate::host::atomic::AtomicFile;
use crate::host::checkers;
use crate::host::closure::{Needs, close};
use crate::host::compress::packer;
use crate::host::early;
use crate::host::failure::{Failure, Tried};
use crate::host::firmware::{self, Firmware};
use crate::host::image_args::{Options, parse};
use crate::host::kmod_files::{plain_name, prune};
use crate::host::list_form;
use crate::host::module_tree::ModuleTree;
use crate::host::progress::Progress;
use crate::host::skeleton;
use crate::host::tree::{Node, Tree, What, read_unpacked};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `args` stands after the word `image`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    match parse(args)? {
        Some(options) => build(&options)?,
        // A reader that went away has seen enough.
        None => drop(std::io::stdout().write_all(HELP.as_bytes())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds what `options` ask for. Writes nothing if anything is wrong.
pub fn build(options: &Options) -> Result<(), Failure> {
    let mut progress = Progress::new(options.quiet);
    let mtime = source_date_epoch(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?;
    // Opened first: who cannot write the result must not wait for it.
    let output = match &options.output {
        Some(path) => Some((AtomicFile::create(path)?, path)),
        None => None,
    };
    let config = options.bootconfig.as_deref().map(read_bootconfig);
    let config = config.transpose()?;
    let (tree, summary) = contents(options, &mut progress)?;
    if let Some(list) = &options.list {
        progress.step("writing the list");
        list_form::write(&tree, list)?;
        progress.note(&format!("{}: {summary}", list.display()), false);
    }
    if let Some((mut file, path)) = output {
        let method = options.compression.method.name();
        progress.step(&format!("packing with {method}"));
        if !options.microcode.is_empty() {
            early::write(&options.microcode, mtime, &mut file)?;
        }
        let failed = || format!("write {}", path.display());
        let mut pack = packer(options.compression, &mut file).or_cannot(failed)?;
        tree.write(&mut pack, mtime, &mut progress)?;
        pack.finish().or_cannot(failed)?;
        if let Some(config) = &config {
            let length = file.length().or_cannot(failed)?;
            file.write_all(&bootconfig::footer(config, length))
                .or_cannot(failed)?;
        }
        let bytes = file.commit()?;
        let size = format!("{}.{} MiB", bytes >> 20, (bytes >> 10) % 1024 * 10 / 1024);
        progress.note(&format!("{}: {size}, {summary}", path.display()), false);
    }
    Ok(())
}

/// A bootconfig that the kernel will take.
fn read_bootconfig(path: &Path) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read(path).or_cannot(|| format!("read {}", path.display()))?;
    if text.contains(&0) {
        let text = format!("{} is no bootconfig: it is not text", path.display());
        return Err(Failure::new(text));
    }
    bootconfig::parse(&text).map_err(|wrong| {
        let (path, line) = (path.display(), wrong.line);
        Failure::new(format!(
            "{path} is no bootconfig: line {line}: {}",
            wrong.why
        ))
    })?;
    Ok(text)
}

/// Everything that goes into the image, and one line about it.
fn contents(options: &Options, progress: &mut Progress) -> Result<(Tree, String), Failure> {
    let mut tree = Tree::default();
    skeleton::add_to(&mut tree)?;
    let modules = match &options.needs {
        Some(needs) => {
            let version = options.kernel.as_deref();
            Some((ModuleTree::open(&options.modules_root, version)?, needs))
        }
        None => None,
    };
    let arch = modules.as_ref().and_then(|(modules, _)| modules.arch());
    let init = match &options.init {
        Some(path) => path.clone(),
        None => built_init(arch)?,
    };
    if let Some(doubt) = check_init(&init, arch)? {
        progress.note(&doubt, true);
    }
    let node = Node {
        mode: 0o755,
        what: What::File(init),
    };
    tree.insert(b"init", node)?;
    let mut summary = "no modules".to_owned();
    if let Some((modules, needs)) = &modules {
        summary = add_modules(&mut tree, options, (modules, needs), progress)?;
    }
    for (source, place) in &options.add_files {
        tree.insert_from(source, place)?;
    }
    for kind in &options.checkers {
        checkers::add_to(kind, &mut tree)?;
    }
    for hook in &options.hooks {
        hook.add_to(&mut tree)?;
    }
    skeleton::leave_what_it_is_to(&mut tree);
    let summary = format!("{} entries, {summary}", tree.len());
    Ok((tree, summary))
}

fn add_modules(
    tree: &mut Tree,
    options: &Options,
    (modules, needs): (&ModuleTree, &Needs),
    progress: &mut Progress,
) -> Result<String, Failure> {
    progress.step(&format!("choosing modules of {}", modules.version));
    let chosen = close(modules, needs)?;
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let base = format!("lib/modules/{}", modules.version);
    for module in modules.dependencies() {
        if chosen.contains(&module.name) && !files.contains_key(&module.name) {
            let file = modules.file(module.path);
            let place = plain_name(module.path);
            let place = match place.strip_prefix(b"/") {
                Some(absolute) => absolute.to_vec(),
                None => [base.as_bytes(), b"/", place].concat(),
            };
            let what = What::Unpacked(file.clone());
            tree.insert(&place, Node { mode: 0o644, what })?;
            files.insert(module.name, file);
        }
    }
    for (name, bytes) in prune(modules, &chosen)? {
        tree.insert_bytes(&format!("{base}/{name}"), bytes)?;
    }
    let firmware = Firmware::new(&options.modules_root, &modules.version);
    let (found, missing) = add_firmware(tree, &firmware, &files, progress)?;
    if !missing.is_empty() {
        progress.note(&missing_firmware(&missing), false);
    }
    Ok(format!(
        "{} modules of {}, {found} firmware files",
        files.len(),
        modules.version
    ))
}

/// How many files were added, and for each that was not found one module that names it.
fn add_firmware(
    tree: &mut Tree,
    firmware: &Firmware,
    modules: &BTreeMap<String, PathBuf>,
    progress: &mut Progress,
) -> Result<(usize, BTreeMap<Vec<u8>, String>), Failure> {
    let mut found = BTreeSet::new();
    let mut missing = BTreeMap::new();
    for (number, (module, path)) in modules.iter().enumerate() {
        progress.within(|| format!("looking for firmware: {number} of {}", modules.len()));
        for name in firmware::names_in(&read_unpacked(path)?) {
            let names = firmware.expand(&name);
            if names.is_empty() {
                missing.insert(name, module.clone());
            }
            for name in names {
                let Some(file) = firmware.find(&name) else {
                    missing.insert(name, module.clone());
                    continue;
                };
                let place = [b"lib/firmware/", name.as_slice()].concat();
                let what = What::Unpacked(file);
                tree.insert(&place, Node { mode: 0o644, what })?;
                found.insert(name);
            }
        }
    }
    Ok((found.len(), missing))
}

/// Usually no reason to worry: drivers name the firmware of every chip they ever served.
fn missing_firmware(missing: &BTreeMap<Vec<u8>, String>) -> String {
    const SHOWN: usize = 3;
    let some: Vec<String> = missing
        .iter()
        .take(SHOWN)
        .map(|(name, module)| format!("{} ({module})", String::from_utf8_lossy(name)))
        .collect();
    let more = if missing.len() > SHOWN { ", …" } else { "" };
    format!(
        "{} firmware files that modules name are not on this machine: {}{more}",
        missing.len(),
        some.join(", ")
    )
}

/// The init that lies beside this tool, or where cargo puts it; for the modules' architecture.
fn built_init(arch: Option<Arch>) -> Result<PathBuf, Failure> {
    let tool = std::env::current_exe().or_cannot(|| "find this tool's own place".into())?;
    let beside = tool.parent().unwrap_or(Path::new("."));
    let arch = arch.or(Arch::own()).unwrap_or(Arch::X86_64);
    let target = arch.target();
    let candidates = [
        beside.join("init"),
        beside.join(format!("../{target}/release/init")),
        beside.join("../lib/landfall/init"),
        beside.join(format!("../lib/landfall/{arch}/init")),
        PathBuf::from(format!("target/{target}/release/init")),
    ];
    let mut files = candidates.iter().filter(|path| is_static_elf(path, arch));
    files.next().cloned().ok_or_else(|| {
        Failure::new(format!(
            "no init program for {arch} beside {}: build it with 'cargo build --release --bin \
             init --target {target}', or name it with --init PATH",
            tool.display()
        ))
    })
}

/// A program that needs nothing but a kernel of this architecture. Another `init` that happens to
/// lie in a directory of binaries would be found, packed, and panic the kernel.
pub fn is_static_elf(path: &Path, arch: Arch) -> bool {
    let fits = |bytes: &[u8]| Arch::of_elf(bytes) == Some(arch) && !needs_loader(bytes);
    std::fs::read(path).is_ok_and(|bytes| fits(&bytes))
}

/// Refuses what is no program for that architecture; returns a doubt about what may be none in
/// the image.
fn check_init(path: &Path, arch: Option<Arch>) -> Result<Option<String>, Failure> {
    let (shown, refused) = (path.display(), |why| Err(Failure::new(why)));
    let bytes = std::fs::read(path).or_cannot(|| format!("read the init {shown}"))?;
    if !bytes.starts_with(b"\x7fELF") && !bytes.starts_with(b"#!") {
        return refused(format!("{shown} is no init: not a program"));
    }
    if let (Some(modules), Some(init)) = (arch, Arch::of_elf(&bytes))
        && modules != init
    {
        return refused(format!(
            "{shown} is a program for {init}, the kernel's modules are for {modules}"
        ));
    }
    Ok(needs_loader(&bytes).then(|| {
        format!(
            "{shown} is linked against shared libraries: it runs only if they are added to the \
             image"
        )
    }))
}

/// Does an ELF file name a program interpreter?
fn needs_loader(bytes: &[u8]) -> bool {
    let Program::Elf(elf) = program::identify(bytes) else {
        return false;
    };
    let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let table = slice(bytes, place(elf.table), place(elf.table_length));
    table.is_some_and(|table| elf.interpreter(table).is_some())
}

/// The time of everything in an image, by the convention that reproducible builds share.
fn source_date_epoch(value: Option<&str>) -> Result<u32, Failure> {
    let Some(value) = value.filter(|v| !v.is_empty()) else {
        return Ok(0);
    };
    value.parse().map_err(|_| {
        Failure::usage(format!(
            "SOURCE_DATE_EPOCH is '{value}': not a time in seconds that cpio can hold"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_of_cpio_are_refused() {
        assert_eq!(source_date_epoch(None), Ok(0));
        assert_eq!(source_date_epoch(Some("1700000000")), Ok(1_700_000_000));
        for bad in ["x", "-1", "4294967296"] {
            assert!(source_date_epoch(Some(bad)).is_err(), "{bad}");
        }
    }
}
