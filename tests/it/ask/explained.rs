//! `landfall explain` and `landfall replay`: boots without a machine.

use super::{make, make_disk, stderr, stdout};
use crate::kmod::trees;
use crate::small_tree::{Scratch, landfall};
use std::fs;
use std::path::Path;

/// It must end with `status`, and its lines must hold `words` in this order.
fn check(directory: &Path, args: &[&str], status: i32, words: &[&str]) -> String {
    let output = landfall(directory, &[&["explain"], args].concat());
    let text = stdout(&output);
    let code = output.status.code();
    assert_eq!(code, Some(status), "{args:?}: {text}{}", stderr(&output));
    let mut rest = text.as_str();
    for word in words {
        let at = rest.find(word);
        rest = &rest[at.unwrap_or_else(|| panic!("no '{word}' in: {rest}"))..];
    }
    text
}

#[test]
fn a_boot_that_works_is_told_to_its_end() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    let before = fs::read(scratch.path("disk.img")).unwrap();
    let names = scratch.names();
    for root in [
        "root=\"LABEL=home sweet\"",
        "root=UUID=5EEDF00D-0000-4000-8000-000000000001",
        "root=PARTLABEL=root",
        "root=/dev/vda2",
    ] {
        check(
            &scratch.0,
            &["--disk", "disk.img", &format!("{root} rw init=/bin/x")],
            0,
            &[
                "disk vda appears, 24.0 MiB",
                "vda1 appears, 4.0 MiB, partition 1 of vda",
                "a gpt table with 2 partitions",
                "mounts vda2 as ext4, writable",
                "It would boot: root is vda2 as ext4, writable; /bin/x",
            ],
        );
    }
    assert!(before == fs::read(scratch.path("disk.img")).unwrap());
    assert_eq!(names, scratch.names());
}

/// Nobody looks into the file, and nobody says so.
#[test]
fn of_a_root_in_a_file_is_told_what_is_known() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    for line in [
        "root=PARTLABEL=root loop=/disks/root.img",
        "root=PARTUUID=5eedf00d-02 loop=PARTLABEL=root:/disks/root.img",
    ] {
        check(
            &scratch.0,
            &["--disk", "disk.img", line],
            0,
            &[
                "wanted",
                line,
                "mounts vda2 as ext4, read-only",
                "makes a loop device of /disks/root.img there",
                "It would boot: root is loop file /disks/root.img on vda2 as ext4, read-only",
                "only a boot looks into it",
            ],
        );
    }
    check(
        &scratch.0,
        &["--disk", "disk.img", "root=LABEL=x loop=/a rd.timeout=2"],
        3,
        &["It would give up", "asked:   root=LABEL=x loop=/a"],
    );
}

#[test]
fn a_boot_that_fails_shows_its_page_and_when() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    let disks = ["--disk", "disk.img", "--disk", "fs.img"];
    let explain = |line: &'static str, words: &[&str]| {
        check(&scratch.0, &[&disks[..], &[line]].concat(), 3, words)
    };
    explain(
        "root=LABEL=hone panic=5 rd.timeout=7",
        &[
            "   7.0 s  gives up",
            "  12.0 s  the machine reboots",
            "It would give up",
            "within 7 s",
            "vdb",
        ],
    );
    explain("quiet", &["no root= on the kernel command line"]);
    explain(
        "root=/dev/vdb rootfstype=xfs",
        &[
            "mounts vdb as xfs",
            "what is on it is ext4",
            "vdb is root, but",
        ],
    );
    explain("root=LABEL=hone rootwait", &["It would wait for ever"]);
    explain(
        "root=/dev/vda2 rootfstype=xfs rd.shell",
        &["Then a shell opens"],
    );
}

