//! Words about roots on a network, and about servers of blocks.

use super::{Reading, ceph};
use crate::base::text::Text;
use crate::format::ceph::tree::Tree;
use crate::format::cmdline::Word;
use crate::format::iscsi;
use crate::format::nbd::reference::Reference;
use crate::format::net::wanted::{Method, Setup};
use crate::format::remote::cifs::Share;
use crate::format::remote::nvme::Controller;
use crate::format::remote::target::Target;
use crate::format::remote::{Host, Remote};
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// More servers than this are not connected to.
const TARGETS_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Words {
    nfsroot: Option<Text>,
    pub(super) netroot: Text,
    controllers: Vec<Controller>,
    host_nqn: String,
    host_id: String,
    /// `rd.iscsi.KEY=VALUE`.
    iscsi: Vec<(String, String)>,
    /// `rd.iscsi.firmware`, `rd.iscsi.ibft`.
    firmware: bool,
    firmware_links: bool,
    cifs_root: String,
    cifs_user: String,
    cifs_password: String,
}

/// The rows.
impl Reading {
    pub(in crate::format::params) fn nfsroot(&mut self, word: &Word<'_>) {
        self.remote.nfsroot = word.value.map(Text::from);
    }

    pub(in crate::format::params) fn netroot(&mut self, word: &Word<'_>) {
        self.remote.netroot = Text::from(word.value.unwrap_or_default());
    }

    pub(in crate::format::params) fn nvme(&mut self, word: &Word<'_>) {
        let text = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        match Controller::parse(text) {
            Ok(controller) => self.remote.controllers.push(controller),
            Err(why) => self.complain(word, why),
        }
    }

    pub(in crate::format::params) fn cifs(&mut self, word: &Word<'_>) {
        let Some(text) = core::str::from_utf8(word.value.unwrap_or_default()).ok() else {
            return self.complain(word, "is not text; it is ignored");
        };
        let words = &mut self.remote;
        let place = match () {
            () if word.is("cifsroot") => &mut words.cifs_root,
            () if word.is("cifsuser") => &mut words.cifs_user,
            () => &mut words.cifs_password,
        };
        *place = text.into();
    }

    pub(in crate::format::params) fn iscsi(&mut self, word: &Word<'_>) {
        let key = word.key.get(b"rd.iscsi.".len()..).unwrap_or_default();
        let text = |bytes| core::str::from_utf8(bytes).map(String::from).ok();
        match (text(key), text(word.value.unwrap_or_default())) {
            (Some(key), Some(value)) => self.remote.iscsi.push((key, value)),
            _ => self.complain(word, "is not text; it is ignored"),
        }
    }

    pub(in crate::format::params) fn firmware_links(&mut self, word: &Word<'_>) {
        self.remote.firmware_links = self.switch(word);
    }

    pub(in crate::format::params) fn firmware_all(&mut self, word: &Word<'_>) {
        self.wish.net.all_of_firmware = self.switch(word);
    }

    pub(in crate::format::params) fn firmware_disks(&mut self, word: &Word<'_>) {
        self.remote.firmware = self.switch(word);
    }

    pub(in crate::format::params) fn no_nbft(&mut self, word: &Word<'_>) {
        self.wish.net.ignore_nbft = self.switch(word);
    }

    pub(in crate::format::params) fn nvme_host(&mut self, word: &Word<'_>) {
        let text = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
            return self.complain(word, "is no name of a host; it is ignored");
        }
        match word.is("rd.nvmf.hostid") {
            true => self.remote.host_id = text.into(),
            false => self.remote.host_nqn = text.into(),
        }
    }
}

