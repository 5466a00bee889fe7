//! Keys and values by their numbers.

use crate::peer::Update;
use alloy_primitives::B256;
use thinstate_formats::BatchHasher;

/// Keys of one part of a fill.
const FILL_PART: u64 = 1 << 17;

/// All keys of a seed.
#[derive(Debug)]
pub struct KeySpace {
    seed: u64,
    hasher: BatchHasher,
}

impl KeySpace {
    /// Those of this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            hasher: BatchHasher::new(),
        }
    }

    /// The seed.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The keys with these numbers.
    pub fn keys(&self, numbers: &[u64]) -> Vec<B256> {
        let message = |number: &u64| {
            let mut message = [0; 16];
            message[..8].copy_from_slice(&self.seed.to_be_bytes());
            message[8..].copy_from_slice(&number.to_be_bytes());
            message
        };
        let messages: Vec<[u8; 16]> = numbers.iter().map(message).collect();
        let mut keys = Vec::new();
        self.hasher.hash_fixed::<16, _>(&messages, &mut keys);
        keys
    }

    /// What a block writes to a key.
    pub fn value(&self, key: B256, number: u64, block: u64) -> B256 {
        let (first, second) = halves(key);
        let third = mix(self.seed ^ number.rotate_left(32) ^ mix(block));
        let words = [number ^ first, block ^ second, third, mix(third)];
        let mut value = B256::ZERO;
        for (bytes, word) in value.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        value
    }

    /// The block that wrote this value to the key with this number; `None` where none did.
    pub fn written_by(&self, key: B256, number: u64, value: B256) -> Option<u64> {
        let block = halves(value).1 ^ halves(key).1;
        (value == self.value(key, number, block)).then_some(block)
    }

    /// Updates of the keys with these numbers, by key.
    pub fn updates(&self, numbers: &[u64], block: u64) -> Vec<Update> {
        let keys = self.keys(numbers).into_iter().zip(numbers);
        let mut updates: Vec<_> = keys
            .map(|(key, number)| Update {
                key,
                value: self.value(key, *number, block),
            })
            .collect();
        updates.sort_unstable_by_key(|update| update.key);
        updates
    }

    /// The first keys, with what block 0 wrote, some at a time.
    pub fn fill(&self, keys: u64) -> impl Iterator<Item = Vec<Update>> + '_ {
        (0..keys.div_ceil(FILL_PART)).map(move |part| {
            let numbers = part * FILL_PART..((part + 1) * FILL_PART).min(keys);
            self.updates(&numbers.collect::<Vec<_>>(), 0)
        })
    }
}

/// The first two words of sixteen bytes and more.
fn halves(bytes: B256) -> (u64, u64) {
    let word = |at: usize| {
        let word = bytes[at..at + 8].try_into();
        u64::from_be_bytes(word.expect("eight of 32 bytes"))
    };
    (word(0), word(8))
}

/// A bijection of words that spreads them (splitmix64).
pub(super) const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_value_is_taken_for_that_of_another_key() {
        let space = KeySpace::new(7);
        let keys = space.keys(&[5, 6]);
        let value = space.value(keys[0], 5, 1_234);
        assert_eq!(space.written_by(keys[0], 5, value), Some(1_234));
        assert_eq!(space.written_by(keys[1], 6, value), None);
        assert_eq!(space.written_by(keys[1], 5, value), None);
        let mut changed = value;
        changed[31] ^= 1;
        assert_eq!(space.written_by(keys[0], 5, changed), None);
        assert_eq!(KeySpace::new(8).written_by(keys[0], 5, value), None);
    }

    #[test]
    fn no_key_is_filled_twice_or_left_out() {
        let space = KeySpace::new(1);
        let count = FILL_PART + 3;
        let mut filled = BTreeMap::new();
        for part in space.fill(count) {
            assert!(part.is_sorted_by(|a, b| a.key < b.key));
            filled.extend(part.into_iter().map(|it| (it.key, it.value)));
        }
        assert_eq!(filled.len() as u64, count);
        let last = space.keys(&[count - 1])[0];
        assert_eq!(space.written_by(last, count - 1, filled[&last]), Some(0));
    }
}
