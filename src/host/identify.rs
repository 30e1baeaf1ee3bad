//! `landfall identify`: what landfall sees in a device or an image, in the form of `blkid -p`.
//!
//! Keys, their order and the escapes are those of `blkid -p -o export` (util-linux 2.38). Beyond
//! it, the entries of a partition table follow, each with what lies in that partition.

use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::identity::{Finding, Partition, Signature, Table, Usage};
use crate::host::device_file::DeviceFile;
use crate::host::failure::Failure;
use crate::host::output;
use lexopt::Arg;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub const HELP: &str = "\
Says what landfall sees in disks, partitions, or images of them, by their bytes.

Usage: landfall identify FILE|DEVICE... [--json]

      --json   one array with all that is known, partitions included
  -h, --help   this text

Without --json: the words of 'blkid -p -o export', then the same for each partition that the
table names (DEVNAME=disk.img#1 is its first one). Reads only; asks for no more rights than the
files do.

exit status
  0  everything was identified
  1  something could not be read
  2  nothing was recognised on one of them, or the command line is wrong
  8  several signatures exclude each other on one of them: AMBIVALENT= has their names
";

const NOTHING: u8 = 2;
const AMBIVALENT: u8 = 8;

/// One device, or one partition on it.
struct Seen {
    name: String,
    finding: Finding,
    /// For each entry of the table, in order: what lies there.
    inside: Vec<Result<Finding, Fault>>,
}

/// `args` stands after the word `identify`.
pub fn run(args: &mut lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut paths, mut as_json) = (Vec::new(), false);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return output::print(HELP),
            Arg::Long("json") => as_json = true,
            Arg::Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        let text = "nothing to identify; usage: landfall identify FILE|DEVICE... (see --help)";
        return Err(Failure::usage(text));
    }
    let (mut seen, mut unread) = (Vec::new(), false);
    for path in &paths {
        match look(path) {
            Ok(one) => seen.push(one),
            Err(fault) => {
                eprintln!("landfall: {fault}");
                unread = true;
            }
        }
    }
    let text = match as_json {
        true => format!("{:#}\n", Value::from_iter(seen.iter().map(object))),
        false => blocks(&seen),
    };
    output::print(&text)?;
    seen.iter().for_each(complain);
    Ok(ExitCode::from(if unread { 1 } else { status(&seen) }))
}

fn look(path: &Path) -> Result<Seen, Fault> {
    let device = DeviceFile::open(path)?;
    let finding = device.identify()?;
    let entries = finding.table.iter().flat_map(|t| &t.partitions);
    let inside = entries.map(|p| inside(&device, p)).collect();
    Ok(Seen {
        name: device.name,
        finding,
        inside,
    })
}

fn inside(device: &DeviceFile, entry: &Partition) -> Result<Finding, Fault> {
    let start = entry.start.saturating_mul(512);
    device.identify_piece(start, kernel_sectors(entry).saturating_mul(512))
}

/// The length of the partition's device: the kernel shows two sectors of an extended partition,
/// enough for a boot loader (`block/partitions/msdos.c`, Linux 6.6).
pub fn kernel_sectors(entry: &Partition) -> u64 {
    match entry.kind.as_str() {
        "0x5" | "0xf" | "0x85" => entry.sectors.min(2),
        _ => entry.sectors,
    }
}

fn status(seen: &[Seen]) -> u8 {
    let nothing = |s: &Seen| s.finding == Finding::default();
    if seen.iter().any(|s| !s.finding.ambivalent.is_empty()) {
        AMBIVALENT
    } else if seen.iter().any(nothing) {
        NOTHING
    } else {
        0
    }
}

/// What the status stands for, in a sentence.
fn complain(seen: &Seen) {
    let name = &seen.name;
    if seen.finding == Finding::default() {
        eprintln!("landfall: {name}: nothing that is known was found on it");
    }
    if !seen.finding.ambivalent.is_empty() {
        let names = seen.finding.ambivalent.join(" and ");
        eprintln!("landfall: {name}: ambivalent, it carries {names}; wipefs(8) shows where");
    }
    for fault in seen
        .inside
        .iter()
        .filter_map(|inside| inside.as_ref().err())
    {
        eprintln!("landfall: {fault}");
    }
}

