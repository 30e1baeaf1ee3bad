//! Lines of text back to events and actions. The other direction is [`super::trace`].
//!
//! A line that is not understood to its last word is refused: `None`.

use super::action::{Action, Level, Scope};
use super::event::{Block, Event, Ticket};
use super::trace_array::{array, step};
use super::trace_finding::finding;
use super::{trace_check, trace_lease, trace_luks, trace_mount, trace_net};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::{Text, unescape};
use crate::base::words::Words;
use crate::format::dm_init::{self, Mapping, Target};
use crate::format::efi_variable::Told;
use crate::format::identity::Range;
use crate::format::image_files::ImageFile;
use crate::format::kmod::{Module, Resolution};
use crate::format::lens::Lens;
use crate::format::wish::End;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub fn event(line: &str) -> Option<Event> {
    let (verb, behind) = line.split_once(' ').unwrap_or((line, ""));
    let is = |(_, word): &&(ImageFile, &str)| *word == verb;
    if let Some((file, _)) = ImageFile::ALL.iter().find(is) {
        let (file, text) = (*file, Text(unescape(behind.as_bytes())));
        return Some(Event::File { file, text });
    }
    if let Some(cmdline) = line.strip_prefix("boot ") {
        return Some(Event::Boot {
            cmdline: Text(unescape(cmdline.as_bytes())),
        });
    }
    let mut w = Words::parse(line);
    let verb = w.need_text();
    let event = match verb.as_str() {
        "boot" => Event::Boot {
            cmdline: Text::default(),
        },
        "efi" => Event::Efi,
        "system" => Event::System,
        "signatures" => Event::Signatures {
            hash: w.need_text(),
            faster: w.need_key_text("faster"),
        },
        "bus" => Event::Bus {
            path: w.need_text(),
            modalias: w.need_text(),
        },
        "bound" => Event::Bound {
            path: w.need_text(),
            driver: w.need_text(),
            tag: w.key("tag").map(Text),
        },
        "link" | "link-gone" | "address" | "address-gone" | "router" | "nbft" => {
            Event::Net(trace_net::event(&verb, &mut w)?)
        }
        "block" => Event::Block(block(&mut w)?.into()),
        "block-changed" => Event::BlockChanged(block(&mut w)?.into()),
        "block-gone" => Event::BlockGone {
            name: w.need_text(),
        },
        "checkers" | "hooks" => trace_check::event(&verb, &mut w),
        "overflow" => Event::Overflow,
        "module-wanted" => Event::ModuleWanted {
            request: w.need_small(),
            name: Text(w.need_value()),
        },
        "ctrl-alt-del" => Event::CtrlAltDel,
        "timer" => Event::Timer,
        "walked" => Event::Walked {
            ticket: ticket(&mut w),
        },
        "resolved" => Event::Resolved {
            ticket: ticket(&mut w),
            resolution: resolution(&mut w)?.into(),
        },
        "hand-over-failed" => Event::HandOverFailed {
            ticket: ticket(&mut w),
            fault: fault(&mut w),
        },
        "shell-left" => shell_left(&mut w),
        verb => {
            let ticket = ticket(&mut w);
            let reply = trace_luks::reply(verb, ticket, &mut w);
            let reply = reply.or_else(|| trace_net::reply(verb, ticket, &mut w).map(Event::Net));
            reply.or_else(|| answer(verb, ticket, &mut w))?
        }
    };
    w.is_understood().then_some(event)
}

fn shell_left(w: &mut Words) -> Event {
    let ticket = ticket(w);
    let errno = errno(w);
    let told = |errno| Fault::new(errno, w.need_key_text("text"));
    Event::ShellLeft {
        ticket,
        fault: errno.map(told),
    }
}

/// The line with which a worker answers.
pub fn answered(line: &str) -> Option<Event> {
    let mut w = Words::parse(line);
    let verb = w.need_text();
    let ticket = ticket(&mut w);
    let event = trace_net::reply(&verb, ticket, &mut w).map(Event::Net);
    let event = event.or_else(|| answer(&verb, ticket, &mut w))?;
    w.is_understood().then_some(event)
}

