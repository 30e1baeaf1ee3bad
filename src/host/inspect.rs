//! `landfall inspect`: lists, prints and unpacks any initramfs image.

use crate::base::text::Text;
use crate::format::bootconfig;
use crate::host::compress::Method;
use crate::host::cpio::{self, Header};
use crate::host::failure::{Failure, Tried};
use crate::host::segments::{Segment, Visitor, walk};
use crate::host::unpack::Unpacker;
use lexopt::Arg;
use serde_json::json;
use std::ffi::OsString;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub const HELP: &str = "\
Lists, prints or unpacks an initramfs image with all its segments.

Usage: landfall inspect IMAGE [--list | --json | --cat PATH | --bootconfig | --unpack DIR]

  --list         list all entries, as 'ls -l' does (this is the default)
  --json         list all entries, one JSON object a line
  --cat PATH     print a file; where the image holds it more than once, the last one, as the
                 kernel leaves it
  --bootconfig   print the bootconfig behind the image, as it was written; its keys are also at
                 the end of the list
  --unpack DIR   unpack into DIR, which must be empty or not exist; nothing is written outside
                 of it; device nodes are made only for root
  -h, --help     this text

Reads cpio archives (newc), plain or in gzip, bzip2, lzma, xz, lzo, lz4 or zstd, one after the
other in one file, as distributions put microcode in front. Ends with status 1 if the image is
damaged; what was readable before the damage is shown.
";

/// Larger files are no initramfs: the kernel could not hold them twice.
const MAX_IMAGE: u64 = 4 << 30;

enum Job {
    List,
    Json,
    Cat(OsString),
    Bootconfig,
    Unpack(PathBuf),
}

/// `args` stands after the word `inspect`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut image = None;
    let mut job = None;
    while let Some(arg) = args.next()? {
        let chosen = match arg {
            Arg::Long("list") => Job::List,
            Arg::Long("json") => Job::Json,
            Arg::Long("cat") => Job::Cat(args.value()?),
            Arg::Long("bootconfig") => Job::Bootconfig,
            Arg::Long("unpack") => Job::Unpack(args.value()?.into()),
            Arg::Short('h') | Arg::Long("help") => {
                let _ = io::stdout().write_all(HELP.as_bytes());
                return Ok(ExitCode::SUCCESS);
            }
            Arg::Value(path) if image.is_none() => {
                image = Some(PathBuf::from(path));
                continue;
            }
            other => return Err(other.unexpected().into()),
        };
        if job.replace(chosen).is_some() {
            return Err(Failure::usage(
                "only one of --list, --json, --cat, --bootconfig and --unpack at a time",
            ));
        }
    }
    let image = image.ok_or_else(|| {
        Failure::usage("no image given; usage: landfall inspect IMAGE (see --help)")
    })?;
    inspect(&image, job.unwrap_or(Job::List))?;
    Ok(ExitCode::SUCCESS)
}

fn inspect(path: &Path, job: Job) -> Result<(), Failure> {
    let bytes = read_image(path)?;
    let name = path.display().to_string();
    let mut out = BufWriter::new(io::stdout().lock());
    let result = match job {
        Job::List => walk(&name, &bytes, &mut List(&mut out)),
        Job::Json => walk(&name, &bytes, &mut Json(&mut out)),
        Job::Cat(wanted) => cat(&name, &bytes, wanted.as_bytes(), &mut out),
        Job::Bootconfig => print_bootconfig(&name, &bytes, &mut out),
        Job::Unpack(into) => {
            let mut unpacker = Unpacker::new(&into)?;
            let walked = walk(&name, &bytes, &mut unpacker);
            let finished = unpacker.finish();
            walked.and(finished)
        }
    };
    // What was found is shown before the complaint.
    let flushed = out.flush().or_cannot(|| "write to standard output".into());
    result.and(flushed)
}

