//! Groups of rows as one list, made when the program is compiled.

use super::{Parameter, Reader, elsewhere};

pub(super) const fn count(mut groups: &[&[Parameter]]) -> usize {
    let mut all = 0usize;
    while let Some((group, more)) = groups.split_first() {
        (all, groups) = (all.saturating_add(group.len()), more);
    }
    all
}

/// Groups of them as one list.
pub(super) const fn rows<const N: usize>(
    mut groups: &[&[Parameter]],
    mut last: &'static [Parameter],
) -> [Parameter; N] {
    let [first, ..] = super::ROWS;
    let mut all = [first; N];
    let mut left: &mut [Parameter] = &mut all;
    let mut group: &[Parameter] = &[];
    while let Some((place, rest)) = left.split_first_mut() {
        while group.is_empty() {
            match groups.split_first() {
                Some((next, more)) => (group, groups) = (*next, more),
                None if last.is_empty() => return all,
                None => (group, last) = (last, &[]),
            }
        }
        if let Some((row, more)) = group.split_first() {
            (*place, group) = (*row, more);
        }
        left = rest;
    }
    all
}

pub(super) const fn readers<const N: usize>(rows: [Parameter; N]) -> [Reader; N] {
    let none = Reader {
        names: &[],
        read: elsewhere,
    };
    let mut all = [none; N];
    let (mut left, mut rows): (&mut [Reader], &[Parameter]) = (&mut all, &rows);
    while let (Some((place, rest)), Some((row, more))) =
        (left.split_first_mut(), rows.split_first())
    {
        (place.names, place.read) = (row.names, row.read);
        (left, rows) = (rest, more);
    }
    all
}
