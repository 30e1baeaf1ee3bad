//! The options of a volume: the fourth field of crypttab(5), and what stands for it elsewhere.
//!
//! The names are systemd's and Debian's together; where both know a thing under two names, both
//! are taken. What only matters to volumes that are no LUKS, or after the boot, is passed over in
//! silence; what is not known at all is complained about.

use super::{Place, switch};
use crate::format::luks::flags::{Flag, Flags};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How a volume is to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// In addition to those in its header.
    pub flags: Flags,
    pub read_only: bool,
    /// Where the header lies, if not at the start of the device.
    pub header: Option<Place>,
    /// The only slot to try.
    pub key_slot: Option<u32>,
    /// Bytes to skip at the start of the key file.
    pub keyfile_offset: u64,
    /// Most bytes to take from the key file.
    pub keyfile_size: Option<u64>,
    /// How long to wait for the device that the key file is on; `None`: as long as it takes.
    pub keyfile_timeout_ms: Option<u64>,
    /// Overwrite and delete the key file, which is in the image, after use.
    pub keyfile_erase: bool,
    /// How often to ask; `Some(0)`: for ever; `None`: nothing was said, 3 is usual.
    pub tries: Option<u32>,
    /// How long a question may stand; 0: for ever.
    pub timeout_ms: u64,
    /// How long the device may take to appear; `None`: nothing was said.
    pub device_timeout_ms: Option<u64>,
    /// Nobody is to be asked.
    pub headless: bool,
    pub echo: Echo,
    /// Try the empty passphrase before anybody is asked.
    pub try_empty: bool,
    /// Not to be opened unless something needs it.
    pub no_auto: bool,
    /// The boot may go on without it.
    pub no_fail: bool,
    /// `x-initrd.attach` of systemd, `initramfs` of Debian.
    pub attach: bool,
    /// `link-volume-key=`: keyrings and descriptions under which the key is to be found later.
    pub links: Vec<String>,
    /// Options about TPM, FIDO2 and PKCS#11 tokens and about what the volume key must be, as they
    /// stand: they cannot be met by a passphrase.
    pub tokens: Vec<String>,
    /// `keyscript=`: a program of Debian's. The third field is then its argument.
    pub key_script: Option<String>,
}

/// What is shown while somebody types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    #[default]
    Masked,
    Nothing,
    Plain,
}

/// Of no use here: for plain volumes, or for what runs after the boot.
const IDLE: [&str; 16] = [
    "luks",
    "luks1",
    "luks2",
    "cipher",
    "hash",
    "size",
    "offset",
    "skip",
    "sector-size",
    "verify",
    "loud",
    "quiet",
    "noearly",
    "check",
    "checkargs",
    "_netdev",
];
/// Beginnings of options about what is no passphrase.
const TOKENS: [&str; 5] = ["tpm2-", "fido2-", "pkcs11-", "token-", "fixate-volume-key"];