/// The whole image in memory.
pub fn read_image(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(MAX_IMAGE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().or_cannot(|| format!("read {}", path.display()))?;
    if bytes.len() as u64 > MAX_IMAGE {
        let text = format!("{} is larger than 4 GiB: no initramfs is", path.display());
        return Err(Failure::new(text));
    }
    Ok(bytes)
}

fn print_bootconfig(name: &str, image: &[u8], out: &mut dyn Write) -> Result<(), Failure> {
    let none = || Failure::new(format!("{name} has no bootconfig behind it"));
    let found = bootconfig::find(image).ok_or_else(none)?;
    out.write_all(found.text)
        .or_cannot(|| "write to standard output".into())?;
    keys_of(&found).map(drop)
}

/// The keys of a bootconfig, or why the kernel will have none of it.
fn keys_of(found: &bootconfig::Found<'_>) -> Result<Vec<bootconfig::Entry>, Failure> {
    if !found.intact {
        return Err(Failure::new(
            "the bootconfig is damaged: its checksum is wrong",
        ));
    }
    bootconfig::parse(found.text).map_err(|wrong| {
        let text = format!(
            "the bootconfig is wrong in line {}: {}",
            wrong.line, wrong.why
        );
        Failure::new(text)
    })
}

struct List<'a>(&'a mut dyn Write);

impl Visitor for List<'_> {
    fn segment(&mut self, segment: &Segment) -> Result<(), Failure> {
        let packed = match segment.method {
            Method::None => "not compressed",
            other => other.name(),
        };
        let line = format!(
            "# segment {} from byte {}: {packed}",
            segment.number, segment.offset
        );
        writeln!(self.0, "{line}").or_cannot(|| "write to standard output".into())
    }

    fn entry(&mut self, _of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let line = list_line(e, body)?;
        writeln!(self.0, "{line}").or_cannot(|| "write to standard output".into())
    }

    fn bootconfig(&mut self, found: &bootconfig::Found<'_>) -> Result<(), Failure> {
        let mut text = format!("# bootconfig from byte {}\n", found.offset).into_bytes();
        let keys = keys_of(found);
        text.extend(keys.as_deref().map(bootconfig::listing).unwrap_or_default());
        self.0
            .write_all(&text)
            .or_cannot(|| "write to standard output".into())?;
        keys.map(drop)
    }
}

fn list_line(e: &Header, body: &mut dyn Read) -> Result<String, Failure> {
    let device = e.is(cpio::S_IFCHR) || e.is(cpio::S_IFBLK);
    let size = if device {
        format!("{}, {}", e.rdev.0, e.rdev.1)
    } else {
        e.size.to_string()
    };
    let mut line = format!(
        "{} {:3} {:4} {:4} {:>10} {} {}",
        mode_text(e.mode),
        e.nlink,
        e.uid,
        e.gid,
        size,
        date(e.mtime),
        Text(e.path.clone())
    );
    if let Some(target) = link_target(e, body)? {
        line.push_str(" -> ");
        line.push_str(&Text(target).to_string());
    }
    Ok(line)
}

/// The target of a symbolic link (its length was checked by the reader).
pub fn link_target(e: &Header, body: &mut dyn Read) -> Result<Option<Vec<u8>>, Failure> {
    if !e.is(cpio::S_IFLNK) {
        return Ok(None);
    }
    let mut target = Vec::new();
    let read = body.read_to_end(&mut target);
    read.or_cannot(|| format!("read the target of {}", Text(e.path.clone())))?;
    Ok(Some(crate::base::bytes::until_nul(&target).to_vec()))
}

struct Json<'a>(&'a mut dyn Write);

impl Visitor for Json<'_> {
    fn entry(&mut self, of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let target = link_target(e, body)?.map(|t| Text(t).to_string());
        let line = json!({
            "segment": of.number,
            "offset": of.offset,
            "compression": of.method.name(),
            "path": Text(e.path.clone()).to_string(),
            "type": type_letter(e.mode).to_string(),
            "mode": format!("{:04o}", e.mode & 0o7777),
            "uid": e.uid,
            "gid": e.gid,
            "nlink": e.nlink,
            "ino": e.ino,
            "size": e.size,
            "mtime": e.mtime,
            "device": (e.rdev != (0, 0)).then_some([e.rdev.0, e.rdev.1]),
            "target": target,
        });
        writeln!(self.0, "{line}").or_cannot(|| "write to standard output".into())
    }

    fn bootconfig(&mut self, found: &bootconfig::Found<'_>) -> Result<(), Failure> {
        let values = |e: &bootconfig::Entry| -> Vec<_> {
            e.values.iter().map(ToString::to_string).collect()
        };
        for entry in keys_of(found)? {
            let line = json!({
                "bootconfig": entry.key,
                "offset": found.offset,
                "values": values(&entry),
            });
            writeln!(self.0, "{line}").or_cannot(|| "write to standard output".into())?;
        }
        Ok(())
    }
}

