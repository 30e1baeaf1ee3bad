//! How long LUKS volumes take to unlock, beside cryptsetup in the same guest. `sh tests/bench.sh`
//! shows the figures; no test judges them, for they depend on whatever else the machine does.

use crate::lab::build;
use crate::lab::workshop::{self, Work};

/// What is measured: options of `luksFormat`.
const KINDS: &[(&str, &str)] = &[
    (
        "argon2id-4-lanes",
        "--pbkdf argon2id --pbkdf-parallel 4 $argon2",
    ),
    (
        "argon2id-1-lane",
        "--pbkdf argon2id --pbkdf-parallel 1 $argon2",
    ),
    (
        "argon2i-4-lanes",
        "--pbkdf argon2i --pbkdf-parallel 4 $argon2",
    ),
    ("pbkdf2-sha256", "--hash sha256 $pbkdf2"),
    ("pbkdf2-sha512", "--hash sha512 $pbkdf2"),
    ("pbkdf2-sha1", "--hash sha1 $pbkdf2"),
    ("pbkdf2-whirlpool", "--hash whirlpool $pbkdf2"),
    ("pbkdf2-ripemd160", "--hash ripemd160 $pbkdf2"),
    ("pbkdf2-sha3-256", "--hash sha3-256 $pbkdf2"),
    ("pbkdf2-blake2b-512", "--hash blake2b-512 $pbkdf2"),
];
const CPUS: u32 = 2;
const RUNS: u32 = 5;

#[test]
#[ignore = "takes ten minutes, and says figures: tests/bench.sh runs it"]
fn unlock_times_beside_cryptsetup() {
    let mut script = String::from(
        "load dm-crypt\n\
         printf 'correct horse' > /tmp/pass\n\
         dd if=$F1 of=/tmp/unlock bs=1M status=none; chmod 755 /tmp/unlock\n\
         argon2='--pbkdf-memory 65536 --pbkdf-force-iterations 4'\n\
         pbkdf2='--pbkdf pbkdf2 --pbkdf-force-iterations 100000'\n",
    );
    for (name, options) in KINDS {
        script += &format!(
            "cryptsetup luksFormat -q --type luks2 --key-file /tmp/pass {options} $D1\n\
             echo '== {name}'; /tmp/unlock $D1 /tmp/pass {RUNS}\n"
        );
    }
    let measured = workshop::measure(
        &Work {
            name: "unlock-times",
            disks: &[24],
            files: &[&build::unlock()],
            script: &script,
        },
        CPUS,
    );
    println!("unlocking, in milliseconds ({CPUS} processors, median of {RUNS}):");
    println!(
        "{:<20}{:>10}{:>12}{:>7}",
        "", "landfall", "cryptsetup", "ratio"
    );
    for (name, _) in KINDS {
        let words = measured.words(name);
        let [ours, theirs] = words.as_slice() else {
            panic!("{name}: {words:?}");
        };
        let number = |text: &str| text.parse::<f64>().expect("milliseconds");
        let ratio = number(ours) / number(theirs).max(1.0);
        println!("{name:<20}{ours:>10}{theirs:>12}{ratio:>7.2}");
    }
}
