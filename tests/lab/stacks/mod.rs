//! The matrix of storage stacks: how the real tools make each, and how a boot from it must end.
//!
//! A row is data: disks, a recipe (commands that run in the workshop), what the boot is given, and
//! the end, written down beforehand. The rows of a group are made in one guest.
//! `tests/boot/stacks.rs` boots them, `tests/boot/stacks_explained.rs` looks at their disks.

pub mod btrfs;
pub mod loops;
pub mod luks;
pub mod luks_asked;
pub mod lvm;
pub mod lvm_kinds;
pub mod lvm_raid;
pub mod md;
pub mod md_alone;
pub mod md_damage;
pub mod md_parity;
pub mod nested;
pub mod nested_deep;
pub mod verity;

use super::build;
use super::shelf;
use super::tools::{done, tool};
use super::workshop::{self, Made, Work};
use landfall::host::arch::Arch;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// UUID of the root file system in every stack.
pub const ROOT: &str = "5eedf00d-0000-4000-8000-0000000000d1";
/// UUID of the LUKS volume that a recipe makes by `luks 1`, but for its last digit.
pub const LUKS: &str = "5eedf00d-0000-4000-8000-0000000000c";
/// Opens them all.
pub const PASSPHRASE: &str = "correct horse";
/// Where the image of a boot holds it: `{key}` among the words of a row.
pub const KEY: &str = "/etc/stack.key";

/// One stack.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    /// MiB of each blank disk: `$1`, `$2`, … of the recipe.
    pub disks: &'static [u64],
    /// Commands; see [`TOOLS`] for the words beside the real tools'.
    pub recipe: &'static str,
    /// Words for the kernel. `{root}`, `{luks1}`, `{disk1}` and facts of the recipe are put in.
    pub words: &'static str,
    pub given: &'static [Given],
    pub end: End,
    /// Mapped devices that come with root, but that it does not lie on.
    pub beside: &'static [&'static str],
    /// Why a boot writes to the disks before root is mounted; empty: it never does.
    pub writes: &'static str,
}

/// What a boot gets beside all disks of its row, in order.
#[derive(Clone, Copy)]
pub enum Given {
    /// All disks but this one, counted from 1.
    Without(usize),
    /// This disk is the content of a file in the image, and no disk.
    AsFile(usize, &'static str),
    /// This disk hangs on two paths.
    TwoPaths(usize),
    /// A file of the image, and its text.
    Text(&'static str, &'static str),
    /// A person waits for the first text on the console and types the second, and Enter.
    Typed(&'static str, &'static str),
}

/// How a boot ends.
#[derive(Clone, Copy)]
pub enum End {
    /// In the real init; what root lies on is told as `tests/lab/below_root.rs` does.
    Boots(&'static str),
    /// Landfall gives up, and its page says all of this.
    Refuses(&'static [&'static str]),
}

pub const fn row(name: &'static str, disks: &'static [u64], recipe: &'static str) -> Row {
    Row {
        name,
        disks,
        recipe,
        words: "root=UUID={root}",
        given: &[],
        end: End::Refuses(&[]),
        beside: &[],
        writes: "",
    }
}

impl Row {
    pub const fn words(mut self, words: &'static str) -> Self {
        self.words = words;
        self
    }

    pub const fn given(mut self, given: &'static [Given]) -> Self {
        self.given = given;
        self
    }

    pub const fn boots(mut self, below: &'static str) -> Self {
        self.end = End::Boots(below);
        self
    }

    pub const fn refuses(mut self, page: &'static [&'static str]) -> Self {
        self.end = End::Refuses(page);
        self
    }

    pub const fn beside(mut self, names: &'static [&'static str]) -> Self {
        self.beside = names;
        self
    }

    pub const fn writes(mut self, why: &'static str) -> Self {
        self.writes = why;
        self
    }
}

/// Rows that are made together.
pub struct Group {
    pub name: &'static str,
    pub rows: &'static [Row],
}

pub const GROUPS: &[&Group] = &[
    &btrfs::GROUP,
    &loops::GROUP,
    &luks::GROUP,
    &luks_asked::GROUP,
    &lvm::GROUP,
    &lvm_kinds::GROUP,
    &lvm_raid::GROUP,
    &md::GROUP,
    &md_alone::GROUP,
    &md_damage::GROUP,
    &md_parity::GROUP,
    &nested::GROUP,
    &nested_deep::GROUP,
    &verity::GROUP,
];

/// A row whose disks are there.
pub struct Stack {
    pub row: &'static Row,
    disks: Vec<PathBuf>,
    /// `NAME VALUE` lines that the recipe told.
    facts: Vec<(String, String)>,
}

impl Stack {
    /// The disks that the boot gets, by number.
    pub fn plugged(&self) -> Vec<(usize, &Path)> {
        let gone = |number: usize| {
            let mut given = self.row.given.iter();
            given.any(|given| match given {
                Given::Without(n) | Given::AsFile(n, _) => *n == number,
                Given::TwoPaths(_) | Given::Text(..) | Given::Typed(..) => false,
            })
        };
        let disks = (1..).zip(self.disks.iter().map(PathBuf::as_path));
        disks.filter(|(number, _)| !gone(*number)).collect()
    }