impl Options {
    /// Adds a list with commas. What is odd is added to `complaints`, `told_by` in front. The error
    /// says why the volume is none that is opened here.
    pub fn add(
        &mut self,
        list: &str,
        told_by: &str,
        complaints: &mut Vec<String>,
    ) -> Result<(), String> {
        for option in list.split(',').filter(|option| !option.is_empty()) {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (option, None),
            };
            if let Some(kind) = foreign(name) {
                return Err(format!("its option {name} {kind}"));
            }
            let understood = self.place(name, value) || self.number(name, value);
            let understood = understood || self.switch(name, value) || self.word(option, name);
            if !understood {
                let what = "is not known, or its value is impossible; it is ignored";
                complaints.push(format!("{told_by}: option {option} {what}"));
            }
        }
        Ok(())
    }

    fn place(&mut self, name: &str, value: Option<&str>) -> bool {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return false;
        };
        match name {
            "header" => match Place::read(value) {
                Ok(place) => self.header = Some(place),
                Err(_) => return false,
            },
            "link-volume-key" => self.links.push(value.into()),
            "keyscript" => self.key_script = Some(value.into()),
            _ => return false,
        }
        true
    }

    fn number(&mut self, name: &str, value: Option<&str>) -> bool {
        let plain = || value?.parse::<u64>().ok();
        let small = || value?.parse::<u32>().ok();
        let span = || millis(value?);
        match name {
            "key-slot" | "keyslot" => set(&mut self.key_slot, small().map(Some)),
            "tries" => set(&mut self.tries, small().map(Some)),
            "keyfile-offset" => set(&mut self.keyfile_offset, plain()),
            "keyfile-size" => set(
                &mut self.keyfile_size,
                plain().map(|n| (n > 0).then_some(n)),
            ),
            // No time at all means all the time there is.
            "keyfile-timeout" => {
                let time = span().map(|ms| (ms > 0).then_some(ms));
                set(&mut self.keyfile_timeout_ms, time)
            }
            "timeout" => set(&mut self.timeout_ms, span()),
            "x-systemd.device-timeout" => set(&mut self.device_timeout_ms, span().map(Some)),
            _ => false,
        }
    }

    fn switch(&mut self, name: &str, value: Option<&str>) -> bool {
        let on = match value {
            None => Some(true),
            value => switch(value),
        };
        match name {
            "read-only" | "readonly" => set(&mut self.read_only, on),
            "keyfile-erase" => set(&mut self.keyfile_erase, on),
            "headless" => set(&mut self.headless, on),
            "try-empty-password" => set(&mut self.try_empty, on),
            "noauto" => set(&mut self.no_auto, on),
            "nofail" => set(&mut self.no_fail, on),
            "x-initrd.attach" | "initramfs" => set(&mut self.attach, on),
            "password-echo" => {
                let echo = match (value, on) {
                    (Some("masked"), _) => Some(Echo::Masked),
                    (_, on) => on.map(|on| if on { Echo::Plain } else { Echo::Nothing }),
                };
                set(&mut self.echo, echo)
            }
            _ => false,
        }
    }

    fn word(&mut self, option: &str, name: &str) -> bool {
        match name {
            // crypttab's name, and that of mkinitcpio and of LUKS2 headers.
            "discard" | "allow-discards" => self.flags.set(Flag::AllowDiscards),
            "same-cpu-crypt"
            | "submit-from-crypt-cpus"
            | "no-read-workqueue"
            | "no-write-workqueue" => self.flags.set_by_name(name),
            _ if TOKENS.iter().any(|start| name.starts_with(start)) => {
                self.tokens.push(option.into());
            }
            _ => return IDLE.contains(&name) || name.starts_with("x-"),
        }
        true
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        None => false,
        Some(value) => {
            *place = value;
            true
        }
    }
}

/// Why a volume with this option is none of LUKS.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "plain" => "asks for plain dm-crypt, and only LUKS volumes are opened here",
        "bitlk" => "asks for BitLocker, and only LUKS volumes are opened here",
        "fvault2" => "asks for FileVault, and only LUKS volumes are opened here",
        "swap" | "tmp" => "asks for a new file system at each boot, and nothing is formatted here",
        _ if name.starts_with("tcrypt") || name == "veracrypt" => {
            "asks for TrueCrypt, and only LUKS volumes are opened here"
        }
        _ => return None,
    })
}

