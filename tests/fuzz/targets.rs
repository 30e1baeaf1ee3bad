//! What is fuzzed: each header and metadata parser, and the plan.

use crate::{archive, firmware, iscsi, nbd, network};
use landfall::base::millis::Millis;
use landfall::format::identity::{self, Need, Range, Step, View};
use landfall::format::kmod::{Catalog, Files};
use landfall::format::lens::Lens;
use landfall::format::lvm2::label::Extent;
use landfall::format::lvm2::{self, group::Group};
use landfall::format::packed::{self, Output};
use landfall::format::verity::{Superblock, Volume};
use landfall::format::wish::Wish;
use landfall::format::{bootconfig, cmdline, crypttab, json, luks, md, netlink, uevent};
use landfall::plan::{Plan, trace_read};

pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// What the format is made of.
    pub words: &'static [&'static [u8]],
}

const fn target(name: &'static str, run: fn(&[u8]), words: &'static [&'static [u8]]) -> Target {
    Target { name, run, words }
}

pub const TARGETS: [Target; 30] = [
    target(
        "luks",
        luks_header,
        &[
            b"LUKS\xba\xbe",
            b"SKUL\xba\xbe",
            b"sha256",
            b"\0\x02",
            b"aes",
        ],
    ),
    target("luks-json", luks_json, JSON),
    target("lvm-label", lvm_label, &[b"LABELONE", b"LVM2 001"]),
    target("lvm-area", lvm_area, &[b" LVM2 x[5A%r0N*>"]),
    target("lvm-text", lvm_text, LVM),
    target("md-0", md_0, &[b"\xfc\x4e\x2b\xa9"]),
    target("md-1", md_1, &[b"\xfc\x4e\x2b\xa9"]),
    target("verity", verity, &[b"verity\0\0\x01\0\0\0", b"sha256"]),
    target(
        "veritytab",
        veritytab,
        &[
            b"PARTUUID=",
            b"/dev/",
            b"fec-device=",
            b"superblock=no",
            b",",
        ],
    ),
    target("crypttab", crypttab_file, CRYPTTAB),
    target("mdadm-conf", mdadm_conf, MDADM_CONF),
    target("cmdline", command_line, CMDLINE),
    target(
        "identity",
        identify,
        &[
            b"EFI PART",
            b"XFSB",
            b"\x55\xaa",
            b"_BHRfS_M",
            b"hsqs",
            b"LUKS",
        ],
    ),
    target(
        "modules",
        modules,
        &[b"alias ", b": ", b".ko\n", b"kernel/", b"\xb0\x07\xf4\x57"],
    ),
    target(
        "uevent",
        uevents,
        &[b"add@/", b"ACTION=", b"SUBSYSTEM=block\0", b"MAJOR=", b"\0"],
    ),
    target("netlink", netlink_messages, NETLINK),
    target(
        "bootconfig",
        boot_config,
        &[b"kernel.", b" = ", b"{", b"}", b",", b"\"", b"+="],
    ),
    target(
        "inflate",
        inflate,
        &[b"\x05", b"\x03\0", b"\x01\0\0\xff\xff"],
    ),
    target(
        "lzma2",
        lzma2,
        &[b"\xe0\0", b"\x01\0", b"\x02\0", b"\xa0\0", b"\x80\0"],
    ),
    target(
        "zstd",
        zstd,
        &[b"(\xb5/\xfd", b"\x50\x2a\x4d\x18", b"\xfc", b"\xa8"],
    ),
    target("archive", archive::run, archive::WORDS),
    target("dhcp4", network::dhcp4, network::DHCP4),
    target("dhcp6", network::dhcp6, network::DHCP6),
    target("dns", network::dns, network::DNS),
    target("handed", network::hand_over, network::HANDED),
    target("ibft", firmware::ibft, firmware::IBFT),
    target("iscsi", iscsi::run, iscsi::WORDS),
    target("nbd", nbd::run, nbd::WORDS),
    target("nbft", firmware::nbft, firmware::NBFT),
    target("plan", plan, PLAN),
];

/// Headers of messages and attributes, as a little-endian machine has them.
const NETLINK: &[&[u8]] = &[
    b"\x20\0\0\0\x10\0\0\0\x07\0\0\0\0\0\0\0",
    b"\x18\0\0\0\x14\0\0\0\x07\0\0\0\0\0\0\0",
    b"\x1c\0\0\0\x18\0\0\0\x07\0\0\0\0\0\0\0",
    b"\x24\0\0\0\x02\0\0\x02\x07\0\0\0\0\0\0\0",
    b"\x14\0\0\0\x03\0\x02\0\x07\0\0\0\0\0\0\0",
    b"\x09\0\x03\0eth0\0\0\0\0",
    b"\x08\0\x04\0\xdc\x05\0\0",
    b"\x0a\0\x01\0\x02\0\0\0\0\x01\0\0",
    b"\x18\0\x12\x80\x09\0\x01\0vlan\0\0\0\0\x0a\0\x02\0\x06\0\x01\0\x05\0",
    b"\x08\0\x01\0\xc0\0\x02\x07",
    b"\x0a\0\x12\0\x0a\0",
    b"\x0c\0\x0c\0\x08\0\x01\0\xf0\0\0\x80",
    b"\x34\0\0\0\x44\0\0\0\x07\0\0\0\0\0\0\0\x0a\0\x28\0\x03\0\0\0\x86\0\0\0\0\0\0\0\x19\x05",
    b"\xff\xff",
];

const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"\"keyslots\":{",
    b"\"0\":{",
    b"\"type\":",
    b"\"luks2\"",
    b"\"segments\":{",
    b"\"digests\":{",
    b"\"config\":{",
    b"\"offset\":\"16777216\"",
    b"\"dynamic\"",
    b"\"kdf\":{",
    b"\"argon2id\"",
    b"\"pbkdf2\"",
    b"\\u0041",
    b"1e9",
    b"-1",
    b"null",
    b"true",
];
const LVM: &[&[u8]] = &[
    b"{\n",
    b"}\n",
    b"= [",
    b"]",
    b"\"",
    b"#",
    b"segment1 {",
    b"type = \"striped\"",
    b"stripes = [",
    b"physical_volumes {",
    b"logical_volumes {",
    b"extent_size = ",
    b"segment_count = ",
    b"\"pv0\", 0",
    b"type = \"raid5\"",
    b"type = \"thin\"",
    b"type = \"snapshot\"",
    b"18446744073709551615",
];
const CRYPTTAB: &[&[u8]] = &[
    b"none",
    b"UUID=",
    b"luks",
    b",",
    b"keyfile-offset=",
    b"header=",
    b"tries=",
    b"\n",
    b"\\040",
    b"rd.luks.name=",
    b"rd.luks.options=",
    b"cryptdevice=",
    b"\xff",
];
const MDADM_CONF: &[&[u8]] = &[
    b"ARRAY /dev/md5 ",
    b"HOMEHOST <ignore>",
    b"<system>",
    b"UUID=30313233:34353637:38396162:63646566",
    b"name=root",
    b"super-minor=5",
    b"\n ",
    b"#",
    b"\"",
];
const CMDLINE: &[&[u8]] = &[
    b"root=",
    b"UUID=",
    b"roothash=",
    b"dm-mod.create=\"",
    b"0 8 linear 8:1 0",
    b"rd.",
    b" -- ",
    b"\"",
    b"systemd.verity_root_options=",
    b"landfall.",
    b"rootflags=",
    b",,,ro,",
    b"ubi0:",
    b"\\x41",
    b" ip=",
    b"192.0.2.1:",
    b"[2001:db8::1/64]:",
    b":eth0:dhcp",
    b":52:54:00:12:34:56",
    b" bond=",
    b" rd.route=",
    b"root=rbd:192.0.2.1,mon:3300:",
    b"rbd/ns/root@then:name=me,",
    b"//me:AQ==@",
    b"root=ceph:",
    b"me@.fs=/:mon_addr=",
    b"secret=",
];

