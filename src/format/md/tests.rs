//! Superblocks built by hand after md_p.h, and what is made of sets of them.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::level::Level;
use super::*;
use crate::base::text::Text;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const SIZE_OF_DEVICE: u64 = 64 << 20;

/// The fields of a version 1 superblock that tests vary.
#[derive(Clone)]
struct Make {
    level: i32,
    slots: u32,
    /// By device number; the device itself is `number`.
    roles: Vec<u16>,
    number: u32,
    events: u64,
    clean: bool,
    map: u32,
    layout: u32,
    name: &'static [u8],
}

const MEMBER: Make = Make {
    level: 1,
    slots: 2,
    roles: Vec::new(),
    number: 0,
    events: 10,
    clean: true,
    map: 0,
    layout: 0,
    name: b"harbour:root",
};

fn member(level: i32, roles: &[u16], number: u32) -> Make {
    Make {
        level,
        slots: roles.iter().filter(|&&role| role < 0xff00).count() as u32,
        roles: roles.to_vec(),
        number,
        ..MEMBER
    }
}

impl Make {
    fn bytes(&self) -> Vec<u8> {
        let mut sb = alloc::vec![0u8; SIZE];
        let mut put = |at: usize, bytes: &[u8]| sb[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0xa92b_4efcu32.to_le_bytes());
        put(4, &1u32.to_le_bytes());
        put(8, &self.map.to_le_bytes());
        put(16, b"array-uuid-bytes");
        put(32, self.name);
        put(64, &0x0001_0000_0000_0042u64.to_le_bytes());
        put(72, &self.level.to_le_bytes());
        put(76, &self.layout.to_le_bytes());
        put(80, &65_536u64.to_le_bytes());
        put(88, &128u32.to_le_bytes());
        put(92, &self.slots.to_le_bytes());
        put(128, &2048u64.to_le_bytes());
        put(136, &100_000u64.to_le_bytes());
        put(144, &8u64.to_le_bytes());
        put(160, &self.number.to_le_bytes());
        put(168, b"disk-uuid-bytes!");
        put(200, &self.events.to_le_bytes());
        put(208, &if self.clean { u64::MAX } else { 0 }.to_le_bytes());
        put(220, &(self.roles.len() as u32).to_le_bytes());
        for (at, role) in self.roles.iter().enumerate() {
            put(256 + at * 2, &role.to_le_bytes());
        }
        seal(&mut sb, self.roles.len());
        sb
    }

    fn read(&self) -> Superblock {
        let found = read(Version::V1_2, &self.bytes(), SIZE_OF_DEVICE);
        found.expect("a superblock").expect("a good one")
    }
}

/// Writes the checksum: over little-endian words, a last half word included.
fn seal(sb: &mut [u8], roles: usize) {
    sb[216..220].fill(0);
    let mut total = 0u64;
    for word in sb[..256 + roles * 2].chunks(4) {
        let mut whole = [0; 4];
        whole[..word.len()].copy_from_slice(word);
        total += u64::from(u32::from_le_bytes(whole));
    }
    let folded = (total as u32).wrapping_add((total >> 32) as u32);
    sb[216..220].copy_from_slice(&folded.to_le_bytes());
}

#[test]
fn places_are_those_of_the_versions() {
    let check = |size: u64, expected: [Option<u64>; 4]| {
        assert_eq!(Version::ALL.map(|v| v.place(size)), expected, "{size}");
    };
    let mib = 1 << 20;
    check(
        mib,
        [Some(mib - 65_536), Some(mib - 8192), Some(0), Some(4096)],
    );
    let odd = mib + 5000;
    check(
        odd,
        [Some(mib - 65_536), Some(mib - 4096), Some(0), Some(4096)],
    );
    check(8192, [None, Some(0), Some(0), Some(4096)]);
    check(4000, [None; 4]);
}

