//! What cryptsetup and the kernel make of LUKS volumes that need a device-mapper to be made, and
//! what we would make of them.

use crate::lab::workshop::{self, Made, Work};
use landfall::base::fault::Fault;
use landfall::base::secret::Secret;
use landfall::crypt::Machine;
use landfall::crypt::hash::digest;
use landfall::crypt::unlock::{Areas, Failure, open};
use landfall::format::identity::{Need, View};
use landfall::format::luks::table::{self, Below, Key};
use landfall::format::luks::{self, Area, Header};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Each volume: its name, how it is formatted, how it is opened. Ciphers of all kinds, tags, flags
/// that stay, keys outside of the keyring.
const WORK: Work<'_> = Work {
    name: "luks-volumes",
    disks: &[1024],
    files: &[],
    script: r#"
load dm_mod dm_crypt dm_integrity
cd /tmp
printf 'correct horse' > pass
n=0
# volume NAME FORMAT-OPTIONS -- OPEN-OPTIONS
volume() {
    name=$1
    shift
    format=
    while [ $# -gt 0 ] && [ $1 != -- ]; do format="$format $1"; shift; done
    [ $# = 0 ] || shift
    dmsetup create slice$n --table "0 65536 linear $D1 $((n * 65536))"
    device=/dev/mapper/slice$n
    [ -e $device ] || dmsetup mknodes
    fast=--pbkdf-force-iterations=1000
    case $format in *luks2*) fast="--pbkdf pbkdf2 $fast" ;; esac
    echo "format $name" >&2
    cryptsetup luksFormat -q $fast --key-file pass $format $device >&2
    cryptsetup open --key-file pass $@ $device $name >&2
    rm -f key
    cryptsetup luksDump -q --dump-volume-key --volume-key-file key --key-file pass $device >&2
    echo "volume $name"
    echo "at $n"
    echo "below $(dmsetup info -c --noheadings -o major,minor --separator : slice$n)"
    echo "uuid $(dmsetup info -c --noheadings -o uuid $name)"
    echo "table $(dmsetup table --showkeys $name)"
    if dmsetup info ${name}_dif > /dev/null 2>&1; then
        echo "dif $(dmsetup info -c --noheadings -o major,minor --separator : ${name}_dif)"
        echo "dif-table $(dmsetup table ${name}_dif)"
    fi
    echo "key $(xxd -p -c 1024 key)"
    n=$((n + 1))
}
one='--type luks1'
two='--type luks2'
tags='--integrity-no-wipe'
volume one $one
volume one-essiv $one --cipher aes-cbc-essiv:sha256 --key-size 256
volume one-serpent $one --cipher serpent-xts-plain64
volume one-discards $one -- --allow-discards --perf-same_cpu_crypt
volume two $two
volume a-b_c.d+e $two
volume two-4096 $two --sector-size 4096
volume two-offset $two --offset 40960
volume two-twofish $two --cipher twofish-cbc-plain64 --key-size 256
volume two-adiantum $two --cipher xchacha20,aes-adiantum-plain64 --key-size 256 --sector-size 4096
volume two-discards $two -- --allow-discards --persistent
volume two-flags $two -- --allow-discards --perf-same_cpu_crypt --perf-submit_from_crypt_cpus \
    --perf-no_read_workqueue --perf-no_write_workqueue --persistent
volume two-keyless $two -- --disable-keyring
volume two-capi $two --cipher 'capi:xts(aes)-plain64' --key-size 512
volume hmac $two --integrity hmac-sha256 $tags
volume hmac-512 $two --integrity hmac-sha512 $tags --sector-size 512
volume gcm $two --cipher aes-gcm-random --integrity aead $tags --key-size 256
volume ccm $two --cipher aes-ccm-random --integrity aead $tags --key-size 280
volume poly $two --cipher chacha20-random --integrity poly1305 $tags --key-size 256
volume aegis $two --cipher aegis128-random --integrity aead $tags --key-size 128
volume hmac-random $two --cipher aes-xts-random --integrity hmac-sha256 $tags
volume no-journal $two --integrity hmac-sha256 $tags -- --integrity-no-journal --persistent
"#,
};
const SLICE: u64 = 65536 * 512;

/// One volume, as the guest reported it.
type Facts = BTreeMap<String, String>;

fn volumes(made: &Made) -> Vec<Facts> {
    let mut all = Vec::new();
    for line in made.report.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "volume" {
            all.push(Facts::new());
        }
        if let Some(facts) = all.last_mut() {
            facts.insert(word.into(), rest.into());
        }
    }
    all
}

fn header(disk: &File, at: u64) -> Header {
    let mut view = View::new(SLICE, 512);
    loop {
        match luks::read(&view, &digest) {
            Ok(header) => return header.expect("cryptsetup made it"),
            Err(Need(range)) => {
                let mut bytes = vec![0; range.len];
                disk.read_exact_at(&mut bytes, at + range.at)
                    .expect("a disk");
                view.add(range.at, bytes);
            }
        }
    }
}

