//! An index of unspent records, kept by following the blocks.
//!
//! It lies in memory and is not part of the state: a node that serves wallets has one for all, a wallet
//! one for its own. Listing the records of an object is one lookup; following a block is one lookup
//! for each record spent or appended. A record takes about 150 bytes, and a spent one as much until the
//! block that spent it can no longer be undone.

use super::{HeldRecord, RecordSource};
use alloy_primitives::{
    Address,
    map::{HashMap, HashSet},
};
use core::convert::Infallible;
use std::collections::VecDeque;
use thinstate_formats::{
    BlockNumber, RecordIndex,
    object::{ContractObject, ObjectKey},
};

/// Unspent records by contract and key.
#[derive(Clone, Debug, Default)]
pub struct WalletIndex {
    unspent: HashMap<RecordIndex, ContractObject>,
    /// Ascending indexes.
    by_key: HashMap<(Address, ObjectKey), Vec<RecordIndex>>,
    last: Option<BlockNumber>,
    /// What undoes the last blocks, the last one at the back.
    undo: VecDeque<Followed>,
    undo_blocks: usize,
}

/// A block that can be undone.
#[derive(Clone, Debug)]
struct Followed {
    /// The block before, if one was followed.
    before: Option<BlockNumber>,
    block: BlockNumber,
    spent: Vec<(RecordIndex, ContractObject)>,
    appended: Vec<RecordIndex>,
}

/// A block cannot be followed or undone. The index is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The block is not the one after the last.
    #[error("block {got} does not follow, expected {expected}")]
    NotNext {
        /// The one after the last.
        expected: BlockNumber,
        /// The one given.
        got: BlockNumber,
    },
    /// A record is spent that is not unspent: blocks are missing, or were followed twice.
    #[error("record {index} is spent, but is not among the unspent ones")]
    NotUnspent {
        /// The record.
        index: RecordIndex,
    },
    /// A record is appended that is there already.
    #[error("record {index} is appended, but is among the unspent ones")]
    Twice {
        /// The record.
        index: RecordIndex,
    },
    /// Nothing to undo is left.
    #[error("no followed block is left to undo")]
    NothingToUndo,
}

impl WalletIndex {
    /// An empty index that can undo this many blocks.
    pub fn new(undo_blocks: usize) -> Self {
        Self {
            undo_blocks,
            ..Self::default()
        }
    }

    /// Unspent records.
    pub fn len(&self) -> usize {
        self.unspent.len()
    }

    /// Whether no record is unspent.
    pub fn is_empty(&self) -> bool {
        self.unspent.is_empty()
    }

    /// What an unspent record holds.
    pub fn record(&self, index: RecordIndex) -> Option<ContractObject> {
        self.unspent.get(&index).copied()
    }

    /// All records of an object, by ascending index.
    pub fn records_of(&self, contract: Address, key: ObjectKey) -> Vec<HeldRecord> {
        let Some(indexes) = self.by_key.get(&(contract, key)) else {
            return Vec::new();
        };
        let held = |index: &RecordIndex| {
            let object = self.unspent.get(index)?.object;
            let index = *index;
            Some(HeldRecord { index, object })
        };
        indexes.iter().filter_map(held).collect()
    }

    /// Follows a block: what it spent, and what it appended.
    pub fn follow(
        &mut self,
        block: BlockNumber,
        spent: &[RecordIndex],
        appended: &[(RecordIndex, ContractObject)],
    ) -> Result<(), WalletError> {
        self.check(block, spent, appended)?;
        let spent = spent.iter().filter_map(|index| self.remove(*index));
        let spent = spent.collect();
        for (index, object) in appended {
            self.insert(*index, *object);
        }
        self.undo.push_back(Followed {
            before: self.last,
            block,
            spent,
            appended: appended.iter().map(|(index, _)| *index).collect(),
        });
        while self.undo.len() > self.undo_blocks {
            self.undo.pop_front();
        }
        self.last = Some(block);
        Ok(())
    }

    /// Undoes the last block, and says which it was.
    pub fn undo(&mut self) -> Result<BlockNumber, WalletError> {
        let followed = self.undo.pop_back().ok_or(WalletError::NothingToUndo)?;
        for index in followed.appended {
            self.remove(index);
        }
        for (index, object) in followed.spent {
            self.insert(index, object);
        }
        self.last = followed.before;
        Ok(followed.block)
    }