/// Two passes: the first finds which entry counts, the second prints it.
fn cat(name: &str, image: &[u8], wanted: &[u8], out: &mut dyn Write) -> Result<(), Failure> {
    let mut find = Find {
        wanted: plain(wanted),
        count: 0,
        last: None,
    };
    let walked = walk(name, image, &mut find);
    let Some(found) = find.last else {
        walked?;
        let text = format!("{name} holds no '{}'", Text::from(wanted));
        return Err(Failure::new(text));
    };
    if !found.entry.is(cpio::S_IFREG) {
        let text = format!("'{}' is not a plain file", Text::from(wanted));
        return Err(Failure::new(text));
    }
    let mut print = Print { found, at: 0, out };
    walk(name, image, &mut print)
}

/// Names with and without `/` or `./` in front are the same file.
fn plain(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"/").or_else(|| path.strip_prefix(b"./")) {
        path = rest;
    }
    path
}

struct Find<'a> {
    wanted: &'a [u8],
    count: u64,
    /// Which archive, which entry of the image, and the entry.
    last: Option<Found>,
}

#[derive(Clone)]
struct Found {
    archive: usize,
    number: u64,
    entry: Header,
}

impl Visitor for Find<'_> {
    fn entry(&mut self, of: &Segment, e: &Header, _body: &mut dyn Read) -> Result<(), Failure> {
        if plain(&e.path) == self.wanted {
            self.last = Some(Found {
                archive: of.archive,
                number: self.count,
                entry: e.clone(),
            });
        }
        self.count += 1;
        Ok(())
    }
}

struct Print<'a> {
    found: Found,
    at: u64,
    out: &'a mut dyn Write,
}

impl Visitor for Print<'_> {
    fn entry(&mut self, of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let wanted = &self.found.entry;
        // Of several hard links only one carries the contents.
        let linked = wanted.nlink > 1 && wanted.size == 0 && e.size > 0;
        let same = (of.archive, e.ino, e.dev) == (self.found.archive, wanted.ino, wanted.dev);
        if self.at == self.found.number || linked && same {
            io::copy(body, self.out).or_cannot(|| format!("print {}", Text(e.path.clone())))?;
        }
        self.at += 1;
        Ok(())
    }
}

fn type_letter(mode: u32) -> char {
    match mode & cpio::S_IFMT {
        cpio::S_IFREG => '-',
        cpio::S_IFDIR => 'd',
        cpio::S_IFLNK => 'l',
        cpio::S_IFCHR => 'c',
        cpio::S_IFBLK => 'b',
        cpio::S_IFIFO => 'p',
        cpio::S_IFSOCK => 's',
        _ => '?',
    }
}

/// `drwxr-xr-x`, with s, S, t and T as ls(1) writes them.
fn mode_text(mode: u32) -> String {
    let mut text = String::from(type_letter(mode));
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// `2026-11-21 22:59` in UTC. Days to a date as in "chrono-compatible low-level date algorithms"
/// (H. Hinnant): years that begin in March make the leap day the last one.
fn date(seconds: u32) -> String {
    let (days, second) = (u64::from(seconds) / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + later;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_modes_read_as_in_ls() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_868_799), "2000-02-29 23:59");
        assert_eq!(date(u32::MAX), "2106-02-07 06:28");
        assert_eq!(mode_text(0o040_755), "drwxr-xr-x");
        assert_eq!(mode_text(0o041_777), "drwxrwxrwt");
        assert_eq!(mode_text(0o104_640), "-rwSr-----");
        assert_eq!(mode_text(0o020_600), "crw-------");
    }
}
