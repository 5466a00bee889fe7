//! A model that can take blocks back, and its comparison with every byte of a store.

use super::Model;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use core::ops::ControlFlow;
use std::collections::{BTreeMap, VecDeque};
use thinstate_engine::{
    Head, PermanentTier,
    leaf_store::{LeafRead, LeafStore, Table},
};
use thinstate_formats::{Account, StateChanges, StateReader};

/// Blocks that can be taken back.
const KEPT: usize = 128;

/// A state, its code, and what the last blocks changed.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    pub model: Model,
    pub code: BTreeMap<B256, Bytes>,
    former: VecDeque<Former>,
}

/// An account and its storage.
type Stored = (Account, BTreeMap<U256, U256>);

/// What a block changed, as it was before.
#[derive(Clone, Debug)]
struct Former {
    accounts: Vec<(Address, Option<Stored>)>,
    new_code: Vec<B256>,
}

impl Chain {
    pub fn apply(&mut self, changes: &StateChanges) {
        let accounts = changes.accounts.keys();
        let accounts = accounts.map(|a| (*a, self.model.accounts.get(a).cloned()));
        let new_code = changes.code.keys().copied();
        let former = Former {
            accounts: accounts.collect(),
            new_code: new_code.filter(|h| !self.code.contains_key(h)).collect(),
        };
        self.former.push_back(former);
        if self.former.len() > KEPT {
            self.former.pop_front();
        }
        self.model.apply(changes);
        let code = changes.code.iter();
        self.code.extend(code.map(|(hash, c)| (*hash, c.clone())));
    }

    pub fn undo(&mut self) {
        let former = self.former.pop_back().expect("a block to undo");
        for (address, account) in former.accounts {
            match account {
                Some(account) => self.model.accounts.insert(address, account),
                None => self.model.accounts.remove(&address),
            };
        }
        for hash in former.new_code {
            self.code.remove(&hash);
        }
    }

    /// Panics unless the tier shows this state and no other: root, accounts, slots and code, read
    /// one by one; and the roots recomputed from its leaves.
    pub fn assert_shown_by<S: LeafStore>(&self, tier: &PermanentTier<S>, absent: &[Address]) {
        let view = tier.view();
        self.model.assert_shown_by(&view, absent);
        for (hash, code) in &self.code {
            assert_eq!(view.code(*hash).expect("read").as_ref(), Some(code));
        }
        let report = tier.verify().expect("verifies");
        assert_eq!(report.accounts, self.model.accounts.len() as u64);
        assert_eq!(report.slots, self.model.slots() as u64);
        assert_eq!(report.stubs, 0);
    }

    /// Panics unless the tables hold what belongs to this state and nothing else.
    pub fn assert_is_all_of<S: LeafStore>(&self, store: &S, head: &Head) {
        let read = store.snapshot();
        let accounts = self.model.accounts.keys();
        let accounts: Vec<Vec<u8>> = sorted(accounts.map(|a| keccak256(a).to_vec()));
        let stored = all(&read, Table::Accounts);
        assert!(accounts.iter().eq(stored.iter().map(|(key, _)| key)));
        let newest = head.block.map_or(0, |block| block.number.0);
        let stored = all(&read, Table::Storage).into_iter();
        let undated: Vec<_> = stored.map(|(k, leaf)| (k, undated(leaf, newest))).collect();
        assert!(self.slots() == undated);
        let code = self.code.iter();
        let code: Vec<_> = code.map(|(h, c)| (h.to_vec(), c.to_vec())).collect();
        assert!(code == all(&read, Table::Code));
        assert_eq!(all(&read, Table::Meta).len(), 2);
        assert_diffs_reach_back_from(&all(&read, Table::Undo), head);
    }

    /// Slots as the store is to hold them.
    fn slots(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let slots = self
            .model
            .accounts
            .iter()
            .flat_map(|(address, (_, slots))| {
                let account = keccak256(address);
                slots.iter().map(move |(slot, value)| {
                    let slot = keccak256(slot.to_be_bytes::<32>());
                    (
                        [account.as_slice(), slot.as_slice()].concat(),
                        value.to_be_bytes_trimmed_vec(),
                    )
                })
            });
        sorted(slots)
    }
}

/// A slot leaf's value; the block behind it is not later than `newest`.
fn undated(leaf: Vec<u8>, newest: u64) -> Vec<u8> {
    let (value, block) = leaf[1..].split_at(leaf[0].into());
    let block = block.iter().fold(0, |n, b| n << 8 | u64::from(*b));
    assert!(block <= newest, "written in block {block}, after {newest}");
    value.to_vec()
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items
}

/// All entries of a table.
pub fn all<R: LeafRead>(read: &R, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    read.scan(table, &[], None, &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })
    .expect("scan");
    entries
}

/// There is one reverse diff for each of the last blocks, without a gap, and no more than are kept.
fn assert_diffs_reach_back_from(diffs: &[(Vec<u8>, Vec<u8>)], head: &Head) {
    let Some(block) = head.block else {
        return assert!(diffs.is_empty());
    };
    let first = (block.number.0 + 1).checked_sub(diffs.len() as u64);
    let first = first.expect("no more diffs than blocks");
    let numbers = (first..=block.number.0).map(|n| n.to_be_bytes().to_vec());
    assert!(numbers.eq(diffs.iter().map(|(key, _)| key.clone())));
    assert!(diffs.len() <= KEPT, "{} diffs are kept", diffs.len());
}
