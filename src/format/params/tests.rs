//! Every row of the table: what it does, and what is said about bad values.

mod check;
mod mounts;
mod net;
mod ram;
mod remote;
mod rescue;
mod resume;
mod shutdown;

use super::*;
use crate::base::text::Text;
use crate::format::loop_file::{LoopFile, Sought};
use crate::format::wish::{Degraded, End, Patience, Source, Talk};
use alloc::string::String;
use alloc::vec::Vec;

/// Set for a second run of a test: the name of a parameter that is not honoured then.
const WITHOUT: &str = "LANDFALL_TEST_WITHOUT";

/// Is this word switched off, to see which test misses it?
pub(crate) fn is_off(key: &[u8]) -> bool {
    let Ok(name) = std::env::var(WITHOUT) else {
        return false;
    };
    let option = PARAMETERS.iter().flat_map(|row| row.names).all(|known| {
        let word = Word { key, value: None };
        !word.is(known)
    });
    match name.as_str() {
        "MODULE.OPTION" => option && key.contains(&b'.'),
        name => Word { key, value: None }.is(name),
    }
}

/// The last line of a run of one of this program's own tests.
fn verdict(test: &str, without: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(own);
    let output = command.arg(test).env(WITHOUT, without).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with("test result"));
    line.unwrap_or("no result").into()
}

#[test]
fn every_name_of_every_row_is_missed_by_its_test() {
    for row in PARAMETERS {
        let test = row.tests[0];
        let whole = verdict(test, "");
        assert!(whole.contains("ok. 1 passed"), "{test}: {whole}");
        for name in row.names {
            let without = verdict(test, name);
            assert!(
                without.contains("1 failed"),
                "{name} is not missed by {test}"
            );
        }
    }
}

fn wish(line: &str) -> Wish {
    Wish::from_cmdline(line.as_bytes())
}

/// `expected`: the wish for `line`, without complaint, is the default changed by `change`.
fn check(line: &str, change: impl FnOnce(&mut Wish)) {
    let mut expected = Wish::default();
    change(&mut expected);
    assert_eq!(wish(line), expected, "{line}");
}

/// The one complaint about `line` starts with `start`; the wish is returned for more.
fn check_complaint(line: &str, start: &str) -> Wish {
    let wish = wish(line);
    let starts: Vec<bool> = wish
        .complaints
        .iter()
        .map(|c| c.starts_with(start))
        .collect();
    assert_eq!(starts, [true], "{line}: {:?}", wish.complaints);
    wish
}

#[test]
fn degraded_starts_after_seconds_or_never() {
    check("landfall.degraded=never", |w| w.degraded = Degraded::Never);
    check("landfall.degraded=ask", |w| w.degraded = Degraded::Ask);
    check("landfall.degraded=never landfall.degraded=5", |w| {
        w.degraded = Degraded::AfterMs(5_000);
    });
    check_complaint(
        "landfall.degraded=x",
        "landfall.degraded=x is neither never, ask nor",
    );
}

#[test]
fn a_file_may_hold_root() {
    let file = |w: &mut Wish, path: &str, typed: &str| {
        w.file = Some(LoopFile {
            path: Text::from(path),
            typed: Text::from(typed),
            root: Text::from("LABEL=x"),
            inside: Sought {
                typed: Text::from("LABEL=x"),
                ..Sought::default()
            },
        });
        w.root = Some(Source::Label(Text::from("x")));
        w.root_as_typed = Text::from("LABEL=x");
    };
    check("loop=/a root=LABEL=x loop=/b/c.img", |w| {
        file(w, "/b/c.img", "/b/c.img");
    });
    check("root=LABEL=x loop=c.img", |w| file(w, "/c.img", "c.img"));
    check("root=LABEL=x loop=LABEL=y:/c.img", |w| {
        file(w, "/c.img", "LABEL=y:/c.img");
        w.file.as_mut().unwrap().inside = Sought {
            source: Some(Source::Label(Text::from("y"))),
            typed: Text::from("LABEL=y"),
            ..Sought::default()
        };
        w.turn();
    });
    check_complaint("loop=", "loop= names no file");
}

