//! What one boot measured: the console of the guest, read into figures.
//!
//! Two clocks meet here. The kernel's log says when it ran /init, and when it saw the mark that the
//! real init wrote; the real init's own clock says how long before that mark it was started. Where
//! root is on a server, the kernel also logged the card's link and the mount of root.

use super::discipline::Discipline;
use crate::host::story::printk;

/// One boot. Times in nanoseconds of the guest; under the instruction counter, instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// From `Run /init` to the first instruction of the real init; without `disk_wait` where the
    /// disk is one of the machine's.
    pub initramfs: u64,
    /// Of the network discipline.
    pub moments: Option<Moments>,
    /// Idle time meanwhile in which a read of the disk was under way: the host's delays. The kernel
    /// itself reads no disk before /init, so all of it belongs to the initramfs. 0: not known.
    pub disk_wait: u64,
    /// The kernel's unpacking of the image. `None`: its two lines were not in the log.
    pub unpack: Option<u64>,
    /// From the kernel's first line to the real init.
    pub total: u64,
    pub memory_free_kib: Option<u64>,
    pub memory_available_kib: Option<u64>,
    pub modules: Option<u64>,
    /// The number of the process that was made last: how many there were, kernel threads included.
    pub last_pid: Option<u64>,
    /// Processes that the initramfs left running.
    pub strangers: Option<u64>,
    /// What the initramfs left behind in memory.
    pub left_entries: Option<u64>,
    pub left_bytes: Option<u64>,
}

/// From `Run /init`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The driver of the card saw a carrier.
    pub link: u64,
    /// The file system was mounted for the first time.
    pub mounted: u64,
}

impl Moments {
    pub const fn link_to_root(self) -> u64 {
        self.mounted.saturating_sub(self.link)
    }
}

impl Figures {
    /// What contestants are compared by.
    pub fn compared(&self) -> u64 {
        self.moments.map_or(self.initramfs, Moments::link_to_root)
    }
}

const OURS: &str = "bench: ";

/// Of the kernel's log, each where it was first seen: nothing written later can move it.
#[derive(Default)]
struct Log {
    run: Option<u64>,
    mark: Option<u64>,
    unpacking: Option<u64>,
    unpacked: Option<u64>,
    link: Option<u64>,
    mounted: Option<u64>,
}

impl Log {
    fn note(&mut self, line: &str) {
        let Some((at, text)) = printk(line) else {
            return;
        };
        let place = match text {
            t if t.ends_with(" as init process") => &mut self.run,
            t if t.contains("landfall-bench mark") => &mut self.mark,
            t if t.contains("unpack rootfs image") => &mut self.unpacking,
            t if t.contains("Freeing initrd memory") => &mut self.unpacked,
            t if t.contains("NIC Link is Up") => &mut self.link,
            t if t.contains("(nbd0): mounted filesystem") => &mut self.mounted,
            _ => return,
        };
        place.get_or_insert(at.saturating_mul(1000));
    }

    fn unpack(&self) -> Option<u64> {
        Some(self.unpacked?.saturating_sub(self.unpacking?))
    }

    fn moments(&self, run: u64) -> Result<Moments, String> {
        let link = self.link.ok_or("no link is in the kernel's log")?;
        let mounted = self.mounted;
        let mounted = mounted.ok_or("no mount of the server's disk is in the kernel's log")?;
        if !(run <= link && link <= mounted) {
            return Err("root was mounted before there was a link".into());
        }
        let since = |at: u64| at.saturating_sub(run);
        Ok(Moments {
            link: since(link),
            mounted: since(mounted),
        })
    }
}

/// Reads a console. The error says what was not there.
pub fn read(lines: &[String], discipline: Discipline) -> Result<Figures, String> {
    let mut figures = Figures::default();
    let (mut log, mut clock, mut end) = (Log::default(), None, false);
    for line in lines.iter().filter_map(|line| line.strip_prefix(OURS)) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let count = value.parse().ok();
        match name {
            "log" => log.note(value),
            "clock" => clock = clock_line(value),
            "disk_wait_ns" => figures.disk_wait = count.unwrap_or(0),
            "memory_free_kib" => figures.memory_free_kib = count,
            "memory_available_kib" => figures.memory_available_kib = count,
            "modules" => figures.modules = count,
            "last_pid" => figures.last_pid = count,
            "strangers" => figures.strangers = count,
            "left_entries" => figures.left_entries = count,
            "left_bytes" => figures.left_bytes = count,
            "end" => end = true,
            _ => {}
        }
    }
    if !end {
        return Err("the real init was not reached".into());
    }
    let lead = clock.ok_or("the real init's clock is missing")?;
    let mark = log.mark;
    let mark = mark.ok_or("the real init's mark is not in the kernel's log")?;
    let run = log.run.ok_or("`Run /init` is not in the kernel's log")?;
    figures.total = mark.saturating_sub(lead);
    figures.moments = match discipline {
        Discipline::Disk => None,
        Discipline::Network => Some(log.moments(run)?),
    };
    // The server is part of what is measured.
    let aside = match discipline {
        Discipline::Disk => figures.disk_wait,
        Discipline::Network => 0,
    };
    let took = figures.total.checked_sub(run);
    let took = took.and_then(|took| took.checked_sub(aside));
    figures.initramfs = took.ok_or("the clocks of the kernel and the real init disagree")?;
    figures.unpack = log.unpack();
    Ok(figures)
}

