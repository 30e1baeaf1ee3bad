//! The commands that answer questions on the host: identify, modules, explain, replay, chart.
//! Where an answer can be compared with that of blkid(8) or modprobe(8), it is.

mod charts;
mod explained;
mod identified;
mod listed;

use std::path::Path;
use std::process::{Command, Output};

/// A program, also from where only root looks for it.
fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.env("LC_ALL", "C.UTF-8");
    command
}

fn run(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|e| panic!("{command:?}: {e} (tests need the mkfs tools and util-linux)"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A sparse image of `mib` MiB in `directory`, on which a shell script works as `$F`.
fn make(directory: &Path, name: &str, mib: u64, script: &str) {
    let path = directory.join(name);
    let file = std::fs::File::create(&path).expect("create image");
    file.set_len(mib << 20).expect("size image");
    let mut shell = tool("sh");
    shell.args(["-ec", script]).env("F", &path);
    let output = run(shell.current_dir(directory));
    assert!(output.status.success(), "{name}: {}", stderr(&output));
}

/// A GPT disk `disk.img` with an empty first partition and ext4, labelled `home sweet`, on the
/// second. Its bytes are the same each time but for UUIDs.
fn make_disk(directory: &Path) {
    let script = "mkfs.ext4 -q -L 'home sweet' -U 5eedf00d-0000-4000-8000-000000000001 $F";
    make(directory, "fs.img", 16, script);
    let script = "printf 'label: gpt\nsize=4M, name=\"boot <1>\"\nsize=16M, name=root\n' | \
                  sfdisk -q $F; dd if=fs.img of=$F bs=1M seek=5 conv=notrunc,sparse status=none";
    make(directory, "disk.img", 24, script);
}

#[test]
fn each_command_has_its_help_and_refuses_what_it_does_not_know() {
    let here = Path::new(".");
    for command in ["identify", "modules", "explain", "replay", "chart"] {
        for args in [vec![command, "--help"], vec!["help", command]] {
            let help = stdout(&crate::small_tree::landfall(here, &args));
            let usage = format!("Usage: landfall {command}");
            assert!(help.contains(&usage), "{args:?}: {help}");
        }
        for args in [vec![command], vec![command, "--what"]] {
            let output = crate::small_tree::landfall(here, &args);
            assert_eq!(output.status.code(), Some(2), "{args:?}");
            assert_eq!(stderr(&output).lines().count(), 1, "{args:?}");
        }
        let missing = crate::small_tree::landfall(here, &[command, "no/such", "--disk"]);
        assert_ne!(missing.status.code(), Some(0), "{command}");
    }
}
