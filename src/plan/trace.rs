//! Events and actions as lines of text.
//!
//! The same syntax is the trace of a boot in `/run/landfall/trace`, a scenario in the tests, and
//! what worker processes are told and answer. [`crate::base::words`] has the rules of a line.
//! A record is `TIME < EVENT` or `TIME > ACTION`, with the time in milliseconds; the replay of all
//! `<` lines yields all `>` lines. Reading is in [`super::trace_read`].

use super::action::{Action, Level, Scope};
use super::event::{Block, Event, Ticket};
use super::trace_array::with_array;
use super::{trace_check, trace_lease, trace_luks, trace_mount, trace_net};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::{Joined, Text, escape_into};
use crate::base::words::Line;
use crate::format::dm_init::Mapping;
use crate::format::efi_variable::Told;
use crate::format::identity::{Finding, Partition, Range, Signature, Usage};
use crate::format::kmod::{Module, Resolution};
use crate::format::lens::Lens;
use crate::format::md::Step;
use crate::format::wish::End;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// One record of a trace.
pub fn event_record(now: Millis, event: &Event) -> String {
    format!("{} < {}", now.0, event_line(event))
}

/// One record of a trace.
pub fn action_record(now: Millis, action: &Action) -> String {
    format!("{} > {}", now.0, action_line(action))
}

pub fn event_line(event: &Event) -> String {
    match event {
        Event::Boot { cmdline } => rest("boot", cmdline.as_bytes()),
        Event::Efi => "efi".into(),
        Event::System => "system".into(),
        Event::Signatures { hash, faster } => {
            let line = Line::new("signatures").word(hash);
            line.key("faster", faster).done()
        }
        Event::Bus { path, modalias } => Line::new("bus").word(path).word(modalias).done(),
        Event::Bound { path, driver, tag } => bound_line(path, driver, tag.as_ref()),
        Event::Net(event) => trace_net::event_line(event),
        Event::Block(block) => block_line("block", block),
        Event::BlockChanged(block) => block_line("block-changed", block),
        Event::BlockGone { name } => Line::new("block-gone").word(name).done(),
        Event::Overflow => "overflow".into(),
        Event::Walked { ticket } => answer("walked", *ticket).done(),
        Event::Resolved { ticket, resolution } => {
            resolution_words(answer("resolved", *ticket), resolution).done()
        }
        Event::Loaded { ticket } => answer("loaded", *ticket).done(),
        Event::LoadFailed { ticket, fault } => failed("load-failed", *ticket, fault).done(),
        Event::Probed { ticket, finding } => {
            finding_words(answer("probed", *ticket), finding).done()
        }
        Event::ProbeFailed { ticket, fault } => failed("probe-failed", *ticket, fault).done(),
        Event::Bytes { ticket, pieces } => {
            let word = |line: Line, piece: &Option<Text>| match piece {
                Some(bytes) => line.key("bytes", bytes.as_bytes()),
                None => line.key("lost", ""),
            };
            pieces.iter().fold(answer("bytes", *ticket), word).done()
        }
        Event::ReadFailed { ticket, fault } => failed("read-failed", *ticket, fault).done(),
        Event::Linked { ticket, names } => words(answer("linked", *ticket), names).done(),
        Event::Firmware { ticket, told } => firmware_line(*ticket, told),
        Event::File { file, text } => rest(file.word(), text.as_bytes()),
        Event::Unlocked { .. }
        | Event::UnlockFailed { .. }
        | Event::Answered { .. }
        | Event::Agreed { .. }
        | Event::Said { .. }
        | Event::Typing { .. }
        | Event::AskFailed { .. } => trace_luks::event_line(event),
        Event::Checkers { .. }
        | Event::Checked { .. }
        | Event::Hooks { .. }
        | Event::HookEnded { .. } => trace_check::event_line(event),
        Event::Mapped { ticket } => answer("mapped", *ticket).done(),
        Event::MapFailed { ticket, fault } => failed("map-failed", *ticket, fault).done(),
        Event::Announced { .. }
        | Event::AnnounceFailed { .. }
        | Event::Assembled { .. }
        | Event::AssembleFailed { .. }
        | Event::Attached { .. }
        | Event::AttachFailed { .. }
        | Event::NotResumed { .. }
        | Event::Fstab { .. }
        | Event::Mounted { .. }
        | Event::MountFailed { .. }
        | Event::InitFound { .. }
        | Event::InitMissing { .. }
        | Event::HandOverFailed { .. }
        | Event::ModuleWanted { .. }
        | Event::ShellLeft { .. } => last_line(event),
        Event::CtrlAltDel => "ctrl-alt-del".into(),
        Event::Timer => "timer".into(),
    }
}

