//! A line to the server guest: a script goes in, its status and what it said come out.
//!
//! Asked is `ID WHERE SECONDS LENGTH` and the script, answered `ID STATUS LENGTH` and the text:
//! lengths frame both, so nothing that a script says can be taken for an answer's end. The guest
//! kills a script that takes too long, and so always answers, unless it hangs as a whole.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where a script runs: in the guest as a whole, or in the namespaces of a berth.
pub const WHOLE: usize = 0;

/// What came of a script.
pub struct Said {
    pub status: i32,
    pub text: String,
}

pub struct Port {
    /// One caller at a time.
    line: Mutex<Line>,
}

struct Line {
    reader: BufReader<UnixStream>,
    id: u64,
}

impl Port {
    /// QEMU makes the socket a moment after it starts.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let give_up = Instant::now() + Duration::from_secs(20);
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() >= give_up => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let reader = BufReader::new(stream);
        Ok(Self {
            line: Mutex::new(Line { reader, id: 0 }),
        })
    }

    /// Runs it; kills it after so many seconds.
    pub fn run(&self, place: usize, script: &str, seconds: u64) -> io::Result<Said> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.run(place, script, seconds)
    }
}

impl Line {
    fn run(&mut self, place: usize, script: &str, seconds: u64) -> io::Result<Said> {
        self.id += 1;
        let id = self.id;
        let stream = self.reader.get_mut();
        // A guest under load takes its time to fork.
        stream.set_read_timeout(Some(Duration::from_secs(seconds + 120)))?;
        let length = script.len() + 1;
        let asked = format!("{id} {place} {seconds} {length}\n{script}\n");
        stream.write_all(asked.as_bytes())?;
        loop {
            let mut head = String::new();
            if self.reader.read_line(&mut head)? == 0 {
                return Err(io::Error::other("the server is gone"));
            }
            let numbers: Vec<u64> = head.split_whitespace().flat_map(str::parse).collect();
            let [answered, status, length] = numbers[..] else {
                return Err(io::Error::other(format!("the server said {head:?}")));
            };
            let mut text = Vec::new();
            (&mut self.reader).take(length).read_to_end(&mut text)?;
            // The answer to somebody who has given up waiting comes first.
            if answered == id {
                return Ok(Said {
                    status: i32::try_from(status).unwrap_or(i32::MAX),
                    text: String::from_utf8_lossy(&text).into_owned(),
                });
            }
        }
    }
}
