//! Handshakes with servers that are old, strict, odd, or none. Bytes are from the document.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::base::list::Listed;

const FIXED: &[u8] = b"NBDMAGICIHAVEOPT\0\x03";
/// Neither errors nor zeroes left out.
const PLAIN: &[u8] = b"NBDMAGICIHAVEOPT\0\0";

const GO: u32 = 7;
const LIST: u32 = 3;

fn reply(option: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0\x03\xe8\x89\x04\x55\x65\xa9".to_vec();
    bytes.extend_from_slice(&option.to_be_bytes());
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// 1 MiB, and these flags.
fn size(flags: u16) -> Vec<u8> {
    let mut data = b"\0\0\0\0\0\0\0\x10\0\0".to_vec();
    data.extend_from_slice(&flags.to_be_bytes());
    reply(GO, 3, &data)
}

fn blocks(minimum: u32, preferred: u32, maximum: u32) -> Vec<u8> {
    let mut data = b"\0\x03".to_vec();
    for number in [minimum, preferred, maximum] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    reply(GO, 3, &data)
}

fn ack() -> Vec<u8> {
    reply(GO, 1, b"")
}

fn server(name: &[u8]) -> Vec<u8> {
    let length = (name.len() as u32).to_be_bytes();
    reply(LIST, 2, &[&length, name].concat())
}

fn handshake(export: &str) -> Handshake {
    let mut handshake = Handshake::new(Options {
        server: "192.0.2.1".into(),
        export: export.into(),
    });
    assert_eq!(handshake.deadline(), None);
    assert_eq!(handshake.start(Millis(5)), []);
    assert_eq!(handshake.deadline(), Some(Millis(5 + PATIENCE_MS)));
    handshake
}

/// What a client does, in words.
fn said(step: &Step) -> String {
    match step {
        Step::Send(bytes) => {
            let at = bytes
                .len()
                .min(if bytes.starts_with(b"IHAVEOPT") { 0 } else { 4 });
            let number = bytes.get(at + 8..at + 12);
            match number {
                Some([0, 0, 0, 1]) => "name".into(),
                Some([0, 0, 0, 2]) => "abort".into(),
                Some([0, 0, 0, 3]) => "list".into(),
                Some([0, 0, 0, 7]) => "go".into(),
                _ => "nonsense".into(),
            }
        }
        Step::Done(export) => {
            let BlockSizes {
                minimum,
                preferred,
                maximum,
            } = export.blocks;
            let (size, flags) = (export.size, export.flags.0);
            format!("done {size} {flags:#x} {minimum}/{preferred}/{maximum}")
        }
        Step::Failed(fault) => format!("failed {fault}"),
    }
}

/// Everything that the client does when it hears these bytes, cut by `cuts`, and then the end.
fn conversation(export: &str, bytes: &[u8], mut cut: impl FnMut() -> usize) -> String {
    let mut client = handshake(export);
    let mut steps = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && client.deadline().is_some() {
        let (now, behind) = rest.split_at(cut().clamp(1, rest.len()));
        rest = behind;
        steps.extend(client.hear(Millis(6), Heard::Bytes(now)));
    }
    steps.extend(client.hear(Millis(6), Heard::Closed));
    assert_eq!(client.deadline(), None);
    assert_eq!(client.hear(Millis(u64::MAX), Heard::Bytes(b"more")), []);
    let ends = |step: &&Step| !matches!(step, Step::Send(_));
    assert_eq!(steps.iter().filter(ends).count(), 1, "one end");
    assert!(
        !matches!(steps.last(), Some(Step::Send(_))),
        "the end is last"
    );
    steps.iter().map(said).listed().joined("; ")
}

/// The same result however the bytes are cut.
fn check(export: &str, pieces: &[&[u8]], expected: &str) {
    let bytes = pieces.concat();
    assert_eq!(conversation(export, &bytes, || usize::MAX), expected);
    assert_eq!(conversation(export, &bytes, || 1), expected);
    let mut dice = 7u64;
    for _ in 0..20 {
        let cut = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            1 + (dice >> 60) as usize
        };
        assert_eq!(conversation(export, &bytes, cut), expected);
    }
    // The next piece comes when the last one was answered.
    let mut sizes = pieces.iter().map(|piece| piece.len());
    let stepwise = conversation(export, &bytes, || sizes.next().unwrap_or(1));
    assert_eq!(stepwise, expected);
}

#[test]
fn an_export_is_had_by_go() {
    let sizes = blocks(512, 4096, 1 << 25);
    check(
        "root",
        &[FIXED, &size(0x10d), &sizes, &ack()],
        "go; done 1048576 0x10d 512/4096/33554432",
    );
    // Without sizes of blocks the document's count; what is not known is passed over.
    let name = reply(GO, 3, b"\0\x01root");
    let other = reply(GO, 77, b"x");
    check(
        "",
        &[FIXED, &name, &size(3), &other, &ack()],
        "go; done 1048576 0x3 1/4096/33554432",
    );
}

