//! What root on a server is, over one link: where, as what, by which options.
//!
//! The command line counts first; what it leaves open the lease says, then `ip=`. The kernel takes
//! addresses and not names. Documentation/admin-guide/nfs/nfsroot.rst.

use super::super::Plan;
use super::{Known, meant};
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::ceph::Credentials;
use crate::format::ceph::tree::Tree;
use crate::format::net::lease::Lease;
use crate::format::net::wanted::Setup;
use crate::format::remote::cifs::Share;
use crate::format::remote::nfs::Export;
use crate::format::remote::{Host, Remote};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

/// Why nothing can be tried over a link.
pub(super) enum Missing {
    /// The address of a server with one of these names.
    Address(Vec<String>),
    /// A sentence.
    Word(String),
}

pub(super) struct Served {
    /// What the kernel takes as the device.
    pub source: String,
    pub fstype: &'static str,
    /// Where somebody listens who serves it: one that answers is enough.
    pub doors: Vec<SocketAddr>,
    /// By name, with the options.
    pub ways: Vec<(String, Text)>,
    pub ceph: Option<Box<Credentials>>,
}

impl Plan {
    /// What is mounted over the link with this index.
    pub(super) fn served_over(&self, index: u32) -> Result<Served, Missing> {
        let Some(known) = self.net.known(index) else {
            return Err(Missing::Word("the link has left".into()));
        };
        match &self.wish.remote {
            Some(Remote::Cifs(share)) => self.share_of(share),
            Some(Remote::Ceph(tree)) => self.tree_of(tree),
            Some(Remote::Nfs(export)) => self.export_over(known, export.clone()),
            _ => self.leased_export(known),
        }
    }

    fn share_of(&self, share: &Share) -> Result<Served, Missing> {
        let server = match &share.host {
            Host::Address(address) => *address,
            Host::Name(name) => self.known_address(name)?,
        };
        let options = share.options_for(server, &self.wish.flags);
        Ok(Served {
            source: share.source(),
            fstype: "cifs",
            doors: alloc::vec![SocketAddr::new(server, share.port())],
            ways: alloc::vec![("cifs".into(), options)],
            ceph: None,
        })
    }

    /// Monitors whose names are not known are left out, unless there is no other.
    fn tree_of(&self, tree: &Tree) -> Result<Served, Missing> {
        let doors = tree.cluster.doors(&|name| self.addresses_of(name));
        if doors.is_empty() {
            let names = tree.cluster.names().map(String::from).listed();
            return Err(Missing::Address(names));
        }
        Ok(Served {
            source: tree.source(&doors),
            fstype: "ceph",
            doors,
            ways: alloc::vec![("ceph".into(), tree.options())],
            ceph: Some(tree.cluster.who.clone().into()),
        })
    }

    /// Root is what the lease says, and nothing else.
    fn leased_export(&self, known: &Known) -> Result<Served, Missing> {
        let name = &known.link.name;
        let mut leases = known.leases.iter();
        let path = leases.find_map(|lease| lease.root_path.as_ref());
        match path.map(Remote::of_root_path) {
            Some(Some(Remote::Nfs(export))) => self.export_over(known, export),
            Some(_) => {
                let path = path.cloned().unwrap_or_default();
                let why = "which is not known here";
                let text = format!("the lease on {name} names the root-path {path}, {why}");
                Err(Missing::Word(text))
            }
            None if !known.leases.is_empty() => {
                let text = format!("the lease on {name} names no root-path");
                Err(Missing::Word(text))
            }
            None => {
                let text = format!("{name} has no lease that could name root");
                Err(Missing::Word(text))
            }
        }
    }

    fn export_over(&self, known: &Known, typed: Export) -> Result<Served, Missing> {
        let mut leases = known.leases.iter();
        let by_lease = leases.find_map(|lease| Remote::of_root_path(lease.root_path.as_ref()?));
        let export = match by_lease {
            Some(Remote::Nfs(leased)) => typed.or(&leased),
            _ => typed,
        };
        let setups = meant::setups_of(&self.wish.net, &known.link);
        let server = self.server_of(known, &export, &setups)?;
        let mut own = known.addresses.iter().map(|network| network.address);
        let own = own.find(|own| own.is_ipv6() == server.is_ipv6());
        let host = setups.iter().find_map(|setup| setup.hostname.clone());
        let mut leases = known.leases.iter();
        let host = host.or_else(|| leases.find_map(|lease| lease.hostname.clone()));
        let machine = match (host, own) {
            (Some(host), _) => host.to_string(),
            (None, Some(own)) => own.to_string(),
            (None, None) => String::new(),
        };
        let flags = &self.wish.flags;
        let way = |version: String| {
            let options = export.options_for(&version, server, own, flags);
            (["nfs ", &version].concat(), options)
        };
        Ok(Served {
            source: export.source(server, &machine),
            fstype: "nfs",
            doors: alloc::vec![SocketAddr::new(server, export.port(flags))],
            ways: export.versions(flags).into_iter().map(way).listed(),
            ceph: None,
        })
    }

    fn server_of(
        &self,
        known: &Known,
        export: &Export,
        setups: &[Setup],
    ) -> Result<IpAddr, Missing> {
        let server = match &export.server {
            Some(Host::Address(address)) => Some(*address),
            Some(Host::Name(name)) => Some(self.known_address(name)?),
            None => {
                let said = setups.iter().find_map(|setup| setup.server);
                said.or_else(|| known.leases.iter().find_map(Lease::boot_server))
            }
        };
        server.ok_or_else(|| {
            let name = &known.link.name;
            Missing::Word(format!(
                "nothing says which server exports root (over {name})"
            ))
        })
    }

    fn known_address(&self, name: &str) -> Result<IpAddr, Missing> {
        let address = self.addresses_of(name).first().copied();
        address.ok_or_else(|| Missing::Address(alloc::vec![name.into()]))
    }
}