/// How a worker's job ended.
fn answer(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "loaded" => Event::Loaded { ticket },
        "load-failed" => Event::LoadFailed {
            ticket,
            fault: fault(w),
        },
        "probed" => Event::Probed {
            ticket,
            finding: finding(w)?.into(),
        },
        "probe-failed" => Event::ProbeFailed {
            ticket,
            fault: fault(w),
        },
        "bytes" => Event::Bytes {
            ticket,
            pieces: core::iter::from_fn(|| piece(w)).listed(),
        },
        "read-failed" => Event::ReadFailed {
            ticket,
            fault: fault(w),
        },
        "linked" => Event::Linked {
            ticket,
            names: trace_check::texts(w),
        },
        "firmware" => Event::Firmware {
            ticket,
            told: Told {
                booted: w.key_text("booted"),
                hibernated: place(w)?,
            },
        },
        "mapped" => Event::Mapped { ticket },
        "map-failed" => Event::MapFailed {
            ticket,
            fault: fault(w),
        },
        "assembled" => Event::Assembled { ticket },
        "assemble-failed" => Event::AssembleFailed {
            ticket,
            fault: fault(w),
        },
        "announced" => Event::Announced {
            ticket,
            whole: w.flag("whole"),
        },
        "announce-failed" => Event::AnnounceFailed {
            ticket,
            fault: fault(w),
        },
        "not-resumed" => Event::NotResumed {
            ticket,
            fault: fault(w),
            kernel: all(w, "kernel").map(Text).listed(),
        },
        "fstab" => Event::Fstab {
            ticket,
            text: Text(w.need_value()),
        },
        "mounted" => Event::Mounted { ticket },
        "mount-failed" => Event::MountFailed {
            ticket,
            fault: fault(w),
            kernel: all(w, "kernel").map(Text).listed(),
        },
        _ => return last_answer(verb, ticket, w),
    })
}

/// The same, of what comes after root is mounted; and of encrypted volumes.
fn last_answer(verb: &str, ticket: Ticket, w: &mut Words) -> Option<Event> {
    Some(match verb {
        "attached" => Event::Attached {
            ticket,
            device: w.text()?,
        },
        "attach-failed" => Event::AttachFailed {
            ticket,
            fault: fault(w),
        },
        "init-found" => Event::InitFound {
            ticket,
            path: Text(w.need_value()),
        },
        "init-missing" => Event::InitMissing {
            ticket,
            fault: fault(w),
        },
        _ => {
            let reply = trace_check::reply(verb, ticket, w);
            return reply.or_else(|| trace_luks::answer_of(verb, ticket, w));
        }
    })
}

/// A line that says one of the jobs that come so often that a process does several.
pub fn job(line: &str) -> Option<Action> {
    let mut w = Words::parse(line);
    let verb = w.need_text();
    let action = often(&verb, &mut w)?;
    w.is_understood().then_some(action)
}

pub fn action(line: &str) -> Option<Action> {
    if let Some(said) = line.strip_prefix("say ") {
        let (word, text) = said.split_once(' ')?;
        let text = String::from_utf8(unescape(text.as_bytes())).ok()?;
        return Some(Action::Say {
            level: level(word)?,
            text,
        });
    }
    let mut w = Words::parse(line);
    let verb = w.need_text();
    let action = match verb.as_str() {
        "announce" => Action::Announce {
            ticket: ticket(&mut w),
            device: w.need_text(),
        },
        "attach" => Action::Attach {
            ticket: ticket(&mut w),
            file: Text(w.value()?),
            writable: !access(&mut w)?,
            ram: w.flag("ram"),
        },
        "hand-over" => Action::HandOver {
            ticket: ticket(&mut w),
            init: Text(w.need_value()),
            arrays: all(&mut w, "array").map(|text| array(&text)).all_some()?,
            net: trace_lease::left(&mut w)?.into(),
        },
        "stay" => Action::Stay {
            ticket: ticket(&mut w),
            init: w.key("init").map(Text),
        },
        "watch-drives" => Action::WatchDrives,
        "leave-shutdown" => Action::LeaveShutdown,
        "reply" => {
            let request = w.need_small();
            Action::Reply {
                request,
                ok: w.flag("yes") || !w.flag("no"),
            }
        }
        "page" | "fallback" => {
            let lines = all(&mut w, "line").map(String::from_utf8);
            let lines = lines.all_ok().ok()?;
            match verb.as_str() {
                "page" => Action::Page { lines },
                _ => Action::Fallback { lines },
            }
        }
        "shell" => Action::Shell {
            ticket: ticket(&mut w),
        },
        "end" => Action::End { end: end(&mut w)? },
        "reboot" => Action::Reboot,
        look => self::look(look, &mut w)?,
    };
    w.is_understood().then_some(action)
}

