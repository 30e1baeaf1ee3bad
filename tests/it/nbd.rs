//! Handshakes with real servers of network block devices, over TCP: qemu-nbd and nbdkit.
//!
//! What the kernel then does with the connection, one request shows that is made by hand.

use landfall::act::attach_nbd::connect;
use landfall::format::nbd::{Export, Flags};
use landfall::plan::talk::nbd::{Handshake, Heard, Options, Step};
use landfall::sys::clock::since_boot;
use landfall::sys::tcp::{self, Received};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const WAIT_MS: u64 = 10_000;

/// A server that ends with its test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts what listens on the port that `command` is told, and waits until it does.
    fn start(command: impl Fn(&str) -> Command) -> Self {
        // Free when it was asked for: somebody else may have taken it meanwhile.
        for _ in 0..10 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let mut command = command(&address.port().to_string());
            let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
            let child = child.unwrap_or_else(|e| {
                panic!("cannot run {command:?}: {e} (sh tests/all.sh installs it)")
            });
            let mut server = Self { child, address };
            if server.listens() {
                return server;
            }
        }
        panic!("no port is free");
    }

    fn listens(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{} listens to nobody", self.address);
    }

    fn nbdkit(words: &str) -> Self {
        Self::start(|port| {
            let mut command = Command::new("nbdkit");
            command.args(["-f", "-i", "127.0.0.1", "-p", port]);
            command.args(words.split(' '));
            command
        })
    }

    fn qemu(words: &str, disk: &Disk) -> Self {
        Self::start(|port| {
            let mut command = Command::new("qemu-nbd");
            command.args(["-t", "-e", "8", "-f", "raw", "-b", "127.0.0.1", "-p", port]);
            command.args(words.split(' ')).arg(&disk.0);
            command
        })
    }

    /// The handshake, on a connection of its own.
    fn ask(&self, export: &str) -> Result<(Export, OwnedFd), String> {
        let socket = connect(self.address, WAIT_MS).unwrap();
        let mut client = Handshake::new(Options {
            server: "here".into(),
            export: export.into(),
        });
        let mut steps = client.start(since_boot());
        // Smaller than some answers.
        let mut buffer = [0; 25];
        loop {
            for step in steps {
                match step {
                    Step::Send(bytes) => tcp::send(&socket, &bytes, WAIT_MS).unwrap(),
                    Step::Done(export) => return Ok((export, socket)),
                    Step::Failed(fault) => return Err(fault.into_text()),
                }
            }
            let due = client.deadline().expect("it goes on, or it ends");
            let wait_ms = since_boot().until(due);
            let heard = match tcp::receive(&socket, &mut buffer, wait_ms).unwrap() {
                Received::Bytes(length) => Heard::Bytes(&buffer[..length]),
                Received::Closed => Heard::Closed,
                Received::Nothing => Heard::Timer,
            };
            steps = client.hear(since_boot(), heard);
        }
    }

    fn refusal(&self, export: &str) -> String {
        self.ask(export).map(|(export, _)| export).unwrap_err()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An image of 3 MiB and 512 bytes, in which each sector begins with its number.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let name = format!("landfall-nbd-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut bytes = vec![0; (3 << 20) + 512];
        for (number, sector) in bytes.chunks_mut(512).enumerate() {
            sector[..8].copy_from_slice(&(number as u64).to_be_bytes());
        }
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Reads one sector as the kernel does.
fn sector(socket: &OwnedFd, number: u64) -> Vec<u8> {
    let mut request = b"\x25\x60\x95\x13\0\0\0\0\0\0\0\0\0\0\0\x07".to_vec();
    request.extend_from_slice(&(number * 512).to_be_bytes());
    request.extend_from_slice(&512u32.to_be_bytes());
    tcp::send(socket, &request, WAIT_MS).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < 16 + 512 {
        match tcp::receive(socket, &mut buffer, WAIT_MS).unwrap() {
            Received::Bytes(length) => answer.extend_from_slice(&buffer[..length]),
            other => panic!("{other:?} after {} bytes", answer.len()),
        }
    }
    let header = b"\x67\x44\x66\x98\0\0\0\0\0\0\0\0\0\0\0\x07";
    assert_eq!(&answer[..16], header);
    answer.split_off(16)
}

#[test]
fn qemu_serves_an_export_by_name() {
    let disk = Disk::new("name");
    let server = Server::qemu("-x root -D the-root", &disk);
    let (export, socket) = server.ask("root").unwrap();
    assert_eq!(export.size, (3 << 20) + 512);
    assert!(!export.flags.has(Flags::READ_ONLY) && export.flags.has(Flags::FLUSH));
    assert!(export.blocks.are_possible() && export.logical_block(None) == 512);
    for number in [0, 77, 6144] {
        assert_eq!(sector(&socket, number)[..8], number.to_be_bytes());
    }
    let expected = "NBD server here: it has no export boot: there are root";
    assert_eq!(server.refusal("boot"), expected);
    let expected = "NBD server here: it has no default export: there are root";
    assert_eq!(server.refusal(""), expected);
    // The next one is not kept from its own.
    assert_eq!(server.ask("root").unwrap().0, export);
}

#[test]
fn qemu_serves_what_is_not_to_be_written_to() {
    let disk = Disk::new("read-only");
    let server = Server::qemu("-r", &disk);
    let (export, _) = server.ask("").unwrap();
    assert!(export.flags.has(Flags::READ_ONLY));
    assert!(export.flags.has(Flags::MULTI_CONN));
}

#[test]
fn nbdkit_names_the_exports_that_there_are() {
    let words = "--filter=exportname memory size=4M exportname-strict=true \
                 exportname-list=explicit exportname=a exportname=b";
    let server = Server::nbdkit(words);
    let (export, socket) = server.ask("a").unwrap();
    assert_eq!(export.size, 4 << 20);
    assert!(export.flags.has(Flags::MULTI_CONN));
    assert_eq!(sector(&socket, 1), [0; 512]);
    let expected = "NBD server here: it has no export c: there are a, b";
    assert_eq!(server.refusal("c"), expected);
}

#[test]
fn an_export_is_as_large_as_its_blocks_allow() {
    let words = "--filter=blocksize-policy memory size=4M blocksize-minimum=4096 \
                 blocksize-preferred=64K blocksize-maximum=64K";
    let (export, _) = Server::nbdkit(words).ask("").unwrap();
    let sizes = (export.blocks.minimum, export.blocks.maximum);
    assert_eq!(sizes, (4096, 65_536));
    assert_eq!(export.logical_block(None), 4096);
}

#[test]
fn older_handshakes_are_spoken_or_refused_in_words() {
    // Neither errors are answered, nor zeroes left out; the first of them alone; both.
    for mask in 0..=3 {
        let server = Server::nbdkit(&format!("--mask-handshake={mask} memory size=4M"));
        let (export, socket) = server.ask("").unwrap();
        assert_eq!(export.size, 4 << 20);
        assert_eq!(sector(&socket, 8191), [0; 512]);
    }
    let refusal = Server::nbdkit("--oldstyle memory size=4M").refusal("");
    let expected = "NBD server here: it speaks the oldstyle handshake, which is not supported";
    assert_eq!(refusal, expected);
}

#[test]
fn tls_is_refused_in_words() {
    let name = format!("landfall-nbd-{}-psk", std::process::id());
    let keys = std::env::temp_dir().join(name);
    fs::write(&keys, "box:00112233445566778899aabbccddeeff\n").unwrap();
    let words = format!("--tls=require --tls-psk={} memory size=4M", keys.display());
    let refusal = Server::nbdkit(&words).refusal("");
    fs::remove_file(&keys).unwrap();
    let expected = "NBD server here: it refuses its default export: it may be had by TLS only, \
                    which is not supported";
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn a_server_that_is_none_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = Server {
        child: Command::new("true").spawn().unwrap(),
        address: listener.local_addr().unwrap(),
    };
    let other = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut client, b"220 mail.example.org ESMTP\r\n").unwrap();
        // Until the client goes.
        let _ = std::io::Read::read(&mut client, &mut [0; 64]);
    });
    let expected = "NBD server here: it is none: it begins with \"220 mail\"";
    assert_eq!(server.refusal(""), expected);
    other.join().unwrap();
}
