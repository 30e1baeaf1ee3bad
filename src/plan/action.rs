//! What the plan wants done.

use super::event::Ticket;
use crate::base::text::Text;
use crate::format::ceph::Credentials;
use crate::format::check::Check;
use crate::format::crypttab::Echo;
use crate::format::dm_init::Mapping;
use crate::format::identity::Range;
use crate::format::layers::Layer;
use crate::format::lens::Lens;
use crate::format::luks::order::Order;
use crate::format::md::{Named, Step};
use crate::format::net::order::{Change, LeaseOrder, Left, LookupOrder};
use crate::format::remote::target::Target;
use crate::format::wish::End;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// How loud a sentence is: the kernel's log levels that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

/// How much a walk looks at. Reading what one device is costs as much as a small system call
/// dozens of times over, and a PC has more ACPI devices than all others together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Block devices, and the buses that disks hang on: [`super::bus::LIKELY`].
    Likely,
    /// Block devices and every bus.
    All,
}

/// Bytes that one [`Action::Read`] may ask for: the answer is one message, in which a byte may take
/// four letters.
pub const MAX_READ: usize = 15 << 10;

/// One attempt to mount root, what holds it, or what is mounted on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its name without `/dev/`: the kernel's, or `mapper/NAME`. Where there is no device: what the
    /// file system takes for one, such as the tag of a share.
    pub device: String,
    /// There is no device.
    pub nodev: bool,
    pub fstype: String,
    pub read_only: bool,
    /// It holds the file that root is in.
    pub host: bool,
    /// Its mount point on the new root, absolute. Empty: it is the root.
    pub at: Text,
    /// It is mounted already, and is to be mounted once more with these options.
    pub anew: bool,
    /// Mount options as the kernel takes them, already sorted from the words of mount(8).
    pub options: Text,
    /// Who mounts it, where a Ceph cluster asks. The secret stands in no trace.
    pub ceph: Option<Box<Credentials>>,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Lines in front of it.
    pub notes: Vec<String>,
    /// As in `passphrase of home (vda2)`.
    pub prompt: String,
    pub echo: Echo,
    /// Only yes or no is wanted; nothing of it is a secret.
    pub yes_or_no: bool,
    /// A command is wanted; nothing of it is a secret.
    pub command: bool,
}

/// What can be shown that is not decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The last lines of the kernel's log.
    Log,
    /// The last lines of this boot's trace.
    Trace,
}

