//! What lies over root: an overlay, or memory over a part of it, so that root stays as it is.
//!
//! It is made once root is mounted, and before anything else is mounted on it. Where changes are
//! kept on a device, that is looked for before, as `/usr` is: without it the boot fails, since a
//! system that forgets what somebody wanted to keep is worse than one that does not start.

use super::action::Action;
use super::event::Ticket;
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, Stage};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::layers::Kind;
use alloc::vec::Vec;

/// The type of file system that an overlay is.
pub(super) const OVERLAY: &str = "overlay";

impl Plan {
    /// Is an overlay to be made?
    pub(super) fn wants_overlay(&self) -> bool {
        let layers = self.wish.layers.as_ref();
        layers.is_some_and(|layers| layers.layer.kind == Kind::Overlay)
    }

    /// Lays it over root once its driver is settled.
    pub(super) fn lay(&mut self) {
        let Some(layers) = self.wish.layers.as_ref() else {
            return;
        };
        let layer = layers.layer.clone().into();
        let under_way = self.tickets.open().any(|job| *job == Job::Layer);
        if self.stage != Stage::FindingInit || under_way || self.image_is_root() {
            return;
        }
        if self.wants_overlay() {
            self.modules
                .want_filesystem(OVERLAY, &mut self.tickets, &mut self.out);
            if !self.modules.filesystem_settled(OVERLAY) {
                return;
            }
        }
        let ticket = self.tickets.issue(Job::Layer);
        self.out.push(Action::Layer { ticket, layer });
    }

    /// It lies over root, or could not be made.
    pub(super) fn laid(
        &mut self,
        now: Millis,
        ticket: Ticket,
        failed: Option<(&Fault, &[Text])>,
    ) -> bool {
        if self.tickets.job(ticket) != Some(&Job::Layer) {
            return false;
        }
        self.tickets.close(ticket);
        let waits = self.stage == Stage::FindingInit;
        match failed {
            None => {
                let layers = self.wish.layers.take();
                self.mounts.keeps = layers.is_some_and(|l| l.layer.memory.is_none());
                if waits {
                    self.mount_next(now);
                }
            }
            Some((fault, kernel)) if waits => {
                let (fault, kernel) = (fault.clone(), Vec::from(kernel));
                self.give_up(now, Cause::Layer { fault, kernel });
            }
            Some(_) => {}
        }
        true
    }
}
