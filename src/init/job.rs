//! What a worker does with one action, and how it answers.

use super::{connecting, leasing, leasing6, lookup};
use crate::act::attach_loop::HOST;
use crate::act::ceph_key::{self, Held};
use crate::act::module_catalog::Catalog;
use crate::act::mount_root::MountFault;
use crate::act::unlock_luks::Refused;
use crate::act::{
    assemble_array, attach_loop, check_device, configure_link, create_mapping, device_links,
    efi_variables, find_init, firmware_tables, flash, layer, load_module, mount_root, probe_device,
    reach, read_device, read_fstab, resume, run_hook, unlock_luks, unpack_archive,
};
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::text::Text;
use crate::format::efi_variable::Told;
use crate::format::luks::order::{Key, Refusal};
use crate::format::net::firmware::Firmware;
use crate::format::net::order::Asked;
use crate::plan::action::{Action, Mount, NetAction};
use crate::plan::event::{Event, NetEvent, Ticket};
use crate::sys::{btrfs, mount};

/// Where the new root is mounted in the initramfs.
pub const NEW_ROOT: &str = "/sysroot";

/// Does one slow action. `None`: not a worker's job.
/// `tell` hears what is told before the answer.
pub fn perform(
    action: &Action,
    catalog: &Catalog,
    secret: Option<Secret>,
    tell: &mut dyn FnMut(Event),
) -> Option<Event> {
    let ticket = ticket(action)?;
    Some(match action {
        Action::Load { module, .. } => match load_module::load(catalog, module) {
            Ok(()) => Event::Loaded { ticket },
            Err(fault) => Event::LoadFailed { ticket, fault },
        },
        Action::Probe { device, lens, .. } => match probe_device::probe(device, lens.as_ref()) {
            Ok(finding) => Event::Probed {
                ticket,
                finding: finding.into(),
            },
            Err(fault) => Event::ProbeFailed { ticket, fault },
        },
        Action::Read {
            device,
            lens,
            ranges,
            ..
        } => match read_device::read_all(device, lens.as_ref(), ranges) {
            Ok(pieces) => Event::Bytes { ticket, pieces },
            Err(fault) => Event::ReadFailed { ticket, fault },
        },
        Action::Links { device, .. } => Event::Linked {
            ticket,
            names: device_links::names(device),
        },
        Action::AskFirmware { .. } => Event::Firmware {
            ticket,
            told: efi_variables::ask(),
        },
        Action::Unlock { order, .. } => match unlock_luks::open(order, secret) {
            Ok(()) => Event::Unlocked { ticket },
            Err(Refused { why, fault }) => Event::UnlockFailed { ticket, why, fault },
        },
        Action::Map { mapping, part, .. } => match create_mapping::create(mapping, *part) {
            Ok(()) => Event::Mapped { ticket },
            Err(fault) => Event::MapFailed { ticket, fault },
        },
        Action::Assemble { device, steps, .. } => match assemble_array::assemble(device, steps) {
            Ok(()) => Event::Assembled { ticket },
            Err(fault) => Event::AssembleFailed { ticket, fault },
        },
        Action::Announce { device, .. } => announce(ticket, device),
        Action::Net { order, .. } => Event::Net(see_to_network(ticket, order, tell)?),
        Action::Resume { number, offset, .. } => go_on(ticket, *number, *offset),
        Action::Check { check, .. } => Event::Checked {
            ticket,
            ended: check_device::check(check),
        },
        Action::Hook { name, .. } => run_hook(ticket, name),
        _ => return around_root(action, ticket, tell),
    })
}

/// From what holds root to the real init in it.
fn around_root(action: &Action, ticket: Ticket, tell: &mut dyn FnMut(Event)) -> Option<Event> {
    Some(match action {
        Action::Attach {
            file,
            writable,
            ram,
            ..
        } => match attach_loop::attach(file, *writable, *ram) {
            Ok(device) => Event::Attached { ticket, device },
            Err(fault) => Event::AttachFailed { ticket, fault },
        },
        Action::Mount { mount, .. } => mount_root(ticket, mount, tell),
        Action::Layer { layer, .. } => match layer::lay(layer, NEW_ROOT) {
            Ok(()) => Event::Mounted { ticket },
            Err(failed) => mount_failed(ticket, failed),
        },
        Action::FindInit { init, .. } => {
            match find_init::find(NEW_ROOT, init.as_ref().map(Text::as_bytes)) {
                Ok(path) => Event::InitFound { ticket, path },
                Err(fault) => Event::InitMissing { ticket, fault },
            }
        }
        _ => return None,
    })
}

fn run_hook(ticket: Ticket, name: &str) -> Event {
    let ended = run_hook::run(name, NEW_ROOT);
    Event::HookEnded { ticket, ended }
}

