//! One machine: described, started, watched, and ended.
//!
//! Time is only a kill switch here: a test waits for something that is said, never for a while.

use super::disks::{self, Disk};
use super::images;
use super::kernels::{Flavour, Kernel, kernel};
use super::outcome::{Outcome, facts};
use super::qmp::{self, Monitor};
use super::shelf::{self, Scratch};
use landfall::host::arch::Arch;
use landfall::host::console::{Console, Piece};
use landfall::host::qemu::{self, Board, Bus};
use landfall::host::story::Story;
use serde_json::json;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A machine to be booted.
pub struct Machine {
    pub kernel: Kernel,
    qemu: qemu::Machine,
    image: Option<PathBuf>,
    /// Without an initramfs.
    bare: bool,
    cmdline: String,
    patience: Duration,
    extra: Vec<String>,
    /// How many there are, and which have no carrier at first.
    pub(super) nics: usize,
    pub(super) unlinked: Vec<usize>,
}

/// A reboot ends the guest, so whoever gives up is seen to.
const CMDLINE: &str = "printk.time=1 panic=-1";

impl Machine {
    pub fn new(flavour: Flavour) -> Self {
        Self::on(kernel(flavour))
    }

    pub fn on(kernel: Kernel) -> Self {
        // A PC's kernel counts emulated ticks in a loop, and panics where the machine that emulates
        // them is too busy.
        let timer = match kernel.arch() {
            Arch::X86_64 => " no_timer_check",
            _ => "",
        };
        Self {
            qemu: qemu::Machine::new(kernel.arch(), &kernel.vmlinuz),
            // The serial line is the console.
            cmdline: format!("console={} {CMDLINE}{timer}", qemu::console(kernel.arch())),
            kernel,
            image: None,
            bare: false,
            patience: Duration::from_secs(240),
            extra: Vec::new(),
            nics: 0,
            unlinked: Vec::new(),
        }
    }

    /// Nearly everything is a module.
    pub fn generic() -> Self {
        Self::new(Flavour::Generic)
    }

    /// The quick one: ext4 and NVMe are built in.
    pub fn cloud() -> Self {
        Self::new(Flavour::Cloud)
    }

    /// aarch64: a device tree, nearly everything a module.
    pub fn arm64() -> Self {
        Self::new(Flavour::Arm64)
    }

    /// A disk whose writes are thrown away.
    pub fn disk(self, disk: &Disk, bus: Bus) -> Self {
        let file = disks::file(&disk.arch(self.kernel.arch()));
        self.scratch(&file, bus)
    }

    /// A disk that is there from the start only as a drive: `Guest::plug` plugs it in.
    pub fn later(self, disk: &Disk, bus: Bus) -> Self {
        self.disk(disk, bus).unplugged()
    }

    /// A disk file whose writes are thrown away.
    pub fn scratch(mut self, file: &Path, bus: Bus) -> Self {
        let mut plugged = qemu::Disk::raw(file, bus);
        plugged.scratch = true;
        self.qemu.disks.push(plugged);
        self
    }

    /// The disk that was named last is there only as a drive: `Guest::plug` plugs it in.
    pub fn unplugged(mut self) -> Self {
        if let Some(last) = self.qemu.disks.last_mut() {
            last.unplugged = true;
        }
        self
    }

    /// A disk file that the guest may really write to.
    pub fn file(mut self, file: &Path, bus: Bus) -> Self {
        self.qemu.disks.push(qemu::Disk::raw(file, bus));
        self
    }

    /// A disk on any device of QEMU's, with throw-away writes: `nvme,serial=x`.
    pub fn device(self, disk: &Disk, device: &str) -> Self {
        let id = format!("more{}", self.extra.len());
        let file = disks::file(disk);
        let drive = format!(
            "if=none,id={id},format=raw,snapshot=on,file={}",
            file.display()
        );
        let device = format!("{device},drive={id}");
        self.words(&["-drive", &drive, "-device", &device])
    }

    /// More words for QEMU, in front of those for devices.
    pub fn words(mut self, words: &[&str]) -> Self {
        self.extra.extend(words.iter().map(ToString::to_string));
        self
    }

    /// What the kernel is told so far.
    pub fn words_of_kernel(&self) -> &str {
        &self.cmdline
    }

    /// Firmware boots from this disk; kernel, image and command line are what lies on it.
    pub fn booted_by_efi(self, disk: &Path, bus: Bus) -> Self {
        let machine = self.scratch(disk, bus).by_firmware();
        machine.words(&super::esp::firmware().each_ref().map(String::as_str))
    }

    /// Kernel, image and command line are what firmware finds on a disk.
    pub fn by_firmware(mut self) -> Self {
        self.qemu.kernel = PathBuf::new();
        self
    }

    /// A disk that is only a drive, `drive0` and so on: `qemu` says what it is plugged into.
    pub fn drive(self, disk: &Disk) -> Self {
        self.later(disk, Bus::Virtio)
    }

