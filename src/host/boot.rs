//! `landfall boot`: runs an image in QEMU and tells how it went.
//!
//! No root is needed and no disk is touched that was not named. The guest's console goes to
//! stdout with the host's time before each line; at the end a timeline in the guest's own time.

use super::atomic::AtomicFile;
pub use super::boot_options::HELP;
use super::boot_options::{Options, parse};
use super::chart;
use super::console::{Console, Piece};
use super::failure::{Failure, Tried};
use super::qemu::{Accel, cannot_start, end_within};
use super::story::{Standing, Story, in_ms};
use super::trace_channel::{Channel, in_initramfs_ms};
use std::io::{IsTerminal, Read, Write};
use std::process::{Child, ChildStdout, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How a boot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    ReachedInit,
    /// landfall gave up, or the guest ended before the real init.
    GaveUp,
    Panicked,
    TimedOut,
}

impl Ending {
    /// The exit status that the help text promises.
    pub const fn status(self) -> u8 {
        match self {
            Self::ReachedInit => 0,
            Self::GaveUp => 3,
            Self::Panicked => 4,
            Self::TimedOut => 5,
        }
    }
}

/// The status of `--expect-exit` for any other ending.
const UNEXPECTED: u8 = 1;
/// Where nobody sits at the console, no guest may hang a job for ever.
const TIMEOUT_UNATTENDED: Duration = Duration::from_secs(120);
/// After the last word that decides: time for the sentences that belong to it.
const LINGER: Duration = Duration::from_secs(2);

/// Runs `landfall boot`: `args` stands after the word `boot`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Err(odd) => {
            let advice = "see 'landfall boot --help'";
            return Err(Failure::usage(format!("boot: {odd}; {advice}")));
        }
    };
    let mut channel = Channel::new()?;
    let boot = boot(&options, &mut channel);
    let ending = boot.map_err(|refused| Failure::new(format!("boot: {refused}")))?;
    keep(&options, channel.trace())?;
    Ok(ExitCode::from(judged(ending.status(), options.expected)))
}

/// The status, or with `--expect-exit` whether it was the expected one.
fn judged(status: u8, expected: Option<u8>) -> u8 {
    match expected {
        None => status,
        Some(wanted) if wanted == status => 0,
        Some(wanted) => {
            eprintln!("landfall boot: expected status {wanted}, the boot ended with {status}");
            UNEXPECTED
        }
    }
}

/// Writes what was asked for of the trace.
fn keep(options: &Options, trace: &str) -> Result<(), Failure> {
    let files = [
        (&options.chart, chart::svg as fn(&str) -> String),
        (&options.trace, str::to_string),
    ];
    for (path, made) in files {
        let Some(path) = path else { continue };
        if trace.is_empty() {
            return Err(Failure::new(format!(
                "boot: no trace came out of the guest: nothing to write to {} (is /init another \
                 one, or was the guest ended before it was done?)",
                path.display()
            )));
        }
        let mut file = AtomicFile::create(path)?;
        let written = file.write_all(made(trace).as_bytes());
        written.or_cannot(|| format!("write {}", path.display()))?;
        file.commit()?;
        println!("written: {}", path.display());
    }
    Ok(())
}

/// Boots once; prints everything.
fn boot(options: &Options, channel: &mut Channel) -> Result<Ending, String> {
    let attended = std::io::stdin().is_terminal();
    let mut machine = options.machine.clone();
    machine.trace = Some(channel.file().into());
    let mut command = machine.command();
    if !attended {
        command.stdin(Stdio::null());
    }
    if options.machine.accel == Accel::Tcg {
        let arch = options.machine.arch;
        println!("landfall boot: {arch} emulated by QEMU (no usable KVM, or not wanted)");
    }
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| cannot_start(options.machine.arch, &error))?;
    let stdout = child.stdout.take().ok_or("QEMU's output was not there")?;
    let mut watch = Watch::new(options, channel, listen(stdout));
    watch.attended = attended;
    let ending = watch.run_to_end();
    watch.close_line();
    let qemu = stop(&mut child)?;
    if watch.story.marks.is_empty() && qemu.is_some_and(|status| !status.success()) {
        return Err("QEMU refused to run the machine; its message is above".into());
    }
    report(&watch, ending);
    Ok(ending)
}

/// Bytes of the console, as they come; the channel closes when QEMU does.
pub fn listen(mut stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 4096];
        while let Ok(n @ 1..) = stdout.read(&mut buffer) {
            let bytes = buffer.get(..n).unwrap_or_default().to_vec();
            if to.send(bytes).is_err() {
                break;
            }
        }
    });
    from
}

/// Asks QEMU to end (it restores the terminal), then makes it. Its status if it ended by itself.
pub fn stop(child: &mut Child) -> Result<Option<ExitStatus>, String> {
    let failed = |error: std::io::Error| format!("cannot wait for QEMU: {error}");
    if let Some(status) = end_within(child, Duration::from_millis(500)).map_err(failed)? {
        return Ok(Some(status));
    }
    let pid = i32::try_from(child.id()).ok();
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if end_within(child, Duration::from_secs(3))
        .map_err(failed)?
        .is_none()
    {
        child.kill().map_err(failed)?;
    }
    Ok(None)
}

