//! Root in RAM: the image itself, or a file system in memory that is filled from it.
//!
//! Neither needs a device, so none is walked, waited for or identified, and nothing is resumed: an
//! installer shall not wake the system on the disk. The image counts as the system where it holds
//! an init besides ours and no word says where else root is; `root=/dev/ram…` is what boot loaders
//! say of such systems. The kernel's own rule (init/main.c) is the same: who holds the program to
//! run is the root.

use super::action::Level;
use super::{Plan, Stage};
use crate::format::share;

impl Plan {
    /// Is the image the system?
    pub(super) fn image_is_root(&self) -> bool {
        let wish = &self.wish;
        let typed = wish.root_as_typed.as_bytes();
        let unnamed = typed.is_empty() && wish.root.is_none() || typed.starts_with(b"/dev/ram");
        let elsewhere = wish.file.is_some() || !wish.targets.is_empty() || wish.ibft.is_some();
        self.system && unnamed && !elsewhere
    }

    /// Can anything that is plugged in be what is waited for?
    pub(super) fn needs_devices(&self) -> bool {
        !(self.image_is_root() || self.is_memory() && self.wish.resume.is_none())
    }

    /// Is root to be a file system in memory?
    pub(super) fn is_memory(&self) -> bool {
        let mut types = self.wish.fstypes.iter();
        self.is_share() && types.all(|kind| kind == share::MEMORY)
    }

    /// Goes on in the image, once the modules that were asked for are there.
    pub(super) fn stay(&mut self) {
        if self.stage != Stage::Searching || !self.image_is_root() {
            return;
        }
        self.ask_for_the_last();
        if self.tickets.none_open() {
            if self.wish.resume.is_some() {
                let text = "resume= is not looked at: the image is the system";
                self.say(Level::Warning, text.into());
            }
            let text = "handing over to the image's own init: it is the system";
            self.say(Level::Info, text.into());
            self.find_init();
        }
    }
}