    /// More words for QEMU, as a command line: hardware that few machines have.
    pub fn qemu(self, words: &str) -> Self {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.words(&words)
    }

    /// Another board: no PCI, unless `qemu` asks for it. Time comes from the count of instructions:
    /// there is no other clock to be trusted, and kernels that cannot find one hang.
    pub fn microvm(mut self) -> Self {
        self.qemu.board = Board::Microvm;
        self.qemu("-icount shift=1,sleep=off")
    }

    pub fn cmdline(mut self, words: &str) -> Self {
        self.cmdline = format!("{} {words}", self.cmdline);
        self
    }

    /// Another image than the one for this kernel.
    pub fn image(mut self, image: PathBuf) -> Self {
        self.image = Some(image);
        self
    }

    /// No initramfs: the kernel mounts root by itself.
    pub fn without_image(mut self) -> Self {
        self.bare = true;
        self
    }

    pub fn memory(mut self, mib: u32) -> Self {
        self.qemu.memory = mib;
        self
    }

    pub fn cpus(mut self, cpus: u32) -> Self {
        self.qemu.cpus = cpus;
        self
    }

    /// Seconds after which a guest that says nothing new to the test is killed.
    pub fn patience(mut self, seconds: u64) -> Self {
        self.patience = Duration::from_secs(seconds);
        self
    }

    pub fn start(mut self) -> Guest {
        let own = self.image.take();
        let image = (!self.bare).then(|| own.unwrap_or_else(|| images::image(&self.kernel)));
        // Everything slow is made before a seat is taken.
        let seat = shelf::seat();
        let scratch = Scratch::new();
        self.qemu.initrd = image;
        self.qemu.append = self.cmdline;
        let report = scratch.0.join("report");
        let monitor = scratch.0.join("qmp");
        self.extra.extend(port(self.qemu.board, &report));
        let socket = format!("unix:{},server=on,wait=off", monitor.display());
        self.extra.extend(["-qmp".into(), socket]);
        // Its first instruction waits for the monitor: a short boot on a busy machine would be over
        // before that is there, and links are set before, too.
        self.extra.push("-S".into());
        self.qemu.extra = self.extra.iter().map(Into::into).collect();
        let mut command = self.qemu.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let complaints = File::create(scratch.0.join("stderr")).expect("a scratch file");
        let child = command.stderr(complaints).spawn();
        let mut child =
            child.unwrap_or_else(|e| panic!("{}", qemu::cannot_start(self.qemu.arch, &e)));
        let bytes = listen(child.stdout.take().expect("a pipe was asked for"));
        let mut guest = Guest {
            monitor: Monitor::connect(&monitor),
            keyboard: child.stdin.take().expect("a pipe was asked for"),
            child,
            bytes,
            console: Console::default(),
            lines: Vec::new(),
            heard: 0,
            give_up: Instant::now() + self.patience,
            disks: self.qemu.disks.iter().map(|disk| disk.bus).collect(),
            scratch,
            _seat: seat,
        };
        self.unlinked.iter().for_each(|nic| guest.link(*nic, false));
        guest.monitor.run("cont", json!({}));
        guest
    }

    /// From power on to power off.
    pub fn boot(self) -> Outcome {
        self.start().finish()
    }
}

/// The serial port for facts: what is written there ends in the file `to`.
fn port(board: Board, to: &Path) -> Vec<String> {
    let device = match board {
        Board::Q35 | Board::Microvm => "isa-serial,index=1,chardev=report",
        Board::Virt => "pci-serial,chardev=report",
    };
    let chardev = format!("file,id=report,path={}", to.display());
    ["-chardev", &chardev, "-device", device]
        .map(String::from)
        .into()
}

