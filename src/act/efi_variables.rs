//! What EFI variables tell: which partition the machine was booted from, as the boot loader left
//! it, and where a system hibernates, as systemd left it.
//!
//! They are read on a mount that is attached nowhere, read-only, and gone with its descriptor:
//! nothing can write to the firmware's memory through it, and nothing is left behind. Kernels
//! before 5.2 cannot do that; there nothing is known.

use crate::format::efi_variable::{self, Told};
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::mount::RDONLY;
use crate::sys::mount_context::Context;
use crate::sys::proc_sys;
use std::os::fd::{AsFd, OwnedFd};

/// There is an EFI, and its variables can be asked for.
const EFI_VARIABLES: &str = "/sys/firmware/efi/efivars";

pub fn are_there() -> bool {
    dir::open_path(EFI_VARIABLES.as_bytes(), Want::Place).is_ok()
}

/// Nothing, where they cannot be read.
pub fn ask() -> Told {
    if !are_there() {
        return Told::default();
    }
    let mounted = match mount() {
        Ok(mounted) => mounted,
        Err(fail) => {
            log::info!("{fail}: what the firmware was left with is not known");
            return Told::default();
        }
    };
    let file = |name: &str| read(&mounted, name);
    Told {
        booted: efi_variable::partition_uuid(&file(efi_variable::LOADER_PARTITION)),
        hibernated: efi_variable::hibernate_location(&file(efi_variable::HIBERNATE_LOCATION)),
    }
}

fn mount() -> Result<OwnedFd, Fail> {
    let context = Context::open("efivarfs")?;
    context.set_flag(b"ro")?;
    context.create()?;
    context.mount(RDONLY)
}

/// Empty: there is no such variable.
fn read(mounted: &OwnedFd, name: &str) -> Vec<u8> {
    let mut file = Vec::new();
    let name = name.as_bytes();
    if let Err(fail) = proc_sys::read_at(mounted.as_fd(), name, efi_variable::LONGEST, &mut file) {
        log::debug!("{fail}");
    }
    file
}