impl Reading {
    /// All words were read. Is root behind a server?
    pub(super) fn finish_remote(&mut self) -> bool {
        let words = core::mem::take(&mut self.remote);
        self.wish.nvme_host = (words.host_nqn.clone(), words.host_id.clone());
        for controller in &words.controllers {
            self.target(Target::Nvme(Controller {
                host_nqn: words.host_nqn.clone(),
                host_id: words.host_id.clone(),
                ..controller.clone()
            }));
        }
        if let Some(Source::Name(name)) = &self.wish.root
            && name.starts_with("etherd/")
        {
            self.target(Target::Aoe);
            // Frames of ATA are all that is sent.
            self.wish.net.off |= self.wish.net.setups.is_empty();
        }
        let typed = self.wish.root_as_typed.clone();
        let nfsroot = words.nfsroot.as_ref().map(Text::as_bytes);
        let vague = matches!(self.wish.root, None | Some(Source::Unknown(_)));
        let by_root = match typed.as_bytes() {
            b"/dev/cifs" => Share::parse(&words.cifs_root).map(Remote::Cifs),
            root => Remote::parse(root, nfsroot),
        };
        let by_netroot = vague.then(|| Remote::parse(words.netroot.as_bytes(), nfsroot));
        self.wish.remote = by_root.or_else(|| by_netroot.flatten());
        let of_root = self.block_server(&typed, vague, &words.iscsi);
        let is_root = vague && of_root.is_none();
        let of_netroot = self.block_server(&words.netroot, is_root, &words.iscsi);
        self.wish.remote = of_root.or(of_netroot).or(self.wish.remote.take());
        self.finish_firmware(&words, vague);
        if self.wish.remote.is_none() {
            self.complain_of_tree(&typed);
        }
        self.hide_password();
        self.wish.net.usual = self.usual_method(typed.as_bytes(), words.netroot.as_bytes());
        let Some(remote) = &mut self.wish.remote else {
            return false;
        };
        if let Remote::Target(_) | Remote::Firmware = remote {
            return true;
        }
        if let Remote::Cifs(share) = remote
            && share.user.is_empty()
        {
            (share.user, share.password) = (words.cifs_user, words.cifs_password);
        }
        let types = core::mem::take(&mut self.wish.fstypes);
        if let Remote::Nfs(export) = remote {
            export.v4 |= types.iter().any(|fstype| fstype == "nfs4");
        }
        if let Remote::Ceph(tree) = remote {
            let tree = Tree::clone(tree);
            self.wish.remote = Some(self.finish_tree(tree));
        }
        true
    }

    /// How links get addresses where no `ip=` says it.
    fn usual_method(&self, root: &[u8], netroot: &[u8]) -> Method {
        let host = match &self.wish.remote {
            Some(Remote::Lease) if root == b"dhcp6" || netroot == b"dhcp6" => return Method::Dhcp6,
            Some(Remote::Nfs(export)) => export.server.as_ref(),
            Some(Remote::Cifs(share)) => Some(&share.host),
            Some(Remote::Target(number)) => self.wish.targets.get(*number).and_then(Target::host),
            Some(Remote::Ceph(tree)) => tree.cluster.monitors.first().map(|first| &first.host),
            Some(Remote::Lease | Remote::Firmware) => None,
            None => self.wish.targets.first().and_then(Target::host),
        };
        match host {
            Some(Host::Address(address)) if address.is_ipv6() => Method::Either6,
            _ => Method::default(),
        }
    }

    /// `root=iscsi` and `netroot=iscsi` name no target: the firmware does.
    fn finish_firmware(&mut self, words: &Words, vague: bool) {
        let is_bare = |text: &Text| matches!(text.as_bytes(), b"iscsi" | b"iscsi:");
        let bare = is_bare(&self.wish.root_as_typed) || is_bare(&words.netroot);
        if words.firmware || bare {
            let mut all = iscsi::Reference::default();
            // Users and passwords are the firmware's.
            for (key, value) in &words.iscsi {
                if matches!(key.as_str(), "initiator" | "target.group" | "param")
                    && let Err(why) = all.word(key, value)
                {
                    self.say(format!("rd.iscsi.{key} {why}"));
                }
            }
            self.wish.ibft = Some(all.into());
            if vague && self.wish.remote.is_none() {
                self.wish.remote = Some(Remote::Firmware);
            }
        }
        let net = &mut self.wish.net;
        let said = |setup: &Setup| setup.method == Method::Firmware;
        if words.firmware_links && !net.setups.iter().any(said) {
            net.setups.push(Setup {
                method: Method::Firmware,
                ..Setup::default()
            });
        }
        let links = net.setups.iter().any(said);
        net.awaits_firmware = links || self.wish.ibft.is_some() && net.setups.is_empty();
    }

