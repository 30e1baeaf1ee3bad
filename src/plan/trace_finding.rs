//! What was found on a device, from its words in a trace. Written by [`super::trace`].

use super::trace_read::{all, list};
use crate::base::text::Text;
use crate::base::words::Words;
use crate::format::identity::{Finding, Partition, Signature, Table, Usage};
use alloc::string::{String, ToString};

pub(super) fn finding(w: &mut Words) -> Option<Finding> {
    let signature = match w.key_text("type") {
        Some(kind) => Some(signature(kind, w)?),
        None => None,
    };
    let ambivalent = list(w.key_text("ambivalent"));
    let table = match w.key_text("table") {
        Some(kind) => Some(Table {
            kind,
            uuid: w.key_text("table-uuid"),
            partitions: all(w, "part")
                .map(|p| partition(&p))
                .collect::<Option<_>>()?,
        }),
        None => None,
    };
    Some(Finding {
        signature,
        table,
        ambivalent,
    })
}

fn signature(kind: String, w: &mut Words) -> Option<Signature> {
    let usage = match w.key_text("usage")?.as_str() {
        "filesystem" => Usage::Filesystem,
        "raid" => Usage::Raid,
        "crypto" => Usage::Crypto,
        "other" => Usage::Other,
        _ => return None,
    };
    Some(Signature {
        kind,
        usage,
        version: w.key_text("version"),
        uuid: w.key_text("uuid"),
        uuid_sub: w.key_text("uuid-sub"),
        label: w.key("label").map(Text),
        block_size: u32::try_from(w.key_num("block-size").unwrap_or(0)).ok()?,
        devices: u16::try_from(w.key_num("devices").unwrap_or(0)).ok()?,
    })
}

fn partition(text: &[u8]) -> Option<Partition> {
    let mut fields = text.splitn(7, |&b| b == b':');
    let mut field = || fields.next().and_then(|f| core::str::from_utf8(f).ok());
    let number = field()?.parse().ok()?;
    let uuid = field()?.to_string();
    let kind = field()?.to_string();
    let start = field()?.parse().ok()?;
    let sectors = field()?.parse().ok()?;
    let flags = field()?.parse().ok()?;
    let label = fields.next().map(Text::from);
    Some(Partition {
        number,
        uuid,
        label,
        kind,
        start,
        sectors,
        flags,
    })
}
