//! One period: its entries, and its tree where blocks commit to one.

use super::{
    commitment::{HashWork, Hashing},
    entries::PeriodEntries,
    live_tree::{LeafChange, LiveTree},
};
use alloy_primitives::B256;
use thinstate_formats::{PeriodId, counted::Node};

/// Leaf changes that a tree is built from at a time.
const BUILD_BATCH: usize = 1 << 16;

/// The entries that were written in one period.
pub(super) struct Period {
    pub(super) id: PeriodId,
    pub(super) entries: PeriodEntries,
    /// Under the incremental commitment: the tree of the entries that are present and not shadowed.
    /// Of the previous period this is what the seal takes.
    pub(super) tree: Option<LiveTree>,
    /// Bytes of its logs in the store, keys included.
    pub(super) log_bytes: u64,
}

impl Period {
    pub(super) fn new(id: PeriodId, with_tree: bool) -> Self {
        Self {
            id,
            entries: PeriodEntries::new(),
            tree: with_tree.then(LiveTree::default),
            log_bytes: 0,
        }
    }

    /// The root of the tree; of no leaves where there is no tree.
    pub(super) fn root(&self) -> Node {
        self.tree.as_ref().map_or(Node::EMPTY, LiveTree::root)
    }

    /// Takes these locations into the tree, as the entries have them now.
    pub(super) fn update_tree(&mut self, hashing: &Hashing, locations: &[B256]) -> HashWork {
        let Some(tree) = &mut self.tree else {
            return HashWork::default();
        };
        let changes: Vec<LeafChange> = locations
            .iter()
            .map(|location| {
                let value = self.entries.sealable(location);
                (*location, (!value.is_zero()).then_some(value))
            })
            .collect();
        if changes.is_empty() {
            return HashWork::default();
        }
        let work = tree.update(&hashing.hasher, hashing.pool.as_deref(), &changes);
        let (leaves, inner) = (work.leaf_hashes, work.inner_hashes);
        HashWork::of(leaves + inner, 64 * leaves + 128 * inner)
    }

    /// Builds the tree of all entries, which has none of them yet.
    pub(super) fn fill_tree(&mut self, hashing: &Hashing) {
        let Some(mut tree) = self.tree.take() else {
            return;
        };
        let entries = &self.entries;
        let sealable = |(id, _): &_| !entries.is_shadowed(*id);
        let mut leaves = entries
            .iter()
            .filter(sealable)
            .filter(|(_, entry)| !entry.value.is_zero())
            .map(|(_, entry)| (entry.location, Some(entry.value)));
        loop {
            let batch: Vec<LeafChange> = leaves.by_ref().take(BUILD_BATCH).collect();
            if batch.is_empty() {
                break;
            }
            tree.update(&hashing.hasher, hashing.pool.as_deref(), &batch);
        }
        drop(leaves);
        self.tree = Some(tree);
    }

    /// Bytes in memory.
    pub(super) fn memory_bytes(&self) -> u64 {
        let tree = self.tree.as_ref().map_or(0, LiveTree::memory_bytes);
        self.entries.memory_bytes() + tree as u64
    }
}
