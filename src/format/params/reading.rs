//! What each row of the table does to the wish: values, their bounds, and what is said of bad ones.
//!
//! A bad value is never fatal: a boot that works with a warning beats one that does not.

mod ceph;
mod check;
mod layers;
mod loops;
mod mounts;
mod net;
mod ram;
mod remote;
mod resume;
mod verity;

use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::cmdline::{Word, same_name};
use crate::format::remote::Remote;
use crate::format::wish::{Degraded, End, Patience, Rescue, Source, Talk, Wish};
use crate::format::{dm_init, mount_options, share};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

/// Longest piece of a bad word that is repeated in a complaint, in bytes: a line of the log.
const QUOTED_MAX: usize = 120;

/// The kernel's console levels (include/linux/printk.h): default, `quiet`, `debug`.
const LEVEL_DEFAULT: i32 = 7;
const LEVEL_QUIET: i32 = 4;
const LEVEL_DEBUG: i32 = 10;

/// The wish while words are read, and what only makes sense once all are known.
pub(super) struct Reading {
    wish: Wish,
    /// `rootdelay=`: the deadline is at least this, in milliseconds.
    at_least: u64,
    /// `panic=`. `Some(0)` stands for a bad value too.
    panic: Option<i32>,
    emergency: Option<Emergency>,
    level: i32,
    rd_debug: bool,
    remote: remote::Words,
    resume: resume::Words,
    verity: verity::Words,
    loops: loops::Words,
    layers: layers::Words,
    usr: mounts::Words,
    net: net::Words,
    /// `landfall.archive=`, where root is in memory.
    archive: String,
    /// `landfall.root=` was said: `root=` counts no more.
    named_for_us: bool,
}

#[derive(Clone, Copy)]
enum Emergency {
    Reboot,
    PowerOff,
    Halt,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            wish: Wish::default(),
            at_least: 0,
            panic: None,
            emergency: None,
            level: LEVEL_DEFAULT,
            rd_debug: false,
            remote: remote::Words::default(),
            resume: resume::Words::default(),
            verity: verity::Words::default(),
            loops: loops::Words::default(),
            layers: layers::Words::default(),
            usr: mounts::Words::default(),
            net: net::Words::default(),
            archive: String::new(),
            named_for_us: false,
        }
    }
}

/// The rows.
impl Reading {
    pub(super) fn root(&mut self, word: &Word<'_>) {
        let typed = word.value.unwrap_or_default();
        if self.named_for_us && word.is("root") {
            return;
        }
        if typed == b"fstab" && self.wish.root.is_some() {
            // What the image's /etc/fstab says stands in front of all other words.
            return;
        }
        let typed = self.live(typed);
        self.wish.root_as_typed = Text::from(typed);
        // systemd's words for what happens without root= anyway.
        let by_itself = matches!(
            typed,
            b"" | b"gpt-auto"
                | b"gpt-auto-force"
                | b"/dev/gpt-auto-root"
                | b"/dev/disk/by-designator/root"
        );
        self.wish.root = (!by_itself).then(|| Source::parse(typed));
        if typed.is_empty() {
            let why = "names no device; a partition of root's type is looked for";
            self.complain(word, why);
        }
    }

    /// What `root=` is, now that the type is known.
    fn finish_root(&mut self) {
        self.finish_archive();
        let remote = self.finish_remote();
        // By now without a password.
        let typed = self.wish.root_as_typed.clone();
        if remote {
            self.wish.root = Some(Source::Remote);
        } else if typed.as_bytes() == share::MEMORY.as_bytes() || !self.archive.is_empty() {
            let source = core::mem::take(&mut self.archive);
            let named = if source.is_empty() {
                share::MEMORY.into()
            } else {
                source
            };
            self.wish.root = Some(Source::Share(named));
            self.wish.fstypes = alloc::vec![share::MEMORY.into()];
        } else if let Some((tag, types)) = share::of_root(typed.as_bytes(), &self.wish.fstypes) {
            self.wish.root = Some(Source::Share(tag));
            self.wish.fstypes = types;
        }
        if let Some(Source::Unknown(_)) = self.wish.root {
            let word = Word {
                key: b"root",
                value: Some(typed.as_bytes()),
            };
            self.complain(
                &word,
                "is no device reference known here (UUID=, LABEL=, PARTUUID=, PARTLABEL=, \
                 /dev/NAME, MAJOR:MINOR); nothing can match it",
            );
        }
    }

    pub(super) fn clones(&mut self, word: &Word<'_>) {
        match word.value {
            Some(b"refuse") => self.wish.refuse_clones = true,
            Some(b"first") => self.wish.refuse_clones = false,
            _ => self.complain(word, "is neither first nor refuse; it is ignored"),
        }
    }