#[test]
fn words_for_both_file_systems_of_a_file_are_kept_apart() {
    let words = "rootfstype=xfs rootflags=a loopfstype=ext4,auto loopflags=b,rw root=LABEL=x";
    let told = |wish: &Wish| {
        let inside = &wish.file.as_ref().unwrap().inside;
        let outer = (wish.fstypes.join(","), wish.flags.clone());
        let inner = (inside.types.join(","), inside.flags.clone());
        (outer, inner, wish.writable)
    };
    let root = || ("xfs".into(), Text::from("a"));
    let other = || ("ext4".into(), Text::from("b,rw"));
    let on = wish(&alloc::format!("{words} loop=/c.img"));
    assert_eq!(told(&on), (root(), other(), true));
    assert_eq!(on.word(), "root=LABEL=x");
    let inside = wish(&alloc::format!("{words} loop=LABEL=y:/c.img"));
    assert_eq!(told(&inside), (other(), root(), true));
    assert_eq!(inside.word(), "loop=LABEL=y:/c.img");
}

#[test]
fn volume_groups_and_arrays_can_be_left_alone() {
    check("rd.lvm=0", |w| w.lvm = false);
    check("rd.md=0", |w| w.md = false);
    check("rd.lvm=0 rd.lvm=1 rd.md=0 rd.md", |_| {});
}

#[test]
fn clones_are_refused_only_where_that_was_asked() {
    check("landfall.clones=refuse", |w| w.refuse_clones = true);
    check("landfall.clones=refuse landfall.clones=first", |_| {});
    check_complaint("landfall.clones=x", "landfall.clones=x is neither first");
}

#[test]
fn flash_memory_for_ubi_gathers() {
    check("ubi.mtd=rootfs,2048 ubi.mtd=3", |w| {
        w.ubi_mtd = ["rootfs", "3"].map(Text::from).to_vec();
    });
}

#[test]
fn nothing_asked_is_the_default() {
    check("", |_| {});
    check(
        "BOOT_IMAGE=/vmlinuz console=ttyS0 systemd.unit=x splash",
        |_| {},
    );
    // A kernel without `rootwait` looks once; here the default is a deadline.
    assert_eq!(wish("").patience, Patience::Ms(90_000));
}

#[test]
fn root_is_the_last_device_named() {
    check("root=/dev/sda1 root=\"UUID=AB-CD\"", |w| {
        w.root = Some(Source::Uuid("ab-cd".into()));
        w.root_as_typed = "UUID=AB-CD".into();
    });
    check("root=LABEL=\"my root\" x", |w| {
        w.root = Some(Source::Label("my root".into()));
        w.root_as_typed = "LABEL=\"my root\"".into();
    });
    check("root=virtiofs:my-share", |w| {
        w.root = Some(Source::Share("my-share".into()));
        w.root_as_typed = "virtiofs:my-share".into();
        w.fstypes = alloc::vec!["virtiofs".into()];
    });
    // What is a tag, only the type tells, wherever it stands.
    for line in [
        "root=/dev/root rootfstype=9p",
        "rootfstype=9p root=/dev/root",
    ] {
        check(line, |w| {
            w.root = Some(Source::Share("/dev/root".into()));
            w.root_as_typed = "/dev/root".into();
            w.fstypes = alloc::vec!["9p".into()];
        });
    }
    // What the image's fstab says is put in front of all words.
    check("root=LABEL=x root=fstab", |w| {
        w.root = Some(Source::Label("x".into()));
        w.root_as_typed = "LABEL=x".into();
    });
    check_complaint("root=fstab", "root=fstab is no device reference");
    for auto in ["gpt-auto", "/dev/disk/by-designator/root"] {
        let typed = Text::from(auto);
        check(&["root=", auto].concat(), |w| w.root_as_typed = typed);
    }
    check_complaint("root=nonsense", "root=nonsense is no device reference");
    let none = check_complaint("root=/dev/sda1 root=", "root= names no device");
    assert_eq!(none.root, None);
    for auto in ["gpt-auto", "/dev/gpt-auto-root"] {
        check(&alloc::format!("root=/dev/sda1 root={auto}"), |w| {
            w.root_as_typed = auto.into();
        });
    }
}

