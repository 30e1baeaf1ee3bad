//! What may panic, what is unsafe, and what has the shape of a kernel structure.

use super::{Broken, ON_PURPOSE, argues, finds, keep};
use crate::rust_text::{RustText, is_word, words_at};

fn nothing_panics(file: &RustText) -> Vec<Broken> {
    let calls = [".unwrap()", ".expect(", ".unwrap_err()", ".expect_err("];
    let macros = ["panic!", "unreachable!", "todo!", "unimplemented!"];
    let mut broken = Vec::new();
    for (n, _, code) in file
        .shipped()
        .filter(|(n, ..)| !argues(file, *n, ON_PURPOSE))
    {
        for call in calls.iter().chain(&macros).filter(|c| code.contains(**c)) {
            let remedy = "PID 1 must not panic: return an error or take the stated safe branch \
                          (or say in a comment above, `// ON PURPOSE: …`, why this is right)";
            broken.push((n, format!("`{call}`: {remedy}")));
        }
        if indexes(code) {
            broken.push((
                n,
                "indexing can panic: use `get`, a pattern or an iterator".into(),
            ));
        }
    }
    broken
}

/// `a[…]`, `f()[…]`, `a[…][…]`; not `[u8; 4]`, `vec![…]`, `#[…]`, `&[…]`, nor `a[..]`, which takes
/// everything there is.
fn indexes(code: &str) -> bool {
    let mut before = None;
    for c in code.replace("[..]", "").chars() {
        let value = before.is_some_and(|b: char| is_word(&b) || matches!(b, ')' | ']' | '?'));
        if c == '[' && value {
            return true;
        }
        before = Some(c);
    }
    false
}

fn unsafe_is_in_sys(file: &RustText) -> Vec<Broken> {
    let home = file.path.starts_with("src/sys/");
    let mut broken = Vec::new();
    for (n, text, code) in file.lines() {
        let uses = words_at(code, "unsafe").any(|at| !code[at..].starts_with("unsafe("));
        if uses && !home {
            broken.push((n, "unsafe belongs to `sys`: wrap the call there".into()));
        } else if uses && !has_argument(file, n, text) {
            let what = "no `// SAFETY:` argument above (or `# Safety` for an unsafe function)";
            broken.push((n, what.into()));
        }
        if home && text.contains("allow(clippy::undocumented_unsafe_blocks") {
            broken.push((n, "every unsafe block is argued for: no exception".into()));
        }
    }
    broken
}

fn has_argument(file: &RustText, line: usize, text: &str) -> bool {
    // A declaration is no use: what it declares is argued for where it is called.
    let declares = text.contains("unsafe extern");
    declares || argues(file, line, "SAFETY:") || argues(file, line, "# Safety")
}

fn kernel_structs_are_pinned(file: &RustText) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (at, _) in file.code.match_indices("#[repr(C") {
        let rest = &file.code[at..];
        let kinds = ["struct ", "union "].iter();
        let first = kinds.filter_map(|k| Some(rest.find(k)? + k.len())).min();
        let Some(name) = first.map(|n| rest[n..].chars().take_while(is_word).collect::<String>())
        else {
            continue;
        };
        let line = file.code[..at].matches('\n').count();
        let sized = |l: &str| l.contains("size_of::<") && l.contains(&name);
        if !file.code.lines().any(sized) {
            let what = format!("`{name}` is not pinned: add `const _: () = assert!(size_of::<…");
            broken.push((line, what));
        }
        if !names_header(&file.text) {
            let what = format!("the file does not name the header that `{name}` comes from");
            broken.push((line, what));
        }
    }
    broken
}

/// A comment names a C header: `linux/dm-ioctl.h`.
fn names_header(text: &str) -> bool {
    let comment = |l: &&str| l.trim_start().starts_with("//");
    let header = |w: &str| {
        w.trim_end_matches(|c: char| !c.is_alphanumeric())
            .ends_with(".h")
    };
    text.lines()
        .filter(comment)
        .any(|l| l.split_whitespace().any(header))
}

#[test]
fn nothing_that_ships_can_panic() {
    keep(nothing_panics, "src/");
    finds(
        nothing_panics,
        "src/x.rs",
        r#"fn a(x: &[u8], y: [u8; 2]) {
  x.unwrap(); // bad
  x.expect("y"); // bad
  panic!(); // bad
  x[0]; // bad
  f()[0]; // bad
  f(&mut x[..]);

  // ON PURPOSE: the table is as long as the enum.
  x[0];

  // ON PURPOSE without a colon only.
  x[0]; // bad
  let z = vec![0]; // x[0]
  x.unwrap_or("a[0]");
#[derive(A)]
}
#[cfg(test)]
mod tests {
  x[0].unwrap();
}
"#,
    );
}

#[test]
fn unsafe_is_in_sys_and_argued_for() {
    keep(unsafe_is_in_sys, "src/");
    finds(
        unsafe_is_in_sys,
        "src/act/x.rs",
        r"// SAFETY: none.
unsafe { f() } // bad
#![deny(unsafe_code)]
// unsafe
",
    );
    finds(
        unsafe_is_in_sys,
        "src/sys/x.rs",
        r#"// SAFETY: `f` has no conditions.
unsafe { f() }

unsafe { f() } // bad
#[unsafe(no_mangle)]
unsafe extern "C" {}

/// # Safety
pub unsafe fn f() {}
"#,
    );
}

#[test]
fn every_kernel_structure_is_pinned_and_names_its_header() {
    keep(kernel_structs_are_pinned, "src/");
    let good = r"//! Header: linux/x.h.
#[repr(C)]
struct A { a: u8 }
const _: () = assert!(size_of::<A>() == 1);
";
    finds(kernel_structs_are_pinned, "src/sys/x.rs", good);
    let unpinned = r"//! linux/x.h
#[repr(C)] // bad
struct A { a: u8 }
";
    finds(kernel_structs_are_pinned, "src/sys/x.rs", unpinned);
    let unnamed = r"//! Some.
#[repr(C)] // bad
#[derive(B)]
union A { a: u8 }
const _: () = assert!(size_of::<A>() == 1);
";
    finds(kernel_structs_are_pinned, "src/sys/x.rs", unnamed);
}
