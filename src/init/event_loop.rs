//! Waits for whatever happens and tells the plan.
//!
//! One rule of order: the kernel's uevents are read before the answers of workers. A driver that
//! was loaded has announced its devices by then, so the plan hears of them first.

use super::dispatch::hopeless;
use super::kernel_requests::KernelRequests;
use super::record::Record;
use super::translate;
use super::workers::Workers;
use crate::act::module_catalog::{self, Catalog};
use crate::act::watch_links::Watch;
use crate::act::{
    check_device, efi_variables, faster_signatures, find_init, firmware_tables, host_name, run_hook,
};
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::image_files::ImageFile;
use crate::format::{cmdline, uevent};
use crate::plan::Plan;
use crate::plan::event::{Event, NetEvent, Ticket};
use crate::sys::poll::{Poll, Ready};
use crate::sys::signal::Signals;
use crate::sys::uevent::{Listener, Received};
use crate::sys::{clock, process, reboot};

const UEVENTS: u64 = 1;
const SIGNALS: u64 = 2;
/// The listener for the kernel's modprobe; askers count up from here.
const REQUESTS: u64 = 3;
/// What becomes of network links.
pub(super) const LINKS: u64 = 1 << 38;
/// Consoles with a question count up from here.
pub(super) const CONSOLES: u64 = 1 << 39;
/// Workers count up from here: above every possible asker.
const WORKERS: u64 = 1 << 40;

/// A uevent is at most 2 KiB of text and a header (`UEVENT_BUFFER_SIZE`).
const UEVENT_BYTES: usize = 8 * 1024;

pub struct Machine {
    pub(super) plan: Plan,
    pub(super) queue: Vec<Event>,
    pub(super) poll: Poll,
    pub(super) workers: Workers,
    pub(super) catalog: Catalog,
    pub(super) requests: Option<KernelRequests>,
    pub(super) record: Record,
    /// What the kernel gave us besides our name: the real init's arguments.
    pub(super) arguments: Vec<Vec<u8>>,
    pub(super) environment: Vec<Vec<u8>>,
    /// When this program did.
    pub(super) began: Millis,
    /// The shell's process and the ticket that its end answers.
    pub(super) shell: Option<(i32, Ticket)>,
    /// The question that is open, and the ticket that its answer carries.
    pub(super) question: Option<super::questions::Open>,
    /// The kernel looks for media because of us.
    pub(super) watching: bool,
    /// Once somebody asked.
    pub(super) links: Option<Watch>,
    uevents: Listener,
    signals: Signals,
    buffer: Vec<u8>,
}

impl Machine {
    /// The uevent socket is opened here, before anything is walked: nothing can fall between.
    /// Needs what [`super::early::prepare`] makes.
    pub fn new(arguments: &[Vec<u8>]) -> Self {
        let poll = Poll::new().unwrap_or_else(|f| hopeless("waiting for events", f));
        let uevents = Listener::open().unwrap_or_else(|f| hopeless("listening to the kernel", f));
        let signals = Signals::take(&[libc::SIGCHLD, libc::SIGINT])
            .unwrap_or_else(|f| hopeless("taking signals", f));
        for added in [poll.add(&uevents, UEVENTS), poll.add(&signals, SIGNALS)] {
            added.unwrap_or_else(|f| hopeless("waiting for events", f));
        }
        // The keys shall reach us as a signal, so that a reboot is ours to decide.
        let _ = reboot::ctrl_alt_del_restarts(false);
        let requests = KernelRequests::open(REQUESTS, &poll)
            .inspect_err(|fail| log::warn!("the kernel's own requests stay unanswered: {fail}"));
        Self {
            plan: Plan::new(),
            queue: Vec::new(),
            poll,
            workers: Workers::new(WORKERS),
            catalog: module_catalog::open_running("/"),
            requests: requests.ok(),
            record: Record::new(),
            arguments: arguments.get(1..).unwrap_or_default().to_vec(),
            environment: process::own_environment(),
            began: clock::since_boot(),
            shell: None,
            question: None,
            watching: false,
            links: None,
            uevents,
            signals,
            buffer: vec![0; UEVENT_BYTES],
        }
    }

