//! Processes that do slow jobs.
//!
//! A worker is a fork of PID 1. It is told an action as one line and answers with one event line,
//! the lines of the trace. Idle workers are used again; a new one is forked when none is idle.
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
use crate::plan::event::Event;
use crate::plan::{trace, trace_read};
use crate::sys::fail::Fail;
use crate::sys::memory;
use crate::sys::poll::Poll;
use crate::sys::process::{self, Fork};
use crate::sys::socket::{self, Received};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// More jobs at once wait their turn. Many may be blocked in the kernel: a module whose
/// initialisation asks for another one waits for a second worker.
const MAX_WORKERS: usize = 64;

struct Worker {
    pid: i32,
    socket: OwnedFd,
    token: u64,
    doing: Option<Action>,
}

pub struct Workers {
    /// What jobs may need and lines must not hold.
    pub secrets: Secrets,
    all: Vec<Worker>,
    waiting: VecDeque<Action>,
    next_token: u64,
}

impl Workers {
    /// Tokens from `first_token` on are ours.
    pub fn new(first_token: u64) -> Self {
        Self {
            secrets: Secrets::default(),
            all: Vec::new(),
            waiting: VecDeque::new(),
            next_token: first_token,
        }
    }

    /// Gives a job to a worker. If none can be had the answer is a failure.
    pub fn submit(&mut self, action: Action, catalog: &Catalog, poll: &Poll) -> Option<Event> {
        let idle = self.all.iter().position(|w| w.doing.is_none());
        let at = match idle {
            Some(at) => at,
            None if self.all.len() >= MAX_WORKERS => {
                self.waiting.push_back(action);
                return None;
            }
            None => match self.fork_one(catalog, poll) {
                Ok(()) => self.all.len().saturating_sub(1),
                Err(fail) => return job::failed(&action, fail.into()),
            },
        };
        let worker = self.all.get_mut(at)?;
        let line = trace::action_line(&action);
        let mut sent = socket::send_message(&worker.socket, line.as_bytes());
        if let Some(number) = job::secret_of(&action) {
            let secret = self.secrets.message(number);
            sent = sent.and_then(|()| socket::send_message(&worker.socket, secret));
        }
        worker.doing = Some(action);
        sent.err()
            .and_then(|fail| job::failed(&worker.doing.take()?, fail.into()))
    }

    fn fork_one(&mut self, catalog: &Catalog, poll: &Poll) -> Result<(), Fail> {
        let (ours, theirs) = socket::pair()?;
        match process::fork()? {
            Fork::Child => {
                drop(ours);
                work(&theirs, catalog)
            }
            Fork::Parent { pid } => {
                let token = self.next_token;
                self.next_token = token.saturating_add(1);
                poll.add(&ours, token)?;
                self.all.push(Worker {
                    pid,
                    socket: ours,
                    token,
                    doing: None,
                });
                Ok(())
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
        let next = self.waiting.pop_front();
        events.extend(next.and_then(|action| self.submit(action, catalog, poll)));
        events
    }

    fn hear(&mut self, at: usize, poll: &Poll) -> Option<Event> {
        let worker = self.all.get_mut(at)?;
        match socket::receive_now(&worker.socket) {
            Ok(Received::Message(line)) => {
                let action = worker.doing.take()?;
                let event = std::str::from_utf8(&line).ok().and_then(trace_read::event);
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
fn work(socket: &OwnedFd, catalog: &Catalog) -> ! {
    super::early::this_is_a_worker();
    process::set_name(c"landfall-worker");
    while let Ok(Received::Message(line)) = socket::receive(socket) {
        let action = std::str::from_utf8(&line).ok().and_then(trace_read::action);
        let event = action.and_then(|action| {
            let secret = job::secret_of(&action).and_then(|_| secret(socket));
            job::perform(&action, catalog, secret)
        });
        let answer = event
            .map(|event| trace::event_line(&event))
            .unwrap_or_default();
        if socket::send_message(socket, answer.as_bytes()).is_err() {
            break;
        }
    }
    process::exit_now(0)
}

/// What follows a line that needs it. The memory that it comes to is locked before.
fn secret(socket: &OwnedFd) -> Option<Secret> {
    let _ = memory::lock_all();
    let Ok(Received::Message(bytes)) = socket::receive(socket) else {
        return None;
    };
    let mut secret = Secret::from(bytes);
    secret.truncate(secret.len().saturating_sub(1));
    Some(secret)
}
