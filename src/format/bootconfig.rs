//! bootconfig: words for the kernel and for the real init, as a tree of keys behind an initramfs.
//!
//! `/init` never reads it: a kernel with CONFIG_BOOT_CONFIG puts what stands below `kernel` in
//! front of its command line and what stands below `init` behind `--`. This is for the tool that
//! packs it and shows it. The kernel takes all of it or nothing, so every rule of its parser
//! counts. One deliberate difference: keys are ASCII.
//!
//! Sources: Documentation/admin-guide/bootconfig.rst, lib/bootconfig.c, init/main.c (Linux 6.12).

use crate::base::bytes::{le32, until_nul};
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// `BOOTCONFIG_MAGIC`, the end of the file. (GRUB may add up to three zeros.)
const MAGIC: &[u8] = b"#BOOTCONFIG\n";
/// Size and checksum stand before it.
const FOOTER: usize = 8;
/// `XBC_DATA_MAX`, `XBC_DEPTH_MAX`, `XBC_KEYLEN_MAX`, `XBC_NODE_MAX`; linux/bootconfig.h.
const BYTES_MAX: usize = 32_767;
const DEPTH_MAX: usize = 16;
const KEY_MAX: usize = 255;
const NODES_MAX: usize = 8192;

/// Where the text of a bootconfig is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1.
    pub line: usize,
    pub why: &'static str,
}

/// One key that has values, or that has neither values nor keys below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `kernel.root`.
    pub key: String,
    pub values: Vec<Text>,
}

/// The text behind an initramfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Where it begins, in bytes of the file.
    pub offset: usize,
    /// Without the zeros behind it.
    pub text: &'a [u8],
    /// The sum of the bytes is the one that was written down.
    pub intact: bool,
}

/// What has to be appended to an initramfs of `length` bytes.
pub fn footer(text: &[u8], length: u64) -> Vec<u8> {
    let mut out = text.to_vec();
    out.push(0);
    // The whole file becomes a multiple of 4 bytes long.
    while !length.wrapping_add(out.len() as u64).is_multiple_of(4) {
        out.push(0);
    }
    let size = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let sum = checksum(&out);
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(MAGIC);
    out
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum: u32, &b| sum.wrapping_add(u32::from(b)))
}

/// Looks for a bootconfig at the end of `image`. `None`: it has none.
pub fn find(image: &[u8]) -> Option<Found<'_>> {
    let shorter = (0..4).filter_map(|n| image.get(..image.len().checked_sub(n)?));
    let body = shorter.filter_map(|i| i.strip_suffix(MAGIC)).next()?;
    let end = body.len().checked_sub(FOOTER)?;
    let size = usize::try_from(le32(body, end)?).ok()?;
    let sum = le32(body, end.checked_add(4)?)?;
    let offset = end.checked_sub(size)?;
    let data = body.get(offset..end)?;
    Some(Found {
        offset,
        text: until_nul(data),
        intact: checksum(data) == sum,
    })
}

/// All keys with their values, in the kernel's order: a key before those below it, first named
/// first.
pub fn parse(text: &[u8]) -> Result<Vec<Entry>, Wrong> {
    let mut parser = Parser {
        text: until_nul(text),
        at: 0,
        tree: Vec::new(),
        open: Vec::new(),
    };
    if parser.text.len() >= BYTES_MAX {
        return Err(parser.wrong(0, "is longer than 32 KiB"));
    }
    parser.run()?;
    let mut entries = Vec::new();
    parser.list(None, &mut String::new(), 0, &mut entries)?;
    if entries.is_empty() {
        return Err(parser.wrong(0, "is empty"));
    }
    Ok(entries)
}

/// The words that the kernel makes of all keys below `top` (`kernel`, `init`). An array becomes a
/// word for each of its values.
pub fn words(entries: &[Entry], top: &str) -> Vec<u8> {
    let mut line = Vec::new();
    for entry in entries {
        let below = entry
            .key
            .strip_prefix(top)
            .and_then(|k| k.strip_prefix('.'));
        let Some(key) = below else { continue };
        if entry.values.is_empty() {
            line.extend_from_slice(format!("{key} ").as_bytes());
        }
        for value in &entry.values {
            let blank = value.0.iter().any(|b| b.is_ascii_whitespace());
            let quote: &[u8] = if blank { b"\"" } else { b"" };
            line.extend_from_slice(format!("{key}=").as_bytes());
            for part in [quote, &value.0, quote, b" "] {
                line.extend_from_slice(part);
            }
        }
    }
    line
}

