//! Blocks: changes by address become changes of entries, a root, and a commit.

use super::{
    error::CommitError,
    head::{BlockId, Head},
    keys::{KeyHashing, Touched},
    threads::Threads,
    tier::{PermanentTier, State},
    transition::Transition,
    undo::{DiffWriter, put_former, undo_key},
};
use crate::{
    leaf_store::{Batch, LeafRead, LeafStore, Table},
    trie::{
        change::{Base, Change, Target, Written},
        codec::{TrieId, encode_slot},
        error::StateError,
        path::Path,
        update::{TrieJob, TrieResult},
        work::TrieWork,
    },
};
use alloy_primitives::{B256, Bytes, U256};
use alloy_trie::EMPTY_ROOT_HASH;
use core::ops::{ControlFlow, Range};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use thinstate_formats::{AccountChange, AccountUpdate, BlockNumber, StateChanges};

/// Bytes of an entry of a reverse diff, mostly.
const FORMER_BYTES_EXPECTED: usize = 112;

/// A block's changes with the root that they lead to, computed and not yet stored.
///
/// Dropping it leaves no trace.
#[derive(Debug)]
pub struct PreparedBlock {
    transition: Transition,
    /// The head that it was prepared on.
    base: Head,
    code: Vec<(B256, Bytes)>,
    hashing: Duration,
}

impl PreparedBlock {
    /// The state root after the block.
    pub const fn root(&self) -> B256 {
        self.transition.state.head.root
    }

    /// What computing it cost.
    pub const fn work(&self) -> TrieWork {
        self.transition.work
    }
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitReport {
    /// The state root after it.
    pub root: B256,
    /// Account leaves put or deleted.
    pub accounts_written: u64,
    /// Slot leaves put or deleted.
    pub slots_written: u64,
    /// Buckets, entries, hashes.
    pub work: TrieWork,
    /// Bytes of keys and values handed to the leaf store, the reverse diff included.
    pub batch_bytes: u64,
    /// Time to read buckets and to hash.
    pub state_hash: Duration,
    /// Time to make it durable.
    pub commit: Duration,
}

impl<S: LeafStore> PermanentTier<S> {
    /// Computes the state after a block: reads the buckets that change, hashes, stores nothing.
    ///
    /// Where the block changes what has expired, and the archive answers, that is brought back
    /// first, in a commit of its own.
    pub fn prepare(&self, changes: &StateChanges) -> Result<PreparedBlock, CommitError> {
        let touched = self.key_hashing().accounts(changes);
        loop {
            match self.prepare_touched(changes, &touched) {
                Err(CommitError::State(StateError::Missing(missing)))
                    if self.shared.archive_answers() =>
                {
                    let keys = touched_keys(self.key_hashing(), &touched);
                    if !self.restore_for(&keys, &missing)? {
                        return Err(StateError::Missing(missing).into());
                    }
                }
                prepared => return prepared,
            }
        }
    }

    fn key_hashing(&self) -> KeyHashing<'_> {
        KeyHashing {
            hasher: &self.shared.hasher,
            threads: self.shared.threads(),
        }
    }

