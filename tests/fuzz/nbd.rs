//! Handshakes with servers of network block devices that say anything.

use landfall::base::millis::Millis;
use landfall::plan::talk::nbd::{Handshake, Heard, Options, Step};

/// A greeting, and what an answer begins with and holds.
pub const WORDS: &[&[u8]] = &[
    b"NBDMAGICIHAVEOPT\0\x03",
    b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x07",
    b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x03",
    b"\0\0\0\x01\0\0\0\0",
    b"\0\0\0\x02\0\0\0\x05\0\0\0\x01a",
    b"\0\0\0\x03\0\0\0\x0c\0\0\0\0\0\0\0\x10\0\0\x01\x0d",
    b"\0\0\0\x03\0\0\0\x0e\0\x03\0\0\x02\0\0\0\x10\0\x02\0\0\0",
    b"\x80\0\0\x01\0\0\0\0",
    b"\x80\0\0\x06\0\0\0\x02no",
];

/// A handshake: how much is heard at a time, 0 for all of it, and what the server says.
pub fn run(input: &[u8]) {
    let Some((cut, said)) = input.split_first() else {
        return;
    };
    let whole = handshake(said, said.len());
    if *cut > 0 {
        let pieces = handshake(said, usize::from(*cut));
        // What follows the end is only known if it comes with it.
        let more = format!("{whole:?}").contains("it says more");
        assert!(more || whole == pieces, "{whole:?}\n{pieces:?}");
    }
}

fn handshake(said: &[u8], at_once: usize) -> Vec<Step> {
    let mut client = Handshake::new(Options::default());
    let mut steps = client.start(Millis(0));
    for piece in said.chunks(at_once.max(1)) {
        steps.extend(client.hear(Millis(0), Heard::Bytes(piece)));
    }
    steps.extend(client.hear(Millis(0), Heard::Closed));
    let ends = |step: &&Step| !matches!(step, Step::Send(_));
    assert!(steps.len() <= 5 && steps.iter().filter(ends).count() == 1);
    assert!(client.deadline().is_none());
    steps
}

/// A size and its blocks; a list; an older server; one that is older still.
pub fn seeds() -> Vec<Vec<u8>> {
    let answer = |option: u8, rest: &[u8]| {
        let header = b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0";
        [&header[..], &[option], rest].concat()
    };
    let greeting: &[u8] = b"\x05NBDMAGICIHAVEOPT\0\x03";
    let size = b"\0\0\0\x03\0\0\0\x0c\0\0\0\0\0\0\0\x10\0\0\x01\x0d";
    let blocks = b"\0\0\0\x03\0\0\0\x0e\0\x03\0\0\x02\0\0\0\x10\0\x02\0\0\0";
    let end = b"\0\0\0\x01\0\0\0\0";
    let unknown = answer(7, b"\x80\0\0\x06\0\0\0\x02no");
    let listed = answer(3, b"\0\0\0\x02\0\0\0\x05\0\0\0\x01a");
    let export: &[u8] = b"\0\0\0\0\0\x10\0\0\0\x03";
    let unsupported = answer(7, b"\x80\0\0\x01\0\0\0\0");
    let oldest: &[u8] = b"\0NBDMAGICIHAVEOPT\0\0";
    vec![
        [
            greeting,
            &answer(7, size),
            &answer(7, blocks),
            &answer(7, end),
        ]
        .concat(),
        [greeting, &unknown, &listed, &listed, &answer(3, end)].concat(),
        [greeting, &unsupported, export].concat(),
        [oldest, export, &[0; 124]].concat(),
    ]
}
