//! The rows about a system that hibernates.

use super::*;
use crate::format::resume::Resume;

fn resume(typed: &str) -> Resume {
    Resume {
        source: Source::parse(typed.as_bytes()),
        typed: typed.into(),
        offset: 0,
        patience: Patience::Ms(10_000),
    }
}

#[test]
fn resume_names_a_device_and_a_place_in_it() {
    check("resume=UUID=6c1f-1", |w| {
        w.resume = Some(resume("UUID=6c1f-1"))
    });
    check("resume_offset=34816 resume=/dev/mapper/vg-swap", |w| {
        w.resume = Some(Resume {
            offset: 34_816,
            ..resume("/dev/mapper/vg-swap")
        });
    });
    check("resume=8:3 resume=", |_| {});
    check_complaint("resume_offset=7", "resume_offset counts from a device");
    check_complaint(
        "resume=swapfile",
        "resume=swapfile is no device reference known here",
    );
    check_complaint(
        "resume=8:3 resume_offset=x",
        "resume_offset=x is no number of pages",
    );
}

#[test]
fn noresume_is_honoured_in_each_form() {
    for word in [
        "noresume",
        "nohibernate",
        "hibernate=no",
        "hibernate=noresume",
        "hibernate=noresume hibernate=nocompress",
    ] {
        for more in [
            "resume=8:3 resume_offset=1",
            "resume=8:3",
            "resume_offset=1",
            "",
        ] {
            check(&format!("{more} {word}"), |w| w.resume_off = true);
            check(&format!("{word} {more}"), |w| w.resume_off = true);
        }
    }
    check("resume=8:3 hibernate=nocompress", |w| {
        w.resume = Some(resume("8:3"))
    });
}

#[test]
fn resumewait_and_resumedelay_say_how_long() {
    check("resume=8:3 resumewait", |w| {
        w.resume = Some(Resume {
            patience: Patience::Forever,
            ..resume("8:3")
        });
    });
    check("resumedelay=3 resume=8:3", |w| {
        w.resume = Some(Resume {
            patience: Patience::Ms(3_000),
            ..resume("8:3")
        });
    });
    check_complaint(
        "resume=8:3 resumedelay=soon",
        "resumedelay=soon is no number of seconds",
    );
}
