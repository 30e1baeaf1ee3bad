//! Rust source as the house rules look at it: code apart from comments and texts, tests apart
//! from what ships, functions with their lines.
//!
//! Not a parser: it knows quotes, comments and brackets, which is all that the rules need.

/// One file. `text` and `code` have the same lines and columns.
pub struct RustText {
    /// From the top of the repository, with `/`.
    pub path: String,
    pub text: String,
    /// `text` with the insides of comments, strings and characters blanked out.
    pub code: String,
    /// For each line: does it belong to `#[cfg(test)]`?
    pub test: Vec<bool>,
    /// `#[cfg(test)] mod NAME;`: files that are tests as a whole.
    pub test_mods: Vec<String>,
}

/// A function: where it starts and ends, both counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub first: usize,
    pub last: usize,
}

impl RustText {
    pub fn new(path: &str, text: &str) -> Self {
        let mut file = Self {
            path: path.into(),
            text: text.into(),
            code: blank_out(text),
            test: vec![false; text.lines().count()],
            test_mods: Vec::new(),
        };
        file.mark_tests();
        file
    }

    /// Number, text and code of each line; numbers count from 0.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let pairs = self.text.lines().zip(self.code.lines());
        pairs.enumerate().map(|(n, (text, code))| (n, text, code))
    }

    /// The same without tests.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        self.lines().filter(|&(n, ..)| !self.test[n])
    }

    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in words_at(&self.code, "fn") {
            let rest = &self.code[at + 2..];
            let name: String = rest.trim_start().chars().take_while(is_word).collect();
            let Some(end) = item_end(rest) else { continue };
            if !name.is_empty() {
                let (first, last) = (self.line_of(at), self.line_of(at + 2 + end));
                found.push(Function { name, first, last });
            }
        }
        found
    }

    fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count()
    }

    fn mark_tests(&mut self) {
        let attributes: Vec<usize> = self.code.match_indices("#[cfg(").map(|m| m.0).collect();
        for at in attributes {
            let Some(close) = self.code[at..].find(")]").map(|n| at + n) else {
                continue;
            };
            let condition = &self.code[at..close];
            let negated = condition.contains("not(test");
            if words_at(condition, "test").next().is_none() || negated {
                continue;
            }
            let item = &self.code[close + 2..];
            let end = item_end(item).map_or(self.code.len(), |n| close + 2 + n);
            let (first, last) = (self.line_of(at), self.line_of(end));
            let until = self.test.len().min(last + 1);
            self.test[first..until].fill(true);
            let item = self.code[close + 2..end].trim();
            let name = item.strip_prefix("mod ");
            if let Some(name) = name.filter(|n| !n.contains('{')) {
                self.test_mods.push(name.trim().into());
            }
        }
    }
}

pub fn is_word(c: &char) -> bool {
    c.is_alphanumeric() || *c == '_'
}

/// Where `word` stands in `code` as a whole word.
pub fn words_at<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|m| m.0).filter(move |&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_word(&c)) && !after.is_some_and(|c| is_word(&c))
    })
}

/// The place of the `}` or `;` that ends the item which starts at the front of `code`.
fn item_end(code: &str) -> Option<usize> {
    let (mut braces, mut others) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && others == 0 {
                    return Some(at);
                }
            }
            ';' if braces == 0 && others == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Replaces everything inside comments, strings and character literals by blanks.
fn blank_out(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if starts(&chars, at, "//") => find(&chars, at, "\n").unwrap_or(chars.len()),
            '/' if starts(&chars, at, "/*") => comment_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' if raw_hashes(&chars, at).is_some() => raw_end(&chars, at),
            '\'' => character_end(&chars, at),
            _ => at + 1,
        };
        if end == at + 1 {
            code.push(chars[at]);
        } else {
            let keep = |c: &char| if *c == '\n' { '\n' } else { ' ' };
            code.extend(chars[at..end].iter().map(keep));
        }
        at = end;
    }
    code
}

fn starts(chars: &[char], at: usize, with: &str) -> bool {
    with.chars()
        .enumerate()
        .all(|(n, c)| chars.get(at + n) == Some(&c))
}

fn find(chars: &[char], from: usize, what: &str) -> Option<usize> {
    (from..chars.len()).find(|&at| starts(chars, at, what))
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start + 2, 1);
    while at < chars.len() && depth > 0 {
        let (open, close) = (starts(chars, at, "/*"), starts(chars, at, "*/"));
        depth = depth + usize::from(open) - usize::from(close);
        at += if open || close { 2 } else { 1 };
    }
    at.min(chars.len())
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// At the `r` of a raw string: how many hashes it has.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|n| chars[n]);
    if before.is_some_and(|c| is_word(&c) && c != 'b' && c != 'c') {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = raw_hashes(chars, at).unwrap_or(0);
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = at + hashes + 2;
    find(chars, inside, &close).map_or(chars.len(), |end| end + close.len())
}

/// `'x'` and `'\n'`, but not the lifetime `'x`.
fn character_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), Some(_)) => find(chars, at + 3, "'").map_or(chars.len(), |end| end + 1),
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

#[test]
fn comments_strings_and_characters_are_no_code() {
    let check = |text: &str, words: &[&str]| {
        let code = blank_out(text);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), words, "{text}");
        assert_eq!(code.chars().count(), text.chars().count(), "{text}");
        assert_eq!(code.lines().count(), text.lines().count(), "{text}");
    };
    check("a // b\nc", &["a", "c"]);
    check("a /* b /* c */ \n */ d", &["a", "d"]);
    check("a \"b\\\"c\" d", &["a", "d"]);
    check("a r#\"b\"c\"# d", &["a", "d"]);
    check("br\"\\\" x", &["b", "x"]);
    check("'a' x 'b '\\'' '\\n' c", &["x", "'b", "c"]);
    check("r#type = bar\"x\"", &["r#type", "=", "bar"]);
}

#[test]
fn tests_are_told_from_what_ships() {
    let file = RustText::new(
        "src/x.rs",
        r"fn a() {}
#[cfg(test)]
mod tests {
    fn b() {
    }
}
fn c() {}
",
    );
    let shipped: Vec<usize> = file.shipped().map(|l| l.0).collect();
    assert_eq!(shipped, [0, 6]);
    let file = RustText::new(
        "src/x.rs",
        r"#[cfg(not(test))]
fn a() {}
#[cfg(test)]
mod tests;
#[cfg(all(test, x))]
fn b() {}",
    );
    assert_eq!(file.test, [false, false, true, true, true, true]);
    assert_eq!(file.test_mods, ["tests"]);
}

#[test]
fn functions_are_found_with_their_lines() {
    let file = RustText::new(
        "src/x.rs",
        r"fn a(x: [u8; 3]) {
    if x {
    }
}
trait T {
    fn b();
    fn c() {
    }
}
",
    );
    let found: Vec<_> = file.functions();
    let of = |name: &str, first, last| Function {
        name: name.into(),
        first,
        last,
    };
    assert_eq!(found, [of("a", 0, 3), of("b", 5, 5), of("c", 6, 7)]);
}