/// The text of `/proc/bootconfig`: a line for each key.
pub fn listing(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for Entry { key, values } in entries {
        out.extend_from_slice(format!("{key} = ").as_bytes());
        if values.is_empty() {
            out.extend_from_slice(b"\"\"");
        }
        for (n, value) in values.iter().enumerate() {
            let quote: &[u8] = if value.0.contains(&b'"') { b"'" } else { b"\"" };
            let comma: &[u8] = if n > 0 { b", " } else { b"" };
            for part in [comma, quote, &value.0, quote] {
                out.extend_from_slice(part);
            }
        }
        out.push(b'\n');
    }
    out
}

/// One part of a key. A value never stands without a key.
struct Node {
    word: String,
    parent: Option<usize>,
    /// `None`: no value was given. `Some` holds at least one.
    values: Option<Vec<Text>>,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    tree: Vec<Node>,
    /// The keys whose braces are open.
    open: Vec<Option<usize>>,
}

type Step<T> = Result<T, Wrong>;

impl<'a> Parser<'a> {
    fn wrong(&self, at: usize, why: &'static str) -> Wrong {
        let before = self.text.get(..at).unwrap_or(self.text);
        let breaks = before.iter().filter(|&&b| b == b'\n').count();
        Wrong {
            line: breaks.saturating_add(1),
            why,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n).min(self.text.len());
    }

