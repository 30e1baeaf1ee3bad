//! NICs of guests, and their links. Where they lead to is told by a word of QEMU's `-netdev`.

use super::guest::{Guest, Machine};
use serde_json::json;

impl Machine {
    /// A NIC of this model on the network that `-netdev` named so. NICs are `nic0`, `nic1`, … to
    /// [`Guest::link`], in their order.
    pub fn nic(mut self, model: &str, netdev: &str, mac: &str) -> Self {
        let number = self.nics;
        self.nics += 1;
        // No ROM: nobody boots from it, and QEMU comes without some of them.
        let device = format!("{model},id=nic{number},netdev={netdev},mac={mac},romfile=");
        self.words(&["-device", &device])
    }

    /// A NIC with no cable in it.
    pub fn loose_nic(self, model: &str) -> Self {
        let number = self.nics;
        let mac = format!("52:54:00:77:00:{number:02x}");
        let netdev = format!("hubport,id=loose{number},hubid={}", 100 + number);
        let machine = self.words(&["-netdev", &netdev]);
        machine
            .nic(model, &format!("loose{number}"), &mac)
            .unlinked(number)
    }

    /// The NIC of this number has no carrier until [`Guest::link`].
    pub fn unlinked(mut self, number: usize) -> Self {
        self.unlinked.push(number);
        self
    }
}

impl Guest {
    /// Takes the link of a NIC down, or up.
    pub fn link(&mut self, number: usize, up: bool) {
        let name = format!("nic{number}");
        self.monitor()
            .run("set_link", json!({"name": name, "up": up}));
    }
}
