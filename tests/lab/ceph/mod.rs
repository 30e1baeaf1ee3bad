//! A Ceph cluster of this machine's own processes, in namespaces of their own: nothing outside is
//! touched, and nobody needs to be root.
//!
//! It is no guest: its programs would take minutes to start in an emulated machine. Its network is
//! a tap device there, and QEMU carries what guests send to it: each has a socket of its own.
//!
//! The cluster is started by the first test that asks for it, shared by all tests of the process,
//! and ends with the process. In it are `rbd/root`, an image that holds the disk [`EXT4`], with the
//! snapshot `made`, and in the file system `files` the directory `/srv/root`.

mod root;

use super::disks::{self, EXT4};
use super::guest::Machine;
use super::roots::{self, Root};
use super::shelf::Scratch;
use super::tools::{progress, tool};
use landfall::host::arch::Arch;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// So many tests may have a client: no two share a cable.
const CLIENTS: usize = 16;

/// A user who may do what a root needs.
pub const USER: &str = "porter";
pub const SECRET: &str = "AQAAAABpAAAAABAAa2V5LW9mLXBvcnRlci0tLQ==";

/// A key as good as any, which opens nothing.
pub const WRONG_SECRET: &str = "AQAAAABpAAAAABAAa2V5LW9mLW5vYm9keS0tLQ==";

pub const MONITOR: Ipv4Addr = Ipv4Addr::new(10, 66, 100, 1);

pub struct Cluster {
    line: Mutex<Line>,
    scratch: PathBuf,
    clients: AtomicUsize,
    /// It ends when its stdin, a pipe from here, does.
    _process: Child,
}

struct Line {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// The cluster, started by the first caller.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Cluster {
    /// Runs a line of bash among its programs, and returns what it said. A failure ends the test.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(line.to, "{script}").expect("the cluster is there");
        let (status, text) = answer(&mut line, &self.scratch);
        assert!(status == "0", "{script:?} ended with {status:?}:\n{text}");
        text
    }

    /// Gives the machine a NIC in the cluster's network, and an address.
    pub fn to(&self, machine: Machine) -> Machine {
        let (n, machine) = self.plugged(machine);
        machine.cmdline(&format!(
            "ip=10.66.100.{}:::255.255.255.0::eth0:off",
            n + 10
        ))
    }

    /// The same without an address: a lease gives it, and names `/srv/root` as root.
    pub fn to_leased(&self, machine: Machine) -> Machine {
        self.plugged(machine).1
    }

    fn plugged(&self, machine: Machine) -> (usize, Machine) {
        let n = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(n <= CLIENTS, "there are {CLIENTS} cables");
        let path = self.scratch.join(format!("client{n}"));
        let cable = format!(
            "stream,id=ceph,server=off,addr.type=unix,addr.path={}",
            path.display()
        );
        let machine = machine.words(&["-netdev", &cable]);
        let mac = format!("52:54:00:66:64:{n:02x}");
        (n, machine.nic("virtio-net-pci", "ceph", &mac))
    }

    fn start() -> Self {
        // Everything slow is made before.
        let (tree, disk) = (root::tree(), disks::file(&EXT4));
        let root = roots::directory(Root::Reporter, Arch::X86_64);
        let began = Instant::now();
        let scratch = Scratch::new();
        let file = |name: &str, text: &str| {
            let path = scratch.0.join(name);
            fs::write(&path, text).expect("a scratch file");
            path
        };
        let script = file("cluster.sh", include_str!("cluster.sh"));
        file("daemons.sh", include_str!("daemons.sh"));
        let mut command = tool("unshare");
        command.args(["--net", "--mount", "--pid", "--fork", "--kill-child"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--", "sh"]);
        command.args([&script, &tree, &scratch.0, &disk, &root]);
        command.arg(CLIENTS.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("unshare(1) of util-linux is there");
        let mut line = Line {
            to: process.stdin.take().expect("a pipe was asked for"),
            from: BufReader::new(process.stdout.take().expect("a pipe was asked for")),
        };
        let (status, text) = answer(&mut line, &scratch.0);
        assert!(status == "0", "no cluster ({status:?}):\n{text}");
        let cluster = Self {
            line: Mutex::new(line),
            scratch: scratch.0.clone(),
            clients: AtomicUsize::new(0),
            _process: process,
        };
        // The script removes it at its end.
        std::mem::forget(scratch);
        progress(&format!(
            "the cluster is up after {} s",
            began.elapsed().as_secs()
        ));
        cluster
    }
}

/// The status of what was asked for last, and what it said.
fn answer(line: &mut Line, scratch: &Path) -> (String, String) {
    let mut status = String::new();
    let _ = line.from.read_line(&mut status);
    let text = fs::read(scratch.join("said")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    (status.trim().into(), text)
}
