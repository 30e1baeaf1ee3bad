//! The real init of test guests: says what it found when it was started, then powers off.
//!
//! Each fact is one line of JSON on the second serial port (its driver is built into every
//! kernel that has a console there, so no module is needed and nothing is lost in console text).
//! Where consoles are ports of another kind, that is the first of the usual kind.
//! Not a test by itself: the boot tests judge the facts.

// As in `/init`: then no target needs an unwinder.
#[cfg(all(panic = "abort", target_env = "musl"))]
#[path = "../../src/sys/unwind_stubs.rs"]
mod unwind_stubs;

mod below_root;

use rustix::termios::OptionalActions;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const PORT: &str = match cfg!(any(target_arch = "x86_64", target_arch = "riscv64")) {
    true => "/dev/ttyS1",
    false => "/dev/ttyS0",
};

fn main() {
    if std::process::id() != 1 {
        return print_old_rootfs();
    }
    // Descriptors first, before this program opens any of its own.
    let descriptors = descriptors();
    let mut facts = Facts::open();
    facts.list("fds", &descriptors);
    let argv: Vec<String> = std::env::args_os()
        .map(|a| lossy(a.as_encoded_bytes()))
        .collect();
    facts.list("argv", &argv);
    let environment: Vec<String> = std::env::vars_os()
        .map(|(k, v)| format!("{}={}", k.display(), v.display()))
        .collect();
    facts.list("env", &environment);
    facts.text("pid", &std::process::id().to_string());
    facts.text("cwd", &link("/proc/self/cwd"));
    facts.text("exe", &link("/proc/self/exe"));
    for (name, path) in FILES {
        facts.text(name, &read(path));
    }
    let below = below_root::below_root(&read("/proc/self/mountinfo"));
    facts.text("below_root", &below);
    facts.list("processes", &processes());
    facts.list("parameters", &parameters());
    facts.list("mapped", &mapped());
    facts.list("arrays_for_udev", &arrays_for_udev());
    facts.list("run_landfall", &entries_below(Path::new("/run/landfall")));
    facts.text("trace", &read("/run/landfall/trace"));
    facts.text("mode_run", &mode("/run"));
    facts.text("mode_shm", &mode("/dev/shm"));
    facts.list("writable_root", &[probe_write()]);
    // Where words say how to restart, the machine cannot be switched off; one that restarts ends
    // as well. Asked here: the old rootfs is looked for by a child that detaches all mounts.
    let end = match read("/proc/cmdline").contains(" reboot=") {
        true => rustix::system::RebootCommand::Restart,
        false => rustix::system::RebootCommand::PowerOff,
    };
    facts.say("{\"before_detach\":true}");
    facts.list("old_rootfs", &old_rootfs());
    facts.say("{\"complete\":true}");
    facts.drain();
    rustix::system::reboot(end).ok();
    // PID 1 must not end: the kernel would panic over it.
    loop {
        std::thread::park();
    }
}

/// Read as they are, under these names.
const FILES: &[(&str, &str)] = &[
    ("cmdline", "/proc/cmdline"),
    ("mountinfo", "/proc/self/mountinfo"),
    ("meminfo", "/proc/meminfo"),
    ("modules", "/proc/modules"),
    ("limits", "/proc/self/limits"),
    ("status", "/proc/self/status"),
    ("stat", "/proc/self/stat"),
    ("sessionid", "/proc/self/sessionid"),
    ("oom_score_adj", "/proc/self/oom_score_adj"),
    ("modprobe", "/proc/sys/kernel/modprobe"),
    ("printk", "/proc/sys/kernel/printk"),
    ("printk_devkmsg", "/proc/sys/kernel/printk_devkmsg"),
    ("ctrl_alt_del", "/proc/sys/kernel/ctrl-alt-del"),
    ("uptime", "/proc/uptime"),
    ("partitions", "/proc/partitions"),
    ("fallback", "/run/landfall/fallback"),
    ("checked", "/run/initramfs/fsck-root"),
    (
        "media_poll",
        "/sys/module/block/parameters/events_dfl_poll_msecs",
    ),
];

/// What is not in a file as large as this is not worth the time on a serial line.
const FILE_LIMIT: usize = 256 * 1024;

fn read(path: &str) -> String {
    match fs::read(path) {
        Ok(bytes) => lossy(bytes.get(..FILE_LIMIT).unwrap_or(&bytes)),
        Err(error) => format!("({path}: {error})"),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn link(path: &str) -> String {
    fs::read_link(path).map_or_else(|e| format!("({path}: {e})"), |p| p.display().to_string())
}

fn mode(path: &str) -> String {
    fs::metadata(path).map_or_else(|e| format!("({path}: {e})"), |m| format!("{:o}", m.mode()))
}

/// `N target` for each descriptor that was open at the start.
fn descriptors() -> Vec<String> {
    let mut found = Vec::new();
    for number in 0..64 {
        if let Ok(target) = fs::read_link(format!("/proc/self/fd/{number}")) {
            found.push(format!("{number} {}", target.display()));
        }
    }
    found
}

/// `pid ppid name` of everything that is not a kernel thread (those descend from pid 2).
fn processes() -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let stat = read(&format!("/proc/{name}/stat"));
        let Some((comm, rest)) = stat.split_once('(').and_then(|(_, s)| s.rsplit_once(')')) else {
            continue;
        };
        let parent = rest.split_whitespace().nth(1).unwrap_or("?");
        if name.parse::<u32>().is_ok() && name != "2" && parent != "2" {
            found.push(format!("{name} {parent} {comm}"));
        }
    }
    found
}

