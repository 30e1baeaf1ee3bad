//! A volume group written by hand as lvm writes it: what is made of it, of its like, and of ruins.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::area::HEADER;
use super::group::Group;
use super::label::{Extent, Label, SECTOR};
use super::name::Id;
use super::survey::{Found, Known, examine, named, survey};
use super::table::{Mapping, Stack, Word, stack};
use super::through::{size, through};
use crate::base::text::Text;
use crate::format::identity::lvm_sum;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const HEAD: &str = r#"my-vg {
id = "vgvgvg-vgvg-vgvg-vgvg-vgvg-vgvg-vgvgvg"
seqno = 7
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = 8
physical_volumes {
pv0 { id = "AAAAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA"
 pe_start = 2048
 pe_count = 100 }
pv1 { id = "BBBBBB-BBBB-BBBB-BBBB-BBBB-BBBB-BBBBBB"
 pe_start = 4096
 pe_count = 100 }
}
logical_volumes {
"#;

/// Name, visible, and the inside of its segments.
const VOLUMES: &[(&str, bool, &[&str])] = &[
    (
        "two",
        true,
        &[
            "start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv0\", 5]",
            "start_extent = 2 extent_count = 3 type = \"striped\" stripes = [\"pv1\", 0]",
        ],
    ),
    (
        "st-riped",
        true,
        &[
            "start_extent = 0 extent_count = 4 type = \"striped\" stripe_size = 4 \
           stripes = [\"pv0\", 10, \"pv1\", 20]",
        ],
    ),
    (
        "old",
        true,
        &[
            "start_extent = 0 extent_count = 2 type = \"mirror\" region_size = 1024 \
           mirrors = [\"i0\", 0, \"i1\", 0]",
        ],
    ),
    (
        "safe",
        true,
        &[
            "start_extent = 0 extent_count = 2 type = \"raid1\" region_size = 4096 \
           raids = [\"m0\", \"i0\", \"m1\", \"i1\"]",
        ],
    ),
    (
        "ten",
        true,
        &[
            "start_extent = 0 extent_count = 4 type = \"raid10\" data_copies = 2 stripe_size = 4 \
           region_size = 4096 raids = [\"m0\", \"i0\", \"m1\", \"i1\", \"m2\", \"i0b\", \"m3\", \"i1b\"]",
        ],
    ),
    (
        "five",
        true,
        &[
            "start_extent = 0 extent_count = 4 type = \"raid5_n\" stripe_size = 4 \
           raids = [\"m0\", \"i0\", \"m1\", \"i1\", \"m3\", \"i1b\"]",
        ],
    ),
    (
        "pool",
        true,
        &[
            "start_extent = 0 extent_count = 2 type = \"thin-pool\" metadata = \"m0\" pool = \"i0\" \
           transaction_id = 1 chunk_size = 128",
        ],
    ),
    (
        "thin",
        true,
        &["start_extent = 0 extent_count = 9 type = \"thin\" thin_pool = \"pool\" device_id = 3"],
    ),
    (
        "i0",
        false,
        &["start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv0\", 30]"],
    ),
    (
        "i1",
        false,
        &["start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv1\", 30]"],
    ),
    (
        "i0b",
        false,
        &["start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv0\", 60]"],
    ),
    (
        "i1b",
        false,
        &["start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv1\", 60]"],
    ),
    (
        "m0",
        false,
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv0\", 40]"],
    ),
    (
        "m1",
        false,
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv1\", 40]"],
    ),
    (
        "m2",
        false,
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv0\", 50]"],
    ),
    (
        "m3",
        false,
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv1\", 50]"],
    ),
];

fn text() -> String {
    let mut out = String::from(HEAD);
    for (number, (name, visible, segments)) in VOLUMES.iter().enumerate() {
        let status = if *visible {
            "\"READ\", \"WRITE\", \"VISIBLE\""
        } else {
            "\"READ\", \"WRITE\""
        };
        let id = format!("{number:0>32}");
        let count = segments.len();
        out += &format!("{name} {{ id = \"{id}\" status = [{status}] segment_count = {count}\n");
        for (at, segment) in segments.iter().enumerate() {
            out += &format!("segment{} {{ {segment} }}\n", at + 1);
        }
        out += "}\n";
    }
    out + "}\n}\ncontents = \"Text Format Volume Group\"\nversion = 1\n"
}

