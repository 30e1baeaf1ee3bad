//! The trace of this boot, left where the real system and a person at the shell find it.

use crate::base::fault::Fault;
use crate::sys::dir;

const PATH: &str = "/run/landfall/trace";

/// Writes the whole trace, replacing an earlier one.
pub fn write(text: &str) -> Result<(), Fault> {
    dir::write_file(PATH, text.as_bytes()).map_err(|fail| {
        let text = format!("{fail}: the trace of this boot is not in {PATH}");
        Fault::new(fail.errno, text)
    })
}
