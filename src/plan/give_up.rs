//! Why a boot ends without its root, and the page that tells the person.
//!
//! A page answers: what was asked for, what went wrong, what was seen, what is nearest, what is
//! missing, what to do next. Every sentence of a failure that a person sees is written here.

use super::device::Device;
use super::nearest;
use super::ticket::{Job, Purpose};
use super::{Plan, root};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::order;
use crate::base::text::{Joined, Text};
use crate::format::check::Ended;
use crate::format::remote::Remote;
use crate::format::wish::{Patience, Source};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Lists on the page are cut after this many entries; what is cut is counted.
const MAX_LISTED: usize = 40;

/// The reasons to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Patience ended.
    Deadline,
    NoRoot,
    /// Without `root=`, these partitions are roots by their type.
    SeveralRoots(String),
    UnknownRoot,
    /// All of these answer `root=`, and that is to be refused.
    Clones(String),
    /// Patience ended while this one waited for others that it is to be compared with.
    Uncompared(String),
    /// Root is a disk with several paths: the sentence.
    Paths(String),
    /// Root was found, but no attempt to mount it succeeded.
    Mount {
        device: String,
        fault: Fault,
        kernel: Vec<Text>,
    },
    /// What is to lie over root could not be made.
    Layer {
        fault: Fault,
        kernel: Vec<Text>,
    },
    /// Its file system has errors that the check left.
    Check {
        device: String,
        ended: Ended,
    },
    /// A hook that is needed failed: the whole sentence.
    Hook(String),
    /// An encrypted volume stays closed.
    Locked(String),
    /// The mapped device that root is could not be made.
    Mapping(Fault),
    /// The same for a volume of dm-verity: the whole sentence.
    Verity(String),
    /// No server lets root be mounted.
    Remote,
    /// The file that root is in cannot be had, or holds nothing that can be: the whole sentence.
    File(String),
    NoInit(Fault),
    HandOver(Fault),
}

/// The page, line by line.
pub fn page(cause: &Cause, plan: &Plan) -> Vec<String> {
    let mut lines = alloc::vec!["this system could not be started".to_string()];
    section(&mut lines, "asked", asked(plan));
    section(&mut lines, "cause", why(cause, plan));
    section(&mut lines, "before", plan.fallen.iter().cloned().listed());
    section(&mut lines, "seen", seen(plan));
    let near = plan
        .wish
        .root
        .as_ref()
        .and_then(|r| nearest::sentence(r, &plan.devices));
    section(&mut lines, "nearest", near.into_iter().listed());
    section(&mut lines, "missing", missing(plan));
    section(&mut lines, "waiting", waiting(plan));
    section(&mut lines, "next", next(cause, plan));
    lines
}

/// `name:` before the first line, blanks before the others; nothing for nothing.
fn section(lines: &mut Vec<String>, name: &str, body: Vec<String>) {
    let cut = body.len().saturating_sub(MAX_LISTED);
    for (i, line) in body.iter().take(MAX_LISTED).enumerate() {
        let head = if i == 0 && !name.is_empty() {
            format!("{name}:")
        } else {
            String::new()
        };
        lines.push(format!("{head:<9}{line}"));
    }
    if cut > 0 {
        lines.push(format!("{:<9}… and {cut} more", ""));
    }
}

/// No more lines than a person can read at once.
pub(super) fn cut(body: Vec<String>) -> Vec<String> {
    let mut lines = Vec::new();
    section(&mut lines, "", body);
    if lines.is_empty() {
        lines.push("nothing".into());
    }
    lines
}

/// Why, in a sentence.
pub fn reason(cause: &Cause, plan: &Plan) -> String {
    why(cause, plan).into_iter().next().unwrap_or_default()
}

fn asked(plan: &Plan) -> Vec<String> {
    let wish = &plan.wish;
    let mut text = match &wish.root {
        _ if plan.is_beside_root() => plan.asked_for(),
        None if wish.root_as_typed.as_bytes().is_empty() => {
            "no root= on the kernel command line".to_string()
        }
        _ => match &wish.file {
            Some(file) if file.root.0.is_empty() => format!("loop={}", file.typed),
            Some(file) => format!("root={} loop={}", file.root, file.typed),
            None => format!("root={}", wish.root_as_typed),
        },
    };
    if !wish.fstypes.is_empty() {
        text.push_str(&format!(" rootfstype={}", wish.fstypes.joined(",")));
    }
    if !wish.flags.as_bytes().is_empty() {
        text.push_str(&format!(" rootflags={}", wish.flags));
    }
    if let Some(init) = &wish.init {
        text.push_str(&format!(" init={init}"));
    }
    alloc::vec![text]
}