    /// `cmdline`: the words of the image, then those of the kernel. `files`: the image's.
    pub fn run(&mut self, cmdline: Vec<u8>, files: Vec<(ImageFile, Text)>) -> ! {
        for word in cmdline::words(&cmdline) {
            self.catalog.config.word(word.key, word.value);
        }
        for complaint in self.catalog.oddities() {
            log::warn!("{complaint}");
        }
        // Heard before anything is resolved: the queue is told after this.
        if let Some((hash, faster)) = faster_signatures::find(&self.catalog) {
            let hash = hash.into();
            self.queue.push(Event::Signatures { hash, faster });
        }
        if let Some(left) = firmware_tables::nbft() {
            self.queue.push(Event::Net(NetEvent::Nbft(left.into())));
        }
        for (file, text) in files {
            if file == ImageFile::Hostname {
                host_name::take(text.as_bytes());
            }
            self.tell(Event::File { file, text });
        }
        if efi_variables::are_there() {
            self.tell(Event::Efi);
        }
        let programs = check_device::programs();
        if !programs.is_empty() {
            self.tell(Event::Checkers { programs });
        }
        let names = run_hook::all();
        if !names.is_empty() {
            self.tell(Event::Hooks { names });
        }
        if find_init::in_image("/").is_some() {
            self.tell(Event::System);
        }
        self.tell(Event::Boot {
            cmdline: Text(cmdline),
        });
        self.heed_wish();
        let mut ready = Vec::new();
        loop {
            // What these lead to stands behind them.
            while !self.queue.is_empty() {
                for event in std::mem::take(&mut self.queue) {
                    self.tell(event);
                }
            }
            self.wait(&mut ready);
        }
    }

    /// Tells the plan and does what it wants.
    fn tell(&mut self, event: Event) {
        let now = clock::since_boot();
        self.record.event(now, &event);
        let actions = self.plan.handle(now, event);
        for action in &actions {
            self.record.action(now, action);
        }
        for action in actions {
            self.dispatch(action);
        }
    }

    fn wait(&mut self, ready: &mut Vec<Ready>) {
        let deadline = self.plan.deadline();
        let wait_ms = deadline.map(|at| clock::since_boot().until(at));
        if let Err(fail) = self.poll.wait(wait_ms, ready) {
            hopeless("waiting for events", fail);
        }
        self.read_uevents();
        self.read_links();
        for Ready { token, .. } in ready.drain(..) {
            match token {
                UEVENTS | LINKS => {}
                SIGNALS => self.read_signals(),
                REQUESTS => {
                    if let Some(requests) = &mut self.requests {
                        requests.accept(&self.poll);
                    }
                }
                WORKERS.. => {
                    let answers = self.workers.answer(token, &self.catalog, &self.poll);
                    self.queue.extend(answers);
                }
                CONSOLES.. => self.hear(token),
                _ => {
                    let event = self.requests.as_mut().and_then(|r| r.hear(token));
                    self.queue.extend(event);
                }
            }
        }
        if deadline.is_some_and(|at| clock::since_boot() >= at) {
            self.queue.push(Event::Timer);
        }
    }

    fn read_uevents(&mut self) {
        loop {
            match self.uevents.receive(&mut self.buffer) {
                Ok(Received::Message(length)) => {
                    let message = self.buffer.get(..length).unwrap_or_default();
                    if let Some(uevent) = uevent::parse(message) {
                        self.queue.extend(translate::event(&uevent));
                        self.queue.extend(translate::bound(&uevent));
                    }
                }
                Ok(Received::Overflow) => self.queue.push(Event::Overflow),
                Ok(Received::Nothing) => return,
                Ok(Received::Foreign) => {}
                Err(fail) => {
                    log::error!("{fail}");
                    return;
                }
            }
        }
    }

    fn read_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.next_signal() {
            match signal {
                libc::SIGCHLD => {
                    while let Ok(Some((pid, _))) = process::reap() {
                        self.reaped(pid);
                    }
                }
                libc::SIGINT => self.queue.push(Event::CtrlAltDel),
                _ => {}
            }
        }
    }
}
