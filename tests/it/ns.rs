//! The jobs that change mounts, run for real in namespaces of their own: nothing outside is
//! touched, and nobody needs to be root.
//!
//! Each test starts this test binary again under unshare(1), as PID 1 of a PID namespace with its
//! own mounts; that second run does the work.

use landfall::act::{early_mounts, empty_initramfs::OldRoot, hand_over, mount_root};
use landfall::base::millis::Millis;
use landfall::base::text::Text;
use landfall::format;
use landfall::sys::dir::{self, Want, open_path};
use landfall::sys::uevent::{self, Listener, Received};
use landfall::sys::{mount, process};
use rustix::net::netlink::KOBJECT_UEVENT;
use rustix::net::{AddressFamily, SendFlags, SocketType, sendto, socket, sockopt};
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const INSIDE: &str = "LANDFALL_INSIDE_NAMESPACE";

/// Runs `body` in namespaces: `name` is the test's own path in this binary.
pub(crate) fn in_namespaces(name: &str, body: fn(&Path)) {
    in_namespaces_then(name, body, |_| {});
}

/// The same, and `after` outside, when the namespaces are gone.
fn in_namespaces_then(name: &str, body: fn(&Path), after: fn(&Path)) {
    if let Some(scratch) = std::env::var_os(INSIDE) {
        return body(Path::new(&scratch));
    }
    let scratch = scratch(name);
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--propagation=private",
    ]);
    if !is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    let output = unshare
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, &scratch)
        .output()
        .expect("unshare(1) of util-linux is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    after(&scratch);
    fs::remove_dir_all(&scratch).unwrap();
}