#[test]
fn rootfstype_is_a_list_without_auto_and_tmpfs() {
    let types = |line: &str| wish(line).fstypes;
    assert_eq!(types("rootfstype=ext4"), ["ext4"]);
    assert_eq!(
        types("rootfstype=xfs rootfstype=,ext4,tmpfs,,ext2"),
        ["ext4", "ext2"]
    );
    assert_eq!(types("rootfstype=ext4 rootfstype=auto"), [""; 0]);
    let odd = check_complaint("rootfstype=ext4,../x", "rootfstype=../x is no file system");
    assert_eq!(odd.fstypes, ["ext4"]);
}

#[test]
fn rootflags_are_kept_and_decide_about_writing() {
    check("rootflags=a rootflags=subvol=@,noatime", |w| {
        w.flags = "subvol=@,noatime".into();
    });
    let writable = |line: &str| wish(line).writable;
    assert!(writable("rootflags=noatime,rw ro"));
    assert!(!writable("rw rootflags=ro"));
    assert!(!writable("rw rootflags=rw,ro"));
    assert!(writable("rw rootflags=errors=remount-ro,row"));
    assert!(!writable("rootflags=context=\"a,rw,b\""));
}

#[test]
fn the_last_of_ro_and_rw_wins_and_ro_is_the_default() {
    assert!(!wish("").writable);
    assert!(wish("ro rw").writable);
    assert!(!wish("rw ro").writable);
    assert!(!wish("-- rw").writable);
    assert!(!check_complaint("rw=1", "rw=1 takes no value").writable);
}

#[test]
fn init_is_a_path_on_the_new_root() {
    check("init=/bin/a init=/bin/sh", |w| {
        w.init = Some("/bin/sh".into())
    });
    let empty = check_complaint("init=/bin/sh init=", "init= names no program");
    assert_eq!(empty.init, None);
    check("rdinit=/x", |_| {});
}

#[test]
fn rootwait_waits_for_ever_or_that_long() {
    let patience = |line: &str| wish(line).patience;
    assert_eq!(patience("rootwait"), Patience::Forever);
    assert_eq!(patience("rootwait rootwait=20"), Patience::Ms(20_000));
    assert_eq!(patience("rootwait=0x10"), Patience::Ms(16_000));
    let odd = check_complaint("rootwait=20s", "rootwait=20s is no number");
    assert_eq!(odd.patience, Patience::Forever);
    let zero = check_complaint("rootwait=0", "rootwait=0 leaves no time");
    assert_eq!(zero.patience, Patience::Ms(90_000));
}

#[test]
fn rd_timeout_sets_the_deadline_and_0_is_for_ever() {
    let patience = |line: &str| wish(line).patience;
    assert_eq!(patience("rd.timeout=30"), Patience::Ms(30_000));
    assert_eq!(patience("rd.timeout=0"), Patience::Forever);
    assert_eq!(patience("rootwait rd.timeout=30"), Patience::Ms(30_000));
    assert_eq!(patience("rd.timeout=30 rootwait"), Patience::Forever);
    check_complaint("rd.timeout", "rd.timeout is no number");
    check_complaint("rd.timeout=-1", "rd.timeout=-1 is no number");
}

#[test]
fn rd_retry_sets_the_deadline() {
    assert_eq!(wish("rd.retry=40").patience, Patience::Ms(40_000));
    let zero = check_complaint("rd.retry=0", "rd.retry=0 is no positive number");
    assert_eq!(zero.patience, Patience::Ms(90_000));
}

