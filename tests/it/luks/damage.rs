//! Headers that were damaged, bent, or made to harm.

use super::made::{self, Made, read_bytes};
use landfall::crypt::hash::digest;
use landfall::format::luks::Header;

/// Where the fields of the binary header lie.
const SEQUENCE: usize = 16;
const SUM: usize = 448;

/// Makes the checksum of the copy at `at` right again.
pub fn seal(bytes: &mut [u8], at: usize, size: usize) {
    let copy = &mut bytes[at..at + size];
    copy[SUM..SUM + 64].fill(0);
    let sum = digest("sha256", &[copy]).expect("SHA-256");
    copy[SUM..SUM + 32].copy_from_slice(&sum);
}

/// The image with `change` made to the JSON text of both copies, which stay valid.
pub fn rewritten(made: &Made, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut bytes = made.head();
    let size = made.json_area() as usize + 4096;
    for at in [0, size] {
        let area = &mut bytes[at + 4096..at + size];
        let end = area.iter().position(|b| *b == 0).expect("an end");
        let text = std::str::from_utf8(&area[..end]).expect("JSON");
        let text = change(text);
        area.fill(0);
        area[..text.len()].copy_from_slice(text.as_bytes());
        seal(&mut bytes, at, size);
    }
    bytes
}

/// Deterministic noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % below
    }
}

fn same_volume(a: &Header, b: &Header) -> bool {
    (&a.uuid, &a.slots, &a.segments) == (&b.uuid, &b.slots, &b.segments)
}

#[test]
fn the_second_copy_serves_where_the_first_is_damaged() {
    for name in ["two", "two-32k", "two-128k", "two-4m", "two-detached"] {
        let made = made::one(name);
        let whole = made.header();
        let bytes = made.head();
        let size = made.json_area() as usize + 4096;
        for (what, at, len) in [
            ("its magic", 0, 6),
            ("its version", 6, 2),
            ("its size", 8, 8),
            ("another place", 256, 8),
            ("its checksum", 4096, 1),
            ("its checksum", 24, 1),
            ("its checksum", 448, 1),
            ("its magic", 0, 4096),
            ("its magic", 0, size),
        ] {
            let mut bent = bytes.clone();
            bent[at..at + len].iter_mut().for_each(|b| *b ^= 0xa5);
            let header = read_bytes(&bent).unwrap_or_else(|e| panic!("{name} without {what}: {e}"));
            let damage = header.damage.as_deref().expect("damage is told");
            assert!(damage.contains(what), "{name} without {what}: {damage}");
            assert!(same_volume(&header, &whole), "{name} without {what}");
        }
    }
}

#[test]
fn the_first_copy_serves_where_the_second_is_damaged() {
    let made = made::one("two");
    let mut bytes = made.head();
    bytes[0x4000..0x8000].fill(0x5a);
    let header = read_bytes(&bytes).expect("the first copy");
    assert_eq!(header, made.header());
    bytes[5000] ^= 1;
    let error = read_bytes(&bytes).expect_err("no copy is left");
    assert!(error.text.contains("both copies"), "{error}");
    assert!(error.text.contains("its checksum is wrong"), "{error}");
}

#[test]
fn the_newer_copy_serves() {
    let made = made::one("two-label");
    let size = 0x4000;
    for (at, expected) in [(0, None), (size, Some("older"))] {
        let mut bytes = made.head();
        bytes[at + SEQUENCE..at + SEQUENCE + 8].copy_from_slice(&99u64.to_be_bytes());
        bytes[at + 24..at + 29].copy_from_slice(b"newer");
        seal(&mut bytes, at, size);
        let header = read_bytes(&bytes).expect("two good copies");
        assert_eq!((&*header.label, header.sequence), ("newerwo", 99));
        let damage = header.damage.as_deref();
        assert_eq!(damage.map(|d| d.contains("older")), expected.map(|_| true));
    }
}

