//! A root of a server whose init is a shell: it tells what the kernel has of links, and goes on
//! living while the test does something to its server. The reporting init does neither.

use super::super::disks::{self, BUSYBOX};
use super::super::outcome::Outcome;
use super::Berth;
use super::server;

/// The longest command line that the kernel takes, with some left for what stands in front
/// (`COMMAND_LINE_SIZE`, arch/x86/include/asm/setup.h).
const LONGEST: usize = 1600;

/// What stands before each script: `tell` writes to the report.
const BEGIN: &str = "b=busybox; tell() { $b echo == $1; shift; $@; } > /dev/ttyS1 2>&1; \
                     links() { tell links $b ip -o link; tell addresses $b ip -4 -o addr; \
                     tell routes $b ip route; tell mounts cat /proc/mounts; };";

const END: &str = "printf '{\\42complete\\42:true}\\n' > /dev/ttyS1; $b poweroff -f";

impl Berth {
    /// A root with nothing but busybox, as a directory to be exported.
    pub fn busybox_root(&self) -> &'static str {
        // Version 4 shows no links above what is exported, and /berth is one.
        const AT: &str = "/run/berth/busybox";
        let disk = server().disk(&disks::file(&BUSYBOX));
        self.run(&format!("mkdir {AT}; mount -o ro,noload {disk} {AT}"));
        AT
    }
}

/// Words for the kernel, the last ones: a shell is the real init, and runs this script, whose
/// commands end with `;`. `links` tells what there is of links, `tell NAME COMMAND…` what a command
/// says. No `"` in it: the kernel's own quotes stand around it.
pub fn by_shell(script: &str) -> String {
    let script: Vec<&str> = script.lines().map(str::trim).collect();
    let script = script.join(" ");
    assert!(!script.contains('"'), "the kernel takes quotes: {script}");
    let words = format!("init=/bin/sh -- -c \"{BEGIN} {script} {END}\"");
    assert!(words.len() < LONGEST, "too long for a command line");
    words
}

/// What the shell told under this name, the last time.
#[track_caller]
pub fn told<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    outcome.assert_reached();
    section(outcome, name)
}

/// The same, where it was not landfall that began with the shell.
#[track_caller]
pub fn section<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    let head = format!("== {name}\n");
    let Some((_, rest)) = outcome.report.rsplit_once(&head) else {
        outcome.fail(&format!("no {name:?} in the report: {}", outcome.report));
    };
    rest.split("\n== ").next().unwrap_or_default()
}

/// The addresses of IPv4 that this link has: `10.66.1.50/24`.
#[track_caller]
pub fn addresses_of<'a>(outcome: &'a Outcome, link: &str) -> Vec<&'a str> {
    let lines = told(outcome, "addresses").lines();
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_link = words.filter_map(|words| match words[..] {
        [_, name, "inet", address, ..] if name == link => Some(address),
        _ => None,
    });
    of_link.collect()
}

/// Is it up? `2: eth0: <BROADCAST,UP,LOWER_UP> …`, with `@eth0` behind the name of a VLAN.
#[track_caller]
pub fn is_up(outcome: &Outcome, link: &str) -> bool {
    let line = told(outcome, "links").lines().find(|line| {
        let name = line.split_whitespace().nth(1).unwrap_or_default();
        name.trim_end_matches(':').split('@').next() == Some(link)
    });
    let Some(line) = line else {
        outcome.fail(&format!("no link {link} in {}", outcome.report));
    };
    line.contains(",UP")
}

/// Root is mounted from there.
#[track_caller]
pub fn assert_root_of(outcome: &Outcome, source: &str, fstype: &str) {
    let mounts = told(outcome, "mounts");
    let wanted = format!("{source} / {fstype} ro,");
    let there = mounts.lines().any(|line| line.starts_with(&wanted));
    outcome.check(there, &format!("no {wanted:?} in {mounts}"));
}