    /// Does it hang on two paths?
    pub fn on_two_paths(&self, number: usize) -> bool {
        let mut given = self.row.given.iter();
        given.any(|given| matches!(given, Given::TwoPaths(n) if *n == number))
    }

    /// The disk of this number.
    pub fn disk(&self, number: usize) -> &Path {
        &self.disks[number - 1]
    }

    /// All its disks, with what blkid said of each in the workshop: `TYPE=…` and the like.
    pub fn identified(&self) -> impl Iterator<Item = (&Path, &str)> {
        let disks = self.disks.iter().enumerate();
        disks.map(|(at, disk)| (disk.as_path(), self.fact(&format!("disk{}", at + 1))))
    }

    fn fact(&self, name: &str) -> &str {
        let found = self.facts.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Text with `{root}`, `{luks1}` and so on, and the recipe's facts put in. Not the names of
    /// disks: the kernel numbers them as it likes.
    pub fn filled(&self, text: &str) -> String {
        let key = format!("rd.luks.key={KEY}");
        let mut filled = text.replace("{root}", ROOT).replace("{key}", &key);
        for number in 1..=9 {
            filled = filled.replace(&format!("{{luks{number}}}"), &format!("{LUKS}{number}"));
        }
        let own = |(name, _): &&(String, String)| !name.starts_with("disk");
        for (name, value) in self.facts.iter().filter(own) {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        filled
    }
}

/// Makes the disks of a group, or finds them made.
pub fn made(group: &'static Group) -> Vec<Stack> {
    let sizes: Vec<u64> = group
        .rows
        .iter()
        .flat_map(|row| row.disks)
        .copied()
        .collect();
    let mut script = format!("{TOOLS}ROOT={ROOT} LUKS={LUKS}\nprintf '{PASSPHRASE}' > /tmp/pass\n");
    let mut first = 1;
    for row in group.rows {
        let disks: Vec<String> = (first..)
            .take(row.disks.len())
            .map(|n| format!("$D{n}"))
            .collect();
        first += row.disks.len();
        let (name, recipe, disks) = (row.name, row.recipe, disks.join(" "));
        script += &format!("recipe() {{\n{recipe}\n}}\nrow {name} {disks}\n");
    }
    let made = workshop::make(&Work {
        name: &format!("stacks-{}", group.name),
        disks: &sizes,
        files: &[&root()],
        script: &script,
    });
    let mut disks = made.disks.iter().cloned();
    let stack = |row: &'static Row| Stack {
        row,
        disks: disks.by_ref().take(row.disks.len()).collect(),
        facts: facts(&made, row.name),
    };
    group.rows.iter().map(stack).collect()
}

fn facts(made: &Made, row: &str) -> Vec<(String, String)> {
    let lines = made.section(row).lines();
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// MiB of [`root`].
const ROOT_MIB: u64 = 12;

/// A file system with the reporting init. Its blocks suit devices of 4 KiB sectors.
pub fn root() -> PathBuf {
    let init = build::reporter_for(Arch::X86_64);
    let recipe = format!("{ROOT} {ROOT_MIB} {}", shelf::fingerprint(&init));
    shelf::made("disks", "stack-root", recipe.as_bytes(), |at| {
        let tree = super::roots::directory(super::roots::Root::Reporter, Arch::X86_64);
        let file = File::create(at).expect("a writable target directory");
        file.set_len(ROOT_MIB << 20).expect("space");
        let mut mkfs = tool("mke2fs");
        mkfs.args([
            "-q", "-F", "-t", "ext4", "-b", "4096", "-U", ROOT, "-L", "stack", "-d",
        ]);
        done(mkfs.arg(&tree).arg(at));
        let size = fs::metadata(at).expect("what mke2fs made").len();
        assert_eq!(size, ROOT_MIB << 20);
    })
}

/// Words of recipes. `root DEVICE` puts the root file system on it.
const TOOLS: &str = r#"
load dm-mod dm-crypt dm-integrity dm-verity dm-raid dm-mirror dm-snapshot dm-thin-pool
load dm-cache dm-cache-smq dm-writecache loop btrfs
load md-mod linear raid0 raid1 raid10 raid456
mkdir -p /mnt

root() { dd if=$F1 of=$1 bs=1M conv=notrunc status=none; }

# A word for the boot: {NAME} among the words of its row.
fact() { echo "$1 $2" >> /tmp/facts; }

# luks NUMBER DEVICE OPTIONS: opens as /dev/mapper/cNUMBER.
small="--luks2-metadata-size 16k --luks2-keyslots-size 512k"
quick="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
luks_with() {
  local number=$1 device=$2; shift 2
  cryptsetup luksFormat -q --key-file /tmp/pass --uuid $LUKS$number "$@" $device
}
open_luks() { cryptsetup open --key-file /tmp/pass $2 c$1; }
luks() { luks_with "$@" --type luks2 $small $quick; open_luks $1 $2; }

# vg NAME DEVICES: they become physical volumes.
vg() {
  local name=$1; shift
  vgcreate -q -s 1m $name "$@"
}
# lv OPTIONS: on blank disks nothing need be wiped.
lv() { lvcreate -y -q -Wn -Zn "$@"; }

# md NUMBER OPTIONS DEVICES: as /dev/mdNUMBER.
md() {
  local number=$1; shift
  mdadm --create /dev/md$number --run --quiet --homehost=harbour "$@" < /dev/null
}
# A new array need not be in step: its disks are blank.
c=--assume-clean

# A GPT with one partition from 1 MiB on.
table() { echo 'start=2048, type=linux' | sfdisk -q --no-reread --label gpt $1; }
root_behind_table() { dd if=$F1 of=$1 bs=1M seek=1 conv=notrunc status=none; }

# Takes the stack down, from above.
down() {
  sync
  umount -q /mnt || :
  for round in $(seq 100); do
    losetup -D
    dmsetup remove_all > /dev/null 2>&1 || :
    for d in /sys/block/md*; do
      [ ! -e $d ] || mdadm --stop --quiet /dev/${d##*/} > /dev/null 2>&1 || :
    done
    left="$(ls -d /sys/block/md* /sys/block/dm-* 2> /dev/null || :)"
    [ -n "$left" ] || break
    sleep 0.05
  done
  echo "$left"
  [ -z "$left" ]
  # lvm's names.
  find /dev -mindepth 2 -maxdepth 2 -xtype l -delete
  find /dev -mindepth 1 -maxdepth 1 -type d -empty -delete
}

# A partition from 1 MiB on, which the kernel knows.
partition() {
  table $1
  blockdev --rereadpt $1
  until [ -e ${1}1 ]; do sleep 0.05; done
}
# A btrfs with the root file system's files; mkfs.btrfs wants a UUID of its own for each.
btrfs_root() {
  made=$((${made:-0} + 1))
  local uuid=${ROOT%d1}$((made + 10))
  fact btrfs $uuid
  mkfs.btrfs -q -U $uuid "$@"
  mkdir -p /filled
  mount -o ro $F1 /filled
  btrfs device scan > /dev/null
  mount ${@: -1} /mnt
  cp -a /filled/. /mnt
  umount /mnt /filled
}
# Until a RAID volume is in step.
in_step() { until dmsetup status $1 | grep -q idle; do sleep 0.1; done; }
# What the second, fourth, … of the disks would be if power failed now.
copies() {
  while [ $# -gt 0 ]; do dd if=$1 of=$2 bs=1M status=none; shift 2; done
}

# verity DATA HASHES OPTIONS
verity() {
  local salt=5eedf00d5eedf00d data=$1 hashes=$2; shift 2
  veritysetup format --salt=$salt --uuid=$ROOT "$@" $data $hashes > /tmp/verity
  fact roothash $(awk '/^Root hash/ { print $3 }' /tmp/verity)
}
# discoverable DISK DATA HASHES: a GPT whose partitions are found by the root hash.
discoverable() {
  local hash=$(awk '/^Root hash/ { print $3 }' /tmp/verity)
  local data=${hash:0:32} hashes=${hash:32:32}
  sfdisk -q --no-reread --label gpt $1 << END
start=2048, size=24576, uuid=$(dashed $data), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
start=26624, size=4096, uuid=$(dashed $hashes), type=2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5
END
  dd if=$2 of=$1 bs=1M seek=1 conv=notrunc status=none
  dd if=$3 of=$1 bs=1M seek=13 conv=notrunc status=none
}
dashed() { echo ${1:0:8}-${1:8:4}-${1:12:4}-${1:16:4}-${1:20:12}; }
# The byte at this place becomes another one.
flip() {
  local byte=$(dd if=$1 bs=1 skip=$2 count=1 status=none | xxd -p)
  printf "\\x$(printf %02x $((0x$byte ^ 255)))" |
    dd of=$1 bs=1 seek=$2 conv=notrunc status=none
}

# What a disk is, to blkid.
told() { blkid -p -o export $1 | grep -E '^(TYPE|PTTYPE|UUID|AMBIVALENT)=' | tr '\n' ' ' || :; }

row() {
  local name=$1; shift
  : > /tmp/facts
  only "$@"
  started=$(cut -d. -f1 /proc/uptime)
  recipe "$@"
  down
  echo 3 > /proc/sys/vm/drop_caches
  echo "== $name"
  cat /tmp/facts
  local number=1 disk
  for disk; do echo "disk$number $(told $disk)"; number=$((number + 1)); done
  echo "seconds $(($(cut -d. -f1 /proc/uptime) - started))"
}

# lvm looks at the disks of this row only, and what is made of them.
only() {
  local list= disk
  for disk; do list="$list \"a|^$disk[0-9]*\$|\","; done
  cat > /etc/lvm/lvmlocal.conf << END
devices { hints = "none" filter = [ $list "a|^/dev/md|", "a|^/dev/mapper/|", "r|.*|" ] }
activation { monitoring = 0 udev_sync = 0 udev_rules = 0 }
backup { backup = 0 archive = 0 }
END
}
"#;