    fn prepare_touched(
        &self,
        changes: &StateChanges,
        touched: &[Touched<'_>],
    ) -> Result<PreparedBlock, CommitError> {
        let started = Instant::now();
        let view = self.shared.view();
        let wiped = wiped_slots(&view.snapshot, touched)?;
        let jobs = storage_jobs(self.key_hashing(), &view.state, touched);
        let mut transition =
            self.shared
                .transition(&view.state, &view.snapshot, &jobs, |roots| {
                    account_changes(self.shared.threads(), touched, &jobs, roots)
                })?;
        for (account, change) in touched {
            if drops_storage(change) && !has_slots(change) {
                transition.state.storage.set(*account, None);
            }
        }
        note_wiped(&mut transition.written, wiped);
        transition.count();
        let mut code = Vec::new();
        for (hash, bytes) in &changes.code {
            if view.snapshot.get(Table::Code, hash.as_slice())?.is_none() {
                code.push((*hash, bytes.clone()));
            }
        }
        code.sort_unstable_by_key(|(hash, _)| *hash);
        Ok(PreparedBlock {
            transition,
            base: view.state.head,
            code,
            hashing: started.elapsed(),
        })
    }

    /// Stores a prepared block, durably, as the next one; all of it or nothing.
    pub fn commit(
        &self,
        block: BlockId,
        prepared: PreparedBlock,
    ) -> Result<CommitReport, CommitError> {
        self.commit_with(block, prepared, Batch::default())
    }

    /// As [`Self::commit`], with what else is to change in the same batch.
    pub(crate) fn commit_with(
        &self,
        block: BlockId,
        prepared: PreparedBlock,
        also: Batch,
    ) -> Result<CommitReport, CommitError> {
        let _writer = self.shared.writer();
        let now = self.shared.state();
        check_follows(&now.head, &prepared, block.number)?;
        let started = Instant::now();
        let PreparedBlock {
            mut transition,
            base,
            code,
            hashing,
        } = prepared;
        transition.state.head.block = Some(block);
        // A step of expiry that cuts nothing makes no commit; its cursor may be newer.
        transition.state.expiry = Arc::clone(&now.expiry);
        transition.state.expiry_saved = now.expiry_saved;
        // The last to let go of it gives its branches back.
        drop(now);
        self.shared.note_stubs(&mut transition, false)?;
        let threads = self.shared.threads();
        let mut batch = transition.batch(threads, Some(block.number));
        for (hash, bytes) in &code {
            batch.put(Table::Code, hash.as_slice(), bytes.as_ref());
        }
        if self.shared.options.undo_blocks > 0 {
            let diff = reverse_diff(threads, &base, &transition.written, &code);
            batch.put(Table::Undo, undo_key(block.number), diff);
        }
        if let Some(old) = block.number.0.checked_sub(self.shared.options.undo_blocks) {
            batch.delete(Table::Undo, undo_key(BlockNumber(old)));
        }
        batch.append(also);
        let report = CommitReport {
            root: transition.state.head.root,
            accounts_written: transition.leaves_written(Table::Accounts),
            slots_written: transition.leaves_written(Table::Storage),
            work: transition.work,
            batch_bytes: batch.logical_bytes(),
            state_hash: hashing,
            commit: Duration::ZERO,
        };
        let Transition { state, written, .. } = transition;
        threads.give_back(written);
        self.shared.publish(batch, state)?;
        Ok(CommitReport {
            commit: started.elapsed(),
            ..report
        })
    }
}

fn check_follows(
    head: &Head,
    prepared: &PreparedBlock,
    got: BlockNumber,
) -> Result<(), CommitError> {
    if head.commit != prepared.base.commit {
        return Err(CommitError::Stale {
            prepared_on: prepared.base.commit,
            head: head.commit,
        });
    }
    match head.block.map(|b| b.number.next()) {
        Some(Some(expected)) if expected != got => Err(CommitError::NotNext { expected, got }),
        _ => Ok(()),
    }
}

/// The keys of everything that a block changes, but for storage that it wipes.
fn touched_keys(hashing: KeyHashing<'_>, touched: &[Touched<'_>]) -> Vec<(TrieId, B256)> {
    let mut keys = Vec::new();
    for (account, change) in touched {
        keys.push((TrieId::Accounts, *account));
        if has_slots(change) && !drops_storage(change) {
            let numbers: Vec<_> = change.storage.keys().copied().collect();
            let slots = hashing.slots(&numbers);
            keys.extend(
                slots
                    .into_iter()
                    .map(|slot| (TrieId::Storage(*account), slot)),
            );
        }
    }
    keys
}

/// Whether the storage that an account had before the block goes.
fn drops_storage(change: &AccountChange) -> bool {
    change.wipe_storage || change.account == AccountUpdate::Delete
}

/// Whether slots are written: those given with a deleted account go with it.
fn has_slots(change: &AccountChange) -> bool {
    change.account != AccountUpdate::Delete && !change.storage.is_empty()
}

