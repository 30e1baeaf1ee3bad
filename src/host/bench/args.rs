//! The words of `landfall bench`.

use super::contestants::Contestant;
use super::discipline::Discipline;
use crate::host::failure::Failure;
use lexopt::{Arg, ValueExt};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const HELP: &str = "\
Measures landfall beside a hand-written init and other initramfs images, in one run.

Usage: landfall bench [OPTIONS]

      --network        root on a server of network block devices, by a lease of DHCP
      --kernel FILE    the kernel to boot (default: /boot/vmlinuz of the running one)
      --modules DIR    its modules: lib/modules/VERSION, or the directory above lib (default: /)
      --init PATH      landfall's init (default: where cargo builds it)
      --only NAMES     these contestants, with commas between; may be repeated
      --debian DIR     a Debian's root with the packages of other initramfs generators in it
      --cpus N         so many CPUs, and times by this machine's clock: instructions of several
                       CPUs cannot be counted
      --runs N         boots of each, of which the best counts (default: 3)
      --timeout S      of one boot, in seconds here (default: 300)
      --keep DIR       keep the images, the programs and the consoles there
      --json           figures of every run, for programs
      --svg FILE       also draw a bar chart
  -q, --quiet          say only what is wrong
  -h, --help           this text

Each boots the same disk (ext4 on virtio-blk) on the same kernel in QEMU, which counts
instructions: 1 ns each, so the figures do not depend on this machine or on what else it does.
Every image is packed with zstd -19. Measured are the time from the kernel's start of /init to the
first instruction of the real init, the kernel's time for unpacking the image before that, the
image's size, and the memory that is free at the end. No root is needed.

With --network the same disk is at a qemu-nbd on this machine, behind an e1000e of QEMU's user
network, and what is compared is the time from the link to the mounted root, both by the kernel's
log. Waits for the server are as long as they are here.

contestants
";

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub discipline: Discipline,
    pub kernel: PathBuf,
    pub modules: PathBuf,
    pub init: Option<PathBuf>,
    /// `None`: all.
    pub only: Vec<Contestant>,
    pub debian: Option<PathBuf>,
    pub runs: u32,
    /// `None`: one, whose instructions are counted.
    pub cpus: Option<u32>,
    pub timeout: Duration,
    pub keep: Option<PathBuf>,
    pub json: bool,
    pub svg: Option<PathBuf>,
    pub quiet: bool,
}

/// The text of `--help`.
pub fn help() -> String {
    let mut text = String::from(HELP);
    for discipline in [Discipline::Disk, Discipline::Network] {
        if discipline == Discipline::Network {
            text.push_str("\ncontestants with --network\n");
        }
        for one in discipline.contestants() {
            let _ = writeln!(text, "  {:<19}  {}", one.name(), one.about(discipline));
        }
    }
    text
}

/// `None`: help was asked for.
pub fn parse(args: &mut lexopt::Parser) -> Result<Option<Options>, Failure> {
    let mut kernel = None;
    let mut options = Options {
        discipline: Discipline::Disk,
        kernel: PathBuf::new(),
        modules: "/".into(),
        init: None,
        only: Vec::new(),
        debian: None,
        runs: 3,
        cpus: None,
        timeout: Duration::from_secs(300),
        keep: None,
        json: false,
        svg: None,
        quiet: false,
    };
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("network") => options.discipline = Discipline::Network,
            Arg::Long("kernel") => kernel = Some(PathBuf::from(args.value()?)),
            Arg::Long("modules") => options.modules = args.value()?.into(),
            Arg::Long("init") => options.init = Some(args.value()?.into()),
            Arg::Long("only") => only(&args.value()?.string()?, &mut options.only)?,
            Arg::Long("debian") => options.debian = Some(args.value()?.into()),
            Arg::Long("runs") => options.runs = at_least_one("--runs", args.value()?.parse()?)?,
            Arg::Long("cpus") => {
                options.cpus = Some(at_least_one("--cpus", args.value()?.parse()?)?);
            }
            Arg::Long("timeout") => options.timeout = Duration::from_secs(args.value()?.parse()?),
            Arg::Long("keep") => options.keep = Some(args.value()?.into()),
            Arg::Long("json") => options.json = true,
            Arg::Long("svg") => options.svg = Some(args.value()?.into()),
            Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if options.only.is_empty() {
        options.only = options.discipline.contestants().to_vec();
    }
    options.kernel = kernel.unwrap_or_else(running_kernel);
    Ok(Some(options))
}

/// In the order of the list, each once, whatever order was typed: tables compare better so.
fn only(names: &str, chosen: &mut Vec<Contestant>) -> Result<(), Failure> {
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let Some(one) = Contestant::ALL.into_iter().find(|c| c.name() == name) else {
            let all = Contestant::ALL.map(Contestant::name).join(", ");
            let text = format!("--only: no contestant is called '{name}'; there are {all}");
            return Err(Failure::usage(text));
        };
        chosen.push(one);
    }
    chosen.sort();
    chosen.dedup();
    Ok(())
}

fn at_least_one(option: &str, count: u32) -> Result<u32, Failure> {
    match count {
        0 => Err(Failure::usage(format!("{option}: at least 1"))),
        _ => Ok(count),
    }
}

fn running_kernel() -> PathBuf {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    Path::new("/boot").join(format!("vmlinuz-{release}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, Failure> {
        parse(&mut lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn contestants_are_chosen_by_name_and_keep_their_order() {
        let check = |line: &str, expected: &[&str]| {
            let options = parsed(line).unwrap().unwrap();
            let names: Vec<_> = options.only.iter().map(|c| c.name()).collect();
            assert_eq!(names, expected, "{line}");
        };
        check("--only landfall,floor", &["floor", "landfall"]);
        check("--only floor --only floor,", &["floor"]);
        check("", &Contestant::ALL.map(Contestant::name));
        check("--only dracut,floor --network", &["floor", "dracut"]);
        check(
            "--network",
            &["landfall", "landfall-generic", "initramfs-tools", "dracut"],
        );
        assert!(parsed("--help").unwrap().is_none());
    }

    #[test]
    fn wrong_lines_are_usage_errors() {
        let wrong = [
            "--only dracul",
            "--runs 0",
            "--runs many",
            "--svg",
            "stray",
            "--what",
        ];
        for line in wrong {
            let failure = parsed(line).err();
            assert_eq!(failure.map(|f| f.exit), Some(2), "{line}");
        }
    }

    #[test]
    fn the_help_names_every_contestant() {
        for discipline in [Discipline::Disk, Discipline::Network] {
            for contestant in discipline.contestants() {
                let about = contestant.about(discipline);
                let row = format!("\n  {:<19}  {about}\n", contestant.name());
                assert!(help().contains(&row), "{row}");
            }
        }
    }
}
