//! Two CPUs, and disks on every bus: modules really load beside each other.

use crate::lab::disks::{BTRFS, EXT4, EXT4_GPT, SWAP, VFAT, XFS};
use crate::lab::guest::Machine;
use landfall::host::qemu::Bus;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn boot_loads_modules_in_parallel() {
    let outcome = Machine::generic()
        .cpus(2)
        .disk(&SWAP, Bus::Virtio)
        .disk(&XFS, Bus::Scsi)
        .disk(&BTRFS, Bus::Nvme)
        .disk(&EXT4_GPT, Bus::Ahci)
        .disk(&VFAT, Bus::Usb)
        .disk(&EXT4, Bus::Virtio)
        .cmdline(&format!("root=UUID={} ro", EXT4.uuid))
        .boot();
    outcome.assert_root("/dev/vdb", "ext4", "ro");
    let loads = outcome.loads();
    assert!(loads.failed.is_empty(), "{loads:?}");
    let trace = outcome.fact("trace");
    let chains = Chains::read(trace);
    let idle = chains.idle;
    assert!(idle.is_empty(), "nobody loads these: {idle:#?}\n{trace}");
    let beside = chains.beside;
    assert!(!beside.is_empty(), "no device's beside another's:\n{trace}");
}

/// How the modules of devices were loaded while root was looked for.
#[derive(Default)]
struct Chains<'a> {
    /// What each device leads to, and what each of these modules needs.
    devices: BTreeMap<&'a str, BTreeSet<&'a str>>,
    needs: BTreeMap<&'a str, Vec<&'a str>>,
    /// Modules that must be loaded: what answers a device, and what those need.
    wanted: BTreeSet<&'a str>,
    begun: BTreeSet<&'a str>,
    loaded: BTreeSet<&'a str>,
    /// Open jobs by their tickets: what is looked up, what is loaded.
    resolving: BTreeMap<&'a str, &'a str>,
    loading: BTreeMap<&'a str, &'a str>,
    /// Modules that were under way together, each of a device that has no need of the other.
    beside: BTreeSet<(&'a str, &'a str)>,
    /// `TIME MODULE` of what could have been loaded, and was not, while the plan went on.
    idle: BTreeSet<String>,
    /// Drivers of virtio's devices: they wait while the bus driver tells of these, one by one.
    on_virtio: BTreeSet<&'a str>,
    /// What makes all others cheaper goes first, alone.
    first: Option<&'a str>,
}

impl<'a> Chains<'a> {
    /// From a trace: see `landfall::plan::trace`.
    fn read(trace: &'a str) -> Self {
        let mut chains = Self::default();
        for line in trace.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            // From here on the drivers of devices wait.
            if words[1..].starts_with(&[">", "say", "info", "root", "is"]) {
                break;
            }
            if words[1] == "<" {
                chains.look_for_idle(words[0]);
            }
            chains.take(&words);
        }
        chains
    }

    fn take(&mut self, words: &[&'a str]) {
        match *words {
            [_, "<", "signatures", _, faster] => self.first = faster.strip_prefix("faster="),
            [_, ">", "resolve", ticket, alias] if alias.contains(':') => {
                self.resolving.insert(ticket, alias);
            }
            [_, "<", "resolved", ticket, ref found @ ..] => {
                if let Some(alias) = self.resolving.remove(ticket) {
                    self.add(alias, found);
                }
            }
            [_, ">", "load", ticket, module] => {
                for other in self.loading.values() {
                    if self.are_apart(module, other) {
                        self.beside.insert((other, module));
                    }
                }
                self.loading.insert(ticket, module);
                self.begun.insert(module);
            }
            [_, "<", "loaded", ticket] => {
                let module = self.loading.remove(ticket).expect("a load that began");
                self.loaded.insert(module);
                self.first = self.first.filter(|first| *first != module);
            }
            _ => {}
        }
    }

    /// `module=NAME:NEED,NEED:PROVIDER|PROVIDER:AFTER`, for each module that a device leads to.
    fn add(&mut self, alias: &'a str, found: &[&'a str]) {
        let chain = self.devices.entry(alias).or_default();
        let answers = found.iter().find_map(|word| word.strip_prefix("answers="));
        let mut wanted: Vec<&str> = answers.unwrap_or_default().split(',').collect();
        if alias.starts_with("virtio:") {
            self.on_virtio.extend(&wanted);
        }
        for module in found.iter().filter_map(|word| word.strip_prefix("module=")) {
            let mut parts = module.split(':');
            let (name, needs) = (parts.next().expect("a name"), parts.next());
            let needs = needs.unwrap_or_default().split(',');
            let needs: Vec<&str> = needs.filter(|need| !need.is_empty()).collect();
            if wanted.contains(&name) {
                wanted.extend(&needs);
            }
            // Those with soft dependencies may wait for something else.
            if parts.next() == Some("") {
                self.needs.insert(name, needs);
            }
            chain.insert(name);
        }
        self.wanted.extend(wanted);
    }

    fn are_apart(&self, one: &str, other: &str) -> bool {
        let only = |a: &str, b: &str| {
            let mut chains = self.devices.values();
            chains.any(|chain| chain.contains(a) && !chain.contains(b))
        };
        only(one, other) && only(other, one)
    }

    /// Everything that was told so far has had its answer: what can be loaded is being loaded.
    fn look_for_idle(&mut self, now: &str) {
        if self.first.is_some() {
            return;
        }
        let telling = self.loading.values().any(|module| *module == "virtio_pci");
        for (name, needs) in &self.needs {
            if telling && self.on_virtio.contains(name) {
                continue;
            }
            let ready = needs.iter().all(|need| self.loaded.contains(need));
            if ready && self.wanted.contains(name) && !self.begun.contains(name) {
                self.idle.insert(format!("{now} {name}"));
            }
        }
    }
}