    pub(super) fn degraded(&mut self, word: &Word<'_>) {
        let text = word.value.and_then(|v| core::str::from_utf8(v).ok());
        match (text, text.and_then(|t| t.parse::<u32>().ok())) {
            (Some("never"), _) => self.wish.degraded = Degraded::Never,
            (Some("ask"), _) => self.wish.degraded = Degraded::Ask,
            (_, Some(seconds)) => {
                let ms = u64::from(seconds).saturating_mul(1000);
                self.wish.degraded = Degraded::AfterMs(ms);
            }
            _ => self.complain(
                word,
                "is neither never, ask nor a number of seconds; it is ignored",
            ),
        }
    }

    pub(super) fn lvm(&mut self, word: &Word<'_>) {
        self.wish.lvm = word.value != Some(b"0");
    }

    pub(super) fn md(&mut self, word: &Word<'_>) {
        self.wish.md = word.value != Some(b"0");
    }

    pub(super) fn fallback(&mut self, word: &Word<'_>) {
        match word.value.filter(|spec| !spec.is_empty()) {
            Some(spec) => self.wish.fallback = Some(Text::from(spec)),
            None => self.complain(word, "names no root; it is ignored"),
        }
    }

    pub(super) fn hooks(&mut self, word: &Word<'_>) {
        self.wish.hooks = self.switch(word);
    }

    pub(super) fn shutdown(&mut self, word: &Word<'_>) {
        self.wish.shutdown = Some(word.value != Some(b"0"));
    }

    pub(super) fn ubi_mtd(&mut self, word: &Word<'_>) {
        let mut fields = word.value.unwrap_or_default().split(|&b| b == b',');
        match fields.next().filter(|mtd| !mtd.is_empty()) {
            Some(mtd) => self.wish.ubi_mtd.push(Text::from(mtd)),
            None => self.complain(word, "names no flash memory; it is ignored"),
        }
    }

    pub(super) fn fstypes(&mut self, word: &Word<'_>) {
        self.wish.fstypes = self.types(word);
    }

    pub(super) fn flags(&mut self, word: &Word<'_>) {
        self.wish.flags = Text::from(word.value.unwrap_or_default());
    }

    pub(super) fn read_write(&mut self, word: &Word<'_>) {
        if word.value.is_some() {
            self.complain(word, "takes no value; it is ignored, as the kernel does");
        } else {
            self.wish.writable = word.is("rw");
        }
    }

    pub(super) fn init(&mut self, word: &Word<'_>) {
        let path = word.value.unwrap_or_default();
        self.wish.init = (!path.is_empty()).then(|| Text::from(path));
        if path.is_empty() {
            self.complain(
                word,
                "names no program; the kernel's list of inits is tried",
            );
        }
    }

    pub(super) fn rootwait(&mut self, word: &Word<'_>) {
        self.wish.patience = match (word.value, seconds(word)) {
            (None, _) => Patience::Forever,
            // Nothing is ever found without waiting: drivers are still to be loaded.
            (Some(_), Some(0)) => {
                self.complain(word, "leaves no time to find anything; 90 s are taken");
                Wish::default().patience
            }
            (Some(_), Some(s)) => Patience::Ms(millis(s)),
            (Some(_), None) => {
                self.complain(
                    word,
                    "is no number of seconds; root is waited for as long as it takes, \
                     as the kernel does",
                );
                Patience::Forever
            }
        };
    }

    pub(super) fn timeout(&mut self, word: &Word<'_>) {
        match seconds(word) {
            Some(0) => self.wish.patience = Patience::Forever,
            Some(s) => self.wish.patience = Patience::Ms(millis(s)),
            None => self.complain(word, "is no number of seconds; it is ignored"),
        }
    }

    pub(super) fn retry(&mut self, word: &Word<'_>) {
        match seconds(word) {
            Some(s) if s > 0 => self.wish.patience = Patience::Ms(millis(s)),
            _ => self.complain(word, "is no positive number of seconds; it is ignored"),
        }
    }

    pub(super) fn rootdelay(&mut self, word: &Word<'_>) {
        match seconds(word) {
            Some(s) => self.at_least = millis(s),
            None => self.complain(word, "is no number of seconds; it is ignored"),
        }
    }

    pub(super) fn panic(&mut self, word: &Word<'_>) {
        let after = integer(word);
        if after.is_none() {
            self.complain(
                word,
                "is no number of seconds; a failed boot halts, without a shell",
            );
        }
        self.panic = Some(after.unwrap_or(0));
        // As initramfs-tools has it: whoever says how a failure ends wants no shell. An rd.shell
        // behind it is explicit, and wins.
        if self.wish.shell {
            self.wish.shell = false;
            self.complain(
                word,
                "asks for no shell; rd.shell before it is not honoured",
            );
        }
    }

