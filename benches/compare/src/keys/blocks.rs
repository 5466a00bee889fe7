//! The blocks.

use super::{KeySpace, space::mix};
use crate::peer::Update;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use thinstate_benches::Draws;

/// One in so many updates is of a new key.
const NEW_IN: u64 = 10;
/// Draws for each key of a block, on average, before it is given up.
const DRAWS_MAX: u64 = 64;

/// How far a workload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Keys that exist.
    pub keys: u64,
    /// The last block; filling is block 0.
    pub block: u64,
}

/// A block that cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum WorkloadError {
    /// The distribution prefers too few keys: take a smaller exponent, smaller blocks or more keys.
    #[error(
        "{draws} does not yield {wanted} different keys of {keys} in {tries} draws, only {got}"
    )]
    TooFew {
        /// The distribution.
        draws: Draws,
        /// Keys of the block that exist already.
        wanted: u64,
        /// Keys that exist.
        keys: u64,
        /// Draws made.
        tries: u64,
        /// Different keys among them.
        got: u64,
    },
}

/// A sequence of blocks.
#[derive(Debug)]
pub struct KeyBlocks<'a> {
    space: &'a KeySpace,
    draws: Draws,
    at: Position,
}

impl<'a> KeyBlocks<'a> {
    /// The blocks after `at`.
    pub const fn new(space: &'a KeySpace, draws: Draws, at: Position) -> Self {
        Self { space, draws, at }
    }

    /// How far it has come.
    pub const fn position(&self) -> Position {
        self.at
    }

    /// The next block, of `updates` updates: ascending by key, no key twice.
    pub fn next_block(&mut self, updates: u64) -> Result<Vec<Update>, WorkloadError> {
        let inserts = updates / NEW_IN;
        let next = Position {
            keys: self.at.keys + inserts,
            block: self.at.block + 1,
        };
        let mut numbers = self.drawn(updates - inserts, next.block)?;
        numbers.extend(self.at.keys..next.keys);
        self.at = next;
        Ok(self.space.updates(&numbers, next.block))
    }

    /// Numbers of different keys that exist.
    fn drawn(&self, wanted: u64, block: u64) -> Result<Vec<u64>, WorkloadError> {
        let mut random = self.random(block);
        let drawer = self.draws.among(self.at.keys);
        let mut seen = HashSet::with_capacity(wanted as usize);
        let mut numbers = Vec::with_capacity(wanted as usize);
        let tries = wanted * DRAWS_MAX;
        for _ in 0..tries {
            if numbers.len() as u64 == wanted {
                return Ok(numbers);
            }
            let number = drawer.index(&mut random);
            if seen.insert(number) {
                numbers.push(number);
            }
        }
        match numbers.len() as u64 {
            got if got == wanted => Ok(numbers),
            got => Err(WorkloadError::TooFew {
                draws: self.draws,
                wanted,
                keys: self.at.keys,
                tries,
                got,
            }),
        }
    }

    /// Numbers of keys to be read after the last block, some perhaps more than once.
    pub fn reads(&self, count: u64) -> Vec<u64> {
        // No block has this number.
        let mut random = self.random(u64::MAX - self.at.block);
        let drawer = self.draws.among(self.at.keys);
        (0..count).map(|_| drawer.index(&mut random)).collect()
    }

    fn random(&self, block: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.space.seed() ^ mix(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    const START: Position = Position {
        keys: 1_000,
        block: 0,
    };

    #[test]
    fn no_block_repeats_a_key_and_one_in_ten_is_new() {
        let space = KeySpace::new(3);
        for draws in [Draws::Uniform, Draws::Zipf { exponent: 0.99 }] {
            let mut blocks = KeyBlocks::new(&space, draws, START);
            let old: HashSet<B256> = space.fill(1_000).flatten().map(|it| it.key).collect();
            let block = blocks.next_block(200).expect("there are enough");
            assert!(block.is_sorted_by(|a, b| a.key < b.key));
            let new = block.iter().filter(|it| !old.contains(&it.key)).count();
            assert_eq!((block.len(), new), (200, 20), "{draws}");
            let at = Position {
                keys: 1_020,
                block: 1,
            };
            assert_eq!(blocks.position(), at);
        }
    }

    #[test]
    fn no_block_depends_on_who_drew_the_ones_before() {
        let space = KeySpace::new(3);
        let mut blocks = KeyBlocks::new(&space, Draws::Uniform, START);
        let first = blocks.next_block(100).expect("drawn");
        let mut others = KeyBlocks::new(&space, Draws::Uniform, blocks.position());
        let second = blocks.next_block(100).expect("drawn");
        assert_eq!(others.next_block(100), Ok(second.clone()));
        assert_ne!(first, second);
        assert_eq!(blocks.reads(50), others.reads(50));
    }

    #[test]
    fn no_impossible_block_is_drawn_for_ever() {
        let space = KeySpace::new(3);
        let mut blocks = KeyBlocks::new(&space, Draws::Zipf { exponent: 4.0 }, START);
        let error = blocks.next_block(900).expect_err("a few keys take all");
        let WorkloadError::TooFew { wanted, got, .. } = error;
        assert!(wanted == 810 && got < wanted, "{error}");
        assert_eq!(blocks.position(), START);
    }
}
