//! Runs the machine's programs: mkfs, dpkg, cargo. A failure ends the test with what was said.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// Starts a command line. Ordinary users have no `sbin` in their PATH on Debian.
pub fn tool(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// The same, as root: through sudo where this is somebody else.
pub fn tool_as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return tool(program);
    }
    let mut command = tool("sudo");
    command.arg(program);
    command
}

/// Runs to the end and returns stdout.
pub fn done(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("cannot run {shown}: {e} (sh tests/all.sh installs it)"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{shown}\n{}: {said}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `program` with `args`.
pub fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> String {
    done(tool(program).args(args))
}

/// Runs `command` with `input` on its stdin.
pub fn feed(command: &mut Command, input: &str) {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {shown}: {e}"));
    let mut stdin = child.stdin.take().expect("a pipe was asked for");
    stdin.write_all(input.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("a child");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{shown}\n{}: {said}",
        output.status
    );
}

/// Tells a person what takes so long; shown even while tests capture their output.
pub fn progress(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "lab: {what}");
}
