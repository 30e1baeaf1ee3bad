//! A question to whoever is at a console: on every active one at once, the first answer wins.
//!
//! Keys arrive one by one and are edited here; nothing waits. What is typed lies in locked memory
//! and nowhere else. While the question stands, the log is kept off the consoles.
//! console(4), termios(3).

mod typing;

use super::{console_log, keyboards};
use crate::base::fault::Fault;
use crate::format::crypttab::Echo;
use crate::sys::fail::Outcome;
use crate::sys::memory::Locked;
use crate::sys::{console, tty};
use std::mem::replace;
use std::os::fd::OwnedFd;
use typing::{Typing, Wish};

/// What is asked.
pub struct Text<'a> {
    /// Lines in front of it.
    pub notes: &'a [String],
    pub prompt: &'a str,
    pub echo: Echo,
}

/// A question that is open.
pub struct Ask {
    consoles: Vec<Console>,
    /// A key was pressed on one of them.
    touched: bool,
}

struct Console {
    terminal: OwnedFd,
    before: tty::Settings,
    typing: Typing,
    prompt: String,
    gone: bool,
}

/// What was heard.
pub enum Heard {
    Nothing,
    /// Somebody is there.
    FirstKey,
    /// What a person typed, and how many bytes of the memory that is.
    Answer(Locked, usize),
}

impl Ask {
    /// Puts the question up.
    pub fn open(text: &Text) -> Result<Self, Fault> {
        let mut consoles = Vec::new();
        let mut problem = None;
        console_log::hold_back();
        for name in console::active() {
            match Console::open(&format!("/dev/{name}"), text) {
                Ok(console) => consoles.push(console),
                Err(fail) => problem = Some(fail),
            }
        }
        if consoles.is_empty() {
            console_log::let_through();
            let why = problem.map(|fail| format!(" ({fail})")).unwrap_or_default();
            let text = format!("there is no console that somebody could type on{why}");
            return Err(Fault::plain(text));
        }
        let head = [text.notes, &[keyboards::sentence()]].concat();
        for console in &consoles {
            for line in &head {
                console.show(&format!("\r\x1b[K{line}\n"));
            }
            console.draw();
        }
        Ok(Self {
            consoles,
            touched: false,
        })
    }

    /// What to wait on; their order stays.
    pub fn terminals(&self) -> impl Iterator<Item = &OwnedFd> {
        self.consoles.iter().map(|console| &console.terminal)
    }

    /// Something was typed on the console of this number. An error: it is gone.
    pub fn hear(&mut self, number: usize) -> Outcome<Heard> {
        let Some(console) = self.consoles.get_mut(number) else {
            return Ok(Heard::Nothing);
        };
        let heard = console.hear()?;
        if let Heard::FirstKey = heard
            && replace(&mut self.touched, true)
        {
            return Ok(Heard::Nothing);
        }
        Ok(heard)
    }

    /// The console of this number is gone. True: so are all.
    pub fn lose(&mut self, number: usize) -> bool {
        if let Some(console) = self.consoles.get_mut(number) {
            console.gone = true;
        }
        self.consoles.iter().all(|console| console.gone)
    }

    /// Takes the question back. `note`: what is said in its place.
    pub fn close(self, note: &str) {
        for console in &self.consoles {
            console.show(&format!("{note}\n"));
            tty::restore(&console.terminal, &console.before);
        }
        console_log::let_through();
    }
}

impl Console {
    fn open(path: &str, text: &Text) -> Outcome<Self> {
        let terminal = console::open_unwaiting(path)?;
        let before = tty::make_raw(&terminal)?;
        Ok(Self {
            terminal,
            before,
            typing: Typing::new(text.echo)?,
            prompt: format!("{}: ", text.prompt),
            gone: false,
        })
    }

    fn hear(&mut self) -> Outcome<Heard> {
        let mut keys = Locked::zeros(64)?;
        let mut heard = Heard::Nothing;
        loop {
            let count = match tty::read_some(&self.terminal, keys.bytes_mut())? {
                None => return Ok(heard),
                Some(0) => return Err(crate::sys::fail::Fail::new("read", "terminal", libc::EIO)),
                Some(count) => count,
            };
            heard = Heard::FirstKey;
            for key in keys.bytes().iter().take(count) {
                match self.typing.key(*key) {
                    Wish::Nothing => {}
                    Wish::Show(shown) => self.show(&shown),
                    Wish::Redraw => self.draw(),
                    Wish::Done => {
                        let (bytes, len) = self.typing.take();
                        return Ok(Heard::Answer(bytes, len));
                    }
                }
            }
        }
    }

    /// The prompt and what was typed, on a line of their own.
    fn draw(&self) {
        let typed = self.typing.shown();
        self.show(&format!("\r\x1b[K{}{typed}", self.prompt));
    }

    /// A line that takes nothing now shows less.
    fn show(&self, text: &str) {
        let _ = tty::write_some(&self.terminal, text.as_bytes());
    }
}