    pub(super) fn shell(&mut self, word: &Word<'_>) {
        self.wish.shell = self.switch(word);
    }

    pub(super) fn rescue(&mut self, word: &Word<'_>) {
        let text = word.value.and_then(|v| core::str::from_utf8(v).ok());
        match (text, text.and_then(|t| t.parse::<u32>().ok())) {
            (Some("on"), _) => self.wish.rescue = Rescue::After(Rescue::WAIT_MS),
            (Some("off"), _) => self.wish.rescue = Rescue::Off,
            (_, Some(seconds)) => {
                self.wish.rescue = Rescue::After(u64::from(seconds).saturating_mul(1000));
            }
            _ => self.complain(
                word,
                "is neither on, off nor a number of seconds; it is ignored",
            ),
        }
    }

    pub(super) fn stop(&mut self, word: &Word<'_>) {
        let bare = match word.is("break") {
            true => &b"premount"[..],
            false => b"init",
        };
        let points = core::str::from_utf8(word.value.unwrap_or(bare)).unwrap_or("");
        for point in points.split(',') {
            match super::rescue::stop(point) {
                Some(stop) => self.wish.stops.push(stop),
                None => self.complain(word, "is no point where a boot stops; it is ignored"),
            }
        }
    }

    pub(super) fn emergency(&mut self, word: &Word<'_>) {
        let end = match word.value {
            Some(b"reboot") => Emergency::Reboot,
            Some(b"poweroff") => Emergency::PowerOff,
            Some(b"halt") => Emergency::Halt,
            _ => {
                self.complain(word, "is none of reboot, poweroff, halt; it is ignored");
                return;
            }
        };
        self.emergency = Some(end);
    }

    pub(super) fn mappings(&mut self, word: &Word<'_>) {
        self.wish.mappings = match dm_init::parse(word.value.unwrap_or_default()) {
            Ok(mappings) => mappings,
            Err(why) => {
                self.complain(word, &format!("{why}; no device is made"));
                Vec::new()
            }
        };
    }

    pub(super) fn map_after(&mut self, word: &Word<'_>) {
        let names = word.value.unwrap_or_default().split(|&b| b == b',');
        let sources = names.filter(|n| !n.is_empty()).map(Source::parse);
        self.wish.map_after = sources.listed();
    }

    pub(super) fn quiet(&mut self, _: &Word<'_>) {
        self.level = LEVEL_QUIET;
    }

    pub(super) fn debug(&mut self, _: &Word<'_>) {
        self.level = LEVEL_DEBUG;
    }

    pub(super) fn loglevel(&mut self, word: &Word<'_>) {
        match integer(word) {
            Some(level) => self.level = level,
            None => self.complain(word, "is no log level (0 to 10); it is ignored"),
        }
    }

    pub(super) fn rd_debug(&mut self, word: &Word<'_>) {
        self.rd_debug = self.switch(word);
    }

    pub(super) fn trace(&mut self, word: &Word<'_>) {
        let path = core::str::from_utf8(word.value.unwrap_or_default()).unwrap_or_default();
        let name = path.strip_prefix("/dev/").filter(|name| is_name(name));
        self.wish.trace = name.is_some_and(|n| !n.is_empty()).then(|| path.into());
        if self.wish.trace.is_none() {
            self.complain(word, "names no terminal below /dev; the trace is not sent");
        }
    }

    pub(super) fn load(&mut self, word: &Word<'_>) {
        let names = self.list(word, "is no module name; it is left out");
        add_new(&mut self.wish.load, names);
    }

    /// The value is the driver's own parameter (`virtio_mmio_cmdline_devices` in the kernel).
    pub(super) fn virtio_mmio(&mut self, _: &Word<'_>) {
        add_new(&mut self.wish.load, alloc::vec!["virtio_mmio".into()]);
    }

    pub(super) fn load_last(&mut self, word: &Word<'_>) {
        let names = self.list(word, "is no module name; it is left out");
        add_new(&mut self.wish.load_last, names);
    }
}

