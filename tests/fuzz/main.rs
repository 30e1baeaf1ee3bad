//! Fuzzers: does any input break a parser, or the plan? `sh tests/fuzz.sh [SECONDS [TARGET…]]`
//! builds this with LLVM's edge counters, and runs each target for so long.
//!
//! `fuzz list` lists the targets; `fuzz TARGET SECONDS DIR` runs one; `fuzz TARGET FILE` tries one
//! input again. Inputs that reach new places are kept in DIR for the next run. `fuzz TARGET COUNTx
//! DIR` tries that many inputs, the same each time, whatever earlier runs found. A run fails, and
//! the input is kept as `DIR/../crashes/TARGET-HASH`, on a panic, after more than a second of
//! computing, and beyond a bound of memory.

mod archive;
mod coverage;
mod firmware;
mod iscsi;
mod memory;
mod mutate;
mod nbd;
mod network;
mod seeds;
mod targets;

use mutate::Mutator;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use targets::{TARGETS, Target};

/// No input is larger.
const INPUT_MAX: usize = 16 * 1024;
/// What one input may make a parser hold at a time, in bytes.
const MEMORY_MAX: usize = 32 << 20;
/// Of computing, for one input.
const PATIENCE: Duration = Duration::from_secs(1);

/// The input under way, for whoever has to keep it.
static CURRENT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// When it began, in milliseconds of computing; 0: none is under way.
static BEGAN: AtomicU64 = AtomicU64::new(0);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name)),
        [name, length, directory] => {
            Run::new(find(name), Path::new(directory)).run(Length::parse(length));
        }
        [name, file] => {
            let input = fs::read(file).expect("a file to read");
            let run = Run::new(find(name), &std::env::temp_dir());
            println!("{} edges", run.attempt(&input));
        }
        _ => {
            eprintln!("usage: fuzz list | fuzz TARGET SECONDS DIRECTORY | fuzz TARGET FILE");
            exit(2);
        }
    }
}

/// How long a target is tried.
#[derive(Clone, Copy)]
enum Length {
    Time(Duration),
    /// So many inputs, out of the seeds alone.
    Inputs(u64),
}

impl Length {
    fn parse(text: &str) -> Self {
        match text.strip_suffix('x') {
            Some(count) => Self::Inputs(count.parse().expect("a number of inputs")),
            None => {
                let seconds = text
                    .parse()
                    .expect("a number of seconds, or of inputs with x");
                Self::Time(Duration::from_secs(seconds))
            }
        }
    }

    fn is_over(self, start: Instant, tries: u64) -> bool {
        match self {
            Self::Time(length) => start.elapsed() >= length,
            Self::Inputs(count) => tries >= count,
        }
    }

    /// What the noise begins with.
    fn seed(self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        match self {
            Self::Time(_) => now.map_or(1, |d| d.as_nanos() as u64),
            Self::Inputs(_) => 1,
        }
    }
}

fn find(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| {
        eprintln!("there is no target {name}");
        exit(2)
    })
}

fn computed_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let ms = time.tv_sec * 1000 + time.tv_nsec / 1_000_000;
    u64::try_from(ms).unwrap_or(0).max(1)
}

struct Run {
    target: &'static Target,
    directory: PathBuf,
    corpus: Vec<Vec<u8>>,
}

impl Run {
    fn new(target: &'static Target, directory: &Path) -> Self {
        std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
        Self {
            target,
            directory: directory.into(),
            corpus: Vec::new(),
        }
    }

    fn run(mut self, length: Length) {
        fs::create_dir_all(&self.directory).expect("a writable directory");
        let (name, directory) = (self.target.name, self.directory.clone());
        std::thread::spawn(move || watch(name, &directory));
        let goes_on = matches!(length, Length::Time(_));
        self.load(goes_on);
        let known = self.corpus.len();
        let mut mutator = Mutator::new(length.seed());
        let (start, mut tries) = (Instant::now(), 0u64);
        while !length.is_over(start, tries) {
            for _ in 0..64 {
                let input = mutator.next(&self.corpus, self.target.words, INPUT_MAX);
                self.try_one(&input, goes_on);
                tries += 1;
            }
        }
        println!(
            "fuzz {name}: {tries} inputs, {} kept ({} new), {} edges, at most {} KiB held",
            self.corpus.len(),
            self.corpus.len() - known,
            coverage::reached(),
            memory::most() / 1024
        );
        // With nothing counted every input looks alike, and nothing is found but by chance.
        let blind = coverage::reached() == 0;
        assert!(!blind, "no edge was counted: build with tests/fuzz.sh");
    }

    /// Seeds, and what earlier runs found where this one `goes_on` from there.
    fn load(&mut self, goes_on: bool) {
        let mut inputs = seeds::of(self.target.name);
        if goes_on {
            let entries = fs::read_dir(&self.directory).expect("a directory");
            inputs.extend(entries.flatten().filter_map(|e| fs::read(e.path()).ok()));
        }
        inputs.push(Vec::new());
        for input in inputs {
            let input = input.get(..INPUT_MAX).unwrap_or(&input).to_vec();
            if !self.try_one(&input, false) && self.corpus.is_empty() {
                self.corpus.push(input);
            }
        }
    }

    /// Keeps an input that reaches something new.
    fn try_one(&mut self, input: &[u8], store: bool) -> bool {
        self.attempt(input);
        let new = coverage::anything_new();
        if new {
            self.corpus.push(input.to_vec());
        }
        if new && store {
            let file = self.directory.join(format!("{:016x}", hash(input)));
            fs::write(file, input).expect("space");
        }
        new
    }

    fn attempt(&self, input: &[u8]) -> usize {
        CURRENT
            .lock()
            .expect("no panic holds it")
            .clone_from(&input.to_vec());
        coverage::clear();
        let before = memory::begin();
        BEGAN.store(computed_ms(), Ordering::SeqCst);
        let ended = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        BEGAN.store(0, Ordering::SeqCst);
        if ended.is_err() {
            keep(self.target.name, &self.directory, "it panicked");
        }
        if memory::most_since(before) > MEMORY_MAX {
            keep(self.target.name, &self.directory, "it held too much memory");
        }
        coverage::reached()
    }
}

/// Ends the process when an input takes too long.
fn watch(name: &'static str, directory: &Path) {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let began = BEGAN.load(Ordering::SeqCst);
        let spent = computed_ms().saturating_sub(began);
        if began > 0 && spent > PATIENCE.as_millis() as u64 {
            keep(name, directory, "it took too long");
        }
    }
}

/// Keeps the input under way for a person, and ends.
fn keep(name: &str, directory: &Path, why: &str) -> ! {
    let input = CURRENT.lock().expect("no panic holds it").clone();
    let crashes = directory.join("../crashes");
    fs::create_dir_all(&crashes).expect("a writable directory");
    let file = crashes.join(format!("{name}-{:016x}", hash(&input)));
    fs::write(&file, &input).expect("space");
    eprintln!("fuzz {name}: {why}: {}", file.display());
    exit(1)
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
