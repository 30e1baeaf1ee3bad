//! The server guest: one machine with real servers of every protocol that a root can come by, and
//! a network of its own for each of a few clients at a time.
//!
//! It is started by the first test that asks for it, shared by all tests of the process, and ends
//! with the process. A test takes a [`Berth`], starts there what it needs by a script
//! ([`Berth::run`]), and gives the berth to its client's machine ([`Berth::to`]). What a script may
//! say stands in `berth.sh` and `serve.sh`.
//!
//! The server takes none of the guests' seats: it works only while its clients do.

pub mod berth;
pub mod client;
pub mod living;
mod port;
pub mod root;

pub use berth::Berth;

use super::disks::{self, EXT4, SERVER};
use super::qmp::Monitor;
use super::shelf::Scratch;
use super::tools::progress;
use landfall::host::qemu::{self, Bus, Disk};
use port::{Port, Said, WHOLE};
use serde_json::json;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// So many tests may have a network at a time: more than there are seats for guests.
pub const BERTHS: usize = 4;

/// Seconds after which a script is killed.
const PATIENCE: u64 = 180;

/// The server guest. Lives as long as the process.
pub struct Server {
    /// For the whole, and for each berth: what takes long in one holds up no other.
    ports: Vec<Port>,
    free: Mutex<Vec<usize>>,
    freed: Condvar,
    plugged: Mutex<Plugged>,
    scratch: PathBuf,
    /// Ends, and with it the guest, when the process does: its stdin is a pipe.
    _watch: Child,
}

/// Disks that were plugged in since.
struct Plugged {
    monitor: Monitor,
    files: Vec<PathBuf>,
}

/// The server, started by the first caller.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    /// Runs a bash script in the guest itself, and returns what it said. A failure ends the test.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        self.told(self.ask(WHOLE, WHOLE, script), script)
    }

    /// A berth of its own for one test. Waits for one.
    pub fn berth(&'static self) -> Berth {
        let mut one = self.berths(1);
        one.pop().expect("as many as were asked for")
    }

    /// Several at once, for clients with several networks: who took them one by one could wait for
    /// somebody who waits as well. For the same reason take them before a client is started.
    pub fn berths(&'static self, count: usize) -> Vec<Berth> {
        assert!(count <= BERTHS, "there are {BERTHS} berths");
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while free.len() < count {
            let again = self.freed.wait(free);
            free = again.unwrap_or_else(PoisonError::into_inner);
        }
        let at = free.len() - count;
        let taken = free.split_off(at);
        drop(free);
        taken.into_iter().map(|n| Berth::take(self, n)).collect()
    }

    /// Plugs a disk into the server, with throw-away writes, and tells its name there. The same
    /// file is the same disk.
    pub fn disk(&self, file: &Path) -> String {
        let mut plugged = self.plugged.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plugged.files.iter().position(|known| known == file);
        let number = known.unwrap_or_else(|| plugged.add(file));
        drop(plugged);
        let path = format!("/sys/bus/scsi/devices/0:0:{number}:0/block");
        let script = format!("modprobe sd_mod; wait_until [ -e {path} ]; ls {path}");
        let name = self.run(&script);
        format!("/dev/{}", name.trim())
    }

    /// `line`: whose, `place`: where it runs. By number of the berth.
    fn ask(&self, line: usize, place: usize, script: &str) -> std::io::Result<Said> {
        self.ports[line].run(place, script, PATIENCE)
    }

    #[track_caller]
    fn told(&self, said: std::io::Result<Said>, script: &str) -> String {
        match said {
            Ok(Said { status: 0, text }) => text,
            Ok(Said { status, text }) => {
                panic!("the server's script ended with {status}:\n{script}\nIt said:\n{text}")
            }
            Err(error) => panic!("no answer to {script:?}: {error}\n{}", self.console()),
        }
    }

    fn console(&self) -> String {
        let text = fs::read(self.scratch.join("console")).unwrap_or_default();
        let lines: Vec<String> = String::from_utf8_lossy(&text)
            .lines()
            .map(Into::into)
            .collect();
        super::guest::tail(&lines)
    }

    fn free(&self, number: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(number);
        self.freed.notify_all();
    }

    fn start() -> Self {
        // Everything slow is made before.
        let mut qemu = machine();
        let began = Instant::now();
        let scratch = Scratch::new();
        fs::write(scratch.0.join("script"), script()).expect("a scratch file");
        qemu.disks
            .insert(0, Disk::raw(scratch.0.join("script"), Bus::Virtio));
        qemu.extra = words(&scratch.0).into_iter().map(Into::into).collect();
        let watch = watched(&qemu.command(), &scratch.0);
        let monitor = Monitor::connect(&scratch.0.join("qmp"));
        let line = |n| Port::connect(&scratch.0.join(format!("lab{n}"))).expect("a port");
        let server = Self {
            ports: (0..=BERTHS).map(line).collect(),
            free: Mutex::new((1..=BERTHS).rev().collect()),
            freed: Condvar::new(),
            plugged: Mutex::new(Plugged {
                monitor,
                files: Vec::new(),
            }),
            scratch: scratch.0.clone(),
            _watch: watch,
        };
        // Whoever watches removes it.
        std::mem::forget(scratch);
        server.run("true");
        progress(&format!(
            "the server is up after {} s",
            began.elapsed().as_secs()
        ));
        server
    }
}

