//! What is left in the memory of a process that has unlocked a volume: nothing that opens it. The
//! code is that of `/init`, built as it is, and the kernel is asked for every byte of the process.

use crate::lab::build;
use crate::lab::shelf::Scratch;
use crate::lab::workshop::{self, Made, Work};
use landfall::crypt::hash::Hash;
use landfall::crypt::pbkdf2::pbkdf2;
use landfall::format::base64;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PASSPHRASE: &str = "the harbour master's dog is called Ishmael";
const ITERATIONS: u32 = 1000;
/// Bytes of the volume key, and of the one that its slot is encrypted with.
const KEY: usize = 64;

/// Headers whose volume key is known: the first bytes of what `seq` counts. The slot of the first
/// has a key that can be computed here, that of the second comes from Argon2.
fn headers() -> Made {
    let script = format!(
        r#"load dm-crypt
printf '%s' "{PASSPHRASE}" > /tmp/pass
seq 1000 2000 | head -c {KEY} > /tmp/volume-key
volume() {{
    disk=$1
    shift
    cryptsetup luksFormat -q --type luks2 "$@" --key-size 512 \
        --volume-key-file /tmp/volume-key --key-file /tmp/pass $disk
}}
volume $D1 --pbkdf pbkdf2 --hash sha256 --pbkdf-force-iterations {ITERATIONS}
volume $D2 --pbkdf argon2id --pbkdf-memory 32768 --pbkdf-parallel 4 --pbkdf-force-iterations 4
echo '== salt'
cryptsetup luksDump --dump-json-metadata $D1 | tr -d ' \\\n' | tr , '\n' |
    sed -n '/tokens/,$d; s/.*"salt":"\(.*\)".*/\1/p'
"#
    );
    workshop::make(&Work {
        name: "secrets",
        disks: &[20, 20],
        files: &[],
        script: &script,
    })
}

/// What the volume's key is encrypted with in its slot.
fn slot_key(salt: &str) -> Vec<u8> {
    let salt = base64::decode(salt.trim().as_bytes()).expect("a salt");
    let hash = Hash::by_name("sha256").expect("a hash");
    let mut key = vec![0; KEY];
    pbkdf2(hash, PASSPHRASE.as_bytes(), &salt, ITERATIONS, &mut key);
    key
}

fn volume_key() -> Vec<u8> {
    let counted = (1000..2000).map(|n| format!("{n}\n")).collect::<String>();
    counted.into_bytes()[..KEY].to_vec()
}

/// All that the process may write to: its name in the list of the kernel, and the bytes.
fn memory(process: &Child) -> Vec<(String, Vec<u8>)> {
    let proc = format!("/proc/{}", process.id());
    let maps = fs::read_to_string(format!("{proc}/maps")).expect("the list of mappings");
    let memory = File::open(format!("{proc}/mem")).expect("the memory of a child");
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("two ends");
        let at = |text| u64::from_str_radix(text, 16).expect("an address");
        let mut bytes = vec![0; (at(end) - at(start)) as usize];
        // What cannot be read (a guard page) holds nothing.
        if memory.read_exact_at(&mut bytes, at(start)).is_ok() {
            found.push((line.to_string(), bytes));
        }
    }
    found
}

/// Unlocks the header. Fails where any sixteen bytes in a row of what is secret are still there.
fn check(header: &Path, secrets: &[(&str, &[u8])]) {
    let scratch = Scratch::new();
    let pass = scratch.0.join("pass");
    fs::write(&pass, PASSPHRASE).expect("a scratch file");
    let mut child = Command::new(build::unlock())
        .arg(header)
        .args([pass.as_os_str(), "wait".as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program of ours");
    let mut said = String::new();
    let output = child.stdout.take().expect("a pipe was asked for");
    BufReader::new(output).read_line(&mut said).expect("a line");
    let memory = memory(&child);
    drop(child.stdin.take());
    assert!(child.wait().is_ok_and(|status| status.success()));
    assert_eq!(said, "unlocked\n");
    assert!(memory.iter().any(|(name, _)| name.ends_with("[stack]")));
    let mut left = Vec::new();
    for (name, secret) in secrets {
        for (place, bytes) in &memory {
            for (at, part) in secret.chunks_exact(16).enumerate() {
                if bytes.windows(16).any(|window| window == part) {
                    left.push(format!("bytes from {} of the {name}: {place}", at * 16));
                }
            }
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn unlocking_leaves_no_secret_in_memory() {
    let made = headers();
    let slot = slot_key(made.section("salt"));
    let volume = volume_key();
    check(
        &made.disks[0],
        &[
            ("passphrase", PASSPHRASE.as_bytes()),
            ("slot's key", &slot),
            ("volume key", &volume),
        ],
    );
    check(
        &made.disks[1],
        &[
            ("passphrase", PASSPHRASE.as_bytes()),
            ("volume key", &volume),
        ],
    );
}
