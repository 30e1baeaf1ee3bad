//! The fields of a word about the network: what stands between its colons.
//!
//! Colons are also in addresses of IPv6, which therefore stand in brackets, and in hardware
//! addresses, which are known by their six pairs of digits.
//!
//! Sources: dracut.cmdline(7), Documentation/admin-guide/nfs/nfsroot.rst.

use super::address::{Mac, Network, prefix_of};
use super::wanted::Which;
use crate::base::text::{Joined, Text};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

/// More fields than any word has; the last one is then all that is left.
const FIELDS_MAX: usize = 32;

/// How many oddities of one word are named.
const ODD_MAX: usize = 16;

/// Longest piece of a word that is repeated in a sentence about it, in bytes.
const QUOTED_MAX: usize = 40;

/// `IFNAMSIZ` of the kernel (include/uapi/linux/if.h) without the NUL byte.
const NAME_MAX: usize = 15;

/// Stands for a field that is not UTF-8: no name, number or address.
const NOT_TEXT: &str = "\u{fffd}/";

/// What is left of a word, to be taken from the left.
pub(super) struct Fields<'a> {
    /// The next one is the last here.
    left: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// At least one, even of nothing.
    pub fn of(value: &'a [u8]) -> Self {
        let mut left = Vec::new();
        let mut rest = Some(value);
        while let Some(text) = rest {
            let opened = text.first() == Some(&b'[');
            let closed = text.iter().position(|&b| b == b']').filter(|_| opened);
            let colon = |at: &usize| text.get(*at) == Some(&b':');
            let end = (closed.unwrap_or(0)..text.len()).find(colon);
            let end = end.filter(|_| left.len() < FIELDS_MAX);
            rest = end.and_then(|at| text.get(at.saturating_add(1)..));
            let field = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            left.push(core::str::from_utf8(field).unwrap_or(NOT_TEXT));
        }
        left.reverse();
        Self { left }
    }

    pub fn count(&self) -> usize {
        self.left.len()
    }

    /// The next field; nothing where there is none.
    pub fn peek(&self) -> &'a str {
        self.left.last().copied().unwrap_or_default()
    }

    /// The field behind the next one.
    pub fn second(&self) -> &'a str {
        self.left.iter().rev().nth(1).copied().unwrap_or_default()
    }

    /// Takes the next field.
    pub fn next(&mut self) -> &'a str {
        self.left.pop().unwrap_or_default()
    }

    /// Takes a hardware address if that comes next: six fields, or one with `-` or in brackets.
    pub fn mac(&mut self) -> Option<Mac> {
        if let Some(mac) = Mac::parse(bare(self.peek())) {
            self.next();
            return Some(mac);
        }
        let from = self.left.len().checked_sub(6)?;
        let mut six = self.left.get(from..)?.to_vec();
        six.reverse();
        let mac = Mac::parse(&six.joined(":"))?;
        self.left.truncate(from);
        Some(mac)
    }

    /// Takes the next field as the one that names a link: nothing, a name, a hardware address.
    pub fn link(&mut self, odd: &mut Vec<String>) -> Option<Which> {
        if let Some(mac) = self.mac() {
            return Some(Which::Mac(mac));
        }
        let name = self.next();
        if !name.is_empty() && !is_name(name) {
            odd_field(odd, "link", name, "no name of one", "every link is meant");
        }
        is_name(name).then(|| Which::Name(name.into()))
    }

    /// Nothing more may come.
    pub fn end(&mut self, odd: &mut Vec<String>) {
        let more = self.left.iter().rfind(|field| !field.is_empty());
        if let Some(field) = more {
            odd_field(odd, "further field", field, "one too many", PASSED);
        }
        self.left.clear();
    }
}

/// What is done with a field that says nothing.
pub(super) const PASSED: &str = "it is passed over";

/// Says what is wrong with one field, as the rest of a sentence about the word. A word that is
/// nothing but wrong is not taken apart to its end.
pub(super) fn odd_field(odd: &mut Vec<String>, what: &str, typed: &str, is: &str, instead: &str) {
    if odd.len() < ODD_MAX {
        let typed = typed.as_bytes();
        let typed = Text::from(typed.get(..QUOTED_MAX).unwrap_or(typed));
        odd.push(format!(
            "has the {what} '{typed}', which is {is}; {instead}"
        ));
    }
}

/// May a link be called so? As the kernel has it (`dev_valid_name` in net/core/dev.c), and without
/// `%`, in whose place it would put a number.
pub(super) fn is_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b':' | b'%') || b >= 0x80;
    let dots = matches!(name, "" | "." | "..");
    !dots && name.len() <= NAME_MAX && name != NOT_TEXT && name.bytes().all(fine)
}

