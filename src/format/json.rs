//! JSON, as much of it as headers on disks use: a small tree, read once, within bounds.
//!
//! Deliberately stricter than most readers: a key that stands twice in an object is an error, and
//! so is anything behind the value. Deliberately poorer: of numbers only those from 0 to 2^64 - 1
//! without fraction and exponent have a value, and bytes that are no UTF-8 are replaced.
//! Source: RFC 8259. `Value::number` also takes decimal digits in a string: that is how LUKS2
//! writes whatever needs 64 bits.

use alloc::string::String;
use alloc::vec::Vec;

/// Objects and lists within each other; the reader of cryptsetup has the same bound.
const DEPTH: usize = 32;
/// Values in one text.
const VALUES: usize = 1 << 14;
/// Members of one object. LUKS2 knows no more than 32 of anything.
const MEMBERS: usize = 256;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    /// `None`: negative, not whole, or too large.
    Number(Option<u64>),
    Text(String),
    List(Vec<Value>),
    /// In the order of the text; no key stands twice.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member of this name, if this is an object that has one.
    pub fn member(&self, key: &str) -> Option<&Value> {
        let found = self.members().iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// All members; of anything but an object, none.
    pub fn members(&self) -> &[(String, Value)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, or a string of nothing but decimal digits.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => digits(text.as_bytes()),
            _ => None,
        }
    }
}

/// The number that `text` spells in decimal digits and nothing else.
pub fn digits(text: &[u8]) -> Option<u64> {
    let add = |sum: u64, b: &u8| {
        let digit = b.checked_sub(b'0').filter(|d| *d < 10)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    };
    match text {
        [] => None,
        text => text.iter().try_fold(0, add),
    }
}

