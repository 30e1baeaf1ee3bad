//! Words about roots on Ceph clusters.

use super::Reading;
use crate::base::text::Text;
use crate::format::ceph::image::Image;
use crate::format::ceph::tree::Tree;
use crate::format::cmdline::Word;
use crate::format::remote::Remote;
use crate::format::remote::target::Target;
use alloc::format;
use alloc::string::String;

impl Reading {
    /// The row. Nothing of a bad secret is said.
    pub(in crate::format::params) fn ceph(&mut self, word: &Word<'_>) {
        let value = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        let who = &mut self.wish.ceph;
        let taken = match word.is("rd.ceph.user") || word.is("cephuser") {
            true => who.set_user(value),
            false => who.set_secret(value),
        };
        if let Err(why) = taken {
            self.say(format!("{} {why}; it is ignored", Text::from(word.key)));
        }
    }

    /// `rbdroot=`, of a script for initramfs-tools.
    pub(in crate::format::params) fn rbdroot(&mut self, word: &Word<'_>) {
        let value = word.value.unwrap_or_default();
        self.remote.netroot = Text([b"rbd:", value].concat());
    }

    pub(super) fn rbd_target(&mut self, text: &str, is_root: bool) -> Option<Target> {
        let mut image = match Image::parse(text) {
            Ok(image) => image,
            Err(why) => {
                self.say(format!("rbd: it {why}"));
                return None;
            }
        };
        image.cluster.introduce(&self.wish.ceph);
        if is_root && self.wish.flags.0.is_empty() {
            self.wish.flags = Text::from(image.flags.as_str());
        }
        Some(Target::Rbd(image.into()))
    }

    /// Root is a directory of CephFS. `rootflags=` are options of it: a secret may be among them.
    pub(super) fn finish_tree(&mut self, mut tree: Tree) -> Remote {
        let flags = core::mem::take(&mut self.wish.flags);
        if let Err(why) = tree.cluster.take_words(&flags, &self.wish.ceph) {
            self.say(format!("rootflags= {why}"));
        }
        let options = Text::from(tree.cluster.options.as_str());
        self.decide_about_writing(&options);
        Remote::Ceph(tree.into())
    }

    /// Why `root=ceph:…` is no root.
    pub(super) fn complain_of_tree(&mut self, typed: &Text) {
        let text = typed.as_str().unwrap_or_default();
        if let Some(Err(why)) = text.strip_prefix("ceph:").map(Tree::parse) {
            self.say(format!("ceph: it {why}"));
        }
    }
}

/// `root=` as it is shown: without a secret. `None`: it names nothing of Ceph.
pub(super) fn shown(typed: &str) -> Option<String> {
    let (word, rest) = typed.split_once(':')?;
    Some(match word {
        "rbd" => Image::parse(rest).map_or("rbd:…".into(), |image| format!("{image}")),
        "ceph" => Tree::parse(rest).map_or("ceph:…".into(), |tree| format!("ceph:{tree}")),
        _ => return None,
    })
}
