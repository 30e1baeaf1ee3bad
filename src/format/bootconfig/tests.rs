//! What each rule of the syntax means, and what is refused. The kernel's own tool said the same of
//! every case.

use super::*;

fn check(text: &str, expected: &str) {
    let entries = parse(text.as_bytes()).unwrap_or_else(|w| panic!("{text}: {w:?}"));
    let shown = String::from_utf8_lossy(&listing(&entries)).into_owned();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn keys_and_values_are_listed_as_the_kernel_lists_them() {
    for (text, expected) in [
        ("a = 1\n", "a = \"1\"\n"),
        ("a.b.c=x y ;d", ""),
        ("a.b.c=x y ;d\n", "a.b.c = \"x y\"\nd = \"\"\n"),
        ("a { b = 1; c { d } }\n", "a.b = \"1\"\na.c.d = \"\"\n"),
        ("a = 1, '2 \"', \"3,4\"\n", "a = \"1\", '2 \"', \"3,4\"\n"),
        (
            "a = 1\na += 2, 3\na.b = 4\n",
            "a = \"1\", \"2\", \"3\"\na.b = \"4\"\n",
        ),
        ("a = 1, 2\na := 3\n", "a = \"3\"\n"),
        ("a := 3\nb += 4\n", "a = \"3\"\nb = \"4\"\n"),
        (
            "a.x = 1\nb = 2\na.y = 3\n",
            "a.x = \"1\"\na.y = \"3\"\nb = \"2\"\n",
        ),
        ("# one\na = 1 # two\nb # three\n", "a = \"1\"\nb = \"\"\n"),
        ("a = 1, # two\n 2\n", "a = \"1\", \"2\"\n"),
        ("a =\n", "a = \"\"\n"),
        ("a = 1}\n", ""),
        ("a { b = 1}\nc\n", "a.b = \"1\"\nc = \"\"\n"),
        ("a = \"two\nlines\"\n", "a = \"two\nlines\"\n"),
        ("a = ;b = ''\n", "a = \"\"\nb = \"\"\n"),
        (
            "kernel.root = \"PARTUUID=1-2\"",
            "kernel.root = \"PARTUUID=1-2\"\n",
        ),
        ("a = x=y\n", "a = \"x=y\"\n"),
    ] {
        match expected {
            "" => assert!(parse(text.as_bytes()).is_err(), "{text}"),
            _ => check(text, expected),
        }
    }
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, line, why) in [
        ("", 1, "is empty"),
        ("# nothing\n\n", 1, "is empty"),
        (
            "a = 1\nb = 2\na = 3\n",
            3,
            "a value is given twice: use += or :=",
        ),
        ("a = 1\nb {\nc\n", 4, "a brace is not closed"),
        ("a\n}\n", 2, "a brace is closed that was not open"),
        ("a\nb + 1\n", 2, "a + or : without a = behind it"),
        ("a = 1\nb c = 2\n", 2, "a key is no word"),
        ("a..b = 1\n", 1, "a key is no word"),
        ("a = \"1\n", 1, "a quote is not closed"),
        ("a = \"1\" 2\n", 1, "something stands behind a closed quote"),
        ("a = \x01\n", 1, "a value holds a byte that cannot be shown"),
        ("a", 1, "the last line has no end"),
    ] {
        let wrong = parse(text.as_bytes()).unwrap_err();
        assert_eq!((wrong.line, wrong.why), (line, why), "{text:?}");
    }
    let deep = "a {".repeat(20);
    assert_eq!(
        parse(deep.as_bytes()).unwrap_err().why,
        "braces are too deep"
    );
    let long = format!("{} = 1\n", "a".repeat(KEY_MAX));
    assert!(parse(long.as_bytes()).is_err());
    assert!(parse(&[b' '; BYTES_MAX]).is_err());
}

#[test]
fn words_for_the_kernel_and_for_init_are_told_apart() {
    let text = "kernel { root = \"LABEL=my root\", /dev/vda; quiet\nrd.modules_load = a, b }\n\
                kernel = 1\ninit { splash; x = 1 }\nftrace.event = y\nkernels.z = 1\n";
    let entries = parse(text.as_bytes()).unwrap();
    let line = |top: &str| String::from_utf8(words(&entries, top)).unwrap();
    assert_eq!(
        line("kernel"),
        "root=\"LABEL=my root\" root=/dev/vda quiet rd.modules_load=a rd.modules_load=b "
    );
    assert_eq!(line("init"), "splash x=1 ");
}

#[test]
fn what_was_appended_is_found_again() {
    for length in 0..9u64 {
        let mut image = vec![7; length as usize];
        image.extend(footer(b"a = 1\n", length));
        assert_eq!(image.len() % 4, 0);
        for zeros in 0..4 {
            let found = find(&image).unwrap();
            assert_eq!(found.offset as u64, length);
            assert_eq!((found.text, found.intact), (&b"a = 1\n"[..], true));
            image.push(0);
            assert_eq!(zeros == 3, find(&image).is_none());
        }
    }
    let mut bent = footer(b"a = 1\n", 0);
    bent[0] = b'b';
    assert!(!find(&bent).unwrap().intact);
    for image in [&b""[..], MAGIC, b"1234567890#BOOTCONFIG\n"] {
        assert_eq!(find(image), None);
    }
}

/// The bytes that the kernel's own tool appends to an initramfs of 5 bytes.
#[test]
fn the_footer_has_the_layout_of_the_kernels_tool() {
    let expected = b"a = 1\n\0\x07\0\0\0\x19\x01\0\0#BOOTCONFIG\n";
    assert_eq!(footer(b"a = 1\n", 5), expected);
}
