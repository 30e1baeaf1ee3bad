//! A trace as jobs: what was done from when to when, for what, and what each job waited for.
//!
//! Reads verbs and tickets only (`plan::trace` has the syntax), so that a job which is new to this
//! file is still a bar. The plan acts in answer to an event at once: the event before an action is
//! what the action waited for. Looking up an alias takes no time worth a bar; what follows from it
//! waited for what the lookup waited for.

use crate::base::text::{Text, unescape};
use crate::base::words::Words;
use crate::host::chart_devices::{Device, device_kind};
use std::collections::BTreeMap;

/// A trace of more jobs than this is cut: nobody could read the picture.
const MAX_JOBS: usize = 2000;

/// Eleven days: what a trace says beyond is rubbish.
const MAX_MS: u64 = 1_000_000_000;

/// What a job does; the colour of its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Walk,
    Load,
    Probe,
    Mount,
    HandOver,
    Other,
}

/// What a job waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    pub job: usize,
    /// When the word came: in the middle of `job`, or at its end.
    pub at: u64,
    /// Nothing was done in between: patience ended, or a device took its time to appear.
    pub idle: bool,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub kind: Kind,
    /// `load virtio_blk`.
    pub what: String,
    pub group: usize,
    /// Milliseconds on the trace's clock.
    pub start: u64,
    pub end: u64,
    pub answered: bool,
    /// Why it failed.
    pub failed: Option<String>,
    pub cause: Option<Cause>,
    /// The boot would have been quicker without it.
    pub critical: bool,
    /// For a device's driver: where the device is in sysfs. What it drives lies below.
    pub drives: Option<String>,
}

/// How the boot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    HandedOver(String),
    /// The page's cause.
    GaveUp(String),
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Jobs {
    pub all: Vec<Job>,
    /// What the jobs of each group were for.
    pub groups: Vec<String>,
    pub cmdline: String,
    pub first: u64,
    pub last: u64,
    pub verdict: Verdict,
    /// When the page was shown.
    pub gave_up: Option<u64>,
}

/// What the next actions wait for.
type Waited = Option<Cause>;

struct Reading {
    jobs: Jobs,
    started: bool,
    open: BTreeMap<u64, usize>,
    /// Open lookups: the alias and what it waited for.
    lookups: BTreeMap<u64, (String, Waited)>,
    /// For each module the group that first needed it.
    module_groups: BTreeMap<String, usize>,
    /// For each driver the device that it was looked up for.
    drivers: BTreeMap<String, String>,
    /// For each modalias the device that has it.
    devices: BTreeMap<String, String>,
    /// For each partition its disk.
    disks: BTreeMap<String, String>,
    wanted: Vec<String>,
    waited: Waited,
}

/// Reads a whole trace. Lines that are not understood are passed over.
pub fn read(trace: &str) -> Jobs {
    let mut reading = Reading {
        jobs: Jobs {
            all: Vec::new(),
            groups: Vec::new(),
            cmdline: String::new(),
            first: 0,
            last: 0,
            verdict: Verdict::Unknown,
            gave_up: None,
        },
        started: false,
        open: BTreeMap::new(),
        lookups: BTreeMap::new(),
        module_groups: BTreeMap::new(),
        drivers: BTreeMap::new(),
        devices: BTreeMap::new(),
        disks: BTreeMap::new(),
        wanted: Vec::new(),
        waited: None,
    };
    for line in trace.lines().filter(|line| !line.starts_with('#')) {
        reading.line(line);
    }
    let mut jobs = reading.jobs;
    for job in jobs.all.iter_mut().filter(|job| !job.answered) {
        job.end = jobs.last;
    }
    mark_critical(&mut jobs);
    jobs
}

impl Reading {
    fn line(&mut self, line: &str) {
        let Some((time, rest)) = line.split_once(' ') else {
            return;
        };
        let (Ok(at), Some((side, text))) = (time.parse::<u64>(), rest.split_once(' ')) else {
            return;
        };
        if !std::mem::replace(&mut self.started, true) {
            self.jobs.first = at.min(MAX_MS);
        }
        // Time never runs backwards; a hostile file may claim it.
        let at = at.min(MAX_MS).max(self.jobs.last);
        self.jobs.last = at;
        match side {
            "<" => self.event(at, text),
            ">" => self.action(at, text),
            _ => {}
        }
    }