/// What rows share.
impl Reading {
    /// All words were read.
    pub(super) fn finish(mut self) -> Wish {
        self.finish_root();
        if let Some(Remote::Nfs(export)) = &self.wish.remote {
            let options = Text::from(export.options.as_str());
            self.decide_about_writing(&options);
        }
        let flags = self.wish.flags.clone();
        self.decide_about_writing(&flags);
        if let Patience::Ms(ms) = self.wish.patience {
            self.wish.patience = Patience::Ms(ms.max(self.at_least));
        }
        self.wish.end = self.end();
        self.finish_resume();
        self.finish_verity();
        self.finish_live();
        self.finish_layers();
        self.finish_mounts();
        self.finish_loop();
        // What lies below stays as it is, whoever asked for something else.
        self.wish.writable &= self.wish.layers.is_none();
        self.finish_net();
        self.wish.talk = match self.level {
            _ if self.rd_debug => Talk::Debug,
            level if level > LEVEL_DEFAULT => Talk::Debug,
            level if level > LEVEL_QUIET => Talk::Normal,
            _ => Talk::Quiet,
        };
        self.wish
    }

    fn decide_about_writing(&mut self, flags: &Text) {
        if let Some(read_only) = mount_options::sort(flags.as_bytes()).read_only {
            self.wish.writable = !read_only;
        }
    }

    fn end(&self) -> End {
        // Negative means at once, as the kernel has it.
        let delay = |panic: i32| u32::try_from(panic).unwrap_or(0);
        match (self.emergency, self.panic) {
            (Some(Emergency::Halt), _) | (None, None | Some(0)) => End::Halt,
            (Some(Emergency::PowerOff), _) => End::PowerOff,
            (Some(Emergency::Reboot), panic) => End::Reboot(panic.map_or(0, delay)),
            (None, Some(panic)) => End::Reboot(delay(panic)),
        }
    }

    /// Bare or `=1`, `yes`, `on`: true; `=0`, `no`, `off`: false. Also the words of systemd.
    fn switch(&mut self, word: &Word<'_>) -> bool {
        let is = |names: &[&str]| {
            let value = word.value.unwrap_or(b"1");
            let same = |name: &&str| value.eq_ignore_ascii_case(name.as_bytes());
            names.iter().any(same)
        };
        let on = is(&["1", "yes", "on", "true", "y"]);
        if !on && !is(&["0", "no", "off", "false", "n"]) {
            self.complain(word, "is neither 1 nor 0; 0 is taken");
        }
        on
    }

    /// A comma list of names. Empty items are dropped; what cannot be a name is complained about.
    fn list(&mut self, word: &Word<'_>, why: &str) -> Vec<String> {
        let mut names = Vec::new();
        for item in word.value.unwrap_or_default().split(|&b| b == b',') {
            match core::str::from_utf8(item) {
                Ok("") => {}
                Ok(name) if is_name(name) => names.push(name.into()),
                _ => {
                    let value = Some(item);
                    self.complain(&Word { value, ..*word }, why);
                }
            }
        }
        names
    }

    fn types(&mut self, word: &Word<'_>) -> Vec<String> {
        let mut types = self.list(word, "is no file system type; it is left out");
        types.retain(|name| !matches!(name.as_str(), "auto" | "tmpfs"));
        types
    }

    fn complain(&mut self, word: &Word<'_>, why: &str) {
        let shorten = |text: &[u8]| Text::from(text.get(..QUOTED_MAX).unwrap_or(text));
        let key = shorten(word.key);
        self.say(match word.value {
            Some(value) => format!("{key}={} {why}", shorten(value)),
            None => format!("{key} {why}"),
        });
    }

    fn say(&mut self, sentence: String) {
        self.wish.complaints.push(sentence);
    }
}

/// Adds the modules that are not there yet.
fn add_new(list: &mut Vec<String>, names: Vec<String>) {
    for name in names {
        let known = |have: &String| same_name(have.as_bytes(), name.as_bytes());
        if !list.iter().any(known) {
            list.push(name);
        }
    }
}

/// Names of modules and file systems: no path, no blank, nothing invisible.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !text.starts_with('.') && text.bytes().all(plain)
}

/// A number that is not negative.
fn seconds(word: &Word<'_>) -> Option<u32> {
    u32::try_from(integer(word)?).ok()
}

fn millis(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1000)
}

/// The value as the kernel's `kstrtoint(…, 0, …)` reads it: `0x` and a leading `0` choose the base.
fn integer(word: &Word<'_>) -> Option<i32> {
    let text = core::str::from_utf8(word.value?).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // The parsers below would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let size = match (hex, digits.strip_prefix('0')) {
        (Some(hex), _) if hex.starts_with(|c: char| c.is_ascii_hexdigit()) => {
            i64::from_str_radix(hex, 16)
        }
        (None, Some(octal)) if !octal.is_empty() => i64::from_str_radix(octal, 8),
        _ => i64::from_str(digits),
    };
    let size = size.ok()?;
    i32::try_from(if negative { size.checked_neg()? } else { size }).ok()
}
