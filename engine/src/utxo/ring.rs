//! The ring of block roots, and which block a record is of.

use super::keys::{PLACE, Place, for_each_place};
use crate::leaf_store::{LeafRead, StoreError};
use alloy_primitives::B256;
use thinstate_formats::{
    BatchId, BlockNumber, NodeHasher, RecordIndex,
    list::{ListTree, StagedDigest},
};

/// The roots of the last blocks, with the tree over them.
#[derive(Debug)]
pub(super) struct Ring {
    len: u32,
    tree: ListTree,
    places: Vec<Option<Place>>,
}

impl Ring {
    pub(super) fn open<R: LeafRead>(
        read: &R,
        hasher: &NodeHasher,
        len: u32,
    ) -> Result<Self, StoreError> {
        let mut places = vec![None; len as usize];
        for_each_place(read, PLACE, |number, place| {
            if let Some(at) = places.get_mut(number as usize) {
                *at = Some(place);
            }
        })?;
        let root = |place: &Option<Place>| place.map_or(B256::ZERO, |place| place.root);
        let tree = ListTree::build(hasher, places.iter().map(root).collect());
        Ok(Self { len, tree, places })
    }

    /// Root of the list of all places.
    pub(super) fn root(&self) -> B256 {
        self.tree.root()
    }

    pub(super) fn roots(&self) -> &[B256] {
        self.tree.digests()
    }

    pub(super) fn place_of(&self, block: BlockNumber) -> u32 {
        (block.0 % u64::from(self.len)) as u32
    }

    pub(super) fn batch_of(&self, block: BlockNumber) -> BatchId {
        BatchId(block.0 / u64::from(self.len))
    }

    /// The batch that is sealed with this block, if it is the last of one.
    pub(super) fn seals(&self, block: BlockNumber) -> Option<BatchId> {
        (self.place_of(block) + 1 == self.len).then(|| self.batch_of(block))
    }

    /// The place that a block has, or has to be given.
    pub(super) fn place(&self, block: BlockNumber) -> Option<Place> {
        self.places[self.place_of(block) as usize]
    }

    /// The nodes that change if the block has this root.
    pub(super) fn stage(
        &self,
        hasher: &NodeHasher,
        block: BlockNumber,
        root: B256,
    ) -> StagedDigest {
        let place = self.place_of(block) as usize;
        let staged = self.tree.stage(hasher, place, root);
        staged.expect("the ring has all its places")
    }

    pub(super) fn apply(&mut self, block: BlockNumber, nodes: StagedDigest, to: Option<Place>) {
        let place = self.place_of(block) as usize;
        self.tree.apply(nodes);
        self.places[place] = to;
    }

    /// The oldest block that the ring holds.
    pub(super) fn oldest(&self, first: BlockNumber, head: BlockNumber) -> BlockNumber {
        let oldest = head.0.saturating_sub(u64::from(self.len) - 1);
        BlockNumber(oldest.max(first.0))
    }

    /// The block from `oldest` to `head` that has a record; `None` if an older one has it.
    pub(super) fn block_of(
        &self,
        index: RecordIndex,
        oldest: BlockNumber,
        head: BlockNumber,
    ) -> Option<BlockNumber> {
        let begins = |block| {
            self.place(BlockNumber(block))
                .map_or(RecordIndex(0), |p| p.index)
        };
        // The last block that begins at or before the index. Of several that begin at the same one,
        // all but the last have no records.
        let (mut low, mut high) = (oldest.0, head.0.checked_add(1)?);
        while low < high {
            let middle = low + (high - low) / 2;
            match begins(middle) <= index {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let block = low.checked_sub(1)?;
        (block >= oldest.0).then_some(BlockNumber(block))
    }
}
