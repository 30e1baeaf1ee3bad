//! Volume groups that lvm made: what landfall reads in them, and what it would tell
//! device-mapper, compared with what lvm told it.

use crate::lab::workshop::{self, Made, Work};
use landfall::format::lvm2::label::Extent;
use landfall::format::lvm2::survey::{Found, Known, examine, named, survey};
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
    if lvchange -qq -y -K -ay "$1/$lv" 2> /tmp/why; then
      tell "$lv"
    else
      echo "== $lv"
      echo "cannot: $(cat /tmp/why)" | head -n 1
    fi
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

fn look_at(disk: &Path) -> Found {
    let file = File::open(disk).expect("a disk");
    let found = examine(&mut |at: Extent| {
        let mut bytes = vec![0; usize::try_from(at.size).expect("a bounded length")];
        file.read_exact_at(&mut bytes, at.offset).ok()?;
        Some(bytes)
    });
    found.unwrap_or_else(|| panic!("{} has no label", disk.display()))
}

/// What is known from the disks at these places.
fn survey_of(made: &Made, places: &[usize]) -> Vec<Known> {
    let found: Vec<Found> = places.iter().map(|&at| look_at(&made.disks[at])).collect();
    survey(&found.iter().collect::<Vec<_>>())
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

fn files<'a>(made: &'a Made, places: &[usize]) -> Vec<&'a Path> {
    let disks = places.iter().map(|&at| &made.disks[at]);
    disks.map(|disk| disk.as_path()).collect()
}

/// Makes the devices of each of these volumes with our tables, and says what the kernel says then.
fn with_our_tables(name: &str, made: &Made, present: &[usize]) -> Made {
    let known = survey_of(made, present);
    let known = named(&known, "my-vg", "").expect("the group");
    let mut disks = BTreeMap::new();
    for (id, place) in &known.devices {
        disks.insert(id.to_string(), format!("$F{}", place + 1));
    }
    let mut script = TELL.to_owned();
    for volume in made.words("names") {
        match table::stack(&known.group, volume, &|id| known.device(id).is_some()) {
            Ok(stack) => {
                script += &create(&stack, &disks);
                script += &format!("tell {volume}\nremove_all\n");
            }
            Err(why) => script += &format!("echo '== {volume}'; echo 'cannot: {why}'\n"),
        }
    }
    let files = files(made, present);
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
        // lvm's remarks are not of interest.
        let told = |line: &&str| line.starts_with("my--vg-") || line.starts_with("cannot");
        let lines = made.section(volume).lines().filter(told);
        // Files are the disks, and mq is smq's other name.
        let same = |line: &str| line.replace("<F", "<D").replace(" mq 0", " smq 0");
        // Each says in its own words why it cannot.
        let why = |line: String| match line.starts_with("cannot") {
            true => "cannot".into(),
            false => line,
        };
        lines.map(same).map(why).collect()
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

fn every_kind() -> Made {
    workshop::make(&Work {
        name: "lvm-every-kind",
        disks: &[384; 6],
        files: &[],
        script: &format!("{TELL}{EVERY_KIND}"),
    })
}

#[test]
fn volumes_of_each_kind_are_mapped_as_lvm_maps_them() {
    let theirs = every_kind();
    let ours = with_our_tables("lvm-our-tables", &theirs, &[0, 1, 2, 3, 4, 5]);
    let wrong = differences(&theirs, &ours);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can do without the missing volume is degraded, what cannot is not touched.
#[test]
fn volumes_with_a_missing_disk_are_mapped_as_lvm_maps_them() {
    const PRESENT: &[usize] = &[0, 2, 3, 4, 5];
    let whole = every_kind();
    let theirs = workshop::make(&Work {
        name: "lvm-missing",
        disks: &[],
        files: &files(&whole, PRESENT),
        script: &format!("{TELL}each my-vg\n"),
    });
    let ours = with_our_tables(
        "lvm-missing-our-tables",
        &theirs_on(&whole, &theirs),
        PRESENT,
    );
    // lvm starts a raid0 of which half is missing, too: every other stripe fails. We do not.
    let striped = ["raid0", "raid0-meta"];
    assert!(
        striped
            .iter()
            .all(|name| ours.section(name).contains("not enough for raid0"))
    );
    let mut wrong = differences(&theirs, &ours);
    wrong.retain(|line| {
        !striped
            .iter()
            .any(|name| line.starts_with(&format!("{name}: ")))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The disks of one and the report of the other.
fn theirs_on(disks: &Made, report: &Made) -> Made {
    Made {
        disks: disks.disks.clone(),
        report: report.report.clone(),
    }
}

/// Metadata that went round their rings many times, on some disks twice and on others not at all;
/// groups that are exported, of another system, and incomplete.
const GROUPS: &str = r#"
pvcreate -q --metadatasize 60k --pvmetadatacopies 2 $D1
pvcreate -q --pvmetadatacopies 0 $D2
vgcreate -q busy $D1 $D2
for n in $(seq 12); do
  lvcreate -y -q -an -Wn -Zn -n volume-with-a-long-name-$n -l 1 busy
done
for n in $(seq 12); do
  lvremove -y -q busy/volume-with-a-long-name-$n
  lvcreate -y -q -an -Wn -Zn -n v$n -l 1 busy
done
vgcreate -q gone $D3
vgexport -q gone
vgcreate -q --systemid quay foreign $D4
vgcreate -q torn $D5 $D6 $D7
lvcreate -y -q -an -Wn -Zn -n root -l 1 torn
dd if=/dev/zero of=$D7 bs=1M count=1 status=none
vgs --foreign --noheadings -o name,seqno,pv_count,missing_pv_count,exported,systemid > /tmp/groups
echo "== groups"
sed 's/  */ /g; s/^ //; s/ $//' /tmp/groups | sort
"#;

#[test]
fn groups_are_as_lvm_tells_them() {
    let made = workshop::make(&Work {
        name: "lvm-groups",
        disks: &[32; 7],
        files: &[],
        script: GROUPS,
    });
    let known = survey_of(&made, &[0, 1, 2, 3, 4, 5]);
    let show = |k: &Known| {
        let group = &k.group;
        let (members, missing) = (group.physical.len(), k.missing.len());
        let exported = if group.exported { " exported" } else { "" };
        let owner = format!(" {}", group.system_id);
        let line = format!(
            "{} {} {members} {missing}{exported}{owner}",
            group.name, group.sequence
        );
        line.trim().to_owned()
    };
    let mut ours: Vec<String> = known.iter().map(show).collect();
    ours.sort();
    let theirs: Vec<&str> = made.section("groups").lines().collect();
    assert_eq!(ours, theirs);
    let why = |name: &str| named(&known, name, "").err().unwrap_or_default();
    assert_eq!(why("busy"), "");
    assert!(why("gone").contains("exported"), "{}", why("gone"));
    assert!(why("foreign").contains("quay"), "{}", why("foreign"));
    let (label, found) = (look_at(&made.disks[0]).label, look_at(&made.disks[1]));
    assert_eq!((label.metadata_areas.len(), found.group), (2, None));
}