/// An empty directory of this test's own.
fn scratch(name: &str) -> PathBuf {
    let name = name.replace(':', "-");
    let path = std::env::temp_dir().join(format!("landfall-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `path` as text, made as a directory.
fn directory(path: PathBuf) -> String {
    fs::create_dir_all(&path).unwrap();
    path.to_str().unwrap().to_string()
}

fn file(path: &str, text: &str) {
    fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn program(path: &str, text: &str) {
    file(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn tmpfs(path: &str) {
    fs::create_dir_all(path).unwrap();
    mount::virtual_fs("tmpfs", path, 0, c"mode=0755").unwrap();
}

/// The mounts at `target`, as `fstype options`, the last one on top.
fn mounts_at(target: &str) -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap();
    let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines
        .filter(|words| words[1] == target)
        .map(|words| format!("{} {}", words[2], words[3]))
        .collect()
}

fn names_in(path: &str) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap().flatten();
    let names = entries.map(|e| e.file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn only_the_files_of_the_initramfs_are_deleted() {
    in_namespaces(
        "ns::only_the_files_of_the_initramfs_are_deleted",
        |scratch| {
            let outside = directory(scratch.join("outside"));
            file(&format!("{outside}/precious"), "x");
            let old = directory(scratch.join("old"));
            tmpfs(&old);
            program(&format!("{old}/init"), "");
            let deep = format!("{old}/{}", "d/".repeat(60));
            file(&format!("{deep}/leaf"), "x");
            for n in 0..2000 {
                file(&format!("{old}/lib/modules/m{n}.ko"), "x");
            }
            symlink(&outside, format!("{old}/link-to-directory")).unwrap();
            symlink(format!("{outside}/precious"), format!("{old}/link-to-file")).unwrap();
            symlink("/", format!("{old}/lib/root")).unwrap();
            // What is mounted in it: another file system, a directory, a file, and itself.
            tmpfs(&format!("{old}/mnt/other"));
            file(&format!("{old}/mnt/other/precious"), "x");
            let bound = directory(PathBuf::from(format!("{old}/bound")));
            mount::bind(&outside, &bound).unwrap();
            file(&format!("{old}/file"), "");
            mount::bind(&format!("{outside}/precious"), &format!("{old}/file")).unwrap();
            let own = directory(PathBuf::from(format!("{old}/own")));
            let twice = directory(PathBuf::from(format!("{old}/twice")));
            mount::bind(&own, &twice).unwrap();
            file(&format!("{twice}/seen-twice"), "x");

            let new = directory(scratch.join("new"));
            tmpfs(&new);
            let new = open_path(new.as_bytes(), Want::Place).unwrap();
            let root = open_path(old.as_bytes(), Want::Directory).unwrap();
            let done = OldRoot::check(root, new.as_fd()).unwrap().empty();

            assert_eq!(names_in(&outside), ["precious"]);
            assert_eq!(names_in(&format!("{old}/mnt/other")), ["precious"]);
            // `own` went with its contents: those were the initramfs's own.
            assert_eq!(names_in(&old), ["bound", "file", "mnt", "twice"]);
            let mut kept = done.kept;
            kept.sort();
            let mounted = "something is mounted there";
            let expected = [
                format!("bound: {mounted}"),
                "file: Device or resource busy".to_string(),
                format!("other: {mounted}"),
                format!("twice: {mounted}"),
            ];
            assert_eq!(kept, expected);
            // 2000 modules, 60 levels, and /init, leaf, 3 links, lib, modules, own and its file.
            assert_eq!(done.removed, 2000 + 60 + 9);
        },
    );
}

#[test]
fn a_root_that_is_not_the_initramfs_is_not_touched() {
    in_namespaces(
        "ns::a_root_that_is_not_the_initramfs_is_not_touched",
        |scratch| {
            let old = directory(scratch.join("old"));
            tmpfs(&old);
            let new = directory(scratch.join("new"));
            tmpfs(&new);
            let on_old = directory(PathBuf::from(format!("{old}/sysroot")));
            let bound = directory(PathBuf::from(format!("{old}/bound")));
            mount::bind(&on_old, &bound).unwrap();
            let why = |old: &str, new: &str| {
                let old = open_path(old.as_bytes(), Want::Directory).unwrap();
                let new = open_path(new.as_bytes(), Want::Place).unwrap();
                OldRoot::check(old, new.as_fd()).err().unwrap_or_default()
            };
            assert_eq!(why(&old, &new), "it holds no /init");
            program(&format!("{old}/init"), "");
            assert_eq!(why(&old, &new), "");
            assert_eq!(why(&old, &on_old), "the new root lies on it");
            assert_eq!(why(&old, &bound), "the new root lies on it");
            program(&format!("{on_old}/init"), "");
            assert_eq!(why(&on_old, &new), "it is not the root of its mount");
            assert!(why("/proc", &new).starts_with("it is no ramfs or tmpfs"));
        },
    );
}

/// What the real init of the next test writes to its console.
const REAL_INIT: &str = "#!/bin/busybox sh
echo \"args: $0 $*\"
echo \"env: $GREETING\"
echo \"pid: $$\"
echo \"root: $(busybox ls / | busybox tr '\\n' ' ')\"
echo \"moved: $(busybox cat /proc/1/comm) $(busybox cat /run/trace) $(busybox ls /sys)\"
echo \"open: $(busybox ls /proc/self/fd | busybox wc -l)\"
echo \"ignored: $(busybox grep SigIgn /proc/self/status | busybox cut -f2)\"
echo \"blocked: $(busybox grep SigBlk /proc/self/status | busybox cut -f2)\"
n=0
until busybox grep -q left: /dev/console || [ $n = 100 ]; do n=$((n+1)); busybox sleep 0.1; done
";

const TOLD: &str = "\
args: /init-link single a b
env: hello
pid: 1
root: bin data dev init-link lib proc run sys\u{20}
moved: init-link trace in-sys
open: 4
ignored: 0000000000000000
blocked: 0000000000000000
left: []
";

/// Builds a small initramfs and a new root in it, becomes its PID 1, and hands over.
fn hand_over_for_real(scratch: &Path) {
    let console = scratch.join("console");
    fs::write(&console, "").unwrap();
    let old = directory(scratch.join("old"));
    tmpfs(&old);
    program(&format!("{old}/init"), "");
    file(&format!("{old}/lib/modules/a.ko"), "x");
    for name in ["dev", "proc", "sys", "run"] {
        tmpfs(&directory(PathBuf::from(format!("{old}/{name}"))));
    }
    mount::detach(&format!("{old}/proc")).unwrap();
    mount::virtual_fs("proc", &format!("{old}/proc"), 0, c"").unwrap();
    file(&format!("{old}/run/trace"), "trace");
    file(&format!("{old}/sys/in-sys"), "");
    file(&format!("{old}/dev/console"), "");
    mount::bind(console.to_str().unwrap(), &format!("{old}/dev/console")).unwrap();

    let new = format!("{old}/sysroot");
    tmpfs(&new);
    for name in ["dev", "proc", "data/run"] {
        directory(PathBuf::from(format!("{new}/{name}")));
    }
    // /run is an absolute link there; /sys is missing.
    symlink("/data/run", format!("{new}/run")).unwrap();
    fs::create_dir_all(format!("{new}/bin")).unwrap();
    fs::copy("/usr/bin/busybox", format!("{new}/bin/busybox")).unwrap();
    program(&format!("{new}/lib/real-init"), REAL_INIT);
    symlink("/lib/real-init", format!("{new}/init-link")).unwrap();

    let old_root = fs::File::open(&old).unwrap();
    let log = fs::OpenOptions::new().append(true).open(&console).unwrap();
    std::env::set_current_dir(&old).unwrap();
    rustix::process::pivot_root(".", ".").unwrap();
    mount::detach("/").unwrap();
    rustix::process::chdir("/").unwrap();

    if process::fork().unwrap() == process::Fork::Child {
        watch_the_old_root(&old_root, &log);
    }
    let words = |list: &[&str]| {
        list.iter()
            .map(|w| w.as_bytes().to_vec())
            .collect::<Vec<_>>()
    };
    let fault = hand_over::hand_over(
        "/sysroot",
        &Text::from("/init-link"),
        &words(&["single", "a b"]),
        &words(&["GREETING=hello", "PATH=/bin"]),
        Millis(0),
    );
    panic!("{fault}");
}

/// Outlives the exec with the old root in view, and tells what is left in it.
fn watch_the_old_root(root: &fs::File, mut log: &fs::File) -> ! {
    let mut tries = 100;
    let left = loop {
        let root = dir::open_at(root, b".").unwrap();
        let mut left = Vec::new();
        dir::list(root, &mut |name, _| left.push(name.to_owned())).unwrap();
        if left.is_empty() || tries == 0 {
            break left;
        }
        tries -= 1;
        std::thread::sleep(Duration::from_millis(50));
    };
    std::thread::sleep(Duration::from_millis(500));
    log.write_all(format!("left: {left:?}\n").as_bytes())
        .unwrap();
    process::exit_now(0)
}

#[test]
fn the_real_init_gets_everything_and_the_initramfs_is_empty() {
    in_namespaces_then(
        "ns::the_real_init_gets_everything_and_the_initramfs_is_empty",
        hand_over_for_real,
        |scratch| assert_eq!(fs::read_to_string(scratch.join("console")).unwrap(), TOLD),
    );
}

/// A root on a device, or what looks like one, is pivoted away, and whole.
fn pivot_for_real(scratch: &Path) {
    let old = directory(scratch.join("old"));
    mount::bind(&old, &old).unwrap();
    let memory = dir::is_in_memory(open_path(old.as_bytes(), Want::Place).unwrap());
    if memory.unwrap() {
        // Nothing to be shown where the scratch files are in memory.
        return fs::write(scratch.join("console"), PIVOTED).unwrap();
    }
    file(&format!("{old}/init"), "");
    let new = format!("{old}/sysroot");
    tmpfs(&directory(PathBuf::from(&new)));
    for name in ["bin", "proc", "initrd", "dev"] {
        directory(PathBuf::from(format!("{new}/{name}")));
        directory(PathBuf::from(format!("{old}/{name}")));
    }
    mount::virtual_fs("proc", &format!("{old}/proc"), 0, c"").unwrap();
    fs::copy("/usr/bin/busybox", format!("{new}/bin/busybox")).unwrap();
    file(&format!("{new}/told"), "");
    let console = scratch.join("console");
    file(console.to_str().unwrap(), "");
    mount::bind(console.to_str().unwrap(), &format!("{new}/told")).unwrap();
    let script = "#!/bin/busybox sh\nexec > /told\n/bin/busybox ls /initrd\n";
    program(&format!("{new}/init"), script);
    rustix::process::chdir(old.as_str()).unwrap();
    rustix::process::pivot_root(".", ".").unwrap();
    mount::detach("/").unwrap();
    rustix::process::chdir("/").unwrap();
    let fault = hand_over::hand_over("/sysroot", &Text::from("/init"), &[], &[], Millis(0));
    panic!("{fault}");
}

const PIVOTED: &str = "bin\ndev\ninit\ninitrd\nproc\nsysroot\n";

#[test]
fn a_root_on_a_device_is_pivoted_to_initrd_and_nothing_in_it_is_deleted() {
    in_namespaces_then(
        "ns::a_root_on_a_device_is_pivoted_to_initrd_and_nothing_in_it_is_deleted",
        pivot_for_real,
        |scratch| {
            assert_eq!(
                fs::read_to_string(scratch.join("console")).unwrap(),
                PIVOTED
            )
        },
    );
}

#[test]
fn a_refused_hand_over_leaves_everything_in_place() {
    in_namespaces(
        "ns::a_refused_hand_over_leaves_everything_in_place",
        |scratch| {
            let old = directory(scratch.join("old"));
            tmpfs(&old);
            program(&format!("{old}/init"), "");
            tmpfs(&format!("{old}/run"));
            directory(PathBuf::from(format!("{old}/proc")));
            mount::virtual_fs("proc", &format!("{old}/proc"), 0, c"").unwrap();
            directory(PathBuf::from(format!("{old}/empty")));
            tmpfs(&format!("{old}/sysroot"));
            file(&format!("{old}/sysroot/sbin/init"), "not executable");
            rustix::process::chroot(old.as_str()).unwrap();
            rustix::process::chdir("/").unwrap();
            let before = names_in("/");
            let try_with = |root: &str, init: &str| {
                hand_over::hand_over(root, &Text::from(init), &[], &[], Millis(0)).into_text()
            };
            for (root, init, expected) in [
                ("/sysroot", "/sbin/init", "/sbin/init is not executable"),
                (
                    "/sysroot",
                    "/sbin/other",
                    "/sbin/other: there is no such file",
                ),
                ("/empty", "/sbin/init", "/empty is not a mount point"),
                ("/nonesuch", "/sbin/init", "open /nonesuch: No such file"),
            ] {
                let text = try_with(root, init);
                assert!(text.contains(expected), "{text}");
                assert_eq!(names_in("/"), before);
                assert_eq!(mounts_at("/run").len(), 1);
            }
        },
    );
}

#[test]
fn early_mounts_appear_once_with_their_options() {
    in_namespaces(
        "ns::early_mounts_appear_once_with_their_options",
        |scratch| {
            let root = directory(scratch.join("root"));
            tmpfs(&root);
            rustix::process::chroot(root.as_str()).unwrap();
            rustix::process::chdir("/").unwrap();
            let early = early_mounts::prepare();
            for (target, options) in [
                ("/proc", &["proc", "nosuid", "nodev", "noexec"][..]),
                ("/sys", &["sysfs", "nosuid", "nodev", "noexec"]),
                ("/run", &["tmpfs", "nosuid", "nodev", "mode=755"]),
                ("/dev/shm", &["tmpfs", "nosuid", "nodev"]),
            ] {
                let mounts = mounts_at(target);
                assert_eq!(mounts.len(), 1, "{target}: {mounts:?} {early:?}");
                for option in options {
                    let words = mounts[0].split([' ', ',']);
                    assert!(
                        words.into_iter().any(|w| w == *option),
                        "{target}: {mounts:?}"
                    );
                }
            }
            assert!(!mounts_at("/run")[0].contains("relatime"));
            assert_eq!(early.devtmpfs, is_real_root(), "{early:?}");
            // In a user namespace there is neither devtmpfs nor a group 5 for /dev/pts.
            if early.devtmpfs {
                assert_eq!(early.complaints, [""; 0]);
                let pts = mounts_at("/dev/pts").concat();
                assert!(pts.contains("gid=5,mode=620,ptmxmode=000"), "{pts}");
            }
            let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
            early_mounts::prepare();
            assert_eq!(fs::read_to_string("/proc/self/mounts").unwrap(), mounts);
        },
    );
}

/// Root of the machine, not only of a user namespace.
fn is_real_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    map.split_ascii_whitespace().nth(2) == Some("4294967295")
}

fn none(fstype: &str, read_only: bool) -> mount_root::Request<'_> {
    mount_root::Request {
        device: "none",
        nodev: true,
        fstype,
        read_only,
        at: b"",
        anew: false,
    }
}

#[test]
fn a_mount_takes_its_options_and_a_refusal_brings_the_kernels_words() {
    in_namespaces(
        "ns::a_mount_takes_its_options_and_a_refusal_brings_the_kernels_words",
        |scratch| {
            let target = scratch.join("sysroot");
            let target = target.to_str().unwrap();
            let options = b"defaults,nofail,size=64k,noatime,nodev,x-y=z";
            mount_root::mount(&none("tmpfs", true), options, target).unwrap();
            let mounts = mounts_at(target);
            assert_eq!(mounts.len(), 1);
            for word in ["ro", "noatime", "nodev", "size=64k"] {
                assert!(mounts[0].split([' ', ',']).any(|w| w == word), "{mounts:?}");
            }
            assert_eq!(
                fs::write(format!("{target}/x"), "")
                    .unwrap_err()
                    .raw_os_error(),
                Some(30)
            );
            mount::remove(target).unwrap();
            // `ro` among the options was heard before: who calls has decided.
            mount_root::mount(&none("tmpfs", false), b"ro", target).unwrap();
            fs::write(format!("{target}/x"), "").unwrap();
            mount::remove(target).unwrap();

            let classic = mount::Classic {
                source: b"none",
                fstype: "tmpfs",
                attributes: mount::RDONLY | mount::NOEXEC,
                superblock: &["sync"],
                data: c"size=64k",
            };
            mount::classic(&classic, target).unwrap();
            for word in ["ro", "noexec", "sync", "size=64k"] {
                let mounts = mounts_at(target);
                assert!(mounts[0].split([' ', ',']).any(|w| w == word), "{mounts:?}");
            }
            mount::remove(target).unwrap();

            let failed = mount_root::mount(&none("tmpfs", true), b"bogus=1", target).unwrap_err();
            let text = &failed.fault.text;
            assert!(text.contains("fsconfig bogus: Invalid argument"), "{text}");
            let said: Vec<_> = failed.kernel.iter().map(ToString::to_string).collect();
            assert!(
                said.iter().any(|l| l == "tmpfs: Unknown parameter 'bogus'"),
                "{said:?}"
            );
            let failed = mount_root::mount(&none("nonesuch", true), b"", target).unwrap_err();
            assert_eq!(failed.fault.errno, 19);
            assert!(failed.fault.text.contains("no driver for this file system"));
        },
    );
}

#[test]
fn mounts_are_copied_attached_made_read_only_and_detached() {
    let name = "ns::mounts_are_copied_attached_made_read_only_and_detached";
    in_namespaces(name, |scratch| {
        let first = directory(scratch.join("first"));
        let second = directory(scratch.join("second"));
        let moved = directory(scratch.join("moved"));
        tmpfs(&first);
        mount::make_private(&first).unwrap();
        file(&format!("{first}/inside/file"), "x");
        let copy = mount::copy(&format!("{first}/inside")).unwrap();
        mount::attach(&copy, &second).unwrap();
        assert_eq!(names_in(&second), ["file"]);
        mount::remount(&first, mount::RDONLY).unwrap();
        assert!(fs::write(format!("{first}/more"), "").is_err());
        let from = open_path(first.as_bytes(), Want::DirectoryPlace).unwrap();
        mount::move_to_path(from.as_fd(), &first, &moved).unwrap();
        assert_eq!((names_in(&first).len(), names_in(&moved).len()), (0, 1));
        assert_eq!(mount::remove(&first).unwrap_err().errno, 22);
        mount::detach(&moved).unwrap();
        assert_eq!(mounts_at(&moved), [""; 0]);
    });
}

/// Everything that waits, in the words of the parser.
fn heard(listener: &Listener) -> Vec<String> {
    let mut buffer = [0; uevent::LONGEST];
    let mut all = Vec::new();
    loop {
        all.push(match listener.receive(&mut buffer).unwrap() {
            Received::Nothing => return all,
            Received::Foreign => "foreign".into(),
            Received::Overflow => "overflow".into(),
            Received::Message(length) => {
                let event = format::uevent::parse(&buffer[..length]).unwrap();
                format!("{:?} {} {}", event.action, event.subsystem, event.name())
            }
        });
    }
}

#[test]
fn the_kernel_is_heard_its_imitators_are_not_and_losses_are_told() {
    let name = "ns::the_kernel_is_heard_its_imitators_are_not_and_losses_are_told";
    in_namespaces(name, |scratch| {
        let sys = directory(scratch.join("sys"));
        mount::virtual_fs("sysfs", &sys, 0, c"").unwrap();
        let trigger = format!("{sys}/class/net/lo/uevent");
        let listener = Listener::open().unwrap();
        assert_eq!(heard(&listener), [""; 0]);
        let cause = |action: &str| fs::write(&trigger, action).unwrap();
        if is_real_root() {
            cause("add");
            cause("change");
            assert_eq!(heard(&listener), ["Add net lo", "Change net lo"]);
        }

        let imitator = socket(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            Some(KOBJECT_UEVENT),
        );
        let to = rustix::net::getsockname(&listener).unwrap();
        let forged = b"add@/devices/virtual/block/sda\0SUBSYSTEM=block\0";
        sendto(imitator.unwrap(), forged, SendFlags::empty(), &to).unwrap();
        assert_eq!(heard(&listener), ["foreign"]);

        sockopt::set_socket_recv_buffer_size(&listener, 4096).unwrap();
        if is_real_root() {
            (0..100).for_each(|_| cause("change"));
            let heard = heard(&listener);
            assert!(heard.contains(&"overflow".to_string()), "{heard:?}");
            assert!(heard.len() < 100);
        }
    });
}