/// What is told of the steps from mounting root on.
fn last_line(event: &Event) -> String {
    match event {
        Event::Announced { ticket, whole } => {
            answer("announced", *ticket).flag("whole", *whole).done()
        }
        Event::AnnounceFailed { ticket, fault } => failed("announce-failed", *ticket, fault).done(),
        Event::Assembled { ticket } => answer("assembled", *ticket).done(),
        Event::AssembleFailed { ticket, fault } => failed("assemble-failed", *ticket, fault).done(),
        Event::Attached { ticket, device } => answer("attached", *ticket).word(device).done(),
        Event::AttachFailed { ticket, fault } => failed("attach-failed", *ticket, fault).done(),
        Event::Fstab { ticket, text } => answer("fstab", *ticket).word(text.as_bytes()).done(),
        Event::Mounted { ticket } => answer("mounted", *ticket).done(),
        Event::NotResumed {
            ticket,
            fault,
            kernel,
        } => kernel_words(failed("not-resumed", *ticket, fault), kernel).done(),
        Event::MountFailed {
            ticket,
            fault,
            kernel,
        } => kernel_words(failed("mount-failed", *ticket, fault), kernel).done(),
        Event::ModuleWanted { request, name } => Line::new("module-wanted")
            .num(u64::from(*request))
            .word(name.as_bytes())
            .done(),
        Event::InitFound { ticket, path } => {
            answer("init-found", *ticket).word(path.as_bytes()).done()
        }
        Event::InitMissing { ticket, fault } => failed("init-missing", *ticket, fault).done(),
        Event::HandOverFailed { ticket, fault } => {
            failed("hand-over-failed", *ticket, fault).done()
        }
        Event::ShellLeft {
            ticket,
            fault: None,
        } => answer("shell-left", *ticket).done(),
        Event::ShellLeft {
            ticket,
            fault: Some(fault),
        } => failed("shell-left", *ticket, fault).done(),
        _ => String::new(),
    }
}

pub fn action_line(action: &Action) -> String {
    match action {
        Action::Walk { ticket, scope } => answer("walk", *ticket).word(scope_word(*scope)).done(),
        Action::Resolve { ticket, alias } => {
            answer("resolve", *ticket).word(alias.as_bytes()).done()
        }
        Action::Load { ticket, module } => answer("load", *ticket).word(module).done(),
        Action::Probe {
            ticket,
            device,
            lens,
        } => {
            let line = answer("probe", *ticket).word(device);
            line.opt("lens", lens.as_ref().map(Lens::to_text)).done()
        }
        Action::Read {
            ticket,
            device,
            lens,
            ranges,
        } => {
            let line = answer("read", *ticket).word(device);
            let line = line.opt("lens", lens.as_ref().map(Lens::to_text));
            let range = |line: Line, r: &Range| line.key("range", format!("{}+{}", r.at, r.len));
            ranges.iter().fold(line, range).done()
        }
        Action::Links { ticket, device } => answer("links", *ticket).word(device).done(),
        Action::AskFirmware { ticket } => answer("ask-firmware", *ticket).done(),
        Action::Map {
            ticket,
            mapping,
            part,
        } => mapping_words(answer("map", *ticket), mapping)
            .flag("part", *part)
            .done(),
        Action::Unlock { .. }
        | Action::Ask { .. }
        | Action::Withdraw { .. }
        | Action::Abandon { .. }
        | Action::Forget { .. }
        | Action::Show { .. } => trace_luks::action_line(action),
        Action::Assemble {
            ticket,
            device,
            steps,
        } => {
            let line = answer("assemble", *ticket).word(device);
            steps.iter().fold(line, step_word).done()
        }
        Action::Check { .. } | Action::Hook { .. } => trace_check::action_line(action),
        Action::Net { ticket, order } => trace_net::action_line(*ticket, order),
        Action::Announce { .. }
        | Action::Resume { .. }
        | Action::Attach { .. }
        | Action::Mount { .. }
        | Action::Layer { .. }
        | Action::FindInit { .. }
        | Action::Stay { .. }
        | Action::HandOver { .. }
        | Action::Page { .. }
        | Action::Fallback { .. }
        | Action::Reply { .. }
        | Action::Say { .. }
        | Action::Shell { .. }
        | Action::End { .. } => last_action_line(action),
        Action::WatchDrives => "watch-drives".into(),
        Action::LeaveShutdown => "leave-shutdown".into(),
        Action::Reboot => "reboot".into(),
    }
}

const fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Likely => "likely",
        Scope::All => "all",
    }
}

/// What is wanted from mounting root on.
fn last_action_line(action: &Action) -> String {
    match action {
        Action::Announce { ticket, device } => answer("announce", *ticket).word(device).done(),
        Action::Attach {
            ticket,
            file,
            writable,
            ram,
        } => {
            let line = answer("attach", *ticket).word(file.as_bytes());
            let line = line.word(if *writable { "rw" } else { "ro" });
            line.flag("ram", *ram).done()
        }
        Action::Layer { ticket, layer } => {
            trace_mount::layer_words(answer("layer", *ticket), layer).done()
        }
        Action::Resume {
            ticket,
            number: (major, minor),
            offset,
        } => {
            let line = answer("resume", *ticket).word(format!("{major}:{minor}"));
            line.num(*offset).done()
        }
        Action::Mount { ticket, mount } => {
            trace_mount::words(answer("mount", *ticket), mount).done()
        }
        Action::FindInit { ticket, init } => {
            let line = answer("find-init", *ticket);
            line.opt("init", init.as_ref().map(Text::as_bytes)).done()
        }
        Action::Stay { ticket, init } => {
            let line = answer("stay", *ticket);
            line.opt("init", init.as_ref().map(Text::as_bytes)).done()
        }
        Action::HandOver {
            ticket,
            init,
            arrays,
            net,
        } => {
            let line = answer("hand-over", *ticket).word(init.as_bytes());
            let line = arrays.iter().fold(line, with_array);
            trace_lease::left_words(line, net).done()
        }
        Action::Say { level, text } => {
            rest(&format!("say {}", level_word(*level)), text.as_bytes())
        }
        Action::Shell { ticket } => answer("shell", *ticket).done(),
        Action::End { end } => match end {
            End::Halt => "end halt".into(),
            End::Reboot(seconds) => format!("end reboot after={seconds}"),
            End::PowerOff => "end power-off".into(),
        },
        Action::Page { lines } => page_line("page", lines),
        Action::Fallback { lines } => page_line("fallback", lines),
        Action::Reply { request, ok } => {
            let ok = if *ok { "yes" } else { "no" };
            Line::new("reply").num(u64::from(*request)).word(ok).done()
        }
        _ => String::new(),
    }
}

fn page_line(verb: &str, lines: &[String]) -> String {
    let line = |line: Line, text: &String| line.key("line", text);
    lines.iter().fold(Line::new(verb), line).done()
}

/// A line whose tail is free text: only what would break the line is escaped.
pub(super) fn rest(head: &str, tail: &[u8]) -> String {
    let mut line = String::from(head);
    line.push(' ');
    let _ = escape_into(tail, b"\\", &mut line);
    line
}

pub(super) fn answer(verb: &str, ticket: Ticket) -> Line {
    Line::new(verb).num(u64::from(ticket.0))
}

pub(super) fn failed(verb: &str, ticket: Ticket, fault: &Fault) -> Line {
    let errno = u64::from(fault.errno.unsigned_abs());
    answer(verb, ticket)
        .key_num("errno", errno)
        .key("text", &fault.text)
}

pub(super) fn words(line: Line, words: &[String]) -> Line {
    words.iter().fold(line, |line, word| line.word(word))
}

fn firmware_line(ticket: Ticket, told: &Told) -> String {
    let line = answer("firmware", ticket).opt("booted", told.booted.as_ref());
    let place = told.hibernated.as_ref();
    let place = place.map(|(uuid, offset)| format!("{uuid}+{offset}"));
    line.opt("hibernated", place.as_ref()).done()
}

fn kernel_words(line: Line, kernel: &[Text]) -> Line {
    let said = |line: Line, said: &Text| line.key("kernel", said.as_bytes());
    kernel.iter().fold(line, said)
}

fn bound_line(path: &str, driver: &str, tag: Option<&Text>) -> String {
    let line = Line::new("bound").word(path).word(driver);
    line.opt("tag", tag.map(Text::as_bytes)).done()
}

