//! The trace's lines about mounts, both ways.

use super::action::{Action, Mount};
use super::event::Ticket;
use super::{trace_net, trace_read};
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::layers::{Kind, Layer};

pub(super) fn words(line: Line, mount: &Mount) -> Line {
    let line = line.word(&mount.device).word(&mount.fstype);
    let line = line.word(if mount.read_only { "ro" } else { "rw" });
    let options = Some(mount.options.as_bytes()).filter(|o| !o.is_empty());
    let line = line.flag("nodev", mount.nodev).flag("host", mount.host);
    let at = Some(mount.at.as_bytes()).filter(|at| !at.is_empty());
    let line = line.flag("anew", mount.anew).opt("at", at);
    let line = line.opt("options", options);
    match &mount.ceph {
        Some(who) => trace_net::credentials_words(line, who),
        None => line,
    }
}

/// Another action: `None`.
pub(super) fn action(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Action> {
    Some(match verb {
        "mount" => Action::Mount {
            ticket,
            mount: read(w)?.into(),
        },
        "layer" => Action::Layer {
            ticket,
            layer: read_layer(w)?.into(),
        },
        _ => return None,
    })
}

fn read(w: &mut Words) -> Option<Mount> {
    let (device, fstype) = (w.need_text(), w.need_text());
    let read_only = trace_read::access(w)?;
    let options = Text(w.key("options").unwrap_or_default());
    let (nodev, host) = (w.flag("nodev"), w.flag("host"));
    let (anew, at) = (w.flag("anew"), Text(w.key("at").unwrap_or_default()));
    let ceph = trace_net::credentials(w)?;
    Some(Mount {
        ceph,
        host,
        at,
        anew,
        nodev,
        device,
        fstype,
        read_only,
        options,
    })
}

/// What lies over what, as a word.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Overlay, "overlay"),
    (Kind::State, "state"),
    (Kind::Usr, "usr"),
];

pub(super) fn layer_words(line: Line, layer: &Layer) -> Line {
    let named = KINDS.iter().find(|(kind, _)| *kind == layer.kind);
    let line = line.word(named.map_or("", |(_, name)| name));
    let line = line.opt("memory", layer.memory.as_ref().map(Text::as_bytes));
    let line = line.key("directory", layer.directory.as_bytes());
    line.flag("kept", layer.kept)
}

fn read_layer(w: &mut Words) -> Option<Layer> {
    let name = w.need_text();
    let (kind, _) = KINDS.iter().find(|(_, known)| *known == name)?;
    Some(Layer {
        kind: *kind,
        memory: w.key("memory").map(Text),
        directory: Text(w.key("directory")?),
        kept: w.flag("kept"),
    })
}
