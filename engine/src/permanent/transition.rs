//! From one state to the next: the step that blocks, undone blocks and witnesses have in common.

use super::{
    threads::Threads,
    tier::{Shared, State},
};
use crate::{
    leaf_store::{Action, Batch, LeafRead, LeafStore, Op, Table},
    trie::{
        change::{Base, Change, Written},
        codec::{TrieId, date},
        error::StateError,
        path::KEY_NIBBLES,
        update::{TrieJob, TrieResult, Updater},
        work::TrieWork,
    },
};
use alloy_primitives::B256;
use std::sync::Arc;
use thinstate_formats::BlockNumber;

/// Changes of a batch that are none of entries, about: head, codes, reverse diffs.
const OTHERS_EXPECTED: usize = 64;

/// A step that has been computed, and not been stored.
#[derive(Debug)]
pub(crate) struct Transition {
    /// The state after it. Its head has the new root and counts, and the block of the old state.
    pub(crate) state: State,
    /// Entries that it alters.
    pub(crate) written: Vec<Written>,
    /// New roots of the storage tries, in the order of their jobs.
    pub(crate) storage_roots: Vec<B256>,
    pub(crate) work: TrieWork,
}

impl<S: LeafStore> Shared<S> {
    /// Updates storage tries, then the account trie, whose changes may depend on their roots.
    pub(crate) fn transition<R: LeafRead>(
        &self,
        base: &Arc<State>,
        store: &R,
        storage: &[TrieJob],
        accounts: impl FnOnce(&[TrieResult]) -> Vec<Change>,
    ) -> Result<Transition, StateError> {
        let updater = Updater {
            store,
            hasher: &self.hasher,
            leaf_hashes: self.leaf_hashes.as_ref(),
            pool: &self.pool,
            entries_max: self.options.bucket_entries_max,
        };
        let tries = updater.update(storage)?;
        let account_job = TrieJob {
            trie: TrieId::Accounts,
            top: base.accounts.clone(),
            base: match base.head.accounts + base.head.stubs {
                0 => Base::Empty,
                _ => Base::Stored,
            },
            changes: accounts(&tries.tries),
        };
        let mut state = (**base).clone();
        let mut work = tries.work;
        let mut written = tries.written;
        let storage_roots = tries.tries.iter().map(|t| t.root).collect();
        for (job, result) in storage.iter().zip(tries.tries) {
            if let Some(account) = job.trie.account() {
                state.storage.set(account, result.top);
            }
        }
        if !account_job.changes.is_empty() {
            let account_trie = updater.update(&[account_job])?;
            work.add(&account_trie.work);
            match written.is_empty() {
                true => written = account_trie.written,
                false => written.extend(account_trie.written),
            }
            for result in account_trie.tries {
                state.head.root = result.root;
                state.accounts = result.top;
            }
        }
        Ok(Transition {
            state,
            written,
            storage_roots,
            work,
        })
    }
}

impl Transition {
    /// Brings the head's counts up to date with what was written, and counts the commit.
    pub(crate) fn count(&mut self) {
        let head = &mut self.state.head;
        head.commit += 1;
        for written in &self.written {
            let count = if written.path.len() < KEY_NIBBLES {
                &mut head.stubs
            } else if written.trie == TrieId::Accounts {
                &mut head.accounts
            } else {
                &mut head.slots
            };
            match (&written.before, &written.after) {
                (None, Some(_)) => *count += 1,
                (Some(_), None) => *count -= 1,
                _ => {}
            }
        }
    }

    /// The entries and the head as a batch. Values are moved there: of what was written it is then
    /// only known what was there before. Leaves that a block writes note that it does so (EIP-8188).
    pub(super) fn batch(&mut self, threads: Threads<'_>, block: Option<BlockNumber>) -> Batch {
        let op = |written: &mut Written| op(written, block);
        let mut ops: Vec<Op> = Vec::with_capacity(self.written.len() + OTHERS_EXPECTED);
        threads.extend(&mut ops, &mut self.written, op);
        let mut batch = Batch::from(ops);
        self.state.head.write(&mut batch);
        if !self.state.expiry_saved {
            self.state.expiry.write(&mut batch);
            self.state.expiry_saved = true;
        }
        batch
    }

    /// Leaves altered in a table, stubs not counted.
    pub(crate) fn leaves_written(&self, table: Table) -> u64 {
        let of_table = |w: &&Written| w.trie.table() == table && w.path.len() == KEY_NIBBLES;
        self.written.iter().filter(of_table).count() as u64
    }
}

/// What the store is to do for an entry; its value is taken.
fn op(written: &mut Written, block: Option<BlockNumber>) -> Op {
    let Written { trie, path, .. } = written;
    let (table, key) = (trie.table(), trie.key(path));
    let action = match (written.after.take(), block) {
        (None, _) => Action::Delete,
        (Some(value), None) => Action::Put(value),
        (Some(mut leaf), Some(block)) => {
            date(&mut leaf, block);
            Action::Put(leaf)
        }
    };
    Op { table, key, action }
}