/// Entries of storage that is wiped.
fn wiped_slots<R: LeafRead>(
    store: &R,
    touched: &[Touched<'_>],
) -> Result<BTreeMap<(B256, Path), Vec<u8>>, StateError> {
    let mut wiped = BTreeMap::new();
    for (account, _) in touched.iter().filter(|(_, c)| drops_storage(c)) {
        let trie = TrieId::Storage(*account);
        let (from, to) = trie.range(&Path::EMPTY);
        let mut failed = None;
        store.scan(
            Table::Storage,
            &from,
            to.as_deref(),
            &mut |key, value| match trie.stored_path(key) {
                Ok(path) => {
                    wiped.insert((*account, path), value.to_vec());
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(wiped)
}

/// Adds to what was written the wiped entries, some of which have been written anew: those are
/// written whatever they held before, which is not always known.
fn note_wiped(written: &mut Vec<Written>, mut wiped: BTreeMap<(B256, Path), Vec<u8>>) {
    if wiped.is_empty() {
        return;
    }
    for entry in written.iter_mut() {
        if let Some(account) = entry.trie.account() {
            entry.before = entry.before.take().or(wiped.remove(&(account, entry.path)));
        }
    }
    written.retain(|entry| entry.before.is_some() || entry.after.is_some());
    written.extend(wiped.into_iter().map(|((account, path), before)| Written {
        trie: TrieId::Storage(account),
        path,
        before: Some(before),
        after: None,
    }));
}

/// Jobs of the storage tries that change, by hashed address.
fn storage_jobs(hashing: KeyHashing<'_>, state: &State, touched: &[Touched<'_>]) -> Vec<TrieJob> {
    let with_slots: Vec<_> = touched.iter().filter(|(_, c)| has_slots(c)).collect();
    let mut numbers = Vec::new();
    let mut hashed = Vec::with_capacity(with_slots.len());
    for (_, change) in &with_slots {
        let first = numbers.len();
        numbers.extend(change.storage.keys().copied());
        hashed.push(first..numbers.len());
    }
    let hashes = hashing.slots(&numbers);
    let job = |((account, change), hashed): &(&Touched<'_>, Range<usize>)| {
        let values = change.storage.values();
        let changes = slot_changes(hashing.threads, &hashes[hashed.clone()], values);
        let wiped = change.wipe_storage;
        TrieJob {
            trie: TrieId::Storage(*account),
            top: state
                .storage
                .get(account)
                .filter(|_| !wiped)
                .map(Arc::clone),
            base: if wiped { Base::Empty } else { Base::Stored },
            changes,
        }
    };
    let with_hashes: Vec<_> = with_slots.into_iter().zip(hashed).collect();
    hashing.threads.map(numbers.len(), &with_hashes, job)
}

/// Changes of a storage trie: by hashed slot, ascending.
fn slot_changes<'a>(
    threads: Threads<'_>,
    hashes: &[B256],
    values: impl Iterator<Item = &'a U256>,
) -> Vec<Change> {
    let mut slots: Vec<_> = hashes.iter().copied().zip(values).collect();
    threads.sort_by_key(&mut slots, |(slot, _)| *slot);
    threads.map(slots.len(), &slots, |(slot, value)| Change {
        path: Path::leaf(*slot),
        to: encode_slot(**value).map_or(Target::Absent, Target::Leaf),
    })
}

/// Changes of the account trie, once the storage roots are known.
fn account_changes(
    threads: Threads<'_>,
    touched: &[Touched<'_>],
    jobs: &[TrieJob],
    results: &[TrieResult],
) -> Vec<Change> {
    let change = |touched: &Touched<'_>| account_change(touched, jobs, results);
    let changes = threads.map(touched.len(), touched, change);
    changes.into_iter().flatten().collect()
}

/// What becomes of an account's leaf; `None` if nothing does.
fn account_change(
    (account, change): &Touched<'_>,
    jobs: &[TrieJob],
    results: &[TrieResult],
) -> Option<Change> {
    let job = || jobs.binary_search_by_key(&Some(*account), |job| job.trie.account());
    let computed = if has_slots(change) { job().ok() } else { None };
    let storage_root = computed
        .map(|job| results[job].root)
        .or(change.wipe_storage.then_some(EMPTY_ROOT_HASH));
    let account_with = |fields| Target::Account {
        fields,
        storage_root,
        anew: change.wipe_storage,
    };
    let to = match change.account {
        AccountUpdate::Delete => Target::Absent,
        AccountUpdate::Keep if storage_root.is_none() => return None,
        AccountUpdate::Keep => account_with(None),
        AccountUpdate::Set(fields) => account_with(Some(fields)),
    };
    Some(Change {
        path: Path::leaf(*account),
        to,
    })
}

fn reverse_diff(
    threads: Threads<'_>,
    head: &Head,
    written: &[Written],
    code: &[(B256, Bytes)],
) -> Vec<u8> {
    let formers = |written: &[Written]| {
        let mut formers = Vec::with_capacity(FORMER_BYTES_EXPECTED * written.len());
        for entry in written {
            let key = |key: &mut Vec<u8>| entry.trie.append_key(&entry.path, key);
            put_former(
                &mut formers,
                entry.trie.table(),
                key,
                entry.before.as_deref(),
            );
        }
        (formers, written.len() as u32)
    };
    let mut parts = threads.map_slices(written, formers);
    let mut codes = Vec::new();
    for (hash, _) in code {
        let key = |key: &mut Vec<u8>| key.extend_from_slice(hash.as_slice());
        put_former(&mut codes, Table::Code, key, None);
    }
    parts.push((codes, code.len() as u32));
    let bytes = parts.iter().map(|(formers, _)| formers.len()).sum();
    let mut diff = DiffWriter::new(head, bytes);
    for (formers, entries) in &parts {
        diff.extend(formers, *entries);
    }
    diff.finish()
}