/// A span of time as systemd.time(7) has it, in milliseconds: `90`, `90s`, `1min30s`.
fn millis(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0u64;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at_checked(end)?;
        let end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let number = number.parse::<u64>().ok()?;
        let part = match unit {
            "us" => number.checked_div(1000)?,
            "ms" => number,
            "" | "s" | "sec" => number.checked_mul(1000)?,
            "m" | "min" => number.checked_mul(60_000)?,
            "h" | "hr" => number.checked_mul(3_600_000)?,
            "d" => number.checked_mul(86_400_000)?,
            _ => return None,
        };
        sum = sum.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: the options that the list stands for; complaints are in `odd`.
    fn check(list: &str, expected: &Options, odd: &[&str]) {
        let (mut options, mut complaints) = (Options::default(), Vec::new());
        options.add(list, "here", &mut complaints).expect("LUKS");
        assert_eq!(options, *expected, "{list}");
        assert_eq!(complaints.len(), odd.len(), "{list}: {complaints:?}");
        for (complaint, option) in complaints.iter().zip(odd) {
            let start = format!("here: option {option} is not known");
            assert!(complaint.starts_with(&start), "{complaint}");
        }
    }

    #[test]
    fn options_of_systemd_and_of_debian_are_understood() {
        let none = Options::default();
        let mut flags = Flags::default();
        flags.set(Flag::AllowDiscards);
        let discards = Options {
            flags,
            ..Options::default()
        };
        check("", &none, &[]);
        check("luks,discard", &discards, &[]);
        check("allow-discards,_netdev,x-systemd.makefs", &discards, &[]);
        flags.set(Flag::NoReadWorkqueue);
        flags.set(Flag::NoWriteWorkqueue);
        flags.set(Flag::SameCpuCrypt);
        let all = "same-cpu-crypt,no-read-workqueue,discard,no-write-workqueue";
        check(
            all,
            &Options {
                flags,
                ..Options::default()
            },
            &[],
        );
        let slot = Options {
            key_slot: Some(7),
            tries: Some(0),
            ..Options::default()
        };
        check("key-slot=7,tries=0", &slot, &[]);
        check("keyslot=7,,tries=0,", &slot, &[]);
        let key = Options {
            keyfile_offset: 512,
            keyfile_size: Some(64),
            keyfile_timeout_ms: Some(90_500),
            keyfile_erase: true,
            ..Options::default()
        };
        let list = "keyfile-size=64,keyfile-offset=512,keyfile-timeout=1min30s500ms,keyfile-erase";
        check(list, &key, &[]);
        let asked = Options {
            timeout_ms: 10_000,
            device_timeout_ms: Some(120_000),
            headless: true,
            echo: Echo::Nothing,
            try_empty: true,
            ..Options::default()
        };
        let list = "timeout=10,x-systemd.device-timeout=2min,headless=1,password-echo=no,\
                    try-empty-password=yes";
        check(list, &asked, &[]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let attached = Options {
            attach: true,
            read_only: true,
            ..Options::default()
        };
        check("dicsard,x-initrd.attach,readonly", &attached, &["dicsard"]);
        check("initramfs,read-only,tries=many", &attached, &["tries=many"]);
        let none = Options::default();
        check(
            "key-slot=-1,timeout=5weeks",
            &none,
            &["key-slot=-1", "timeout=5weeks"],
        );
        check("header=,keyfile-size", &none, &["header=", "keyfile-size"]);
        check(
            "header=boot/header,timeout=",
            &none,
            &["header=boot/header", "timeout="],
        );
    }

    #[test]
    fn tokens_and_links_are_kept_as_they_stand() {
        let options = Options {
            links: alloc::vec!["@u::%user:x".into()],
            tokens: alloc::vec!["tpm2-device=auto".into(), "token-timeout=30s".into()],
            ..Options::default()
        };
        check(
            "tpm2-device=auto,link-volume-key=@u::%user:x,token-timeout=30s",
            &options,
            &[],
        );
    }

    #[test]
    fn volumes_that_are_no_luks_are_refused_by_name() {
        for list in [
            "plain",
            "discard,swap",
            "tmp=ext4",
            "tcrypt-hidden",
            "bitlk",
            "fvault2",
        ] {
            let error = Options::default().add(list, "", &mut Vec::new());
            let error = error.expect_err(list);
            assert!(
                error.contains("here") && error.starts_with("its option "),
                "{error}"
            );
        }
    }

    #[test]
    fn spans_of_time_have_units() {
        let cases = [
            ("0", Some(0)),
            ("1min 30s", None),
            ("1h2m3", Some(3_723_000)),
            ("1500us", Some(1)),
            ("2d", Some(172_800_000)),
            ("s", None),
            ("", None),
            ("99999999999999999999", None),
            ("18446744073709551615d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