/// One list for both: what init tells its workers, and what every trace holds.
fn often(verb: &str, w: &mut Words) -> Option<Action> {
    let ticket = ticket(w);
    Some(match verb {
        "load" => Action::Load {
            ticket,
            module: w.need_text(),
        },
        "probe" => Action::Probe {
            ticket,
            device: w.need_text(),
            lens: lens(w)?,
        },
        "read" => Action::Read {
            ticket,
            device: w.need_text(),
            lens: lens(w)?,
            ranges: all(w, "range").map(|r| range(&r)).all_some()?,
        },
        "links" => Action::Links {
            ticket,
            device: w.need_text(),
        },
        "resume" => Action::Resume {
            ticket,
            number: number(w)?,
            offset: w.num()?,
        },
        "find-init" => Action::FindInit {
            ticket,
            init: w.key("init").map(Text),
        },
        _ => return trace_mount::action(verb, ticket, w),
    })
}

/// Actions that find something out or make devices.
fn look(verb: &str, w: &mut Words) -> Option<Action> {
    Some(match verb {
        "walk" => Action::Walk {
            ticket: ticket(w),
            scope: scope(w)?,
        },
        "resolve" => Action::Resolve {
            ticket: ticket(w),
            alias: Text(w.need_value()),
        },
        "map" => Action::Map {
            ticket: ticket(w),
            mapping: mapping(w)?.into(),
            part: w.flag("part"),
        },
        "assemble" => Action::Assemble {
            ticket: ticket(w),
            device: w.need_text(),
            steps: core::iter::from_fn(|| w.any())
                .map(|word| step(&word))
                .all_some()?,
        },
        "check" | "hook" => trace_check::action(verb, w)?,
        "ask-firmware" => Action::AskFirmware { ticket: ticket(w) },
        _ => {
            let action = trace_luks::action(verb, w).or_else(|| trace_net::action(verb, w));
            return action.or_else(|| often(verb, w));
        }
    })
}

/// One piece of what was read, in order.
fn piece(w: &mut Words) -> Option<Option<Text>> {
    let word = w.any()?;
    match word.key.as_deref()? {
        "bytes" => Some(Some(Text(word.value))),
        "lost" => Some(None),
        _ => None,
    }
}

/// `Some(None)`: there is no such word.
fn lens(w: &mut Words) -> Option<Option<Lens>> {
    match w.key_text("lens") {
        None => Some(None),
        Some(text) => Lens::parse(&text).map(Some),
    }
}

/// `OFFSET+LENGTH`.
fn range(text: &[u8]) -> Option<Range> {
    let (at, len) = core::str::from_utf8(text).ok()?.split_once('+')?;
    Some(Range {
        at: at.parse().ok()?,
        len: len.parse().ok()?,
    })
}

fn end(w: &mut Words) -> Option<End> {
    Some(match w.need_text().as_str() {
        "halt" => End::Halt,
        "reboot" => End::Reboot(u32::try_from(w.key_num("after")?).ok()?),
        "power-off" => End::PowerOff,
        _ => return None,
    })
}

pub(super) fn ticket(w: &mut Words) -> Ticket {
    Ticket(w.need_small())
}

pub(super) fn fault(w: &mut Words) -> Fault {
    let errno = errno(w);
    Fault::new(w.needed(errno), w.need_key_text("text"))
}

fn errno(w: &mut Words) -> Option<i32> {
    w.key_num("errno").and_then(|n| i32::try_from(n).ok())
}

/// The values of every word `key=…`, in order.
pub(super) fn all<'w>(w: &'w mut Words, key: &'static str) -> impl Iterator<Item = Vec<u8>> + 'w {
    core::iter::from_fn(move || w.key(key))
}

/// `hibernated=UUID+OFFSET`, if that is there.
fn place(w: &mut Words) -> Option<Option<(String, u64)>> {
    let Some(text) = w.key_text("hibernated") else {
        return Some(None);
    };
    let (uuid, offset) = text.split_once('+')?;
    Some(Some((uuid.into(), offset.parse().ok()?)))
}

