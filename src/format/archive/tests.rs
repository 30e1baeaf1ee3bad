//! What the real tools pack is read back; what is damaged is refused.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// A directory tree with one of each kind that anybody may make, and names of all lengths.
fn tree(name: &str) -> PathBuf {
    let root = std::env::temp_dir().join(format!("landfall-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let deep = root.join("d".repeat(90)).join("e".repeat(90));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("f".repeat(120)), "far").unwrap();
    fs::write(root.join("file"), "four and more").unwrap();
    fs::hard_link(root.join("file"), root.join("same")).unwrap();
    symlink("../".repeat(60), root.join("link")).unwrap();
    fs::write(root.join("empty"), "").unwrap();
    let made = Command::new("mkfifo").arg(root.join("pipe")).status();
    assert!(made.unwrap().success());
    root
}

fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>, &'static str> {
    let mut reader = Reader::new(bytes).ok_or("is none")?;
    let mut all = Vec::new();
    while let Some(entry) = reader.entry()? {
        all.push(entry);
    }
    Ok(all)
}

/// Each as `path what`, in order.
fn shown(bytes: &[u8]) -> Vec<String> {
    let show = |entry: &Entry<'_>| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = |bytes: &[u8]| {
            let name = text(bytes);
            name.strip_prefix("./").unwrap_or(&name).to_string()
        };
        let what = match &entry.kind {
            Kind::File(data) => format!("file {}", text(data)),
            Kind::Directory => "directory".into(),
            Kind::Link(to) => format!("link {}", text(to)),
            Kind::Same(path, data) => format!("same {} {}", name(path), text(data)),
            Kind::Character(major, minor) => format!("character {major}:{minor}"),
            Kind::Block(major, minor) => format!("block {major}:{minor}"),
            Kind::Fifo => "fifo".into(),
        };
        format!("{} {what}", name(&entry.path).trim_end_matches('/'))
    };
    let mut all: Vec<String> = entries(bytes).unwrap().iter().map(show).collect();
    all.sort();
    all
}

fn packed(root: &PathBuf, script: &str) -> Vec<u8> {
    let mut shell = Command::new("sh");
    let out = shell.args(["-c", script]).current_dir(root).output();
    let out = out.unwrap();
    assert!(out.status.success(), "{script}: {out:?}");
    out.stdout
}

const LIST: &str = "find . -mindepth 1 | LC_ALL=C sort";

fn expected(same: &str) -> Vec<String> {
    let (d, e) = ("d".repeat(90), "e".repeat(90));
    let mut all = vec![
        format!("{d} directory"),
        format!("{d}/{e} directory"),
        format!("{d}/{e}/{} file far", "f".repeat(120)),
        "empty file ".into(),
        format!("link link {}", "../".repeat(60)),
        "pipe fifo".into(),
    ];
    all.extend(same.lines().map(String::from));
    all.sort();
    all
}

#[test]
fn what_the_real_tools_pack_is_read_back() {
    let root = tree("archive");
    let tar = "file file four and more\nsame same file ";
    for form in ["gnu", "pax", "posix"] {
        let pack = format!("{LIST} | tar -c --no-recursion --format={form} -T -");
        assert_eq!(shown(&packed(&root, &pack)), expected(tar), "{form}");
    }
    // cpio gives the contents with the last name.
    let pack = format!("{LIST} | cpio --quiet -o -H newc");
    let newc = "file file \nsame same file four and more";
    assert_eq!(shown(&packed(&root, &pack)), expected(newc));
    let pack =
        format!("{LIST} | tar -c --no-recursion -T - --owner=9000000 --mtime=@77 --mode=4711");
    let bytes = packed(&root, &pack);
    let entry = entries(&bytes).unwrap().remove(0);
    let found = (entry.mode, entry.user, entry.modified);
    assert_eq!(found, (0o4711, 9_000_000, 77));
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn what_is_cut_or_changed_is_refused_or_has_less() {
    let root = tree("archive-cut");
    for pack in [
        format!("{LIST} | tar -c --no-recursion --format=pax -T -"),
        format!("{LIST} | cpio --quiet -o -H newc"),
    ] {
        let whole = packed(&root, &pack);
        let all = entries(&whole).unwrap();
        for length in (0..whole.len()).step_by(7) {
            match entries(&whole[..length]) {
                // Only zeros are missing behind the end.
                Ok(found) => assert_eq!(found.len(), all.len()),
                Err(why) => assert!(["is none", CUT].contains(&why), "{length}: {why}"),
            }
        }
    }
    let mut tar = packed(&root, "tar -c file");
    tar[3] ^= 1;
    assert_eq!(entries(&tar), Err(DAMAGED));
    assert_eq!(entries(&[0; 1024]), Err("is none"));
    fs::remove_dir_all(&root).unwrap();
}