impl Plugged {
    fn add(&mut self, file: &Path) -> usize {
        let number = self.files.len();
        let blockdev = json!({
            "node-name": format!("plugged{number}"), "driver": "raw", "read-only": true,
            "file": {"driver": "file", "filename": file, "read-only": true},
        });
        self.monitor.run("blockdev-add", blockdev);
        let device = json!({
            "driver": "scsi-hd", "bus": "scsi.0", "scsi-id": number, "lun": 0,
            "drive": format!("plugged{number}"), "id": format!("plug{number}"),
        });
        self.monitor.run("device_add", device);
        self.files.push(file.into());
        number
    }
}

fn machine() -> qemu::Machine {
    let kernel = root::server_kernel();
    let mut qemu = qemu::Machine::new(kernel.arch(), &kernel.vmlinuz);
    for (disk, bus) in [(&EXT4, Bus::Virtio), (&SERVER, Bus::Nvme)] {
        let mut plugged = Disk::raw(disks::file(disk), bus);
        plugged.scratch = true;
        qemu.disks.push(plugged);
    }
    qemu.memory = 1024;
    qemu.append = format!(
        "console={} quiet panic=-1 no_timer_check root=/dev/nvme0n1 rw init=/sbin/server \
         berths={BERTHS}",
        qemu::console(kernel.arch())
    );
    qemu
}

/// Ports, networks, a monitor, and where disks are plugged in later.
fn words(scratch: &Path) -> Vec<String> {
    let mut words = vec!["-device".into(), "virtio-serial-pci".into()];
    let mut add = |option: &str, value: String| words.extend([option.into(), value]);
    add("-device", "virtio-scsi-pci,id=scsi".into());
    let socket = |name: &str| scratch.join(name).display().to_string();
    add("-qmp", format!("unix:{},server=on,wait=off", socket("qmp")));
    for n in 0..=BERTHS {
        let path = socket(&format!("lab{n}"));
        add(
            "-chardev",
            format!("socket,id=lab{n},path={path},server=on,wait=off"),
        );
        add(
            "-device",
            format!("virtserialport,chardev=lab{n},name=lab{n}"),
        );
    }
    for n in 1..=BERTHS {
        let path = socket(&berth::socket(n));
        add(
            "-netdev",
            format!("stream,id=berth{n},server=on,addr.type=unix,addr.path={path}"),
        );
        let mac = berth::mac(n, 1);
        add(
            "-device",
            format!("virtio-net-pci,netdev=berth{n},mac={mac},romfile="),
        );
    }
    words
}

fn script() -> Vec<u8> {
    const PARTS: [&str; 3] = [
        include_str!("guest.sh"),
        include_str!("berth.sh"),
        include_str!("serve.sh"),
    ];
    sectors(&PARTS.concat())
}

/// A script is a disk to a guest: of whole sectors, with empty lines at its end.
fn sectors(script: &str) -> Vec<u8> {
    let mut text = script.as_bytes().to_vec();
    text.resize(text.len().next_multiple_of(4096), b'\n');
    text
}

/// Starts the guest below a shell whose stdin is a pipe from here: it ends when this process does,
/// however that ends, and takes the guest and its directory along. (Statics are never dropped.)
fn watched(qemu: &Command, scratch: &Path) -> Child {
    const WATCH: &str = r#"trap "" INT
        at=$1; shift
        "$@" < /dev/null > "$at/console" 2>&1 &
        read -r line
        kill -KILL $!
        rm -rf "$at""#;
    let mut watch = Command::new("sh");
    watch.args(["-c", WATCH, "sh"]).arg(scratch);
    watch.arg(qemu.get_program()).args(qemu.get_args());
    watch.stdin(Stdio::piped()).stdout(Stdio::null());
    watch.stderr(File::create("/dev/null").expect("a sink"));
    watch.spawn().expect("a shell")
}