/// `MAJOR:MINOR`.
fn number(w: &mut Words) -> Option<(u32, u32)> {
    let number = w.need_text();
    let (major, minor) = number.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn block(w: &mut Words) -> Option<Block> {
    let name = w.need_text();
    let (major, minor) = number(w)?;
    let part_of = match (w.key_text("disk"), w.key_num("number")) {
        (Some(disk), Some(number)) => Some((disk, u32::try_from(number).ok()?)),
        _ => None,
    };
    Some(Block {
        name,
        major,
        minor,
        sectors: w.key_num("sectors")?,
        sequence: w.key_num("sequence").unwrap_or(0),
        part_of,
        mapped: w.key_text("mapped"),
    })
}

fn mapping(w: &mut Words) -> Option<Mapping> {
    let name = w.need_text();
    let read_only = access(w)?;
    let minor = match w.key_num("minor") {
        Some(minor) => Some(u32::try_from(minor).ok()?),
        None => None,
    };
    Some(Mapping {
        name,
        read_only,
        minor,
        uuid: w.key_text("uuid").unwrap_or_default(),
        signature: match w.key_text("key") {
            Some(description) => Some(dm_init::Signature {
                description,
                source: Text(w.key("key-from")?),
            }),
            None => None,
        },
        key_file: w.key_text("key-file"),
        targets: all(w, "target").map(|t| target(&t)).all_some()?,
    })
}

fn target(text: &[u8]) -> Option<Target> {
    let mut fields = core::str::from_utf8(text).ok()?.splitn(4, ' ');
    Some(Target {
        start: fields.next()?.parse().ok()?,
        sectors: fields.next()?.parse().ok()?,
        kind: fields.next()?.into(),
        arguments: fields.next()?.into(),
    })
}

/// Read-only?
pub(super) fn access(w: &mut Words) -> Option<bool> {
    match w.need_text().as_str() {
        "ro" => Some(true),
        "rw" => Some(false),
        _ => None,
    }
}

pub(super) fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',')
        .filter(|n| !n.is_empty())
        .map(ToString::to_string)
        .listed()
}

fn resolution(w: &mut Words) -> Option<Resolution> {
    let answers = list(w.key_text("answers"));
    let blacklisted = list(w.key_text("blacklisted"));
    let builtin = w.flag("builtin");
    let modules: Option<Vec<Module>> = all(w, "module").map(|text| module(&text)).all_some();
    Some(Resolution {
        answers,
        blacklisted,
        builtin,
        modules: modules?,
    })
}

fn module(text: &[u8]) -> Option<Module> {
    let text = core::str::from_utf8(text).ok()?;
    let mut fields = text.split(':');
    let name = fields.next()?.to_string();
    let needs = list(fields.next().map(ToString::to_string));
    let mut groups = || -> Vec<Vec<String>> {
        let names = list(fields.next().map(ToString::to_string));
        names
            .iter()
            .map(|g| g.split('|').map(ToString::to_string).listed())
            .listed()
    };
    let (before, after) = (groups(), groups());
    Some(Module {
        name,
        needs,
        before,
        after,
    })
}

fn scope(w: &mut Words) -> Option<Scope> {
    match w.need_text().as_str() {
        "likely" => Some(Scope::Likely),
        "all" => Some(Scope::All),
        _ => None,
    }
}

fn level(word: &str) -> Option<Level> {
    let all = [
        Level::Error,
        Level::Warning,
        Level::Notice,
        Level::Info,
        Level::Debug,
    ];
    all.into_iter()
        .find(|l| super::trace::level_word(*l) == word)
}

