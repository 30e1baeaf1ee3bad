//! Logins at targets that are plain, strict, gone, odd, or none. Bytes are from the document.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::format::iscsi::chap::Algorithm;

const NAME: &str = "iqn.2026-01.com.example:disk";
const SECURITY: u8 = 0;
const OPERATIONAL: u8 = 1;
const ON: u8 = 0x80;

fn options() -> Options {
    Options {
        server: "192.0.2.1:3260".into(),
        target: NAME.into(),
        initiator: "iqn.2026-01.com.example:me".into(),
        isid: [0x80, 1, 2, 3, 0, 0],
        challenge: alloc::vec![0xc1; 16],
        ..Options::default()
    }
}

fn with_user(user_in: Option<&str>) -> Options {
    Options {
        user: Some("me".into()),
        user_in: user_in.map(String::from),
        ..options()
    }
}

/// A response in this stage; with [`ON`], it goes on to the next.
fn response(stage: u8, list: &str) -> Vec<u8> {
    let current = stage & 3;
    let next = match (stage & ON, current) {
        (0, _) => 0,
        (_, 0) => 1,
        _ => 3,
    };
    let list = list.replace(' ', "\0");
    let mut bytes = alloc::vec![0x23, stage & 0xc0 | current << 2 | next, 0, 0, 0, 0, 0];
    bytes.push(u8::try_from(list.len()).unwrap());
    bytes.extend([0x80, 1, 2, 3, 0, 0, 0x12, 0x34]);
    bytes.extend([0; 8]);
    // StatSN 9, ExpCmdSN 1, MaxCmdSN 32.
    bytes.extend(b"\0\0\0\x09\0\0\0\x01\0\0\0\x20");
    bytes.resize(48, 0);
    bytes.extend(list.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn refusal(class: u8, detail: u8, list: &str) -> Vec<u8> {
    let mut bytes = response(SECURITY, list);
    (bytes[36], bytes[37]) = (class, detail);
    bytes
}

fn begun(options: Options) -> (Login, Vec<Step>) {
    let mut login = Login::new(options);
    assert_eq!((login.deadline(), login.wanted()), (None, 0));
    let steps = login.start(Millis(5));
    assert_eq!(login.deadline(), Some(Millis(5 + PATIENCE_MS)));
    assert_eq!(login.wanted(), 48);
    (login, steps)
}

/// Everything that comes of what a target says, in pieces of `at_once` bytes. Who proves, and who
/// judges, are both right.
fn run(options: Options, said: &[u8], at_once: usize) -> Vec<Step> {
    let (mut login, mut all) = begun(options);
    for piece in said.chunks(at_once.max(1)) {
        let mut steps = login.hear(Millis(6), Heard::Bytes(piece));
        while !steps.is_empty() {
            all.append(&mut steps);
            steps = match all.last() {
                Some(Step::Prove(_)) => login.hear(Millis(6), Heard::Proof(&[0xaa; 32])),
                Some(Step::Verify { .. }) => login.hear(Millis(6), Heard::Verified(true)),
                _ => Vec::new(),
            };
        }
    }
    all
}

/// What is sent, as flags and text with blanks; the end, as words.
fn shown(steps: &[Step]) -> Vec<String> {
    let show = |step: &Step| match step {
        Step::Send(bytes) => {
            assert_eq!(bytes[0], 0x43);
            assert_eq!(bytes[8..14], [0x80, 1, 2, 3, 0, 0]);
            let length = usize::from(bytes[6]) << 8 | usize::from(bytes[7]);
            let list = core::str::from_utf8(&bytes[48..48 + length]).unwrap();
            format!("{:02x} {}", bytes[1], list.replace('\0', " "))
        }
        Step::Prove(question) => {
            let Question {
                algorithm,
                identifier,
                challenge,
            } = question;
            format!("prove {algorithm:?} {identifier} {challenge:?}")
        }
        Step::Verify { question, answer } => {
            let (number, length) = (question.identifier, answer.len());
            assert_eq!(question.challenge, [0xc1; 16]);
            format!("verify {number} {length}")
        }
        Step::Done(agreed) => {
            let Negotiated {
                tsih,
                cmd_sn,
                exp_stat_sn,
                max_xmit,
                ..
            } = **agreed;
            format!("done {tsih:x} {cmd_sn} {exp_stat_sn} {max_xmit}")
        }
        Step::Moved(address) => format!("moved {address}"),
        Step::Failed(fault) => format!("failed {} {}", fault.errno, fault.text),
    };
    steps.iter().map(show).collect()
}

fn check(options: Options, said: &[Vec<u8>], expected: &[&str]) {
    let said = said.concat();
    let whole = run(options.clone(), &said, said.len());
    let shown = shown(&whole);
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (found, expected) in shown.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    for at_once in [1, 3, 47, 48, 49] {
        assert_eq!(run(options.clone(), &said, at_once), whole, "{at_once}");
    }
}

const HELLO: &str = "InitiatorName=iqn.2026-01.com.example:me TargetName=iqn.2026-01.com.example:disk \
                     SessionType=Normal AuthMethod=";

fn hello(flags: &str, method: &str) -> String {
    format!("{flags} {HELLO}{method} ")
}

#[test]
fn a_plain_login_has_two_questions() {
    check(
        options(),
        &[
            response(SECURITY | ON, "AuthMethod=None TargetPortalGroupTag=1 "),
            response(
                OPERATIONAL | ON,
                "MaxRecvDataSegmentLength=65536 InitialR2T=No ",
            ),
        ],
        &[
            &hello("81", "None"),
            "87 HeaderDigest=None,CRC32C ",
            "done 1234 1 10 65536",
        ],
    );
}

#[test]
fn targets_that_take_their_time_are_waited_for() {
    check(
        options(),
        &[
            response(SECURITY, "AuthMethod=None "),
            response(SECURITY | ON, ""),
            response(OPERATIONAL, "X-odd=1 OFMarker=No "),
            response(OPERATIONAL | ON, ""),
        ],
        &[
            &hello("81", "None"),
            "81 ",
            "87 HeaderDigest=",
            "87 X-odd=NotUnderstood OFMarker=No ",
            "done 1234 1 10 8192",
        ],
    );
}

#[test]
fn lists_may_go_on_in_the_next_message() {
    let mut news = response(SECURITY, "");
    news[0] = 0x32;
    check(
        options(),
        &[
            response(SECURITY | 0x40, "AuthMethod=No"),
            news,
            response(SECURITY | ON, "ne TargetAlias=a "),
            response(OPERATIONAL | ON, ""),
        ],
        &[&hello("81", "None"), "81 ", "87 Header", "done"],
    );
    let endless = alloc::vec![response(SECURITY | 0x40, ""); 40];
    let found = shown(&run(options(), &endless.concat(), 4096));
    assert!(found.last().unwrap().ends_with("it answers without end"));
    assert_eq!(found.len(), 34);
}

fn challenge() -> Vec<u8> {
    response(SECURITY, "CHAP_A=5 CHAP_I=7 CHAP_C=0x0102 ")
}

#[test]
fn this_machine_proves_who_it_is() {
    check(
        with_user(None),
        &[
            response(SECURITY, "AuthMethod=CHAP "),
            challenge(),
            response(SECURITY | ON, ""),
            response(OPERATIONAL | ON, ""),
        ],
        &[
            &hello("00", "CHAP,None"),
            "00 CHAP_A=8,6,5,7 ",
            "prove Md5 7 [1, 2]",
            "81 CHAP_N=me CHAP_R=0xaaaaaaaa",
            "87 Header",
            "done",
        ],
    );
    // A target that does not care.
    check(
        with_user(None),
        &[
            response(SECURITY, "AuthMethod=None "),
            response(SECURITY | ON, ""),
            response(OPERATIONAL | ON, ""),
        ],
        &[&hello("00", "CHAP,None"), "81 ", "87 Header", "done"],
    );
    check(
        with_user(None),
        &[
            response(SECURITY, "AuthMethod=CHAP "),
            challenge(),
            refusal(2, 1, ""),
        ],
        &[
            &hello("00", "CHAP,None"),
            "00 CHAP_A",
            "prove",
            "81 CHAP_N",
            "failed 13 iSCSI target iqn.2026-01.com.example:disk at 192.0.2.1:3260: \
             authentication failed: see user and password",
        ],
    );
}

/// What comes of a target's proof, or of what it says instead.
fn after_proof(last: &str) -> Vec<String> {
    let said = [
        response(SECURITY, "AuthMethod=CHAP "),
        response(SECURITY, "CHAP_A=7 CHAP_I=255 CHAP_C=0bAQI= "),
        response(SECURITY | ON, last),
        response(OPERATIONAL | ON, ""),
    ];
    let steps = run(with_user(Some("them")), &said.concat(), 4096);
    shown(&steps)
}

#[test]
fn the_target_proves_who_it_is() {
    let right = format!("CHAP_N=them CHAP_R=0x{} ", "bb".repeat(32));
    let found = after_proof(&right);
    assert_eq!(found[0], hello("00", "CHAP"));
    assert_eq!(found[2], "prove Sha256 255 [1, 2]");
    assert!(found[3].ends_with("CHAP_I=0 CHAP_C=0xc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 "));
    assert_eq!(found[4], "verify 0 32");
    assert_eq!(found.last().unwrap(), "done 1234 1 10 8192");
    for (last, why) in [
        (String::new(), "it does not prove who it is"),
        (
            format!("CHAP_N=them CHAP_R=0x{} ", "bb".repeat(16)),
            "wrong length",
        ),
        (
            right.replace("them", "me"),
            "it is somebody else: it calls itself \"me\"",
        ),
        (right.replace("bb", "aa"), "own answer back: a reflection"),
        (right.replace("0x", ""), "wrong length"),
    ] {
        let found = after_proof(&last);
        let end = found.last().unwrap();
        assert!(end.starts_with("failed 13") && end.contains(why), "{end}");
    }
    let (mut login, _) = begun(with_user(Some("them")));
    for said in [response(SECURITY, "AuthMethod=CHAP "), challenge()] {
        login.hear(Millis(6), Heard::Bytes(&said));
    }
    assert_eq!(login.wanted(), 0);
    login.hear(Millis(6), Heard::Proof(&[1; 16]));
    let proof = format!("CHAP_N=them CHAP_R=0x{} ", "bb".repeat(16));
    let steps = login.hear(Millis(6), Heard::Bytes(&response(SECURITY | ON, &proof)));
    assert_eq!(shown(&steps), ["verify 8 16"]);
    let steps = login.hear(Millis(6), Heard::Verified(false));
    assert!(shown(&steps)[0].contains("it does not know its password"));
}

#[test]
fn a_target_that_cannot_be_trusted_gets_no_answer() {
    let chap = || response(SECURITY, "AuthMethod=CHAP ");
    let reflected = format!("CHAP_A=5 CHAP_I=1 CHAP_C=0x{} ", "c1".repeat(16));
    for (options, said, why) in [
        (
            with_user(Some("them")),
            alloc::vec![chap(), response(SECURITY, &reflected)],
            "a reflection",
        ),
        (
            with_user(Some("them")),
            alloc::vec![response(SECURITY, "AuthMethod=None ")],
            "it does not prove who it is",
        ),
        (
            options(),
            alloc::vec![response(SECURITY, "AuthMethod=CHAP ")],
            "a user and a password are missing",
        ),
        (
            with_user(None),
            alloc::vec![response(SECURITY, "AuthMethod=Reject ")],
            "it does not take CHAP",
        ),
        (
            options(),
            alloc::vec![response(SECURITY, "AuthMethod=KRB5 ")],
            "not known here",
        ),
    ] {
        let steps = run(options, &said.concat(), 4096);
        let found = shown(&steps);
        let end = found.last().unwrap();
        assert!(end.starts_with("failed 13") && end.contains(why), "{end}");
        assert!(!steps.iter().any(|step| matches!(step, Step::Prove(_))));
    }
    for list in [
        "",
        "CHAP_A=9 CHAP_I=1 CHAP_C=0x01 ",
        "CHAP_A=5 CHAP_I=256 CHAP_C=0x01 ",
        "CHAP_A=5 CHAP_I=1 CHAP_C=0x ",
        "CHAP_A=5 CHAP_I=1 CHAP_C=123 ",
    ] {
        let said = [chap(), response(SECURITY, list)].concat();
        let found = shown(&run(with_user(None), &said, 4096));
        assert!(found.last().unwrap().starts_with("failed 71"), "{found:?}");
    }
}

#[test]
fn targets_move_a_few_times_only() {
    let moved = refusal(1, 1, "TargetAddress=192.0.2.9:3261,1 ");
    let hello = hello("81", "None");
    check(
        options(),
        core::slice::from_ref(&moved),
        &[&hello, "moved 192.0.2.9:3261"],
    );
    let often = Options {
        moves: MOVES_MAX,
        ..options()
    };
    let found = shown(&run(often, &moved, 4096));
    assert!(
        found[1].ends_with("it moves on and on, now to 192.0.2.9:3261"),
        "{found:?}"
    );
    let nowhere = refusal(1, 2, "TargetAddress=\u{1b}[2J ");
    let found = shown(&run(options(), &nowhere, 4096));
    assert!(
        found[1].ends_with("it has moved to no address: \"\\x1b[2J\""),
        "{found:?}"
    );
}

#[test]
fn refusals_are_told_in_words() {
    let change = |at: usize, byte: u8| {
        let mut bytes = response(SECURITY | ON, "AuthMethod=None ");
        bytes[at] = byte;
        bytes
    };
    for (said, why) in [
        (
            refusal(2, 3, ""),
            "failed 2 iSCSI target iqn.2026-01.com.example:disk at 192.0.2.1:3260: there is no such target there",
        ),
        (refusal(3, 1, ""), "failed 11"),
        (change(0, 0x3f), "it rejects the login"),
        (
            change(0, 0x20),
            "it sends what belongs to no login: type 0x20",
        ),
        (change(1, 0x87), "it is in another stage"),
        (change(1, 0x83), "a stage that is not next"),
        (change(1, 0xc1), "in the middle of what it says"),
        (change(1, 0x8b), "it answers what is no message"),
        (change(3, 1), "it answers what was not said"),
        (change(19, 1), "it answers what was not said"),
        (change(48, b'='), "no pairs of keys and values"),
        (change(48, 0xff), "no text"),
        (change(5, 1), "it says too much at once"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "it says too much at once",
        ),
    ] {
        let steps = run(options(), &said, said.len());
        let found = shown(&steps);
        let end = found.last().unwrap();
        assert!(
            end.starts_with("failed") && end.contains(why),
            "{end}\n{why}"
        );
    }
    // Nobody asked for the next stage.
    let said = [response(SECURITY | ON, "AuthMethod=CHAP ")].concat();
    let found = shown(&run(with_user(None), &said, 4096));
    assert!(found[1].contains("a stage that is not next"), "{found:?}");
    let first = response(SECURITY | ON, "AuthMethod=None ");
    let last = response(OPERATIONAL | ON, "");
    let more = [&first[..], &last, b"x"].concat();
    let found = shown(&run(options(), &more, 4096));
    assert!(
        found[2].contains("it says more than belongs to the login"),
        "{found:?}"
    );
    let impossible = response(OPERATIONAL | ON, "MaxBurstLength=1 ");
    let found = shown(&run(options(), &[first, impossible].concat(), 4096));
    assert!(
        found[2].contains("MaxBurstLength by 1, which is impossible"),
        "{found:?}"
    );
}

#[test]
fn silence_and_a_closed_connection_end_it() {
    let first = response(SECURITY | ON, "AuthMethod=None ");
    for (said, closed, silent) in [
        (
            &[][..],
            "104 iSCSI target iqn.2026-01.com.example:disk at 192.0.2.1:3260: it closes the connection at once",
            "it does not answer",
        ),
        (
            &first,
            "it closes the connection during the login",
            "it does not end the login",
        ),
    ] {
        let (mut login, _) = begun(options());
        login.hear(Millis(6), Heard::Bytes(said));
        let steps = login.hear(Millis(6), Heard::Closed);
        assert!(shown(&steps)[0].contains(closed), "{steps:?}");
        assert_eq!(login.hear(Millis(7), Heard::Closed), []);
        let (mut login, _) = begun(options());
        login.hear(Millis(6), Heard::Bytes(said));
        assert_eq!(login.hear(Millis(7), Heard::Timer), []);
        let steps = login.hear(Millis(5 + PATIENCE_MS), Heard::Timer);
        let found = shown(&steps);
        assert!(
            found[0].starts_with("failed 110") && found[0].ends_with(silent),
            "{found:?}"
        );
        assert_eq!(login.deadline(), None);
        assert!(login.give_up().text.contains(silent));
    }
    let (mut login, _) = begun(with_user(None));
    let steps = login.hear(Millis(6), Heard::Verified(true));
    assert!(shown(&steps)[0].contains("nobody asked for"));
}

#[test]
fn no_more_is_read_than_belongs_to_the_login() {
    let (mut login, _) = begun(options());
    let said = [
        response(SECURITY | ON, "AuthMethod=None "),
        response(OPERATIONAL | ON, "TargetAlias=x "),
        b"what the kernel shall hear".to_vec(),
    ]
    .concat();
    let mut rest = &said[..];
    let mut pieces = 0;
    while login.deadline().is_some() {
        let (piece, behind) = rest.split_at(login.wanted());
        login.hear(Millis(6), Heard::Bytes(piece));
        rest = behind;
        pieces += 1;
    }
    assert_eq!((rest, pieces), (&b"what the kernel shall hear"[..], 4));
    assert_eq!(login.wanted(), 0);
}

#[test]
fn every_prefix_and_every_damage_ends_in_a_fault_or_a_session() {
    let said = [
        response(SECURITY, "AuthMethod=CHAP "),
        challenge(),
        response(SECURITY | ON, "CHAP_N=them CHAP_R=0x"),
        response(
            OPERATIONAL | ON,
            "MaxBurstLength=65536 HeaderDigest=CRC32C ",
        ),
    ]
    .concat();
    for length in 0..said.len() {
        run(with_user(Some("them")), &said[..length], length);
    }
    let mut state = 1u32;
    let mut roll = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for _ in 0..20_000 {
        let mut bytes = said.clone();
        for _ in 0..=roll() % 3 {
            let at = roll() % bytes.len();
            bytes[at] = roll() as u8;
        }
        let at_once = 1 + roll() % 200;
        let options = with_user(Some("them").filter(|_| at_once % 2 == 0));
        let whole = run(options.clone(), &bytes, bytes.len());
        let more = |steps: &[Step]| shown(steps).concat().contains("says more");
        if !more(&whole) {
            assert_eq!(run(options, &bytes, at_once), whole);
        }
    }
}

#[test]
fn algorithms_have_their_registered_numbers() {
    let known = (0..20).filter_map(Algorithm::by_number);
    let lengths: Vec<usize> = known.map(Algorithm::answer_length).collect();
    assert_eq!(lengths, [16, 20, 32, 32]);
}
