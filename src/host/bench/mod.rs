//! `landfall bench`: landfall beside a hand-written init and other initramfs images.
//!
//! | File | What it is |
//! |---|---|
//! | `args` | the command line |
//! | `discipline` | root on a disk of the machine, or on a server |
//! | `setting`, `server` | what all share: kernel, modules, disk, who serves it |
//! | `compile` | small static C programs, made on the spot |
//! | `contestants`, `floor`, `busybox`, `debian` | who is measured, and how images are made |
//! | `guest`, `figures` | one boot, and what it measured |
//! | `results`, `table`, `svg` | all boots, and how they are shown |

mod args;
mod busybox;
mod compile;
mod contestants;
mod debian;
mod discipline;
mod figures;
mod floor;
mod guest;
mod results;
mod server;
mod setting;
mod svg;
mod table;

pub use args::help;

use crate::host::atomic::AtomicFile;
use crate::host::failure::{Failure, Tried};
use crate::host::output;
use crate::host::progress::Progress;
use args::Options;
use contestants::Entry;
use results::{Results, Row};
use server::Servers;
use setting::Setting;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Of the console of a boot that led nowhere.
const LINES_SHOWN: usize = 8;

/// Runs `landfall bench`: `args` stands after the word `bench`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let Some(options) = args::parse(args)? else {
        return output::print(&help());
    };
    let mut progress = Progress::new(options.quiet);
    let work = Work::new(options.keep.as_deref())?;
    progress.step("making the disk");
    let mut setting = Setting::prepare(&options, &work.path)?;
    let mut results = enter_all(&setting, &options, &mut progress)?;
    boot_all(&mut setting, &options, &mut results, &mut progress)?;
    drop(progress);
    if let Some(path) = &options.svg {
        let mut file = AtomicFile::create(path)?;
        let written = file.write_all(svg::draw(&results).as_bytes());
        written.or_cannot(|| format!("write {}", path.display()))?;
        file.commit()?;
    }
    output::print(&match options.json {
        true => table::json(&results),
        false => table::text(&results),
    })?;
    let failed = results.rows.iter().any(|row| row.failed.is_some());
    Ok(ExitCode::from(u8::from(failed)))
}

fn enter_all(
    setting: &Setting,
    options: &Options,
    progress: &mut Progress,
) -> Result<Results, Failure> {
    let mut results = Results::new(setting, options);
    for contestant in &options.only {
        let name = contestant.name();
        progress.step(&format!("making the image of {name}"));
        match contestant.enter(setting, options, progress)? {
            Entry::Image(image) => {
                let size = fs::metadata(&image).or_cannot(|| format!("read {}", image.display()));
                let mut row = Row::new(name, image, size?.len());
                row.words = setting.words(*contestant);
                results.rows.push(row);
            }
            Entry::Skipped(why) => {
                progress.note(&format!("{name} is left out: {why}"), true);
                results.left_out.push((name, why));
            }
        }
    }
    Ok(results)
}

/// Round by round, so that whatever changes on this machine meanwhile meets everybody.
fn boot_all(
    setting: &mut Setting,
    options: &Options,
    results: &mut Results,
    progress: &mut Progress,
) -> Result<(), Failure> {
    for run in 1..=options.runs {
        for row in results.rows.iter_mut().filter(|row| row.failed.is_none()) {
            let name = row.name;
            let what = format!("{name}: boot {run} of {}", options.runs);
            progress.step(&what);
            let mut tick = |seconds| progress.within(|| format!("{what}, {seconds} s"));
            let lines = guest::boot(setting, row, options.cpus, options.timeout, &mut tick)?;
            setting
                .servers
                .as_mut()
                .map_or(Ok(()), Servers::are_there)?;
            let console = setting.work.join(format!("{name}.{run}.console"));
            let written = fs::write(&console, lines.join("\n"));
            written.or_cannot(|| format!("write {}", console.display()))?;
            match figures::read(&lines, options.discipline) {
                Ok(figures) => row.runs.push(figures),
                Err(why) => {
                    let from = lines.len().saturating_sub(LINES_SHOWN);
                    let last = lines.get(from..).unwrap_or_default().join("\n  ");
                    progress.note(
                        &format!("{name}: {why}; its console ended:\n  {last}"),
                        true,
                    );
                    row.failed = Some(why);
                }
            }
        }
    }
    Ok(())
}

/// Where things are made: removed at the end, unless the user wants to keep it.
struct Work {
    path: PathBuf,
    passing: bool,
}

impl Work {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        // In memory where possible: the disk's delays are the only noise there is.
        let memory = Path::new("/dev/shm");
        let passing = match memory.is_dir() {
            true => memory.to_path_buf(),
            false => std::env::temp_dir(),
        };
        let passing = passing.join(format!("landfall-bench-{}", std::process::id()));
        let path = keep.map_or(passing, Path::to_path_buf);
        fs::create_dir_all(&path).or_cannot(|| format!("make {}", path.display()))?;
        Ok(Self {
            path,
            passing: keep.is_none(),
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if self.passing {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