    fn check(
        &self,
        block: BlockNumber,
        spent: &[RecordIndex],
        appended: &[(RecordIndex, ContractObject)],
    ) -> Result<(), WalletError> {
        let next = self.last.and_then(BlockNumber::next);
        if let Some(expected) = next.filter(|next| *next != block) {
            return Err(WalletError::NotNext {
                expected,
                got: block,
            });
        }
        let mut seen = HashSet::<RecordIndex>::default();
        for &index in spent {
            if !self.unspent.contains_key(&index) || !seen.insert(index) {
                return Err(WalletError::NotUnspent { index });
            }
        }
        for &(index, _) in appended {
            if self.unspent.contains_key(&index) || !seen.insert(index) {
                return Err(WalletError::Twice { index });
            }
        }
        Ok(())
    }

    fn insert(&mut self, index: RecordIndex, object: ContractObject) {
        self.unspent.insert(index, object);
        let key = (object.contract, object.object.key());
        let indexes = self.by_key.entry(key).or_default();
        if let Err(at) = indexes.binary_search(&index) {
            indexes.insert(at, index);
        }
    }

    fn remove(&mut self, index: RecordIndex) -> Option<(RecordIndex, ContractObject)> {
        let object = self.unspent.remove(&index)?;
        let key = (object.contract, object.object.key());
        if let Some(indexes) = self.by_key.get_mut(&key) {
            indexes.retain(|other| *other != index);
            if indexes.is_empty() {
                self.by_key.remove(&key);
            }
        }
        Some((index, object))
    }
}

impl RecordSource for WalletIndex {
    type Error = Infallible;

    fn records(&self, contract: Address, key: ObjectKey) -> Result<Vec<HeldRecord>, Infallible> {
        Ok(self.records_of(contract, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinstate_formats::object::{Amount, Object};

    const CONTRACT: Address = Address::repeat_byte(7);
    const OWNER: Address = Address::repeat_byte(1);

    fn record(index: u64) -> (RecordIndex, ContractObject) {
        let object = Object::Erc20Balance {
            owner: OWNER,
            amount: Amount::from(u128::from(index) + 1),
        };
        let contract = CONTRACT;
        (RecordIndex(index), ContractObject { contract, object })
    }

    fn held(wallet: &WalletIndex) -> Vec<u64> {
        let key = ObjectKey::Erc20Balance { owner: OWNER };
        let records = wallet.records_of(CONTRACT, key);
        records.iter().map(|record| record.index.0).collect()
    }

    fn follow(wallet: &mut WalletIndex, block: u64, spent: &[u64], appended: &[u64]) {
        let spent: Vec<_> = spent.iter().copied().map(RecordIndex).collect();
        let appended: Vec<_> = appended.iter().copied().map(record).collect();
        let followed = wallet.follow(BlockNumber(block), &spent, &appended);
        followed.expect("a block that follows");
    }

    #[test]
    fn no_undone_block_leaves_a_trace() {
        let mut wallet = WalletIndex::new(2);
        follow(&mut wallet, 5, &[], &[0, 1, 2]);
        follow(&mut wallet, 6, &[1], &[3]);
        follow(&mut wallet, 7, &[0, 3], &[4]);
        assert_eq!(held(&wallet), [2, 4]);
        assert_eq!(wallet.undo(), Ok(BlockNumber(7)));
        assert_eq!(held(&wallet), [0, 2, 3]);
        assert_eq!(wallet.undo(), Ok(BlockNumber(6)));
        assert_eq!(held(&wallet), [0, 1, 2]);
        assert_eq!(wallet.undo(), Err(WalletError::NothingToUndo));
        follow(&mut wallet, 6, &[0, 1, 2], &[]);
        assert!(wallet.is_empty() && wallet.by_key.is_empty());
    }

    #[test]
    fn no_block_is_followed_that_does_not_fit() {
        let mut wallet = WalletIndex::new(2);
        follow(&mut wallet, 5, &[], &[0, 1]);
        let index = RecordIndex(9);
        let table = [
            (
                5,
                vec![],
                vec![],
                WalletError::NotNext {
                    expected: BlockNumber(6),
                    got: BlockNumber(5),
                },
            ),
            (6, vec![index], vec![], WalletError::NotUnspent { index }),
            (
                6,
                vec![RecordIndex(0); 2],
                vec![],
                WalletError::NotUnspent {
                    index: RecordIndex(0),
                },
            ),
            (
                6,
                vec![],
                vec![record(1)],
                WalletError::Twice {
                    index: RecordIndex(1),
                },
            ),
            (
                6,
                vec![RecordIndex(1)],
                vec![record(2), record(2)],
                WalletError::Twice {
                    index: RecordIndex(2),
                },
            ),
        ];
        for (block, spent, appended, expected) in table {
            let got = wallet.follow(BlockNumber(block), &spent, &appended);
            assert_eq!(got, Err(expected));
            assert_eq!(held(&wallet), [0, 1]);
        }
    }
}
