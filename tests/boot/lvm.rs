//! Volume groups that lvm made: what landfall reads in them, and what it would tell
//! device-mapper, compared with what lvm told it.

use crate::lab::workshop::{self, Made, Work};
use landfall::format::lvm2::area::{self, Header};
use landfall::format::lvm2::group::Group;
use landfall::format::lvm2::label::{self, SCAN};
use landfall::format::lvm2::table::{self, Mapping, Stack, Target, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Says which devices there are, with name, UUID and mode, and each line of their tables.
const TELL: &str = r#"
tell() {
  echo "== $1"
  dmsetup table | by_name | sed 's/ *$//' | sort
  dmsetup info -c --noheadings --separator ' ' -o name,uuid,attr | sort
}
# Quicker than lvm, which would look at all disks again.
remove_all() {
  while dmsetup ls | grep -q '('; do dmsetup remove_all > /dev/null 2>&1 || :; done
}
each() {
  lvs --noheadings -o name "$1" > /tmp/volumes
  echo "== names"
  cat /tmp/volumes
  for lv in $(cat /tmp/volumes); do
    remove_all
    lvchange -qq -y -K -ay "$1/$lv"
    tell "$lv"
  done
}
"#;

/// One volume of each kind, over six physical volumes.
const EVERY_KIND: &str = r#"
load dm-mod dm-thin-pool dm-raid dm-mirror dm-snapshot dm-cache dm-writecache dm-integrity
load dm-cache-smq
pvcreate -q $D1 $D2 $D3 $D4 $D5 $D6
vgcreate -q my-vg $D1 $D2 $D3 $D4 $D5 $D6
new() { lvcreate -y -q -Wn -Zn "$@"; }
new -n linear -l 5 my-vg $D1
new -n other -l 3 my-vg $D1
lvextend -q -l +4 my-vg/linear $D1
lvextend -q -l +2 my-vg/linear $D2
new -n stri-ped -i 3 -I 64 -l 9 my-vg
new --type mirror --mirrorlog core -m 1 -n mirror -l 3 my-vg
new --type mirror --mirrorlog disk -m 1 -n mirror-log -l 3 my-vg
new --type mirror --mirrorlog core --nosync -m 1 -n mirror-nosync -l 3 my-vg
new --type raid1 -m 1 -n raid1 -l 3 my-vg
new --type raid1 --nosync -m 1 -n raid1-nosync -l 3 my-vg
pv=$(pvs --noheadings -o pv_name -S 'lv_name=raid1-nosync_rimage_0' | tr -d ' ')
lvchange -q -y --writemostly $pv --writebehind 16 my-vg/raid1-nosync
new --type raid1 -m 2 -n raid1-slow --maxrecoveryrate 128 --minrecoveryrate 64 -l 3 my-vg
new --type raid4 -i 2 -n raid4 -l 4 my-vg
new --type raid5 -i 2 -n raid5 -l 4 my-vg
new --type raid6 -i 3 -n raid6 -l 6 my-vg
new --type raid10 -i 2 -m 1 -n raid10 -l 4 my-vg
new --type raid0 -i 2 -n raid0 -l 4 my-vg
new --type raid0_meta -i 2 -n raid0-meta -l 4 my-vg
new --type raid1 -m 1 --raidintegrity y -n guarded -l 4 my-vg
lvcreate -y -q --type thin-pool -n pool -l 10 my-vg
lvcreate -y -q -V 64m --thinpool pool -n thin my-vg
lvcreate -y -q -s -n thin-snap my-vg/thin
lvcreate -y -q --type thin-pool --discards nopassdown -Zn -n pool2 -l 3 my-vg
new -n outer -l 2 my-vg
lvchange -q -an my-vg/outer
lvchange -q -pr my-vg/outer
lvcreate -y -q -s --thinpool pool2 -n inner my-vg/outer
new -n origin -l 3 my-vg
lvcreate -y -q -s -n snap -l 2 my-vg/origin
lvcreate -y -q -s -n snap2 -c 16 -l 2 my-vg/origin
new -n cached -l 4 my-vg $D1
lvcreate -y -q --type cache-pool -n cpool -l 4 my-vg $D2
lvconvert -y -q --type cache --cachepool cpool my-vg/cached
new -n vcached -l 4 my-vg $D1
new -n cvol -l 6 my-vg $D2
lvconvert -y -q --type cache --cachemode writeback --cachevol cvol my-vg/vcached
new -n wcached -l 4 my-vg $D1
new -n fast -l 4 my-vg $D2
lvchange -q -an my-vg/fast
lvconvert -y -q --type writecache --cachevol fast my-vg/wcached
lvchange -q -pr my-vg/other
each my-vg
remove_all
"#;

fn group_on(disk: &Path) -> (label::Label, Group) {
    let file = File::open(disk).expect("a disk");
    let read = |offset, size: u64| {
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, offset).expect("bytes");
        bytes
    };
    let label = label::read(&read(0, SCAN as u64)).expect("a label");
    let at = label.metadata_areas[0];
    let Header::Text(location) = area::header(&read(at.offset, area::HEADER as u64), at) else {
        panic!("no metadata in {}", disk.display());
    };
    let pieces = location.pieces.iter();
    let text: Vec<u8> = pieces.flat_map(|p| read(p.offset, p.size)).collect();
    assert!(location.holds(&text), "the sum over the metadata");
    (label, Group::parse(&text).expect("a volume group"))
}