#[cfg(test)]
mod tests {
    use super::super::trace;
    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        for line in [
            "boot root=UUID=1 ro quiet \\x5c\\x0a",
            "hostname harbour\\x0a",
            "mdadm-conf ARRAY md5 name=a",
            "bus /devices/pci0/0 pci:v1d2",
            "block vda1 254:1 sectors=2048 sequence=7 disk=vda number=1",
            "block-changed sr0 11:0 sectors=0 sequence=0",
            "block-gone vda",
            "walked 1",
            "resolved 2 answers=ext4 module=ext4:jbd2,crc16:crc32c_intel|crc32c_generic,xx: \
             module=jbd2:::",
            "resolved 3 blacklisted=nouveau builtin",
            "load-failed 4 errno=8 text=a\\x20b",
            "probed 5 type=ext4 usage=filesystem uuid=12 label=\\xff\\x20 block-size=4096",
            "probed 6 table=gpt table-uuid=ab part=1:u:t:2048:100:0:a:\\x3d part=2:u:t:1:2:3",
            "probed 7 ambivalent=ext4,xfs",
            "fstab 4 LABEL\\x3du\\x20/usr\\x20ext4\\x0a",
            "efi",
            "mount-failed 8 errno=22 text=x kernel=EXT4:\\x20no kernel=b",
            "system",
            "linked 8",
            "hooks early/a mounted/b.needed",
            "hook-ended 8 0",
            "hook-ended 8 1 said=a\\x20b",
            "hook-failed 8 errno=2 text=x",
            "linked 8 by-id/ata-QEMU_HARDDISK_1 by-path/pci-0000:00:1f.2-ata-1",
            "firmware 8",
            "firmware 8 booted=0a1b2c3d-0000-4000-8000-00000000beef",
            "mapped 9",
            "map-failed 9 errno=22 text=x",
            "block dm-0 253:0 sectors=8 sequence=9 mapped=my\\x20root",
            "announced 9",
            "announced 9 whole",
            "announce-failed 9 errno=22 text=x",
            "attached 9 loop0",
            "attach-failed 9 errno=2 text=x",
            "address 2 2001:db8::7/64",
            "address-gone 2 2001:db8::7/64",
            "router 2 managed other heard",
            "router 2 heard",
            "router 2 dns=2001:db8::53 dns=2001:db8::54 search=lab",
            "leased 9 none fe80::1 lifetime=4294967295 renew=1 rebind=2 dns=2001:db8::53",
            "leased 9 2001:db8::7/128 fe80::1 lifetime=9 renew=4 rebind=8 client-id=0003",
            "shell-left 9",
            "shell-left 9 errno=2 text=none",
            "module-wanted 3 crypto-crc32c",
            "timer",
        ] {
            let event = event(line).unwrap_or_else(|| panic!("not understood: {line}"));
            assert_eq!(trace::event_line(&event), line);
        }
        for line in [
            "walk 1 likely",
            "walk 2 all",
            "resolve 2 pci:v1",
            "links 3 sda",
            "hook 3 early/a",
            "ask-firmware 4",
            "mount 3 vda1 ext4 ro options=a\\x3db",
            "mount 3 vda1 ext4 rw",
            "mount 3 vda1 ext4 ro host options=a",
            "mount 3 vda1 ext4 ro anew options=a",
            "mount 3 vda2 ext4 ro at=/usr",
            "mount 3 192.0.2.1:6789:/ ceph ro nodev client=me secretfile=/key",
            "attach 3 /a\\x20b/c.img ro",
            "attach 3 /c.img rw",
            "announce 3 vda1",
            "map 3 a\\x20b ro uuid=u minor=5 target=0\\x208\\x20linear\\x208:1\\x200",
            "map 3 r ro key=k key-from=base64:\\x3d target=0\\x208\\x20verity\\x201",
            "map 3 a rw target=0\\x208\\x20delay\\x20",
            "lease 3 eth0 2 52:54:00:00:00:01 hostname=a",
            "lease 3 eth0 2 52:54:00:00:00:01 dhcp6 vendor-class=a tries=3",
            "lease 3 eth0 2 52:54:00:00:00:01 information",
            "find-init 4",
            "find-init 4 init=/bin/sh",
            "leave-shutdown",
            "stay 5",
            "stay 5 init=/app",
            "hand-over 5 /sbin/init",
            "hand-over 5 /sbin/init array=md7/1.2/00010203:04050607:08090a0b:0c0d0e0f/a:\\x20b/c",
            "reply 1 yes",
            "reply 1 no",
            "say warning two words = fine",
            "page line=a line=b\\x20c",
            "fallback line=a line=b\\x20c",
            "end reboot after=3",
            "end halt",
            "reboot",
        ] {
            let action = action(line).unwrap_or_else(|| panic!("not understood: {line}"));
            assert_eq!(trace::action_line(&action), line);
        }
    }

    #[test]
    fn what_is_not_understood_to_the_last_word_is_refused() {
        for line in [
            "",
            "walked",
            "walked x",
            "walked 1 2",
            "loaded 1 extra=2",
            "probed 1 type=x",
        ] {
            assert_eq!(event(line), None, "{line}");
        }
    }
}
