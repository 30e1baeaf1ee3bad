//! Mutants of the plan's rules: the laws must find each, or they are not worth much.
//!
//! A mutant is one textual change to the plan's source. All of them are compiled into one program
//! beside the simulator, each as a module of its own over the same floors below, and run until the
//! law that must find it does. So the product holds no hook for this test. The program is made by
//! `rustc` alone: the floors that it holds depend on next to nothing.

use crate::nets::laws as nets;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One rule of the plan, broken on purpose.
pub struct Mutant {
    pub name: &'static str,
    /// A file in `src/plan`.
    pub file: &'static str,
    pub find: &'static str,
    pub replace: &'static str,
    /// The law that must find it.
    pub law: &'static str,
}

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "what was put off is put off for ever, and waited for",
        file: "net/mod.rs",
        find: "self.net.wake(now);",
        replace: "",
        law: nets::CALM,
    },
    Mutant {
        name: "leases end",
        file: "net/extending.rs",
        find: "lease.lifetime != FOR_EVER",
        replace: "lease.lifetime == FOR_EVER",
        law: nets::KEPT,
    },
    Mutant {
        name: "a link without a carrier is as good as one with",
        file: "net/links.rs",
        find: "Standing::Waiting if carrier =>",
        replace: "Standing::Waiting if carrier || known.link.up =>",
        law: nets::CARRIER,
    },
    Mutant {
        name: "whoever does not answer once is not asked again",
        file: "net/root.rs",
        find: "attempts.failed.iter().any(passes)",
        replace: "(attempts.failed.iter().any(passes) && false)",
        law: nets::BOOTS,
    },
    Mutant {
        name: "a server of blocks that starts late is not connected to",
        file: "net/targets.rs",
        find: "let passes = may_pass(fault.errno);",
        replace: "let passes = may_pass(fault.errno) && fault.errno != 111;",
        law: nets::BOOTS,
    },
    Mutant {
        name: "without a router DHCPv6 is asked by nobody",
        file: "net/routers.rs",
        find: "_ if alone => Asked::Dhcp6,",
        replace: "_ if alone && now.0 == 0 => Asked::Dhcp6,",
        law: nets::CALM,
    },
    Mutant {
        name: "a router is waited for through a cable that is out",
        file: "net/routers.rs",
        find: "waits && self.link.carrier",
        replace: "waits",
        law: nets::CALM,
    },
    Mutant {
        name: "every link is meant by every word",
        file: "net/meant.rs",
        find: "let own = |setup: &&Setup| setup.link.as_ref().is_some_and(|which| is(which, link));",
        replace: "let own = |setup: &&Setup| setup.link.is_some() && (link.up || !link.up);",
        law: nets::MEANT,
    },
    Mutant {
        name: "all modules are loaded beside the accelerator",
        file: "modules.rs",
        find: "(self.hold || self.first).then(|| self.urgent())",
        replace: "self.hold.then(|| self.urgent())",
        law: "the accelerator goes first",
    },
    Mutant {
        name: "an accelerator that hangs is waited for",
        file: "progress.rs",
        find: "self.first_until.is_some_and(|until| now >= until)",
        replace: "self.first_until.is_some_and(|until| now < until)",
        law: "the accelerator goes first",
    },
    Mutant {
        name: "the kernel's own requests wait for the accelerator",
        file: "modules.rs",
        find: "Purpose::Faster | Purpose::Kernel(_) => true,",
        replace: "Purpose::Faster => true,\n            Purpose::Kernel(_) => !self.first,",
        law: "what can boot boots",
    },
    Mutant {
        name: "root is mounted whatever hibernates",
        file: "resume.rs",
        find: "self.resume.standing != Standing::Settled",
        replace: "self.resume.standing == Standing::Asked && false",
        law: "resume comes first",
    },
    Mutant {
        name: "a container's member is as good as the file system in it",
        file: "root.rs",
        find: "if device.is_container() {",
        replace: "if device.is_container() && wish.fstypes.is_empty() {",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "what shines through a mirror's member is taken",
        file: "root.rs",
        find: "_ if disk.is_container() => {",
        replace: "_ if disk.block.sectors == 7 => {",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "a partition is taken before its disk is known",
        file: "root.rs",
        find: "Look::Unseen | Look::Asked if disk.may_hold_something() => {",
        replace: "Look::Unseen | Look::Asked if disk.block.sectors == 7 => {",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "an answer about an earlier medium counts for this one",
        file: "device.rs",
        find: "if device.generation != generation {",
        replace: "if device.generation < generation {",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "a device that is gone is still there",
        file: "device.rs",
        find: "self.all.remove(name);",
        replace: "let _ = name;",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "what a walk after lost events did not report is still there",
        file: "device.rs",
        find: "d.epoch >= epoch || d.is_virtual()",
        replace: "d.epoch >= epoch || true",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "a module is loaded before what it needs",
        file: "module_graph.rs",
        find: "let ready = needs.iter().all(|n| self.is_loaded(n));",
        replace: "let ready = needs.iter().any(|n| self.is_loaded(n)) || needs.is_empty();",
        law: "needs come first",
    },
    Mutant {
        name: "a failed load is tried again and again",
        file: "modules.rs",
        find: "self.graph.set(name, State::Failed(fault));",
        replace: "let _ = fault; self.graph.set(name, State::Known);",
        law: "a failed load is not repeated",
    },
    Mutant {
        name: "the kernel's requests are forgotten",
        file: "modules.rs",
        find: "Purpose::Kernel(request) => self.replies.push((*request, standing == Standing::Met)),",
        replace: "Purpose::Kernel(_) => {}",
        law: "what can boot boots",
    },
    Mutant {
        name: "the kernel is told yes, whatever happened",
        file: "modules.rs",
        find: "self.replies.push((*request, standing == Standing::Met))",
        replace: "self.replies.push((*request, true))",
        law: "replies are true",
    },
    Mutant {
        name: "a device that never rests puts everything off",
        file: "news.rs",
        find: "*times <= MAX_TIMES",
        replace: "*times > 0 && MAX_TIMES > 0",
        law: "what can boot boots",
    },
    Mutant {
        name: "the boot never gives up",
        file: "progress.rs",
        find: "if waiting && self.trunk.is_some_and(|trunk| now >= trunk) {",
        replace: "if waiting && self.trunk.is_some_and(|trunk| now < Millis(trunk.0 / 1000)) {",
        law: "the deadline lies ahead",
    },
    Mutant {
        name: "any ring of the timer is the end",
        file: "progress.rs",
        find: "if waiting && self.trunk.is_some_and(|trunk| now >= trunk) {",
        replace: "if waiting && self.trunk.is_some_and(|trunk| now.plus(9_000) >= trunk) {",
        law: "no early surrender",
    },
    Mutant {
        name: "root is mounted writable unasked",
        file: "progress.rs",
        find: "read_only: !asked || forbidden,",
        replace: "read_only: false,",
        law: "read-only unless asked",
    },
    Mutant {
        name: "a table that forbids writing is not asked",
        file: "progress.rs",
        find: "read_only: !asked || forbidden,",
        replace: "read_only: !self.wish.writable,",
        law: "read-only unless asked",
    },
    Mutant {
        name: "a partition whose table says no-auto is taken",
        file: "root.rs",
        find: "None => is_discoverable(devices, device),",
        replace: "None => entry.is_some_and(|e| e.kind == discoverable::ROOT),",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "the neighbour is looked for on any disk",
        file: "root.rs",
        find: "there == number && e.uuid.eq_ignore_ascii_case(partuuid)",
        replace: "there == number && !partuuid.is_empty()",
        law: "only what was asked for is mounted",
    },
    Mutant {
        name: "lost events are shrugged off",
        file: "answers.rs",
        find: "Event::Overflow => self.walk_soon(),",
        replace: "Event::Overflow => {}",
        law: "what can boot boots",
    },
    Mutant {
        name: "clones are not mentioned",
        file: "clones.rs",
        find: "if names == self.clones_named {",
        replace: "if names != self.clones_named {",
        law: "twins are named",
    },
    Mutant {
        name: "clones are taken though that was to be refused",
        file: "clones.rs",
        find: "if self.refuses_clones() {",
        replace: "if false {",
        law: "twins are named",
    },
    Mutant {
        name: "a mute worker holds back the unlikely drivers",
        file: "progress.rs",
        find: "            STUCK_MS\n",
        replace: "            999_999_999\n",
        law: "what can boot boots",
    },
    Mutant {
        name: "an answer counts as often as it comes",
        file: "ticket.rs",
        find: "Some(self.open.remove(at).1)",
        replace: "self.open.get(at).map(|(_, job)| job.clone())",
        law: "each kernel request gets one reply",
    },
];

