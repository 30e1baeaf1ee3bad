//! Headers are read as cryptsetup reads them.

use super::made::{self, read_bytes};
use super::oracle;
use landfall::format::json;

#[test]
fn headers_say_what_luks_dump_says() {
    for made in made::all() {
        let header = made.header();
        let (name, dump) = (&made.name, oracle::plain_dump(&made.dump));
        assert_eq!(header.damage, None, "{name}");
        if header.version == 1 {
            let ours = oracle::plain_dump(&oracle::dump_of_one(&header));
            assert!(dump.ends_with(&ours), "{name}:\n{ours}\n{dump}");
            continue;
        }
        let theirs = json::read(made.json.as_bytes()).expect("cryptsetup writes JSON");
        let theirs = oracle::without_bodies(&theirs);
        let ours = oracle::json_of_two(&header, &theirs);
        assert_eq!(oracle::sorted(&ours), oracle::sorted(&theirs), "{name}");
        let or_none = |text: &str, none: &str| match text {
            "" => none.to_owned(),
            text => text.to_owned(),
        };
        let head = format!(
            "Version: 2 Epoch: {} Metadata area: {} [bytes] Keyslots area: {} [bytes] \
             UUID: {} Label: {} Subsystem: {} Flags: (no flags)",
            header.sequence,
            made.json_area() + 4096,
            header.metadata_size - 2 * (made.json_area() + 4096),
            header.uuid,
            or_none(&header.label, "(no label)"),
            or_none(&header.subsystem, "(no subsystem)"),
        );
        assert!(dump.contains(&head), "{name}:\n{head}\n{dump}");
    }
}

#[cfg(feature = "host")]
#[test]
fn json_means_to_us_what_it_means_to_others() {
    use landfall::format::json::Value;
    fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Text(a), serde_json::Value::String(b)) => a == b,
            (Value::Number(a), serde_json::Value::Number(b)) => *a == b.as_u64(),
            (Value::List(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), serde_json::Value::Object(b)) => {
                let each = |(k, v): &(String, Value)| b.get(k).is_some_and(|b| same(v, b));
                a.len() == b.len() && a.iter().all(each)
            }
            _ => false,
        }
    }
    for made in made::all().filter(|made| !made.json.is_empty()) {
        let ours = json::read(made.json.as_bytes()).expect("cryptsetup writes JSON");
        let theirs = serde_json::from_str(&made.json).expect("cryptsetup writes JSON");
        assert!(same(&ours, &theirs), "{}", made.json);
    }
}

#[test]
fn slots_are_tried_in_the_order_of_their_priority() {
    let header = made::one("two-slots").header();
    let order = |wanted| {
        let tried = header.candidates(wanted);
        tried
            .iter()
            .map(|(slot, _)| slot.number)
            .collect::<Vec<_>>()
    };
    // 9 is to be ignored, 6 holds another key.
    assert_eq!(order(None), [4, 0, 2]);
    assert_eq!(order(Some(9)), [9]);
    assert_eq!(order(Some(6)), [0u32; 0]);
    assert_eq!(order(Some(31)), [0u32; 0]);
    let header = made::one("one-slots").header();
    let tried: Vec<_> = header
        .candidates(None)
        .iter()
        .map(|(slot, _)| slot.number)
        .collect();
    assert_eq!(tried, [0, 3, 7]);
}

#[test]
fn what_is_no_luks_is_said_to_be_none() {
    let check = |bytes: &[u8], expected: &str| {
        let error = read_bytes(bytes).expect_err("no header");
        assert!(error.text.contains(expected), "{error}");
    };
    check(&[], "no LUKS header");
    check(&[0; 10_000_000], "no LUKS header");
    let mut three = vec![0; 100_000];
    three[..8].copy_from_slice(b"LUKS\xba\xbe\0\x03");
    check(&three, "LUKS version 3 is not known");
}
