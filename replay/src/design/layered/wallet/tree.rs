//! The tree of a block's records, without its lowest levels.
//!
//! Of the list's tree the nodes above each 8 records are kept, 8 bytes for each record; the three levels
//! below are hashed again when a path is asked for, from the hashes of the 8 records.

use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_formats::{
    BlockNumber, NodeHasher, RecordIndex,
    list::{self, ListTree},
    record::{RecordPath, RecordRange, block_root},
};

/// Records under the lowest node that is kept.
pub(in crate::design::layered) const GROUP: u64 = 8;
/// Groups that one thread hashes at a time.
const GROUPS_TOGETHER: usize = 64;

/// The upper part of a block's tree.
#[derive(Clone, Debug)]
pub(super) struct UpperTree {
    range: RecordRange,
    upper: ListTree,
    root: B256,
}

impl UpperTree {
    /// The tree of a block's records, by their hashes.
    pub(super) fn build(
        hasher: &NodeHasher,
        block: BlockNumber,
        first_index: RecordIndex,
        hashes: &[B256],
    ) -> Self {
        let groups = hashes.par_chunks(GROUP as usize);
        let groups = groups.with_min_len(GROUPS_TOGETHER);
        let nodes = groups.map(|group| list::root(hasher, group)).collect();
        let range = RecordRange {
            block,
            first_index,
            count: u32::try_from(hashes.len()).expect("a block has less than 2^32 records"),
        };
        let upper = ListTree::build(hasher, nodes);
        let root = block_root(hasher, &range, upper.root());
        Self { range, upper, root }
    }

    /// The block's root, as the ring has it.
    pub(super) const fn root(&self) -> B256 {
        self.root
    }

    /// The block's records.
    pub(super) const fn range(&self) -> &RecordRange {
        &self.range
    }

    /// The records whose hashes the path of one of them takes: first index, and number.
    pub(super) fn group(&self, index: RecordIndex) -> Option<(RecordIndex, u64)> {
        let position = self.range.position(index)?;
        let first = position - position % GROUP;
        let count = GROUP.min(u64::from(self.range.count) - first);
        Some((RecordIndex(self.range.first_index.0 + first), count))
    }

    /// The path of a record into the ring, with the hashes of its group.
    pub(super) fn path(
        &self,
        hasher: &NodeHasher,
        index: RecordIndex,
        group: Vec<B256>,
    ) -> Option<RecordPath> {
        let position = self.range.position(index)?;
        let lower = ListTree::build(hasher, group);
        let mut siblings = lower.path((position % GROUP) as usize)?;
        siblings.extend(self.upper.path((position / GROUP) as usize)?);
        Some(RecordPath {
            block: self.range.block,
            first_index: self.range.first_index,
            count: self.range.count,
            siblings,
            batch: None,
        })
    }

    /// Bytes of memory.
    pub(super) fn memory_bytes(&self) -> u64 {
        64 * self.upper.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use thinstate_formats::record::BlockTree;

    #[test]
    fn no_path_differs_from_the_one_of_the_whole_tree() {
        let hasher = NodeHasher::default();
        let (block, first) = (BlockNumber(5), RecordIndex(1_000));
        for count in [1u64, 2, 7, 8, 9, 15, 16, 17, 64, 65, 71, 100, 1_000] {
            let hashes: Vec<B256> = (0..count).map(|n| keccak256(n.to_le_bytes())).collect();
            let tree = UpperTree::build(&hasher, block, first, &hashes);
            let whole = BlockTree::build(&hasher, block, first, hashes.clone()).expect("few");
            assert_eq!(tree.root(), whole.root());
            for index in (1_000..1_000 + count).map(RecordIndex) {
                let (from, len) = tree.group(index).expect("it is there");
                let from = (from.0 - 1_000) as usize;
                let group = hashes[from..from + len as usize].to_vec();
                assert_eq!(tree.path(&hasher, index, group), whole.path(index));
            }
            assert!(tree.group(RecordIndex(1_000 + count)).is_none());
        }
    }
}