#[test]
fn a_copy_that_makes_no_sense_does_not_count() {
    let made = made::one("two");
    let cases: &[(&str, &str, &str)] = &[
        (
            r#""segments":{"0""#,
            r#""segments":{"x""#,
            r#""number" of "x" in "segments""#,
        ),
        (
            r#""segments""#,
            r#""fragments""#,
            r#"section "segments" is missing"#,
        ),
        (
            r#""type":"crypt""#,
            r#""type":5"#,
            r#""type" of "0" in "segments""#,
        ),
        (
            r#""offset":"16777216""#,
            r#""offset":"16777217""#,
            r#""offset" of "0""#,
        ),
        (
            r#""size":"dynamic""#,
            r#""size":"dynamo""#,
            r#""size" of "0""#,
        ),
        (r#""size":"dynamic""#, r#""size":"0""#, r#""size" of "0""#),
        (
            r#""sector_size":4096"#,
            r#""sector_size":4095"#,
            r#""sector_size" of "0""#,
        ),
        (
            r#""stripes":4000"#,
            r#""stripes":4"#,
            r#""af" of "0" in "keyslots""#,
        ),
        (
            r#""offset":"32768""#,
            r#""offset":"16384""#,
            "key slot 0 lies outside",
        ),
        (
            r#""offset":"32768""#,
            r#""offset":"18446744073709551104""#,
            "key slot 0 lies outside",
        ),
        (
            r#""size":"258048""#,
            r#""size":"255999""#,
            r#""area" of "0""#,
        ),
        (
            r#""json_size":"12288""#,
            r#""json_size":"12289""#,
            r#""json_size" in "config""#,
        ),
        (
            r#""keyslots_size":"16744448""#,
            r#""keyslots_size":"1""#,
            "key slot 0 lies outside",
        ),
        (
            r#""salt":""#,
            r#""salt":"-"#,
            r#""salt" of "0" in "keyslots""#,
        ),
        (
            r#""digests":{"#,
            r#""digests":{"0":1,"#,
            "a key stands twice",
        ),
        (
            r#""tokens":{}"#,
            r#""tokens":{"3":{"type":"a"}}"#,
            r#""keyslots" of "3" in "tokens""#,
        ),
        ("{", "[", "bracket is missing"),
    ];
    for (find, put, expected) in cases {
        let bytes = rewritten(&made, |text| {
            assert!(text.contains(find), "{find} in {text}");
            text.replacen(find, put, 1)
        });
        let error = read_bytes(&bytes).expect_err(put);
        assert!(error.text.contains(expected), "{put}: {error}");
    }
    let trailing = rewritten(&made, |text| format!("{text}\0x"));
    let error = read_bytes(&trailing).expect_err("something behind");
    assert!(error.text.contains("behind its JSON text"), "{error}");
}

#[test]
fn what_is_not_known_is_left_out_or_refused_by_name() {
    let made = made::one("two");
    let check = |find: &str, put: &str, expected: &str| {
        let bytes = rewritten(&made, |text| text.replacen(find, put, 1));
        let header = read_bytes(&bytes).expect("a good header");
        let error = header.segment().expect_err(put);
        assert!(error.text.contains(expected), "{put}: {error}");
    };
    let required = |name: &str| format!(r#""config":{{"requirements":{{"mandatory":["{name}"]}},"#);
    for (name, expected) in [
        ("offline-reencrypt", "(offline-reencrypt)"),
        ("online-reencrypt", "(online-reencrypt): finish it"),
        ("online-reencrypt-v2", "--resume-only"),
        ("opal", "drive's own encryption (opal)"),
        ("from-the-future", "requires \"from-the-future\""),
    ] {
        check(r#""config":{"#, &required(name), expected);
    }
    check(r#""type":"crypt""#, r#""type":"linear""#, "not encrypted");
    check(
        r#""type":"crypt""#,
        r#""type":"hw-opal-crypt""#,
        "hw-opal-crypt",
    );
    check(
        r#""type":"crypt""#,
        r#""type":"magic""#,
        "segment type magic",
    );
    let second = r#""segments":{"1":{"type":"linear","offset":"0","size":"512"},"#;
    check(r#""segments":{"#, second, "2 segments");
    let inline = rewritten(&made, |t| {
        t.replacen(r#""config":{"#, &required("inline-hw-tags"), 1)
    });
    assert!(
        read_bytes(&inline)
            .expect("a good header")
            .segment()
            .is_ok()
    );
    // Slots and digests of other kinds may be anything.
    let other = r#""keyslots":{"7":{"type":"reencrypt","key_size":1},"#;
    let other = rewritten(&made, |t| t.replacen(r#""keyslots":{"#, other, 1));
    assert_eq!(
        read_bytes(&other).expect("a good header").slots,
        made.header().slots
    );
}

#[test]
fn flags_are_read() {
    use landfall::format::luks::flags::Flags;
    let flags = r#""config":{"flags":["no-read-workqueue","unheard-of","allow-discards"],"#;
    let bytes = rewritten(&made::one("two"), |t| t.replacen(r#""config":{"#, flags, 1));
    let mut expected = Flags::default();
    expected.set_by_name("allow-discards");
    expected.set_by_name("no-read-workqueue");
    assert_eq!(read_bytes(&bytes).expect("a good header").flags, expected);
}

/// Whatever a bent header says, it is bounded and consistent.
fn harmless(header: &Header, size: usize) {
    for slot in &header.slots {
        assert!(slot.key_size > 0 && slot.area.key_size > 0 && slot.area.len <= 4000 * 512);
        assert!(header.version == 2 || slot.area.at + slot.area.len as u64 <= u64::MAX / 2);
    }
    header.candidates(None);
    let _ = header.segment();
    let _ = size;
}

#[test]
fn ten_thousand_bent_headers_do_no_harm() {
    for name in ["one-slots", "two-slots"] {
        let made = made::one(name);
        let whole = made.header();
        let mut bytes = made.head();
        bytes.truncate(64 << 10);
        let mut noise = Noise(7);
        let (mut unharmed, mut refused) = (0, 0);
        for _ in 0..2500 {
            let mut bent = bytes.clone();
            // In the first copy only, most of them where something stands.
            for _ in 0..=noise.next(4) {
                let within = [700, 0x4000][noise.next(2)];
                let at = noise.next(within);
                bent[at] ^= 1 << noise.next(8);
            }
            match read_bytes(&bent) {
                Ok(header) => {
                    harmless(&header, bent.len());
                    unharmed += usize::from(same_volume(&header, &whole));
                }
                Err(error) => refused += usize::from(!error.text.is_empty()),
            }
        }
        if name == "two-slots" {
            assert_eq!((unharmed, refused), (2500, 0), "the second copy is there");
        } else {
            assert!(unharmed > 100 && refused > 10, "{unharmed} {refused}");
        }
    }
}

#[test]
fn bent_json_under_a_right_checksum_does_no_harm() {
    let made = made::one("two-slots");
    let mut noise = Noise(11);
    let (mut read, mut refused) = (0, 0);
    let bytes = made.head()[..64 << 10].to_vec();
    let end = bytes[4096..].iter().position(|b| *b == 0).expect("an end");
    for _ in 0..5000 {
        let mut bent = bytes.clone();
        for _ in 0..=noise.next(3) {
            let at = 4096 + noise.next(end);
            bent[at] = match noise.next(3) {
                0 => b"{}[]\",:0123456789-\\ue."[noise.next(22)],
                1 => bent[4096 + noise.next(end)],
                _ => noise.next(256) as u8,
            };
        }
        seal(&mut bent, 0, 0x4000);
        bent[0x4000] = 0;
        match read_bytes(&bent) {
            Ok(header) => {
                harmless(&header, bent.len());
                read += 1;
            }
            Err(error) => refused += usize::from(!error.text.is_empty()),
        }
    }
    assert!(read > 200 && refused > 200, "{read} {refused}");
}
