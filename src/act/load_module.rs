//! Loads one module. What it needs must be there already; nothing else is decided here.
//!
//! Compressed modules go to the kernel as they are, as modprobe has it; a kernel that
//! cannot decompress them gets the object out of memory.
//!
//! Source: finit_module(2); the errors are those of the kernel's kernel/module/main.c.

use super::decompress::{self, Packing};
use super::module_catalog::Catalog;
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::module;
use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

/// Bytes of a module, packed or not. The largest of Debian's has 10 MiB; nobody's has 100.
const MODULE_MAX: usize = 256 << 20;

/// Loads the module `name` (canonical) with its parameters. A module that is there already, or
/// built into the kernel, is loaded.
pub fn load(catalog: &Catalog, name: &str) -> Result<(), Fault> {
    if let Some(why) = catalog.refusal(name) {
        return Err(Fault::plain(format!("module {name} is not loaded: {why}")));
    }
    let Some(path) = catalog.path_of(name) else {
        return if catalog.is_builtin(name.as_bytes()) {
            Ok(())
        } else {
            Err(Fault::plain(format!(
                "module {name} is not in modules.dep of {}",
                catalog.dir
            )))
        };
    };
    let options = catalog.options_for(name);
    let parameters = CString::new(options)
        .map_err(|_| Fault::plain(format!("module {name} has a NUL byte in its parameters")))?;
    match load_path(&path, &parameters) {
        Err(Trouble::Kernel(fail)) if fail.errno == libc::EEXIST => Ok(()),
        Err(trouble) => Err(fault(&path, &parameters, trouble)),
        Ok(()) => Ok(()),
    }
}

/// What stood in the way.
enum Trouble {
    Read(Fail),
    Unpack(&'static str),
    Kernel(Fail),
}

fn load_path(path: &str, parameters: &CStr) -> Result<(), Trouble> {
    let file = dir::open_path(path.as_bytes(), Want::Contents).map_err(Trouble::Read)?;
    let mut head = [0; 6];
    let length = dir::read_at(&file, &mut head, 0).map_err(Trouble::Read)?;
    let packing = decompress::packing(head.get(..length).unwrap_or(&[]));
    let loaded = module::load_file(&file, path, parameters, packing.is_some());
    match (loaded, packing) {
        (Err(fail), Some(packing)) if cannot_unpack(fail.errno) => {
            let object = unpacked(&file, packing)?;
            module::load_image(&object, path, parameters).map_err(Trouble::Kernel)
        }
        (loaded, _) => loaded.map_err(Trouble::Kernel),
    }
}

/// The refusals of kernels that know no compressed modules, or not this compression.
fn cannot_unpack(errno: i32) -> bool {
    let refusals = [libc::EOPNOTSUPP, libc::EINVAL, libc::ENOEXEC, libc::ENOSYS];
    refusals.contains(&errno)
}

fn unpacked(file: &OwnedFd, packing: Packing) -> Result<Vec<u8>, Trouble> {
    let packed = dir::read_all(file, MODULE_MAX).map_err(Trouble::Read)?;
    decompress::unpack(packing, &packed, MODULE_MAX).map_err(Trouble::Unpack)
}

fn fault(path: &str, parameters: &CStr, trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Read(fail) => Fail::new("read", path, fail.errno).into(),
        Trouble::Unpack(why) => Fault::plain(format!("module {path} cannot be loaded: {why}")),
        Trouble::Kernel(fail) => {
            let errno = fail.errno;
            let mut text = format!("the kernel refuses module {path}: {}", reason(errno));
            if !parameters.is_empty() && matches!(errno, libc::EINVAL | libc::ENOENT) {
                let given = Text::from(parameters.to_bytes());
                text.push_str(&format!("; parameters: {given}"));
            }
            text.push_str(&format!(" (error {errno})"));
            Fault::new(errno, text)
        }
    }
}

/// What an errno of finit_module(2) means, and what to do about it.
fn reason(errno: i32) -> &'static str {
    match errno {
        libc::ENOEXEC => "it was built for another kernel, or is damaged; put this kernel's in",
        libc::ENOKEY | libc::EKEYREJECTED => {
            "its signature is missing or by an unknown key; take the kernel's own modules"
        }
        libc::EBADMSG => "its signature does not fit its bytes; put a fresh copy in",
        libc::ENOENT => {
            "a symbol or parameter of it is unknown; what it needs is missing or of another build"
        }
        libc::ENODEV => "the hardware that it drives is not there",
        libc::EPERM => {
            "loading is switched off (kernel.modules_disabled, module_blacklist=, lockdown)"
        }
        libc::ENOMEM => "memory is short",
        libc::EINVAL => "a parameter or a section of it is not understood",
        libc::EBUSY => "another part of the kernel holds what it needs",
        libc::EOPNOTSUPP => "the kernel cannot decompress it",
        libc::ENOSYS => "the kernel was built without loadable modules",
        _ => "its initialisation failed; the kernel log says why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::kmod::Files;

    fn catalog() -> Catalog {
        let files = Files {
            dep: Some(b"gone.ko:\nno.ko:\n"),
            builtin: Some(b"kernel/in.ko\n"),
            ..Files::default()
        };
        let mut catalog = Catalog::new("/nowhere", &files);
        catalog.config.word(b"module_blacklist", Some(b"no"));
        catalog
    }

    #[test]
    fn failures_name_the_file_and_the_reason() {
        let check = |name: &str, part: &str| {
            let fault = load(&catalog(), name).unwrap_err();
            assert!(fault.text.contains(part), "{}", fault.text);
        };
        check(
            "gone",
            "read /nowhere/gone.ko: No such file or directory (2)",
        );
        check("no", "module_blacklist=");
        check("unknown", "not in modules.dep of /nowhere");
        assert_eq!(load(&catalog(), "in"), Ok(()));
    }

    fn kernel(errno: i32) -> Trouble {
        Trouble::Kernel(Fail::new("finit_module", "/x.ko", errno))
    }

    #[test]
    fn a_refusal_of_the_kernel_is_explained() {
        let fault = fault("/x.ko", c"a=1", kernel(libc::ENOKEY));
        assert_eq!(fault.errno, 126);
        assert!(fault.text.contains("signature") && !fault.text.contains("a=1"));
        let fault = super::fault("/x.ko", c"a=1", kernel(libc::EINVAL));
        assert!(
            fault.text.ends_with("parameters: a=1 (error 22)"),
            "{}",
            fault.text
        );
    }
}