const PLAN: &[&[u8]] = &[
    b"boot root=UUID=1\n",
    b"block vda 254:0 sectors=4096 sequence=1\n",
    b"walked 1\n",
    b"timer\n",
    b"probed 2 type=ext4 usage=filesystem uuid=1 block-size=1024\n",
    b"resolved 2 builtin\n",
    b"block-changed ",
    b"block-gone vda\n",
    b"mounted ",
    b"loaded ",
    b"load-failed ",
    b"overflow\n",
    b"probed 2 type=LVM2_member usage=raid block-size=0\n",
    b"bytes 3 bytes=",
    b"ctrl-alt-del\n",
    b"probed 2 type=linux_raid_member usage=raid uuid=7 version=1.2 block-size=0\n",
    b"mapped ",
    b"probed 2 type=crypto_LUKS usage=crypto uuid=1 block-size=0\n",
    b"read-failed ",
    b"\\x00",
    b"probed 2 table=gpt part=1:u:t:8:8:0\n",
    b"shell-left 9\n",
    b"roothash=",
    b"unlocked ",
];

/// A device that holds the input, and asks for no more than it has.
fn read(input: &[u8], range: Range) -> Option<Vec<u8>> {
    let start = usize::try_from(range.at).ok()?;
    let end = start.checked_add(range.len)?;
    input.get(start..end).map(<[u8]>::to_vec)
}