fn group() -> Group {
    Group::parse(text().as_bytes()).expect("a volume group")
}

fn id(letter: char) -> Id {
    Id::parse(&Text::from(letter.to_string().repeat(32))).expect("letters")
}

fn has_all(_: &Id) -> bool {
    true
}

fn has_a(found: &Id) -> bool {
    *found == id('A')
}

/// `name: kind words` of each line.
fn lines(stack: &Stack) -> Vec<String> {
    let word = |word: &Word| match word {
        Word::Text(text) => text.clone(),
        Word::Physical(id) => id.plain()[..1].into(),
        Word::Device(name) => format!("<{name}>"),
        Word::Keyed(key, name) => format!("{key}:<{name}>"),
    };
    let of = |mapping: &Mapping| {
        let line = mapping.targets.iter().map(|t| {
            let words: Vec<_> = t.words.iter().map(word).collect();
            let name = &mapping.name;
            let line = format!(
                "{name}: {} {} {} {}",
                t.start,
                t.length,
                t.kind,
                words.join(" ")
            );
            line.trim_end().into()
        });
        line.collect::<Vec<String>>()
    };
    stack.mappings.iter().flat_map(of).collect()
}

#[test]
fn only_what_the_volume_lies_on_is_made() {
    let check = |volume: &str, expected: &[&str]| {
        let stack = stack(&group(), volume, &has_all).expect(volume);
        assert_eq!(lines(&stack), expected);
        assert!(stack.missing.is_empty());
    };
    check(
        "two",
        &[
            "my--vg-two: 0 16 linear A 2088",
            "my--vg-two: 16 24 linear B 4096",
        ],
    );
    check(
        "st-riped",
        &["my--vg-st--riped: 0 32 striped 2 4 A 2128 B 4256"],
    );
    check(
        "safe",
        &[
            "my--vg-m0: 0 8 linear A 2368",
            "my--vg-i0: 0 16 linear A 2288",
            "my--vg-m1: 0 8 linear B 4416",
            "my--vg-i1: 0 16 linear B 4336",
            "my--vg-safe: 0 16 raid raid1 3 0 region_size 4096 2 \
             <my--vg-m0> <my--vg-i0> <my--vg-m1> <my--vg-i1>",
        ],
    );
}