/// Compiles all mutants and runs them; what the program prints, or why it could not be made.
pub fn run() -> Result<String, String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let _ = fs::remove_dir_all(&dir);
    for (number, mutant) in MUTANTS.iter().enumerate() {
        breed(
            &top.join("src/plan"),
            &dir.join(format!("m{number}")),
            mutant,
            number,
        )?;
    }
    fs::write(dir.join("main.rs"), program(top)).map_err(|e| e.to_string())?;
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
    let made = Command::new(&rustc)
        .args([
            "--edition=2024",
            "--crate-name=mutants",
            "--cap-lints=allow",
            "-Copt-level=1",
        ])
        .arg("-o")
        .args([dir.join("mutants"), dir.join("main.rs")])
        .current_dir(top)
        .output()
        .map_err(|e| format!("running {rustc}: {e}"))?;
    if !made.status.success() {
        return Err(format!(
            "compiling the mutants:\n{}",
            String::from_utf8_lossy(&made.stderr)
        ));
    }
    let ran = Command::new(dir.join("mutants"))
        .output()
        .map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    if ran.status.success() {
        Ok(said)
    } else {
        Err(said)
    }
}

/// Copies the plan, with one rule changed.
fn breed(plan: &Path, dir: &Path, mutant: &Mutant, number: usize) -> Result<(), String> {
    let mut found = false;
    copy(plan, dir, &mut |file, text| {
        let mut text = text.to_owned();
        if file == mutant.file {
            let squeezed = |s: &str| s.split_whitespace().collect::<String>();
            found = text.contains(mutant.find);
            if !found && squeezed(&text).contains(&squeezed(mutant.find)) {
                return Err(format!(
                    "mutant {:?}: {file} was laid out anew",
                    mutant.name
                ));
            }
            text = text.replacen(mutant.find, mutant.replace, 1);
        }
        for end in ["::", ")"] {
            let (own, theirs) = (
                format!("crate::plan{end}"),
                format!("crate::m{number}{end}"),
            );
            text = text.replace(&own, &theirs);
        }
        for shared in SHARED {
            let own = format!("pub mod {shared};");
            text = text.replace(&own, &format!("pub use crate::plan::{shared};"));
        }
        Ok(text)
    })?;
    let gone = || {
        format!(
            "mutant {:?}: {} no longer says {:?}",
            mutant.name, mutant.file, mutant.find
        )
    };
    if found { Ok(()) } else { Err(gone()) }
}

