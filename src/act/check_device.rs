//! Has a program of the image check the file system on a device. What it says goes to the log, how
//! far it is too.

use super::run_program::{self, PATH};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::format::check::{self, Check, Ended, Verdict};
use crate::sys::dir;

/// Where such programs lie.
const PLACES: [&str; 4] = ["/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"];

const STAMPS: &str = "/run/initramfs";

/// The paths of the checkers that this image holds.
pub fn programs() -> Vec<String> {
    let paths = check::programs().flat_map(|name| PLACES.iter().map(move |at| path(at, name)));
    paths.filter(|path| run_program::is_there(path)).listed()
}

fn path(at: &str, name: &str) -> String {
    let mut path = String::from(at);
    path.push_str(name);
    path
}

pub fn check(order: &Check) -> Result<Ended, Fault> {
    let device = path("/dev/", &order.device);
    let words = order.words.split(' ').filter(|word| !word.is_empty());
    let argv = [order.program.as_str()].into_iter().chain(words);
    let argv = argv.chain([device.as_str()]).listed();
    let (status, last) = run_program::run(&argv, &[PATH], &order.device)?;
    let verdict = check::verdict(status);
    if matches!(verdict, Verdict::Clean | Verdict::Repaired) {
        leave_stamp(&order.stamp);
    }
    let said = if verdict == Verdict::Left {
        last
    } else {
        Vec::new()
    };
    Ok(Ended { status, said })
}

/// Without it the real system checks again, which does no harm.
fn leave_stamp(name: &str) {
    let mut file = path(STAMPS, "/");
    file.push_str(name);
    let _ = dir::make(STAMPS);
    if let Err(fail) = dir::write_file(&file, b"") {
        log::warn!("{fail}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::Text;

    fn order(program: &str, words: &str) -> Check {
        Check {
            device: "null".into(),
            program: program.into(),
            words: words.into(),
            stamp: "-".into(),
        }
    }

    #[test]
    fn a_program_is_run_to_its_end() {
        // Its own words, then the device: sh(1) takes that for $0.
        let mut order = order("/bin/sh", "-c exit${IFS}12");
        let ended = check(&order).unwrap();
        assert_eq!((ended.status, ended.said), (12, Vec::new()));
        order.words = "-c echo${IFS}$0;exit${IFS}4".into();
        let ended = check(&order).unwrap();
        assert_eq!(ended.status, 4);
        assert_eq!(ended.said, [Text::from("/dev/null")]);
        order.words = "-c kill${IFS}-9${IFS}$$".into();
        let fault = check(&order).unwrap_err();
        assert!(fault.text.contains("killed by signal 9"), "{fault}");
        order.program = "/nonesuch".into();
        assert_eq!(check(&order).unwrap().status, 127);
    }
}
