//! The kernel command line into words: blanks, double quotes, `--`, names.
//!
//! Not here: what a word means (`params`), and the words after a lone `--`, which belong to the
//! real init; the kernel hands those to PID 1 as its arguments.
//!
//! Source: `next_arg` and `parse_args` of the kernel (lib/cmdline.c, kernel/params.c) and
//! Documentation/admin-guide/kernel-parameters.rst. There is no escape character: a quote toggles,
//! a backslash is a backslash. One deliberate difference: byte 0xa0, which the kernel's Latin-1
//! table calls a blank, is none here, because it occurs inside UTF-8 labels (`à` is c3 a0).

use crate::base::bytes::until_nul;
use alloc::vec::Vec;

/// One word, `key` or `key=value`, with the quotes around the value or the whole word removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub key: &'a [u8],
    /// `None`: no `=`. `Some` of nothing: `key=`.
    ///
    /// Quotes *inside* stay (`root=LABEL="a b"`). Whoever hands a value with blanks back to the
    /// kernel must put quotes around it again.
    pub value: Option<&'a [u8]>,
}

impl Word<'_> {
    /// Is this word's name `name`? `-` and `_` are the same in names, as in the kernel.
    pub fn is(&self, name: &str) -> bool {
        same_name(self.key, name.as_bytes())
    }
}

/// Equal as names of parameters and modules: `-` is `_`; case matters.
pub fn same_name(a: &[u8], b: &[u8]) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte };
    a.len() == b.len() && a.iter().zip(b).all(|(&x, &y)| plain(x) == plain(y))
}

/// Files of the image that hold words of modules-load.d(5). Of two with the same name the one in
/// the earlier directory counts.
pub const MODULE_LISTS: [&str; 3] = [
    "etc/modules-load.d",
    "usr/lib/modules-load.d",
    "lib/modules-load.d",
];

/// Tables of the image, and the word that each of their lines becomes.
pub const TABLES: [(&str, &str); 2] = [
    ("etc/veritytab", "landfall.veritytab"),
    ("etc/integritytab", "landfall.integritytab"),
];

/// No more is read of a command line, or of a file of words. The kernel's line is at most 4 KiB on
/// most architectures, with bootconfig somewhat more.
pub const FILE_MAX: usize = 64 * 1024;

/// The image's crypttab(5).
pub const CRYPTTAB: &str = "etc/crypttab";

/// Is what root is said in the image's fstab(5)?
pub fn asks_for_fstab(line: &[u8]) -> bool {
    words(line).any(|word| word.is("root") && word.value == Some(b"fstab"))
}

/// The kernel's words of a command line, in order. Ends at a lone `--` and at a NUL byte.
pub fn words(cmdline: &[u8]) -> Words<'_> {
    let line = until_nul(cmdline);
    Words {
        // /proc/cmdline adds the line break; an open quote would take it into its word.
        rest: line.strip_suffix(b"\n").unwrap_or(line),
    }
}

/// Adds a file of the image (`/etc/cmdline.d/*.conf`) to `line`. Each of its lines stands for
/// itself: an open quote ends with it, a lone `--` ends it, `#` in front makes it a comment.
pub fn add_file(line: &mut Vec<u8>, file: &[u8]) {
    for text in file.split(|&b| b == b'\n') {
        let text = text.trim_ascii();
        if text.starts_with(b"#") {
            continue;
        }
        let mut rest = words(text);
        let whole = rest.rest;
        let mut used = 0;
        while rest.next().is_some() {
            used = whole.len().saturating_sub(rest.rest.len());
        }
        let own = whole.get(..used).unwrap_or_default();
        line.extend_from_slice(own);
        if own.iter().filter(|&&b| b == b'"').count() % 2 == 1 {
            line.push(b'"');
        }
        line.push(b' ');
    }
}

/// Adds a file of modules-load.d(5) to `line`: the words that ask for the same modules.
pub fn add_modules(line: &mut Vec<u8>, file: &[u8]) {
    for text in file.split(|&b| b == b'\n') {
        let name = text.trim_ascii();
        let word = name.iter().all(|&b| b.is_ascii_graphic() && b != b'"');
        if word && !matches!(name.first(), None | Some(b'#' | b';')) {
            line.extend_from_slice(b"rd.modules_load=");
            line.extend_from_slice(name);
            line.push(b' ');
        }
    }
}

/// Adds a table of the image (`/etc/veritytab`) to `line`: each of its lines becomes the value of
/// one word. One that cannot be said so is left out.
pub fn add_table(line: &mut Vec<u8>, name: &str, file: &[u8]) {
    for text in file.split(|&b| b == b'\n') {
        let text = text.trim_ascii();
        let odd = text.is_empty() || text.starts_with(b"#");
        if !odd && !text.iter().any(|b| matches!(b, b'"' | 0)) {
            for part in [name.as_bytes(), b"=\"", text, b"\" "] {
                line.extend_from_slice(part);
            }
        }
    }
}

