//! Logins at iSCSI targets that say anything, and disks named by anybody.

use landfall::base::millis::Millis;
use landfall::format::iscsi::Reference;
use landfall::plan::talk::iscsi::{Heard, Login, Options, Step};

/// What responses begin with, and what they hold.
pub const WORDS: &[&[u8]] = &[
    b"\x23\x81\0\0\0\0\0\x10",
    b"\x23\0\0\0\0\0\0\x10",
    b"\x23\x87\0\0\0\0\0\x18",
    b"\x23\x40\0\0\0\0\0\x08",
    b"AuthMethod=None\0",
    b"AuthMethod=CHAP\0",
    b"CHAP_A=5\0CHAP_I=1\0CHAP_C=0x01\0",
    b"CHAP_N=them\0CHAP_R=0b",
    b"TargetAddress=[::1]:1,1\0",
    b"MaxBurstLength=0x10000\0",
    b"HeaderDigest=CRC32C\0",
    b"X-a=1\0",
];

/// A login: a byte for who is asked to prove what and how much is heard at a time, and what the
/// target says. As text, it also names a disk.
pub fn run(input: &[u8]) {
    let Some((how, said)) = input.split_first() else {
        return;
    };
    let whole = login(*how, said, said.len());
    if how >> 2 > 0 {
        let pieces = login(*how, said, usize::from(how >> 2));
        // What follows the end is only known if it comes with it.
        let more = format!("{whole:?}").contains("it says more");
        assert!(more || whole == pieces, "{whole:?}\n{pieces:?}");
    }
    let Ok(text) = std::str::from_utf8(said) else {
        return;
    };
    if let Ok(found) = Reference::parse(text) {
        let shown = found.to_string();
        // What had to be escaped for a console is not what was written, and may be too long a name.
        if !shown.contains('\\') {
            let again = Reference::parse(&shown).expect("what is shown is read");
            assert_eq!(again.to_string(), shown);
        }
    }
}

fn login(how: u8, said: &[u8], at_once: usize) -> Vec<Step> {
    let named = |bit: u8, name: &str| (how & bit != 0).then(|| String::from(name));
    let mut client = Login::new(Options {
        user: named(1, "me"),
        user_in: named(2, "them"),
        challenge: vec![7; 16],
        ..Options::default()
    });
    let mut steps = client.start(Millis(0));
    let mut all = Vec::new();
    for piece in said.chunks(at_once.max(1)) {
        steps.extend(client.hear(Millis(0), Heard::Bytes(piece)));
        while !steps.is_empty() {
            all.append(&mut steps);
            steps = match all.last() {
                Some(Step::Prove(_)) => client.hear(Millis(0), Heard::Proof(&[9; 20])),
                Some(Step::Verify { .. }) => client.hear(Millis(0), Heard::Verified(true)),
                _ => Vec::new(),
            };
        }
        assert!(client.wanted() <= 10_000 + 1020);
    }
    all.extend(client.hear(Millis(0), Heard::Closed));
    let ends = |step: &&Step| matches!(step, Step::Done(_) | Step::Moved(_) | Step::Failed(_));
    assert!(all.len() <= 40 && all.iter().filter(ends).count() == 1);
    assert!(client.deadline().is_none() && client.wanted() == 0);
    all
}

/// Logins without and with users, in both directions; a redirect; a name.
pub fn seeds() -> Vec<Vec<u8>> {
    let response = |flags: u8, class: u8, list: &[u8]| {
        let mut bytes = vec![0x23, flags, 0, 0, 0, 0, 0, list.len() as u8];
        bytes.resize(36, 0);
        bytes.push(class);
        bytes.resize(48, 0);
        bytes.extend_from_slice(list);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let chap = response(0, 0, b"AuthMethod=CHAP\0");
    let asked = response(0, 0, b"CHAP_A=6\0CHAP_I=1\0CHAP_C=0x0102\0");
    let proof = b"CHAP_N=them\0CHAP_R=0x0102030405060708090a0b0c0d0e0f1011121314\0";
    let end = response(0x87, 0, b"MaxRecvDataSegmentLength=65536\0X-a=1\0");
    vec![
        [&[0xc0][..], &response(0x81, 0, b"AuthMethod=None\0"), &end].concat(),
        [&[1], &chap[..], &asked, &response(0x81, 0, b""), &end].concat(),
        [&[3], &chap[..], &asked, &response(0x81, 0, proof), &end].concat(),
        [
            &[0],
            &response(0, 1, b"TargetAddress=192.0.2.1:3260,1\0")[..],
        ]
        .concat(),
        b"\0iscsi:me:a:them:b@[::1]:6:3260:default:eth0:1:iqn.2026-01.a:b".to_vec(),
    ]
}