// -- export form ------------------------------------------------------------------------------

type Lines = Vec<(&'static str, Vec<u8>)>;

/// All blocks, with an empty line between them.
fn blocks(seen: &[Seen]) -> String {
    let mut blocks = Vec::new();
    for one in seen {
        if one.finding != Finding::default() {
            blocks.push(block(&one.name, finding_lines(&one.finding)));
        }
        let Some(table) = &one.finding.table else {
            continue;
        };
        for (entry, inside) in table.partitions.iter().zip(&one.inside) {
            let name = format!("{}#{}", one.name, entry.number);
            let mut lines = inside.as_ref().map(finding_lines).unwrap_or_default();
            lines.extend(entry_lines(table, entry));
            blocks.push(block(&name, lines));
        }
    }
    blocks.join("\n")
}

fn block(name: &str, lines: Lines) -> String {
    // blkid does not escape the name; what a terminal would obey is, here.
    let mut text = format!("DEVNAME={}\n", name.replace(char::is_control, "?"));
    for (key, value) in lines {
        text.push_str(key);
        text.push('=');
        escape(&value, &mut text);
        text.push('\n');
    }
    text
}

/// What is known: superblock first, then the table.
fn finding_lines(finding: &Finding) -> Lines {
    let mut lines = finding
        .signature
        .as_ref()
        .map(signature_lines)
        .unwrap_or_default();
    if !finding.ambivalent.is_empty() {
        lines.push(("AMBIVALENT", finding.ambivalent.join(" ").into()));
    }
    if let Some(table) = &finding.table {
        lines.extend(
            table
                .uuid
                .as_ref()
                .map(|uuid| ("PTUUID", uuid.clone().into())),
        );
        lines.push(("PTTYPE", table.kind.clone().into()));
    }
    lines
}

/// In which order blkid says what it found in a superblock: that of its reader of the format.
fn order(kind: &str) -> [&'static str; 5] {
    match kind {
        "crypto_LUKS" => ["VERSION", "UUID", "LABEL", "UUID_SUB", "BLOCK_SIZE"],
        "linux_raid_member" | "LVM2_member" => {
            ["UUID", "UUID_SUB", "LABEL", "VERSION", "BLOCK_SIZE"]
        }
        "ntfs" => ["LABEL", "BLOCK_SIZE", "UUID", "UUID_SUB", "VERSION"],
        "iso9660" => ["BLOCK_SIZE", "UUID", "UUID_SUB", "VERSION", "LABEL"],
        "udf" => ["UUID", "UUID_SUB", "LABEL", "VERSION", "BLOCK_SIZE"],
        _ => ["LABEL", "UUID", "UUID_SUB", "VERSION", "BLOCK_SIZE"],
    }
}

fn signature_lines(s: &Signature) -> Lines {
    let text = |value: &Option<String>| value.as_ref().map(|v| v.clone().into_bytes());
    let value = |key: &str| match key {
        "LABEL" => s.label.as_ref().map(|l| l.as_bytes().to_vec()),
        "UUID" => text(&s.uuid),
        "UUID_SUB" => text(&s.uuid_sub),
        "VERSION" => text(&s.version),
        _ => (s.block_size != 0).then(|| s.block_size.to_string().into_bytes()),
    };
    let known = order(&s.kind).into_iter();
    let mut lines: Lines = known.filter_map(|key| Some((key, value(key)?))).collect();
    lines.push(("TYPE", s.kind.clone().into()));
    lines.push(("USAGE", usage(s.usage).into()));
    lines
}

/// The entry of the table, as blkid words it for a partition's device.
fn entry_lines(table: &Table, p: &Partition) -> Lines {
    let mut lines: Lines = vec![("PART_ENTRY_SCHEME", table.kind.clone().into())];
    if let Some(label) = &p.label {
        lines.push(("PART_ENTRY_NAME", label.as_bytes().to_vec()));
    }
    lines.push(("PART_ENTRY_UUID", p.uuid.clone().into()));
    lines.push(("PART_ENTRY_TYPE", p.kind.clone().into()));
    if p.flags != 0 {
        lines.push(("PART_ENTRY_FLAGS", format!("{:#x}", p.flags).into()));
    }
    lines.push(("PART_ENTRY_NUMBER", p.number.to_string().into()));
    lines.push(("PART_ENTRY_OFFSET", p.start.to_string().into()));
    lines.push(("PART_ENTRY_SIZE", p.sectors.to_string().into()));
    lines
}

fn usage(usage: Usage) -> &'static str {
    match usage {
        Usage::Filesystem => "filesystem",
        Usage::Raid => "raid",
        Usage::Crypto => "crypto",
        Usage::Other => "other",
    }
}

