//! Directories that guests get from their host: 9p by QEMU itself, virtiofs by its daemon.

use super::guest::Machine;
use super::shelf::Scratch;
use super::tools::{done, tool};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Adds a 9p share. `device`: QEMU's, `virtio-9p-pci` or `virtio-9p-device`.
pub fn plan9(machine: Machine, directory: &Path, tag: &str, device: &str) -> Machine {
    // An identifier of QEMU's holds no slash.
    let id = format!("fs-{}", tag.replace('/', "-"));
    let path = directory.display();
    machine.words(&[
        "-fsdev",
        &format!("local,id={id},path={path},security_model=none"),
        "-device",
        &format!("{device},fsdev={id},mount_tag={tag}"),
    ])
}

/// A copy of a root that a guest may write to.
pub fn copy(of: &Path) -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let at = scratch.0.join("root");
    done(tool("cp").arg("-a").arg(of).arg(&at));
    (scratch, at)
}

/// A virtiofs daemon that runs.
pub struct Virtiofs {
    child: Child,
    socket: PathBuf,
    _scratch: Scratch,
}

/// Where Debian puts it: by itself, or with QEMU 7 and before.
const PLACES: [&str; 2] = ["/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"];

impl Virtiofs {
    pub fn serve(directory: &Path) -> Self {
        let found = PLACES.into_iter().find(|place| Path::new(place).exists());
        let program = found.expect("virtiofsd is installed (sh tests/all.sh installs it)");
        let scratch = Scratch::new();
        let socket = scratch.0.join("virtiofs");
        let mut command = tool(program);
        command.arg(format!("--socket-path={}", socket.display()));
        let path = directory.display();
        match program == PLACES[0] {
            true => command
                .arg(format!("--shared-dir={path}"))
                .arg("--sandbox=none"),
            false => command
                .arg("-o")
                .arg(format!("source={path},sandbox=chroot")),
        };
        let said = File::create(scratch.0.join("stderr")).expect("a scratch file");
        let said_too = said.try_clone().expect("a descriptor");
        command.stdin(Stdio::null()).stdout(said).stderr(said_too);
        let child = command.spawn().expect("virtiofsd starts");
        let mut served = Self {
            child,
            socket,
            _scratch: scratch,
        };
        served.wait();
        served
    }

    /// QEMU connects once, and fails where nobody listens yet.
    fn wait(&mut self) {
        while !self.socket.exists() {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let said = std::fs::read_to_string(self._scratch.0.join("stderr"));
                panic!("virtiofsd ended ({status}): {}", said.unwrap_or_default());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Adds the share. The guest's memory must be shared with the daemon.
    pub fn to(&self, machine: Machine, tag: &str) -> Machine {
        let machine = self.later(machine, &format!("to-{tag}"));
        let device = format!("vhost-user-fs-pci,chardev=to-{tag},tag={tag}");
        machine.words(&["-device", &device])
    }

    /// Only the connection, under this name: the share itself is plugged in later.
    pub fn later(&self, machine: Machine, name: &str) -> Machine {
        let path = self.socket.display();
        machine.words(&["-chardev", &format!("socket,id={name},path={path}")])
    }
}

impl Drop for Virtiofs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory that the daemon can read, as much as guests have.
pub fn shared_memory(machine: Machine) -> Machine {
    machine.qemu("-object memory-backend-memfd,id=mem,size=512M,share=on -numa node,memdev=mem")
}