    // -- events -------------------------------------------------------------------------------

    fn event(&mut self, at: u64, text: &str) {
        let mut words = Words::parse(text);
        let verb = words.text().unwrap_or_default();
        self.waited = match verb.as_str() {
            "boot" => {
                let cmdline = text.strip_prefix("boot ").unwrap_or_default();
                self.jobs.cmdline =
                    Text(unescape(cmdline.as_bytes()).trim_ascii().to_vec()).to_string();
                None
            }
            "timer" => self.latest(at),
            "bus" | "block" | "block-changed" | "block-gone" | "overflow" => {
                let device = self.appeared(&verb, &mut words);
                self.announced(at, &device)
            }
            "module-wanted" => {
                let _ = words.num();
                self.wanted.extend(words.text());
                self.announced(at, &Device::Unknown)
            }
            _ => words
                .num()
                .and_then(|ticket| self.answered(at, &verb, ticket, words)),
        };
    }

    /// Notes a device.
    fn appeared(&mut self, verb: &str, words: &mut Words) -> Device {
        let first = words.text().unwrap_or_default();
        match verb {
            "bus" => {
                let alias = words.text().unwrap_or_default();
                self.devices.entry(alias).or_insert(first.clone());
                Device::At(first)
            }
            "block" | "block-changed" => {
                if let Some(disk) = words.key_text("disk") {
                    self.disks.insert(first.clone(), disk);
                }
                Device::Block(first)
            }
            _ => Device::Unknown,
        }
    }

    fn answered(&mut self, at: u64, verb: &str, ticket: u64, mut words: Words) -> Waited {
        if let Some((alias, waited)) = self.lookups.remove(&ticket) {
            self.resolved(&alias, &mut words);
            return waited;
        }
        let index = self.open.remove(&ticket)?;
        let job = self.jobs.all.get_mut(index)?;
        (job.end, job.answered) = (at, true);
        if verb.ends_with("-failed") || verb.ends_with("-missing") {
            job.failed = Some(words.key_text("text").unwrap_or_else(|| verb.to_string()));
        }
        Some(Cause {
            job: index,
            at,
            idle: false,
        })
    }

    fn resolved(&mut self, alias: &str, words: &mut Words) {
        if let Some(path) = self.devices.get(alias) {
            let answers = words.key_text("answers").unwrap_or_default();
            let answers = answers
                .split(',')
                .map(|name| (name.to_string(), path.clone()));
            self.drivers.extend(answers);
        }
        let mut modules = Vec::new();
        while let Some(text) = words.key_text("module") {
            modules.extend(text.split(':').next().map(str::to_string));
        }
        modules.retain(|name| !self.module_groups.contains_key(name));
        if modules.is_empty() {
            return;
        }
        let title = self.purpose(alias);
        let group = self.group(&title);
        for name in modules {
            self.module_groups.insert(name, group);
        }
    }

    /// A device was announced: by the walk, by its own driver, by any driver, or by what was begun
    /// last. Where nothing is under way, its driver was done long ago: the device took its time.
    fn announced(&self, at: u64, device: &Device) -> Waited {
        let likely = |i: &usize| {
            let job = self.jobs.all.get(*i);
            let walk = job.is_some_and(|j| j.kind == Kind::Walk);
            let drives = job.is_some_and(|j| j.drives.is_some());
            (walk, job.and_then(|j| device.comes_by(j)), drives, *i)
        };
        let open = self.open.values().copied().max_by_key(likely);
        let by = |i: &usize| self.jobs.all.get(*i).and_then(|j| device.comes_by(j));
        let known = |i: &usize| {
            let walk = self.jobs.all.get(*i).is_some_and(|j| j.kind == Kind::Walk);
            walk || by(i).is_some()
        };
        if let Some(job) = open.filter(|i| known(i)) {
            let idle = false;
            return Some(Cause { job, at, idle });
        }
        let done = (0..self.jobs.all.len()).filter(|i| by(i).is_some());
        if let Some(job) = done.max_by_key(|i| (by(i), *i)) {
            let at = self.jobs.all.get(job).map_or(at, |j| j.end);
            let idle = true;
            return Some(Cause { job, at, idle });
        }
        let idle = false;
        open.map(|job| Cause { job, at, idle })
    }

