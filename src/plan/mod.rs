//! (head to be written)

pub mod action;
pub mod event;
pub mod trace;

use crate::base::millis::Millis;
use action::Action;
use alloc::vec::Vec;
use event::Event;

/// Decides. Told events in order, answers with actions in order.
#[derive(Default)]
pub struct Plan {}

impl Plan {
    pub fn new() -> Self {
        Self::default()
    }

    /// One entry, one exit. `now` never runs backwards.
    pub fn handle(&mut self, _now: Millis, _event: Event) -> Vec<Action> {
        Vec::new()
    }

    /// When to call back with [`Event::Timer`], if nothing else happens.
    pub fn deadline(&self) -> Option<Millis> {
        None
    }
}
