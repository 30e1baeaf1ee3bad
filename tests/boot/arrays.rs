//! Arrays that mdadm made: what landfall reads in their members, what it makes of sets of them,
//! which kernel calls start them, and where their bytes lie, compared with mdadm and the kernel.

use crate::lab::workshop::{self, Made, Work};
use landfall::format::md::{
    Array, Named, Naming, Role, SIZE, State, Step, Superblock, Verdict, Version, judge, map,
    newest, read, start,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// `array NAME OPTIONS DISKS` makes one, writes a pattern to both of its ends, and stops it.
const MAKE: &str = r#"
load md-mod linear raid0 raid1 raid10 raid456
seq -f '%015.0f' 0 16 1048575 > /tmp/pattern
create() { mdadm --create /dev/md0 --run --quiet "$@" < /dev/null; }
stop() { mdadm --stop --quiet /dev/md0; }
alone() { mdadm --assemble --run --quiet /dev/md0 "$@"; }
scribble() {
  dd if=/tmp/pattern of=/dev/md0 bs=64k status=none
  dd if=/tmp/pattern of=/dev/md0 bs=64k oflag=seek_bytes seek=$(($1 - 1048576)) status=none
}
array() {
  name=$1; shift
  create --homehost=harbour "$@"
  echo "== $name size"
  blockdev --getsize64 /dev/md0
  scribble $(blockdev --getsize64 /dev/md0)
  stop
}
examine() {
  # What mdadm reads through the cache of a disk may be older than what the kernel wrote past it.
  sync; sleep 1; echo 3 > /proc/sys/vm/drop_caches
  for d in $(compgen -v | grep '^D[0-9]'); do
    echo "== $d"
    mdadm --examine --export ${!d} || :
    mdadm --examine ${!d} 2>/dev/null | sed -n 's/^ *\([A-Z][A-Za-z ]*\) : \(.*\)/\1=\2/p'
  done
}
"#;

const KINDS: &str = r#"
c=--assume-clean
array mirror -l1 -n2 -e1.2 --homehost=workshop --name=5 --bitmap=internal $c $D1 $D2
array old -l1 -n2 -e0.90 $c $D3 $D4
array zones -l0 -n2 -e1.0 -c64 $D5 $D6
array long -l linear -n2 -e1.1 $D7 $D8
array near -l10 -n3 -e1.2 -pn2 -c64 $c $D9 $D10 $D11
array far -l10 -n2 -pf2 -c64 $c $D12 $D13
array offset -l10 -n3 -po2 -c64 $c $D14 $D15 $D16
array five -l5 -n3 -x1 -c64 $c $D17 $D18 $D19 $D20
array old-long -l linear -n2 -e0.90 $D21 $D22
examine
"#;

const KINDS_MEMBERS: &[(&str, &[usize])] = &[
    ("mirror", &[1, 2]),
    ("old", &[3, 4]),
    ("zones", &[5, 6]),
    ("long", &[7, 8]),
    ("near", &[9, 10, 11]),
    ("far", &[12, 13]),
    ("offset", &[14, 15, 16]),
    ("five", &[17, 18, 19, 20]),
    ("old-long", &[21, 22]),
];

/// Arrays with a history.
const HISTORY: &str = r#"
c=--assume-clean
array six -l6 -n4 -c64 $c $D1 $D2 $D3 $D4
array four -l4 -n3 -c64 $c $D5 $D6 $D7
array journal -l5 -n3 -c64 --write-journal $D11 $D8 $D9 $D10
array parity -l5 -n3 -c64 $c --consistency-policy=ppl $D12 $D13 $D14
# The second half missed what the first one wrote.
array stale -l1 -n2 $c $D15 $D16
alone $D15
dd if=/tmp/pattern of=/dev/md0 bs=64k status=none
stop
# Each half went on without the other.
array split -l1 -n2 $c $D17 $D18
for half in $D17 $D18; do
  alone $half
  dd if=/tmp/pattern of=/dev/md0 bs=64k status=none
  stop
done
# What the disks are while a write is under way.
create --homehost=harbour -l5 -n3 -c64 $c $D19 $D20 $D21
echo 0 > /sys/block/md0/md/safe_mode_delay
dd if=/tmp/pattern of=/dev/md0 bs=64k oflag=direct status=none
for pair in $D19:$D22 $D20:$D23 $D21:$D24; do
  dd if=${pair%:*} of=${pair#*:} bs=1M status=none
done
stop
examine
"#;

const HISTORY_MEMBERS: &[(&str, &[usize])] = &[
    ("six", &[1, 2, 3, 4]),
    ("four", &[5, 6, 7]),
    ("journal", &[8, 9, 10, 11]),
    ("parity", &[12, 13, 14]),
    ("stale", &[15, 16]),
    ("split", &[17, 18]),
    ("dirty", &[22, 23, 24]),
];

fn every_superblock(disk: &Path) -> Vec<Superblock> {
    let file = File::open(disk).expect("a disk");
    let size = file.metadata().expect("its size").len();
    let at = |version: Version| {
        let mut bytes = vec![0; SIZE];
        let place = version.place(size)?;
        file.read_exact_at(&mut bytes, place).expect("bytes");
        read(version, &bytes, size)
    };
    let found = Version::ALL.into_iter().filter_map(at);
    found.map(|sb| sb.expect("a good superblock")).collect()
}

fn superblock(made: &Made, disk: usize) -> Superblock {
    newest(every_superblock(&made.disks[disk - 1])).expect("a superblock")
}

/// `KEY=VALUE` lines of a section.
fn pairs<'a>(made: &'a Made, section: &str) -> BTreeMap<&'a str, &'a str> {
    let lines = made.section(section).lines();
    lines.filter_map(|line| line.split_once('=')).collect()
}

/// Each field that mdadm shows of a member is what landfall reads.
fn check_members(made: &Made) {
    for number in 1..=made.disks.len() {
        let theirs = pairs(made, &format!("D{number}"));
        if !theirs.contains_key("MD_UUID") {
            continue;
        }
        let ours = superblock(made, number);
        let check = |key: &str, ours: String| {
            if let Some(theirs) = theirs.get(key) {
                assert_eq!(&ours, theirs, "{key} of disk {number}");
            }
        };
        check("MD_LEVEL", ours.level.to_string());
        check("MD_DEVICES", ours.slots.to_string());
        check("MD_UUID", ours.array.to_string());
        // What the kernel writes of itself once more does not make it another array.
        let near = |key: &str, ours: u64, most: u64| {
            let theirs = theirs
                .get(key)
                .map_or(ours, |t| t.parse().expect("a number"));
            assert!(
                (theirs..=theirs + most).contains(&ours),
                "{key} of disk {number}: {ours}"
            );
        };
        near("MD_EVENTS", ours.events, 1);
        near("MD_UPDATE_TIME", ours.updated, 5);
        check("MD_DEV_UUID", ours.device.unwrap_or_default().to_string());
        check("Data Offset", format!("{} sectors", ours.data_offset));
        check("State", if ours.clean { "clean" } else { "active" }.into());
        if ours.version != Version::V0 {
            check("MD_NAME", ours.name.to_string());
        }
        let role = match ours.role {
            Role::Active(slot) => format!("Active device {slot}"),
            Role::Spare => "spare".into(),
            Role::Journal => "Journal".into(),
            other => panic!("disk {number} is {other:?}"),
        };
        check("Device Role", role);
        let map = ours
            .working
            .iter()
            .map(|&works| if works { 'A' } else { '.' });
        let state = theirs.get("Array State").copied().unwrap_or_default();
        let shown = state.split(' ').next().unwrap_or_default();
        let same = state.is_empty() || map.eq(shown.chars());
        assert!(same, "map of disk {number}");
    }
}

/// The pattern that was written is found through the members, at both ends.
fn check_bytes(made: &Made, name: &str, members: &[usize]) {
    let found: Vec<Superblock> = members.iter().map(|&n| superblock(made, n)).collect();
    let found: Vec<&Superblock> = found.iter().collect();
    let array = Array::new(&found, &judge(&found)).expect("an array");
    let size: u64 = made
        .section(&format!("{name} size"))
        .parse()
        .expect("a number");
    assert_eq!(
        array.sectors().map(|s| s * 512),
        Some(size),
        "size of {name}"
    );
    const LENGTH: u64 = 1 << 20;
    for start in [0, size - LENGTH] {
        let pieces = array.through().and_then(|t| t.pieces(start, LENGTH));
        let mut bytes = Vec::new();
        for piece in pieces.unwrap_or_else(|| panic!("{name} is not looked through")) {
            let mut part = vec![0; piece.length as usize];
            let disk = &made.disks[members[piece.on] - 1];
            let file = File::open(disk).expect("a disk");
            file.read_exact_at(&mut part, piece.offset).expect("bytes");
            bytes.extend(part);
        }
        let lines = (0..LENGTH).step_by(16).map(|at| format!("{at:015}\n"));
        let expected: Vec<u8> = lines.flat_map(String::into_bytes).collect();
        let wrong = bytes.iter().zip(&expected).position(|(a, b)| a != b);
        assert_eq!(
            (bytes.len(), wrong),
            (expected.len(), None),
            "{name} from {start}"
        );
    }
}

#[test]
fn members_of_arrays_are_read_and_looked_through() {
    let made = kinds();
    check_members(&made);
    for (name, members) in KINDS_MEMBERS {
        check_bytes(&made, name, members);
    }
    for (name, members) in [
        ("near", &[9, 11]),
        ("offset", &[14, 16]),
        ("offset", &[15, 16]),
    ] {
        check_bytes(&made, name, members);
    }
    check_bytes(&made, "mirror", &[2]);
    check_bytes(&made, "far", &[13]);
    check_members(&history());
}

fn kinds() -> Made {
    let mut disks = [20; 22];
    disks[5] = 28;
    disks[7] = 28;
    workshop::make(&Work {
        name: "md-kinds",
        disks: &disks,
        files: &[],
        script: &format!("{MAKE}{KINDS}"),
    })
}

fn history() -> Made {
    let mut disks = [20; 24];
    // A journal wants some room.
    disks[10] = 40;
    workshop::make(&Work {
        name: "md-history",
        disks: &disks,
        files: &[],
        script: &format!("{MAKE}{HISTORY}"),
    })
}

/// How an array that was started looks in sysfs, and how many writes there were.
const SHOW: &str = r#"
load md-mod linear raid0 raid1 raid10 raid456
echo 1 > /sys/module/md_mod/parameters/start_ro
show() {
  cd /sys/block/$1/md
  for f in array_state level layout chunk_size raid_disks degraded metadata_version \
           component_size consistency_policy reshape_position sync_action; do
    [ ! -e $f ] || echo "$f $(cat $f)"
  done
  echo "sectors $(cat ../size)"
  for d in dev-*; do
    echo "$d slot $(cat $d/slot) state $(cat $d/state) at $(cat $d/offset) of $(cat $d/size)"
  done
  cd /
}
stop() {
  for d in /sys/block/md*; do [ ! -e $d ] || mdadm --stop --quiet /dev/${d##*/}; done
  for n in $(seq 200); do ls -d /sys/block/md* > /dev/null 2>&1 || break; sleep 0.05; done
  rm -f /dev/md/* /run/mdadm/map
}
# What an initramfs with mdadm does: each member as it appears, then run what is left.
incremental() {
  for d; do timeout 30 mdadm --incremental --quiet $d 2> /tmp/said || :; done
  md=$(cd /sys/block; echo md*)
  if [ "$(cat /sys/block/$md/md/array_state)" != inactive ]; then
    echo ready
  elif mdadm --run --quiet /dev/$md 2> /tmp/said; then
    echo degraded
  else
    echo incomplete
    stop
    return
  fi
  show $md
  echo called $(cat /run/mdadm/map)
  stop
}
# Where superblocks and bitmaps lie, and how often each disk was written to.
sums() {
  sync
  echo "== $1"
  for f in $(compgen -v | grep '^F[0-9]'); do
    d=${!f}
    echo $f $( (head -c 1048576 $d; tail -c 1048576 $d) | md5sum)
  done
  echo "== writes $1"
  for f in $(compgen -v | grep '^F[0-9]'); do
    d=${!f}
    echo $f $(awk '{print $5}' /sys/block/${d#/dev/}/stat)
  done
}
ioctl() {
  perl -e 'my ($file, $call, @words) = @ARGV; open(my $f, "+<", $file) or die "$file: $!";
           my $data = pack("i*", @words, (0) x (20 - @words));
           ioctl($f, hex $call, $data) or die "$file $call: $!"' "$@"
}
"#;

/// `include/uapi/linux/raid/md_u.h`, as numbers: see ioctl(2).
const SET_ARRAY_INFO: &str = "40480923";
const ADD_NEW_DISK: &str = "40140921";
const RUN_ARRAY: &str = "400c0930";

fn shell(steps: &[Step], members: &[usize]) -> String {
    let mut script = String::new();
    for step in steps {
        script += &match step {
            Step::Module(alias) => format!("modprobe -- {alias}\n"),
            Step::Write { file, text } => format!("echo {text} > {file}\n"),
            Step::SetArrayInfo { major, minor } => {
                format!("ioctl /dev/md100 {SET_ARRAY_INFO} {major} {minor}\n")
            }
            // Numbers are known in the guest only: the major number stands for the member's place.
            Step::AddNewDisk { major: at, .. } => {
                let numbers = "$(stat -c '0x%t 0x%T' $FILE)";
                let file = format!("$F{}", members[*at as usize]);
                let numbers = numbers.replace("$FILE", &file);
                format!("set -- {numbers}; ioctl /dev/md100 {ADD_NEW_DISK} 0 $(($1)) $(($2))\n")
            }
            Step::RunArray => format!("ioctl /dev/md100 {RUN_ARRAY}\n"),
        };
    }
    script
}

/// One set of members: what is made of it.
struct Case {
    title: String,
    members: Vec<usize>,
    verdict: Verdict,
    speaker: Superblock,
}

fn case(made: &Made, name: &str, members: &[usize]) -> Option<Case> {
    let found: Vec<Superblock> = members.iter().map(|&n| superblock(made, n)).collect();
    let verdict = judge(&found.iter().collect::<Vec<_>>());
    Some(Case {
        title: format!("{name} of {members:?}"),
        members: members.to_vec(),
        speaker: found[verdict.speaker?].clone(),
        verdict,
    })
}

/// All members, and all but each one, and all but the first two.
fn cases(made: &Made, arrays: &[(&str, &[usize])]) -> Vec<Case> {
    let mut found = Vec::new();
    for (name, members) in arrays {
        found.extend(case(made, name, members));
        for left_out in members.iter() {
            let rest: Vec<usize> = members.iter().copied().filter(|m| m != left_out).collect();
            found.extend(case(made, name, &rest));
        }
        if members.len() > 2 {
            found.extend(case(made, name, &members[2..]));
        }
    }
    found
}

/// Starts each set of members by our calls and by mdadm, in one guest.
fn start_both(name: &str, made: &Made, cases: &[Case]) -> Made {
    let mut script = String::from(SHOW);
    script += "sums before\n";
    for case in cases {
        if matches!(case.verdict.state, State::Ready | State::Degraded) {
            script += &format!("echo '== ours {}'\n", case.title);
            let place = |at: usize| Some((u32::try_from(at).ok()?, 0));
            let steps = start(&case.speaker, &case.verdict, 100, &place).expect("places");
            script += &shell(&steps, &case.members);
            script += "show md100\nstop\n";
        }
    }
    script += "sums after\n";
    for case in cases {
        // Spares come first: mdadm would make the array writable for one that comes late.
        let members = case.members.iter().rev();
        let files: Vec<String> = members.map(|n| format!("$F{n}")).collect();
        let (title, files) = (&case.title, files.join(" "));
        script += &format!("echo '== mdadm {title}'\nincremental {files}\n");
    }
    let files: Vec<&Path> = made.disks.iter().map(|d| d.as_path()).collect();
    workshop::make(&Work {
        name,
        disks: &[],
        files: &files,
        script: &script,
    })
}

/// Where landfall does otherwise: mdadm runs an array without the journal that holds its last
/// writes when it is told to run what it has; and of two halves that went on alone it takes
/// whichever comes first, where landfall takes the one with more updates, or the first that it
/// was given.
const OTHERWISE: [&str; 2] = ["journal of [8, 9, 10]", "split of [17, 18]"];

fn compare(case: &Case, started: &Made) -> Vec<String> {
    let Case {
        title,
        verdict,
        speaker,
        ..
    } = case;
    let theirs = started.section(&format!("mdadm {title}"));
    let (how, theirs) = theirs.split_once('\n').unwrap_or((theirs, ""));
    let ours = match &verdict.state {
        State::Ready => "ready",
        State::Degraded => "degraded",
        State::Incomplete(_) | State::Refused(_) => "incomplete",
    };
    if ours != how {
        return vec![format!("{title}: ours {:?}, mdadm {how}", verdict.state)];
    }
    if ours == "incomplete" {
        return Vec::new();
    }
    let ours = started.section(&format!("ours {title}"));
    let (theirs, called) = theirs.rsplit_once('\n').expect("its name");
    let mut wrong = Vec::new();
    if ours != theirs {
        wrong.push(format!("{title}:\nours\n{ours}\nmdadm\n{theirs}"));
    }
    let (called, expected) = (called.trim_start_matches("called "), mapped(speaker));
    // Version 0.90 notes its home as a hash only: its number is trusted all the same.
    let of = |line: &str| -> Vec<String> {
        let skipped = usize::from(speaker.version == Version::V0);
        let words = line.split_whitespace().map(String::from);
        words.skip(skipped).take(4 - 2 * skipped).collect()
    };
    if of(called) != of(&expected) {
        wrong.push(format!("{title}: {called}, and not {expected}"));
    }
    wrong
}

/// What landfall tells mdadm of this array, as mdadm notes it.
fn mapped(speaker: &Superblock) -> String {
    let naming = Naming::read(b"", b"workshop");
    let liked = naming.preferred(speaker.version, speaker.array, &speaker.name);
    let named = Named {
        device: format!("md{}", liked.number.unwrap_or(127)),
        version: speaker.version,
        array: speaker.array,
        name: speaker.name.clone(),
    };
    String::from_utf8(map(&[named], &naming)).expect("names of these arrays are text")
}

/// Nothing changed on the disks, where the kernel leaves a choice.
fn check_writes(made: &Made, started: &Made) {
    let before: Vec<&str> = started.section("before").lines().collect();
    let after: Vec<&str> = started.section("after").lines().collect();
    let writes = started.section("writes after").lines();
    for ((before, after), count) in before.iter().zip(&after).zip(writes) {
        let (file, count) = count.split_once(' ').expect("`F1 0`");
        let disk: usize = file[1..].parse().expect("a number");
        let newest = newest(every_superblock(&made.disks[disk - 1]));
        let features = newest.map(|sb| sb.features).unwrap_or_default();
        // The kernel empties a partial parity log when it takes the array, in whatever mode.
        let logged = features.partial_parity.is_some();
        assert!(before == after || logged, "{file} changed");
        // It writes a bitmap's superblock as it found it, and replays a journal.
        let written = logged || features.journal || features.bitmap.is_some();
        assert!(count == "0" || written, "{count} writes to {file}");
    }
}

#[test]
fn sets_of_members_start_as_with_mdadm_and_without_a_write() {
    let mut wrong = Vec::new();
    for (name, made, arrays) in [
        ("md-kinds-started", kinds(), KINDS_MEMBERS),
        ("md-history-started", history(), HISTORY_MEMBERS),
    ] {
        let cases = cases(&made, arrays);
        let started = start_both(name, &made, &cases);
        let alike = cases
            .iter()
            .filter(|c| !OTHERWISE.contains(&c.title.as_str()));
        wrong.extend(alike.flat_map(|c| compare(c, &started)));
        check_writes(&made, &started);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