/// Everything that can be asked for. Each one with a ticket is answered exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Report what exists: bus devices and block devices.
    Walk {
        scope: Scope,
        ticket: Ticket,
    },
    /// Look an alias, modalias or module name up in the module indexes.
    Resolve {
        ticket: Ticket,
        alias: Text,
    },
    /// Load one module; what it needs is there already.
    Load {
        ticket: Ticket,
        module: String,
    },
    /// Identify a block device by its bytes. `lens`: it does not run yet, and is looked through.
    Probe {
        ticket: Ticket,
        device: String,
        lens: Option<Lens>,
    },
    /// Bring bytes of a device: at most [`MAX_READ`] in all.
    Read {
        ticket: Ticket,
        device: String,
        lens: Option<Lens>,
        ranges: Vec<Range>,
    },
    /// Tell what udev would call a whole disk: `by-id/…`, `by-path/…`.
    Links {
        ticket: Ticket,
        device: String,
    },
    /// Tell which partition the firmware booted from.
    AskFirmware {
        ticket: Ticket,
    },
    /// Make a mapped device. Devices in its table are `MAJOR:MINOR`. `part`: it is only a part of
    /// another one, and nobody shall look for anything in it.
    Map {
        ticket: Ticket,
        mapping: Box<Mapping>,
        part: bool,
    },
    /// Start an array of md as `device`, by these steps in this order.
    Assemble {
        ticket: Ticket,
        device: String,
        steps: Vec<Step>,
    },
    /// Open an encrypted volume.
    Unlock {
        ticket: Ticket,
        order: Box<Order>,
    },
    /// Ask whoever is at a console. One question is open at a time.
    Ask {
        ticket: Ticket,
        question: Box<Question>,
    },
    /// Take a question back: it is not answered any more.
    Withdraw {
        ticket: Ticket,
    },
    /// End what is being done: nobody waits for the answer any more.
    Abandon {
        ticket: Ticket,
    },
    /// Wipe what was typed.
    Forget {
        secret: u32,
    },
    /// Tell the kernel of one device of a btrfs.
    Announce {
        ticket: Ticket,
        device: String,
    },
    /// See to the network.
    Net {
        ticket: Ticket,
        order: NetAction,
    },
    /// Make a loop device of a file, by its path on the file system that holds it.
    Attach {
        ticket: Ticket,
        file: Text,
        writable: bool,
        /// Of a copy in memory; what holds the file is unmounted then.
        ram: bool,
    },
    /// Have the kernel go on with a system that hibernates on the device of this number, its image
    /// so many pages behind the beginning. Answered only if that fails.
    Resume {
        ticket: Ticket,
        number: (u32, u32),
        offset: u64,
    },
    /// Have the file system on a device checked.
    Check {
        ticket: Ticket,
        check: Box<Check>,
    },
    /// Run this hook of the image.
    Hook {
        ticket: Ticket,
        name: String,
    },
    /// Mount the new root, or the file system that holds the file that it is in.
    Mount {
        ticket: Ticket,
        mount: Box<Mount>,
    },
    /// Lay something over root. Answered as `Mount`.
    Layer {
        ticket: Ticket,
        layer: Box<Layer>,
    },
    /// Find the real init inside the new root. `None`: the kernel's own list.
    FindInit {
        ticket: Ticket,
        init: Option<Text>,
    },
    /// The image is the system: find the real init in it, and become that, with everything as it
    /// is. Answered as `FindInit` where it fails.
    Stay {
        ticket: Ticket,
        init: Option<Text>,
    },
    /// Move the mounts, empty the initramfs, switch, exec.
    /// `arrays`: those that run because root needed them; the real system's mdadm is told of them.
    HandOver {
        ticket: Ticket,
        init: Text,
        arrays: Vec<Named>,
        net: Box<Left>,
    },
    /// Let the kernel look for media in drives: root may be put in.
    WatchDrives,
    /// Leave this program where the real system runs it when it ends.
    LeaveShutdown,
    /// Tell the kernel's modprobe how it ended.
    Reply {
        request: u32,
        ok: bool,
    },
    Say {
        level: Level,
        text: String,
    },
    /// The failure page. Followed by `Shell` or `End`.
    Page {
        lines: Vec<String>,
    },
    /// Another root is looked for: leave the page of the first for the real system.
    Fallback {
        lines: Vec<String>,
    },
    /// Show this on every console.
    Show {
        what: Shown,
    },
    /// A shell on the console. Answered when it is left.
    Shell {
        ticket: Ticket,
    },
    /// The last action: reboot, power off, or stay.
    End {
        end: End,
    },
    /// Reboot now: a person pressed ctrl-alt-del.
    Reboot,
}

/// What is done about links, leases and servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetAction {
    /// Find out whether a service is there.
    Reach { server: IpAddr, port: u16 },
    /// Find the addresses of a name.
    Lookup(Box<LookupOrder>),
    /// Connect to a server of blocks, so that its disk appears. `server`: its address, where it has
    /// one.
    Connect {
        target: Box<Target>,
        server: Option<IpAddr>,
    },
    /// Tell of every network link that there is, and of what becomes of them from now on.
    WatchLinks,
    /// Tell what the firmware's iSCSI boot table says.
    ReadFirmware,
    /// Change the network link of this name.
    Configure { link: String, change: Box<Change> },
    /// Ask for a lease of DHCP over this link.
    Lease {
        link: String,
        order: Box<LeaseOrder>,
    },
}