/// Copies the files of a folder and of those in it, each changed; those that all mutants share are
/// left out. Files of folders are named by their path.
fn copy(
    from: &Path,
    to: &Path,
    change: &mut dyn FnMut(&str, &str) -> Result<String, String>,
) -> Result<(), String> {
    let about = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    fs::create_dir_all(to).map_err(|e| about(to, e))?;
    for file in fs::read_dir(from).map_err(|e| about(from, e))?.flatten() {
        let (path, name) = (file.path(), file.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            let mut below = |file: &str, text: &str| change(&format!("{name}/{file}"), text);
            copy(&path, &to.join(&name), &mut below)?;
            continue;
        }
        if !name.ends_with(".rs") || SHARED.iter().any(|s| name == format!("{s}.rs")) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|e| about(&path, e))?;
        let text = change(&name, &text)?;
        fs::write(to.join(&name), text).map_err(|e| about(&path, e))?;
    }
    Ok(())
}

/// The words between the plan and the world: the same for the plan and its mutants.
const SHARED: [&str; 12] = [
    "action",
    "event",
    "trace",
    "trace_array",
    "trace_check",
    "trace_net",
    "trace_lease",
    "trace_firmware",
    "trace_finding",
    "trace_luks",
    "trace_mount",
    "trace_read",
];

