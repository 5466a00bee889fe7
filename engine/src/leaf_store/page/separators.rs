//! The least keys of neighbouring pages: ascending, without what all of them begin with.
//!
//! Of the slots of one contract all keys begin with its 32 bytes, and the pages differ in the two or three behind
//! them: what is left of a separator is about that long, and so is a comparison.

use super::bytes::shared_len;
use super::packed::Packed;

/// Ascending keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Separators {
    /// What all keys begin with, or a part of that.
    beginning: Box<[u8]>,
    /// What follows it in each.
    rests: Packed,
}

/// Where a key is among those that begin as all separators do.
enum Side<'k> {
    Before,
    /// It begins so, and goes on like this.
    Within(&'k [u8]),
    Behind,
}

impl Separators {
    /// Adds a key above the last one.
    pub(super) fn push(&mut self, key: &[u8]) {
        let rest = match self.side(key) {
            Side::Within(rest) => rest,
            Side::Before | Side::Behind => {
                self.begin_with(0);
                key
            }
        };
        self.rests.push(rest);
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.rests.len()
    }

    /// The key at an index.
    pub(super) fn get(&self, index: usize) -> Vec<u8> {
        let mut key = Vec::new();
        self.copy_to(index, &mut key);
        key
    }

    /// Makes `key` the key at an index.
    pub(super) fn copy_to(&self, index: usize, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(&self.beginning);
        key.extend_from_slice(self.rests.get(index));
    }

    /// What all keys begin with, as far as it is known: once [shrunk](Self::shrink) wholly.
    pub(super) fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// Index of the last key at or below `key`; 0 if there is none.
    #[inline]
    pub(super) fn floor(&self, key: &[u8]) -> usize {
        match self.side(key) {
            Side::Before => 0,
            Side::Within(rest) => self.rests.floor(rest),
            Side::Behind => self.last(),
        }
    }

    /// The same, where the key at `from` is known to be at or below `key`, and the one that is looked for is not far.
    #[inline]
    pub(super) fn floor_from(&self, from: usize, key: &[u8]) -> usize {
        match self.side(key) {
            Side::Before => from,
            Side::Within(rest) => self.rests.floor_from(from, rest),
            Side::Behind => self.last(),
        }
    }

    /// Index of the last key below `key`; 0 if there is none.
    #[inline]
    pub(super) fn below(&self, key: &[u8]) -> usize {
        self.below_from(0, key)
    }

    /// The same, where the key at `from` is below `key`, and the one that is looked for is not far; `from` if there is
    /// none.
    #[inline]
    pub(super) fn below_from(&self, from: usize, key: &[u8]) -> usize {
        match self.side(key) {
            Side::Before => from,
            Side::Within(rest) => self.rests.below_from(from, rest),
            Side::Behind => self.last(),
        }
    }

    fn last(&self) -> usize {
        self.len().saturating_sub(1)
    }

    #[inline]
    fn side<'k>(&self, key: &'k [u8]) -> Side<'k> {
        match key.strip_prefix(&*self.beginning) {
            Some(rest) => Side::Within(rest),
            None if key < &*self.beginning => Side::Before,
            None => Side::Behind,
        }
    }

    /// Holds apart the first bytes of the keys, all of which have them in common.
    fn begin_with(&mut self, bytes: usize) {
        let mut rests = Packed::default();
        let mut key = Vec::new();
        let mut beginning = Box::default();
        for index in 0..self.len() {
            self.copy_to(index, &mut key);
            if index == 0 {
                beginning = key[..bytes].into();
            }
            rests.push(&key[bytes..]);
        }
        *self = Self { beginning, rests };
    }

    /// Holds apart what all keys begin with, and gives back what was reserved for more of them.
    pub(super) fn shrink(&mut self) {
        if self.len() > 0 {
            // Ascending as they are, all others begin with what the first and the last begin with.
            let (first, last) = (self.get(0), self.get(self.last()));
            self.begin_with(shared_len(&first, &last));
        }
        self.rests.shrink();
    }

    /// Memory that the keys take.
    pub(super) fn memory_bytes(&self) -> usize {
        self.beginning.len() + self.rests.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn keys(most: usize) -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
        proptest::collection::btree_set(proptest::collection::vec(0..3_u8, 0..6), 1..most)
    }

    proptest! {
        #[test]
        fn no_key_is_looked_for_elsewhere_than_in_a_sorted_list(
            beginning in proptest::collection::vec(0..3_u8, 0..4),
            ends in keys(20),
            shrunk in 0..20_usize,
            sought in proptest::collection::vec(0..3_u8, 0..9),
        ) {
            let all: Vec<Vec<u8>> = ends.iter().map(|end| [&*beginning, end].concat()).collect();
            let mut separators = Separators::default();
            for (index, key) in all.iter().enumerate() {
                if index == shrunk {
                    separators.shrink();
                }
                separators.push(key);
            }
            for _ in 0..2 {
                let got: Vec<_> = (0..separators.len()).map(|index| separators.get(index)).collect();
                prop_assert_eq!(&got, &all);
                let floor = all.partition_point(|key| *key <= sought).saturating_sub(1);
                let below = all.partition_point(|key| *key < sought).saturating_sub(1);
                prop_assert_eq!(separators.floor(&sought), floor);
                prop_assert_eq!(separators.below(&sought), below);
                for (from, key) in all.iter().enumerate() {
                    if *key <= sought {
                        prop_assert_eq!(separators.floor_from(from, &sought), floor);
                    }
                    let nearest = if *key < sought { below } else { from };
                    prop_assert_eq!(separators.below_from(from, &sought), nearest);
                }
                separators.shrink();
                prop_assert!(separators.beginning().starts_with(&beginning));
            }
        }
    }
}
