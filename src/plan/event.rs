//! What the plan is told.

use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::check::Ended;
use crate::format::efi_variable::Told;
use crate::format::identity::Finding;
use crate::format::image_files::ImageFile;
use crate::format::kmod::Resolution;
use crate::format::luks::order::Refusal;
use crate::format::net::address::Network;
use crate::format::net::firmware::Firmware;
use crate::format::net::lease::Lease;
use crate::format::netlink::link::Link;
use crate::format::netlink::router::Advert;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Names one action; the event that answers it carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// A block device as the kernel announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The kernel's name with `!` as `/`: `vda1`, `cciss/c0d0`.
    pub name: String,
    pub major: u32,
    pub minor: u32,
    /// Length in 512-byte sectors; 0: no medium, or not set up yet.
    pub sectors: u64,
    /// The whole disk's name and this partition's number on it.
    pub part_of: Option<(String, u32)>,
    /// Counts attached media since boot (`diskseq`): tells a re-plugged disk from a repeated event.
    pub sequence: u64,
    /// What the device mapper calls it: `/dev/mapper/NAME`.
    pub mapped: Option<String>,
}

/// Everything that can happen. One line of trace each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// First event of every boot.
    Boot {
        cmdline: Text,
    },
    /// What a file of the image says. Told before `Boot`, or not at all.
    File {
        file: ImageFile,
        text: Text,
    },
    /// The kernel checks the signature of every module, made over this hash (`sha256`). The module
    /// `faster` is in the image and computes it with this machine's own instructions. Told before
    /// anything is resolved, or not at all.
    Signatures {
        hash: String,
        faster: String,
    },
    /// A device without driver knowledge of its own: a modalias to serve.
    Bus {
        path: String,
        modalias: String,
    },
    /// A driver that brings shares of the machine's host took a device (or has it already). `tag`:
    /// the share's, where the kernel tells.
    Bound {
        path: String,
        driver: String,
        tag: Option<Text>,
    },
    /// What is heard of the network.
    Net(NetEvent),
    /// A block device appeared (or was seen again).
    Block(Box<Block>),
    /// A block device changed: medium, size, table.
    BlockChanged(Box<Block>),
    BlockGone {
        name: String,
    },
    /// The kernel's event queue overflowed: whatever happened in between is unknown.
    Overflow,
    /// Answers `walk`: everything that existed was reported by events before this one.
    Walked {
        ticket: Ticket,
    },
    /// Answers `resolve`.
    Resolved {
        ticket: Ticket,
        resolution: Box<Resolution>,
    },
    /// Answers `load`. A module that is already there counts as loaded.
    Loaded {
        ticket: Ticket,
    },
    LoadFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `probe`.
    Probed {
        ticket: Ticket,
        finding: Box<Finding>,
    },
    ProbeFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `read`: for each range its bytes, without the zeros at its end. `None`: they cannot
    /// be read.
    Bytes {
        ticket: Ticket,
        pieces: Vec<Option<Text>>,
    },
    /// Answers `read`: nothing can be read.
    ReadFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `links`: the disk's names below `/dev/disk/`, as udev would give them; none where
    /// it has none.
    Linked {
        ticket: Ticket,
        names: Vec<String>,
    },
    /// The image holds an init besides ours. Told before `Boot`, or not at all.
    System,
    /// The machine has EFI variables, which can be asked for. Told before `Boot`, or not at all.
    Efi,
    /// Answers `ask-firmware`.
    Firmware {
        ticket: Ticket,
        told: Told,
    },
    /// Answers `map`: the device has a live table. Its own event tells of it.
    Mapped {
        ticket: Ticket,
    },
    MapFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `assemble`: the array runs. Its own event tells of it.
    Assembled {
        ticket: Ticket,
    },
    AssembleFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `unlock`: the volume has a live table. Its own event tells of it.
    Unlocked {
        ticket: Ticket,
    },
    UnlockFailed {
        ticket: Ticket,
        why: Refusal,
        fault: Fault,
    },
    /// Answers `ask`: what was typed is kept under this number.
    Answered {
        ticket: Ticket,
        secret: u32,
    },
    /// Answers `ask` where that wants yes or no.
    Agreed {
        ticket: Ticket,
        yes: bool,
    },
    /// Answers `ask` where that wants a command.
    Said {
        ticket: Ticket,
        text: Text,
    },
    /// Somebody presses keys, and has not answered `ask` yet.
    Typing {
        ticket: Ticket,
    },
    /// Answers `ask`: nobody can be asked.
    AskFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `announce`: does the kernel know all devices of that file system now?
    Announced {
        ticket: Ticket,
        whole: bool,
    },
    AnnounceFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `attach`: the loop device, by the kernel's name. Its own event tells of it.
    Attached {
        ticket: Ticket,
        device: String,
    },
    AttachFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `resume`: the kernel did not go on with it. `kernel`: what it said.
    NotResumed {
        ticket: Ticket,
        fault: Fault,
        kernel: Vec<Text>,
    },
    /// The image holds these programs that check file systems (paths). Told before `Boot`, or not
    /// at all.
    Checkers {
        programs: Vec<String>,
    },
    /// Answers `check`: the program has ended, or could not be run.
    Checked {
        ticket: Ticket,
        ended: Result<Ended, Fault>,
    },
    /// The image holds these hooks (`PLACE/NAME`), in the order in which they run. Told before
    /// `Boot`, or not at all.
    Hooks {
        names: Vec<String>,
    },
    /// Answers `hook`: the program has ended, or could not be run.
    HookEnded {
        ticket: Ticket,
        ended: Result<Ended, Fault>,
    },
    /// Of a `mount` of root: what its fstab wants of us, see [`crate::format::fstab::early`]. Told
    /// before `mounted`, or not at all.
    Fstab {
        ticket: Ticket,
        text: Text,
    },
    /// Answers `mount`. `kernel`: what the kernel said about it.
    Mounted {
        ticket: Ticket,
    },
    MountFailed {
        ticket: Ticket,
        fault: Fault,
        kernel: Vec<Text>,
    },
    /// Answers `find-init`: the program to exec, as a path inside the new root.
    InitFound {
        ticket: Ticket,
        path: Text,
    },
    InitMissing {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `hand-over`, which does not return when it succeeds.
    HandOverFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// The kernel runs its modprobe: `request` names the asker, who waits for `reply`.
    ModuleWanted {
        request: u32,
        name: Text,
    },
    /// Answers `shell`: the person left it (or there was none to start).
    ShellLeft {
        ticket: Ticket,
        fault: Option<Fault>,
    },
    CtrlAltDel,
    /// The time that `deadline()` named has come.
    Timer,
}