#[test]
fn a_member_says_what_it_is_to_its_array() {
    let sb = member(5, &[0, 1, 2, 0xffff], 1).read();
    assert_eq!(sb.level, Level::Raid5);
    assert_eq!((sb.slots, sb.chunk, sb.size), (3, 128, 65_536));
    assert_eq!((sb.data_offset, sb.data_size), (2048, 100_000));
    assert_eq!((sb.role, sb.clean, sb.events), (Role::Active(1), true, 10));
    assert_eq!(sb.name, Text::from("harbour:root"));
    assert_eq!(sb.array.to_string(), "61727261:792d7575:69642d62:79746573");
    assert_eq!(sb.created, 0x42);
    assert_eq!(sb.working, [true, true, true]);
    let check = |make: Make, role| assert_eq!(make.read().role, role);
    check(member(5, &[0, 1, 0xffff], 2), Role::Spare);
    check(member(5, &[0, 1, 0xfffe], 2), Role::Faulty);
    check(member(5, &[0, 1, 0xfffd], 2), Role::Journal);
    check(member(5, &[0, 1], 7), Role::Spare);
    let replacing = Make {
        map: 16,
        ..member(1, &[0, 1, 1], 2)
    };
    check(replacing, Role::Replacement(1));
}

#[test]
fn a_damaged_superblock_is_refused_by_a_sentence() {
    let good = member(1, &[0, 1], 0);
    let refused = |bytes: &[u8], size: u64, expected: &str| {
        let why = read(Version::V1_2, bytes, size).unwrap().unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    let mut flipped = good.bytes();
    flipped[80] ^= 1;
    refused(&flipped, SIZE_OF_DEVICE, "checksum");
    refused(&good.bytes(), 1 << 20, "speaks of more");
    refused(&good.bytes()[..200], SIZE_OF_DEVICE, "cut short");
    let unknown = Make {
        map: 1 << 20,
        ..good.clone()
    };
    refused(&unknown.bytes(), SIZE_OF_DEVICE, "features 0x100000");
    let mut greedy = good.bytes();
    greedy[220..224].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&greedy, SIZE_OF_DEVICE, "4294967295 devices");
    let mut copy = good.bytes();
    copy[144] = 0;
    assert_eq!(read(Version::V1_2, &copy, SIZE_OF_DEVICE), None);
    assert_eq!(read(Version::V1_1, &good.bytes(), SIZE_OF_DEVICE), None);
}

/// Judges, and shows state, order, who is left and what is missing in one line.
fn verdict(members: &[Make]) -> String {
    let read: Vec<Superblock> = members.iter().map(Make::read).collect();
    let found = judge(&read.iter().collect::<Vec<_>>());
    let state = match found.state {
        State::Ready => "ready".into(),
        State::Degraded => "degraded".into(),
        State::Incomplete(why) => alloc::format!("incomplete: {why}"),
        State::Refused(why) => alloc::format!("refused: {why}"),
    };
    let rest = (found.add, found.missing, found.left);
    alloc::format!(
        "{state}; add {:?} miss {:?} left {:?}",
        rest.0,
        rest.1,
        rest.2
    )
}

fn old(make: Make, events: u64) -> Make {
    Make { events, ..make }
}

#[test]
fn arrays_start_as_soon_as_what_worked_is_there() {
    let check = |members: &[Make], expected: &str| assert_eq!(verdict(members), expected);
    let mirror = |number| member(1, &[0, 1], number);
    check(&[mirror(1), mirror(0)], "ready; add [1, 0] miss [] left []");
    check(&[mirror(1)], "degraded; add [0] miss [0] left []");
    // It knows already that the other one is gone: nothing to wait for.
    let alone = Make {
        slots: 2,
        ..member(1, &[0xfffe, 1], 1)
    };
    check(&[alone], "ready; add [0] miss [0] left []");
    // One update behind is what a crash leaves; two are too many.
    check(
        &[old(mirror(0), 9), mirror(1)],
        "ready; add [0, 1] miss [] left []",
    );
    check(
        &[old(mirror(0), 8), mirror(1)],
        "degraded; add [1] miss [0] left [(0, Stale { events: 8, newest: 10 })]",
    );
    check(
        &[],
        "incomplete: none of its members that are there holds data; \
                add [] miss [] left []",
    );
}

#[test]
fn halves_that_went_on_alone_are_never_joined() {
    let first = Make {
        slots: 2,
        ..member(1, &[0, 0xfffe], 0)
    };
    let second = Make {
        slots: 2,
        events: 12,
        ..member(1, &[0xfffe, 1], 1)
    };
    assert_eq!(
        verdict(&[first, second]),
        "ready; add [1] miss [0] left [(0, Rival)]"
    );
}

