//! Hashed keys of what a block changes.

use alloy_primitives::{B256, U256};
use rayon::{ThreadPool, prelude::*};
use thinstate_formats::{AccountChange, StateChanges, keccak::BatchHasher};

/// Keys that one thread hashes at a time; fewer are not worth waking another.
const KEYS_TOGETHER: usize = 1_024;

/// An account that a block changes, by hashed address.
pub(super) type Touched<'a> = (B256, &'a AccountChange);

/// What hashes keys, on which threads.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHashing<'a> {
    pub(super) hasher: &'a BatchHasher,
    pub(super) pool: &'a ThreadPool,
}

impl KeyHashing<'_> {
    /// The accounts that a block changes, by hashed address, ascending.
    pub(super) fn accounts<'c>(&self, changes: &'c StateChanges) -> Vec<Touched<'c>> {
        let (addresses, changes): (Vec<_>, Vec<_>) =
            changes.accounts.iter().map(|(a, c)| (a.0.0, c)).unzip();
        let hashes = self.hash(&addresses);
        let mut touched: Vec<_> = hashes.into_iter().zip(changes).collect();
        if touched.len() <= KEYS_TOGETHER {
            touched.sort_unstable_by_key(|(account, _)| *account);
        } else {
            let sort = || touched.par_sort_unstable_by_key(|(account, _)| *account);
            self.pool.install(sort);
        }
        touched
    }

    /// The hashes of slots' numbers, in order.
    pub(super) fn slots(&self, numbers: &[U256]) -> Vec<B256> {
        let numbers: Vec<[u8; 32]> = numbers.iter().map(|n| n.to_be_bytes()).collect();
        self.hash(&numbers)
    }

    fn hash<const LEN: usize>(&self, keys: &[[u8; LEN]]) -> Vec<B256> {
        if keys.len() <= KEYS_TOGETHER {
            return self.hasher.hash_all(keys);
        }
        let in_parallel = || {
            let chunks = keys.par_chunks(KEYS_TOGETHER);
            chunks
                .flat_map_iter(|keys| self.hasher.hash_all(keys))
                .collect()
        };
        self.pool.install(in_parallel)
    }
}