/// Without the brackets around it.
fn bare(field: &str) -> &str {
    let inside = field.strip_prefix('[').and_then(|f| f.strip_suffix(']'));
    inside.unwrap_or(field)
}

/// An address, in brackets or not. Of IPv4 each number is decimal, whatever zeros are in front, as
/// in the kernel (`in_aton`).
pub(super) fn address(field: &str) -> Option<IpAddr> {
    let text = bare(field);
    if text.bytes().any(|b| b == b':') {
        return text.parse().ok().map(IpAddr::V6);
    }
    let mut octets = [0; 4];
    let mut numbers = text.split('.');
    for octet in &mut octets {
        let digits = |n: &&str| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit());
        *octet = numbers.next().filter(digits)?.parse().ok()?;
    }
    let whole = numbers.next().is_none();
    whole.then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// An address and the prefix that may follow: `A`, `A/P`, `[A/P]`, `[A]/P`.
pub(super) fn with_prefix(field: &str) -> Option<(IpAddr, Option<u8>)> {
    let Some((typed, prefix)) = field.rsplit_once('/') else {
        return Some((address(field)?, None));
    };
    let (typed, prefix) = match prefix.strip_suffix(']') {
        Some(prefix) => (typed.strip_prefix('[')?, prefix),
        None => (typed, prefix),
    };
    let address = address(typed)?;
    Some((address, Some(prefix_for(address, prefix)?)))
}

/// How many bits of `address` are the network's: a number or, of IPv4, a mask.
pub(super) fn prefix_for(of: IpAddr, typed: &str) -> Option<u8> {
    match address(typed) {
        Some(IpAddr::V4(mask)) if of.is_ipv4() => prefix_of(mask),
        _ => {
            let bits = typed.parse().ok()?;
            (bits <= Network::longest(of)).then_some(bits)
        }
    }
}

/// Bytes that a packet may have on a link: what IPv4 must have, and what its header can say.
pub(super) fn mtu(typed: &str) -> Option<u32> {
    let bytes = typed.parse().ok();
    bytes.filter(|bytes| (68..=65535).contains(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn colons_part_fields_except_in_brackets() {
        for (typed, expected) in [
            ("", &[""][..]),
            ("a:b", &["a", "b"]),
            (":a::", &["", "a", "", ""]),
            ("[a:b]:c", &["[a:b]", "c"]),
            ("[a:b]/8:c", &["[a:b]/8", "c"]),
            ("[a:b", &["[a", "b"]),
            ("a[b:c]", &["a[b", "c]"]),
            ("]:a", &["]", "a"]),
        ] {
            let mut fields = Fields::of(typed.as_bytes());
            let found: Vec<&str> = (0..fields.count()).map(|_| fields.next()).collect();
            assert_eq!(found, expected, "{typed}");
        }
        assert!(!is_name(Fields::of(b"\xff").next()));
    }

    #[test]
    fn addresses_are_read_with_and_without_a_prefix() {
        for (typed, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.000.002.010", "192.0.2.10"),
            ("192.0.2.1/24", "192.0.2.1/24"),
            ("192.0.2.1/255.255.0.0", "192.0.2.1/16"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1/64]", "2001:db8::1/64"),
            ("[2001:db8::1]/64", "2001:db8::1/64"),
            ("[192.0.2.1/8]", "192.0.2.1/8"),
        ] {
            let (address, prefix) = with_prefix(typed).expect(typed);
            let shown = match prefix {
                Some(prefix) => format!("{address}/{prefix}"),
                None => address.to_string(),
            };
            assert_eq!(shown, expected, "{typed}");
        }
        for odd in [
            "",
            "x",
            "192.0.2",
            "192.0.2.256",
            "192.0.2.1.1",
            "192.0.2.+1",
            "192.0.2.1/33",
            "192.0.2.1/",
            "192.0.2.1/255.0.255.0",
            "[2001:db8::1",
            "[2001:db8::1/129]",
            "2001:db8::1/64]",
            "1:2",
            "/8",
        ] {
            assert_eq!(with_prefix(odd), None, "{odd}");
        }
    }

    #[test]
    fn links_are_named_as_the_kernel_allows() {
        for fine in [
            "eth0",
            "vlan0.5",
            "enp0s3",
            "enx525400abcdef",
            "a-b",
            "\u{e9}",
        ] {
            assert!(is_name(fine), "{fine}");
        }
        for odd in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "a:b",
            "eth%d",
            "sixteen-bytes-16",
        ] {
            assert!(!is_name(odd), "{odd}");
        }
    }
}
