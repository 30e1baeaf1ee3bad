//! The second choice for root: taken, once, where the first failed for good.
//!
//! Not where the first is locked, or checked by dm-verity: whoever spoils it must not choose what
//! boots instead. Not where anything is mounted already, nor while a mount may still end.

use super::action::{Action, Level};
use super::give_up::{self, Cause};
use super::{Plan, Stage};
use crate::base::millis::Millis;
use alloc::format;

impl Plan {
    /// Is another root looked for now? Then the reason is left for the real system.
    pub(super) fn falls_back(&mut self, now: Millis, cause: &Cause) -> bool {
        let final_ = !matches!(
            cause,
            Cause::Locked(_) | Cause::Verity(_) | Cause::Hook(_) | Cause::NoInit(_)
        );
        let looking = self.is_looking() && !self.is_beside_root();
        let guarded = !self.wish.verity.is_empty() || self.is_locked_out();
        if !final_ || !looking || guarded {
            return false;
        }
        let Some(other) = self.wish.fallback.take() else {
            return false;
        };
        let failed = self.asked_for();
        let why = format!("{failed}: {}", give_up::reason(cause, self));
        let lines = give_up::page(cause, self);
        let writable = self.wish.writable;
        if let Err(why) = self.changes("root", &format!("{other}")) {
            let text = format!("landfall.fallback={other} is not taken: {why}");
            self.say(Level::Error, text);
            return false;
        }
        self.wish.writable = writable;
        let text = format!("{why}; landfall.fallback={other} is looked for instead");
        self.say(Level::Error, text);
        self.fallen = Some(why);
        self.fell = true;
        self.out.push(Action::Fallback { lines });
        self.be_patient(now);
        self.exhausted = false;
        self.settled = false;
        self.stirred = now;
        self.stage = Stage::Searching;
        true
    }
}