fn announce(ticket: Ticket, device: &str) -> Event {
    match btrfs::announce(&format!("/dev/{device}")) {
        Ok(whole) => Event::Announced { ticket, whole },
        Err(fail) => Event::AnnounceFailed {
            ticket,
            fault: fail.into(),
        },
    }
}

fn go_on(ticket: Ticket, number: (u32, u32), offset: u64) -> Event {
    let (fault, kernel) = resume::resume(number, offset);
    Event::NotResumed {
        ticket,
        fault,
        kernel,
    }
}

fn see_to_network(
    ticket: Ticket,
    order: &NetAction,
    tell: &mut dyn FnMut(Event),
) -> Option<NetEvent> {
    Some(match order {
        // It is PID 1 that watches.
        NetAction::WatchLinks => return None,
        NetAction::ReadFirmware => NetEvent::FirmwareRead {
            ticket,
            left: firmware_tables::ibft().into(),
        },
        NetAction::Lookup(order) => match lookup::look_up(order) {
            Ok(addresses) => NetEvent::Found { ticket, addresses },
            Err(fault) => NetEvent::LookupFailed { ticket, fault },
        },
        NetAction::Reach { server, port } => match reach::reach(*server, *port) {
            Ok(()) => NetEvent::Reached { ticket },
            Err(fault) => NetEvent::ReachFailed { ticket, fault },
        },
        NetAction::Connect { target, server } => match connecting::connect(target, *server) {
            Ok(device) => NetEvent::Connected { ticket, device },
            Err(fault) => NetEvent::ConnectFailed { ticket, fault },
        },
        NetAction::Configure { link, change } => match configure_link::configure(link, change) {
            Ok(()) => NetEvent::Configured { ticket },
            Err(fault) => NetEvent::ConfigureFailed { ticket, fault },
        },
        NetAction::Lease { link, order } => {
            let mut said = String::new();
            // A client says how it stands whenever it waits: what is new of it is news.
            let mut news = |so_far: Fault| {
                let text = so_far.into_text();
                if text != said {
                    said.clone_from(&text);
                    tell(Event::Net(NetEvent::LeaseNews { ticket, text }));
                }
            };
            let leased = match order.asked {
                Asked::Dhcp4 => leasing::lease(order, &mut news),
                Asked::Dhcp6 | Asked::Information => leasing6::lease(link, order, &mut news),
            };
            match leased {
                Ok(lease) => NetEvent::Leased { ticket, lease },
                Err(fault) => NetEvent::LeaseFailed { ticket, fault },
            }
        }
    })
}

fn mount_root(ticket: Ticket, mount: &Mount, tell: &mut dyn FnMut(Event)) -> Event {
    // The kernel opens flash memory by its name, not by a device's path.
    let device = match flash::class_of(&mount.device) {
        _ if mount.nodev => mount.device.clone(),
        Some("mtd") => mount.device.clone(),
        _ => format!("/dev/{}", mount.device),
    };
    // As long as this lives the kernel knows the key.
    let (options, _key) = match with_key(mount) {
        Ok(both) => both,
        Err(fault) => {
            let kernel = Vec::new();
            return Event::MountFailed {
                ticket,
                fault,
                kernel,
            };
        }
    };
    // What is to be below /run is mounted there at once: root gets that /run.
    let at = core::str::from_utf8(mount.at.as_bytes()).unwrap_or_default();
    let (place, at) = match at.starts_with("/run/") {
        true => (at, &b""[..]),
        false if mount.host => (HOST, &b""[..]),
        false => (NEW_ROOT, mount.at.as_bytes()),
    };
    let request = mount_root::Request {
        device: &device,
        nodev: mount.nodev,
        fstype: &mount.fstype,
        read_only: mount.read_only,
        at,
        anew: mount.anew,
    };
    let mounted = mount_root::mount(&request, options.as_bytes(), place);
    match mounted.and_then(|()| fill(mount, place)) {
        Ok(()) => {
            let is_root = !mount.host && !mount.anew && mount.at.0.is_empty();
            if let Some(text) = is_root.then(|| read_fstab::early(NEW_ROOT)).flatten() {
                tell(Event::Fstab { ticket, text });
            }
            Event::Mounted { ticket }
        }
        Err(failed) => mount_failed(ticket, failed),
    }
}

fn mount_failed(ticket: Ticket, failed: MountFault) -> Event {
    Event::MountFailed {
        ticket,
        fault: failed.fault,
        kernel: failed.kernel,
    }
}

