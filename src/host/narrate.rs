//! A rehearsed boot in sentences: one for each step that a person would want to know of.

use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::identity::{Finding, Signature};
use crate::format::kmod::Resolution;
use crate::format::layers::Kind;
use crate::format::wish::End;
use crate::host::chart_devices::device_kind;
use crate::host::rehearsal::Record;
use crate::plan::action::{Action, Level, Mount, Scope};
use crate::plan::event::{Block, Event, Ticket};
use std::collections::BTreeMap;

/// What the story was about, after it was told.
#[derive(Default)]
pub struct Told {
    /// The steps, each with its time.
    pub steps: Vec<(Millis, String)>,
    /// The failure page, if one was shown.
    pub page: Vec<String>,
    /// The last mount that was tried.
    pub root: Option<Mount>,
    /// What would be executed.
    pub init: Option<Text>,
    /// What follows the page.
    pub after_page: Option<String>,
}

/// Tells all records.
pub fn tell(records: &[Record]) -> Told {
    let mut teller = Teller {
        told: Told::default(),
        devices: BTreeMap::new(),
        subjects: BTreeMap::new(),
    };
    for record in records {
        let (now, sentence) = match record {
            Record::Event(now, event) => (*now, teller.event(event)),
            Record::Action(now, action) => (*now, teller.action(action)),
            Record::Note(now, text) => (*now, Some(format!("note: {text}"))),
        };
        teller.told.steps.extend(sentence.map(|s| (now, s)));
    }
    teller.told
}

const LOADS: &str = "loads ";

struct Teller {
    told: Told,
    /// For each modalias the devices that have it.
    devices: BTreeMap<String, Vec<String>>,
    /// What each open ticket is about.
    subjects: BTreeMap<Ticket, String>,
}

impl Teller {
    fn event(&mut self, event: &Event) -> Option<String> {
        let sentence = match event {
            Event::Bus { path, modalias } => self.device(path, modalias),
            Event::Bound { tag, .. } => match tag {
                Some(tag) => format!("the share {tag} is taken to be there"),
                None => "a share appears".into(),
            },
            Event::Block(block) => appeared(block),
            Event::Resolved { ticket, resolution } => {
                let alias = self.subject(*ticket);
                return Some(resolved(&self.purpose(&alias), resolution));
            }
            Event::LoadFailed { ticket, fault } => {
                format!("loading {} fails: {fault}", self.subject(*ticket))
            }
            Event::Probed { ticket, finding } => {
                format!("reads {}: {}", self.subject(*ticket), found(finding))
            }
            Event::ProbeFailed { ticket, fault } => {
                format!("reads {}, which fails: {fault}", self.subject(*ticket))
            }
            Event::MountFailed { fault, .. } => format!("… which fails: {fault}"),
            Event::InitFound { path, .. } => {
                format!("looks for init on root: taken to be {path}")
            }
            Event::InitMissing { fault, .. } => format!("finds no init: {fault}"),
            _ => return None,
        };
        Some(sentence)
    }

    /// A device on a bus is there.
    fn device(&mut self, path: &str, modalias: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path);
        let names = self.devices.entry(modalias.into()).or_default();
        names.push(name.into());
        format!("{} {name} appears", device_kind(modalias))
    }

    /// What an alias is looked up for.
    fn purpose(&self, alias: &str) -> String {
        if let Some(names) = self.devices.get(alias) {
            return format!("{} {}", device_kind(alias), names.join(", "));
        }
        match alias.strip_prefix("fs-") {
            Some(fstype) => format!("file system {fstype}"),
            None => alias.to_string(),
        }
    }

    /// Modules that are loaded one after the other share a line.
    fn load(&mut self, module: &str) -> Option<String> {
        match self.told.steps.last_mut() {
            Some((_, last)) if last.starts_with(LOADS) => {
                last.push_str(", ");
                last.push_str(module);
                None
            }
            _ => Some(format!("{LOADS}{module}")),
        }
    }

    fn subject(&mut self, ticket: Ticket) -> String {
        self.subjects.remove(&ticket).unwrap_or_default()
    }

    fn action(&mut self, action: &Action) -> Option<String> {
        let sentence = match action {
            Action::Walk { scope, .. } => match scope {
                Scope::Likely => "looks at the disks and the buses that they hang on".to_string(),
                Scope::All => "looks at every device that is there".to_string(),
            },
            Action::Resolve { ticket, alias } => {
                self.subjects.insert(*ticket, alias.to_string());
                return None;
            }
            Action::Probe { ticket, device, .. } => {
                self.subjects.insert(*ticket, device.clone());
                return None;
            }
            Action::Load { ticket, module } => {
                self.subjects.insert(*ticket, module.clone());
                return self.load(module);
            }
            Action::Resume {
                number: (major, minor),
                ..
            } => format!("has the kernel go on with what hibernated on {major}:{minor}"),
            Action::Mount { mount, .. } => {
                self.told.root = Some((**mount).clone());
                format!("mounts {}", mount_text(mount))
            }
            Action::Layer { layer, .. } => format!("lays {} over root", kind_text(layer.kind)),
            Action::Attach { file, .. } => format!("makes a loop device of {file} there"),
            Action::Ask { question, .. } => format!("asks: {}", question.prompt),
            Action::Unlock { order, .. } => {
                format!("tries to open {} as {}", order.device, order.name)
            }
            Action::HandOver { init, .. } => {
                self.told.init = Some(init.clone());
                format!("empties the initramfs, switches to root, executes {init}")
            }
            Action::Say { level, text } => format!("{}: {text}", level_text(*level)?),
            Action::Page { lines } => {
                self.told.page.clone_from(lines);
                "gives up".to_string()
            }
            Action::Shell { .. } => self.after("a shell opens on the console".into()),
            Action::End { end } => self.after(end_text(*end)),
            Action::Reboot => self.after("the machine reboots".into()),
            _ => return None,
        };
        Some(sentence)
    }

    fn after(&mut self, what: String) -> String {
        self.told.after_page = Some(what.clone());
        what
    }
}

