//! Names in order, and what each of them stands for: sorted lists.
//!
//! Deliberately no tree: with some thousands of names, which is as many as there ever are, it is
//! hardly faster, and the standard library's takes 4 KiB of `init` for each type that it holds.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Names in order, each once.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

impl Names {
    /// Where `name` stands, or else where it belongs.
    #[inline(never)]
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.as_str().cmp(name))
    }

    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// True if it was not there.
    pub fn insert(&mut self, name: &str) -> bool {
        let place = self.place(name);
        if let Err(at) = place {
            self.0.insert(at, name.into());
        }
        place.is_err()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> core::slice::Iter<'_, String> {
        self.0.iter()
    }
}

/// Values by name, in the order of the names. They are boxed: what this does is the same for values
/// of every type, and is there once.
#[derive(Clone, Debug)]
pub struct Table<V> {
    names: Names,
    values: Vec<Box<V>>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self {
            names: Names::default(),
            values: Vec::new(),
        }
    }
}

impl<V> Table<V> {
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub fn get(&self, name: &str) -> Option<&V> {
        let at = self.names.place(name).ok()?;
        self.values.get(at).map(|value| &**value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let at = self.names.place(name).ok()?;
        self.values.get_mut(at).map(|value| &mut **value)
    }

    /// In place of what was there under that name.
    pub fn insert(&mut self, name: &str, value: V) {
        self.put(name, Box::new(value));
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<V>) {
        match self.names.place(name) {
            Ok(at) => {
                if let Some(place) = self.values.get_mut(at) {
                    *place = value;
                }
            }
            Err(at) => {
                self.names.0.insert(at, name.into());
                self.values.insert(at, value);
            }
        }
    }

    /// What is there under that name, or else this from now on.
    pub fn or_insert(&mut self, name: &str, value: V) -> Option<&mut V> {
        if !self.contains(name) {
            self.insert(name, value);
        }
        self.get_mut(name)
    }

    pub fn remove(&mut self, name: &str) -> Option<V> {
        let at = self.names.place(name).ok()?;
        self.names.0.remove(at);
        Some(*self.values.remove(at))
    }

    /// Removes all that `keep` is not true of.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &V) -> bool) {
        let mut at = 0;
        while let (Some(name), Some(value)) = (self.names.0.get(at), self.values.get(at)) {
            if keep(name, value) {
                at = at.saturating_add(1);
            } else {
                self.names.0.remove(at);
                self.values.remove(at);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.names.iter().zip(self.values())
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter().map(|value| &**value)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().map(|value| &mut **value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};

    #[test]
    fn a_table_is_what_a_tree_would_be() {
        let (mut table, mut tree) = (Table::default(), BTreeMap::new());
        let (mut names, mut set) = (Names::default(), BTreeSet::new());
        let mut seed = 1u64;
        for step in 0..2000u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let name = alloc::format!("sd{}", seed >> 58);
            assert_eq!(names.insert(&name), set.insert(name.clone()));
            match (seed >> 50) % 4 {
                0 => assert_eq!(table.remove(&name), tree.remove(&name)),
                1 => {
                    table.insert(&name, step);
                    tree.insert(name.clone(), step);
                }
                2 => {
                    let there = *table.or_insert(&name, step).unwrap();
                    assert_eq!(there, *tree.entry(name.clone()).or_insert(step));
                }
                _ => assert_eq!(table.get(&name), tree.get(&name)),
            }
            if step % 500 == 499 {
                table.retain(|name, value| name < "sd4" || value % 2 == 0);
                tree.retain(|name, value| name.as_str() < "sd4" || *value % 2 == 0);
            }
            assert!(table.iter().eq(tree.iter()) && names.iter().eq(set.iter()));
            assert_eq!((table.len(), names.len()), (tree.len(), set.len()));
            assert_eq!(table.contains(&name), tree.contains_key(&name));
        }
        table.values_mut().for_each(|value| *value = 0);
        assert!(table.values().all(|value| *value == 0) && !table.is_empty());
    }
}
