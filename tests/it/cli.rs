//! The tool's command line, and bad input: clear sentences, the right status, nothing half-written.

use crate::small_tree::{Scratch, VERSION, image_args, landfall, landfall_did, make_root, module};
use std::fs;
use std::process::Output;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// It must fail with `status` and say all of `words`.
fn check_fails(output: &Output, status: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    for word in words {
        assert!(said.contains(word), "no '{word}' in: {said}");
    }
    assert_eq!(
        said.lines().filter(|l| l.starts_with("landfall: ")).count(),
        1,
        "{said}"
    );
}

#[test]
fn help_and_version_are_on_standard_output() {
    let scratch = Scratch::new();
    for args in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["help", "image"],
        &["image", "--help"],
        &["help", "inspect"],
        &["inspect", "-h"],
        &["help", "boot"],
        &["help", "bench"],
    ] {
        let text = landfall_did(&scratch.0, args);
        assert!(
            String::from_utf8(text).unwrap().contains("Usage: landfall"),
            "{args:?}"
        );
    }
    let version = landfall_did(&scratch.0, &["--version"]);
    let expected = concat!("landfall ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version, expected.as_bytes());
}

#[test]
fn wrong_command_lines_end_with_2_and_touch_nothing() {
    let scratch = Scratch::new();
    let lines: [(&[&str], &str); 9] = [
        (&[], "no command"),
        (&["pack"], "unknown command 'pack'"),
        (&["help", "pack"], "unknown command 'pack'"),
        (&["--what"], "--what"),
        (&["image", "-o", "out", "--what"], "--what"),
        (&["image"], "-o OUT"),
        (
            &["image", "-o", "out", "--compress", "rar"],
            "the kernel unpacks none, gzip",
        ),
        (&["inspect"], "no image given"),
        (&["inspect", "a", "--list", "--json"], "only one of"),
    ];
    for (args, word) in lines {
        check_fails(&landfall(&scratch.0, args), 2, &[word]);
        assert_eq!(scratch.names(), [""; 0], "{args:?}");
    }
}

#[test]
fn a_missing_modules_tree_is_named() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let before = scratch.names();
    let run = |more: &[&str]| landfall(&scratch.0, &image_args("out", more));
    let words = ["root/lib/modules/6.9.9 does not exist", VERSION];
    check_fails(&run(&["--kernel", "6.9.9"]), 1, &words);
    let nowhere = ["--modules-root", "nowhere", "--kernel", "6.9.9"];
    check_fails(
        &run(&nowhere),
        1,
        &["nowhere/lib/modules/6.9.9", "--no-modules"],
    );
    check_fails(
        &run(&["--kernel", "../x"]),
        2,
        &["--kernel takes a version"],
    );
    assert_eq!(scratch.names(), before);
}

#[test]
fn a_kernel_without_modules_is_an_error_unless_said() {
    let scratch = Scratch::new();
    make_root(&scratch);
    scratch.write(
        "root/lib/modules/bare/modules.builtin",
        "kernel/fs/ext4.ko\n",
    );
    scratch.write("root/lib/modules/empty/modules.dep", "\n");
    scratch.write("root/lib/modules/raw/kernel/a.ko", "");
    let before = scratch.names();
    for (version, word) in [
        ("bare", "holds no modules"),
        ("empty", "no loadable modules"),
        ("raw", "run 'depmod raw'"),
    ] {
        let output = landfall(&scratch.0, &image_args("out", &["--kernel", version]));
        check_fails(&output, 1, &[word, &format!("lib/modules/{version}")]);
    }
    assert_eq!(scratch.names(), before);
    landfall_did(&scratch.0, &image_args("out", &["--no-modules"]));
    let list = landfall_did(&scratch.0, &["inspect", "out"]);
    assert!(!String::from_utf8(list).unwrap().contains("lib/modules"));
}

#[test]
fn unwritable_output_is_refused_before_the_work() {
    let scratch = Scratch::new();
    make_root(&scratch);
    fs::create_dir(scratch.path("dir")).unwrap();
    let before = scratch.names();
    for (output, word) in [
        ("missing/out", "cannot write missing/out"),
        ("dir", "not a plain file"),
        ("/dev/null", "not a plain file"),
        ("/proc/out", "cannot write /proc/out"),
        ("init/out", "cannot write init/out"),
    ] {
        // The kernel named here does not exist: that must not be what is complained about.
        let args = image_args(output, &["--kernel", "none"]);
        check_fails(&landfall(&scratch.0, &args), 1, &[word]);
    }
    assert_eq!(scratch.names(), before);
}

