//! LUKS images by name, made by cryptsetup, kept in `target/lab/luks` under a hash of the recipe.
//!
//! Iterations are few: the tests do not wait for keys to be derived slowly.

use landfall::crypt::hash::digest;
use landfall::format::identity::{Need, View};
use landfall::format::json::{Value, read};
use landfall::format::luks::{self, Header};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An image, the volume key in it, and what cryptsetup says.
pub struct Made {
    pub name: String,
    pub image: PathBuf,
    pub key: Vec<u8>,
    /// LUKS2: the JSON area as cryptsetup prints it.
    pub json: String,
    /// The dump for people.
    pub dump: String,
}

/// Passphrases; the first one opens every image, and both of those with a second slot.
pub const PASSPHRASES: [&[u8]; 2] = [b"correct horse", b"battery \xff staple\n"];

/// What each script may use: the image is `$F`, passphrases are in `p0` and `p1`.
const PRELUDE: &str = r#"
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin F=image
printf 'correct horse' > p0
printf 'battery \377 staple\n' > p1
truncate -s 24M $F
few='--pbkdf-force-iterations 1000'
fast='--pbkdf pbkdf2 --pbkdf-force-iterations 1000'
one() { cryptsetup luksFormat -q --type luks1 $few --key-file p0 "$@" $F; }
two() { cryptsetup luksFormat -q --type luks2 --key-file p0 "$@" $F; }
add() { cryptsetup luksAddKey -q --key-file p0 "$@" $F p1; }
argon2() { two --pbkdf-force-iterations 4 "$@"; }
"#;
const POSTLUDE: &str = r"
cryptsetup luksDump $F > dump
cryptsetup luksDump --dump-json-metadata $F > json || > json
cryptsetup luksDump -q --dump-volume-key --volume-key-file key --key-file p0 $F > said
";

/// Name and script of each image.
const RECIPES: &[(&str, &str)] = &[
    ("one", "one"),
    ("one-sha1", "one --hash sha1"),
    ("one-sha224", "one --hash sha224"),
    ("one-sha384", "one --hash sha384"),
    ("one-sha512", "one --hash sha512"),
    ("one-ripemd160", "one --hash ripemd160"),
    ("one-whirlpool", "one --hash whirlpool"),
    ("one-sha3-256", "one --hash sha3-256"),
    ("one-sha3-512", "one --hash sha3-512"),
    ("one-blake2b-512", "one --hash blake2b-512"),
    ("one-blake2s-256", "one --hash blake2s-256"),
    ("one-sm3", "one --hash sm3"),
    (
        "one-essiv",
        "one --cipher aes-cbc-essiv:sha256 --key-size 256",
    ),
    (
        "one-essiv-128",
        "one --cipher aes-cbc-essiv:sha256 --key-size 128",
    ),
    ("one-cbc-plain", "one --cipher aes-cbc-plain --key-size 128"),
    (
        "one-cbc-plain64",
        "one --cipher aes-cbc-plain64 --key-size 256",
    ),
    ("one-xts-plain", "one --cipher aes-xts-plain --key-size 256"),
    (
        "one-uuid",
        "one --uuid 12345678-9abc-def0-1234-56789abcdef0",
    ),
    ("one-offset", "one --offset 16384"),
    (
        "one-slots",
        "one; for s in 3 5 7; do add $few --key-slot $s; done; \
         cryptsetup luksKillSlot -q --key-file p0 $F 5",
    ),
    ("two", "two $fast"),
    (
        "two-argon2id",
        "argon2 --pbkdf argon2id --pbkdf-memory 64 --pbkdf-parallel 1",
    ),
    (
        "two-argon2id-2",
        "argon2 --pbkdf argon2id --pbkdf-memory 1000 --pbkdf-parallel 2",
    ),
    (
        "two-argon2i",
        "argon2 --pbkdf argon2i --pbkdf-memory 77 --pbkdf-parallel 1",
    ),
    (
        "two-argon2i-2",
        "argon2 --pbkdf argon2i --pbkdf-memory 4096 --pbkdf-parallel 2",
    ),
    ("two-sha1", "two $fast --hash sha1"),
    ("two-sha512", "two $fast --hash sha512"),
    ("two-whirlpool", "two $fast --hash whirlpool"),
    ("two-ripemd160", "two $fast --hash ripemd160"),
    ("two-blake2b-512", "two $fast --hash blake2b-512"),
    ("two-sha3-384", "two $fast --hash sha3-384"),
    (
        "two-essiv",
        "two $fast --cipher aes-cbc-essiv:sha256 --key-size 256",
    ),
    ("two-key-256", "two $fast --key-size 256"),
    (
        "two-slot-cipher",
        "two $fast --keyslot-cipher aes-cbc-plain64 --keyslot-key-size 128",
    ),
    ("two-sector-512", "two $fast --sector-size 512"),
    ("two-sector-2048", "two $fast --sector-size 2048"),
    ("two-32k", "two $fast --luks2-metadata-size 32k"),
    (
        "two-128k",
        "two $fast --luks2-metadata-size 128k --luks2-keyslots-size 2m",
    ),
    (
        "two-4m",
        "two $fast --luks2-metadata-size 4m --luks2-keyslots-size 1m",
    ),
    ("two-offset", "two $fast --offset 40960"),
    ("two-label", "two $fast --label 'one two' --subsystem three"),
    (
        "two-slots",
        "two $fast; add $fast --key-slot 4 --hash sha512; \
         add $fast --key-slot 9; add $fast --key-slot 2; \
         cryptsetup config $F --key-slot 4 --priority prefer; \
         cryptsetup config $F --key-slot 9 --priority ignore; \
         cryptsetup luksAddKey -q $fast --unbound --key-size 128 --key-slot 6 --key-file p0 $F p1",
    ),
    (
        "two-token",
        "two $fast; cryptsetup token add --key-description two:words $F; \
         echo '{\"type\":\"x\",\"keyslots\":[],\"list\":[1,{\"a\":\"\\u00e9\\/\"}]}' | \
         cryptsetup token import $F",
    ),
    (
        "two-detached",
        "rm $F; truncate -s 30M data; \
         cryptsetup luksFormat -q --type luks2 $fast --key-file p0 --header $F data; rm data",
    ),
];

fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Every image.
pub fn all() -> impl Iterator<Item = Made> {
    RECIPES.iter().map(|(name, script)| make(name, script))
}

/// The image of this name.
pub fn one(name: &str) -> Made {
    let found = RECIPES.iter().find(|(known, _)| *known == name);
    let (name, script) = found.unwrap_or_else(|| panic!("no image is called {name}"));
    make(name, script)
}

fn make(name: &str, script: &str) -> Made {
    let script = format!("set -e\n{PRELUDE}\n{script}\n{POSTLUDE}");
    let shelf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../lab/luks");
    fs::create_dir_all(&shelf).expect("a writable target directory");
    let place = shelf.join(format!("{name}-{:016x}", hash(script.as_bytes())));
    // One at a time, across threads and processes.
    let lock = File::create(shelf.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("a lock");
    if !place.exists() {
        let part = shelf.join(format!("{name}.part"));
        let _ = fs::remove_dir_all(&part);
        fs::create_dir(&part).expect("a writable directory");
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&part)
            .output();
        let output = output.expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{name}: {said}(tests need cryptsetup)"
        );
        fs::rename(&part, &place).expect("a rename within one directory");
    }
    let text = |file: &str| fs::read_to_string(place.join(file)).expect("a dump");
    Made {
        name: name.into(),
        image: place.join("image"),
        key: fs::read(place.join("key")).expect("a volume key"),
        json: text("json"),
        dump: text("dump"),
    }
}

impl Made {
    /// All bytes that the header and its areas may take.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let file = File::open(&self.image).expect("an image");
        file.take(24 << 20)
            .read_to_end(&mut bytes)
            .expect("an image");
        bytes
    }

    /// Bytes of each JSON area, as the header says.
    pub fn json_area(&self) -> u64 {
        let config = read(self.json.as_bytes()).expect("cryptsetup writes JSON");
        let size = config.member("config").and_then(|c| c.member("json_size"));
        size.and_then(Value::number).expect("a size")
    }

    pub fn header(&self) -> Header {
        let file = File::open(&self.image).expect("an image");
        let size = file.metadata().expect("an image").len();
        let read = |at: u64, bytes: &mut [u8]| file.read_exact_at(bytes, at).is_ok();
        read_with(size, &read).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }
}

/// The header of a device of `size` bytes that `read` reads.
pub fn read_with(
    size: u64,
    read: &dyn Fn(u64, &mut [u8]) -> bool,
) -> Result<Header, landfall::base::fault::Fault> {
    let mut view = View::new(size, 512);
    for _ in 0..30 {
        match luks::read(&view, &digest) {
            Ok(header) => return header,
            Err(Need(range)) => {
                assert!(range.len <= 4 << 20, "{range:?}");
                let mut bytes = vec![0; range.len];
                match read(range.at, &mut bytes) {
                    true => view.add(range.at, bytes),
                    false => view.lose(range),
                }
            }
        }
    }
    panic!("the header is never read to its end");
}

/// The header of a device that holds `bytes`.
pub fn read_bytes(bytes: &[u8]) -> Result<Header, landfall::base::fault::Fault> {
    read_with(bytes.len() as u64, &|at, out| {
        let at = usize::try_from(at).expect("a place in memory");
        out.copy_from_slice(&bytes[at..at + out.len()]);
        true
    })
}
