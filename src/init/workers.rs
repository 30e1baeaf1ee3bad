//! Processes that do slow jobs.
//!
//! A worker is a fork of PID 1: its first action is in its memory. It answers with one event line
//! of the trace. Jobs that come often go to idle workers, as an action line of the trace; a new one
//! is forked when none is idle, and for every other job.
//!
//! Processes and not threads: what a hostile disk or a broken driver does to a worker does not
//! happen to PID 1, and exec does not wait for a job that hangs in the kernel.

use super::job;
use super::secrets::Secrets;
use crate::act::module_catalog::Catalog;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::secret::Secret;
use crate::plan::action::Action;
use crate::plan::event::{Event, NetEvent, Ticket};
use crate::plan::{trace, trace_read};
use crate::sys::fail::Fail;
use crate::sys::memory;
use crate::sys::poll::Poll;
use crate::sys::process::{self, Fork};
use crate::sys::socket::{self, Received};
use std::os::fd::OwnedFd;

/// More jobs at once wait their turn. Many may be blocked in the kernel: a module whose
/// initialisation asks for another one waits for a second worker.
const MAX_WORKERS: usize = 64;

struct Worker {
    pid: i32,
    socket: OwnedFd,
    token: u64,
    doing: Option<Action>,
    /// It ends after its first job.
    once: bool,
}

pub struct Workers {
    /// What jobs may need and lines must not hold.
    pub secrets: Secrets,
    all: Vec<Worker>,
    waiting: Vec<Action>,
    next_token: u64,
}

impl Workers {
    /// Tokens from `first_token` on are ours.
    pub fn new(first_token: u64) -> Self {
        Self {
            secrets: Secrets::default(),
            all: Vec::new(),
            waiting: Vec::new(),
            next_token: first_token,
        }
    }

    /// Gives a job to a worker. If none can be had the answer is a failure.
    pub fn submit(&mut self, action: Action, catalog: &Catalog, poll: &Poll) -> Option<Event> {
        let often = job::comes_often(&action);
        let free = |w: &Worker| w.doing.is_none() && !w.once;
        let idle = self.all.iter_mut().find(|w| often && free(w));
        if let Some(worker) = idle {
            let line = trace::action_line(&action);
            let sent = socket::send_message(&worker.socket, line.as_bytes());
            return match sent {
                Ok(()) => {
                    worker.doing = Some(action);
                    None
                }
                Err(fail) => job::failed(&action, fail.into()),
            };
        }
        if self.all.len() >= MAX_WORKERS {
            self.waiting.push(action);
            return None;
        }
        match self.fork_for(&action, catalog, poll) {
            Ok(mut worker) => {
                worker.doing = Some(action);
                self.all.push(worker);
                None
            }
            Err(fail) => job::failed(&action, fail.into()),
        }
    }

    fn fork_for(
        &mut self,
        action: &Action,
        catalog: &Catalog,
        poll: &Poll,
    ) -> Result<Worker, Fail> {
        let (ours, theirs) = socket::pair()?;
        let once = !job::comes_often(action);
        // Whoever cannot be heard is not let go.
        poll.add(&ours, self.next_token)?;
        match process::fork()? {
            Fork::Child => {
                drop(ours);
                work(&theirs, catalog, action, once)
            }
            Fork::Parent { pid } => {
                let token = self.next_token;
                self.next_token = token.saturating_add(1);
                if let Some(number) = job::secret_of(action) {
                    socket::send_message(&ours, self.secrets.message(number))?;
                }
                Ok(Worker {
                    pid,
                    socket: ours,
                    token,
                    doing: None,
                    once,
                })
            }
        }
    }