/// What becomes of a disk on two paths.
pub(super) const PATHS: &str =
    "it is not used through one of them, and multipath is not set up here";

/// A sentence, and what the kernel said.
fn with_kernel(text: String, kernel: &[Text]) -> Vec<String> {
    let mut lines = alloc::vec![text];
    lines.extend(kernel.iter().map(|line| format!("kernel: {line}")));
    lines
}

fn why(cause: &Cause, plan: &Plan) -> Vec<String> {
    match cause {
        Cause::Deadline => {
            let wait = match plan.wish.patience {
                Patience::Ms(ms) => format!("within {} s", ms.div_ceil(1000)),
                Patience::Forever => "ever".to_string(),
            };
            let mut lines = under_way(plan, &wait);
            lines.extend(plan.share_problems());
            lines.extend(plan.remote_problems());
            lines.extend(unusable(plan));
            lines.extend(plan.closed());
            lines
        }
        Cause::NoRoot => {
            let text = "nothing says which device is root, and no partition that could be mounted \
                        has the type of this machine's root";
            let mut lines = alloc::vec![text.to_string()];
            lines.extend(unusable(plan));
            lines.extend(plan.closed());
            lines
        }
        Cause::SeveralRoots(names) => alloc::vec![format!(
            "nothing says which device is root, and {names} all have the type of a root partition"
        )],
        Cause::Clones(names) => alloc::vec![format!(
            "{names} all answer {}, and landfall.clones=refuse says to take none then",
            plan.asked_for()
        )],
        Cause::Uncompared(name) => alloc::vec![format!(
            "{name} could be root, but is only taken when nothing else has come for a few seconds, \
             and the time to wait for root was over before"
        )],
        Cause::Paths(text) => alloc::vec![format!("{text}: {PATHS}")],
        Cause::UnknownRoot => alloc::vec![not_understood(&plan.wish.root_as_typed)],
        Cause::Mount {
            device,
            fault,
            kernel,
        } => {
            let what = plan.sought();
            let text = format!("{device} {what}, but mounting it failed: {fault}");
            with_kernel(text, kernel)
        }
        Cause::Layer { fault, kernel } => {
            let text = format!("root is mounted, but what lies over it could not be made: {fault}");
            with_kernel(text, kernel)
        }
        Cause::Check { device, ended } => unrepaired(device, ended, plan),
        Cause::Remote => plan.remote_refused(),
        Cause::Mapping(fault) => alloc::vec![fault.text.clone()],
        Cause::Verity(text) | Cause::File(text) | Cause::Hook(text) => {
            alloc::vec![text.clone()]
        }
        Cause::Locked(text) => {
            let mut lines = alloc::vec![text.clone()];
            lines.extend(plan.closed().into_iter().filter(|line| line != text));
            lines
        }
        Cause::NoInit(fault) => {
            alloc::vec![format!(
                "root is mounted, but holds no init to run: {fault}"
            )]
        }
        Cause::HandOver(fault) => alloc::vec![format!("handing over failed: {fault}")],
    }
}

fn unrepaired(device: &str, ended: &Ended, plan: &Plan) -> Vec<String> {
    let (what, status) = (plan.sought(), ended.status);
    let text =
        format!("{device} {what}, but the check of its file system left errors (status {status})");
    let mut lines = alloc::vec![text];
    lines.extend(ended.said.iter().map(|line| format!("check: {line}")));
    lines
}

fn not_understood(typed: &Text) -> String {
    let why = match typed.as_bytes().starts_with(b"/dev/ram") {
        true => "empty beside an initramfs; with a classic initrd, landfall.root= names root",
        false => "not a form that is understood",
    };
    format!("root={typed} is {why}")
}

