//! Words about the rescue console.

use super::{check_complaint, wish};
use crate::format::wish::{Rescue, Stop};

#[test]
fn rescue_is_on_off_or_a_number_of_seconds() {
    for (line, expected) in [
        ("", Rescue::Stops),
        ("landfall.rescue=on", Rescue::After(60_000)),
        ("landfall.rescue=5", Rescue::After(5_000)),
        ("landfall.rescue=5 landfall.rescue=off", Rescue::Off),
    ] {
        assert_eq!(wish(line).rescue, expected, "{line}");
    }
    let odd = check_complaint("landfall.rescue=maybe", "landfall.rescue=maybe is neither");
    assert_eq!(odd.rescue, Rescue::Stops);
}

#[test]
fn breaks_have_the_points_of_others() {
    use Stop::{HandOver, Mount, Start};
    for (line, expected) in [
        ("", &[][..]),
        ("rd.break", &[HandOver]),
        ("rdbreak", &[HandOver]),
        ("break", &[Mount]),
        ("rd.break=cmdline rd.break=pre-pivot", &[Start, HandOver]),
        ("rdbreak=pre-mount", &[Mount]),
        ("break=top,bottom", &[Start, HandOver]),
        ("break=mountroot", &[Mount]),
        ("rd.break=initqueue", &[Mount]),
    ] {
        assert_eq!(wish(line).stops, expected, "{line}");
    }
    assert!(
        check_complaint("rd.break=lunch", "rd.break=lunch is no point")
            .stops
            .is_empty()
    );
    assert!(
        check_complaint("rd.break=", "rd.break= is no point")
            .stops
            .is_empty()
    );
}

#[test]
fn fallback_is_another_root() {
    let fallback = |line| super::wish(line).fallback.map(|spec| spec.to_string());
    let line = "landfall.fallback=UUID=1 landfall.fallback=LABEL=b";
    assert_eq!(fallback(line).as_deref(), Some("LABEL=b"));
    super::check_complaint("landfall.fallback=", "landfall.fallback= names no root");
}