/// What is heard of links, leases and servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// Answers `reach`.
    Reached {
        ticket: Ticket,
    },
    ReachFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `lookup`: in the order in which they are to be tried.
    Found {
        ticket: Ticket,
        addresses: Vec<IpAddr>,
    },
    LookupFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `connect`. `device`: the kernel's name of the disk, where that is known; its own
    /// event tells of it.
    Connected {
        ticket: Ticket,
        device: Option<String>,
    },
    ConnectFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// The machine has an NVMe boot table. Told before anything is heard of links, or not at all.
    Nbft(Box<Firmware>),
    /// Answers `read-firmware`: what the iSCSI boot table says.
    FirmwareRead {
        ticket: Ticket,
        left: Box<Firmware>,
    },
    /// A network link is there, or something about it changed.
    Link(Box<Link>),
    LinkGone {
        index: u32,
    },
    /// A link has an address that is ready for use: given here, or by a router's advertisement.
    Address {
        index: u32,
        network: Network,
    },
    AddressGone {
        index: u32,
        network: Network,
    },
    /// A router says something on a link.
    Advert(Box<Advert>),
    /// Answers `watch-links`: every link that existed was told by events before this one.
    LinksListed {
        ticket: Ticket,
    },
    /// Answers `configure`.
    Configured {
        ticket: Ticket,
    },
    ConfigureFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// Answers `lease`.
    Leased {
        ticket: Ticket,
        lease: Box<Lease>,
    },
    LeaseFailed {
        ticket: Ticket,
        fault: Fault,
    },
    /// No answer to `lease` yet: what went wrong so far.
    LeaseNews {
        ticket: Ticket,
        text: String,
    },
}
