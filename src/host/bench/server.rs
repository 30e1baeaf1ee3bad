//! The servers of the network discipline: qemu-nbd with the disk of all, read-only, on free ports
//! of this machine's loopback, which QEMU's user network shows to guests; its DHCP is QEMU's own.
//!
//! A server is given a socket that listens already, as systemd would: no port is guessed, and
//! nobody has to wait for it. Source: qemu-nbd(8); sd_listen_fds(3); qemu(1), `-netdev user`.

use super::compile::run;
use super::contestants::Contestant;
use super::setting::DEVICE_OF_SERVER;
use crate::host::failure::{Failure, Tried};
use crate::host::qemu::Machine;
use rustix::fd::OwnedFd;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = "qemu-nbd";
/// What guests call this machine.
const HOST: &str = "10.0.2.2";
/// initramfs-tools asks for a name, dracut with a port of its own for none.
const NAME: &str = "root";
/// Standard input is the socket. `exec` keeps the number of the process.
const SCRIPT: &str = "exec 3<&0 </dev/null
export LISTEN_FDS=1 LISTEN_PID=$$
exec qemu-nbd --read-only --persistent --shared=0 --format=raw --export-name=\"$1\" \"$2\"";
/// Its driver logs the link. QEMU's e1000 would receive nothing for a second after each change of
/// what it is to receive. The card's own boot program is not wanted.
const NIC: [&str; 4] = [
    "-netdev",
    "user,id=net0,ipv6=off",
    "-device",
    "e1000e,netdev=net0,romfile=",
];

/// The same disk as the default export of one port, and by a name at another.
pub struct Servers {
    default: Server,
    named: Server,
}

impl Servers {
    pub fn start(disk: &Path, work: &Path) -> Result<Self, Failure> {
        // Before anything is made: is it there?
        run(Command::new(PROGRAM).arg("--version"), PROGRAM)?;
        Ok(Self {
            default: Server::start(disk, "", work.join("qemu-nbd.default"))?,
            named: Server::start(disk, NAME, work.join("qemu-nbd.named"))?,
        })
    }

    /// What the command line says about root. e2fsck fails at what is write-protected, and others
    /// then ask or wait: nobody checks anything.
    pub fn words(&self, contestant: Contestant) -> String {
        let nbd = format!("root=nbd:{HOST}:{} ip=dhcp", self.default.port);
        match contestant {
            Contestant::InitramfsTools => {
                let nbd = format!("nbdroot={HOST}:{}/{NAME} ip=dhcp", self.named.port);
                format!("root={DEVICE_OF_SERVER} {nbd} fsck.mode=skip")
            }
            Contestant::Dracut => format!("{nbd} rd.skipfsck"),
            _ => nbd,
        }
    }

    /// The card with which a guest reaches them.
    pub fn plug(&self, machine: &mut Machine) {
        machine.extra.extend(NIC.iter().map(Into::into));
    }

    /// Whoever fails where they have ended is not to blame.
    pub fn are_there(&mut self) -> Result<(), Failure> {
        self.default.is_there()?;
        self.named.is_there()
    }
}

struct Server {
    child: Child,
    port: u16,
    /// What it says goes there.
    said: PathBuf,
}

impl Server {
    fn start(disk: &Path, export: &str, said: PathBuf) -> Result<Self, Failure> {
        let failed = || "listen on this machine's loopback".into();
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_cannot(failed)?;
        let port = socket.local_addr().or_cannot(failed)?.port();
        let out = File::create(&said).or_cannot(|| format!("make {}", said.display()))?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh", export]).arg(disk);
        command.stdin(OwnedFd::from(socket));
        command.stdout(Stdio::null()).stderr(out);
        let child = command.spawn().or_cannot(|| format!("run {PROGRAM}"))?;
        Ok(Self { child, port, said })
    }

    fn is_there(&mut self) -> Result<(), Failure> {
        let failed = || format!("wait for {PROGRAM}");
        match self.child.try_wait().or_cannot(failed)? {
            None => Ok(()),
            Some(status) => {
                let said = fs::read_to_string(&self.said).unwrap_or_default();
                let last = said.lines().last().unwrap_or("it said nothing");
                let port = self.port;
                let text = format!("{PROGRAM} on port {port} ended ({status}): {last}");
                Err(Failure::new(text))
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpStream;

    /// Needs qemu-nbd, as `tests/it/nbd.rs` does.
    #[test]
    fn servers_greet_at_once_and_are_gone_with_their_value() {
        let scratch = std::env::temp_dir().join(format!("landfall-served-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let disk = scratch.join("disk");
        fs::write(&disk, [0; 4096]).unwrap();
        let mut servers = Servers::start(&disk, &scratch).unwrap();
        let ports = [servers.default.port, servers.named.port];
        for port in ports {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let mut greeting = [0; 8];
            stream.read_exact(&mut greeting).unwrap();
            assert_eq!(&greeting, b"NBDMAGIC");
        }
        assert_eq!(servers.are_there(), Ok(()));
        let expected = format!("root=nbd:10.0.2.2:{} ip=dhcp", ports[0]);
        assert_eq!(servers.words(Contestant::Landfall), expected);
        drop(servers);
        for port in ports {
            assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        }
        fs::remove_dir_all(&scratch).unwrap();
    }

    #[test]
    fn a_server_that_ended_is_named_with_its_last_words() {
        let scratch = std::env::temp_dir().join(format!("landfall-ended-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let nowhere = scratch.join("no-such-disk");
        let mut server = Server::start(&nowhere, "", scratch.join("said")).unwrap();
        server.child.wait().unwrap();
        let failure = server.is_there().unwrap_err();
        assert!(failure.text.contains(" ended (exit status: "), "{failure}");
        assert!(!failure.text.ends_with("it said nothing"), "{failure}");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