#[test]
fn a_missing_volume_degrades_what_can_do_without() {
    let stack_of = |volume: &str| stack(&group(), volume, &has_a);
    let safe = stack_of("safe").unwrap();
    assert_eq!(safe.missing, [id('B')]);
    assert_eq!(safe.physical(), [id('A')]);
    let shown = lines(&safe);
    assert_eq!(shown[2], "my--vg-m1-missing_0_0: 0 8 error");
    assert_eq!(shown[3], "my--vg-m1: 0 8 linear <my--vg-m1-missing_0_0> 0");
    let refused = |volume: &str, expected: &str| {
        let why = stack_of(volume).unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    refused(
        "two",
        "physical volume BBBBBB-BBBB-BBBB-BBBB-BBBB-BBBB-BBBBBB is missing",
    );
    refused("old", "is missing");
    refused(
        "five",
        "1 of 3 images of volume five are there, which is not enough for raid5_n",
    );
    refused("none", "my-vg has no volume none");
    assert!(stack_of("ten").is_ok() && stack_of("thin").is_ok());
}

#[test]
fn bytes_are_found_where_the_volume_has_them() {
    let group = group();
    let look = |volume: &str, at: u64, length: u64, present: &dyn Fn(&Id) -> bool| {
        let found = through(&group, volume, present)?.pieces(at, length)?;
        let piece = |p: &crate::format::through::Piece<Id>| {
            format!(
                "{}{}+{}",
                &p.on.plain()[..1],
                p.offset / 512,
                p.length / 512
            )
        };
        Some(found.iter().map(piece).collect::<Vec<_>>().join(" "))
    };
    let check = |volume: &str, at: u64, length: u64, expected: &str| {
        let found = look(volume, at * 512, length * 512, &has_all);
        assert_eq!(found.as_deref(), Some(expected), "{volume}");
    };
    check("two", 0, 40, "A2088+16 B4096+24");
    check("st-riped", 2, 12, "A2130+2 B4256+4 A2132+4 B4260+2");
    check("safe", 3, 4, "A2291+4");
    check("old", 3, 4, "A2291+4");
    // Two copies side by side: stripe 0 on the first two, stripe 1 on the last two.
    check("ten", 0, 12, "A2288+4 A2528+4 A2292+4");
    let only_b = |volume| look(volume, 0, 512 * 8, &|found| *found == id('B'));
    assert_eq!(only_b("safe").as_deref(), Some("B4336+8"));
    assert_eq!(only_b("ten").as_deref(), Some("B4336+4 B4576+4"));
    let nothing = |volume| assert_eq!(look(volume, 0, 512, &has_all), None);
    ["thin", "pool", "none"].into_iter().for_each(nothing);
    // Parity on the last image, and two of data: with one of these missing nothing is seen.
    assert!(look("five", 0, 512 * 8, &has_all).is_some());
    assert_eq!(look("five", 0, 512, &has_a), None);
    assert_eq!(look("two", 39 * 512, 1024, &has_all), None);
    assert_eq!(look("two", 39 * 512, 512, &has_a), None);
    assert_eq!(size(&group, group.logical("two").unwrap()), Some(40 * 512));
}

/// A device with a label, two metadata areas, and these texts in them; the second wraps round.
fn device(letter: char, texts: [&str; 2]) -> Vec<u8> {
    const AREAS: [Extent; 2] = [
        Extent {
            offset: 4096,
            size: 32_768,
        },
        Extent {
            offset: 65_536,
            size: 32_768,
        },
    ];
    let mut disk = alloc::vec![0u8; 128 * 1024];
    let label = &mut disk[SECTOR..2 * SECTOR];
    label[..8].copy_from_slice(b"LABELONE");
    label[8] = 1;
    label[20] = 32;
    label[24..32].copy_from_slice(b"LVM2 001");
    label[32..64].fill(letter as u8);
    for (at, area) in AREAS.iter().enumerate() {
        let at = 72 + 16 + 16 * at;
        label[at..at + 8].copy_from_slice(&area.offset.to_le_bytes());
        label[at + 8..at + 16].copy_from_slice(&area.size.to_le_bytes());
    }
    let sum = lvm_sum(&label[20..]);
    label[16..20].copy_from_slice(&sum.to_le_bytes());
    for ((area, text), start) in AREAS.iter().zip(texts).zip([512u64, 32_000]) {
        write_area(&mut disk, *area, text.as_bytes(), start);
    }
    disk
}

fn write_area(disk: &mut [u8], area: Extent, text: &[u8], start: u64) {
    let base = area.offset as usize;
    for (at, byte) in text.iter().enumerate() {
        let mut place = start as usize + at;
        if place >= area.size as usize {
            place = place - area.size as usize + HEADER;
        }
        disk[base + place] = *byte;
    }
    let header = &mut disk[base..base + HEADER];
    header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
    header[20] = 1;
    header[24..32].copy_from_slice(&area.offset.to_le_bytes());
    header[32..40].copy_from_slice(&area.size.to_le_bytes());
    header[40..48].copy_from_slice(&start.to_le_bytes());
    header[48..56].copy_from_slice(&(text.len() as u64).to_le_bytes());
    header[56..60].copy_from_slice(&lvm_sum(text).to_le_bytes());
    let sum = lvm_sum(&header[4..]);
    header[..4].copy_from_slice(&sum.to_le_bytes());
}

fn look_at(disk: &[u8]) -> Option<Found> {
    examine(&mut |at: Extent| {
        let from = usize::try_from(at.offset).ok()?;
        let to = from.checked_add(usize::try_from(at.size).ok()?)?;
        disk.get(from..to).map(<[u8]>::to_vec)
    })
}

fn numbered(sequence: u32) -> String {
    text().replace("seqno = 7", &format!("seqno = {sequence}"))
}

#[test]
fn the_newest_text_that_is_whole_counts() {
    let (old, new) = (numbered(6), numbered(7));
    let sequence = |found: &Found| found.group.as_ref().map(|g| g.sequence);
    let both = device('A', [&old, &new]);
    let found = look_at(&both).expect("a physical volume");
    assert_eq!((sequence(&found), found.faults.len()), (Some(7), 0));
    // The second text wraps: its end lies at the start of its ring.
    let mut torn = both.clone();
    torn[65_536 + HEADER + 10] ^= 1;
    let found = look_at(&torn).expect("a physical volume");
    assert_eq!(sequence(&found), Some(6));
    assert!(
        found.faults[0].contains("checksum of the metadata text"),
        "{:?}",
        found.faults
    );
    torn[4096 + 30] ^= 1;
    let found = look_at(&torn).expect("a physical volume");
    assert_eq!((sequence(&found), found.faults.len()), (None, 2));
    torn[SECTOR + 40] ^= 1;
    assert_eq!(look_at(&torn), None);
}

fn found(letter: char, text: Option<&str>) -> Found {
    Found {
        label: Label {
            id: id(letter),
            device_size: 0,
            metadata_areas: Vec::new(),
            used: true,
        },
        group: text.map(|text| Group::parse(text.as_bytes()).expect("a group").into()),
        faults: Vec::new(),
    }
}

fn groups(found: &[Found]) -> Vec<Known> {
    survey(&found.iter().collect::<Vec<_>>())
}

#[test]
fn groups_are_put_together_from_what_is_there() {
    let (old, new) = (numbered(6), numbered(7));
    let known = groups(&[
        found('B', Some(&old)),
        found('C', None),
        found('A', Some(&new)),
    ]);
    let [one] = known.as_slice() else {
        panic!("one group: {known:?}");
    };
    assert_eq!(one.group.sequence, 7);
    assert_eq!(one.devices, [(id('B'), 0), (id('A'), 2)]);
    assert_eq!((one.missing.len(), one.refusal("")), (0, None));
    // A volume without metadata is a member if the group says so.
    let known = groups(&[found('A', None), found('B', Some(&new))]);
    assert_eq!(known[0].devices.len(), 2);
    let known = groups(&[found('B', Some(&new))]);
    assert_eq!(known[0].missing, [id('A')]);
    assert!(groups(&[found('C', Some(&new))]).is_empty());
}

#[test]
fn groups_of_others_and_copies_are_left_alone() {
    let refused = |found: &[Found], expected: &str| {
        let why = named(&groups(found), "my-vg", "harbour").unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    let plain = text();
    let exported = plain.replacen("\"READ\", ", "\"EXPORTED\", \"READ\", ", 1);
    let foreign = plain.replacen("seqno", "system_id = \"quay\" seqno", 1);
    let shared = plain.replacen("seqno", "lock_type = \"sanlock\" seqno", 1);
    refused(
        &[found('A', Some(&exported))],
        "is exported: vgimport my-vg",
    );
    refused(
        &[found('A', Some(&foreign))],
        "belongs to the system \"quay\"",
    );
    refused(&[found('A', Some(&shared))], "is shared");
    refused(&[], "there is no volume group my-vg");
    let twice = [found('A', Some(&plain)), found('A', Some(&plain))];
    refused(&twice, "is there on two devices");
    let namesake = plain
        .replace("vgvgvg-vgvg", "WWWWWW-WWWW")
        .replace("AAAAAA-AAAA", "CCCCCC-AAAA");
    let other = Found {
        label: Label {
            id: Id::parse(&Text::from("CCCCCC-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA")).unwrap(),
            ..found('A', None).label
        },
        ..found('A', Some(&namesake))
    };
    refused(
        &[found('A', Some(&plain)), other.clone()],
        "two volume groups are called my-vg",
    );
    // One of them is another machine's: the name is not ambiguous.
    let known = groups(&[found('A', Some(&foreign)), other]);
    assert!(named(&known, "my-vg", "harbour").is_ok());
    assert!(named(&groups(&[found('A', Some(&foreign))]), "my-vg", "quay").is_ok());
}

/// What each volume of a group comes to, whatever the group is. Nothing may panic or grow.
fn exercise(group: &Group) {
    for lv in group.logical.iter().take(40) {
        for present in [&has_all as &dyn Fn(&Id) -> bool, &has_a] {
            if let Ok(stack) = stack(group, &lv.name, present) {
                assert!(stack.mappings.len() <= 2100);
            }
            let whole = size(group, lv).unwrap_or(0);
            for at in [0, 4096, whole.saturating_sub(512)] {
                let through = through(group, &lv.name, present);
                if let Some(found) = through.and_then(|t| t.pieces(at, 65_536)) {
                    assert!(found.len() <= 4096);
                }
            }
        }
    }
}

#[test]
fn no_text_makes_it_panic() {
    let mut seed = 7u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let good = text();
    let words: Vec<&str> = good.split_inclusive(' ').collect();
    let odd = [
        "-1 ",
        "18446744073709551615 ",
        "9223372036854775807 ",
        "0 ",
        "\"pv0\" ",
        "} ",
        "{ ",
    ];
    for _ in 0..1500 {
        let mut mutant: Vec<&str> = words.clone();
        for _ in 0..=next(5) {
            let (at, from) = (next(mutant.len()), next(words.len()));
            match next(4) {
                0 => mutant[at] = words[from],
                1 => mutant[at] = odd[next(odd.len())],
                2 => mutant.swap(at, 0),
                _ => drop(mutant.remove(at)),
            }
        }
        let mut bytes = mutant.concat().into_bytes();
        if next(3) == 0 {
            let at = next(bytes.len());
            bytes[at] = next(256) as u8;
        }
        if let Ok(group) = Group::parse(&bytes) {
            exercise(&group);
        }
    }
}

/// Volumes that lie on themselves, in as many ways as fit: an answer comes all the same.
#[test]
fn volumes_on_themselves_come_to_an_end() {
    let names: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
    for kind in ["raid1", "mirror", "striped"] {
        let mut text = String::from(HEAD);
        for name in &names {
            let id = format!("{name:0>32}");
            let key = match kind {
                "raid1" => "raids",
                "mirror" => "mirrors",
                _ => "stripes",
            };
            let all: Vec<String> = names
                .iter()
                .map(|n| {
                    if kind == "raid1" {
                        format!("\"{n}\"")
                    } else {
                        format!("\"{n}\", 0")
                    }
                })
                .collect();
            text += &format!(
                "{name} {{ id = \"{id}\" segment_count = 1 segment1 {{ start_extent = 0 \
                 extent_count = 1000 type = \"{kind}\" stripe_size = 1 {key} = [{}] }} }}\n",
                all.join(", ")
            );
        }
        exercise(&Group::parse((text + "}\n}\n").as_bytes()).expect("a group"));
    }
}

#[test]
fn a_device_of_any_bytes_is_examined() {
    let mut seed = 3u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let (old, new) = (numbered(6), numbered(7));
    let good = device('A', [&old, &new]);
    for round in 0..2000 {
        let mut disk = good.clone();
        for _ in 0..=next(3) {
            let base = [SECTOR, 4096, 65_536][next(3)];
            let at = base + next(120);
            disk[at] = [0, 0xff, next(256) as u8][next(3)];
        }
        if round % 2 == 0 {
            let sum = lvm_sum(&disk[SECTOR + 20..2 * SECTOR]);
            disk[SECTOR + 16..SECTOR + 20].copy_from_slice(&sum.to_le_bytes());
            for base in [4096, 65_536] {
                let sum = lvm_sum(&disk[base + 4..base + HEADER]);
                disk[base..base + 4].copy_from_slice(&sum.to_le_bytes());
            }
        }
        if let Some(found) = look_at(&disk) {
            assert!(found.faults.len() <= 8);
            survey(&[&found]);
        }
    }
}
