//! The programs under test, and the reporting init: built by cargo, as a user would.

use super::shelf::{self, project, target};
use super::tools::{progress, tool};
use std::path::PathBuf;
use std::sync::OnceLock;

const MUSL: &str = "x86_64-unknown-linux-musl";

/// PID 1.
pub fn init() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        cargo(
            &["--bin", "init", "--target", MUSL],
            &format!("{MUSL}/release/init"),
        )
    };
    BUILT.get_or_init(build).clone()
}

/// The host tool.
pub fn landfall() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        cargo(
            &["--bin", "landfall", "--features", "host"],
            "release/landfall",
        )
    };
    BUILT.get_or_init(build).clone()
}

/// The real init of test roots.
pub fn reporter() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let made = format!("{MUSL}/release/examples/reporter");
    let build = || cargo(&["--example", "reporter", "--target", MUSL], &made);
    BUILT.get_or_init(build).clone()
}

fn cargo(what: &[&str], made: &str) -> PathBuf {
    progress(&format!("cargo build --release {}", what.join(" ")));
    let _alone = shelf::lock("cargo");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = tool(&cargo);
    command.args(["build", "--release"]).args(what);
    // Minutes on a small machine: cargo's own progress is shown.
    let status = command.current_dir(project()).status();
    let built = status.is_ok_and(|status| status.success());
    assert!(built, "cargo build {} failed", what.join(" "));
    let path = target().join(made);
    assert!(path.exists(), "cargo did not make {}", path.display());
    path
}
