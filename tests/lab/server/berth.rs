//! A berth: a network between the server and one client, and what the server does on it for one
//! test. Nothing of another berth is to be seen there.

use super::super::guest::Machine;
use super::Server;
use super::port::WHOLE;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A berth that one test has. Whatever it started is stopped when it goes.
pub struct Berth {
    server: &'static Server,
    number: usize,
}

/// QEMU's end of the cable, in the server's directory.
pub fn socket(berth: usize) -> String {
    format!("berth{berth}")
}

/// The server's NIC is 1, a client's are 2 and so on.
pub fn mac(berth: usize, nic: usize) -> String {
    format!("52:54:00:66:{berth:02x}:{nic:02x}")
}

impl Berth {
    pub(super) fn take(server: &'static Server, number: usize) -> Self {
        let berth = Self { server, number };
        let script = format!("berth_start {number}");
        server.told(server.ask(number, WHOLE, &script), &script);
        berth
    }

    /// From 1.
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The server's address.
    pub fn address(&self) -> Ipv4Addr {
        self.host(1)
    }

    /// Another one in the berth's network, 10.66.N.0/24.
    pub fn host(&self, host: u8) -> Ipv4Addr {
        let number = u8::try_from(self.number).expect("few berths");
        Ipv4Addr::new(10, 66, number, host)
    }

    /// The server's address in fd66:N::/64.
    pub fn address6(&self) -> Ipv6Addr {
        let number = u16::try_from(self.number).expect("few berths");
        Ipv6Addr::new(0xfd66, number, 0, 0, 0, 0, 0, 1)
    }

    /// The address of the client's first NIC, 0, and of those after it.
    pub fn mac(&self, nic: usize) -> String {
        mac(self.number, nic + 2)
    }

    /// Runs a bash script on the server, in this berth: see `berth.sh`. Returns what it said; a
    /// failure ends the test.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let said = self.server.ask(self.number, self.number, script);
        self.server.told(said, script)
    }

    /// What a server of this berth said so far: `dhcp`, `ganesha`, …
    #[track_caller]
    pub fn log(&self, name: &str) -> String {
        self.run(&format!("cat $LOG/{name}"))
    }

    /// The client gets a NIC here.
    pub fn to(&self, machine: Machine) -> Machine {
        self.to_model(machine, "virtio-net-pci")
    }

    /// The same, of this model: `e1000e`, `virtio-net-pci,mq=on`.
    pub fn to_model(&self, machine: Machine, model: &str) -> Machine {
        machine.words(&["-netdev", &self.cable()]).nic(
            model,
            &format!("berth{}", self.number),
            &self.mac(0),
        )
    }

    /// Several NICs, all of them on this network.
    pub fn to_models(&self, mut machine: Machine, models: &[&str]) -> Machine {
        let n = self.number;
        // QEMU's hub has the cable and all NICs in it.
        machine = machine.words(&["-netdev", &self.cable()]);
        machine = machine.words(&[
            "-netdev",
            &format!("hubport,id=hub{n},hubid={n},netdev=berth{n}"),
        ]);
        for (index, model) in models.iter().enumerate() {
            let end = format!("hub{n}p{index}");
            machine = machine
                .words(&["-netdev", &format!("hubport,id={end},hubid={n}")])
                .nic(model, &end, &self.mac(index));
        }
        machine
    }

    fn cable(&self) -> String {
        let n = self.number;
        let path = self.server.scratch.join(socket(n));
        let path = path.display();
        format!("stream,id=berth{n},server=off,addr.type=unix,addr.path={path}")
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        let n = self.number;
        if std::thread::panicking() {
            let logs = "cd $LOG; for log in *; do echo \"-- $log\"; tail -n 40 $log; done";
            if let Ok(said) = self.server.ask(n, n, logs) {
                eprintln!("servers of berth {n} said:\n{}", said.text);
            }
        }
        // One that cannot be cleared is not given to anybody else.
        match self.server.ask(n, WHOLE, &format!("berth_stop {n}")) {
            Ok(said) if said.status == 0 => self.server.free(n),
            Ok(said) => self.broken(&said.text),
            Err(error) => self.broken(&error.to_string()),
        }
    }
}

impl Berth {
    fn broken(&self, why: &str) {
        let text = format!("berth {} cannot be cleared: {why}", self.number);
        if std::thread::panicking() {
            eprintln!("{text}");
        } else {
            panic!("{text}");
        }
    }
}