    /// Nothing happened for a while: what was the last thing that did?
    fn latest(&self, now: u64) -> Waited {
        let done = self.jobs.all.iter().enumerate().filter(|(_, j)| j.answered);
        let (job, last) = done.max_by_key(|(i, j)| (j.end, *i))?;
        Some(Cause {
            job,
            at: last.end.min(now),
            idle: true,
        })
    }

    // -- actions ------------------------------------------------------------------------------

    fn action(&mut self, at: u64, text: &str) {
        let mut words = Words::parse(text);
        let verb = words.text().unwrap_or_default();
        match verb.as_str() {
            "say" | "reply" | "reboot" | "watch-drives" | "leave-shutdown" => return,
            "end" => {
                self.jobs.gave_up.get_or_insert(at);
                if self.jobs.verdict == Verdict::Unknown {
                    self.jobs.verdict = Verdict::GaveUp(String::new());
                }
                return;
            }
            "page" => {
                self.jobs.gave_up = Some(at);
                self.page(&mut words);
                return;
            }
            _ => {}
        }
        let Some(ticket) = words.num() else { return };
        let subject = words.value().map(|v| Text(v).to_string());
        let subject = subject.unwrap_or_default();
        if verb == "resolve" {
            self.lookups.insert(ticket, (subject, self.waited));
            return;
        }
        if self.jobs.all.len() >= MAX_JOBS {
            return;
        }
        let (kind, what, title) = self.describe(&verb, &subject, &mut words);
        let group = match (kind, self.module_groups.get(&subject)) {
            (Kind::Load, Some(group)) => *group,
            _ => self.group(&title),
        };
        let drives = match kind {
            Kind::Load => self.drivers.get(&subject).cloned(),
            _ => None,
        };
        self.open.insert(ticket, self.jobs.all.len());
        self.jobs.all.push(Job {
            kind,
            what,
            group,
            start: at,
            end: at,
            answered: false,
            failed: None,
            cause: self.waited,
            critical: false,
            drives,
        });
    }

    /// Kind, label, and the title of the group.
    fn describe(&mut self, verb: &str, subject: &str, words: &mut Words) -> (Kind, String, String) {
        let root = || "root".to_string();
        match verb {
            "walk" => {
                let what = "look at all devices".to_string();
                (Kind::Walk, what, "what exists".into())
            }
            "load" => {
                let title = "other modules".to_string();
                (Kind::Load, format!("load {subject}"), title)
            }
            "probe" => {
                let disk = self.disks.get(subject).map_or(subject, String::as_str);
                let title = format!("disk {disk}");
                (Kind::Probe, format!("read {subject}"), title)
            }
            "mount" => {
                let fstype = words.text().unwrap_or_default();
                let what = format!("mount {subject} as {fstype}");
                (Kind::Mount, what, root())
            }
            "find-init" => (Kind::Mount, "look for init on it".into(), root()),
            "hand-over" => {
                self.jobs.verdict = Verdict::HandedOver(subject.into());
                let what = format!("hand over to {subject}");
                (Kind::HandOver, what, root())
            }
            "shell" => (Kind::Other, "shell".into(), "a person".into()),
            _ => {
                let what = format!("{verb} {subject}");
                (Kind::Other, what.trim_end().into(), subject.into())
            }
        }
    }

    fn page(&mut self, words: &mut Words) {
        let mut cause = String::new();
        while let Some(line) = words.key_text("line") {
            if let Some(text) = line.strip_prefix("cause:") {
                cause = text.trim().to_string();
            }
        }
        self.jobs.verdict = Verdict::GaveUp(cause);
    }

    fn group(&mut self, title: &str) -> usize {
        let groups = &mut self.jobs.groups;
        if let Some(known) = groups.iter().position(|g| g == title) {
            return known;
        }
        groups.push(title.to_string());
        groups.len().saturating_sub(1)
    }

    /// What an alias is looked up for.
    fn purpose(&self, alias: &str) -> String {
        if let Some(path) = self.devices.get(alias) {
            let name = path.rsplit('/').next().unwrap_or(path);
            // Hardly any machine has a second domain of PCI.
            let name = name.strip_prefix("0000:").unwrap_or(name);
            return format!("{} {name}", device_kind(alias));
        }
        if self.wanted.iter().any(|wanted| wanted == alias) {
            return format!("the kernel: {alias}");
        }
        match alias.strip_prefix("fs-") {
            Some(fstype) => format!("file system {fstype}"),
            None => format!("asked for: {alias}"),
        }
    }
}

