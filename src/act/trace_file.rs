//! Leaves the trace of the boot in `/run`, where the real system and a rescue shell find it.

use crate::base::fault::Fault;

const FOLDER: &str = "/run/landfall";
const FILE: &str = "/run/landfall/trace";

pub fn write(text: &str) -> Result<(), Fault> {
    let failed = |e: std::io::Error| {
        Fault::new(
            e.raw_os_error().unwrap_or(0),
            format!("{FILE} cannot be written: {e}"),
        )
    };
    std::fs::create_dir_all(FOLDER).map_err(failed)?;
    std::fs::write(FILE, text).map_err(failed)
}
