//! Finds the hooks of the image, and runs one.

use super::run_program::{self, PATH};
use crate::base::fault::Fault;
use crate::base::order;
use crate::format::check::Ended;
use crate::format::hook::Place;
use crate::sys::dir::{self, Want};
use crate::sys::process;

/// Where they lie.
const HOOKS: &str = "/usr/lib/landfall/hooks/";

/// All of them as `PLACE/NAME`, each place's in the order of their names.
pub fn all() -> Vec<String> {
    let mut found = Vec::new();
    for (_, place) in Place::ALL {
        let at = [HOOKS, place].concat();
        let Ok(place_dir) = dir::open_path(at.as_bytes(), Want::Directory) else {
            continue;
        };
        let mut names = Vec::new();
        let listed = dir::list(&place_dir, &mut |name, _| {
            let name = name.to_str().unwrap_or_default();
            let name = [place, "/", name].concat();
            if run_program::is_there(&path(&name)) {
                names.push(name);
            }
        });
        if let Err(fail) = listed {
            log::error!("{fail}");
        }
        let by_name = |a: &String, b: &String| a.cmp(b);
        found.extend(order::sorted(&names, &by_name).into_iter().cloned());
    }
    found
}

fn path(name: &str) -> String {
    [HOOKS, name].concat()
}

/// Runs the hook of this name in a process group of its own, which this process leads.
pub fn run(name: &str, root: &str) -> Result<Ended, Fault> {
    process::new_session()?;
    let place = name.split('/').next().unwrap_or_default();
    let stage = ["LANDFALL_STAGE=", place].concat();
    let root = ["LANDFALL_ROOT=", root].concat();
    let (status, said) = run_program::run(&[&path(name)], &[PATH, &stage, &root], name)?;
    Ok(Ended { status, said })
}
