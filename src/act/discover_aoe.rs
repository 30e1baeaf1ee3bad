//! Asks on all links who serves disks by ATA over Ethernet. Documentation/admin-guide/aoe.

use crate::base::fault::Fault;
use crate::sys::proc_sys;

/// Made by the kernel when the driver `aoe` is there.
const DISCOVER: &str = "/dev/etherd/discover";

/// Who answers is announced as a disk, whenever that is.
pub fn discover() -> Result<(), Fault> {
    proc_sys::write(DISCOVER, b"1").map_err(|fail| {
        let text =
            format!("{fail}: nobody is asked for disks of ATA over Ethernet: is aoe loaded?");
        Fault::new(fail.errno, text)
    })
}
