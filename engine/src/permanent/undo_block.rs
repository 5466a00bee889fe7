//! Undoing the last block.

use super::{
    error::UndoError,
    head::{BlockId, Head},
    tier::PermanentTier,
    transition::Transition,
    undo::{Former, ReverseDiff, undo_key},
    view::View,
};
use crate::{
    leaf_store::{Batch, LeafRead, LeafStore, Table},
    trie::{
        change::{Base, Change, Target},
        codec::TrieId,
        error::StateError,
        path::KEY_NIBBLES,
        update::TrieJob,
    },
};
use alloy_primitives::B256;
use std::collections::BTreeMap;

impl<S: LeafStore> PermanentTier<S> {
    /// Undoes the last block: state, root and head are those before it. Costs one get, and what a
    /// block with the opposite changes would cost.
    ///
    /// A witness inserted since the block stays: what it filled does not change the root. So does
    /// what has expired since, except where the block deleted something in the midst of it: that
    /// is brought back from the archive first, in a commit of its own.
    pub fn undo(&self) -> Result<Head, UndoError> {
        self.undo_with(Batch::default())
    }

    /// As [`Self::undo`], with what else is to change in the same batch.
    pub(crate) fn undo_with(&self, also: Batch) -> Result<Head, UndoError> {
        let _writer = self.shared.writer();
        let undone = loop {
            let view = self.shared.view();
            match self.undone(&view) {
                // What the block deleted may now lie under a stub.
                Err(UndoError::State(StateError::Missing(missing))) => {
                    let (block, diff) = last_diff(&view)?;
                    let keys = leaf_keys(&sort_entries(block, diff)?);
                    if !self.shared.restore_for(&view, &keys, &missing)? {
                        return Err(StateError::Missing(missing).into());
                    }
                }
                undone => break undone?,
            }
        };
        let Undone {
            block,
            mut transition,
            code,
        } = undone;
        let mut batch = transition.batch(self.shared.threads(), None);
        for hash in code {
            batch.delete(Table::Code, hash);
        }
        batch.delete(Table::Undo, undo_key(block.number));
        batch.append(also);
        let head = transition.state.head;
        self.shared.publish(batch, transition.state)?;
        Ok(head)
    }

    /// The state before the last block.
    fn undone(&self, view: &View<'_, S>) -> Result<Undone, UndoError> {
        let (block, diff) = last_diff(view)?;
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
        self.shared.note_stubs(&mut transition, true)?;
        Ok(Undone {
            block,
            transition,
            code,
        })
    }
}

/// The state before a block, not stored yet.
struct Undone {
    block: BlockId,
    transition: Transition,
    /// Code that the block brought.
    code: Vec<Vec<u8>>,
}

fn last_diff<S: LeafStore>(view: &View<'_, S>) -> Result<(BlockId, ReverseDiff), UndoError> {
    let block = view.head().block.ok_or(UndoError::NothingToUndo)?;
    let diff = view.snapshot.get(Table::Undo, &undo_key(block.number))?;
    let diff = diff.ok_or(UndoError::TooOld(block.number))?;
    Ok((block, ReverseDiff::decode(block, &diff)?))
}

/// Keys of the leaves among the changes.
fn leaf_keys((accounts, storage, _): &Sorted) -> Vec<(TrieId, B256)> {
    let of = |trie: TrieId, changes: &[Change]| {
        let leaves = changes.iter().filter(|c| c.path.len() == KEY_NIBBLES);
        leaves.map(|c| (trie, *c.path.bytes())).collect::<Vec<_>>()
    };
    let slots = storage
        .iter()
        .flat_map(|(account, changes)| of(TrieId::Storage(*account), changes));
    let mut keys = of(TrieId::Accounts, accounts);
    keys.extend(slots);
    keys
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
            Table::Meta
            | Table::Undo
            | Table::Temporary
            | Table::Periods
            | Table::Utxo
            | Table::Journal => return Err(bad("it names a table without leaves")),
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
