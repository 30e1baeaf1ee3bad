//! Partitioned disks: sfdisk writes the table, the file system image is copied to its place.

use super::tools::{feed, tool};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The file system is on the whole disk.
    None,
    /// Root is partition 2.
    Gpt,
    /// The same, and its type says that it is root of an x86-64 machine.
    GptTyped,
    /// Root is the primary partition 2.
    Mbr,
    /// Root is the logical partition 5.
    MbrLogical,
}

const MIB: u64 = 1024 * 1024;
const SECTORS: u64 = MIB / 512;
/// Where root begins, in MiB: behind a small partition that is something else.
const ROOT_AT: u64 = 4;

/// The partition that holds root: PARTUUID and PARTLABEL.
pub fn partuuid(table: Table) -> Option<&'static str> {
    match table {
        Table::None => None,
        Table::Gpt | Table::GptTyped => Some("9a27f00d-0000-4000-8000-000000000002"),
        Table::Mbr => Some("5eedf00d-02"),
        Table::MbrLogical => Some("5eedf00d-05"),
    }
}

/// The type of a root partition of an x86-64 machine.
pub const ROOT_TYPE: &str = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";

pub const PARTLABEL: &str = "landfall root";

/// Makes the disk `to` around the file system image `from` of `mib` MiB.
pub fn wrap(table: Table, from: &Path, mib: u64, to: &Path) {
    let disk = File::create(to).expect("a writable target directory");
    disk.set_len((mib + ROOT_AT + 2) * MIB).expect("space");
    drop(disk);
    feed(
        tool("sfdisk").args(["--quiet"]).arg(to),
        &script(table, mib),
    );
    copy_sparse(from, to, ROOT_AT * MIB);
}

fn script(table: Table, mib: u64) -> String {
    let size = mib * SECTORS;
    let at = ROOT_AT * SECTORS;
    match table {
        Table::None => unreachable!("a whole disk has no table"),
        Table::Gpt | Table::GptTyped => {
            let kind = match table {
                Table::GptTyped => ROOT_TYPE,
                _ => "L",
            };
            let uuid = partuuid(table).expect("a partition");
            format!(
                "label: gpt\nlabel-id: 9a27f00d-0000-4000-8000-000000000000\n\
                 start=2048, size=2048, type=U, uuid=9a27f00d-0000-4000-8000-000000000001, \
                 name=\"other\"\n\
                 start={at}, size={size}, type={kind}, uuid={uuid}, name=\"{PARTLABEL}\"\n"
            )
        }
        Table::Mbr => format!(
            "label: dos\nlabel-id: 0x5eedf00d\nstart=2048, size=2048, type=da\n\
             start={at}, size={size}, type=83\n"
        ),
        // An extended partition as the third, so that numbers and places do not agree.
        Table::MbrLogical => format!(
            "label: dos\nlabel-id: 0x5eedf00d\n3: start={}, size={}, type=5\n\
             5: start={at}, size={size}, type=83\n",
            at - SECTORS,
            size + SECTORS
        ),
    }
}

/// Copies what is not zero, to this byte of a file that is there.
pub fn copy_sparse(from: &Path, to: &Path, at: u64) {
    let mut from = File::open(from).expect("the file system image");
    let mut to = File::options().write(true).open(to).expect("the disk");
    let mut block = vec![0; 256 * 1024];
    let mut place = at;
    loop {
        let n = from.read(&mut block).expect("a readable image");
        if n == 0 {
            return;
        }
        if block[..n].iter().any(|b| *b != 0) {
            to.seek(SeekFrom::Start(place)).expect("a seek");
            to.write_all(&block[..n]).expect("space");
        }
        place += n as u64;
    }
}