/// `MODULE.PARAMETER=VALUE` of every module that was loaded; sysfs has no order of its own.
fn parameters() -> Vec<String> {
    let mut found = Vec::new();
    for line in read("/proc/modules").lines() {
        let module = line.split(' ').next().unwrap_or("?");
        let directory = format!("/sys/module/{module}/parameters");
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let value = read(&format!("{directory}/{name}"));
            found.push(format!("{module}.{name}={}", value.trim_end()));
        }
    }
    found
}

/// Arrays that run, and whether udev will know that they were started on purpose, and mdadm what
/// they are called.
fn arrays_for_udev() -> Vec<String> {
    let mut found = Vec::new();
    let map = read("/run/mdadm/map");
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = read(&format!("/sys/block/{name}/dev"));
        let (state, number) = (entry.path().join("md/array_state"), number.trim());
        if state.exists() {
            let place = format!("/run/udev/data/b{number}");
            let called = map.lines().any(|l| l.starts_with(&format!("{name} ")));
            let known = called && read(&place).contains("\nE:LVM_MD_PV_ACTIVATED=1\n");
            found.push(format!("{name} {known} {}", mode(&place)));
        }
    }
    found
}

/// Of each mapped device: `NAME UUID ro|rw live`, its table, what is below it.
fn mapped() -> Vec<String> {
    use landfall::sys::dm::Control;
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let name = read(&format!("{}/dm/name", entry.path().display()));
        let name = name.trim_end();
        let Ok(control) = Control::open() else {
            continue;
        };
        let Ok(info) = control.status(name) else {
            continue;
        };
        let access = if info.read_only { "ro" } else { "rw" };
        let live = if info.live && !info.suspended {
            "live"
        } else {
            "dead"
        };
        found.push(format!("{} {} {access} {live}", info.name, info.uuid));
        for t in control.table(name).unwrap_or_default() {
            let place = format!("{} {}", t.start, t.sectors);
            found.push(format!("{name}: {place} {} {}", t.kind, t.arguments));
        }
        for (major, minor) in control.deps(name).unwrap_or_default() {
            found.push(format!("{name} is made of {major}:{minor}"));
        }
        let link = link(&format!("/dev/mapper/{name}"));
        found.push(format!("/dev/mapper/{name} is {link}"));
    }
    found
}

/// `path size` of everything on this file system below `top`, mounts not entered.
fn entries_below(top: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![top.to_path_buf()];
    let device = fs::symlink_metadata(top).map(|m| m.dev()).ok();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue;
            };
            let size = if meta.is_file() { meta.size() } else { 0 };
            found.push(format!("{} {size}", path.display()));
            if meta.is_dir() && Some(meta.dev()) == device {
                open.push(path);
            }
        }
    }
    found
}

fn probe_write() -> String {
    match fs::write("/landfall-was-here", b"") {
        Ok(()) => "yes".into(),
        Err(error) => error.to_string(),
    }
}

/// What is left on the rootfs that the initramfs was unpacked to; asked of a child, since
/// PID 1 shares its root directory with kernel threads and may not change its namespace.
fn old_rootfs() -> Vec<String> {
    match std::process::Command::new("/proc/self/exe").output() {
        Ok(output) => lossy(&output.stdout).lines().map(String::from).collect(),
        Err(error) => vec![format!("(cannot look: {error})")],
    }
}

/// The child's part.
fn print_old_rootfs() {
    match onto_old_rootfs() {
        Ok(()) => entries_below(Path::new("/"))
            .iter()
            .for_each(|e| println!("{e}")),
        Err(error) => println!("(cannot look: {error})"),
    }
}

/// Detaches `/` and joins this very mount namespace again: the kernel then puts us at its
/// lowest mount, which is the old rootfs.
fn onto_old_rootfs() -> Result<(), String> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd;
    let own = fs::File::open("/proc/self/ns/mnt").map_err(|e| format!("open: {e}"))?;
    rustix::mount::unmount("/", rustix::mount::UnmountFlags::DETACH)
        .map_err(|e| format!("detach /: {e}"))?;
    move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::Mount))
        .map_err(|e| format!("setns: {e}"))
}

struct Facts {
    port: fs::File,
}

impl Facts {
    fn open() -> Self {
        let port = fs::File::options().write(true).open(PORT);
        let port = port.or_else(|_| fs::File::options().write(true).open("/dev/console"));
        let port = port
            .or_else(|_| fs::File::open("/"))
            .expect("a root directory");
        if let Ok(mut modes) = rustix::termios::tcgetattr(&port) {
            modes.make_raw();
            let _ = rustix::termios::tcsetattr(&port, OptionalActions::Now, &modes);
        }
        Self { port }
    }

    fn say(&mut self, line: &str) {
        let _ = self.port.write_all(line.as_bytes());
        let _ = self.port.write_all(b"\n");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.say(&format!("{{{}:{}}}", quoted(name), quoted(value)));
    }

    fn list(&mut self, name: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|v| quoted(v)).collect();
        self.say(&format!("{{{}:[{}]}}", quoted(name), values.join(",")));
    }

    fn drain(&self) {
        let _ = rustix::termios::tcdrain(&self.port);
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
