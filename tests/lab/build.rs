//! The programs under test, and the reporting init: built by cargo, as a user would.

use super::shelf::{self, project, target};
use super::std_source;
use super::tools::{progress, tool};
use landfall::host::arch::Arch;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Each is built once by a process: by what cargo makes.
static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// PID 1.
pub fn init() -> PathBuf {
    init_for(Arch::X86_64)
}

pub fn init_for(arch: Arch) -> PathBuf {
    let target = arch.target();
    let what = ["--bin", "init", "--target", target];
    once(arch, &what, &format!("{target}/release/init"))
}

/// The host tool.
pub fn landfall() -> PathBuf {
    let what = ["--bin", "landfall", "--features", "host"];
    let own = Arch::own().expect("a machine that landfall runs on");
    once(own, &what, "release/landfall")
}

/// The real init of test roots.
pub fn reporter_for(arch: Arch) -> PathBuf {
    let target = arch.target();
    let what = ["--example", "reporter", "--target", target];
    once(arch, &what, &format!("{target}/release/examples/reporter"))
}

/// Unlocks LUKS headers, for `tests/boot/unlock_times.rs`.
pub fn unlock() -> PathBuf {
    let target = Arch::X86_64.target();
    let what = ["--example", "unlock", "--target", target];
    once(
        Arch::X86_64,
        &what,
        &format!("{target}/release/examples/unlock"),
    )
}

fn once(arch: Arch, what: &[&str], made: &str) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let path = built
        .entry(made.into())
        .or_insert_with(|| cargo(arch, what, made));
    path.clone()
}

fn cargo(arch: Arch, what: &[&str], made: &str) -> PathBuf {
    progress(&format!("cargo build --release {}", what.join(" ")));
    let _alone = shelf::lock("cargo");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = tool(&cargo);
    command.args(["build", "--release"]).args(what);
    if what.contains(&"--target") {
        std_source::provide(arch, &mut command);
    }
    // Minutes on a small machine: cargo's own progress is shown.
    let status = command.current_dir(project()).status();
    let built = status.is_ok_and(|status| status.success());
    assert!(built, "cargo build {} failed", what.join(" "));
    let path = target().join(made);
    assert!(path.exists(), "cargo did not make {}", path.display());
    path
}