/// The devices of a stack, made by dmsetup. `disks`: the guest's name for each physical volume.
fn create(stack: &Stack, disks: &BTreeMap<String, String>) -> String {
    let word = |word: &Word| match word {
        Word::Text(text) => text.clone(),
        Word::Physical(id) => disks[&id.to_string()].clone(),
        Word::Device(name) => format!("/dev/mapper/{name}"),
        Word::Keyed(key, name) => format!("{key}:/dev/mapper/{name}"),
    };
    let mut script = String::new();
    for Mapping {
        name,
        uuid,
        read_only,
        targets,
        ..
    } in &stack.mappings
    {
        let mode = if *read_only { "--readonly" } else { "" };
        script += &format!("dmsetup create {name} --uuid {uuid} {mode} << END\n");
        for Target {
            start,
            length,
            kind,
            words,
        } in targets
        {
            let words: Vec<_> = words.iter().map(word).collect();
            script += &format!("{start} {length} {kind} {}\n", words.join(" "));
        }
        script += "END\n";
    }
    script
}

/// Makes the devices of each of these volumes with our tables, and says what the kernel says then.
fn with_our_tables(name: &str, made: &Made, group: &Group, present: &[usize]) -> Made {
    let mut disks = BTreeMap::new();
    let mut there = Vec::new();
    for (place, &at) in present.iter().enumerate() {
        let (label, _) = group_on(&made.disks[at]);
        disks.insert(label.id.to_string(), format!("$F{}", place + 1));
        there.push(label.id);
    }
    let mut script = TELL.to_owned();
    for volume in made.words("names") {
        let stack = table::stack(group, volume, &|id| there.contains(id));
        let Ok(stack) = stack.map_err(|why| script += &format!("echo '== {volume}\n{why}'\n"))
        else {
            continue;
        };
        script += &create(&stack, &disks);
        script += &format!("tell {volume}\n");
        script += "remove_all\n";
    }
    let files: Vec<&Path> = present.iter().map(|&at| made.disks[at].as_path()).collect();
    workshop::make(&Work {
        name,
        disks: &[],
        files: &files,
        script: &script,
    })
}

/// What lvm set up and what we set up, where they differ.
fn differences(theirs: &Made, ours: &Made) -> Vec<String> {
    let lines = |made: &Made, volume: &str| -> BTreeSet<String> {
        let lines = made.section(volume).lines();
        // Files are the disks, and mq is smq's other name.
        let same = |line: &str| line.replace("<F", "<D").replace(" mq 0", " smq 0");
        lines.map(same).collect()
    };
    let mut found = Vec::new();
    for volume in theirs.words("names") {
        let (theirs, ours) = (lines(theirs, volume), lines(ours, volume));
        let more = |a: &BTreeSet<String>, b: &BTreeSet<String>, whose: &str| -> Vec<String> {
            let only = a.difference(b);
            only.map(|line| format!("{volume}: {whose} {line}"))
                .collect()
        };
        found.extend(more(&ours, &theirs, "ours"));
        found.extend(more(&theirs, &ours, "lvm "));
    }
    found
}

#[test]
fn volumes_of_each_kind_are_mapped_as_lvm_maps_them() {
    let script = format!("{TELL}{EVERY_KIND}");
    let theirs = workshop::make(&Work {
        name: "lvm-every-kind",
        disks: &[384; 6],
        files: &[],
        script: &script,
    });
    let (_, group) = group_on(&theirs.disks[0]);
    let ours = with_our_tables("lvm-our-tables", &theirs, &group, &[0, 1, 2, 3, 4, 5]);
    let wrong = differences(&theirs, &ours);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