/// Where one volume's slots are.
struct Slice<'a>(&'a File, u64);

impl Areas for Slice<'_> {
    fn read(&mut self, area: &Area) -> Result<Secret, Fault> {
        let mut bytes = Secret::zeros(area.len);
        let read = self.0.read_exact_at(bytes.as_mut_bytes(), self.1 + area.at);
        read.map_err(|e| Fault::plain(e.to_string()))?;
        Ok(bytes)
    }
}

struct Plenty;

impl Machine for Plenty {
    fn memory_kib(&self) -> u64 {
        1 << 20
    }
}

/// The passphrase gives the volume key that cryptsetup told, wherever a slot is AES.
fn opens(disk: &File, at: u64, header: &Header, facts: &Facts) -> bool {
    let opened = open(
        header,
        None,
        b"correct horse",
        &mut Slice(disk, at),
        &Plenty,
    );
    match opened {
        Ok(opened) => {
            let same = opened.key.same(&unhex(&facts["key"]));
            assert!(same, "{}: another key", facts["volume"]);
            true
        }
        Err(Failure::Cipher(_)) => false,
        Err(failure) => panic!("{}: {failure}", facts["volume"]),
    }
}

/// A table line with its optional words in the order of their letters: the kernel shows them in
/// another order than it takes them.
fn in_order(line: &str, optional: usize) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let (head, tail) = words.split_at(words.len().min(optional));
    let mut tail = tail.to_vec();
    tail.sort_unstable();
    [head, &tail].concat().join(" ")
}

/// A line of dm-integrity without what the kernel fills in by itself, and without how many
/// arguments there are: it shows what the superblock says of the journal, and neither the usual
/// block size nor a correction that only a hash of its own needs.
fn asked(line: &str) -> String {
    const SHOWN: [&str; 5] = [
        "journal_sectors:",
        "interleave_sectors:",
        "buffer_sectors:",
        "journal_watermark:",
        "commit_time:",
    ];
    let shown = |word: &&str| SHOWN.iter().any(|start| word.starts_with(start));
    let usual = |word: &&str| matches!(*word, "block_size:512" | "fix_hmac");
    let words = line.split(' ').enumerate();
    let words = words.filter_map(|(at, word)| (at != 7).then_some(word));
    let words: Vec<&str> = words.filter(|w| !shown(w) && !usual(w)).collect();
    in_order(&words.join(" "), 7)
}

fn line(sectors: u64, target: &str, params: &Secret) -> String {
    let params = std::str::from_utf8(params.as_bytes()).expect("text");
    format!("0 {sectors} {target} {params}")
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn boot_cryptsetup_and_make_the_same_tables() {
    let made = workshop::make(&WORK);
    let disk = File::open(&made.disks[0]).expect("a disk");
    let volumes = volumes(&made);
    assert!(volumes.len() > 20, "{}", made.report);
    let mut unopened = Vec::new();
    for facts in volumes {
        let (name, shown) = (&facts["volume"], &facts["table"]);
        let at = facts["at"].parse::<u64>().expect("a number") * SLICE;
        let header = header(&disk, at);
        if !opens(&disk, at, &header, &facts) {
            unopened.push(name.clone());
        }
        let key = unhex(&facts["key"]);
        let key = match shown.contains(":logon:") {
            true => Key::Keyring,
            false => Key::Bytes(&key),
        };
        let mut below = Below {
            device: &facts["below"],
            sectors: SLICE / 512,
        };
        assert_eq!(
            table::wants_integrity(&header),
            facts.contains_key("dif"),
            "{name}"
        );
        if let Some(dif) = facts.get("dif") {
            let mut superblock = [0; 512];
            let start = at + header.segments[0].offset;
            disk.read_exact_at(&mut superblock, start).expect("a disk");
            let made = table::integrity(&header, name, below, &superblock, (1, 10));
            let made = made.unwrap_or_else(|e| panic!("{name}: {e}"));
            let ours = line(made.sectors, made.target, &made.params);
            assert_eq!(asked(&ours), asked(&facts["dif-table"]), "{name}");
            below = Below {
                device: dif,
                sectors: made.sectors,
            };
        }
        // What was asked for at the command line only.
        let mut flags = header.flags;
        if name == "one-discards" {
            flags.set_by_name("allow-discards");
            flags.set_by_name("same-cpu-crypt");
        }
        let made = table::crypt(&header, name, below, &key, flags);
        let made = made.unwrap_or_else(|e| panic!("{name}: {e}"));
        let ours = line(made.sectors, made.target, &made.params);
        assert_eq!(in_order(&ours, 9), in_order(shown, 9), "{name}");
        assert_eq!((&made.name, &made.uuid), (name, &facts["uuid"]));
    }
    let others = ["one-serpent", "two-twofish", "two-adiantum"];
    assert_eq!(unopened, others, "slots with other ciphers than AES");
}
