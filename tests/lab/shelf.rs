//! Where made things lie, and how each is made once: `target/lab/KIND/NAME-HASH`.
//!
//! The hash is of the recipe, so a changed recipe makes a new thing. Files are made under
//! another name and moved in place: a broken run leaves nothing that looks finished.

use super::tools::progress;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => project().join(path),
        None => project().join("target"),
    }
}

pub fn lab() -> PathBuf {
    target().join("lab")
}

/// The thing `kind/name` as `recipe` says; `make` gets the path to make it at.
pub fn made(kind: &str, name: &str, recipe: &[u8], make: impl FnOnce(&Path)) -> PathBuf {
    let directory = lab().join(kind);
    fs::create_dir_all(&directory).expect("a writable target directory");
    let finished = directory.join(format!("{name}-{:016x}", hash(recipe)));
    let _alone = lock(&format!("{kind}-{name}"));
    if !finished.exists() {
        let part = directory.join(format!("{name}.part"));
        remove(&part);
        let start = Instant::now();
        make(&part);
        fs::rename(&part, &finished).expect("a rename within one directory");
        if start.elapsed() > Duration::from_secs(2) {
            progress(&format!(
                "made {kind}/{name} in {} s",
                start.elapsed().as_secs()
            ));
        }
    }
    finished
}

pub fn remove(path: &Path) {
    let gone = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    if let Err(error) = gone
        && error.kind() != std::io::ErrorKind::NotFound
    {
        panic!("cannot remove {}: {error}", path.display());
    }
}

/// Held by one thread of one process at a time.
pub fn lock(name: &str) -> File {
    let file = open_lock(name);
    file.lock().expect("a lock");
    file
}

fn open_lock(name: &str) -> File {
    let directory = lab().join("locks");
    fs::create_dir_all(&directory).expect("a writable target directory");
    File::create(directory.join(name)).expect("a lock file")
}

/// Guests at a time: each is one busy thread, and the smallest machines have two CPUs.
const SEATS: usize = 2;

/// A seat for one guest, across all test processes. Waits for one to be free.
pub fn seat() -> File {
    loop {
        for number in 0..SEATS {
            let file = open_lock(&format!("seat{number}"));
            if file.try_lock().is_ok() {
                return file;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// FNV-1a, 64 bits.
pub fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// What a file holds, as part of a recipe.
pub fn fingerprint(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    format!("{:016x}", hash(&bytes))
}

/// A directory of this process that goes away with the value.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a Unix socket may have 108 bytes.
        let name = format!("landfall-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a writable temporary directory");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
