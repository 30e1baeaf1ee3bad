//! What the firmware left of its own boot: read where the words ask for it, heeded where it may
//! lead to root.
//!
//! The NVMe table needs no driver to be read: whether there is one is known from the start. It
//! counts unasked, since whoever has one was booted by it; not where root is a server's. The iSCSI
//! table is read when a word wants it.

use super::super::Plan;
use super::super::action::{Action, Level, NetAction};
use super::super::event::Ticket;
use super::super::give_up::Cause;
use super::super::ticket::Job;
use super::{Known, Standing, meant};
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::ibft;
use crate::format::net::address::Mac;
use crate::format::net::firmware::{Firmware, Used};
use crate::format::net::wanted::{Made, MadeOf, Setup, Which};
use crate::format::remote::Remote;
use crate::format::remote::target::Target;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Longest name of a link, in bytes (`IFNAMSIZ`, without the NUL).
const NAME_MAX: usize = 15;

impl Plan {
    /// Asks for the iSCSI table, once its driver is there.
    pub(super) fn read_firmware(&mut self) {
        let net = &self.wish.net;
        let wanted = net.awaits_firmware || self.wish.ibft.is_some();
        if !wanted || self.net.firmware_asked {
            return;
        }
        let driver = ibft::DRIVER;
        self.modules
            .want_driver(driver, &mut self.tickets, &mut self.out);
        if !self.modules.driver_settled(driver) {
            return;
        }
        self.net.firmware_asked = true;
        let ticket = self.tickets.issue(Job::ReadFirmware);
        let order = NetAction::ReadFirmware;
        self.out.push(Action::Net { ticket, order });
    }

    /// The NVMe table, where the machine has one.
    pub(super) fn heed_nbft(&mut self, left: Firmware) {
        let counts = self.wish.remote.is_none() && !self.is_share();
        if self.wish.net.ignore_nbft || !counts || !self.is_looking() {
            return;
        }
        self.complain_of_firmware(left.odd);
        if left.targets.is_empty() {
            return;
        }
        let (nqn, id) = &self.wish.nvme_host;
        for mut target in left.targets {
            if let Target::Nvme(controller) = &mut target {
                for (said, own) in [
                    (nqn, &mut controller.host_nqn),
                    (id, &mut controller.host_id),
                ] {
                    if !said.is_empty() {
                        own.clone_from(said);
                    }
                }
            }
            if !self.wish.targets.contains(&target) {
                self.wish.targets.push(target);
            }
        }
        self.wish.net.firmware.extend(left.links);
        self.buses.serve_cards(&mut self.tickets, &mut self.out);
    }

    /// The iSCSI table was read.
    pub(super) fn firmware_read(&mut self, now: Millis, ticket: Ticket, left: Firmware) {
        if self.tickets.close(ticket) != Some(Job::ReadFirmware) {
            return;
        }
        let Firmware {
            mut links,
            targets,
            odd,
        } = left;
        self.complain_of_firmware(odd);
        if core::mem::take(&mut self.wish.net.awaits_firmware) {
            let some = links.iter().any(|used| used.booted);
            let all = self.wish.net.all_of_firmware || !some;
            links.retain(|used| all || used.booted);
            if links.is_empty() {
                let text = "the firmware left no iSCSI table (iBFT) with a link in it";
                self.complain_of_firmware(alloc::vec![text.into()]);
            }
            self.wish.net.firmware.extend(links);
        }
        let Some(all) = self.wish.ibft.clone() else {
            return;
        };
        let first = self.wish.targets.len();
        for mut target in targets {
            if let Target::Iscsi(reference) = &mut target {
                if !all.initiator.is_empty() {
                    reference.initiator.clone_from(&all.initiator);
                }
                reference.group = all.group;
                reference.recovery_s = all.recovery_s;
            }
            self.wish.targets.push(target);
        }
        let some = self.wish.targets.len() > first;
        if !some {
            let text = "the firmware left no iSCSI table (iBFT) with a target in it";
            self.complain_of_firmware(alloc::vec![text.into()]);
        }
        if self.wish.remote == Some(Remote::Firmware) {
            match some {
                true => self.wish.remote = Some(Remote::Target(first)),
                false => self.give_up(now, Cause::Remote),
            }
        }
    }

    fn complain_of_firmware(&mut self, odd: Vec<String>) {
        for text in &odd {
            self.say(Level::Warning, text.clone());
        }
        self.net.odd.extend(odd);
    }

    /// VLANs that the firmware used are made of the links with those hardware addresses, as soon as
    /// they have their names.
    pub(super) fn make_firmware_links(&mut self) {
        let wanted = &mut self.wish.net;
        for number in 0..wanted.firmware.len() {
            let Some(Used {
                vlan: Some(vlan),
                setup:
                    Setup {
                        link: Some(Which::Mac(mac)),
                        ..
                    },
                ..
            }) = wanted.firmware.get(number)
            else {
                continue;
            };
            let (vlan, mac) = (*vlan, *mac);
            let below =
                self.net.links.iter().find(|known| {
                    is_card(known, mac) && meant::name_of(wanted, &known.link).is_none()
                });
            let Some(below) = below.map(|known| known.link.name.clone()) else {
                continue;
            };
            let long = format!("{below}.{vlan}");
            let name = match long.len() {
                0..=NAME_MAX => long,
                _ => format!("vlan{vlan}"),
            };
            if !wanted.made.iter().any(|made| made.name == name) {
                wanted.made.push(Made {
                    name: name.to_string(),
                    kind: MadeOf::Vlan(vlan),
                    of: [below].into_iter().listed(),
                    mtu: None,
                });
            }
            if let Some(used) = wanted.firmware.get_mut(number) {
                used.vlan = None;
                used.setup.link = Some(Which::Name(name));
            }
        }
    }
}

/// Is it a link with this hardware address that nobody made, under its name for good?
fn is_card(known: &Known, mac: Mac) -> bool {
    let named = known.standing != Standing::Renaming;
    known.link.made.is_none() && known.link.mac == Some(mac) && named
}
