//! Partitions that say what they are for: the root of this architecture, found without `root=`.
//!
//! Not here: which disk counts, and what to do with several. A dm-verity root, and the root of
//! another architecture, are none.
//!
//! Source: the Discoverable Partitions Specification (UAPI group), for the types and attribute
//! bits; systemd-sysupdate for the label of a place that is still to be filled.

use super::identity::{Partition, Table};

/// Type GUID of a root partition of this architecture, lower case.
pub const ROOT: &str = if cfg!(target_arch = "x86_64") {
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
} else if cfg!(target_arch = "aarch64") {
    "b921b045-1df0-41c3-af44-4c6f280d3fae"
} else if cfg!(target_arch = "x86") {
    "44479540-f297-41b2-9af7-d131d5f0458a"
} else if cfg!(target_arch = "arm") {
    "69dad710-2ce4-4e3c-b16c-21a1d49abed3"
} else if cfg!(target_arch = "riscv64") {
    "72ec70a6-cf74-40e6-bd49-4bda08e8f224"
} else {
    ""
};

/// Attribute bits of such a partition.
const READ_ONLY: u64 = 1 << 60;
const NO_AUTO: u64 = 1 << 63;

/// Is this entry of `table` a root partition that may be found?
pub fn is_root(table: &Table, entry: &Partition) -> bool {
    let empty = entry.label.as_ref().and_then(|l| l.as_str()) == Some("_empty");
    table.kind == "gpt" && entry.kind == ROOT && entry.flags & NO_AUTO == 0 && !empty
}

/// Its entry forbids writing to it.
pub fn is_read_only(entry: &Partition) -> bool {
    entry.flags & READ_ONLY != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_partition_is_told_by_type_attributes_and_label() {
        let entry = |kind: &str, flags, label: &str| Partition {
            number: 1,
            uuid: "1".into(),
            label: Some(label.into()),
            kind: kind.into(),
            start: 0,
            sectors: 1,
            flags,
        };
        let check = |table: &str, entry: &Partition, expected| {
            let table = Table {
                kind: table.into(),
                uuid: None,
                partitions: alloc::vec::Vec::new(),
            };
            assert_eq!(is_root(&table, entry), expected, "{} {entry:?}", table.kind);
        };
        check("gpt", &entry(ROOT, 0, "root"), true);
        check("gpt", &entry(ROOT, READ_ONLY, ""), true);
        check("gpt", &entry(ROOT, NO_AUTO, "root"), false);
        check("gpt", &entry(ROOT, 0, "_empty"), false);
        check("dos", &entry(ROOT, 0, "root"), false);
        let linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";
        check("gpt", &entry(linux, 0, "root"), false);
        assert!(is_read_only(&entry(ROOT, READ_ONLY, "")) && !is_read_only(&entry(ROOT, 0, "")));
    }
}
