//! The rows about the check of file systems.

use super::*;
use crate::format::check::Repair;

#[test]
fn checks_are_asked_for_and_switched_off() {
    check("fsck.mode=skip", |w| w.check.skip = true);
    check("fastboot", |w| w.check.skip = true);
    check("rd.skipfsck", |w| w.check.skip = true);
    check("rd.skipfsck rd.skipfsck=0", |_| ());
    check("fsck.mode=force", |w| w.check.force = true);
    check("forcefsck", |w| w.check.force = true);
    check("fsck.mode=force fsck.mode=skip", |w| w.check.skip = true);
    check("forcefsck fsck.mode=auto", |_| ());
}

#[test]
fn what_a_check_repairs_is_said() {
    check("fsck.repair=yes", |w| w.check.repair = Repair::Yes);
    check("fsck.repair=no", |w| w.check.repair = Repair::No);
    check("fsck.repair=no fsck.repair=preen", |_| ());
    check("fsckfix", |w| w.check.repair = Repair::Yes);
}

#[test]
fn hooks_are_switched_off() {
    check("landfall.hooks=0", |w| w.hooks = false);
    check("landfall.hooks=0 landfall.hooks", |_| ());
}
