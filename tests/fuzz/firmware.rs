//! What is fuzzed of the tables that firmware leaves.

use landfall::base::text::Text;
use landfall::format::{ibft, nbft};
use landfall::plan::event::{Event, NetEvent, Ticket};
use landfall::plan::{trace, trace_read};
use tables::{Link, Nbft, Subsystem};

#[path = "../lab/firmware.rs"]
mod tables;

pub const NBFT: &[&[u8]] = &[
    b"NBFT",
    b"\x03\x01\x01\x03",
    b"\x04\x01\0\x01\0\x03",
    b"\x06\x01\x01\x01",
    b"\x07\x01\x03\x01",
    b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01",
    b"nvme+tcp://[::1]:8009/",
    b"\x80\0\x01\xff",
];

pub const IBFT: &[&[u8]] = &[
    b"ethernet0/",
    b"target1/",
    b"flags=3\n",
    b"mac=52:54:00:00:00:01\n",
    b"ip-addr=192.0.2.7\n",
    b"prefix-len=24\n",
    b"lun=41000000\n",
    b"target-name=iqn.2026-01.example:a\n",
    b"chap-type=2\n",
    b"initiator/initiator-name=iqn.a:b\n",
];

/// A table whose length and checksum are made right; and the same as it is.
pub fn nbft(input: &[u8]) {
    let _ = nbft::parse(input);
    let mut table = input.to_vec();
    table.truncate(nbft::LONGEST);
    if table.len() < 10 {
        return;
    }
    let length = table.len() as u32;
    table[..4].copy_from_slice(b"NBFT");
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[8] = 1;
    let sum = table.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    table[9] = table[9].wrapping_sub(sum);
    if let Ok(left) = nbft::parse(&table) {
        assert!(left.targets.len() <= 32 && left.links.len() <= 255);
        come_back(Event::Net(NetEvent::Nbft(left.into())));
    }
}

/// Files and their values, a line each.
pub fn ibft(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let files = || text.lines().filter_map(|line| line.split_once('='));
    let folder = |(name, _): (&str, _)| name.split('/').next().map(String::from);
    let mut folders: Vec<String> = files().filter_map(folder).collect();
    folders.dedup();
    let left = ibft::read(&folders, &|wanted| {
        let found = files().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.into())
    });
    come_back(Event::Net(NetEvent::FirmwareRead {
        ticket: Ticket(1),
        left: left.into(),
    }));
}

/// What PID 1 hears is what was said.
fn come_back(event: Event) {
    let line = trace::event_line(&event);
    assert_eq!(
        trace_read::event(&line),
        Some(event),
        "{}",
        Text::from(line.as_str())
    );
}

pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let link = Link::at([0x52, 0x54, 0, 0, 0, 1], "192.0.2.7", 24);
    let subsystem = Subsystem::at("192.0.2.9", 4420, "nqn.2026-01.example:a");
    match target {
        "nbft" => vec![
            Nbft {
                host_nqn: "nqn.a".into(),
                hostname: "box".into(),
                links: vec![link.clone(), link.leased("192.0.2.1")],
                subsystems: vec![
                    Subsystem {
                        other_links: vec![2],
                        ..subsystem.clone()
                    },
                    subsystem,
                ],
                discovery: vec![(1, "nvme+tcp://192.0.2.9:8009/".into())],
                ..Nbft::default()
            }
            .bytes(),
        ],
        _ => vec![IBFT.concat()],
    }
}
