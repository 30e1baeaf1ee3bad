//! Length of files, functions and lines.

use super::{Broken, finds, keep};
use crate::rust_text::RustText;

const FILE_MAX: usize = 500;
const FUNCTION_MAX: usize = 70;
const LINE_MAX: usize = 100;

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Lines of code that ship (in `tests/`: all), without comments and blank lines.
fn file_is_short(file: &RustText) -> Vec<Broken> {
    let lines = file
        .shipped()
        .filter(|(.., code)| !code.trim().is_empty())
        .count();
    let listed = LONG_FILES.iter().any(|(path, _)| *path == file.path);
    if lines <= FILE_MAX || listed {
        return Vec::new();
    }
    let what = format!("{lines} lines of code, more than {FILE_MAX}: split it by subject");
    vec![(0, what)]
}

fn functions_are_short(file: &RustText) -> Vec<Broken> {
    let long = |f: &crate::rust_text::Function| f.last - f.first + 1 > FUNCTION_MAX;
    let what = |f: crate::rust_text::Function| {
        let lines = f.last - f.first + 1;
        let text = format!(
            "`{}` has {lines} lines, more than {FUNCTION_MAX}: split it",
            f.name
        );
        (f.first, text)
    };
    file.functions()
        .into_iter()
        .filter(long)
        .map(what)
        .collect()
}

fn lines_are_short(file: &RustText) -> Vec<Broken> {
    // A row of a table and an address cannot be broken.
    let fixed = |text: &str| {
        let comment = text
            .trim_start()
            .trim_start_matches(['/', '!'])
            .trim_start();
        comment.starts_with('|') || text.contains("://")
    };
    let what = |n: usize| format!("{n} columns, more than {LINE_MAX}: break the line");
    file.lines()
        .map(|(n, text, _)| (n, text, text.chars().count()))
        .filter(|(_, text, columns)| *columns > LINE_MAX && !fixed(text))
        .map(|(n, _, columns)| (n, what(columns)))
        .collect()
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
}
