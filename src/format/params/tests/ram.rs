//! The rows about roots in RAM.

use super::*;

fn memory(w: &mut Wish, named: &str) {
    w.root = Some(Source::Share(named.into()));
    w.root_as_typed = "tmpfs".into();
    w.fstypes = vec!["tmpfs".into()];
}

#[test]
fn an_archive_is_unpacked_into_memory() {
    check("landfall.archive=/root.tar.zst", |w| {
        memory(w, "/root.tar.zst")
    });
    check("landfall.archive=/a root=tmpfs rootflags=size=1g", |w| {
        memory(w, "/a");
        w.flags = "size=1g".into();
    });
    check("root=tmpfs rootfstype=ext4", |w| memory(w, "tmpfs"));
    check_complaint("landfall.archive=a", "landfall.archive=a is no path");
    let wish = check_complaint(
        "landfall.archive=/a root=8:1",
        "landfall.archive= is ignored",
    );
    assert_eq!(wish.root, Some(Source::Number(8, 1)));
}

#[test]
fn landfall_has_a_word_of_its_own_for_root() {
    for line in [
        "landfall.root=LABEL=x root=/dev/ram0",
        "root=/dev/ram0 landfall.root=LABEL=x",
    ] {
        check(line, |w| {
            w.root = Some(Source::Label(Text::from("x")));
            w.root_as_typed = "LABEL=x".into();
        });
    }
}
