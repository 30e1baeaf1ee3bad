//! Words about the network: nfsroot.rst of the kernel, dracut.cmdline(7),
//! systemd-network-generator(8), initramfs-tools(7).

use super::{Reading, millis, seconds};
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::net::address::Mac;
use crate::format::net::wanted::{Made, Wanted};
use crate::format::net::{ip_word, made_words};
use alloc::string::String;
use alloc::vec::Vec;

/// More of a kind than a machine has: links, addresses, routes, name servers.
const EACH: usize = 64;

const TOO_MANY: &str = "is one too many; it is left out";

/// Bytes that an option of DHCP can hold (RFC 2132 §2).
const OPTION_MAX: usize = 255;

/// What was read so far.
#[derive(Default)]
pub(super) struct Words {
    /// `rd.bootif=0`.
    no_boot_link: bool,
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn ip(&mut self, word: &Word<'_>) {
        let Some(value) = word.value else {
            self.complain(word, "says nothing; it is ignored");
            return;
        };
        let mut odd = Vec::new();
        let setups = ip_word::read(value, &mut odd);
        self.complain_of_each(word, odd);
        self.wish.net.off = setups.is_empty();
        if setups.is_empty() {
            self.wish.net.setups.clear();
        }
        for setup in setups {
            self.keep(word, |net| &mut net.setups, setup);
        }
    }

    pub(in crate::format::params) fn name_server(&mut self, word: &Word<'_>) {
        match made_words::name_server(value(word)) {
            Some(server) => self.keep(word, |net| &mut net.dns, server),
            None => self.complain(word, "is no address; it is ignored"),
        }
    }

    pub(in crate::format::params) fn peer_dns(&mut self, word: &Word<'_>) {
        self.wish.net.ignore_dns = !self.switch(word);
    }

    pub(in crate::format::params) fn route(&mut self, word: &Word<'_>) {
        let mut odd = Vec::new();
        let route = made_words::route(value(word), &mut odd);
        self.complain_of_each(word, odd);
        match route {
            Ok(route) => self.keep(word, |net| &mut net.routes, route),
            Err(why) => self.complain(word, why),
        }
    }

    pub(in crate::format::params) fn vlan(&mut self, word: &Word<'_>) {
        self.made(word, |value, _| made_words::vlan(value));
    }

    pub(in crate::format::params) fn bond(&mut self, word: &Word<'_>) {
        self.made(word, made_words::bond);
    }

    pub(in crate::format::params) fn bridge(&mut self, word: &Word<'_>) {
        self.made(word, made_words::bridge);
    }

    pub(in crate::format::params) fn team(&mut self, word: &Word<'_>) {
        self.complain(
            word,
            "asks for a team, which only a program beside the kernel could run (a bond is made \
             by bond=); it is ignored",
        );
    }

    pub(in crate::format::params) fn link_name(&mut self, word: &Word<'_>) {
        match made_words::name(value(word)) {
            Ok((name, mac)) => {
                self.wish.net.names.retain(|(known, _)| *known != name);
                self.keep::<(String, Mac)>(word, |net| &mut net.names, (name, mac));
            }
            Err(why) => self.complain(word, why),
        }
    }

    pub(in crate::format::params) fn boot_link(&mut self, word: &Word<'_>) {
        match made_words::boot_link(value(word)) {
            Some(mac) => self.wish.net.boot_link = Some(mac),
            None => self.complain(word, "is no hardware address of Ethernet; it is ignored"),
        }
    }

    pub(in crate::format::params) fn boot_link_switch(&mut self, word: &Word<'_>) {
        self.net.no_boot_link = !self.switch(word);
    }

    pub(in crate::format::params) fn boot_device(&mut self, word: &Word<'_>) {
        let mut odd = Vec::new();
        self.wish.net.boot_device = made_words::link(value(word), &mut odd);
        self.complain_of_each(word, odd);
    }

    pub(in crate::format::params) fn need_net(&mut self, word: &Word<'_>) {
        self.wish.net.always = self.switch(word);
    }

    pub(in crate::format::params) fn carrier(&mut self, word: &Word<'_>) {
        if let Some(s) = self.number(word) {
            self.wish.net.carrier_ms = Some(millis(s));
        }
    }

    pub(in crate::format::params) fn dhcp_timeout(&mut self, word: &Word<'_>) {
        if let Some(s) = self.number(word) {
            self.wish.net.dhcp_ms = Some(millis(s));
        }
    }

    pub(in crate::format::params) fn dhcp_tries(&mut self, word: &Word<'_>) {
        if let Some(tries) = self.number(word) {
            self.wish.net.dhcp_tries = Some(tries);
        }
    }

    /// Nothing waits for what these are about.
    pub(in crate::format::params) fn no_timeout(&mut self, word: &Word<'_>) {
        let _ = self.number(word);
    }

    pub(in crate::format::params) fn vendor_class(&mut self, word: &Word<'_>) {
        let class = value(word);
        if class.is_empty() || class.len() > OPTION_MAX {
            self.complain(word, "is not 1 to 255 bytes; no vendor class is sent");
        }
        let class = (1..=OPTION_MAX)
            .contains(&class.len())
            .then(|| Text::from(class));
        self.wish.net.vendor_class = class;
    }
}

/// What rows share.
impl Reading {
    /// All words were read.
    pub(super) fn finish_net(&mut self) {
        if self.net.no_boot_link {
            self.wish.net.boot_link = None;
        }
    }

    /// A link that is made of others. The last one of its name counts.
    fn made(
        &mut self,
        word: &Word<'_>,
        read: fn(&[u8], &mut Vec<String>) -> Result<Made, &'static str>,
    ) {
        let mut odd = Vec::new();
        let made = read(value(word), &mut odd);
        self.complain_of_each(word, odd);
        match made {
            Ok(made) => {
                self.wish.net.made.retain(|known| known.name != made.name);
                self.keep(word, |net| &mut net.made, made);
            }
            Err(why) => self.complain(word, why),
        }
    }

    fn keep<T>(&mut self, word: &Word<'_>, list: fn(&mut Wanted) -> &mut Vec<T>, item: T) {
        let list = list(&mut self.wish.net);
        if list.len() < EACH {
            list.push(item);
        } else {
            self.complain(word, TOO_MANY);
        }
    }

    fn number(&mut self, word: &Word<'_>) -> Option<u32> {
        let number = seconds(word).filter(|number| *number > 0);
        if number.is_none() {
            self.complain(word, "is no positive number; it is ignored");
        }
        number
    }

    fn complain_of_each(&mut self, word: &Word<'_>, odd: Vec<String>) {
        for why in odd {
            self.complain(word, &why);
        }
    }
}

fn value<'a>(word: &Word<'a>) -> &'a [u8] {
    word.value.unwrap_or_default()
}