    /// Something is to be read from the worker with this token.
    pub fn answer(&mut self, token: u64, catalog: &Catalog, poll: &Poll) -> Vec<Event> {
        let Some(at) = self.all.iter().position(|w| w.token == token) else {
            return Vec::new();
        };
        let mut events: Vec<Event> = self.hear(at, poll).into_iter().listed();
        // Whoever is free now takes the next job.
        let next = (!self.waiting.is_empty()).then(|| self.waiting.remove(0));
        events.extend(next.and_then(|action| self.submit(action, catalog, poll)));
        events
    }

    fn hear(&mut self, at: usize, poll: &Poll) -> Option<Event> {
        let worker = self.all.get_mut(at)?;
        match socket::receive_now(&worker.socket) {
            Ok(Received::Message(line)) => {
                let action = worker.doing.take()?;
                let event = std::str::from_utf8(&line)
                    .ok()
                    .and_then(trace_read::answered);
                let news = |event: &Event| {
                    matches!(
                        event,
                        Event::Fstab { .. } | Event::Net(NetEvent::LeaseNews { .. })
                    )
                };
                if event.as_ref().is_some_and(news) {
                    // Not the end of it.
                    worker.doing = Some(action);
                    return event;
                }
                event.or_else(|| job::failed(&action, Fault::plain("a worker answered nonsense")))
            }
            Ok(Received::Nothing) => None,
            Ok(Received::Closed) | Err(_) => {
                let worker = self.all.swap_remove(at);
                let _ = poll.remove(&worker.socket);
                let fault = Fault::plain("the worker process that did it died");
                worker.doing.and_then(|action| job::failed(&action, fault))
            }
        }
    }

    /// Ends what is done under this ticket, or what waits to be: its answer is not wanted any more.
    pub fn abandon(&mut self, ticket: Ticket, poll: &Poll) {
        let is = |action: &Action| job::ticket(action) == Some(ticket);
        self.waiting.retain(|action| !is(action));
        let doing = |worker: &Worker| worker.doing.as_ref().is_some_and(is);
        if let Some(at) = self.all.iter().position(doing) {
            let worker = self.all.swap_remove(at);
            let _ = poll.remove(&worker.socket);
            // With what it started, where it leads a group.
            process::kill_group(worker.pid);
            let _ = process::kill(worker.pid, libc::SIGKILL);
        }
    }

    /// Ends them all: those at work may be stuck in the kernel and are not waited for.
    pub fn dismiss(&mut self) {
        self.waiting.clear();
        for worker in self.all.drain(..) {
            let _ = process::kill(worker.pid, libc::SIGKILL);
            if worker.doing.is_none() {
                let _ = process::wait_for(worker.pid);
            }
        }
    }
}

/// A worker's whole life.
fn work(socket: &OwnedFd, catalog: &Catalog, first: &Action, once: bool) -> ! {
    super::early::this_is_a_worker();
    process::set_name(c"landfall-worker");
    let secret = job::secret_of(first).and_then(|_| secret(socket));
    let mut tell = |event| {
        answer(socket, Some(event));
    };
    let event = job::perform(first, catalog, secret, &mut tell);
    let mut going = answer(socket, event) && !once;
    while let (true, Ok(Received::Message(line))) = (going, socket::receive(socket)) {
        let action = std::str::from_utf8(&line).ok().and_then(trace_read::job);
        let event = action.and_then(|action| job::perform(&action, catalog, None, &mut tell));
        going = answer(socket, event);
    }
    process::exit_now(0)
}

/// Is anybody there to hear it?
fn answer(socket: &OwnedFd, event: Option<Event>) -> bool {
    let line = event.map(|event| trace::event_line(&event));
    socket::send_message(socket, line.unwrap_or_default().as_bytes()).is_ok()
}

/// What a job that needs it finds in its socket. The memory that it comes to is locked before.
fn secret(socket: &OwnedFd) -> Option<Secret> {
    let _ = memory::lock_all();
    let Ok(Received::Message(bytes)) = socket::receive(socket) else {
        return None;
    };
    let mut secret = Secret::from(bytes);
    secret.truncate(secret.len().saturating_sub(1));
    Some(secret)
}
