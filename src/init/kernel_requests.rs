//! Answers the kernel's modprobe.
//!
//! While we are in charge, `/proc/sys/kernel/modprobe` names this program. What the kernel starts
//! under that name only passes the wanted name on ([`crate::act::modprobe_client`]) and waits.

use crate::act::modprobe_client::SOCKET;
use crate::base::text::Text;
use crate::plan::event::Event;
use crate::sys::fail::Fail;
use crate::sys::poll::Poll;
use crate::sys::proc_sys;
use crate::sys::socket::{self, Received};
use std::os::fd::OwnedFd;

/// The kernel itself runs at most 50 at once (`MAX_KMOD_CONCURRENT`).
const MAX_ASKERS: usize = 64;

/// A name that the kernel may ask for is shorter (`MODULE_NAME_LEN` is 64 minus a pointer).
const MAX_NAME: usize = 128;

const SETTING: &str = "/proc/sys/kernel/modprobe";

struct Asker {
    request: u32,
    socket: OwnedFd,
    asked: bool,
}

pub struct KernelRequests {
    listener: OwnedFd,
    askers: Vec<Asker>,
    last: u32,
    first_token: u64,
    /// What the kernel would run without us.
    before: Vec<u8>,
}

impl KernelRequests {
    /// The listener's token is `token`; askers get the numbers above it.
    pub fn open(token: u64, poll: &Poll) -> Result<Self, Fail> {
        let listener = socket::listen_at(SOCKET)?;
        poll.add(&listener, token)?;
        let before = proc_sys::read(SETTING, 256).unwrap_or_default();
        // A kernel without modules has no such file, and asks for none.
        let _ = proc_sys::write(SETTING, b"/init");
        let first_token = token.saturating_add(1);
        Ok(Self {
            listener,
            askers: Vec::new(),
            last: 0,
            first_token,
            before,
        })
    }

    /// Somebody connects.
    pub fn accept(&mut self, poll: &Poll) {
        while let Ok(Some(socket)) = socket::accept(&self.listener) {
            if self.askers.len() >= MAX_ASKERS {
                continue;
            }
            self.last = self.last.wrapping_add(1);
            let request = self.last;
            if poll.add(&socket, self.token_of(request)).is_ok() {
                self.askers.push(Asker {
                    request,
                    socket,
                    asked: false,
                });
            }
        }
    }

    /// Something is to be read from an asker.
    pub fn hear(&mut self, token: u64) -> Option<Event> {
        let request = u32::try_from(token.checked_sub(self.first_token)?).ok()?;
        let at = self.askers.iter().position(|a| a.request == request)?;
        let asker = self.askers.get_mut(at)?;
        match socket::receive_now(&asker.socket) {
            Ok(Received::Message(name)) if !asker.asked && name.len() <= MAX_NAME => {
                asker.asked = true;
                Some(Event::ModuleWanted {
                    request,
                    name: Text(name),
                })
            }
            Ok(Received::Nothing) => None,
            _ => {
                self.askers.swap_remove(at);
                None
            }
        }
    }

    pub fn reply(&mut self, request: u32, ok: bool) {
        if let Some(at) = self.askers.iter().position(|a| a.request == request) {
            let asker = self.askers.swap_remove(at);
            let _ = socket::send_now(&asker.socket, &[u8::from(ok)]);
        }
    }

    /// The kernel's modprobe is the real system's again.
    pub fn restore(&self) {
        if !self.before.is_empty() {
            let _ = proc_sys::write(SETTING, &self.before);
        }
    }

    fn token_of(&self, request: u32) -> u64 {
        self.first_token.saturating_add(u64::from(request))
    }
}
