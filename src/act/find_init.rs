//! The real init inside the new root: found, and checked while going back is still possible.
//!
//! Paths mean what they will mean after the switch: an absolute link stays inside. What is
//! checked is what makes execve(2) fail or the first process die at once: file type, permission,
//! machine, interpreter. Fallbacks: `kernel_init`, init/main.c.

use crate::base::bytes::until_nul;
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::program::{self, Elf, Program};
use crate::sys::dir::{self, Want};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the kernel tries when it was told nothing.
const FALLBACKS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// Scripts whose interpreter is a script: the kernel follows this many (`BINPRM` in fs/exec.c
/// stops at 5 rewrites).
const MOST_INTERPRETERS: u32 = 5;

/// The path to start, as seen inside the root mounted at `root`.
///
/// With `init` that one or none: the kernel does not fall back either when `init=` was given.
pub fn find(root: &str, init: Option<&[u8]>) -> Result<Text, Fault> {
    let tree = dir::open_path(root.as_bytes(), Want::DirectoryPlace)?;
    if let Some(path) = init {
        return match check(tree.as_fd(), path) {
            Ok(()) => Ok(path.into()),
            Err(fault) => Err(Fault::new(
                fault.errno,
                format!("init={}: {fault}; give another init=", Text::from(path)),
            )),
        };
    }
    let mut reasons = String::new();
    for path in FALLBACKS {
        match check(tree.as_fd(), path.as_bytes()) {
            Ok(()) => return Ok(path.into()),
            Err(fault) => {
                reasons.push_str(&format!("; {fault}"));
            }
        }
    }
    let text = "no init in the root file system (is it the right one? init= names another)";
    Err(Fault::new(libc::ENOENT, format!("{text}{reasons}")))
}

/// The init besides this program in an image, which makes it a system of its own. An image that
/// says in initrd-release(5) that it prepares for another system is none.
pub fn in_image(root: &str) -> Option<Text> {
    let tree = dir::open_path(root.as_bytes(), Want::DirectoryPlace).ok()?;
    let place = |path: &str| dir::open_in_root(&tree, path.as_bytes(), Want::Place).ok();
    if place("/etc/initrd-release").is_some() {
        return None;
    }
    let [found @ .., _shell] = FALLBACKS;
    let other = |path: &&str| place(path).is_some_and(|file| !is_this_program(&file));
    found.into_iter().find(other).map(Text::from)
}

/// The program to start where the image is the system.
pub fn find_in_image(root: &str, init: Option<&[u8]>) -> Result<Text, Fault> {
    let own = in_image(root);
    let path = find(root, init.or(own.as_ref().map(Text::as_bytes)))?;
    let file = dir::open_path(path.as_bytes(), Want::Place)?;
    match is_this_program(&file) {
        true => Err(wrong(&path.0, "is landfall itself; give another init=")),
        false => Ok(path),
    }
}

fn is_this_program(file: &OwnedFd) -> bool {
    let own = dir::open_path(b"/proc/self/exe", Want::Place);
    own.is_ok_and(|own| dir::is_same(file, own))
}

/// Could this program start?
pub fn check(root: BorrowedFd<'_>, path: &[u8]) -> Result<(), Fault> {
    if path.first() != Some(&b'/') {
        return Err(wrong(path, "is not an absolute path"));
    }
    let mut path = Text::from(path);
    for _ in 0..MOST_INTERPRETERS {
        let file = program_file(root, &path)?;
        let mut head = [0; program::HEAD];
        let length = dir::read_at(&file, &mut head, 0)?;
        let needs = match program::identify(head.get(..length).unwrap_or_default()) {
            Program::Elf(elf) => interpreter_of(&file, &elf, &path)?,
            Program::Script(interpreter) => Some(interpreter),
            Program::Other => {
                return Err(wrong(&path.0, "is neither an ELF program nor a #! script"));
            }
        };
        let Some(interpreter) = needs else {
            return Ok(());
        };
        if let Err(fault) = program_file(root, &interpreter) {
            let text = format!("{path} needs {interpreter}, but {fault}");
            return Err(Fault::new(fault.errno, text));
        }
        path = interpreter;
    }
    Err(wrong(&path.0, "is one interpreter too many"))
}

/// Opens a regular, executable file. Devices and FIFOs are not opened.
fn program_file(root: BorrowedFd<'_>, path: &Text) -> Result<OwnedFd, Fault> {
    let place = dir::open_in_root(root, &path.0, Want::Place)
        .map_err(|fail| Fault::new(fail.errno, format!("{path}: {}", why(fail.errno))))?;
    let status = dir::status(place)?;
    if !status.is_file() {
        return Err(wrong(&path.0, "is not a regular file"));
    }
    if !status.is_executable() {
        return Err(wrong(&path.0, "is not executable"));
    }
    Ok(dir::open_in_root(root, &path.0, Want::Contents)?)
}

fn interpreter_of(file: &OwnedFd, elf: &Elf, path: &Text) -> Result<Option<Text>, Fault> {
    check_machine(elf, path)?;
    let mut table = vec![0; usize::try_from(elf.table_length).unwrap_or(0)];
    let length = dir::read_at(file, &mut table, elf.table)?;
    table.truncate(length);
    let Some((offset, length)) = elf.interpreter(&table) else {
        return Ok(None);
    };
    let mut name = vec![0; usize::try_from(length).unwrap_or(0)];
    let length = dir::read_at(file, &mut name, offset)?;
    name.truncate(length);
    Ok(Some(until_nul(&name).into()))
}

/// Ours, and a relative that its kernel may run, too: by `target_arch`. An architecture that is
/// not here is not judged.
const MACHINES: Option<(u16, u16, &str)> = if cfg!(target_arch = "x86_64") {
    Some((program::EM_X86_64, program::EM_386, "x86_64"))
} else if cfg!(target_arch = "aarch64") {
    Some((program::EM_AARCH64, program::EM_ARM, "aarch64"))
} else if cfg!(target_arch = "arm") {
    // A 32-bit program under a 64-bit kernel hands over to either.
    Some((program::EM_ARM, program::EM_AARCH64, "arm"))
} else if cfg!(target_arch = "riscv64") {
    Some((program::EM_RISCV, program::EM_RISCV, "riscv64"))
} else {
    None
};

fn check_machine(elf: &Elf, path: &Text) -> Result<(), Fault> {
    let Some((ours, relative, our_name)) = MACHINES else {
        return Ok(());
    };
    if elf.machine == ours || elf.machine == relative {
        return Ok(());
    }
    let theirs = program::machine_name(elf.machine).unwrap_or("another machine");
    let text = format!("{path} is made for {theirs}, this machine is {our_name}");
    Err(Fault::new(libc::ENOEXEC, text))
}

fn wrong(path: &[u8], what: &str) -> Fault {
    Fault::new(libc::EACCES, format!("{} {what}", Text::from(path)))
}

fn why(errno: i32) -> &'static str {
    match errno {
        libc::ENOENT => "there is no such file, or its link points nowhere",
        libc::ENOSYS => "the kernel lacks openat2; Linux 5.6 or newer is needed",
        _ => crate::sys::fail::sentence(errno),
    }
}
