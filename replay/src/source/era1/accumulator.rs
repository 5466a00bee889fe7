//! The era1 accumulator: the SSZ root of the file's block hashes and total difficulties.
//!
//! ```text
//! HeaderRecord = Container(block_hash: Bytes32, total_difficulty: uint256)
//! accumulator  = hash_tree_root(List[HeaderRecord, 8192])
//!
//! leaf  = sha256(block_hash | total_difficulty, 32 bytes little-endian)
//! root  = Merkle root over 8192 leaves, absent ones zero
//! final = sha256(root | count, 32 bytes little-endian)
//! ```
//!
//! A whole file costs 16,384 hashes of 64 bytes; 256 KiB are kept while it is built.

use alloy_primitives::{B256, U256};
use sha2::{Digest as _, Sha256};

/// Levels of the tree: 2^13 = 8192 leaves.
const DEPTH: u32 = 13;

/// Most blocks that an era1 file can hold.
pub const BLOCKS_MAX: u64 = 1 << DEPTH;

/// Collects the header records of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Accumulator {
    leaves: Vec<B256>,
}

impl Accumulator {
    /// Adds the next block.
    pub(super) fn push(&mut self, hash: B256, total_difficulty: U256) {
        self.leaves
            .push(hash_pair(hash, total_difficulty.to_le_bytes().into()));
    }

    /// The root over the blocks added; at most [`BLOCKS_MAX`] may have been.
    pub(super) fn root(&self) -> B256 {
        let mut level = self.leaves.clone();
        let mut absent = B256::ZERO;
        for _ in 0..DEPTH {
            level = level
                .chunks(2)
                .map(|pair| hash_pair(pair[0], pair.get(1).copied().unwrap_or(absent)))
                .collect();
            absent = hash_pair(absent, absent);
        }
        let count = U256::from(self.leaves.len()).to_le_bytes().into();
        hash_pair(level.first().copied().unwrap_or(absent), count)
    }
}

fn hash_pair(left: B256, right: B256) -> B256 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into();
    digest.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Merkle root of all 8,192 leaves written out, zeros included.
    fn naive(records: &[(B256, U256)]) -> B256 {
        let mut level = vec![B256::ZERO; 1 << DEPTH];
        for (leaf, (hash, difficulty)) in level.iter_mut().zip(records) {
            *leaf = hash_pair(*hash, difficulty.to_le_bytes().into());
        }
        while level.len() > 1 {
            level = level
                .chunks_exact(2)
                .map(|pair| hash_pair(pair[0], pair[1]))
                .collect();
        }
        hash_pair(level[0], U256::from(records.len()).to_le_bytes().into())
    }

    #[test]
    fn absent_leaves_are_not_hashed_differently_from_zeros() {
        for count in [0_u64, 1, 2, 3, 5, 4095, 8191, 8192] {
            let records: Vec<_> = (0..count)
                .map(|n| (B256::from(U256::from(n + 1)), U256::from(n) << 70))
                .collect();
            let mut accumulator = Accumulator::default();
            records
                .iter()
                .for_each(|(hash, difficulty)| accumulator.push(*hash, *difficulty));
            assert_eq!(accumulator.root(), naive(&records), "{count} blocks");
        }
    }
}