    /// What `root=` says is shown on pages and in the log: without the passwords in it.
    fn hide_password(&mut self) {
        let typed = self.wish.root_as_typed.as_str().unwrap_or_default();
        let shown = match (&self.wish.remote, typed.split_once(':')) {
            _ if let Some(shown) = ceph::shown(typed) => shown,
            (Some(Remote::Cifs(share)), Some(("cifs", _))) => format!("cifs:{share}"),
            (_, Some(("iscsi", rest))) => match iscsi::Reference::parse(rest) {
                Ok(reference) => format!("{reference}"),
                Err(_) => "iscsi:…".into(),
            },
            _ => return,
        };
        self.wish.root_as_typed = Text::from(shown);
    }

    /// A server of blocks that `root=` or `netroot=` names, and that its disk is root where nothing
    /// else says what is.
    fn block_server(
        &mut self,
        typed: &Text,
        is_root: bool,
        iscsi: &[(String, String)],
    ) -> Option<Remote> {
        let text = typed.as_str()?;
        let target = match text.strip_prefix("iscsi:") {
            // That names no target: the firmware does.
            Some("") => return None,
            Some(rest) => self.iscsi_target(rest, iscsi)?,
            None if text.starts_with("rbd:") => {
                self.rbd_target(text.strip_prefix("rbd:")?, is_root)?
            }
            None if Reference::is_one(text) => self.nbd_target(text, is_root)?,
            None => return None,
        };
        self.target(target.clone());
        let targets = &self.wish.targets;
        let number = targets.iter().position(|known| *known == target)?;
        is_root.then_some(Remote::Target(number))
    }

    fn iscsi_target(&mut self, text: &str, words: &[(String, String)]) -> Option<Target> {
        let mut found = match iscsi::Reference::parse(text) {
            Ok(found) => found,
            Err(why) => {
                self.say(format!("iscsi: {why}"));
                return None;
            }
        };
        for (key, value) in words {
            match found.word(key, value) {
                Ok(true) => {}
                Ok(false) => self.say(format!("rd.iscsi.{key} means nothing here")),
                Err(why) => self.say(format!("rd.iscsi.{key} {why}")),
            }
        }
        if let Some(why) = found.problem().filter(|_| found.host.is_some()) {
            self.say(format!("iscsi: {why}"));
            return None;
        }
        Some(Target::Iscsi(found.into()))
    }

    fn nbd_target(&mut self, text: &str, is_root: bool) -> Option<Target> {
        let reference = match Reference::parse(text) {
            Ok(reference) => reference,
            Err(fault) => {
                self.say(fault.into_text());
                return None;
            }
        };
        if is_root {
            let fstype = reference.fstype.clone();
            let fstype = fstype.filter(|_| self.wish.fstypes.is_empty());
            self.wish.fstypes.extend(fstype);
            if self.wish.flags.0.is_empty() {
                self.wish.flags = Text::from(reference.mount_options.as_str());
            }
        }
        for word in &reference.options.ignored {
            let why = "which means nothing here";
            self.say(format!("{text} has the option {word}, {why}"));
        }
        Some(Target::Nbd(reference))
    }

    fn target(&mut self, target: Target) {
        let targets = &mut self.wish.targets;
        if targets.len() < TARGETS_MAX && !targets.contains(&target) {
            targets.push(target);
        }
    }
}
