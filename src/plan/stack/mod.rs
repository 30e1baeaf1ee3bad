//! Devices made of others: which could be started, what is seen through them, and starting those
//! that the wish leads through.
//!
//! A container's own words are read and understood here ([`Plan::read`]); what it would become is
//! entered among the devices with a lens, and identified through it like any other. Only when such
//! a device is needed ([`Plan::want_real`]) is it started; the kernel's announcement then takes its
//! place.

use super::Plan;
use crate::format::identity::Range;
use alloc::collections::BTreeSet;
use alloc::string::String;

/// What was asked for.
#[derive(Default)]
pub struct Stack {
    /// Planned devices that are to be started, by name.
    wanted: BTreeSet<String>,
}

impl Plan {
    /// Asks for bytes of a device, unless some are being read. They come into its `view`.
    pub(super) fn read(&mut self, device: &str, wanted: &[Range]) {
        let jobs = (&mut self.tickets, &mut self.out);
        self.devices.read(jobs, device, wanted);
    }

    /// This device must run: it is started as soon as that can be.
    pub(super) fn want_real(&mut self, device: &str) {
        self.stack.wanted.insert(device.into());
    }
}