/// blkid's escapes: what a shell would take for its own gets a backslash, control bytes are
/// written `^X`, bytes above 127 `M-` and the rest.
fn escape(value: &[u8], text: &mut String) {
    const SHELL: &[u8] = b" \\\"'$`<>";
    for &byte in value {
        if byte >= 0x80 {
            text.push_str("M-");
        }
        let low = byte & 0x7f;
        if low < 0x20 || low == 0x7f {
            text.push('^');
            text.push(char::from(low ^ 0x40));
        } else {
            if SHELL.contains(&low) {
                text.push('\\');
            }
            text.push(char::from(low));
        }
    }
}

// -- JSON -------------------------------------------------------------------------------------

type Object = Map<String, Value>;

fn object(seen: &Seen) -> Value {
    let mut object = finding_object(&seen.finding);
    object.insert("device".into(), json!(seen.name));
    if let Some(table) = &seen.finding.table {
        let entries = table.partitions.iter().zip(&seen.inside);
        let partitions = entries.map(|(p, inside)| partition_object(p, inside));
        let table = json!({
            "type": table.kind,
            "uuid": table.uuid,
            "partitions": Value::from_iter(partitions),
        });
        object.insert("table".into(), table);
    }
    object.into()
}

fn finding_object(finding: &Finding) -> Object {
    let s = finding.signature.as_ref();
    let label = s.and_then(|s| s.label.as_ref()).map(Text::to_string);
    let size = s.map(|s| s.block_size).filter(|&size| size != 0);
    let pairs = [
        ("type", json!(s.map(|s| &s.kind))),
        ("usage", json!(s.map(|s| usage(s.usage)))),
        ("version", json!(s.and_then(|s| s.version.as_ref()))),
        ("uuid", json!(s.and_then(|s| s.uuid.as_ref()))),
        ("uuid_sub", json!(s.and_then(|s| s.uuid_sub.as_ref()))),
        ("label", json!(label)),
        ("block_size", json!(size)),
        ("ambivalent", json!(finding.ambivalent)),
    ];
    pairs
        .map(|(key, value)| (key.to_string(), value))
        .into_iter()
        .collect()
}

fn partition_object(p: &Partition, inside: &Result<Finding, Fault>) -> Value {
    let mut object = match inside {
        Ok(finding) => finding_object(finding),
        Err(fault) => Object::from_iter([("error".to_string(), json!(fault.text))]),
    };
    let pairs = [
        ("number", json!(p.number)),
        ("partuuid", json!(p.uuid)),
        ("partlabel", json!(p.label.as_ref().map(Text::to_string))),
        ("parttype", json!(p.kind)),
        ("start", json!(p.start)),
        ("sectors", json!(p.sectors)),
        ("flags", json!(p.flags)),
    ];
    object.extend(pairs.map(|(key, value)| (key.to_string(), value)));
    object.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_as_blkid_does() {
        let check = |value: &[u8], expected: &str| {
            let mut text = String::new();
            escape(value, &mut text);
            assert_eq!(text, expected);
        };
        check(b"plain-1.0", "plain-1.0");
        check(b"a b\"c`$=\\x", "a\\ b\\\"c\\`\\$=\\\\x");
        check(b"a'<>&;~!", "a\\'\\<\\>&;~!");
        check("q\u{1}\u{e9}\u{85}".as_bytes(), "q^AM-CM-)M-BM-^E");
    }
}
