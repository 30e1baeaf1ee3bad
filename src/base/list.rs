//! Lists of what an iterator yields, small.
//!
//! The standard library's `collect` fetches the first item apart from the others, so that all that
//! yields an item is there twice, and asks beforehand how many there may be: 200 bytes of `init`
//! each time. The lists here are short, and made seldom. Not for the bytes of secrets: a list
//! that grows leaves copies behind.

use alloc::vec::Vec;

pub trait Listed: Iterator + Sized {
    /// All items.
    fn listed(self) -> Vec<Self::Item> {
        let mut list = Vec::new();
        for item in self {
            list.push(item);
        }
        list
    }

    /// All items, if each is one.
    fn all_some<T>(self) -> Option<Vec<T>>
    where
        Self: Iterator<Item = Option<T>>,
    {
        let mut list = Vec::new();
        for item in self {
            list.push(item?);
        }
        Some(list)
    }

    /// All items, or the first error.
    fn all_ok<T, E>(self) -> Result<Vec<T>, E>
    where
        Self: Iterator<Item = Result<T, E>>,
    {
        let mut list = Vec::new();
        for item in self {
            list.push(item?);
        }
        Ok(list)
    }
}

impl<I: Iterator> Listed for I {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_all_or_the_first_error() {
        assert_eq!((1..4).listed(), [1, 2, 3]);
        assert_eq!([Some(1), Some(2)].into_iter().all_some().unwrap(), [1, 2]);
        assert_eq!([Some(1), None].into_iter().all_some(), None);
        let outcomes = [Ok(1), Err("a"), Err("b")];
        assert_eq!(outcomes.into_iter().all_ok(), Err("a"));
        assert_eq!([Ok::<_, ()>(1)].into_iter().all_ok(), Ok(alloc::vec![1]));
    }
}