fn listen(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if to.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A machine that runs.
pub struct Guest {
    child: Child,
    monitor: Monitor,
    keyboard: ChildStdin,
    bytes: Receiver<Vec<u8>>,
    console: Console,
    lines: Vec<String>,
    /// So many lines were waited for already.
    heard: usize,
    give_up: Instant,
    disks: Vec<Bus>,
    scratch: Scratch,
    _seat: File,
}

impl Guest {
    /// Waits until the console has shown `text` (which may be a prompt), after whatever was
    /// waited for before.
    pub fn wait_for(&mut self, text: &str) {
        if !self.hears(text) {
            self.never_showed(text);
        }
    }

    fn never_showed(&self, text: &str) -> ! {
        let tail = tail(&self.lines);
        panic!("the console never showed {text:?}; its end was\n{tail}");
    }

    /// Did the console show it in time?
    fn hears(&mut self, text: &str) -> bool {
        loop {
            let new = self.lines.get(self.heard..).unwrap_or_default();
            if let Some(at) = new.iter().position(|line| line.contains(text)) {
                self.heard += at + 1;
                return true;
            }
            let prompt = self.lines.len() >= self.heard;
            if prompt && self.console.unfinished().contains(text) {
                self.heard = self.lines.len() + 1;
                return true;
            }
            if !self.listen() {
                return false;
            }
        }
    }

    /// Types a line on the machine's own keyboard until the console shows `answer`, as a person
    /// does: a keyboard drops keys that a machine under load does not fetch in time.
    pub fn type_until(&mut self, line: &str, answer: &str) {
        const TRIES: u32 = 5;
        let give_up = self.give_up;
        for tries_left in (0..TRIES).rev() {
            self.type_keys(line);
            if tries_left > 0 {
                self.give_up = give_up.min(Instant::now() + Duration::from_secs(20));
            }
            let answered = self.hears(answer);
            self.give_up = give_up;
            if answered {
                return;
            }
        }
        self.never_showed(answer);
    }

    /// Types on the console.
    pub fn press(&mut self, keys: &str) {
        let keyboard = &mut self.keyboard;
        keyboard.write_all(keys.as_bytes()).expect("a living QEMU");
        keyboard.flush().expect("a living QEMU");
    }

    /// Plugs in the disk of this number.
    pub fn plug(&mut self, number: usize) {
        let (driver, bus) = match self.disks[number] {
            Bus::Scsi => ("scsi-hd", "scsi.0"),
            Bus::Usb => ("usb-storage", "xhci.0"),
            other => panic!("{other:?} disks are not hot-plugged in this laboratory"),
        };
        let arguments = json!({
            "driver": driver, "bus": bus,
            "drive": format!("drive{number}"), "id": format!("disk{number}"),
        });
        self.monitor.run("device_add", arguments);
    }

    pub(super) const fn monitor(&mut self) -> &mut Monitor {
        &mut self.monitor
    }

    /// Plugs in any device of QEMU's.
    pub fn device_add(&mut self, arguments: serde_json::Value) {
        self.monitor.run("device_add", arguments);
    }

    /// Pulls it out.
    pub fn unplug(&mut self, number: usize) {
        self.monitor
            .run("device_del", json!({"id": format!("disk{number}")}));
    }

    /// Puts a medium into the drive of the device of this name.
    /// `mode`: `read-only`, or `read-write`.
    pub fn insert(&mut self, device: &str, medium: &Path, mode: &str) {
        let arguments = json!({
            "id": device, "filename": medium, "format": "raw", "read-only-mode": mode,
        });
        self.monitor.run("blockdev-change-medium", arguments);
    }

    /// Types on the machine's own keyboard, whatever it is plugged into.
    pub fn type_keys(&mut self, text: &str) {
        for c in text.chars() {
            let codes = qmp::keys_of(c).into_iter();
            let keys: Vec<_> = codes.map(|k| json!({"type": "qcode", "data": k})).collect();
            self.monitor
                .run("send-key", json!({"keys": keys, "hold-time": 20}));
        }
    }

    /// What a person does to leave a machine that stays on.
    pub fn press_ctrl_alt_del(&mut self) {
        let keys = ["ctrl", "alt", "delete"].map(|k| json!({"type": "qcode", "data": k}));
        self.monitor.run("send-key", json!({"keys": keys}));
    }

    /// Runs on until the guest is off.
    pub fn finish(mut self) -> Outcome {
        while self.listen() {}
        let ended = self.child.try_wait().expect("a child").is_some() || self.settle();
        let report = fs::read(self.scratch.0.join("report")).unwrap_or_default();
        let complaints = fs::read_to_string(self.scratch.0.join("stderr")).unwrap_or_default();
        let mut story = Story::default();
        self.lines.iter().for_each(|line| story.line(line));
        // A terminal's line ends, where a guest did not switch them off.
        let report = String::from_utf8_lossy(&report).replace("\r\n", "\n");
        Outcome {
            facts: facts(&report),
            lines: std::mem::take(&mut self.lines),
            report,
            story,
            ended,
            complaints,
        }
    }

    /// After the end of its output QEMU is gone within a moment, unless it hangs.
    fn settle(&mut self) -> bool {
        let patience = Duration::from_secs(5);
        let over = Instant::now() >= self.give_up;
        !over
            && qemu::end_within(&mut self.child, patience)
                .expect("a child")
                .is_some()
    }

    /// Takes what the console says next. False: nothing more will come.
    fn listen(&mut self) -> bool {
        let left = self.give_up.saturating_duration_since(Instant::now());
        match self.bytes.recv_timeout(left) {
            Ok(bytes) => {
                let lines = &mut self.lines;
                self.console.feed(&bytes, &mut |piece| {
                    if let Piece::Line(line) = piece {
                        lines.push(line);
                    }
                });
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of a console, for messages.
pub fn tail(lines: &[String]) -> String {
    let from = lines.len().saturating_sub(80);
    lines[from..].join("\n")
}
