//! `landfall explain`: what a boot would do with a command line and a set of disks, step by step.

use crate::base::text::Text;
use crate::format::wish::{Patience, Wish};
use crate::host::failure::Failure;
use crate::host::image_words::{self, Told};
use crate::host::key_files::KeyFiles;
use crate::host::module_index::ModuleIndex;
use crate::host::narrate;
use crate::host::output;
use crate::host::rehearsal::{Ending, Record, Rehearsal};
use crate::host::stage::Stage;
use crate::plan::event::Event;
use crate::plan::trace;
use lexopt::{Arg, ValueExt};
use std::path::PathBuf;
use std::process::ExitCode;

pub const HELP: &str = "\
Says what a boot would do, step by step, without booting: the same plan, the same parsers.

Usage: landfall explain [OPTIONS] 'COMMAND LINE'

      --disk FILE        the image of a disk or file system; the first is vda, the next vdb, …
                         (default: this machine's block devices, which takes the right to read)
      --modules-root DIR look drivers up in DIR/lib/modules, with DIR/etc/modprobe.d
      --image IMAGE      look drivers up in this initramfs image, and the words that it adds
      --kernel VERSION   whose modules, where there are several
                         (without one of these, the kernel has every driver built in)
      --key-file [VOLUME=]FILE
                         opens encrypted volumes, or only the one of this name, UUID or device:
                         FILE holds what would be typed, or a key that is not on these disks
      --trace            print the trace instead, as a boot leaves it in /run/landfall/trace
  -h, --help             this text

Nothing is written or mounted, and nobody is asked to be root. Encrypted volumes are looked into
where the cipher is AES and the key is at hand: given, in the image, or on a disk without a file
system. What only a boot can know is taken to go well: a file system that is recognised can be
mounted, and holds an init.

exit status
  0  it would boot
  1  something could not be read
  2  the command line of this tool is wrong
  3  it would give up, or wait for ever

  landfall explain --disk root.img 'root=LABEL=root rw'
  landfall explain --disk root.img --image initrd.img 'root=/dev/vda2 rootfstype=xfs'
  landfall explain --disk luks.img --key-file luks.key 'root=LABEL=root'
";

/// The status for a boot that gives up: that of `landfall boot`.
const GIVES_UP: u8 = 3;

#[derive(Default)]
struct Options {
    disks: Vec<PathBuf>,
    modules_root: Option<PathBuf>,
    image: Option<PathBuf>,
    kernel: Option<String>,
    trace: bool,
    /// `[VOLUME=]FILE`.
    key_files: Vec<String>,
    words: Vec<String>,
}

/// `args` stands after the word `explain`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut options = Options::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return output::print(HELP),
            Arg::Long("disk") => options.disks.push(args.value()?.into()),
            Arg::Long("modules-root" | "tree") => {
                options.modules_root = Some(args.value()?.into());
            }
            Arg::Long("image") => options.image = Some(args.value()?.into()),
            Arg::Long("kernel") => options.kernel = Some(args.value()?.string()?),
            Arg::Long("key-file") => options.key_files.push(args.value()?.string()?),
            Arg::Long("trace") => options.trace = true,
            Arg::Value(words) => options.words.push(words.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.words.is_empty() {
        let text = "no kernel command line given; usage: landfall explain [--disk FILE] \
                    'COMMAND LINE' (see --help)";
        return Err(Failure::usage(text));
    }
    explain(&options)
}

fn explain(options: &Options) -> Result<ExitCode, Failure> {
    let stage = match options.disks.is_empty() {
        true => Stage::of_this_machine()?,
        false => Stage::of_images(&options.disks)?,
    };
    let index = open_index(options)?;
    let typed = options.words.join(" ");
    let Told { words, files } = match &options.image {
        Some(image) => image_words::gather(image, &typed)?,
        None => Told {
            words: typed.clone().into_bytes(),
            files: Vec::new(),
        },
    };
    let mut keys = KeyFiles::new(options.image.clone());
    for text in &options.key_files {
        keys.give(text)?;
    }
    let mut rehearsal = Rehearsal::new(&stage, index.as_ref(), &words);
    rehearsal.tell_files(files);
    rehearsal.tell_keys(keys);
    let ending = rehearsal.run();
    let text = match options.trace {
        true => raw(&rehearsal.records),
        false => {
            let told = narrate::tell(&rehearsal.records);
            let head = head(options, &stage, index.as_ref());
            let wanted = wanted(&Wish::from_cmdline(&words));
            let head = format!("{}{head}wanted        {wanted}\n", given(&typed, &words));
            [
                head,
                steps(&told),
                outcome(&told, &ending, &rehearsal.closed),
            ]
            .join("\n")
        }
    };
    output::print(&text)?;
    if options.disks.is_empty() && rehearsal.records.iter().any(forbidden) {
        eprintln!("landfall: not all disks of this machine may be read by you: try as root");
    }
    Ok(match ending {
        Ending::Boots | Ending::InFile(_) | Ending::Resumes(..) => ExitCode::SUCCESS,
        _ => ExitCode::from(GIVES_UP),
    })
}

fn open_index(options: &Options) -> Result<Option<ModuleIndex>, Failure> {
    let kernel = options.kernel.as_deref();
    match (&options.modules_root, &options.image) {
        (Some(_), Some(_)) => Err(Failure::usage("either --modules-root or --image, not both")),
        (Some(root), None) => ModuleIndex::of_tree(root, kernel).map(Some),
        (None, Some(image)) => ModuleIndex::of_image(image, kernel),
        (None, None) if kernel.is_some() => Err(Failure::usage(
            "--kernel says whose modules: name where they are with --modules-root or --image",
        )),
        (None, None) => Ok(None),
    }
}

/// Was a device not readable for lack of rights?
fn forbidden(record: &Record) -> bool {
    const EPERM: i32 = 1;
    const EACCES: i32 = 13;
    match record {
        Record::Event(_, Event::ProbeFailed { fault, .. }) => {
            matches!(fault.errno, EPERM | EACCES)
        }
        _ => false,
    }
}

fn raw(records: &[Record]) -> String {
    let line = |record: &Record| match record {
        Record::Event(now, event) => trace::event_record(*now, event) + "\n",
        Record::Action(now, action) => trace::action_record(*now, action) + "\n",
        Record::Note(..) => String::new(),
    };
    records.iter().map(line).collect()
}

/// The words that were typed, and all of them where the image adds some.
fn given(typed: &str, words: &[u8]) -> String {
    let mut text = format!("command line  {typed}\n");
    if words != typed.as_bytes() {
        text.push_str(&format!("with image's  {}\n", Text::from(words)));
    }
    text
}

/// The machine that boots.
fn head(options: &Options, stage: &Stage, index: Option<&ModuleIndex>) -> String {
    let mut text = String::new();
    for (file, disk) in stage.images() {
        let size = narrate::size_text(disk.sectors);
        text.push_str(&format!("{:<14}{file}, {size}\n", disk.name));
    }
    if options.disks.is_empty() {
        text.push_str("devices       this machine's, their own drivers taken for loaded\n");
    }
    let drivers = match (index, &options.image) {
        (Some(index), Some(image)) => format!("{} in {}", index.version, image.display()),
        (Some(index), None) => index.directory.clone(),
        (None, Some(image)) => format!("all built into the kernel: {} has none", image.display()),
        (None, None) => "all built into the kernel (see --modules-root and --image)".into(),
    };
    text.push_str(&format!("drivers       {drivers}\n"));
    text
}

/// What the command line means.
fn wanted(wish: &Wish) -> String {
    let root = match (&wish.file, &wish.root) {
        (Some(file), _) => format!("root={} loop={}", file.root, file.typed),
        (None, Some(_)) => format!("root={}", wish.root_as_typed),
        (None, None) => "no root= at all".into(),
    };
    let how = if wish.writable {
        "writable"
    } else {
        "read-only"
    };
    let within = match wish.patience {
        Patience::Ms(ms) => format!("within {} s", ms.div_ceil(1000)),
        Patience::Forever => "however long it takes".into(),
    };
    let init = match &wish.init {
        Some(init) => init.to_string(),
        None => "the first init of the kernel's list".into(),
    };
    format!("{root}, {how}, {within}; then {init}")
}

/// One line a step; the time where it moves.
fn steps(told: &narrate::Told) -> String {
    let mut text = String::new();
    let mut shown = None;
    for (now, step) in &told.steps {
        let time = match shown == Some(*now) {
            true => String::new(),
            false => format!("{}.{} s", now.0 / 1000, now.0 % 1000 / 100),
        };
        shown = Some(*now);
        text.push_str(&format!("{time:>8}  {step}\n"));
    }
    text
}

fn outcome(told: &narrate::Told, ending: &Ending, closed: &[String]) -> String {
    match (ending, &told.root, &told.init) {
        (Ending::Boots, Some(root), Some(init)) => {
            let root = narrate::mount_text(root);
            format!("It would boot: root is {root}; {init} runs, if root holds it.\n")
        }
        (Ending::InFile(file), Some(host), _) => {
            let host = narrate::mount_text(host);
            format!(
                "It would boot: root is loop file {file} on {host}, or a part of it, if the file \
                 is there and holds that: only a boot looks into it.\n"
            )
        }
        (Ending::Resumes((major, minor)), ..) => format!(
            "It would not boot: the system that hibernated on {major}:{minor} would go on, if the \
             kernel can.\n"
        ),
        (Ending::WaitsForEver, ..) => {
            "It would wait for ever: nothing here answers root=, and no deadline ends it.\n".into()
        }
        _ => {
            let mut text = match closed {
                [] => String::from("It would give up"),
                _ => {
                    let volumes = closed.join(" or ");
                    let looks = "--key-file FILE looks inside";
                    format!("It would give up, unless it lies in {volumes}: {looks}")
                }
            };
            text.push_str(", with this page:\n\n");
            for line in &told.page {
                text.push_str(&format!("    {line}\n"));
            }
            if let Some(after) = &told.after_page {
                text.push_str(&format!("\nThen {after}.\n"));
            }
            text
        }
    }
}