fn block_line(verb: &str, block: &Block) -> String {
    let line = Line::new(verb)
        .word(&block.name)
        .word(format!("{}:{}", block.major, block.minor));
    let mut line = line
        .key_num("sectors", block.sectors)
        .key_num("sequence", block.sequence);
    if let Some((disk, number)) = &block.part_of {
        line = line.key("disk", disk).key_num("number", u64::from(*number));
    }
    line.opt("mapped", block.mapped.as_ref()).done()
}

fn mapping_words(line: Line, mapping: &Mapping) -> Line {
    let line = line.word(&mapping.name);
    let mut line = line.word(if mapping.read_only { "ro" } else { "rw" });
    if !mapping.uuid.is_empty() {
        line = line.key("uuid", &mapping.uuid);
    }
    if let Some(minor) = mapping.minor {
        line = line.key_num("minor", u64::from(minor));
    }
    if let Some(signature) = &mapping.signature {
        line = line.key("key", &signature.description);
        line = line.key("key-from", signature.source.as_bytes());
    }
    line = line.opt("key-file", mapping.key_file.as_ref());
    for t in &mapping.targets {
        let text = format!("{} {} {} {}", t.start, t.sectors, t.kind, t.arguments);
        line = line.key("target", text);
    }
    line
}

fn step_word(line: Line, step: &Step) -> Line {
    match step {
        Step::Module(alias) => line.key("module", alias),
        Step::Write { file, text } => line.key("write", format!("{file}:{text}")),
        Step::SetArrayInfo { major, minor } => line.key("set", format!("{major}.{minor}")),
        Step::AddNewDisk { major, minor } => line.key("add", format!("{major}:{minor}")),
        Step::RunArray => line.key("run", ""),
    }
}

fn resolution_words(line: Line, found: &Resolution) -> Line {
    let list = |names: &[String]| Some(names.joined(",")).filter(|l| !l.is_empty());
    let line = line.opt("answers", list(&found.answers));
    let line = line
        .opt("blacklisted", list(&found.blacklisted))
        .flag("builtin", found.builtin);
    found
        .modules
        .iter()
        .fold(line, |line, module| line.key("module", module_text(module)))
}

/// `NAME:NEED,NEED:PROVIDER|PROVIDER,PROVIDER:AFTER`.
fn module_text(module: &Module) -> String {
    let groups = |groups: &[Vec<String>]| {
        let each: Vec<String> = groups.iter().map(|g| g.joined("|")).listed();
        each.joined(",")
    };
    let (before, after) = (groups(&module.before), groups(&module.after));
    format!(
        "{}:{}:{before}:{after}",
        module.name,
        module.needs.joined(",")
    )
}

fn finding_words(mut line: Line, finding: &Finding) -> Line {
    if let Some(signature) = &finding.signature {
        line = signature_words(line, signature);
    }
    if !finding.ambivalent.is_empty() {
        line = line.key("ambivalent", finding.ambivalent.joined(","));
    }
    if let Some(table) = &finding.table {
        line = line
            .key("table", &table.kind)
            .opt("table-uuid", table.uuid.as_ref());
        for partition in &table.partitions {
            line = line.key("part", partition_text(partition));
        }
    }
    line
}

fn signature_words(line: Line, signature: &Signature) -> Line {
    let usage = match signature.usage {
        Usage::Filesystem => "filesystem",
        Usage::Raid => "raid",
        Usage::Crypto => "crypto",
        Usage::Other => "other",
    };
    let line = line.key("type", &signature.kind).key("usage", usage);
    let line = line.opt("uuid", signature.uuid.as_ref());
    let line = line.opt("label", signature.label.as_ref().map(Text::as_bytes));
    let line = line.opt("uuid-sub", signature.uuid_sub.as_ref());
    let line = line.opt("version", signature.version.as_ref());
    let line = line.key_num("block-size", u64::from(signature.block_size));
    match signature.devices {
        0 | 1 => line,
        devices => line.key_num("devices", u64::from(devices)),
    }
}

/// `NUMBER:UUID:TYPE:START:SECTORS:FLAGS[:LABEL]`, the label as it stands.
fn partition_text(p: &Partition) -> Vec<u8> {
    let head = format!(
        "{}:{}:{}:{}:{}:{}",
        p.number, p.uuid, p.kind, p.start, p.sectors, p.flags
    );
    let mut text = head.into_bytes();
    if let Some(label) = &p.label {
        text.push(b':');
        text.extend_from_slice(label.as_bytes());
    }
    text
}

/// The word for a level, in traces.
pub fn level_word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
        Level::Info => "info",
        Level::Debug => "debug",
    }
}
