//! What a long step shows on standard error: one line that is rewritten, or, where nobody watches
//! (not a terminal), one plain line per step.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Often enough to look alive, seldom enough to cost nothing.
const REDRAW: Duration = Duration::from_millis(100);

pub struct Progress {
    terminal: bool,
    quiet: bool,
    drawn: Option<Instant>,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        Self {
            terminal: stderr().is_terminal(),
            quiet,
            drawn: None,
        }
    }

    /// A step begins.
    pub fn step(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        if self.terminal {
            self.draw(text);
        } else {
            eprintln!("{text}");
        }
    }

    /// How far the step is. Shown only to a person who watches, and not too often.
    pub fn within(&mut self, text: impl FnOnce() -> String) {
        let due = self.drawn.is_none_or(|at| at.elapsed() >= REDRAW);
        if self.terminal && !self.quiet && due {
            self.draw(&text());
        }
    }

    /// Something worth keeping: stays on the screen. Warnings are said even when quiet.
    pub fn note(&mut self, text: &str, always: bool) {
        self.clear();
        if !self.quiet || always {
            eprintln!("landfall: {text}");
        }
    }

    fn draw(&mut self, text: &str) {
        // 79 columns: a longer line would wrap, and only its last part would be rewritten.
        let text: String = text.chars().take(79).collect();
        let _ = write!(stderr(), "\r{text}\x1b[K");
        self.drawn = Some(Instant::now());
    }

    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