#[test]
fn an_older_server_is_asked_by_name() {
    let export = b"\0\0\0\0\0\x10\0\0\0\x03";
    let unknown = reply(GO, 0x8000_0001, b"");
    let done = "done 1048576 0x3 1/4096/33554432";
    check(
        "root",
        &[FIXED, &unknown, export],
        &format!("go; name; {done}"),
    );
    let zeroes = [0; 124];
    check("root", &[PLAIN, export, &zeroes], &format!("name; {done}"));
    let no_zeroes = b"NBDMAGICIHAVEOPT\0\x02";
    check("root", &[no_zeroes, export], &format!("name; {done}"));
    let gone = "NBD server 192.0.2.1: it closes the connection when asked for export root: \
                there is none, or it may not be had";
    check("root", &[PLAIN], &format!("name; failed {gone}"));
    let short = [&export[..], &zeroes[..123]].concat();
    check("root", &[PLAIN, &short], &format!("name; failed {gone}"));
}

#[test]
fn the_exports_are_named_that_there_are_instead() {
    let unknown = reply(GO, 0x8000_0006, b"no such");
    let end = reply(LIST, 1, b"");
    let failed = "go; list; abort; failed NBD server 192.0.2.1: it has no export root";
    let long = [b'x'; 100];
    check(
        "root",
        &[
            FIXED,
            &unknown,
            &server(b"a"),
            &server(b""),
            &server(b"\n"),
            &server(&long),
            &end,
        ],
        &format!("{failed}: there are a, \"\", \\x0a, {}…", "x".repeat(64)),
    );
    check("root", &[FIXED, &unknown, &end], failed);
    for refusal in [0x8000_0001, 0x8000_0002] {
        let refused = reply(LIST, refusal, b"");
        check("root", &[FIXED, &unknown, &refused], failed);
    }
    let damaged = reply(LIST, 2, b"\0\0\0\x09a");
    check("root", &[FIXED, &unknown, &damaged], failed);
    let many = server(b"b").repeat(9);
    let names = ["b"; 8].join(", ");
    check(
        "root",
        &[FIXED, &unknown, &many],
        &format!("{failed}: there are {names} and more"),
    );
    let default = "go; list; abort; failed NBD server 192.0.2.1: it has no default export: there \
                   are a";
    check("", &[FIXED, &unknown, &server(b"a"), &end], default);
    // A server that closes the connection, or is silent, has no such export either.
    check(
        "root",
        &[FIXED, &unknown, &server(b"a")],
        &format!("{}: there are a", failed.replace("abort; ", "")),
    );
    let mut client = handshake("root");
    client.hear(Millis(6), Heard::Bytes(&[FIXED, &unknown].concat()));
    let fault = client.give_up();
    assert_eq!(fault.text, "NBD server 192.0.2.1: it has no export root");
}

#[test]
fn refusals_are_told_in_words() {
    for (number, said, words) in [
        (2, "", "it may not be had by this machine"),
        (
            2,
            "go\naway",
            "it may not be had by this machine (it says: go\\x0aaway)",
        ),
        (3, "", "the server takes the request for a wrong one"),
        (4, "", "the server's system cannot do it"),
        (5, "", "it may be had by TLS only, which is not supported"),
        (7, "", "the server is shutting down"),
        (8, "", "the server insists on block sizes it does not tell"),
        (9, "", "the server takes the request for a wrong one"),
        (99, "x", "for a reason that is not known here (it says: x)"),
    ] {
        let refused = reply(GO, 0x8000_0000 + number, said.as_bytes());
        check(
            "root",
            &[FIXED, &refused],
            &format!("go; abort; failed NBD server 192.0.2.1: it refuses export root: {words}"),
        );
    }
    let long = reply(GO, 0x8000_0002, &[b'x'; 5000]);
    let told = conversation("", &[FIXED, &long].concat(), || 1000);
    assert!(told.contains("refuses its default export") && told.len() < 500);
}

#[test]
fn what_is_no_server_or_an_old_one_is_known() {
    let failed = "failed NBD server 192.0.2.1: ";
    for (bytes, why) in [
        (
            &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
            "it is none: it begins with \"SSH-2.0-\"",
        ),
        (
            b"NBDMAGICwhatever",
            "it is none: it begins with \"NBDMAGIC\"",
        ),
        (
            b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0\0\0\0\x10\0\0",
            "it speaks the oldstyle handshake, which is not supported",
        ),
        (
            b"",
            "it closes the connection before it greets: it may not want this machine",
        ),
        (
            b"NBDM",
            "it closes the connection before it greets: it may not want this machine",
        ),
    ] {
        check("root", &[bytes], &format!("{failed}{why}"));
    }
    let closes = "go; failed NBD server 192.0.2.1: it closes the connection when asked for export \
                  root";
    check("root", &[FIXED], closes);
    check("root", &[FIXED, &size(1)], closes);
}

