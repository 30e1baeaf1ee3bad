//! What is wanted of this boot: the command line's meaning, as one typed value.
//!
//! Not here: which word means what (`params`), and what exists (`plan`).

use super::ceph::Credentials;
use super::check::Policy;
use super::cmdline;
use super::crypttab::{self, Volumes};
use super::dm_init::Mapping;
use super::integrity;
use super::iscsi;
use super::layers::Layers;
use super::loop_file::{LoopFile, Sought};
use super::mounts::Extra;
use super::net::wanted::Wanted;
use super::params;
use super::remote::Remote;
use super::remote::target::Target;
use super::resume::Resume;
use super::verity;
use crate::base::text::Text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use super::source::Source;

/// How long root may take to appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Milliseconds since boot.
    Ms(u64),
    /// `rootwait`: as long as it takes.
    Forever,
}

/// What to do when root cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Keep the page on the screen; ctrl-alt-del reboots.
    Halt,
    /// Seconds to keep the page before the reboot.
    Reboot(u32),
    PowerOff,
}

/// What to do when something could start without one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Degraded {
    Never,
    /// Milliseconds after it first could.
    AfterMs(u64),
    /// Somebody says so.
    Ask,
}

/// When the rescue console opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescue {
    Off,
    /// Where the boot is to stop.
    Stops,
    /// After a failure as well; untouched, it closes after so many milliseconds.
    After(u64),
}

impl Rescue {
    /// Where nobody says how long: untouched, it closes after so many milliseconds.
    pub const WAIT_MS: u64 = 60_000;
}

/// Where a boot can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Before anything is looked for.
    Start,
    /// Before root is mounted.
    Mount,
    /// Before the machine is handed over.
    HandOver,
}

/// How much is said on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Warnings and errors only.
    Quiet,
    Normal,
    /// Everything, the trace included.
    Debug,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// `None`: no `root=` was given, or `gpt-auto`. A partition may still say that it is a root.
    pub root: Option<Source>,
    /// Root on a network; `root` is [`Source::Remote`] then.
    pub remote: Option<Remote>,
    /// Servers of blocks to connect to.
    pub targets: Vec<Target>,
    /// The targets that the iBFT names are wanted; each with what the words say of all (who this
    /// machine is, for how long requests wait).
    pub ibft: Option<Box<iscsi::Reference>>,
    /// Who this machine is to a Ceph cluster, where nothing else says it.
    pub ceph: Credentials,
    /// `rd.nvmf.hostnqn=` and `rd.nvmf.hostid=`. Empty: others say.
    pub nvme_host: (String, String),
    /// `root=` as typed, for messages.
    pub root_as_typed: Text,
    /// `landfall.fallback=`: another root, where this one cannot be had.
    pub fallback: Option<Text>,
    /// `rootfstype=`, in order. Empty: whatever the bytes say.
    pub fstypes: Vec<String>,
    /// `rootflags=`, as typed.
    pub flags: Text,
    /// `landfall.clones=refuse`: where several devices answer, none is taken.
    pub refuse_clones: bool,
    /// `landfall.degraded=`.
    pub degraded: Degraded,
    /// `rd.lvm=0`, `rd.md=0`: volume groups, or arrays, are not looked into.
    pub lvm: bool,
    pub md: bool,
    /// `ubi.mtd=`: what UBI is to be attached to, each by number, name or path.
    pub ubi_mtd: Vec<Text>,
    /// `rw`. Where `rootflags=` holds `ro` or `rw`, those words have decided.
    pub writable: bool,
    /// `init=`.
    pub init: Option<Text>,
    pub patience: Patience,
    /// Where a hibernated system may lie. `None`: none is looked for.
    pub resume: Option<Resume>,
    /// `noresume`: none is looked for, whoever says where.
    pub resume_off: bool,
    /// `rd.shell`: a shell may open after a failure.
    pub shell: bool,
    /// `landfall.rescue=`.
    pub rescue: Rescue,
    /// `rd.break=` and others.
    pub stops: Vec<Stop>,
    pub end: End,
    pub talk: Talk,
    /// `landfall.trace=`: a terminal that is told the trace when the boot ends.
    pub trace: Option<String>,
    /// Modules to load at once (`rd.modules_load=`, `rd.driver.pre=`), as typed, none twice.
    pub load: Vec<String>,
    /// Modules to load when no other is being loaded (`rd.driver.post=`), as typed, none twice.
    pub load_last: Vec<String>,
    /// Devices to be made of others (`dm-mod.create=`), in this order.
    pub mappings: Vec<Mapping>,
    /// Devices that are to be there before the first of them is made (`dm-mod.waitfor=`).
    pub map_after: Vec<Source>,
    /// Volumes of dm-verity. One that is called root is root.
    pub verity: Vec<verity::Volume>,
    /// Encrypted volumes (`rd.luks.*` and others, the image's crypttab).
    pub volumes: Volumes,
    /// Standalone volumes of dm-integrity.
    pub integrity: Vec<integrity::Volume>,
    /// `loop=`: first the device that holds this file is looked for, then root in it.
    pub file: Option<LoopFile>,
    /// Root is a system's medium: copy its image to RAM, and let go of the medium.
    pub ram: bool,
    /// What lies over root.
    pub layers: Option<Box<Layers>>,
    /// What is mounted besides root, in this order.
    pub mounts: Vec<Extra>,
    /// Whether and how file systems are checked before they are mounted.
    pub check: Policy,
    /// `landfall.hooks=0`: none of the image runs.
    pub hooks: bool,
    /// Is the real root's fstab heeded?
    pub fstab: bool,
    /// `landfall.shutdown=`: whether the real system is helped when it ends.
    pub shutdown: Option<bool>,
    /// Links, addresses and ways to networks.
    pub net: Wanted,
    /// What was odd on the command line: one sentence each, said as warnings.
    pub complaints: Vec<String>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            root: None,
            remote: None,
            targets: Vec::new(),
            ibft: None,
            ceph: Credentials::default(),
            nvme_host: (String::new(), String::new()),
            root_as_typed: Text::default(),
            fallback: None,
            fstypes: Vec::new(),
            flags: Text::default(),
            refuse_clones: false,
            degraded: Degraded::AfterMs(30_000),
            lvm: true,
            md: true,
            ubi_mtd: Vec::new(),
            writable: false,
            init: None,
            patience: Patience::Ms(90_000),
            resume: None,
            resume_off: false,
            shell: false,
            rescue: Rescue::Stops,
            stops: Vec::new(),
            end: End::Halt,
            talk: Talk::Normal,
            trace: None,
            load: Vec::new(),
            load_last: Vec::new(),
            mappings: Vec::new(),
            map_after: Vec::new(),
            verity: Vec::new(),
            integrity: Vec::new(),
            volumes: Volumes::default(),
            file: None,
            ram: false,
            layers: None,
            mounts: Vec::new(),
            check: Policy::default(),
            hooks: true,
            fstab: true,
            shutdown: None,
            net: Wanted::default(),
            complaints: Vec::new(),
        }
    }
}

