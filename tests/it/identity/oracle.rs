//! What `blkid -p` and `partx` say about an image, and what we say, in the same words.

use landfall::act::probe_device::probe_file;
use landfall::base::text::{Text, unescape};
use landfall::format::identity::{Finding, Partition, Table, Usage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Words = BTreeMap<String, Text>;

/// blkid's words in the form for udev, and what they are called elsewhere.
const KEYS: [(&str, &str); 9] = [
    ("ID_FS_TYPE", "TYPE"),
    ("ID_FS_USAGE", "USAGE"),
    ("ID_FS_VERSION", "VERSION"),
    ("ID_FS_UUID_ENC", "UUID"),
    ("ID_FS_UUID_SUB_ENC", "UUID_SUB"),
    ("ID_FS_LABEL_ENC", "LABEL"),
    ("ID_FS_BLOCK_SIZE", "BLOCK_SIZE"),
    ("ID_PART_TABLE_TYPE", "PTTYPE"),
    ("ID_PART_TABLE_UUID", "PTUUID"),
];
/// What versions of libblkid do not agree on, by type: 2.39 and later say more (or, of BitLocker,
/// something else) than 2.38.
const DISAGREED: [(&str, &[&str]); 5] = [
    ("cramfs", &["VERSION"]),
    ("squashfs", &["BLOCK_SIZE"]),
    ("bcache", &["VERSION", "LABEL", "BLOCK_SIZE"]),
    ("BitLocker", &["UUID", "LABEL"]),
    // Its boot sector is a partition table to 2.38.
    ("exfat", &["PTTYPE"]),
];
/// blkid's exit status when signatures exclude each other.
const EXIT_AMBIVALENT: i32 = 8;
/// … and when it finds nothing.
const EXIT_NOTHING: i32 = 2;

/// A directory of its own for each test, emptied when the test passes.
pub struct Workshop(PathBuf);

impl Workshop {
    pub fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("identity-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("make a directory for images");
        Self(dir)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A sparse image of `kib` KiB, on which a shell script works as `$F`.
    pub fn make(&self, name: &str, kib: u64, script: &str) -> PathBuf {
        let path = self.file(name);
        let file = std::fs::File::create(&path).expect("create image");
        file.set_len(kib * 1024).expect("size image");
        let mut shell = tool("sh");
        shell.args(["-ec", script]).env("F", &path);
        let output = run(shell.current_dir(&self.0));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {script}: {said}");
        path
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A program, also from where only root looks for it.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.env("LC_ALL", "C.UTF-8");
    command
}

pub fn run(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|e| panic!("{command:?}: {e} (tests need the mkfs tools and util-linux)"))
}

/// blkid's answer; where it is ambivalent, the names of the signatures.
fn blkid(path: &Path) -> Result<Words, Vec<String>> {
    let output = run(tool("blkid").args(["-p", "-o", "udev"]).arg(path));
    let text = String::from_utf8(output.stdout.clone()).expect("blkid speaks UTF-8");
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    match output.status.code() {
        Some(0) => {}
        Some(EXIT_NOTHING) => return Ok(Words::new()),
        Some(EXIT_AMBIVALENT) => {
            // USAGE:TYPE:VERSION of each, or USAGE:TYPE.
            let all = lines.find(|(key, _)| *key == "ID_FS_AMBIVALENT");
            let all = all.map_or("", |(_, all)| all).split(' ');
            let name = |one: &str| one.split(':').nth(1).map(str::to_owned);
            return Err(all.filter_map(name).collect());
        }
        _ => panic!("blkid {path:?}: {output:?}"),
    }
    let mut words = Words::new();
    for (key, value) in lines {
        if let Some((_, known)) = KEYS.iter().find(|(theirs, _)| *theirs == key) {
            let value = unescape(value.as_bytes());
            words.insert((*known).to_owned(), Text(value));
        }
    }
    // An MBR that protects nothing is no table to us.
    if words.get("PTTYPE") == Some(&Text::from("PMBR")) {
        words.remove("PTTYPE");
    }
    Ok(words)
}

/// Our answer in blkid's words.
fn ours(finding: &Finding) -> Result<Words, Vec<String>> {
    let mut words = Words::new();
    let mut say = |key: &str, value: Option<Text>| {
        words.extend(value.map(|value| (key.to_owned(), value)));
    };
    let text = |value: &Option<String>| value.as_deref().map(Text::from);
    if let Some(s) = &finding.signature {
        let usage = match s.usage {
            Usage::Filesystem => "filesystem",
            Usage::Raid => "raid",
            Usage::Crypto => "crypto",
            Usage::Other => "other",
        };
        say("TYPE", Some(Text::from(&*s.kind)));
        say("USAGE", Some(Text::from(usage)));
        say("VERSION", text(&s.version));
        say("UUID", text(&s.uuid));
        say("UUID_SUB", text(&s.uuid_sub));
        say("LABEL", s.label.clone());
        let size = (s.block_size != 0).then(|| s.block_size.to_string());
        say("BLOCK_SIZE", text(&size));
    }
    if let Some(t) = &finding.table {
        say("PTTYPE", Some(Text::from(&*t.kind)));
        say("PTUUID", text(&t.uuid));
    }
    match finding.ambivalent.is_empty() {
        true => Ok(words),
        false => Err(finding.ambivalent.clone()),
    }
}

/// Our finding about an image, after comparing it with blkid's.
pub fn compare(path: &Path) -> Finding {
    let finding = probe_file(path.to_str().expect("a path")).expect("probe image");
    let agreed = |words: Result<Words, Vec<String>>| {
        let mut words = words?;
        for (kind, keys) in DISAGREED {
            if words.get("TYPE") == Some(&Text::from(kind)) {
                words.retain(|key, _| !keys.contains(&&**key));
            }
        }
        Ok::<_, Vec<String>>(words)
    };
    let (we, they) = (agreed(ours(&finding)), agreed(blkid(path)));
    assert_eq!(we, they, "we, blkid: {path:?}");
    if let (Some(table), Ok(_)) = (&finding.table, blkid(path)) {
        compare_partitions(path, table, 512);
    }
    finding
}

/// Compares a table, entry by entry, with what `partx` reads.
pub fn compare_partitions(path: &Path, table: &Table, sector: u32) {
    let mut partx = tool("partx");
    partx.args(["--pairs", "--bytes", "-o"]);
    partx.arg("NR,START,SECTORS,UUID,NAME,TYPE,FLAGS");
    let output = run(partx.args(["--sector-size", &sector.to_string()]).arg(path));
    let text = String::from_utf8(output.stdout).expect("partx speaks UTF-8");
    let plain = |line: &str| String::from_utf8(unescape(line.as_bytes())).expect("UTF-8");
    let theirs: Vec<String> = text.lines().map(plain).collect();
    let ours: Vec<String> = table.partitions.iter().map(|p| pairs(table, p)).collect();
    assert_eq!(ours, theirs, "we, partx: {path:?}");
}

fn pairs(table: &Table, p: &Partition) -> String {
    let label = p.label.as_ref().and_then(|l| l.as_str()).unwrap_or("");
    // partx prints no UUID where the disk has no signature; the kernel does, and so do we.
    let uuid = if table.uuid.is_some() { &*p.uuid } else { "" };
    let (number, start, sectors, kind) = (p.number, p.start, p.sectors, &p.kind);
    let place = format!(r#"NR="{number}" START="{start}" SECTORS="{sectors}""#);
    let flags = format!("{:#x}", p.flags);
    format!(r#"{place} UUID="{uuid}" NAME="{label}" TYPE="{kind}" FLAGS="{flags}""#)
}
