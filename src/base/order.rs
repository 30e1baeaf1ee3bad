//! Sorting, once. Each element type and each comparison would bring its own copy of the standard
//! library's sort (about 4 KiB) into `init`; everything that is sorted there is sorted as numbers.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Sorts numbers by any comparison.
pub fn sort(numbers: &mut [u64], compare: &mut dyn FnMut(&u64, &u64) -> Ordering) {
    numbers.sort_unstable_by(compare);
}

/// The items in order.
pub fn sorted<'a, T>(items: &'a [T], compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<&'a T> {
    let mut places: Vec<u64> = (0..items.len() as u64).collect();
    let item = |place: &u64| items.get(usize::try_from(*place).unwrap_or(usize::MAX));
    sort(&mut places, &mut |a, b| match (item(a), item(b)) {
        // Equal items keep their order.
        (Some(x), Some(y)) => compare(x, y).then(a.cmp(b)),
        _ => a.cmp(b),
    });
    places.iter().filter_map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_keep_their_order() {
        let items = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd')];
        let found = sorted(&items, &|x, y| x.0.cmp(&y.0));
        let names: alloc::string::String = found.iter().map(|i| i.1).collect();
        assert_eq!(names, "dbac");
    }
}