#[test]
fn rootdelay_extends_the_deadline_and_never_shortens_it() {
    let patience = |line: &str| wish(line).patience;
    assert_eq!(patience("rootdelay=5"), Patience::Ms(90_000));
    assert_eq!(patience("rootdelay=120"), Patience::Ms(120_000));
    assert_eq!(
        patience("rootdelay=120 rd.timeout=30"),
        Patience::Ms(120_000)
    );
    assert_eq!(patience("rootwait rootdelay=5"), Patience::Forever);
    check_complaint("rootdelay=soon", "rootdelay=soon is no number");
}

#[test]
fn panic_says_how_a_failed_boot_ends_and_locks_the_shell() {
    let end = |line: &str| wish(line).end;
    assert_eq!(end("panic=10"), End::Reboot(10));
    assert_eq!(end("panic=-1"), End::Reboot(0));
    assert_eq!(end("panic=10 panic=0"), End::Halt);
    let odd = check_complaint("panic=x", "panic=x is no number");
    assert_eq!(odd.end, End::Halt);
    let locked = check_complaint("rd.shell panic=5", "panic=5 asks for no shell");
    assert!(!locked.shell);
    assert!(wish("panic=5 rd.shell").shell);
    assert!(!wish("panic=5").shell);
}

#[test]
fn rd_shell_is_off_unless_asked_for() {
    let shell = |line: &str| wish(line).shell;
    assert!(!shell(""));
    for on in [
        "rd.shell",
        "rd.shell=1",
        "rd.shell=yes",
        "rd.shell=ON",
        "rd.shell=0 rd.shell",
    ] {
        assert!(shell(on), "{on}");
    }
    for off in [
        "rd.shell=0",
        "rd.shell=no",
        "rd.shell=off",
        "rd.shell rd.shell=0",
        "-- rd.shell",
    ] {
        assert!(!shell(off), "{off}");
    }
    assert!(!check_complaint("rd.shell=maybe", "rd.shell=maybe is neither").shell);
    assert!(!check_complaint("rd.shell=", "rd.shell= is neither").shell);
}

#[test]
fn rd_emergency_chooses_the_end_and_panic_its_delay() {
    let end = |line: &str| wish(line).end;
    assert_eq!(end("rd.emergency=reboot"), End::Reboot(0));
    assert_eq!(end("rd.emergency=reboot panic=7"), End::Reboot(7));
    assert_eq!(end("rd.emergency=poweroff panic=7"), End::PowerOff);
    assert_eq!(end("panic=7 rd.emergency=halt"), End::Halt);
    let odd = check_complaint(
        "rd.emergency=shell panic=7",
        "rd.emergency=shell is none of",
    );
    assert_eq!(odd.end, End::Reboot(7));
}

#[test]
fn the_last_of_quiet_debug_and_loglevel_sets_the_tone() {
    let talk = |line: &str| wish(line).talk;
    assert_eq!(talk(""), Talk::Normal);
    assert_eq!(talk("debug quiet"), Talk::Quiet);
    assert_eq!(talk("quiet debug"), Talk::Debug);
    assert_eq!(talk("quiet loglevel=7"), Talk::Normal);
    assert_eq!(talk("loglevel=4"), Talk::Quiet);
    assert_eq!(talk("loglevel=5"), Talk::Normal);
    assert_eq!(talk("loglevel=8"), Talk::Debug);
    assert_eq!(
        check_complaint("quiet loglevel=", "loglevel= is no").talk,
        Talk::Quiet
    );
}

#[test]
fn rd_debug_beats_quiet() {
    assert_eq!(wish("rd.debug quiet").talk, Talk::Debug);
    assert_eq!(wish("rd.debug=0 quiet").talk, Talk::Quiet);
    check_complaint("rd.debug=2", "rd.debug=2 is neither");
}