/// What the deadline found us doing.
fn under_way(plan: &Plan, wait: &str) -> Vec<String> {
    use super::Stage;
    let text = match &plan.stage {
        Stage::Mounting { device, types, .. } => {
            let kind = types.first().map_or("", String::as_str);
            format!("mounting {device} as {kind} did not end {wait}")
        }
        Stage::Preparing { device, types, .. } => {
            let kind = types.first().map_or("", String::as_str);
            let what = plan.sought();
            format!("{device} {what}, but the driver for {kind} was not ready {wait}")
        }
        Stage::FindingInit => format!("looking for init on root did not end {wait}"),
        _ if plan.is_remote() && !plan.is_beside_root() => {
            format!("root was not mounted over the network {wait}")
        }
        _ if plan.is_share() => format!("no share of the host with this tag appeared {wait}"),
        _ => format!("no usable device with this identity appeared {wait}"),
    };
    alloc::vec![text]
}

/// What to look at where root is on a server.
fn see_remote(plan: &Plan) -> &'static str {
    match plan.wish.remote {
        Some(Remote::Nfs(_) | Remote::Lease) => {
            "see ip= and nfsroot=; the server's own log may say more"
        }
        _ => "see ip= and root=; the server's own log may say more",
    }
}

/// Devices that are what was asked for but cannot be mounted.
fn unusable(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for device in plan.devices.all() {
        match root::answer(&plan.wish, &plan.devices, device) {
            root::Answer::Unusable(why) => {
                lines.push(format!(
                    "{} has this identity, but {why}",
                    device.block.name
                ));
            }
            root::Answer::Usable(_) if device.refused => {
                lines.push(format!(
                    "{} has this identity, but was refused",
                    device.block.name
                ));
            }
            _ => {}
        }
    }
    lines
}

pub(super) fn seen(plan: &Plan) -> Vec<String> {
    let mut lines = plan.links_seen();
    lines.extend(plan.shares_seen());
    let devices: Vec<&Device> = plan.devices.all().listed();
    let by_name = |a: &&Device, b: &&Device| root::natural_order(&a.block.name, &b.block.name);
    let devices = order::sorted(&devices, &by_name);
    if devices.is_empty() && lines.is_empty() {
        return alloc::vec!["no block device at all".to_string()];
    }
    let line = |d: &&&Device| {
        let size = human_size(d.block.sectors);
        format!(
            "{:<12} {size:>9}  {}",
            d.block.name,
            nearest::describe(d, &plan.devices)
        )
    };
    lines.extend(devices.iter().map(line));
    lines
}

pub(super) fn missing(plan: &Plan) -> Vec<String> {
    let mut lines = plan.stack_problems();
    for fault in plan.modules.failures() {
        lines.push(fault.to_string());
    }
    for name in plan.modules.absent() {
        lines.push(format!("module {name} is not in this image"));
    }
    for name in plan.modules.blacklisted() {
        lines.push(format!("module {name} is blacklisted and was not loaded"));
    }
    let storage = |alias: &&str| plan.buses.tier(alias) == super::bus::Tier::Now;
    for alias in plan.modules.unserved().filter(storage) {
        lines.push(format!("no driver in this image for {alias}"));
    }
    lines
}

fn waiting(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for job in plan.tickets.open() {
        lines.push(match job {
            Job::Walk { .. } => "listing the devices has not ended".to_string(),
            Job::Resolve(purpose) => format!("looking up {} has not ended", purpose_text(purpose)),
            Job::Load(name) => format!("loading module {name} has not ended"),
            Job::Probe { device, .. } | Job::Read { device, .. } => {
                format!("reading {device} has not ended")
            }
            Job::Links { device, .. } => format!("finding names of {device} has not ended"),
            Job::AskFirmware => "asking the firmware what it booted has not ended".to_string(),
            Job::Map | Job::Verity(_) | Job::Integrity(_) => {
                "making a mapped device has not ended".to_string()
            }
            Job::WatchLinks => "listing the network links has not ended".to_string(),
            Job::ReadFirmware => "reading the firmware's table has not ended".to_string(),
            Job::Configure(_) | Job::MakeLink(_) => {
                "changing a network link has not ended".to_string()
            }
            Job::Lease(_) | Job::Extend(_) => continue,
            Job::Reach => "reaching the server has not ended".to_string(),
            Job::Lookup(_) => "looking up the server's name has not ended".to_string(),
            Job::Connect(_) => "connecting to a server has not ended".to_string(),
            Job::Layer => "what lies over root is still being made".to_string(),
            Job::Attach => "making a device of the file has not ended".to_string(),
            Job::Announce(_) => "telling btrfs of a device has not ended".to_string(),
            Job::Start(device) => format!("starting {device} has not ended"),
            Job::Unlock(at) => format!("opening {} has not ended", plan.locks.shown(*at)),
            Job::Resume => "going on with a hibernated system has not ended".to_string(),
            Job::Check => "checking a file system has not ended".to_string(),
            Job::Hook | Job::Mount | Job::FindInit | Job::HandOver | Job::Shell | Job::Ask => {
                continue;
            }
        });
    }
    lines.extend(plan.resume_problem());
    lines.extend(plan.unmapped());
    lines.extend(plan.unmade_verity());
    lines.extend(plan.unmade_integrity());
    lines.extend(plan.btrfs_problems());
    for name in plan.modules.waiting() {
        lines.push(format!("module {name} waits for another module"));
    }
    lines
}

