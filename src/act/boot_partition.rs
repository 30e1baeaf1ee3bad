//! Which partition the firmware booted from, as the boot loader left it in an EFI variable.
//!
//! The variable is read on a mount that is attached nowhere, read-only, and gone with its
//! descriptor: nothing can write to the firmware's memory through it, and nothing is left behind.
//! Kernels before 5.2 cannot do that; there the partition stays unknown.

use crate::format::efi_variable;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::mount::RDONLY;
use crate::sys::mount_context::Context;
use crate::sys::proc_sys;
use std::os::fd::AsFd;

/// There is an EFI, and its variables can be asked for.
const EFI_VARIABLES: &str = "/sys/firmware/efi/efivars";

/// Its UUID in the partition table, lower case. `None`: no EFI, no driver for its variables, or a
/// boot loader that does not tell.
pub fn ask() -> Option<String> {
    if dir::open_path(EFI_VARIABLES.as_bytes(), Want::Place).is_err() {
        return None;
    }
    match read() {
        Ok(file) => efi_variable::partition_uuid(&file),
        Err(fail) => {
            log::info!("{fail}: which disk the firmware booted from is not known");
            None
        }
    }
}

fn read() -> Result<Vec<u8>, Fail> {
    let context = Context::open("efivarfs")?;
    context.set_flag(b"ro")?;
    context.create()?;
    let mounted = context.mount(RDONLY)?;
    let mut file = Vec::new();
    let name = efi_variable::LOADER_PARTITION.as_bytes();
    proc_sys::read_at(mounted.as_fd(), name, efi_variable::LONGEST, &mut file)?;
    Ok(file)
}