fn answer(view: &mut View, input: &[u8], range: Range) {
    match read(input, range) {
        Some(bytes) => view.add(range.at, bytes),
        None => view.lose(range),
    }
}

fn luks_header(input: &[u8]) {
    let mut view = View::new(1 << 30, 512);
    // Sums of zeros: what is behind them is what is to be reached.
    let sum = |_: &str, _: &[&[u8]]| Some(vec![0; 32]);
    while let Err(Need(range)) = luks::read(&view, &sum) {
        answer(&mut view, input, range);
    }
}

/// The JSON text, behind a header that fits.
fn luks_json(input: &[u8]) {
    let _ = json::read(input);
    let mut image = vec![0; 16384];
    image[..8].copy_from_slice(b"LUKS\xba\xbe\0\x02");
    image[8..16].copy_from_slice(&16384u64.to_be_bytes());
    image[16..24].copy_from_slice(&1u64.to_be_bytes());
    image[72..78].copy_from_slice(b"sha256");
    image[168..204].copy_from_slice(b"5eedf00d-0000-4000-8000-000000000001");
    let room = input.len().min(12288 - 1);
    image[4096..4096 + room].copy_from_slice(&input[..room]);
    luks_header(&image);
}

/// lvm's checksum: CRC-32 without inversion, begun with a number of its own.
fn lvm_sum(bytes: &[u8]) -> [u8; 4] {
    let step = |crc: u32, byte: &u8| {
        let shift = |crc: u32, _| crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        (0..8).fold(crc ^ u32::from(*byte), shift)
    };
    bytes.iter().fold(0xf597_a6cf, step).to_le_bytes()
}

fn lvm_label(input: &[u8]) {
    let mut head = vec![0; 2048];
    let room = input.len().min(512);
    head[512..512 + room].copy_from_slice(&input[..room]);
    head[520..528].copy_from_slice(&1u64.to_le_bytes());
    let sum = lvm_sum(&head[532..1024]);
    head[528..532].copy_from_slice(&sum);
    let _ = lvm2::label::read(&head);
}

fn lvm_area(input: &[u8]) {
    let mut header = input.to_vec();
    header.resize(512, 0);
    let sum = lvm_sum(&header[4..512]);
    header[..4].copy_from_slice(&sum);
    let (offset, size) = (4096, 1 << 20);
    let _ = lvm2::area::header(&header, Extent { offset, size });
}

fn lvm_text(input: &[u8]) {
    let Ok(group) = Group::parse(input) else {
        return;
    };
    for volume in &group.logical {
        let _ = lvm2::name::uuid(&group.id, &volume.id, "");
    }
}

fn md_0(input: &[u8]) {
    let mut bytes = input.to_vec();
    bytes.resize(4096, 0);
    let _ = md::read(md::Version::V0, &bytes, 1 << 30);
}

fn md_1(input: &[u8]) {
    let mut bytes = input.to_vec();
    bytes.resize(4096, 0);
    // The sum of all words but itself, over 256 bytes and two for each role.
    bytes[216..220].fill(0);
    let roles = u32::from_le_bytes([bytes[220], bytes[221], bytes[222], bytes[223]]);
    let end = (256 + 2 * roles.min(1920) as usize).min(bytes.len());
    let words = bytes[..end].chunks(4);
    let sum = words.fold(0u64, |sum, word| {
        let mut four = [0; 4];
        four[..word.len()].copy_from_slice(word);
        sum + u64::from(u32::from_le_bytes(four))
    });
    let sum = (sum & 0xffff_ffff).wrapping_add(sum >> 32) as u32;
    bytes[216..220].copy_from_slice(&sum.to_le_bytes());
    use md::Version::{V1_0, V1_1, V1_2};
    for version in [V1_0, V1_1, V1_2] {
        if let Some(Ok(found)) = md::read(version, &bytes, 1 << 30) {
            let _ = (found.working(), found.in_sync());
        }
    }
}

fn verity(input: &[u8]) {
    let mut bytes = input.to_vec();
    bytes.resize(512, 0);
    let _ = Superblock::read(&bytes);
}

fn veritytab(input: &[u8]) {
    let integrity = landfall::format::integrity::Volume::from_tab(input);
    let _ = integrity.and_then(|volume| volume.mapping(input, "8:1"));
    let _ = Volume::from_tab(input);
}

