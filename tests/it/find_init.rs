//! The real init is found inside the new root, by what paths mean there.

use landfall::act::find_init::{find, in_image};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A new root in a directory, removed at the end.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("landfall-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, path: &str, contents: &[u8], mode: u32) {
        let path = self.0.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.0.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(to, path).unwrap();
    }

    fn find(&self, init: Option<&str>) -> String {
        match find(self.0.to_str().unwrap(), init.map(str::as_bytes)) {
            Ok(path) => path.to_string(),
            Err(fault) => fault.into_text(),
        }
    }

    fn check(&self, init: &str, expected: &str) {
        let found = self.find(Some(init));
        assert!(found.contains(expected), "{init}: {found}");
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A 64-bit little-endian ELF program for `machine`, with an interpreter if one is named.
fn elf(machine: u16, interpreter: &str) -> Vec<u8> {
    let mut bytes = vec![0; 120];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    bytes[0x12..0x14].copy_from_slice(&machine.to_le_bytes());
    bytes[0x20] = 64;
    bytes[0x36] = 56;
    bytes[0x38] = 1;
    if !interpreter.is_empty() {
        bytes[64] = 3;
        bytes[64 + 0x08] = 120;
        bytes[64 + 0x20] = interpreter.len() as u8 + 1;
        bytes.extend_from_slice(interpreter.as_bytes());
        bytes.push(0);
    }
    bytes
}

#[cfg(target_arch = "x86_64")]
const OURS: u16 = 62;
#[cfg(target_arch = "aarch64")]
const OURS: u16 = 183;

#[test]
fn links_are_followed_inside_the_root_only() {
    let root = Root::new("links");
    root.file("/lib/systemd/systemd", &elf(OURS, ""), 0o755);
    root.link("/sbin", "usr/sbin");
    root.link("/usr/sbin/init", "/lib/systemd/systemd");
    root.link("/bin/up", "../../../../../../lib/systemd/systemd");
    // This exists outside, and not inside.
    assert!(Path::new("/etc/passwd").exists());
    root.link("/bin/outside", "/etc/passwd");
    root.link("/bin/loop", "/bin/loop");
    root.check("/sbin/init", "/sbin/init");
    assert_eq!(root.find(None), "/sbin/init");
    assert_eq!(root.find(Some("/bin/up")), "/bin/up");
    root.check("/bin/outside", "there is no such file");
    root.check("/bin/loop", "symbolic link");
}

#[test]
fn what_could_not_start_is_refused_with_the_reason() {
    let root = Root::new("reasons");
    root.file("/lib/ld.so", &elf(OURS, ""), 0o755);
    root.file("/good", &elf(OURS, "/lib/ld.so"), 0o755);
    root.file("/no-ld", &elf(OURS, "/lib64/ld-linux.so.2"), 0o755);
    root.file("/foreign", &elf(243, ""), 0o755);
    root.file("/locked", &elf(OURS, ""), 0o644);
    root.file("/text", b"hello", 0o755);
    root.file("/script", b"#!/good -x\n", 0o755);
    root.file("/lost-script", b"#! /bin/perl\n", 0o755);
    root.file("/self-script", b"#!/self-script\n", 0o755);
    for (init, expected) in [
        ("/good", "/good"),
        ("/script", "/script"),
        (
            "/no-ld",
            "/no-ld needs /lib64/ld-linux.so.2, but /lib64/ld-linux.so.2: there is no",
        ),
        ("/foreign", "/foreign is made for riscv, this machine is"),
        ("/locked", "/locked is not executable"),
        ("/text", "/text is neither an ELF program nor a #! script"),
        ("/lost-script", "/lost-script needs /bin/perl, but"),
        ("/self-script", "one interpreter too many"),
        ("/lib", "/lib is not a regular file"),
        ("good", "good is not an absolute path"),
        ("/absent", "init=/absent: /absent: there is no such file"),
    ] {
        root.check(init, expected);
    }
}

#[test]
fn without_init_the_kernels_own_list_is_tried_in_order() {
    let root = Root::new("fallbacks");
    let none = root.find(None);
    for path in ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"] {
        assert!(none.contains(path), "{none}");
    }
    for path in ["/bin/sh", "/bin/init", "/etc/init", "/sbin/init"] {
        root.file(path, &elf(OURS, ""), 0o755);
        assert_eq!(root.find(None), path);
    }
    // An unusable one is passed over; a wished one is not.
    root.file("/sbin/init", b"junk", 0o755);
    assert_eq!(root.find(None), "/etc/init");
    root.check("/sbin/init", "neither an ELF program");
}

#[test]
fn the_shell_of_this_machine_could_be_an_init() {
    assert_eq!(find("/", Some(b"/bin/sh")).unwrap().to_string(), "/bin/sh");
}

#[test]
fn an_image_is_a_system_by_an_init_that_is_not_this_program() {
    let root = Root::new("image");
    let found = || in_image(root.0.to_str().unwrap()).map(|path| path.to_string());
    // A shell is there for a person.
    root.file("/bin/sh", b"#!/bin/sh", 0o755);
    assert_eq!(found(), None);
    root.file("/bin/init", &elf(OURS, ""), 0o755);
    assert_eq!(found().as_deref(), Some("/bin/init"));
    // Another name of this program is passed over, as a second file of its own would be.
    fs::create_dir_all(root.0.join("sbin")).unwrap();
    let this = fs::read_link("/proc/self/exe").unwrap();
    symlink("../this", root.0.join("sbin/init")).unwrap();
    if fs::hard_link(this, root.0.join("this")).is_ok() {
        assert_eq!(found().as_deref(), Some("/bin/init"));
    }
    // It says itself that it is none.
    root.file("/etc/initrd-release", b"", 0o644);
    assert_eq!(found(), None);
}