struct Watch<'a> {
    options: &'a Options,
    attended: bool,
    channel: &'a mut Channel,
    bytes: Receiver<Vec<u8>>,
    console: Console,
    story: Story,
    started: Instant,
    /// The text of `--until` was shown after the hand-over.
    until_seen: bool,
    /// When the standing became what it is.
    since: Option<(Standing, Instant)>,
    at_line_start: bool,
}

impl<'a> Watch<'a> {
    fn new(options: &'a Options, channel: &'a mut Channel, bytes: Receiver<Vec<u8>>) -> Self {
        Self {
            options,
            attended: false,
            channel,
            bytes,
            console: Console::default(),
            story: Story::default(),
            started: Instant::now(),
            until_seen: false,
            since: None,
            at_line_start: true,
        }
    }

    /// Shows the console until something decides.
    fn run_to_end(&mut self) -> Ending {
        loop {
            if let Some(ending) = self.decided() {
                return ending;
            }
            match self.bytes.recv_timeout(Duration::from_millis(50)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.channel.listen();
                    return self.at_end_of_guest();
                }
            }
            if self.channel.listen() {
                self.note_standing();
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut pieces = Vec::new();
        self.console.feed(bytes, &mut |piece| pieces.push(piece));
        for piece in pieces {
            match piece {
                Piece::Show(text) => self.show(&text),
                Piece::Line(line) => {
                    self.close_line();
                    self.story.line(&line);
                    self.look_for_until(&line);
                }
            }
        }
        let unfinished = self.console.unfinished();
        self.look_for_until(&unfinished);
        self.note_standing();
    }

    fn note_standing(&mut self) {
        let standing = self.standing();
        if self.since.is_none_or(|(before, _)| before != standing) {
            self.since = Some((standing, Instant::now()));
        }
    }

    /// What the console says; where it is silent, what the trace says.
    fn standing(&self) -> Standing {
        match self.story.standing() {
            Standing::Open => self.channel.standing(),
            said => said,
        }
    }

    fn look_for_until(&mut self, line: &str) {
        if self.standing() == Standing::ReachedInit
            && let Some(text) = &self.options.until
        {
            self.until_seen |= line.contains(text.as_str());
        }
    }

    /// What is known while the guest still runs.
    fn decided(&self) -> Option<Ending> {
        let lingered = self
            .since
            .is_some_and(|(_, since)| since.elapsed() >= LINGER);
        match self.standing() {
            Standing::ReachedInit if self.until_seen => return Some(Ending::ReachedInit),
            Standing::ReachedInit if lingered && self.options.until.is_none() && !self.attended => {
                return Some(Ending::ReachedInit);
            }
            Standing::GaveUp if lingered && !self.attended => return Some(Ending::GaveUp),
            Standing::Panicked if lingered => return Some(Ending::Panicked),
            _ => {}
        }
        let unattended = (!self.attended).then_some(TIMEOUT_UNATTENDED);
        let timeout = self.options.timeout.or(unattended)?;
        (self.started.elapsed() >= timeout).then_some(Ending::TimedOut)
    }

    /// The guest is off.
    fn at_end_of_guest(&self) -> Ending {
        match self.standing() {
            Standing::Panicked => Ending::Panicked,
            Standing::ReachedInit if self.until_seen || self.options.until.is_none() => {
                Ending::ReachedInit
            }
            _ => Ending::GaveUp,
        }
    }

    fn show(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let mut out = std::io::stdout().lock();
        if self.at_line_start {
            let ms = self.started.elapsed().as_millis();
            let _ = write!(out, "{:>4}.{:02} | ", ms / 1000, ms / 10 % 100);
            self.at_line_start = false;
        }
        let _ = out.write_all(text);
        let _ = out.flush();
    }

    fn close_line(&mut self) {
        if !self.at_line_start {
            println!();
            self.at_line_start = true;
        }
    }
}

fn report(watch: &Watch<'_>, ending: Ending) {
    let story = &watch.story;
    println!("\nwhat happened, in the guest's time");
    print!("{}", story.timeline());
    let seconds = watch.started.elapsed().as_secs();
    let sentence = match ending {
        Ending::ReachedInit => "the real init was reached",
        Ending::Panicked => "the kernel panicked",
        Ending::TimedOut => "the time was up before anything was decided",
        Ending::GaveUp if watch.standing() == Standing::ReachedInit => {
            "the guest ended before the awaited text was shown"
        }
        Ending::GaveUp if watch.standing() == Standing::Open => {
            "the guest ended before the real init"
        }
        Ending::GaveUp => "landfall gave up; its page above says why",
    };
    println!(
        "\n{sentence} (status {}, {seconds} s here)",
        ending.status()
    );
    let by_trace = in_initramfs_ms(watch.channel.trace());
    match (story.in_initramfs(), by_trace) {
        (Some(micros), _) => println!("time in the initramfs: {}", in_ms(micros)),
        (None, Some(ms)) => println!("time in the initramfs: {ms} ms"),
        (None, None) if !story.heard_landfall() => {
            println!("landfall said nothing, on the console or by its trace (another /init?)");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_failure_is_a_success() {
        let check = |ending: Ending, expected: Option<u8>, status: u8| {
            assert_eq!(judged(ending.status(), expected), status);
        };
        check(Ending::ReachedInit, None, 0);
        check(Ending::GaveUp, None, 3);
        check(Ending::GaveUp, Some(3), 0);
        check(Ending::Panicked, Some(3), 1);
        check(Ending::ReachedInit, Some(3), 1);
        check(Ending::TimedOut, Some(5), 0);
    }
}
