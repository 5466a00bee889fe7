//! Hashed keys of what a block changes.

use super::threads::Threads;
use alloy_primitives::{B256, U256};
use thinstate_formats::{AccountChange, StateChanges, keccak::BatchHasher};

/// An account that a block changes, by hashed address.
pub(super) type Touched<'a> = (B256, &'a AccountChange);

/// What hashes keys, on which threads.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHashing<'a> {
    pub(super) hasher: &'a BatchHasher,
    pub(super) threads: Threads<'a>,
}

impl KeyHashing<'_> {
    /// The accounts that a block changes, by hashed address, ascending.
    pub(super) fn accounts<'c>(&self, changes: &'c StateChanges) -> Vec<Touched<'c>> {
        let (addresses, changes): (Vec<_>, Vec<_>) =
            changes.accounts.iter().map(|(a, c)| (a.0.0, c)).unzip();
        let hashes = self.hash(&addresses);
        let mut touched: Vec<_> = hashes.into_iter().zip(changes).collect();
        self.threads
            .sort_by_key(&mut touched, |(account, _)| *account);
        touched
    }

    /// The hashes of slots' numbers, in order.
    pub(super) fn slots(&self, numbers: &[U256]) -> Vec<B256> {
        let numbers: Vec<[u8; 32]> = numbers.iter().map(|n| n.to_be_bytes()).collect();
        self.hash(&numbers)
    }

    fn hash<const LEN: usize>(&self, keys: &[[u8; LEN]]) -> Vec<B256> {
        let hash = |keys: &[[u8; LEN]]| self.hasher.hash_all(keys);
        self.threads.map_slices(keys, hash).concat()
    }
}
