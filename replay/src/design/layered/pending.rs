//! What is planned of the temporary tier and not applied yet, and what waits for a seal.

use alloy_primitives::{
    Address, B256, U256,
    map::{B256Map, HashSet},
};
use std::collections::VecDeque;
use thinstate_formats::{BlockNumber, LeafIndex, PeriodId, object::ObjectKey};

/// What blocks that were planned, and are not applied, do to temporary entries.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// By location: the value, and the block that writes it.
    values: B256Map<(U256, BlockNumber)>,
    used: HashSet<(PeriodId, LeafIndex)>,
    blocks: VecDeque<PendingBlock>,
}

/// One of these blocks.
#[derive(Debug)]
pub(super) struct PendingBlock {
    pub(super) block: BlockNumber,
    pub(super) values: Vec<(B256, U256)>,
    pub(super) used: Vec<(PeriodId, LeafIndex)>,
}

/// A change that needs a version which is on its way to the seal: its transaction waits, and those
/// behind it change what it will leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) contract: Address,
    pub(super) slot: U256,
    pub(super) key: ObjectKey,
    /// What is sealed.
    pub(super) sealed: U256,
    /// What it is to become.
    pub(super) after: U256,
    /// The first block that is planned with it.
    pub(super) until: BlockNumber,
}

impl Pending {
    /// What a pending block leaves at a location, and which.
    pub(super) fn value(&self, location: &B256) -> Option<(U256, BlockNumber)> {
        self.values.get(location).copied()
    }

    /// Whether a pending block uses a leaf.
    pub(super) fn uses(&self, period: PeriodId, index: LeafIndex) -> bool {
        self.used.contains(&(period, index))
    }

    /// Adds a planned block.
    pub(super) fn push(&mut self, block: PendingBlock) {
        let number = block.block;
        let values = block.values.iter();
        self.values
            .extend(values.map(|(at, value)| (*at, (*value, number))));
        self.used.extend(&block.used);
        self.blocks.push_back(block);
    }

    /// The store has all blocks up to this one.
    pub(super) fn applied(&mut self, to: BlockNumber) {
        while let Some(block) = self.blocks.pop_front_if(|block| block.block <= to) {
            for (location, _) in &block.values {
                if self.value(location).is_some_and(|(_, of)| of <= to) {
                    self.values.remove(location);
                }
            }
            for leaf in &block.used {
                self.used.remove(leaf);
            }
        }
    }

    /// Forgets the blocks from this one on.
    pub(super) fn rewind(&mut self, to: BlockNumber) {
        let kept: Vec<_> = self.blocks.drain(..).filter(|it| it.block < to).collect();
        *self = Self::default();
        kept.into_iter().for_each(|block| self.push(block));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64, value: u64) -> PendingBlock {
        PendingBlock {
            block: BlockNumber(number),
            values: vec![(B256::ZERO, U256::from(value))],
            used: vec![(PeriodId(number), LeafIndex(0))],
        }
    }

    #[test]
    fn no_value_is_forgotten_before_the_store_has_it() {
        let mut pending = Pending::default();
        pending.push(block(1, 10));
        pending.push(block(2, 20));
        let newest = Some((U256::from(20), BlockNumber(2)));
        assert_eq!(pending.value(&B256::ZERO), newest);
        pending.applied(BlockNumber(1));
        assert_eq!(pending.value(&B256::ZERO), newest);
        assert!(!pending.uses(PeriodId(1), LeafIndex(0)));
        assert!(pending.uses(PeriodId(2), LeafIndex(0)));
        pending.push(block(3, 30));
        pending.rewind(BlockNumber(3));
        assert_eq!(pending.value(&B256::ZERO), newest);
        pending.applied(BlockNumber(2));
        assert_eq!(pending.value(&B256::ZERO), None);
    }
}