#[test]
fn the_trace_goes_to_the_terminal_named_last() {
    check("landfall.trace=/dev/ttyS1 landfall.trace=/dev/hvc0", |w| {
        w.trace = Some("/dev/hvc0".into());
    });
    for odd in [
        "landfall.trace",
        "landfall.trace=ttyS1",
        "landfall.trace=/dev/",
    ] {
        let wish = check_complaint(odd, &alloc::format!("{odd} names no terminal"));
        assert_eq!(wish.trace, None, "{odd}");
    }
    for odd in ["landfall.trace=/dev/../sda", "landfall.trace=/run/x"] {
        assert_eq!(check_complaint(odd, odd).trace, None, "{odd}");
    }
}

#[test]
fn mappings_are_read_and_one_mistake_spoils_them() {
    let line = "dm_mod.create=\"a,,,ro,0 8 linear 8:1 0;b,,,rw,0 8 linear /dev/mapper/a 0\" \
                dm-mod.waitfor=/dev/sda,PARTUUID=ab-01";
    let read = wish(line);
    let names: Vec<_> = read.mappings.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let expected = [Source::Name("sda".into()), Source::PartUuid("ab-01".into())];
    assert_eq!(read.map_after, expected);
    let odd = check_complaint(
        "dm-mod.create=a,,,ro",
        "dm-mod.create=a,,,ro has a device with",
    );
    assert_eq!(odd.mappings, []);
}

#[test]
fn modules_to_load_gather_from_every_spelling() {
    check(
        "rd.modules_load=a,b-c modules-load=b_c,d rd.driver.pre=,e,",
        |w| w.load = ["a", "b-c", "d", "e"].map(String::from).into(),
    );
    let odd = check_complaint("modules_load=a,b/c", "modules_load=b/c is no module");
    assert_eq!(odd.load, ["a"]);
}

#[test]
fn modules_for_later_gather_apart() {
    check(
        "rd.driver.post=a,b-c rd.driver.post=b_c rd.driver.pre=a",
        |w| {
            w.load = [String::from("a")].into();
            w.load_last = ["a", "b-c"].map(String::from).into();
        },
    );
}

#[test]
fn virtio_devices_on_the_command_line_want_their_driver() {
    check(
        "virtio-mmio.device=512@0xfeb00e00:12 virtio_mmio.device=512@0xfeb00c00:11:3",
        |w| w.load = [String::from("virtio_mmio")].into(),
    );
}

#[test]
fn words_about_modules_are_passed_over_here() {
    let line = "virtio_blk.queue_depth=16 modprobe.blacklist=a,b module_blacklist=c";
    check(line, |_| {});
}

#[test]
fn numbers_are_read_as_the_kernel_does() {
    let end = |line: &str| wish(line).end;
    for (line, seconds) in [("panic=+8", 8), ("panic=010", 8), ("panic=0x1f", 31)] {
        assert_eq!(end(line), End::Reboot(seconds), "{line}");
    }
    assert_eq!(end("panic=2147483647"), End::Reboot(i32::MAX as u32));
    for line in [
        "panic=2147483648",
        "panic=0x",
        "panic=08",
        "panic=+-8",
        "panic=8 8=\"",
        "panic=",
    ] {
        assert_eq!(end(line) == End::Reboot(8), line.contains(' '), "{line}");
    }
}

#[test]
fn a_long_bad_word_is_cut_in_the_complaint() {
    let long = alloc::format!("rd.emergency={}", "x".repeat(5000));
    let complaints = wish(&long).complaints;
    assert!(complaints.iter().all(|c| c.len() < 300) && complaints.len() == 1);
    let odd = Wish::from_cmdline(b"root=\xff\xfe");
    assert_eq!(odd.root_as_typed, Text(b"\xff\xfe".to_vec()));
    assert!(
        odd.complaints
            .iter()
            .all(|c| c.starts_with("root=\\xff\\xfe is no"))
    );
}
