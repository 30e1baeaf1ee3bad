//! `landfall chart`: the picture of a boot, from its trace.

use crate::host::atomic::AtomicFile;
use crate::host::failure::{Failure, Tried};
use crate::host::{chart_jobs, chart_svg, output};
use lexopt::Arg;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub const HELP: &str = "\
Draws what waited for what in a boot, as an SVG picture.

Usage: landfall chart TRACE [-o OUT.svg]

  -o, --output OUT   the picture (default: standard output)
  -h, --help         this text

TRACE is a file as each boot leaves it in /run/landfall/trace; '-' is standard input.
";

/// A boot writes at most 1 MiB of trace.
const TRACE_MAX: u64 = 64 << 20;

/// The chart of a trace, as an SVG document. Lines that are no trace are passed over.
pub fn svg(trace: &str) -> String {
    chart_svg::draw(&chart_jobs::read(trace))
}

/// `args` stands after the word `chart`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut trace, mut out) = (None, None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return output::print(HELP),
            Arg::Short('o') | Arg::Long("output") => out = Some(PathBuf::from(args.value()?)),
            Arg::Value(path) if trace.is_none() => trace = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let trace = trace.ok_or_else(|| {
        Failure::usage("no trace given; usage: landfall chart TRACE [-o OUT.svg] (see --help)")
    })?;
    let text = read_trace(&trace)?;
    if chart_jobs::read(&text).all.is_empty() {
        let text = format!(
            "{} holds no trace of a boot: nothing to draw",
            trace.display()
        );
        return Err(Failure::new(text));
    }
    match out {
        None => output::print(&svg(&text)),
        Some(path) => {
            let mut file = AtomicFile::create(&path)?;
            let written = file.write_all(svg(&text).as_bytes());
            written.or_cannot(|| format!("write {}", path.display()))?;
            file.commit()?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The text of a trace file; `-` is standard input.
pub fn read_trace(path: &Path) -> Result<String, Failure> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let input: Box<dyn Read> = match path == Path::new("-") {
            true => Box::new(std::io::stdin()),
            false => Box::new(std::fs::File::open(path)?),
        };
        input.take(TRACE_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().or_cannot(|| format!("read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