#[test]
fn spares_and_copies_find_their_place() {
    let roles = [0, 1, 2, 0xffff];
    let of = |number| Make {
        slots: 3,
        ..member(5, &roles, number)
    };
    assert_eq!(
        verdict(&[of(3), of(2), of(1), of(0)]),
        "ready; add [3, 2, 0, 1] miss [] left []"
    );
    assert_eq!(
        verdict(&[of(0), of(1), of(1), of(2)]),
        "ready; add [1, 3, 0] miss [] left [(2, Twin { of: 1 })]"
    );
    // Whoever made a copy and wrote to it: the one with more updates counts.
    assert_eq!(
        verdict(&[old(of(1), 9), of(0), of(1), of(2)]),
        "ready; add [2, 3, 1] miss [] left [(0, Twin { of: 2 })]"
    );
}

#[test]
fn what_cannot_be_computed_is_not_started() {
    let of = |number| member(5, &[0, 1, 2], number);
    let dirty = |number| Make {
        clean: false,
        ..of(number)
    };
    let check = |members: &[Make], expected: &str| {
        let found = verdict(members);
        assert!(found.starts_with(expected), "{found}");
    };
    check(&[of(0), of(2)], "degraded; add [1, 0] miss [1]");
    check(
        &[dirty(0), dirty(2)],
        "incomplete: 2 of 3 members are there, and a write",
    );
    check(
        &[of(0)],
        "incomplete: 1 of 3 members are there, which is not enough for raid5",
    );
    let parity_logged = |number| Make {
        map: 1024,
        ..dirty(number)
    };
    check(&[parity_logged(0), parity_logged(1)], "degraded");
    let journalled = |number| Make {
        map: 512,
        slots: 3,
        ..member(5, &[0, 1, 2, 0xfffd], number)
    };
    check(
        &[0, 1, 2].map(journalled),
        "incomplete: its journal is missing",
    );
    check(&[0, 1, 2, 3].map(journalled), "ready; add [1, 2, 3, 0]");
    let container = |number| member(-100, &[0, 1], number);
    check(&[0, 1].map(container), "refused: it is of container");
    let shared = |number| Make {
        map: 256,
        ..member(1, &[0, 1], number)
    };
    check(&[0, 1].map(shared), "refused: it is shared by a cluster");
    let reshaped = |number| Make {
        map: 4,
        ..of(number)
    };
    check(
        &[0, 1, 2].map(reshaped),
        "refused: it is being reshaped in place",
    );
}

#[test]
fn an_array_starts_in_the_order_of_its_slots() {
    let read: Vec<Superblock> = [1, 0].map(|n| member(1, &[0, 1], n).read()).into();
    let verdict = judge(&read.iter().collect::<Vec<_>>());
    let speaker = &read[verdict.speaker.unwrap()];
    let steps = start(speaker, &verdict, 127, &|at| Some((7, at as u32))).unwrap();
    assert_eq!(steps[1], Step::Module("md-level-1"));
    assert_eq!(steps[4], Step::SetArrayInfo { major: 1, minor: 2 });
    let add = |minor| Step::AddNewDisk { major: 7, minor };
    let ends = [add(1), add(0), Step::RunArray];
    assert_eq!(steps[5..], ends);
    assert!(is_running("read-auto\n") && !is_running("inactive\n"));
}

/// Flips, cuts and fills superblocks: whatever comes of it, nothing panics, and nothing is large.
#[test]
fn no_bytes_make_it_panic() {
    let mut seed = 1u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let naming = Naming::read(b"", b"harbour");
    let good = member(6, &[0, 1, 2, 3, 0xffff, 0xfffd], 2).bytes();
    for round in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=next(4) {
            let at = if next(2) == 0 { next(256) } else { next(SIZE) };
            bytes[at] = [0, 0xff, 0x7f, next(256) as u8][next(4)];
        }
        if round % 3 > 0 {
            seal(&mut bytes, 6);
        }
        let cut = if round % 5 == 0 { next(SIZE) } else { SIZE };
        for version in Version::ALL {
            let Some(Ok(sb)) = read(version, &bytes[..cut], SIZE_OF_DEVICE) else {
                continue;
            };
            assert!(sb.working.len() <= 1920);
            let other = member(6, &[0, 1, 2, 3], 1).read();
            let verdict = judge(&[&sb, &other]);
            start(&sb, &verdict, 0, &|at| Some((7, at as u32)));
            naming.preferred(sb.version, sb.array, &sb.name);
        }
    }
}