// -- critical path ----------------------------------------------------------------------------

/// Back from the hand-over, each time to what was waited for.
fn mark_critical(jobs: &mut Jobs) {
    let mut next = match jobs.verdict {
        Verdict::HandedOver(_) => jobs.all.iter().rposition(|j| j.kind == Kind::HandOver),
        _ => None,
    };
    while let Some(job) = next.and_then(|i| jobs.all.get_mut(i)) {
        // Causes come before what they cause, so this ends.
        job.critical = true;
        next = job.cause.map(|cause| cause.job);
    }
}

impl Jobs {
    /// Milliseconds on the critical path by kind, most first; what is left is waiting.
    pub fn breakdown(&self) -> Vec<(Kind, u64)> {
        let mut sums: BTreeMap<Kind, u64> = BTreeMap::new();
        let mut until = self.last;
        for job in self.all.iter().rev().filter(|j| j.critical) {
            let end = job.end.min(until);
            *sums.entry(job.kind).or_default() += end.saturating_sub(job.start);
            until = job.cause.map_or(job.start, |cause| cause.at);
        }
        let mut sums: Vec<_> = sums.into_iter().filter(|(_, ms)| *ms > 0).collect();
        sums.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
# a comment
100 < boot root=/dev/vda ro
100 > walk 1
101 < bus /devices/pci0/virtio1 virtio:d00000002v1
101 > resolve 2 virtio:d00000002v1
101 < resolved 2 answers=b module=b:a:: module=a:::
101 > load 3 a
101 < walked 1
105 < loaded 3
105 > load 4 b
110 < block vda 254:0 sectors=8
110 > probe 5 vda
112 < loaded 4
113 < probe-failed 5 errno=5 text=bad\\x20disk
1113 < timer
1113 > hand-over 6 /x
";

    #[test]
    fn jobs_know_what_they_waited_for() {
        let jobs = read(TRACE);
        let show = |j: &Job| {
            let cause = j.cause.map(|c| (c.job, c.at, c.idle));
            (j.what.clone(), j.start, j.end, cause)
        };
        let all: Vec<_> = jobs.all.iter().map(show).collect();
        assert_eq!(
            all,
            [
                ("look at all devices".to_string(), 100, 101, None),
                ("load a".into(), 101, 105, Some((0, 101, false))),
                ("load b".into(), 105, 112, Some((1, 105, false))),
                ("read vda".into(), 110, 113, Some((2, 110, false))),
                ("hand over to /x".into(), 1113, 1113, Some((3, 113, true))),
            ]
        );
        assert_eq!(jobs.all[3].failed.as_deref(), Some("bad disk"));
        assert!(jobs.all.iter().all(|j| j.critical));
        assert_eq!(
            jobs.groups,
            ["what exists", "virtio disk virtio1", "disk vda", "root"]
        );
        let expected = [(Kind::Load, 9), (Kind::Probe, 3), (Kind::Walk, 1)];
        assert_eq!(jobs.breakdown(), expected);
    }

    /// A stick that its bus finds long after the bus's driver was loaded.
    #[test]
    fn a_device_that_took_its_time_waited_for_its_bus() {
        let jobs = read(
            "0 < bus /devices/pci0/x pci:v1\n0 > resolve 1 pci:v1\n\
             0 < resolved 1 answers=xhci_pci module=xhci_pci:::\n0 > load 2 xhci_pci\n\
             9 < loaded 2\n500 < bus /devices/pci0/x/usb2/2-1 usb:v1\n500 > resolve 3 usb:v1\n\
             500 < resolved 3 answers=uas module=uas:::\n500 > load 4 uas\n510 < loaded 4\n",
        );
        let cause = Cause {
            job: 0,
            at: 9,
            idle: true,
        };
        assert_eq!((jobs.all[1].start, jobs.all[1].cause), (500, Some(cause)));
    }

    #[test]
    fn rubbish_is_passed_over() {
        for text in [
            "",
            "x",
            "1",
            "1 <",
            "x < y",
            "5 > load\n3 > load x\n9 < loaded 9",
        ] {
            assert!(read(text).all.is_empty(), "{text}");
        }
        let jobs = read("9 > walk 1 all\n3 < walked 1\n");
        assert_eq!((jobs.all[0].start, jobs.all[0].end), (9, 9));
    }
}