fn purpose_text(purpose: &Purpose) -> String {
    match purpose {
        Purpose::Device(alias)
        | Purpose::Wished(alias)
        | Purpose::Driver(alias)
        | Purpose::Drivers(alias) => alias.clone(),
        Purpose::Filesystem(kind) => format!("the driver for {kind}"),
        Purpose::Kernel(_) => "a module for the kernel".to_string(),
        Purpose::Faster => "a module that speeds up loading".to_string(),
    }
}

fn next(cause: &Cause, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    match cause {
        Cause::NoRoot | Cause::UnknownRoot => {
            lines.push("name a device above: root=UUID=… (or LABEL=, PARTUUID=, /dev/…)".into());
        }
        Cause::SeveralRoots(_) => {
            lines.push("add root=PARTUUID=… of one of them, or take the other disk away".into());
        }
        Cause::Clones(_) => {
            lines.push("take one of them away, or name it: root=/dev/disk/by-path/…".into());
        }
        Cause::Deadline => {
            if let Some(Source::Name(_)) = plan.wish.root {
                lines.push("device names may differ from boot to boot: prefer root=UUID=…".into());
            }
            if plan.is_remote() {
                lines.push(see_remote(plan).into());
            } else if plan.is_share() {
                lines.push("see the tag that the virtual machine gives the share".into());
            } else if plan.devices.all().next().is_none() {
                lines.push("the disk's driver may not be in this image: add it".into());
            }
            lines.push("a slow disk: rootwait, or rd.timeout=SECONDS".into());
        }
        Cause::Remote => {
            lines.push(see_remote(plan).into());
        }
        Cause::Uncompared(_) => lines.push("wait longer: rd.timeout=SECONDS".into()),
        Cause::Mount { .. } => {
            lines.push("check root's file system from another system; see rootflags=".into());
        }
        Cause::Check { .. } => {
            lines.push("repair it from another system; see fsck.repair=yes, fsck.mode=skip".into());
        }
        Cause::Layer { .. } => {
            lines.push("see rd.overlay=, systemd.volatile=; without them root is bare".into());
        }
        Cause::NoInit(_) => lines.push("name the program with init=PATH".into()),
        Cause::Locked(_) => {
            lines.push("type a passphrase of one of its key slots, or see rd.luks.key=".into());
        }
        Cause::Mapping(_) => lines.push("see dm-mod.create= on the kernel command line".into()),
        Cause::Paths(_) => {
            lines
                .push("name one path, if the other is never used: root=/dev/disk/by-path/…".into());
        }
        Cause::Verity(_) => {
            lines.push("see roothash= and systemd.verity_root_options= on the command line".into());
        }
        Cause::File(_) => {
            lines.push("see loop=; what is in the file is named by root=… loop=SOURCE:FILE".into());
        }
        Cause::Hook(_) => lines.push("the log has what it said; see landfall.hooks=0".into()),
        Cause::HandOver(_) => {}
    }
    if !plan.wish.shell {
        lines.push("rd.shell allows a shell here, where the image holds one".into());
    }
    lines
}

/// 512-byte sectors as a person writes sizes. Integers only.
fn human_size(sectors: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = sectors.saturating_mul(5);
    let mut unit = 0;
    while tenths >= 10_240 && unit < UNITS.len().saturating_sub(1) {
        tenths /= 1024;
        unit = unit.saturating_add(1);
    }
    let name = UNITS.get(unit).copied().unwrap_or("");
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (sectors, expected) in [
            (0, "0.0 KiB"),
            (2, "1.0 KiB"),
            (2048, "1.0 MiB"),
            (41_943_040, "20.0 GiB"),
        ] {
            assert_eq!(human_size(sectors), expected);
        }
    }
}