#[test]
fn answers_that_make_no_sense_end_it() {
    let failed = "go; abort; failed NBD server 192.0.2.1: ";
    for (pieces, why) in [
        (vec![ack()], "it does not say how large the export is"),
        (vec![b"HTTP/1.1".to_vec()], "its answer is not one of NBD's"),
        (vec![reply(LIST, 1, b"")], "it answers what was not asked"),
        (
            vec![reply(GO, 3, b"\0\0\0")],
            "what it says of the export is cut off",
        ),
        (vec![reply(GO, 3, b"\0\x01"); 65], "it answers without end"),
        (
            vec![size(1), blocks(3, 4096, 1 << 25), ack()],
            "its blocks are of an impossible size: from 3 to 33554432 bytes",
        ),
        (
            vec![reply(GO, 3, b"\0\0\0\0\0\0\0\0\x01\xff\0\x01"), ack()],
            "export root has an impossible size of 511 bytes",
        ),
        (
            vec![reply(GO, 3, b"\0\0\x80\0\0\0\0\0\0\0\0\x01"), ack()],
            "export root has an impossible size of 9223372036854775808 bytes",
        ),
    ] {
        let bytes = [FIXED.to_vec(), pieces.concat()];
        check("root", &[&bytes[0], &bytes[1]], &format!("{failed}{why}"));
    }
    let longest = reply(GO, 3, &[1; reply::DATA_MAX + 1]);
    let bytes = [FIXED, &longest].concat();
    let told = conversation("root", &bytes, || 4096);
    assert_eq!(
        told,
        format!("{failed}its answer is longer than any of NBD's")
    );
    let mut client = handshake("root");
    let more = [FIXED, &size(1), &ack(), b"x"].concat();
    let steps = client.hear(Millis(6), Heard::Bytes(&more));
    let last = steps.last().map(said).unwrap_or_default();
    assert!(last.ends_with("it says more than belongs to the handshake"));
}

#[test]
fn the_time_of_all_answers_is_bounded() {
    for (bytes, why) in [
        (&b"NBD"[..], "it does not greet"),
        (FIXED, "it does not answer"),
    ] {
        let mut client = handshake("root");
        client.hear(Millis(6), Heard::Bytes(bytes));
        assert_eq!(client.hear(Millis(4 + PATIENCE_MS), Heard::Timer), []);
        let steps = client.hear(Millis(5 + PATIENCE_MS), Heard::Timer);
        let expected = format!("NBD server 192.0.2.1: {why}");
        assert_eq!(steps, [Step::Failed(Fault::plain(expected))]);
        assert_eq!(client.deadline(), None);
    }
    let mut client = Handshake::new(Options {
        export: "x".repeat(NAME_MAX + 1),
        ..Options::default()
    });
    let steps = client.start(Millis(0));
    assert!(matches!(steps.as_slice(), [Step::Failed(_)]));
    assert_eq!(client.hear(Millis(0), Heard::Bytes(FIXED)), []);
}

#[test]
fn no_damage_and_no_cut_does_harm() {
    let unknown = reply(GO, 0x8000_0006, b"no such");
    let seeds = [
        [FIXED, &size(0x10d), &blocks(512, 4096, 1 << 25), &ack()].concat(),
        [
            FIXED,
            &unknown,
            &server(b"a"),
            &server(b"b"),
            &reply(LIST, 1, b""),
        ]
        .concat(),
        [PLAIN, b"\0\0\0\0\0\x10\0\0\0\x03", &[0; 124]].concat(),
        [
            FIXED,
            &reply(GO, 0x8000_0001, b""),
            b"\0\0\0\0\0\x10\0\0\0\x03",
        ]
        .concat(),
    ];
    for seed in &seeds {
        for length in 0..seed.len() {
            let told = conversation("root", &seed[..length], || usize::MAX);
            assert!(
                told.contains("failed NBD server 192.0.2.1: "),
                "{length} {told}"
            );
        }
    }
    let mut dice = 1u64;
    let mut roll = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) as usize
    };
    for round in 0..20_000usize {
        let mut bytes = seeds[round % 4].clone();
        for _ in 0..=round % 3 {
            let at = roll() % bytes.len();
            bytes[at] = roll() as u8;
        }
        // Bytes behind the end are only seen if they come with it.
        let whole = conversation("root", &bytes, || usize::MAX);
        let cut = conversation("root", &bytes, &mut roll);
        assert!(
            whole == cut || whole.contains("it says more"),
            "{whole} {cut}"
        );
    }
}
