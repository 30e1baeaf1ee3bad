//! Length of files, functions and lines.

use super::{Broken, finds, keep};
use crate::rust_text::RustText;

const FILE_MAX: usize = 500;
const FUNCTION_MAX: usize = 70;
/// In tests a function may be a table of cases.
const TEST_FUNCTION_MAX: usize = 100;
const LINE_MAX: usize = 100;

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[(
    "tests/sim/machine.rs",
    "one simulated machine: its parts share every field",
)];

/// Lines of code that ship (in `tests/`: all), without comments and blank lines.
fn file_is_short(file: &RustText) -> Vec<Broken> {
    let lines = file
        .shipped()
        .filter(|(.., code)| !code.trim().is_empty())
        .count();
    let listed = LONG_FILES
        .iter()
        .any(|(path, why)| *path == file.path && !why.is_empty());
    if lines <= FILE_MAX || listed {
        return Vec::new();
    }
    let what = format!("{lines} lines of code, more than {FILE_MAX}: split it by subject");
    vec![(0, what)]
}

fn functions_are_short(file: &RustText) -> Vec<Broken> {
    let shipped = file.path.starts_with("src/");
    let mut broken = Vec::new();
    for f in file.functions() {
        let table = !shipped || file.test[f.first];
        let max = if table {
            TEST_FUNCTION_MAX
        } else {
            FUNCTION_MAX
        };
        let lines = f.last - f.first + 1;
        if lines > max {
            broken.push((
                f.first,
                format!("`{}` has {lines} lines, more than {max}: split it", f.name),
            ));
        }
    }
    broken
}

fn lines_are_short(file: &RustText) -> Vec<Broken> {
    // A row of a table and an address cannot be broken; nor, in tests, a text.
    let fixed = |n: usize, text: &str, code: &str| {
        let comment = text
            .trim_start()
            .trim_start_matches(['/', '!'])
            .trim_start();
        let test = !file.path.starts_with("src/") || file.test[n];
        let blanked = text
            .chars()
            .zip(code.chars())
            .filter(|(t, c)| t != c)
            .count();
        let quoted = test && text.contains('"') && !text.trim_start().starts_with("//");
        let long_text = quoted && blanked > LINE_MAX / 2;
        comment.starts_with('|') || text.contains("://") || long_text
    };
    let mut broken = Vec::new();
    for (n, text, code) in file.lines() {
        let columns = text.chars().count();
        if columns > LINE_MAX && !fixed(n, text, code) {
            broken.push((
                n,
                format!("{columns} columns, more than {LINE_MAX}: break the line"),
            ));
        }
    }
    broken
}

#[test]
fn files_are_short() {
    keep(file_is_short, "");
    let code = "fn a() {}\n".repeat(FILE_MAX);
    finds(file_is_short, "src/x.rs", &code);
    finds(
        file_is_short,
        "src/x.rs",
        &format!("fn b() {{}} // bad\n{code}"),
    );
    let padding = "// comment\n\n".repeat(FILE_MAX);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
    finds(
        file_is_short,
        "src/x.rs",
        &format!("{padding}{code}{tests}"),
    );
}

#[test]
fn functions_fit_a_screen() {
    keep(functions_are_short, "");
    let body = "    x();\n".repeat(FUNCTION_MAX - 2);
    finds(
        functions_are_short,
        "src/x.rs",
        &format!("fn a() {{\n{body}}}\n"),
    );
    finds(
        functions_are_short,
        "src/x.rs",
        &format!("fn a() {{ // bad\n    x();\n{body}}}\n"),
    );
    finds(
        functions_are_short,
        "tests/x.rs",
        &format!("fn a() {{\n    x();\n{body}}}\nfn b() {{ // bad\n{body}{body}}}\n"),
    );
}

#[test]
fn lines_have_at_most_100_columns() {
    keep(lines_are_short, "");
    let wide = "é".repeat(LINE_MAX - 3);
    finds(lines_are_short, "src/x.rs", &format!("// {wide}\n"));
    finds(
        lines_are_short,
        "src/x.rs",
        &format!("// {wide} // bad\n//! | {wide} |\n// {wide}://\n"),
    );
    let text = format!("let x = \"{wide}\"; // bad\n");
    finds(lines_are_short, "src/x.rs", &text);
    finds(lines_are_short, "tests/x.rs", &text.replace(" // bad", ""));
}