    fn skip_while(&mut self, which: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&which) {
            self.skip(1);
        }
    }

    fn skip_comment(&mut self) {
        self.skip_while(|b| b != b'\n');
        self.skip(1);
    }

    /// Up to the next of the bytes in `ends`, blanks around it removed, and that byte.
    fn until(&mut self, ends: &[u8]) -> (&'a [u8], Option<u8>) {
        let start = self.at;
        self.skip_while(|b| !ends.contains(&b));
        let found = self.text.get(start..self.at).unwrap_or_default();
        let end = self.peek();
        self.skip(1);
        (trim(found), end)
    }

    fn run(&mut self) -> Step<()> {
        loop {
            let start = self.at;
            let (key, end) = self.until(b"{}=+;:\n#");
            let Some(end) = end else {
                let done = key.is_empty();
                return match (done, self.open.is_empty()) {
                    (true, true) => Ok(()),
                    (true, false) => Err(self.wrong(start, "a brace is not closed")),
                    (false, _) => Err(self.wrong(start, "the last line has no end")),
                };
            };
            let operator = matches!(end, b':' | b'+');
            if operator && self.peek() != Some(b'=') {
                return Err(self.wrong(start, "a + or : without a = behind it"));
            }
            self.skip(usize::from(operator));
            match end {
                b'=' | b':' | b'+' => self.assign(key, end)?,
                b'{' => {
                    let key = self.key(key)?;
                    self.open.push(Some(key));
                    if self.open.len() >= DEPTH_MAX {
                        return Err(self.wrong(start, "braces are too deep"));
                    }
                }
                b'#' => {
                    self.bare(key)?;
                    self.skip_comment();
                }
                b'}' => {
                    self.bare(key)?;
                    self.close(start)?;
                }
                _ => self.bare(key)?,
            }
        }
    }

    fn close(&mut self, at: usize) -> Step<()> {
        let open = self.open.pop();
        open.map(drop)
            .ok_or_else(|| self.wrong(at, "a brace is closed that was not open"))
    }

    /// A key without a value, or nothing at all.
    fn bare(&mut self, key: &[u8]) -> Step<()> {
        match key.is_empty() {
            true => Ok(()),
            false => self.key(key).map(drop),
        }
    }

    /// The node of `a.b.c` below the open brace; made where it is not there.
    fn key(&mut self, key: &[u8]) -> Step<usize> {
        let mut parent = self.open.last().copied().flatten();
        for word in key.split(|&b| b == b'.') {
            let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            let text = core::str::from_utf8(word).unwrap_or_default();
            if text.is_empty() || !word.iter().all(plain) {
                return Err(self.wrong(self.at.saturating_sub(1), "a key is no word"));
            }
            let same = |node: &Node| node.parent == parent && node.word == text;
            let at = match self.tree.iter().position(same) {
                Some(at) => at,
                None => {
                    self.tree.push(Node {
                        word: text.into(),
                        parent,
                        values: None,
                    });
                    self.tree.len().saturating_sub(1)
                }
            };
            parent = Some(at);
        }
        let nodes = self
            .tree
            .iter()
            .map(|n| n.values.as_ref().map_or(1, |v| v.len().saturating_add(1)));
        match parent {
            Some(at) if nodes.sum::<usize>() <= NODES_MAX => Ok(at),
            _ => Err(self.wrong(self.at, "there are too many keys")),
        }
    }

    fn assign(&mut self, key: &[u8], operator: u8) -> Step<()> {
        let start = self.at;
        let node = self.key(key)?;
        let mut new = Vec::new();
        let end = loop {
            let (value, end) = self.value()?;
            new.push(Text::from(value));
            if end != Some(b',') {
                break end;
            }
        };
        let redefined = self.wrong(start, "a value is given twice: use += or :=");
        if let Some(node) = self.tree.get_mut(node) {
            match (&mut node.values, operator) {
                (Some(_), b'=') => return Err(redefined),
                (Some(values), b'+') => values.append(&mut new),
                (values, _) => *values = Some(new),
            }
        }
        match end {
            Some(b'}') => self.close(self.at),
            _ => Ok(()),
        }
    }

    /// One value and the byte that ends it. There is no escape: who needs one quote uses the other.
    fn value(&mut self) -> Step<(&'a [u8], Option<u8>)> {
        self.skip_while(is_space);
        while self.peek() == Some(b'#') {
            self.skip_comment();
            self.skip_while(is_space);
        }
        let start = self.at;
        let (value, end) = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.skip(1);
                self.quoted(quote, start)?
            }
            _ => self.until(b",;\n#}"),
        };
        let shown = |b: &u8| is_space(*b) || matches!(b, 0x20..=0x7e | 0xa0..);
        if !value.iter().all(shown) {
            return Err(self.wrong(start, "a value holds a byte that cannot be shown"));
        }
        if end == Some(b'#') {
            self.skip_comment();
            return Ok((value, Some(b'\n')));
        }
        Ok((value, end))
    }

    fn quoted(&mut self, quote: u8, start: usize) -> Step<(&'a [u8], Option<u8>)> {
        let from = self.at;
        self.skip_while(|b| b != quote);
        if self.peek().is_none() {
            return Err(self.wrong(start, "a quote is not closed"));
        }
        let value = self.text.get(from..self.at).unwrap_or_default();
        self.skip(1);
        self.skip_while(|b| is_space(b) && b != b'\n');
        let end = self.peek();
        if !matches!(end, None | Some(b',' | b';' | b'\n' | b'#' | b'}')) {
            return Err(self.wrong(start, "something stands behind a closed quote"));
        }
        self.skip(1);
        Ok((value, end))
    }

    /// Lists what is below `parent`, whose full name is `path`.
    fn list(
        &self,
        parent: Option<usize>,
        path: &mut String,
        depth: usize,
        out: &mut Vec<Entry>,
    ) -> Step<()> {
        let children = self
            .tree
            .iter()
            .enumerate()
            .filter(|(_, n)| n.parent == parent);
        for (at, node) in children {
            let length = path.len();
            path.push_str(if length > 0 { "." } else { "" });
            path.push_str(&node.word);
            if path.len() >= KEY_MAX || depth >= DEPTH_MAX {
                return Err(self.wrong(0, "a key is too long or too deep"));
            }
            if node.values.is_some() || !self.tree.iter().any(|n| n.parent == Some(at)) {
                out.push(Entry {
                    key: path.clone(),
                    values: node.values.clone().unwrap_or_default(),
                });
            }
            self.list(Some(at), path, depth.saturating_add(1), out)?;
            path.truncate(length);
        }
        Ok(())
    }
}

/// `isspace` of the kernel, whose table is Latin-1.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0xa0)
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|&b| !is_space(b))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|&b| !is_space(b))
        .map_or(0, |at| at.saturating_add(1));
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