/// See [`words`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let start = self.rest.iter().position(|&b| !is_blank(b))?;
        let (word, rest) = split_word(self.rest.get(start..)?);
        if word.key == b"--" && word.value.is_none() {
            self.rest = &[];
            return None;
        }
        self.rest = rest;
        Some(word)
    }
}

fn is_blank(byte: u8) -> bool {
    // 0x0b: isspace() of C counts the vertical tab, `u8::is_ascii_whitespace` does not.
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The first word of `line`, which does not start with a blank, and what follows it.
fn split_word(line: &[u8]) -> (Word<'_>, &[u8]) {
    let body = line.strip_prefix(b"\"").unwrap_or(line);
    let quoted = body.len() < line.len();
    let mut inside = quoted;
    let mut equals = None;
    let mut end = body.len();
    for (at, &byte) in body.iter().enumerate() {
        match byte {
            b if is_blank(b) && !inside => {
                end = at;
                break;
            }
            // A `=` in front is part of the name: there is no parameter without one.
            b'=' if equals.is_none() && at > 0 => equals = Some(at),
            b'"' => inside = !inside,
            _ => {}
        }
    }
    let (word, rest) = body.split_at_checked(end).unwrap_or((body, &[]));
    (take_apart(word, equals, quoted), rest)
}

/// Splits `word` at `equals` and removes the quotes around the value, or else around the word.
fn take_apart(word: &[u8], equals: Option<usize>, quoted: bool) -> Word<'_> {
    let unquoted = if quoted {
        without_end_quote(word)
    } else {
        word
    };
    let halves = equals.and_then(|at| word.split_at_checked(at));
    let Some((key, rest)) = halves else {
        return Word {
            key: unquoted,
            value: None,
        };
    };
    let value = rest.get(1..).unwrap_or_default();
    let value = match value.strip_prefix(b"\"") {
        Some(inner) => without_end_quote(inner),
        None if quoted => without_end_quote(value),
        None => value,
    };
    Word {
        key,
        value: Some(value),
    }
}

fn without_end_quote(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\"").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::Text;
    use alloc::format;
    use alloc::string::String;

    /// `expected`: one word per item, `key` or `key => value`.
    fn check(line: &[u8], expected: &[&str]) {
        let show = |w: Word<'_>| match w.value {
            Some(v) => format!("{} => {}", Text::from(w.key), Text::from(v)),
            None => format!("{}", Text::from(w.key)),
        };
        let found: Vec<String> = words(line).map(show).collect();
        assert_eq!(found, expected, "{}", Text::from(line));
    }

    #[test]
    fn blanks_part_words_and_the_last_line_break_is_none_of_them() {
        check(b"", &[]);
        check(b" \n", &[]);
        check(
            b"ro  root=/dev/vda1\tquiet\x0bdebug\n",
            &["ro", "root => /dev/vda1", "quiet", "debug"],
        );
        check(b"a\nb\r\nc", &["a", "b", "c"]);
    }

    #[test]
    fn double_quotes_protect_blanks_around_a_value_or_a_whole_word() {
        check(b"a=\"b c\" d", &["a => b c", "d"]);
        check(b"\"a=b c\" d", &["a => b c", "d"]);
        check(b"\"a b\" d", &["a b", "d"]);
        check(b"root=LABEL=\"b c\" d", &["root => LABEL=\"b c\"", "d"]);
        check(b"a=b\" \"c d", &["a => b\" \"c", "d"]);
        check(b"a=\"\" b=", &["a => ", "b => "]);
    }

    #[test]
    fn an_open_quote_reaches_to_the_end_but_takes_no_line_break() {
        check(b"a=\"b c\n", &["a => b c"]);
        check(b"\"a b\n", &["a b"]);
        check(b"a=\"", &["a => "]);
        check(b"\"", &[""]);
        check(b"\"a=\"b c\"", &["a => b", "c\""]);
    }

    #[test]
    fn neither_backslash_nor_single_quote_is_special() {
        check(b"a=b\\ c='d e'", &["a => b\\x5c", "c => 'd", "e'"]);
    }

    #[test]
    fn only_the_first_equals_sign_parts_and_not_in_front() {
        check(b"a=b=c =d ==e", &["a => b=c", "=d", "= => e"]);
    }

    #[test]
    fn a_lone_double_dash_ends_the_kernels_words() {
        check(b"a -- b c=d", &["a"]);
        check(b"a \"--\" b", &["a"]);
        check(b"a --b --=c -", &["a", "--b", "-- => c", "-"]);
    }

    #[test]
    fn odd_bytes_are_part_of_words_and_a_nul_ends_the_line() {
        check(b"a=\xff\x01 b\0c d", &["a => \\xff\\x01", "b"]);
        check("l=voil\u{e0} b".as_bytes(), &["l => voil\u{e0}", "b"]);
    }

    #[test]
    fn dash_and_underscore_are_the_same_in_names_only() {
        let word = words(b"a-b_c=x-y").next().expect("one word");
        assert!(word.is("a_b-c") && word.is("a-b_c") && !word.is("a.b_c") && !word.is("A-b_c"));
        assert!(!word.is("a_b_") && !word.is("a_b_c_"));
        assert_eq!(word.value, Some(&b"x-y"[..]));
    }
}