/// Reads `text`, all of it. The error says what is wrong, not where.
pub fn read(text: &[u8]) -> Result<Value, &'static str> {
    let mut reader = Reader {
        rest: text,
        values: VALUES,
    };
    let value = reader.value(DEPTH)?;
    reader.blanks();
    match reader.rest {
        [] => Ok(value),
        _ => Err("something stands behind the JSON text"),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// So many values may still come.
    values: usize,
}

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Takes `text` if it comes next.
    fn takes(&mut self, text: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Everything up to the first byte for which `ends` holds.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| ends(b));
        let (head, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        head
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        let left = self.values.checked_sub(1);
        self.values = left.ok_or("the JSON text has too many values")?;
        let inner = depth.checked_sub(1).ok_or("the JSON text is too deep");
        self.blanks();
        match self.rest.first() {
            Some(b'{') => self.object(inner?),
            Some(b'[') => self.list(inner?),
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.takes(b"true") => Ok(Value::Bool(true)),
            _ if self.takes(b"false") => Ok(Value::Bool(false)),
            _ if self.takes(b"null") => Ok(Value::Null),
            _ => Err("a JSON value is missing"),
        }
    }

    /// After one item of a list or an object: is there another one?
    fn more(&mut self, end: &[u8]) -> Result<bool, &'static str> {
        self.blanks();
        match self.takes(b",") {
            true => Ok(true),
            false if self.takes(end) => Ok(false),
            false => Err("a comma or a bracket is missing in the JSON text"),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, &'static str> {
        let mut items = Vec::new();
        self.takes(b"[");
        self.blanks();
        let mut more = !self.takes(b"]");
        while more {
            items.push(self.value(depth)?);
            more = self.more(b"]")?;
        }
        Ok(Value::List(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, &'static str> {
        let mut members: Vec<(String, Value)> = Vec::new();
        self.takes(b"{");
        self.blanks();
        let mut more = !self.takes(b"}");
        while more {
            self.blanks();
            let key = self.string()?;
            if members.iter().any(|(other, _)| *other == key) {
                return Err("a key stands twice in a JSON object");
            }
            if members.len() >= MEMBERS {
                return Err("a JSON object has too many members");
            }
            self.blanks();
            if !self.takes(b":") {
                return Err("a colon is missing in the JSON text");
            }
            members.push((key, self.value(depth)?));
            more = self.more(b"}")?;
        }
        Ok(Value::Object(members))
    }

    fn number(&mut self) -> Result<Value, &'static str> {
        let word = self.until(|b| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        let unsigned = word.strip_prefix(b"-").unwrap_or(word);
        match unsigned {
            [b'0', b'0'..=b'9', ..] | [] => Err("a number in the JSON text is malformed"),
            [b'0'..=b'9', ..] => Ok(Value::Number(digits(word))),
            _ => Err("a number in the JSON text is malformed"),
        }
    }

    fn string(&mut self) -> Result<String, &'static str> {
        let mut text = String::new();
        if !self.takes(b"\"") {
            return Err("a quote is missing in the JSON text");
        }
        loop {
            let plain = self.until(|b| matches!(b, b'"' | b'\\' | 0..=0x1f));
            text.push_str(&String::from_utf8_lossy(plain));
            if self.takes(b"\"") {
                return Ok(text);
            }
            if !self.takes(b"\\") {
                return Err("a string in the JSON text does not end");
            }
            let c = self.escaped();
            text.push(c.ok_or("an escape in the JSON text is malformed")?);
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        let (kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(*kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let paired = (0xd800..0xdc00).contains(&first) && self.takes(b"\\u");
                let second = if paired { Some(self.unit()?) } else { None };
                let units = core::iter::once(first).chain(second);
                // Half a pair is no character; two lone halves are not one either.
                char::decode_utf16(units).next()?.ok()?
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        digits.iter().try_fold(0, |sum: u16, &b| {
            let digit = char::from(b).to_digit(16)?;
            sum.checked_mul(16)?.checked_add(digit.try_into().ok()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn a_text_is_read_as_it_is_meant() {
        let number = |n| Value::Number(Some(n));
        let check = |json: &str, expected: Value| assert_eq!(read(json.as_bytes()), Ok(expected));
        check(" null ", Value::Null);
        check(
            "[true,false , 0,12]",
            Value::List(alloc::vec![
                Value::Bool(true),
                Value::Bool(false),
                number(0),
                number(12)
            ]),
        );
        check("18446744073709551615", number(u64::MAX));
        check("18446744073709551616", Value::Number(None));
        check("[-1]", Value::List(alloc::vec![Value::Number(None)]));
        check("1.5e3", Value::Number(None));
        check(r#""a\n\"\\\/\u0041\ud83d\ude00é""#, text("a\n\"\\/A😀é"));
        check("{}", Value::Object(Vec::new()));
        let value = read(br#"{"a":{"b":"34"},"c":[]}"#).unwrap();
        assert_eq!(
            value.member("a").unwrap().member("b").unwrap().number(),
            Some(34)
        );
        assert_eq!(value.member("c").unwrap().items(), Some(&[][..]));
        assert!(value.member("d").is_none() && value.member("a").unwrap().text().is_none());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for json in [
            "",
            "{",
            "[1",
            "[1,]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "nul",
            "01",
            "-",
            "--1",
            "+1",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a\nb\"",
            "1 2",
            "{}{}",
            "{\"a\":1,\"a\":1}",
            "'a'",
            "{a:1}",
            "\u{0}",
        ] {
            assert!(read(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn bounds_hold() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read(deep(DEPTH).as_bytes()).is_ok());
        assert!(read(deep(DEPTH + 1).as_bytes()).is_err());
        assert!(read(deep(1 << 20).as_bytes()).is_err());
        let wide = |n: usize| format!("[0{}]", ",0".repeat(n - 1));
        assert!(read(wide(VALUES - 1).as_bytes()).is_ok());
        assert!(read(wide(VALUES).as_bytes()).is_err());
        let members: Vec<String> = (0..=MEMBERS).map(|n| format!("\"{n}\":0")).collect();
        let object = |n: usize| format!("{{{}}}", members[..n].join(","));
        assert!(read(object(MEMBERS).as_bytes()).is_ok());
        assert!(read(object(MEMBERS + 1).as_bytes()).is_err());
    }

    #[test]
    fn digits_are_digits_only() {
        let cases = [("0", Some(0)), ("", None), ("+1", None), (" 1", None)];
        let more = [("0016", Some(16)), ("18446744073709551616", None)];
        for (text, expected) in cases.into_iter().chain(more) {
            assert_eq!(digits(text.as_bytes()), expected, "{text}");
        }
    }
}
