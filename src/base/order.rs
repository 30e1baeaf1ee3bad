//! Sorting, once, and small. The standard library's sort takes 5 KiB of `init`, and as much again
//! for each element type; everything that is sorted there is sorted as numbers.

use crate::base::list::Listed;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Sorts numbers by any comparison: a heapsort, in place and without a bad case. Equal numbers may
/// change places.
pub fn sort(numbers: &mut [u64], compare: &mut dyn FnMut(&u64, &u64) -> Ordering) {
    for root in (0..numbers.len() / 2).rev() {
        sink(numbers, root, compare);
    }
    let mut rest = numbers;
    while let Some(last) = rest.len().checked_sub(1) {
        rest.swap(0, last);
        rest = rest.get_mut(..last).unwrap_or_default();
        sink(rest, 0, compare);
    }
}

/// Lets the number at `at` sink below all that are greater.
fn sink(
    heap: &mut [u64],
    mut at: usize,
    compare: &mut dyn FnMut(&u64, &u64) -> Ordering,
) -> Option<()> {
    loop {
        let left = at.checked_mul(2)?.checked_add(1)?;
        let mut child = left;
        if let (Some(a), Some(b)) = (heap.get(left), heap.get(left.checked_add(1)?))
            && compare(a, b) == Ordering::Less
        {
            child = left.checked_add(1)?;
        }
        if compare(heap.get(at)?, heap.get(child)?) != Ordering::Less {
            return None;
        }
        heap.swap(at, child);
        at = child;
    }
}

/// The items in order.
pub fn sorted<'a, T>(items: &'a [T], compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<&'a T> {
    let mut places: Vec<u64> = (0..items.len() as u64).listed();
    let item = |place: &u64| items.get(usize::try_from(*place).unwrap_or(usize::MAX));
    sort(&mut places, &mut |a, b| match (item(a), item(b)) {
        // Equal items keep their order.
        (Some(x), Some(y)) => compare(x, y).then(a.cmp(b)),
        _ => a.cmp(b),
    });
    places.iter().filter_map(item).listed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_count_are_sorted() {
        let mut seed = 1u64;
        for count in 0..200 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed >> 58
            };
            let mut numbers: Vec<u64> = (0..count).map(|_| next()).collect();
            let mut expected = numbers.clone();
            expected.sort_unstable();
            sort(&mut numbers, &mut |a, b| a.cmp(b));
            assert_eq!(numbers, expected);
        }
    }

    #[test]
    fn equal_items_keep_their_order() {
        let items = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd')];
        let found = sorted(&items, &|x, y| x.0.cmp(&y.0));
        let names: alloc::string::String = found.iter().map(|i| i.1).collect();
        assert_eq!(names, "dbac");
    }
}