/// The program: the floors, the simulator, every mutant, and a loop.
fn program(top: &Path) -> String {
    let mut text =
        String::from("#![allow(dead_code)]\nextern crate alloc;\nextern crate self as landfall;\n");
    text.push_str(WIPES);
    for floor in ["base", "format", "plan"] {
        let path = top.join(format!("src/{floor}/mod.rs"));
        let _ = writeln!(text, "#[path = {path:?}]\npub mod {floor};");
    }
    let parts = [
        "devices", "faults", "hardware", "jobs", "known", "laws", "machine", "make",
    ];
    let more = [
        "media",
        "nets",
        "prospects",
        "rng",
        "seeds",
        "story",
        "world",
    ];
    for part in parts.into_iter().chain(more) {
        let inner = if matches!(part, "laws" | "nets") {
            "/mod"
        } else {
            ""
        };
        let path = top.join(format!("tests/sim/{part}{inner}.rs"));
        let _ = writeln!(text, "#[path = {path:?}]\nmod {part};");
    }
    let mut loops = String::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let _ = writeln!(text, "mod m{number};\ndecides!(m{number});");
        let (name, law) = (mutant.name, mutant.law);
        let make = format!("&|| Box::new(m{number}::Plan::new())");
        let _ = writeln!(loops, "    all &= hunt({name:?}, {law:?}, {make});");
    }
    let laws: BTreeSet<&str> = MUTANTS.iter().map(|m| m.law).collect();
    let count = MUTANTS.len();
    text = text.replacen(
        "extern crate alloc",
        &format!("{DECIDES}extern crate alloc"),
        1,
    );
    let _ = write!(
        text,
        "{HUNT}\nfn main() {{\n    std::panic::set_hook(Box::new(|_| ()));\n    let mut all = true;\n\
         {loops}    println!(\"{count} mutants, {} laws\");\n    std::process::exit(!all as i32);\n}}\n",
        laws.len(),
    );
    text
}

/// The one crate that the floors use. Nothing here holds a secret: it only has to compile.
const WIPES: &str = "extern crate self as zeroize;
pub trait Zeroize { fn zeroize(&mut self); }
impl Zeroize for [u8] { fn zeroize(&mut self) { self.fill(0) } }
impl Zeroize for Vec<u8> { fn zeroize(&mut self) { self.clear() } }
";

const DECIDES: &str = "macro_rules! decides {
    ($m:ident) => {
        impl story::Decider for $m::Plan {
            fn handle(
                &mut self,
                now: base::millis::Millis,
                event: plan::event::Event,
            ) -> Vec<plan::action::Action> {
                $m::Plan::handle(self, now, event)
            }
            fn deadline(&self) -> Option<base::millis::Millis> {
                $m::Plan::deadline(self)
            }
        }
    };
}
";

/// Runs worlds until the law finds the mutant.
const HUNT: &str = "
fn hunt(name: &str, law: &str, make: story::Make) -> bool {
    let mut others = std::collections::BTreeMap::new();
    for seed in 0..30_000 {
        let breach = if nets::laws::LAWS.contains(&law) {
            nets::try_seed(seed, make).err().map(|(breach, _)| (breach.law, breach.why))
        } else {
            seeds::try_seed(seed, make).err().map(|broken| (broken.breach.law, broken.breach.why))
        };
        let Some((by, why)) = breach else { continue };
        if by == law {
            println!(\"found: {name}\\n       by {law:?}, seed {seed}: {}\", why.lines().next().unwrap_or(\"\"));
            return true;
        }
        *others.entry(by).or_insert(0u32) += 1;
        if others.values().sum::<u32>() > 3_000 {
            break;
        }
    }
    println!(\"NOT FOUND: {name}\\n       not by {law:?}; by others: {others:?}\");
    false
}
";
