//! Servers of blocks: each is connected to as soon as a link serves, and again until that succeeds.
//!
//! What appears then are disks like any others: identified, unlocked, assembled, mounted. A target
//! that has no address of its own (ATA over Ethernet) is asked again until root is there: nobody
//! says when everybody has answered.

use super::super::action::{Action, Level, NetAction};
use super::super::event::Ticket;
use super::super::give_up::Cause;
use super::super::ticket::Job;
use super::super::{Plan, Stage};
use super::Standing;
use super::retry::{Retry, may_pass};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::ceph::tree::Tree;
use crate::format::ceph::{Cluster, Monitor};
use crate::format::remote::target::Target;
use crate::format::remote::{Host, Remote};
use crate::format::wish::Source;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

/// How far a target has come.
#[derive(Default)]
pub(super) struct Connection {
    asked: bool,
    connected: bool,
    pub(super) retry: Retry,
    trouble: Option<String>,
}

impl Connection {
    /// What was put off is asked again as soon as a link serves.
    pub(super) fn wake(&mut self, now: Millis) {
        self.asked &= !self.retry.comes(now);
    }
}

impl Plan {
    /// A lease names a server of blocks or a cluster, and root is what the lease names. Who this
    /// machine is there is its own affair, unless the lease says that, too.
    pub(super) fn heed_root_path(&mut self, path: &Text, server: Option<IpAddr>) {
        let text = path.as_str().unwrap_or_default();
        if self.wish.remote != Some(Remote::Lease) || text.starts_with('/') {
            return;
        }
        if let Some(Remote::Ceph(tree)) = Remote::of_root_path(path) {
            return self.heed_tree(tree);
        }
        if let Ok(mut target) = Target::parse(text) {
            if let Target::Rbd(image) = &mut target {
                image.cluster.introduce(&self.wish.ceph);
            }
            let number = self.wish.targets.len();
            self.wish.targets.push(match server {
                Some(server) => target.served_by(server),
                None => target,
            });
            self.wish.remote = Some(Remote::Target(number));
        }
    }

    /// `rootflags=` are options of it, as where `root=` names it.
    fn heed_tree(&mut self, mut tree: Box<Tree>) {
        let flags = core::mem::take(&mut self.wish.flags);
        if let Err(why) = tree.cluster.take_words(&flags, &self.wish.ceph) {
            self.say(Level::Warning, format!("rootflags= {why}"));
        }
        self.wish.remote = Some(Remote::Ceph(tree));
    }

    pub(super) fn connect_targets(&mut self) {
        while self.net.targets.len() < self.wish.targets.len() {
            self.net.targets.push(Connection::default());
        }
        if self.stage != Stage::Searching {
            return;
        }
        for number in 0..self.wish.targets.len() {
            self.connect(number);
        }
    }

    fn connect(&mut self, number: usize) {
        let Some(target) = self.wish.targets.get(number) else {
            return;
        };
        let driver = target.driver();
        self.modules
            .want_driver(driver, &mut self.tickets, &mut self.out);
        let ready = self.modules.driver_settled(driver) && self.serves(target);
        let Some(connection) = self.net.targets.get_mut(number).filter(|_| ready) else {
            return;
        };
        if connection.asked || connection.connected {
            return;
        }
        let mut target = target.clone();
        let served = target.host().is_some();
        let server = match &mut target {
            Target::Rbd(image) => self.settle_monitors(&mut image.cluster),
            target => target.host().and_then(|host| self.address_of(host)),
        };
        if served && server.is_none() {
            return;
        }
        if let Some(connection) = self.net.targets.get_mut(number) {
            connection.asked = true;
        }
        let target = target.into();
        let ticket = self.tickets.issue(Job::Connect(number));
        let order = NetAction::Connect { target, server };
        self.out.push(Action::Net { ticket, order });
    }

    /// Monitors get their addresses for names, all that are known. The first of them.
    fn settle_monitors(&mut self, cluster: &mut Cluster) -> Option<IpAddr> {
        for monitor in &cluster.monitors {
            self.address_of(&monitor.host);
        }
        let doors = cluster.doors(&|name| self.addresses_of(name));
        let monitor = |door: &SocketAddr| Monitor {
            host: Host::Address(door.ip()),
            port: Some(door.port()),
        };
        cluster.monitors = doors.iter().map(monitor).listed();
        doors.first().map(SocketAddr::ip)
    }

    /// Is there a link by which it can be reached?
    fn serves(&self, target: &Target) -> bool {
        let serves = |known: &super::Known| {
            let addressed = !known.addresses.is_empty() || !target.needs_address();
            let up = known.place > 0 || known.standing == Standing::Ready;
            up && known.link.carrier && addressed
        };
        self.net.links.iter().any(serves)
    }

    pub(super) fn connected(
        &mut self,
        now: Millis,
        ticket: Ticket,
        result: Result<Option<String>, Fault>,
    ) {
        let Some(Job::Connect(number)) = self.tickets.close(ticket) else {
            return;
        };
        let device = match result {
            Ok(device) => device,
            Err(fault) => return self.connect_failed(now, number, &fault),
        };
        let is_root = self.wish.remote == Some(Remote::Target(number));
        let answers = self.wish.targets.get(number).map(Target::host);
        let Some(connection) = self.net.targets.get_mut(number) else {
            return;
        };
        connection.trouble = None;
        if answers == Some(None) {
            connection.retry.put_off(now);
        } else {
            connection.connected = true;
        }
        if let Some(device) = device.filter(|_| is_root) {
            self.wish.root = Some(Source::Name(device));
        }
    }

    /// What time may mend is tried again. Where root is that target, and nothing else can be, the
    /// rest ends the boot.
    fn connect_failed(&mut self, now: Millis, number: usize, fault: &Fault) {
        let Some(connection) = self.net.targets.get_mut(number) else {
            return;
        };
        let first = connection.trouble.as_ref() != Some(&fault.text);
        connection.trouble = Some(fault.text.clone());
        let passes = may_pass(fault.errno);
        if passes {
            connection.retry.put_off(now);
        }
        if first {
            self.say(Level::Warning, fault.text.clone());
        }
        if !passes && self.wish.remote == Some(Remote::Target(number)) {
            self.give_up(now, Cause::Remote);
        }
    }

    /// For the page: what is wrong with each target.
    pub(super) fn target_problems(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (target, connection) in self.wish.targets.iter().zip(&self.net.targets) {
            if let Some(trouble) = &connection.trouble {
                lines.push(format!("{target}: {trouble}"));
            } else if !connection.asked && !connection.connected {
                lines.push(format!("{target} was not connected to: no link serves"));
            } else if let (Target::Rbd(_), false) = (target, connection.connected) {
                let whom = "the monitors that it names, or OSDs of its pool";
                lines.push(format!("{target} is not mapped yet: {whom}, do not answer"));
            } else if !connection.connected && target.host().is_some() {
                lines.push(format!("{target} has not answered yet"));
            }
        }
        lines
    }
}
