//! Undoing the last block.

use super::{
    error::UndoError,
    head::{BlockId, Head},
    tier::PermanentTier,
    undo::{Former, ReverseDiff, undo_key},
};
use crate::{
    leaf_store::{LeafRead, LeafStore, Table},
    trie::{
        change::{Base, Change, Target},
        codec::TrieId,
        update::TrieJob,
    },
};
use alloy_primitives::B256;
use std::collections::BTreeMap;

impl<S: LeafStore> PermanentTier<S> {
    /// Undoes the last block: state, root and head are those before it. Costs one get, and what a
    /// block with the opposite changes would cost.
    ///
    /// A witness inserted since the block stays: what it filled does not change the root.
    pub fn undo(&self) -> Result<Head, UndoError> {
        let _writer = self.shared.writer();
        let view = self.shared.view();
        let block = view.head().block.ok_or(UndoError::NothingToUndo)?;
        let key = undo_key(block.number);
        let diff = view.snapshot.get(Table::Undo, &key)?;
        let diff = diff.ok_or(UndoError::TooOld(block.number))?;
        let diff = ReverseDiff::decode(block, &diff)?;
        let former = diff.head;
        let (accounts, storage, code) = sort_entries(block, diff)?;
        let jobs: Vec<_> = storage
            .into_iter()
            .map(|(account, changes)| TrieJob {
                trie: TrieId::Storage(account),
                top: view.state.storage.get(&account).cloned(),
                base: Base::Stored,
                changes,
            })
            .collect();
        let mut transition = self
            .shared
            .transition(&view.state, &view.snapshot, &jobs, |_| accounts)?;
        let got = transition.state.head.root;
        if got != former.root {
            return Err(UndoError::RootMismatch {
                block,
                expected: former.root,
                got,
            });
        }
        transition.count();
        transition.state.head.block = former.block;
        let mut batch = transition.batch();
        for hash in code {
            batch.delete(Table::Code, hash);
        }
        batch.delete(Table::Undo, key);
        let head = transition.state.head;
        drop(view);
        self.shared.publish(batch, transition.state)?;
        Ok(head)
    }
}

type Sorted = (Vec<Change>, BTreeMap<B256, Vec<Change>>, Vec<Vec<u8>>);

/// A reverse diff as changes of the account trie, of each storage trie, and code to be removed.
fn sort_entries(block: BlockId, diff: ReverseDiff) -> Result<Sorted, UndoError> {
    let bad = |reason| UndoError::BadDiff {
        block: block.number,
        offset: 0,
        reason,
    };
    let mut accounts = Vec::new();
    let mut storage: BTreeMap<B256, Vec<Change>> = BTreeMap::new();
    let mut code = Vec::new();
    for Former { table, key, value } in diff.entries {
        let to = value.map_or(Target::Absent, Target::Value);
        let (trie, changes) = match table {
            Table::Accounts => (TrieId::Accounts, &mut accounts),
            Table::Storage => {
                let account = key.first_chunk::<32>().map(B256::from);
                let account = account.ok_or_else(|| bad("a storage key is too short"))?;
                (
                    TrieId::Storage(account),
                    storage.entry(account).or_default(),
                )
            }
            Table::Code => {
                code.push(key);
                continue;
            }
            Table::Meta | Table::Undo => return Err(bad("it names a table without leaves")),
        };
        let path = trie
            .path(&key)
            .map_err(|_| bad("a key is not that of an entry"))?;
        changes.push(Change { path, to });
    }
    for changes in storage.values_mut().chain([&mut accounts]) {
        changes.sort_unstable_by_key(|c| c.path);
    }
    Ok((accounts, storage, code))
}
