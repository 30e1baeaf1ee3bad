//! QEMU's monitor: plugs disks in and pulls them out while the guest runs.
//! Source: QEMU Machine Protocol specification; `device_add`, `device_del`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub struct Monitor {
    reader: BufReader<UnixStream>,
    socket: PathBuf,
}

impl Monitor {
    /// Connects; QEMU makes the socket a moment after it starts.
    pub fn connect(socket: &Path) -> Self {
        let give_up = Instant::now() + Duration::from_secs(60);
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) => assert!(
                    Instant::now() < give_up,
                    "no QEMU monitor: {error}; QEMU said: {}",
                    complaints(socket)
                ),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a socket option");
        let mut monitor = Self {
            reader: BufReader::new(stream),
            socket: socket.into(),
        };
        monitor.message();
        monitor.run("qmp_capabilities", json!({}));
        monitor
    }

    pub fn run(&mut self, command: &str, arguments: Value) {
        let line = json!({"execute": command, "arguments": arguments}).to_string();
        let stream = self.reader.get_mut();
        stream.write_all(line.as_bytes()).expect("a living QEMU");
        stream.write_all(b"\n").expect("a living QEMU");
        loop {
            let message = self.message();
            if message.get("error").is_some() {
                panic!("{line}: {message}");
            }
            // Events may come in between.
            if message.get("return").is_some() {
                return;
            }
        }
    }

    fn message(&mut self) -> Value {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        let said = || complaints(&self.socket);
        read.unwrap_or_else(|e| panic!("no answer of QEMU: {e}; it said: {}", said()));
        serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("QEMU answered {line:?}: {e}; it said: {}", said()))
    }
}

/// What QEMU wrote beside its monitor, where that is kept.
fn complaints(socket: &Path) -> String {
    std::fs::read_to_string(socket.with_file_name("stderr")).unwrap_or_default()
}

/// The keys that make a character on an American keyboard, in QEMU's words (`QKeyCode`).
pub fn keys_of(c: char) -> Vec<String> {
    let shifted = |key: &str| vec!["shift".into(), key.into()];
    match c {
        'a'..='z' | '0'..='9' => vec![c.into()],
        ' ' => vec!["spc".into()],
        '\n' => vec!["ret".into()],
        '-' => vec!["minus".into()],
        '=' => vec!["equal".into()],
        '/' => vec!["slash".into()],
        '*' => shifted("8"),
        '(' => shifted("9"),
        ')' => shifted("0"),
        '$' => shifted("4"),
        '>' => shifted("dot"),
        'A'..='Z' => shifted(&c.to_ascii_lowercase().to_string()),
        _ => panic!("{c:?} is on no key that this laboratory knows"),
    }
}