impl Wish {
    /// Reads a kernel command line. Never fails: what is odd becomes a complaint.
    pub fn from_cmdline(cmdline: &[u8]) -> Self {
        Self::read(cmdline, b"")
    }

    /// What is looked for now, as a word: `root=…`, or `loop=…` where it is what that names.
    pub fn word(&self) -> String {
        let (word, typed) = match &self.file {
            Some(file) if self.root_as_typed != file.root => ("loop=", &file.typed),
            _ => ("root=", &self.root_as_typed),
        };
        format!("{word}{typed}")
    }

    /// From now on the other is looked for, of what holds the file and what is in it.
    pub fn turn(&mut self) {
        if let Some(LoopFile { inside, .. }) = &mut self.file {
            core::mem::swap(&mut self.root, &mut inside.source);
            core::mem::swap(&mut self.root_as_typed, &mut inside.typed);
            core::mem::swap(&mut self.fstypes, &mut inside.types);
            core::mem::swap(&mut self.flags, &mut inside.flags);
        }
    }

    /// Root is there; from now on this is looked for.
    pub fn turn_to(&mut self, extra: &Extra) {
        self.seek(&extra.sought);
        self.writable = extra.writable;
        self.file = None;
    }

    pub fn seek(&mut self, sought: &Sought) {
        let Sought {
            source,
            typed,
            types,
            flags,
        } = sought.clone();
        (self.root, self.root_as_typed) = (source, typed);
        (self.fstypes, self.flags) = (types, flags);
    }

    /// What is looked for now.
    pub fn sought(&self) -> Sought {
        Sought {
            source: self.root.clone(),
            typed: self.root_as_typed.clone(),
            types: self.fstypes.clone(),
            flags: self.flags.clone(),
        }
    }

    /// Is a network needed before root can be had?
    pub fn needs_net(&self) -> bool {
        let disks = !self.targets.is_empty() || self.ibft.is_some();
        self.remote.is_some() || disks || self.net.always
    }

    /// Where a hibernated system may lie.
    pub fn resumed(&self) -> Option<&Source> {
        self.resume.as_ref().map(|resume| &resume.source)
    }

    /// What is looked for: root, and where a hibernated system may lie.
    pub fn goals(&self) -> impl Iterator<Item = &Source> {
        self.root.iter().chain(self.resumed())
    }

    /// Is root a directory on a server?
    pub fn is_served_tree(&self) -> bool {
        matches!(
            self.remote,
            Some(Remote::Lease | Remote::Nfs(_) | Remote::Cifs(_) | Remote::Ceph(_))
        )
    }

    /// The same with the image's crypttab(5).
    pub fn read(cmdline: &[u8], crypttab: &[u8]) -> Self {
        let mut wish = params::read(cmdline::words(cmdline));
        wish.volumes = crypttab::read(cmdline::words(cmdline), crypttab);
        wish.complaints.append(&mut wish.volumes.complaints);
        wish
    }
}