#[test]
fn cloned_disks_are_named() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    fs::copy(scratch.path("fs.img"), scratch.path("copy.img")).unwrap();
    check(
        &scratch.0,
        &[
            "--disk",
            "fs.img",
            "--disk",
            "copy.img",
            "root=\"LABEL=home sweet\"",
        ],
        0,
        &["warning: vda and vdb", "root is vda"],
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    scratch.write("image.qcow2", b"QFI\xfb\0\0\0\x03rest");
    for (args, status, word) in [
        (
            &["--disk", "gone", "root=/dev/vda"][..],
            1,
            "cannot read gone",
        ),
        (&["--disk", "image.qcow2", "x"], 1, "qemu-img convert"),
        (&["--disk", "image.qcow2", "--kernel", "6", "x"], 1, "qcow2"),
        (
            &["--modules-root", "gone", "x"],
            1,
            "no kernel's modules are in",
        ),
    ] {
        let output = landfall(&scratch.0, &[&["explain"], args].concat());
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        assert!(
            stderr(&output).contains(word),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn trees_give_the_drivers_in_the_order_of_the_buses() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    // The machine that is rehearsed is a PC.
    for tree in trees::all() {
        if !tree.version.ends_with("amd64") {
            continue;
        }
        let root = tree.root.to_str().unwrap();
        let args = [
            "--disk",
            "disk.img",
            "--modules-root",
            root,
            "root=/dev/vda2",
        ];
        check(
            &scratch.0,
            &args,
            0,
            &[
                "disk controller 0000:00:04.0 appears",
                "virtio_pci is the driver",
                "virtio disk virtio0 appears",
                "disk vda appears",
                "file system ext4",
                "mounts vda2 as ext4",
            ],
        );
        // A driver that is forbidden is a disk that never comes.
        let line = "root=/dev/vda2 module_blacklist=virtio_blk";
        let args = ["--disk", "disk.img", "--modules-root", root, line];
        check(
            &scratch.0,
            &args,
            3,
            &["blacklisted: virtio_blk", "no block device at all"],
        );
    }
}

/// What `/init` reads in its image counts here too: files, and a bootconfig that is heeded.
#[test]
fn the_words_of_the_image_count() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    fs::write(scratch.path("init"), "#!/x").unwrap();
    fs::write(scratch.path("own.conf"), "rw root=PARTLABEL=root\n").unwrap();
    fs::write(
        scratch.path("config"),
        "kernel.root = /dev/vda2\ninit.one = two\n",
    )
    .unwrap();
    let pack = |name: &str, more: &[&str]| {
        let all = ["image", "-q", "--init", "init", "--no-modules", "-o", name];
        let output = landfall(&scratch.0, &[&all[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
    };
    pack("files", &["--add-file", "own.conf:/etc/cmdline.d/own.conf"]);
    pack("config.img", &["--bootconfig", "config"]);
    let explain = |image: &str, line: &str, status: i32, words: &[&str]| {
        let args = ["--disk", "disk.img", "--image", image, line];
        check(&scratch.0, &args, status, words)
    };
    let told = [
        "with image's  rw root=PARTLABEL=root  quiet",
        "vda2 as ext4, writable",
    ];
    explain("files", "quiet", 0, &told);
    let told = ["bootconfig -- one=two", "root is vda2 as ext4, read-only"];
    explain("config.img", "bootconfig", 0, &told);
    // A kernel that was not told leaves it alone.
    explain("config.img", "root=LABEL=nonesuch", 3, &["LABEL=nonesuch"]);
}

#[test]
fn a_trace_of_an_explained_boot_replays() {
    let scratch = Scratch::new();
    make(&scratch.0, "fs.img", 16, "mkfs.ext4 -q -L x $F");
    for line in ["root=LABEL=x", "root=LABEL=y"] {
        let args = ["explain", "--disk", "fs.img", "--trace", line];
        let trace = stdout(&landfall(&scratch.0, &args));
        scratch.write("trace", &trace);
        let same = landfall(&scratch.0, &["replay", "trace"]);
        assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
        scratch.write("trace", trace.replace("probe 2 vda", "probe 2 vdb"));
        let other = landfall(&scratch.0, &["replay", "trace"]);
        assert_eq!(other.status.code(), Some(1));
        let text = stdout(&other);
        assert!(
            text.contains("- 0 > probe 2 vdb\n  + 0 > probe 2 vda"),
            "{text}"
        );
    }
    scratch.write("trace", "0 < boot x\nrubbish\n");
    let bad = landfall(&scratch.0, &["replay", "trace"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stderr(&bad).contains("line 2"), "{}", stderr(&bad));
}

#[test]
fn every_scenario_replays() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut count = 0;
    for entry in fs::read_dir(&scenarios).unwrap() {
        let path = entry.unwrap().path();
        let args = ["replay", path.to_str().unwrap()];
        let output = landfall(&scenarios, &args);
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{}: {said}", path.display());
        count += 1;
    }
    assert!(count >= 5, "the scenarios are gone");
}