/// `FIRST BEFORE AFTER`: from the first instruction to the mark, which lies between the others.
fn clock_line(value: &str) -> Option<u64> {
    let mut numbers = value.split(' ').map(|word| word.parse::<u64>().ok());
    let (first, before, after) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let mark = before.checked_add(after.checked_sub(before)? / 2)?;
    mark.checked_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "\
Loading, please wait...
bench: clock 2000000 2400000 2600000
bench: disk_wait_ns 500000
bench: memory_free_kib 436368
bench: memory_available_kib 440000
bench: last_pid 83
bench: modules 11
bench: strangers 0
bench: log [    0.500000] Trying to unpack rootfs image as initramfs...
bench: log [    0.568200] Freeing initrd memory: 536K
bench: log [    1.500000] Run /init as init process
bench: log [    1.600000] e1000e 0000:00:01.0 eth0: NIC Link is Up 1000 Mbps Full Duplex
bench: log [    1.700000] EXT4-fs (nbd0): mounted filesystem with ordered data mode.
bench: log [    1.710000] EXT4-fs (nbd0): mounted filesystem with ordered data mode.
bench: log [    1.998000] landfall-bench mark
bench: log [    2.998000] landfall-bench mark
bench: left_entries 1
bench: left_bytes 0
bench: end";

    fn read_text(text: &str) -> Result<Figures, String> {
        read_as(text, Discipline::Disk)
    }

    fn read_as(text: &str, discipline: Discipline) -> Result<Figures, String> {
        let lines: Vec<String> = text.lines().map(String::from).collect();
        read(&lines, discipline)
    }

    #[test]
    fn a_console_becomes_figures() {
        let expected = Figures {
            initramfs: 497_000_000,
            moments: None,
            disk_wait: 500_000,
            unpack: Some(68_200_000),
            total: 1_997_500_000,
            memory_free_kib: Some(436_368),
            memory_available_kib: Some(440_000),
            modules: Some(11),
            last_pid: Some(83),
            strangers: Some(0),
            left_entries: Some(1),
            left_bytes: Some(0),
        };
        assert_eq!(read_text(CONSOLE), Ok(expected));
    }

    #[test]
    fn root_on_a_server_is_compared_from_the_link_to_its_first_mount() {
        let figures = read_as(CONSOLE, Discipline::Network).unwrap();
        assert_eq!(figures.compared(), 100_000_000);
        let moments = figures.moments.unwrap();
        assert_eq!((moments.link, moments.mounted), (100_000_000, 200_000_000));
        // Waits for the server are not taken off.
        assert_eq!(figures.initramfs, 497_500_000);
        for (word, part) in [("NIC Link", "no link"), ("(nbd0)", "no mount")] {
            let kept: Vec<&str> = CONSOLE.lines().filter(|l| !l.contains(word)).collect();
            let failure = read_as(&kept.join("\n"), Discipline::Network).unwrap_err();
            assert!(failure.contains(part), "{failure}");
        }
        let odd = CONSOLE.replace("1.600000", "1.800000");
        let failure = read_as(&odd, Discipline::Network).unwrap_err();
        assert!(failure.contains("before there was a link"), "{failure}");
    }

    #[test]
    fn what_was_not_measured_is_not_invented() {
        let without = |word: &str| {
            let kept: Vec<&str> = CONSOLE.lines().filter(|l| !l.contains(word)).collect();
            read_text(&kept.join("\n"))
        };
        assert_eq!(without("unpack rootfs").unwrap().unpack, None);
        assert_eq!(without("left_").unwrap().left_bytes, None);
        for (word, part) in [
            ("end", "not reached"),
            ("mark", "mark"),
            ("Run /init", "`Run /init`"),
            ("clock", "clock"),
        ] {
            assert!(without(word).unwrap_err().contains(part), "{word}");
        }
        let odd = CONSOLE.replace("1.998000", "0.100000");
        assert!(read_text(&odd).unwrap_err().contains("disagree"));
        assert_eq!(clock_line("3 2 1"), None);
        assert_eq!(clock_line("1 2"), None);
    }
}
