//! Bytes that lie in the image, on a device, or in a file on another device.
//!
//! A file system is read without being written to: mounted read-only, its journal left as it is,
//! and hung nowhere, so that nobody else can see it. It is gone when the file is closed.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::format::luks::order::{KeyFile, Spot};
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::mount_context::Context;
use crate::sys::{block, mount};
use std::os::fd::{AsFd, OwnedFd};

/// Largest key, as cryptsetup has it.
const KEY_MAX: u64 = 8 << 20;

/// A file system, and an option with its value.
type Way = (&'static str, &'static [u8], Option<&'static [u8]>);

/// Words that keep a file system from replaying its journal, which would write. Sources: the
/// kernel's Documentation/filesystems, by type. One that is not here has no journal to replay, or
/// none that a read-only mount replays.
const AS_IT_IS: [Way; 8] = [
    ("ext4", b"noload", None),
    ("ext3", b"noload", None),
    ("xfs", b"norecovery", None),
    ("btrfs", b"rescue", Some(b"nologreplay")),
    ("f2fs", b"norecovery", None),
    ("nilfs2", b"norecovery", None),
    ("bcachefs", b"norecovery", None),
    ("bcachefs", b"nochanges", None),
];

/// Opens it for reading. The second part is its name, for messages.
pub fn open(spot: &Spot) -> Result<(OwnedFd, String), Fault> {
    let fault = |name: &str, fail: Fail| Fault::new(fail.errno, format!("{name}: {fail}"));
    match spot {
        Spot::File(path) => {
            let file = dir::open_path(path.as_bytes(), Want::Contents)?;
            Ok((file, path.clone()))
        }
        Spot::Device(device) => {
            let path = format!("/dev/{device}");
            let file = dir::open_path(path.as_bytes(), Want::Contents)?;
            Ok((file, path))
        }
        Spot::On {
            device,
            fstype,
            path,
        } => {
            let name = format!("{path} on {device}");
            let root = unattached(device, fstype).map_err(|fail| fault(&name, fail))?;
            let file = dir::open_in_root(root, path.as_bytes(), Want::Contents);
            Ok((file.map_err(|fail| fault(&name, fail))?, name))
        }
    }
}

/// The root directory of what is on the device.
fn unattached(device: &str, fstype: &str) -> Result<OwnedFd, Fail> {
    let context = Context::open(fstype)?;
    context.set_string(b"source", format!("/dev/{device}").as_bytes())?;
    context.set_flag(b"ro")?;
    for (_, key, value) in AS_IT_IS.iter().filter(|(kind, ..)| *kind == fstype) {
        match value {
            Some(value) => context.set_string(key, value)?,
            None => context.set_flag(key)?,
        }
    }
    context.create()?;
    context.mount(mount::RDONLY | mount::NOSUID | mount::NODEV | mount::NOEXEC)
}

/// The key.
pub fn read(key: &KeyFile) -> Result<Secret, Fault> {
    let (file, name) = open(&key.spot)?;
    let whole = block::size_bytes(file.as_fd(), &name)?;
    let rest = whole.saturating_sub(key.offset);
    let wanted = key.size.map_or(rest, |size| size.min(rest));
    if wanted == 0 {
        let (offset, text) = (key.offset, "holds no key: it has");
        return Err(Fault::plain(format!(
            "{name} {text} {whole} bytes, and {offset} are to be skipped"
        )));
    }
    let len = usize::try_from(wanted).ok().filter(|_| wanted <= KEY_MAX);
    let len = len.ok_or_else(|| {
        let text = "a key has 8 MiB at most: say where it ends with keyfile-size=";
        Fault::plain(format!(
            "{name} is too long for a key ({wanted} bytes): {text}"
        ))
    })?;
    let mut secret = Secret::zeros(len);
    let got = dir::read_at(&file, secret.as_mut_bytes(), key.offset)?;
    secret.truncate(got);
    Ok(secret)
}

/// Overwrites and deletes a file of the image.
pub fn erase(path: &str) {
    let size = dir::open_path(path.as_bytes(), Want::Contents).and_then(dir::status);
    if let Ok(status) = size.as_ref()
        && let Ok(blank) = usize::try_from(status.bytes.min(KEY_MAX))
    {
        // RAM is overwritten where it lies: the file keeps its pages.
        let _ = dir::overwrite(path, &vec![0; blank]);
    }
    dir::remove_path(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, offset: u64, size: Option<u64>, expected: Result<&str, &str>) {
        let file = format!(
            "landfall-key-{}-{offset}-{}",
            std::process::id(),
            text.len()
        );
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).unwrap();
        let key = KeyFile {
            spot: Spot::File(path.to_str().unwrap().into()),
            offset,
            size,
            erase: false,
        };
        match (read(&key), expected) {
            (Ok(secret), Ok(expected)) => assert!(secret.same(expected.as_bytes()), "{text}"),
            (Err(fault), Err(expected)) => assert!(fault.text.contains(expected), "{fault}"),
            (found, _) => panic!("{text} {offset} {size:?}: {:?}", found.err()),
        }
        erase(path.to_str().unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_key_is_a_part_of_a_file_with_its_line_breaks() {
        check("secret\n", 0, None, Ok("secret\n"));
        check("secret", 2, None, Ok("cret"));
        check("secret", 2, Some(3), Ok("cre"));
        check("secret", 4, Some(30), Ok("et"));
        check(
            "secret",
            6,
            None,
            Err("holds no key: it has 6 bytes, and 6 are"),
        );
        check("", 0, None, Err("holds no key"));
        check(&"x".repeat(9 << 20), 0, None, Err("too long for a key"));
        check(&"x".repeat(9 << 20), 1, Some(1), Ok("x"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let open = |spot| open(&spot).unwrap_err();
        let fault = open(Spot::File("/no/such".into()));
        assert_eq!(
            (fault.errno, fault.text.starts_with("open /no/such")),
            (2, true)
        );
        let fault = open(Spot::On {
            device: "nonesuch".into(),
            fstype: "ext4".into(),
            path: "/key".into(),
        });
        assert!(fault.text.starts_with("/key on nonesuch: "), "{fault}");
    }
}
