//! Keyrings: files with the keys of users, as `ceph auth get` writes them.
//!
//! Text with a section for each user (`[client.NAME]`), in which `key = …` is the secret in Base64.
//! A file that holds nothing but a secret is understood, too, as mount.ceph(8) does
//! (`secretfile=`).
//! Source: doc/rados/operations/user-management.rst of Ceph.

use alloc::format;
use alloc::string::String;

/// Where the key of a user may lie, in this order, as Ceph's own programs look for it.
pub fn places(user: &str) -> [String; 3] {
    [
        format!("/etc/ceph/ceph.client.{user}.keyring"),
        "/etc/ceph/ceph.keyring".into(),
        "/etc/ceph/keyring".into(),
    ]
}

/// What a key is called, here and in messages.
pub fn name(user: &str) -> String {
    format!("client.{user}")
}

/// The secret of this user, in Base64.
pub fn secret<'a>(text: &'a [u8], user: &str) -> Option<&'a [u8]> {
    const NOTHING: &[u8] = b"";
    let mut alone = None;
    let mut ours = false;
    for line in text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
        match line {
            [] | [b'#' | b';', ..] => {}
            [b'[', section @ .., b']'] => {
                let name = section.trim_ascii().strip_prefix(b"client.");
                ours = name == Some(user.as_bytes());
                alone = Some(NOTHING);
            }
            _ => {
                let at = line.iter().position(|b| *b == b'=').unwrap_or(line.len());
                let (key, value) = line.split_at_checked(at)?;
                if ours && key.trim_ascii() == b"key" {
                    return value.get(1..).map(<[u8]>::trim_ascii);
                }
                // More than one line is no secret.
                alone = Some(if alone.is_some() { NOTHING } else { line });
            }
        }
    }
    alone.filter(|line| !line.is_empty())
}