/// The first line is a command line.
fn mdadm_conf(input: &[u8]) {
    let naming = md::Naming::read(input, b"harbour\n");
    let array = md::Id(*b"0123456789abcdef");
    for name in ["harbour:root", "root", "5"] {
        let _ = naming.preferred(md::Version::V1_2, array, &name.into());
    }
}

fn crypttab_file(input: &[u8]) {
    let cut = input.iter().position(|&b| b == b'\n').unwrap_or(0);
    let _ = crypttab::read(cmdline::words(&input[..cut]), &input[cut..]);
}

fn command_line(input: &[u8]) {
    let _ = Wish::from_cmdline(input);
    let mut line = Vec::new();
    cmdline::add_file(&mut line, input);
    cmdline::add_modules(&mut line, input);
    cmdline::add_table(&mut line, "landfall.veritytab", input);
    let _ = Wish::from_cmdline(&line);
}

/// A device of 1 GiB that holds the input at its start, at 32 KiB, at 64 KiB and at its end.
fn identify(input: &[u8]) {
    const SIZE: u64 = 1 << 30;
    let mut view = View::new(SIZE, 512);
    while let Step::Read(ranges) = identity::identify(&view) {
        for range in ranges {
            let mut bytes = vec![0; range.len];
            for at in [0, 32 << 10, 64 << 10, SIZE - input.len() as u64] {
                for (byte, value) in (at..).zip(input) {
                    let inside = byte.checked_sub(range.at);
                    let inside = inside.and_then(|i| usize::try_from(i).ok());
                    if let Some(place) = inside.and_then(|i| bytes.get_mut(i)) {
                        *place = *value;
                    }
                }
            }
            view.add(range.at, bytes);
        }
    }
}

/// Each index gets the same bytes.
fn modules(input: &[u8]) {
    let files = |binary| Files {
        dep_bin: binary,
        dep: Some(input),
        alias_bin: binary,
        alias: Some(input),
        builtin_bin: binary,
        builtin: Some(input),
        builtin_alias_bin: binary,
        builtin_modinfo: Some(input),
    };
    for binary in [None, Some(input)] {
        let mut catalog = Catalog::new("lib/modules/6", &files(binary));
        catalog.config.file("a.conf", input);
        for alias in ["ext4", "pci:v00008086d00001234sv*sd*bc01sc06i01", "fs-ext4"] {
            let _ = catalog.resolve(alias.as_bytes());
        }
    }
}

/// A datagram of the kernel.
fn netlink_messages(input: &[u8]) {
    for message in netlink::message::Messages(input) {
        let _ = netlink::ack::read(&message);
        let _ = netlink::news(&message);
    }
}

fn uevents(input: &[u8]) {
    let _ = uevent::parse(input);
    let _ = uevent::parse_file("/devices/a", "block", input);
}

fn boot_config(input: &[u8]) {
    if let Ok(entries) = bootconfig::parse(input) {
        let _ = (
            bootconfig::words(&entries, "kernel"),
            bootconfig::listing(&entries),
        );
    }
    let _ = bootconfig::find(input);
}

/// Beyond it a module is too long; less than [`crate::MEMORY_MAX`], and filled within the patience.
const UNPACKED_MAX: usize = 1 << 20;

fn inflate(input: &[u8]) {
    let mut out = Output::new(UNPACKED_MAX);
    let _ = packed::inflate::inflate(input, &mut out);
    assert!(out.bytes().len() <= UNPACKED_MAX);
}

fn lzma2(input: &[u8]) {
    let mut out = Output::new(UNPACKED_MAX);
    if let Some(end) = packed::lzma2::unpack(input, 0, &mut out) {
        assert!(end <= input.len());
    }
    assert!(out.bytes().len() <= UNPACKED_MAX);
}

fn zstd(input: &[u8]) {
    let mut out = Output::new(UNPACKED_MAX);
    let _ = packed::zstd::unpack(input, &mut out);
    assert!(out.bytes().len() <= UNPACKED_MAX);
}

/// Lines of a trace, a hundred milliseconds apart.
fn plan(input: &[u8]) {
    let mut plan = Plan::new();
    let text = String::from_utf8_lossy(input);
    for (n, line) in (0u64..).zip(text.lines().take(200)) {
        let _ = trace_read::action(line);
        if let Some(lens) = line.strip_prefix("lens ") {
            let range = Range { at: 0, len: 4096 };
            let _ = Lens::parse(lens).and_then(|lens| lens.pieces(range));
        }
        if let Some(event) = trace_read::event(line) {
            let _ = plan.handle(Millis(n * 100), event);
        }
    }
}
