//! How long it takes to unlock a LUKS header, here and with cryptsetup, one after the other.
//!
//! `unlock DEVICE KEY` unlocks it as `/init` would, with the same code and the same threads; its
//! time is measured from outside, as that of `cryptsetup open --test-passphrase`.
//! `unlock DEVICE KEY wait` says when it has, and lives on until its input ends.
//! `unlock DEVICE KEY RUNS` runs both so often in turn, and prints both medians in milliseconds.

use landfall::base::fault::Fault;
use landfall::base::secret::Secret;
use landfall::crypt::hash::digest;
use landfall::crypt::unlock::{self, Areas};
use landfall::crypt::{Job, Machine};
use landfall::format::identity::{Need, View};
use landfall::format::luks::{self, Area, Header};
use landfall::sys::heap::Heap;
use landfall::sys::{memory, threads};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// As in `init`: what it gives back, the next one gets, with all that is in it.
#[global_allocator]
static HEAP: Heap = Heap::new();

struct Device(File);

impl Areas for Device {
    fn read(&mut self, area: &Area) -> Result<Secret, Fault> {
        let mut bytes = Secret::zeros(area.len);
        let read = self.0.read_exact_at(bytes.as_mut_bytes(), area.at);
        read.map_err(|error| Fault::plain(error.to_string()))?;
        Ok(bytes)
    }
}

/// This machine, as `/init` has it: see `act::unlock_luks`.
struct Here;

impl Machine for Here {
    fn memory_kib(&self) -> u64 {
        u64::MAX
    }

    fn at_once(&self, jobs: &mut [Job]) {
        threads::run_all(jobs);
    }

    fn reserved(&self, address: usize, len: usize) {
        memory::want_large_pages(address, len);
    }
}

fn header(device: &mut Device) -> Result<Header, String> {
    let size = device.0.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
    let mut view = View::new(size, 512);
    loop {
        let Need(range) = match luks::read(&view, &digest) {
            Ok(header) => return header.map_err(|fault| fault.to_string()),
            Err(need) => need,
        };
        let mut bytes = vec![0; range.len];
        let read = device.0.read_exact_at(&mut bytes, range.at);
        read.map_err(|error| error.to_string())?;
        view.add(range.at, bytes);
    }
}

fn once(device: &str, key: &str) -> Result<(), String> {
    let _ = memory::lock_all();
    let key = Secret::from(fs::read(key).map_err(|e| format!("{key}: {e}"))?);
    let file = File::open(device).map_err(|e| format!("{device}: {e}"))?;
    let mut device = Device(file);
    let header = header(&mut device)?;
    let opened = unlock::open(&header, None, key.as_bytes(), &mut device, &Here);
    opened.map(drop).map_err(|failure| failure.to_string())
}

/// For whoever looks at what is left in memory.
fn once_and_wait(device: &str, key: &str) -> Result<(), String> {
    once(device, key)?;
    println!("unlocked");
    let ended = std::io::stdin().read_to_end(&mut Vec::new());
    ended.map(drop).map_err(|e| e.to_string())
}

/// Microseconds.
fn time_of(command: &mut Command) -> Result<u128, String> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).status();
    let took = start.elapsed().as_micros();
    match status {
        Ok(status) if status.success() => Ok(took),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

fn in_turn(device: &str, key: &str, runs: u32) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(time_of(Command::new(&own).args([device, key]))?);
        let mut cryptsetup = Command::new("cryptsetup");
        cryptsetup.args(["open", "--test-passphrase", "--key-file", key, device]);
        theirs.push(time_of(&mut cryptsetup)?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{} {}", ours / 1000, theirs / 1000);
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        [device, key] => once(device, key),
        [device, key, "wait"] => once_and_wait(device, key),
        [device, key, runs] => match runs.parse() {
            Ok(runs) => in_turn(device, key, runs),
            Err(_) => Err(format!("{runs} is no number")),
        },
        _ => Err("usage: unlock DEVICE KEY [wait|RUNS]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("unlock: {text}");
            ExitCode::FAILURE
        }
    }
}