#[test]
fn an_image_that_fails_late_leaves_the_old_one_alone() {
    let scratch = Scratch::new();
    let root = make_root(&scratch);
    scratch.write("out", "old");
    // Listed, but not there: found out only while packing.
    fs::remove_file(root.join(format!("lib/modules/{VERSION}/kernel/bus-core.ko.zst"))).unwrap();
    let before = scratch.names();
    let cases: [(&[&str], &str); 5] = [
        (&["--add", "disk"], "bus-core.ko.zst"),
        (&["--add", "nothing"], "called 'nothing'"),
        (
            &["--add", "weak", "--add-file", "gone:/x"],
            "cannot add gone",
        ),
        (
            &["--add", "weak", "--microcode", "init"],
            "neither AMD nor Intel",
        ),
        (&["--add", "weak", "--init", "out"], "not a program"),
    ];
    for (more, word) in cases {
        check_fails(&landfall(&scratch.0, &image_args("out", more)), 1, &[word]);
    }
    assert_eq!(scratch.names(), before);
    assert_eq!(fs::read(scratch.path("out")).unwrap(), b"old");
}

#[test]
fn an_init_for_another_machine_is_refused() {
    let scratch = Scratch::new();
    make_root(&scratch);
    for (machine, name) in [(183, "aarch64"), (243, "riscv64")] {
        let mut program = module(&[]);
        program[18] = machine;
        scratch.write("init", &program);
        let output = landfall(&scratch.0, &image_args("out", &["--init", "init"]));
        let said = format!("init is a program for {name}");
        check_fails(&output, 1, &[&said, "modules are for x86_64"]);
        assert!(!scratch.path("out").exists());
    }
    // Without modules nothing is known about the kernel.
    let words = ["--init", "init", "--no-modules"];
    landfall_did(&scratch.0, &image_args("out", &words));
}

#[test]
fn damaged_images_are_named_with_their_place() {
    let scratch = Scratch::new();
    make_root(&scratch);
    landfall_did(&scratch.0, &image_args("whole", &["--compress", "none"]));
    let whole = fs::read(scratch.path("whole")).unwrap();
    let trailer = whole.windows(10).position(|w| w == b"TRAILER!!!").unwrap();
    // In a header, in a name, in a body, between two entries, in the trailer.
    for cut in [50, 111, trailer / 2, trailer - 110, trailer + 4] {
        scratch.write("cut", &whole[..cut]);
        let output = landfall(&scratch.0, &["inspect", "cut"]);
        check_fails(&output, 1, &["cut: segment 0", "truncated", "byte"]);
    }
    scratch.write("junk", [&whole[..], b"junk"].concat());
    let place = format!("byte {}", whole.len());
    check_fails(
        &landfall(&scratch.0, &["inspect", "junk"]),
        1,
        &["junk behind", &place],
    );
    for (bytes, word) in [
        (&b""[..], "empty or all zeros"),
        (&[0; 4096], "empty or all zeros"),
        (b"hello, world", "no initramfs image"),
        (b"070707000000", "damaged"),
        (
            &[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3],
            "compression zstd) is damaged",
        ),
    ] {
        scratch.write("bad", bytes);
        check_fails(&landfall(&scratch.0, &["inspect", "bad"]), 1, &[word]);
    }
    check_fails(
        &landfall(&scratch.0, &["inspect", "gone"]),
        1,
        &["cannot read gone"],
    );
}

#[test]
fn every_truncation_and_flip_of_a_packed_image_ends_in_a_sentence() {
    let scratch = Scratch::new();
    make_root(&scratch);
    for method in ["gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd"] {
        let more = ["--compress", method, "--add", "disk"];
        landfall_did(&scratch.0, &image_args("whole", &more));
        let whole = fs::read(scratch.path("whole")).unwrap();
        for part in 1..6 {
            let at = whole.len() * part / 6;
            scratch.write("cut", &whole[..at]);
            check_fails(&landfall(&scratch.0, &["inspect", "cut"]), 1, &["cut"]);
            let mut flipped = whole.clone();
            flipped[at] ^= 0x55;
            scratch.write("flipped", &flipped);
            // lzma, lz4 carry no checksum: a flip may go unseen, but must not crash.
            let code = landfall(&scratch.0, &["inspect", "flipped"]).status.code();
            assert!(matches!(code, Some(0 | 1)), "{method} flipped at {at}");
        }
    }
}