/// A file system in memory is made of the archive that it is called after.
fn fill(mounted: &Mount, place: &str) -> Result<(), MountFault> {
    let root = mounted.at.0.is_empty();
    if !root || mounted.fstype != "tmpfs" || !mounted.device.starts_with('/') {
        return Ok(());
    }
    unpack_archive::unpack(&mounted.device, place).map_err(|fault| {
        // The next attempt begins anew.
        let _ = mount::detach(place);
        let kernel = Vec::new();
        MountFault { fault, kernel }
    })
}

/// The options, with the key by which a Ceph cluster knows this machine.
fn with_key(mount: &Mount) -> Result<(Text, Option<Held>), Fault> {
    let mut options = mount.options.clone();
    let held = match &mount.ceph {
        Some(who) => ceph_key::hold(who)?,
        None => None,
    };
    if let Some(held) = &held {
        let word = format!(",key={}", held.name);
        options.0.extend_from_slice(word.as_bytes());
    }
    Ok((options, held))
}

/// Does one process do several of these? What it is told then must be in a line, which a secret of
/// Ceph is not.
pub fn comes_often(action: &Action) -> bool {
    matches!(
        action,
        Action::Load { .. }
            | Action::Probe { .. }
            | Action::Read { .. }
            | Action::Links { .. }
            | Action::FindInit { .. }
    ) || matches!(action, Action::Mount { mount, .. } if mount.ceph.is_none())
}

/// The number of the secret that this job needs.
pub fn secret_of(action: &Action) -> Option<u32> {
    match action {
        Action::Unlock { order, .. } => match order.key {
            Key::Typed(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

/// The answer for a job whose worker died.
pub fn failed(action: &Action, fault: Fault) -> Option<Event> {
    let ticket = ticket(action)?;
    Some(match action {
        Action::Load { .. } => Event::LoadFailed { ticket, fault },
        Action::Probe { .. } => Event::ProbeFailed { ticket, fault },
        Action::Read { .. } => Event::ReadFailed { ticket, fault },
        Action::Links { .. } => Event::Linked {
            ticket,
            names: Vec::new(),
        },
        Action::AskFirmware { .. } => Event::Firmware {
            ticket,
            told: Told::default(),
        },
        Action::Unlock { .. } => Event::UnlockFailed {
            ticket,
            why: Refusal::Volume,
            fault,
        },
        Action::Map { .. } => Event::MapFailed { ticket, fault },
        Action::Assemble { .. } => Event::AssembleFailed { ticket, fault },
        Action::Announce { .. } => Event::AnnounceFailed { ticket, fault },
        Action::Attach { .. } => Event::AttachFailed { ticket, fault },
        Action::Net { order, .. } => Event::Net(match order {
            NetAction::WatchLinks => NetEvent::LinksListed { ticket },
            NetAction::ReadFirmware => {
                let odd = vec![fault.into_text()];
                let left = Firmware {
                    odd,
                    ..Firmware::default()
                };
                NetEvent::FirmwareRead {
                    ticket,
                    left: left.into(),
                }
            }
            NetAction::Configure { .. } => NetEvent::ConfigureFailed { ticket, fault },
            NetAction::Lease { .. } => NetEvent::LeaseFailed { ticket, fault },
            NetAction::Reach { .. } => NetEvent::ReachFailed { ticket, fault },
            NetAction::Lookup(_) => NetEvent::LookupFailed { ticket, fault },
            NetAction::Connect { .. } => NetEvent::ConnectFailed { ticket, fault },
        }),
        Action::Resume { .. } => Event::NotResumed {
            ticket,
            fault,
            kernel: Vec::new(),
        },
        Action::Check { .. } => Event::Checked {
            ticket,
            ended: Err(fault),
        },
        Action::Hook { .. } => Event::HookEnded {
            ticket,
            ended: Err(fault),
        },
        Action::Mount { .. } | Action::Layer { .. } => Event::MountFailed {
            ticket,
            fault,
            kernel: Vec::new(),
        },
        Action::FindInit { .. } => Event::InitMissing { ticket, fault },
        _ => return None,
    })
}

/// Under which ticket a worker does it.
pub fn ticket(action: &Action) -> Option<Ticket> {
    match action {
        Action::Load { ticket, .. }
        | Action::Probe { ticket, .. }
        | Action::Read { ticket, .. }
        | Action::Links { ticket, .. }
        | Action::AskFirmware { ticket }
        | Action::Unlock { ticket, .. }
        | Action::Map { ticket, .. }
        | Action::Assemble { ticket, .. }
        | Action::Announce { ticket, .. }
        | Action::Attach { ticket, .. }
        | Action::Net { ticket, .. }
        | Action::Resume { ticket, .. }
        | Action::Check { ticket, .. }
        | Action::Hook { ticket, .. }
        | Action::Mount { ticket, .. }
        | Action::Layer { ticket, .. }
        | Action::FindInit { ticket, .. } => Some(*ticket),
        _ => None,
    }
}
