//! Gives the kernel the key of a Ceph user, under a name that stands where a secret would show.
//!
//! The kernel takes a secret among the options of a mount or a mapping, too, and keeps those of a
//! mapping where root reads them (`config_info`). A key on this thread's keyring it takes a copy
//! of.
//! Source: net/ceph/ceph_common.c (get_secret), net/ceph/crypto.c (key type `ceph`).

use super::key_file;
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::format::base64;
use crate::format::ceph::{Credentials, keyring};
use crate::format::luks::order::{KeyFile, Spot};
use crate::sys::keyring::{self as kernel, Logon};

/// A key that the kernel can be told to use, as long as this lives.
pub struct Held {
    pub name: String,
    _key: Logon,
}

/// The key of this user. `None`: nobody has one, as in a cluster that asks for none.
///
/// # Errors
/// There is a secret, but it is none, or the kernel does not take it.
pub fn hold(who: &Credentials) -> Result<Option<Held>, Fault> {
    let Some((secret, place)) = secret(who)? else {
        return Ok(None);
    };
    let name = keyring::name(who.user());
    let refused =
        |errno: i32, why: &str| Fault::new(errno, format!("the key of {name} ({place}) {why}"));
    let bytes = base64::decode(secret.as_bytes()).map(Secret::from);
    let bytes = bytes.ok_or_else(|| refused(0, "is no Base64, so it cannot be the right one"))?;
    match kernel::add_ceph(&name, bytes.as_bytes()) {
        Ok(key) => Ok(Some(Held { name, _key: key })),
        Err(fail) if fail.errno == libc::EINVAL => Err(refused(0, "is no key of Ceph")),
        Err(fail) => {
            let why = format!("is not taken: {fail}");
            Err(refused(fail.errno, &why))
        }
    }
}

/// In Base64, and where it was found.
fn secret(who: &Credentials) -> Result<Option<(Secret, String)>, Fault> {
    if !who.secret.is_empty() {
        let copy = Secret::copy_of(who.secret.as_bytes());
        return Ok(Some((copy, "on the command line".into())));
    }
    let named = Some(&who.file).filter(|file| !file.is_empty());
    let places = match named {
        Some(file) => vec![file.clone()],
        None => keyring::places(who.user()).into(),
    };
    for place in places {
        let file = KeyFile {
            spot: Spot::File(place.clone()),
            offset: 0,
            size: None,
            erase: false,
        };
        let text = match key_file::read(&file) {
            Ok(text) => text,
            Err(fault) if fault.errno == libc::ENOENT && named.is_none() => continue,
            Err(fault) => return Err(fault),
        };
        match keyring::secret(text.as_bytes(), who.user()) {
            Some(secret) => return Ok(Some((Secret::copy_of(secret), place))),
            None => log::warn!("{place} holds no key of {}", keyring::name(who.user())),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &str) -> Credentials {
        Credentials {
            file: file.into(),
            ..Credentials::default()
        }
    }

    fn refusal(text: &str) -> String {
        let file = std::env::temp_dir().join(format!("landfall-ceph-{}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let found = hold(&named(file.to_str().unwrap())).map(|held| held.is_some());
        std::fs::remove_file(&file).unwrap();
        match found {
            Ok(found) => found.to_string(),
            Err(fault) => fault.into_text(),
        }
    }

    #[test]
    fn keys_come_from_files_and_show_nowhere() {
        let said = refusal("[client.admin]\n key = not base64\n");
        assert!(said.contains("key of client.admin") && said.contains("is no Base64"));
        assert!(!said.contains("not base64"), "{said}");
        assert_eq!(refusal("[client.other]\n key = QUJD\n"), "false");
        let nowhere = hold(&named("/no/such"));
        assert!(nowhere.is_err_and(|fault| fault.text.starts_with("open /no/such")));
        // Where there is no file, and none is named, there may be no need of a key.
        let mut who = Credentials::default();
        who.set_user("nobody-of-this-name").unwrap();
        assert!(hold(&who).is_ok_and(|held| held.is_none()));
        // Few kernels that tests run on have the type of key.
        who.set_secret("QUJD").unwrap();
        let fault = hold(&who).err().unwrap();
        assert!(!fault.text.contains("QUJD"), "{fault}");
    }
}
