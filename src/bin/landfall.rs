//! The host tool: picks the subcommand. Everything else is in `landfall::host`.

use landfall::host::failure::Failure;
use landfall::host::{bench, boot, chart, explain, identify, image, inspect, modules, replay};
use lexopt::Arg;
use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
landfall: one static /init for Linux initramfs images, and the tool around it

Usage: landfall COMMAND [OPTIONS]

Commands:
  image     pack an initramfs image: /init, kernel modules, firmware
  inspect   list, print or unpack any initramfs image
  boot      boot an image in QEMU and tell how it went
  explain   say what a boot would do with these disks, step by step
  identify  say what a disk or an image is, as blkid does
  modules   say what would be loaded for a name or a modalias, as modprobe does
  chart     draw what waited for what in a boot
  bench     measure landfall beside other initramfs images
  replay    tell the trace of a boot to this version: would it decide the same?
  help      this text, or the help of a command: landfall help image

Options:
  -h, --help     this text
  -V, --version  the version
";

fn main() -> ExitCode {
    match run(&mut lexopt::Parser::from_env()) {
        Ok(code) => code,
        Err(failure) => {
            if !failure.quiet {
                eprintln!("landfall: {failure}");
            }
            ExitCode::from(failure.exit)
        }
    }
}

fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    match args.next()? {
        None => Err(Failure::usage("no command given; see 'landfall --help'")),
        Some(Arg::Short('h') | Arg::Long("help")) => say(HELP),
        Some(Arg::Short('V') | Arg::Long("version")) => {
            say(concat!("landfall ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Some(Arg::Value(command)) => match command.to_str() {
            Some("image") => image::run(args),
            Some("inspect") => inspect::run(args),
            Some("boot") => boot::run(args),
            Some("bench") => bench::run(args),
            Some("chart") => chart::run(args),
            Some("explain") => explain::run(args),
            Some("identify") => identify::run(args),
            Some("modules") => modules::run(args),
            Some("replay") => replay::run(args),
            Some("help") => help(args),
            _ => Err(unknown(&command.to_string_lossy())),
        },
        Some(other) => Err(other.unexpected().into()),
    }
}

fn help(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let Some(about) = args.next()? else {
        return say(HELP);
    };
    match about {
        Arg::Value(v) if v == "image" => say(image::HELP),
        Arg::Value(v) if v == "inspect" => say(inspect::HELP),
        Arg::Value(v) if v == "boot" => say(boot::HELP),
        Arg::Value(v) if v == "bench" => say(&bench::help()),
        Arg::Value(v) if v == "chart" => say(chart::HELP),
        Arg::Value(v) if v == "explain" => say(explain::HELP),
        Arg::Value(v) if v == "identify" => say(identify::HELP),
        Arg::Value(v) if v == "modules" => say(modules::HELP),
        Arg::Value(v) if v == "replay" => say(replay::HELP),
        Arg::Value(v) => Err(unknown(&v.to_string_lossy())),
        other => Err(other.unexpected().into()),
    }
}

fn unknown(command: &str) -> Failure {
    Failure::usage(format!(
        "unknown command '{command}'; see 'landfall --help'"
    ))
}

fn say(text: &str) -> Result<ExitCode, Failure> {
    // A reader that went away has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}