fn appeared(block: &Block) -> String {
    let size = size_text(block.sectors);
    match &block.part_of {
        None => format!("disk {} appears, {size}", block.name),
        Some((disk, number)) => {
            format!(
                "{} appears, {size}, partition {number} of {disk}",
                block.name
            )
        }
    }
}

fn resolved(subject: &str, found: &Resolution) -> String {
    let mut text = match (found.answers.as_slice(), found.builtin) {
        ([], true) => format!("the driver for {subject} is built into the kernel"),
        ([], false) => format!("there is no driver for {subject}"),
        ([one], _) => format!("{one} is the driver for {subject}"),
        (several, _) => format!("{} are drivers for {subject}", several.join(" and ")),
    };
    if !found.blacklisted.is_empty() {
        text.push_str(&format!(" (blacklisted: {})", found.blacklisted.join(", ")));
    }
    text
}

/// A finding as a person would say it.
fn found(finding: &Finding) -> String {
    let mut parts = Vec::new();
    parts.extend(finding.signature.as_ref().map(signature_text));
    if !finding.ambivalent.is_empty() {
        let kinds = finding.ambivalent.join(" and ");
        parts.push(format!("signatures of {kinds}, which exclude each other"));
    }
    if let Some(table) = &finding.table {
        let partitions = match table.partitions.len() {
            1 => "1 partition".to_string(),
            n => format!("{n} partitions"),
        };
        parts.push(format!("a {} table with {partitions}", table.kind));
    }
    match parts.is_empty() {
        true => "nothing that is known".into(),
        false => parts.join(", "),
    }
}

fn signature_text(signature: &Signature) -> String {
    let mut text = signature.kind.clone();
    if let Some(uuid) = &signature.uuid {
        text.push_str(&format!(" UUID={uuid}"));
    }
    if let Some(label) = &signature.label {
        text.push_str(&format!(" LABEL={label}"));
    }
    text
}

/// `vda2 as ext4, read-only`.
pub fn mount_text(mount: &Mount) -> String {
    let how = if mount.read_only {
        "read-only"
    } else {
        "writable"
    };
    let text = format!("{} as {}, {how}", mount.device, mount.fstype);
    match mount.options.as_bytes() {
        [] => text,
        _ => format!("{text}, with {}", mount.options),
    }
}

fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Overlay => "an overlay",
        Kind::State => "memory",
        Kind::Usr => "memory, but for /usr,",
    }
}

fn level_text(level: Level) -> Option<&'static str> {
    match level {
        Level::Error => Some("error"),
        Level::Warning => Some("warning"),
        Level::Notice | Level::Info => Some("says"),
        Level::Debug => None,
    }
}

fn end_text(end: End) -> String {
    match end {
        End::Halt => "the machine stays as it is; ctrl-alt-del reboots".into(),
        End::Reboot(0) => "the machine reboots".into(),
        End::Reboot(seconds) => format!("the machine reboots after {seconds} s"),
        End::PowerOff => "the machine powers off".into(),
    }
}

/// 512-byte sectors as a person writes sizes.
pub fn size_text(sectors: u64) -> String {
    let mut size = sectors as f64 / 2.0;
    for unit in ["KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return format!("{size:.1} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::trace_read;

    #[test]
    fn steps_are_sentences() {
        let lines = [
            "> walk 1 all",
            "< block vda 254:0 sectors=655360 sequence=1",
            "< block vda2 254:2 sectors=2 sequence=1 disk=vda number=2",
            "> probe 2 vda",
            "< probed 2 table=gpt part=1:u:t:1:2:3",
            "> resolve 3 fs-xfs",
            "< resolved 3 answers=xfs module=xfs:::",
            "> mount 4 vda xfs ro options=a\\x3db",
        ];
        let records = lines.map(|line| match line.split_at(2) {
            ("< ", event) => Record::Event(Millis(1), trace_read::event(event).unwrap()),
            (_, action) => Record::Action(Millis(1), trace_read::action(action).unwrap()),
        });
        let told = tell(&records);
        let steps: Vec<&str> = told.steps.iter().map(|(_, s)| s.as_str()).collect();
        assert_eq!(
            steps,
            [
                "looks at every device that is there",
                "disk vda appears, 320.0 MiB",
                "vda2 appears, 1.0 KiB, partition 2 of vda",
                "reads vda: a gpt table with 1 partition",
                "xfs is the driver for file system xfs",
                "mounts vda as xfs, read-only, with a=b",
            ]
        );
    }
}
